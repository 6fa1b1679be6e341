"""From recorded responses to answers, one for each kind of context."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.http import content_coding
from replaymock.http.conditional import ConditionalRequest
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.http.rendered import Delay, KeepOpen, RenderedResponse, SendBody, SendHead
from replaymock.matching.index import entry_for
from replaymock.matching.matcher import Matcher
from replaymock.replay.renderer import RenderContext, RenderOptions, ResponseRenderer, renderers
from replaymock.replay.time_shift import TimeShifter
from tests.support.factories import JSON, a_cassette, a_request, recorded

CONTEXT = RenderContext("http://localhost:8081", "", "")


def a_renderer(found: RecordedResponse, cors: CorsPolicy | None = None) -> ResponseRenderer:
    return ResponseRenderer(found, (), cors or CorsPolicy(is_enabled=False))


def headers_of(answer: RenderedResponse) -> dict[str, str]:
    lines = answer.head.decode("latin-1").split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_a_plain_response_is_framed() -> None:
    answer = a_renderer(recorded(b"[1]")).render(CONTEXT)
    assert answer.wire == b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 3\r\n\r\n[1]"


def test_the_token_becomes_the_callers_origin() -> None:
    renderer = a_renderer(recorded(b'"{{origin}}/a"', headers=(*JSON, ("location", "{{origin}}/b"))))
    for origin in ("http://localhost:8081", "http://127.0.0.1:9"):
        answer = renderer.render(replace(CONTEXT, origin=origin))
        assert answer.body == f'"{origin}/a"'.encode()
        assert headers_of(answer)["location"] == f"{origin}/b"


def test_a_token_in_a_header_alone_becomes_the_callers_origin_too() -> None:
    answer = a_renderer(recorded(b"", headers=(("location", "{{origin}}/b"),))).render(CONTEXT)
    assert headers_of(answer)["location"] == "http://localhost:8081/b"


def test_a_response_that_is_not_rewritten_keeps_what_looks_like_the_token() -> None:
    assert a_renderer(recorded(b'"{{origin}}"', rewrite=False)).render(CONTEXT).body == b'"{{origin}}"'


def test_an_answer_is_made_once_for_each_kind_of_caller() -> None:
    renderer = a_renderer(recorded(b"[1]"))
    assert renderer.render(CONTEXT) is renderer.render(replace(CONTEXT, origin="http://other"))
    with_origin = a_renderer(recorded(b'"{{origin}}"'))
    assert with_origin.render(CONTEXT) is not with_origin.render(replace(CONTEXT, origin="http://other"))
    assert with_origin.render(CONTEXT) is with_origin.render(CONTEXT)


def test_many_kinds_of_caller_do_not_fill_the_memory() -> None:
    renderer = a_renderer(recorded(b'"{{origin}}"'))
    for number in range(100):
        renderer.render(replace(CONTEXT, origin=f"http://localhost:{number}"))
    assert len(renderer._variants) <= 16


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_coded_response_is_coded_for_who_accepts_it(coding: str) -> None:
    renderer = a_renderer(recorded(b"[1]", headers=(*JSON, ("content-encoding", coding))))
    coded = renderer.render(replace(CONTEXT, accept_encoding=f"x, {coding};q=0.5"))
    plain = renderer.render(CONTEXT)
    assert content_coding.decode(coded.body, [coding], 99) == b"[1]"
    assert headers_of(coded)["content-encoding"] == coding
    assert plain.body == b"[1]"
    assert "content-encoding" not in headers_of(plain)
    assert headers_of(plain)["vary"] == headers_of(coded)["vary"] == "Accept-Encoding"


def test_a_response_still_in_its_coding_is_served_as_it_is() -> None:
    renderer = a_renderer(recorded(b"??", headers=(("content-encoding", "compress"),), encoded=True))
    answer = renderer.render(CONTEXT)
    assert (answer.body, headers_of(answer)["content-encoding"]) == (b"??", "compress")


@pytest.mark.parametrize("accept", ["", "foo", "*", "gzip, foo", "gzip"])
@pytest.mark.parametrize("coding", ["foo", "gzip, foo"])
def test_a_coding_that_is_not_known_here_is_served_as_it_stands_to_everyone(coding: str, accept: str) -> None:
    answer = a_renderer(recorded(b"hi", headers=(("content-encoding", coding),))).render(
        replace(CONTEXT, accept_encoding=accept)
    )
    assert (answer.body, headers_of(answer)["content-encoding"]) == (b"hi", coding)
    assert "vary" not in headers_of(answer)


def test_a_caller_that_names_no_host_gets_links_without_an_origin() -> None:
    renderer = a_renderer(recorded(b'"{{origin}}/a"', headers=(*JSON, ("location", "{{origin}}/b"))))
    answer = renderer.render(replace(CONTEXT, origin=a_request().origin))
    assert (answer.body, headers_of(answer)["location"]) == (b'"/a"', "/b")


def test_a_caller_under_a_base_path_is_led_back_to_below_it() -> None:
    renderer = a_renderer(recorded(b"", headers=(("location", "/b"), ("set-cookie", "a=1; Path=/; HttpOnly"))))
    headers = headers_of(renderer.render(replace(CONTEXT, base="/base")))
    assert (headers["location"], headers["set-cookie"]) == ("/base/b", "a=1; Path=/base/; HttpOnly")
    assert headers_of(renderer.render(CONTEXT))["location"] == "/b"


def test_a_recorded_head_without_a_length_gets_none() -> None:
    renderer = ResponseRenderer(recorded(b""), (), CorsPolicy(is_enabled=False), to_head=True)
    assert "content-length" not in headers_of(renderer.render(CONTEXT))


def test_cookies_are_made_fit_for_localhost_and_cors_is_ours() -> None:
    headers = (("set-cookie", "a=1; Secure; Path=/"), ("access-control-allow-origin", "https://old"))
    found = headers_of(
        a_renderer(recorded(headers=headers), CorsPolicy()).render(replace(CONTEXT, echoed_origin="http://localhost"))
    )
    assert found["set-cookie"] == "a=1; Path=/"
    assert found["access-control-allow-origin"] == "http://localhost"
    assert found["vary"] == "Origin"


def moving(found: RecordedResponse, clock: Iterator[float]) -> ResponseRenderer:
    return ResponseRenderer(found, (), CorsPolicy(), time_shifter=TimeShifter(lambda: next(clock)))


def test_a_response_with_a_time_that_moves_is_made_once_a_second() -> None:
    found = recorded(b'{"exp":1700000060}', recorded_at="2023-11-14T22:13:20Z")
    renderer = moving(found, iter((1_700_000_010.0, 1_700_000_010.9, 1_700_000_011.0)))
    first, same, later = (renderer.render(CONTEXT) for _ in range(3))
    assert renderer.is_time_dependent
    assert first is same
    assert (first.body, later.body) == (b'{"exp":1700000070}', b'{"exp":1700000071}')


@pytest.mark.parametrize("recorded_at", ["", "long ago"])
def test_a_response_of_no_known_age_never_moves(recorded_at: str) -> None:
    renderer = moving(recorded(b'{"exp":1700000060}', recorded_at=recorded_at), iter(()))
    assert not renderer.is_time_dependent
    assert renderer.render(CONTEXT).body == b'{"exp":1700000060}'


def test_a_response_with_nothing_that_moves_asks_no_clock() -> None:
    renderer = moving(recorded(b'{"id":1700000060}', recorded_at="2023-11-14T22:13:20Z"), iter(()))
    assert not renderer.is_time_dependent
    assert renderer.render(CONTEXT) is renderer.render(CONTEXT)


def test_a_part_is_of_the_content_as_this_caller_would_get_it_without_coding() -> None:
    renderer = a_renderer(recorded(b'"{{origin}}/a"', headers=(*JSON, ("content-encoding", "gzip"))), CorsPolicy())
    context = replace(CONTEXT, accept_encoding="gzip")
    part = renderer.render(context, ConditionalRequest(range=(("Range", "bytes=1-4"),)))
    assert (part.status, part.body, headers_of(part)["content-range"]) == (206, b"http", "bytes 1-4/25")
    assert "content-encoding" not in headers_of(part)
    assert "Content-Range" in headers_of(part)["access-control-expose-headers"]
    assert renderer.render(context, ConditionalRequest(range=(("Range", "bytes=5-1"),))) is renderer.render(context)


@pytest.mark.parametrize(("coding", "digest"), [("gzip", ""), ("", "x")])
def test_a_part_without_its_coding_has_no_digest_of_what_was_coded(coding: str, digest: str) -> None:
    headers = (("content-encoding", coding),) if coding else ()
    renderer = a_renderer(recorded(b"0123456789", headers=(*headers, ("repr-digest", "x"))))
    answer = renderer.render(CONTEXT, ConditionalRequest((), (("Range", "bytes=2-4"),)))
    assert (answer.body, headers_of(answer).get("repr-digest", "")) == (b"234", digest)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    assert a_renderer(recorded(b"", status=status)).render(CONTEXT).wire.endswith(b"\r\n\r\n")


def test_a_recorded_head_keeps_its_length() -> None:
    assert (
        headers_of(a_renderer(recorded(b"", headers=(("content-length", "42"),))).render(CONTEXT))["content-length"]
        == "42"
    )


@given(
    st.binary(max_size=50), st.sampled_from(["", "gzip", "br", "gzip, br"]), st.sampled_from(["", "gzip", "br", "*"])
)
def test_every_caller_gets_the_recorded_content(body: bytes, coding: str, accept: str) -> None:
    headers: Headers = (("content-encoding", coding),) if coding else ()
    answer = a_renderer(recorded(body, headers=headers, rewrite=False)).render(replace(CONTEXT, accept_encoding=accept))
    sent = content_coding.parse(headers_of(answer).get("content-encoding", ""))
    assert content_coding.decode(answer.body, sent if body else [], 10_000) == body
    assert headers_of(answer)["content-length"] == str(len(answer.body))


SSE = (("content-type", "text/event-stream"),)
TWO = b"id: 1\ndata: {{origin}}/a\n\nid: 2\ndata: b\n\n"


def sent(answer: RenderedResponse) -> list[bytes]:
    return [step.data for step in answer.steps if isinstance(step, SendBody) and step.data]


def test_a_stream_is_served_event_by_event_at_its_recorded_pace() -> None:
    answer = a_renderer(recorded(TWO, headers=SSE, pauses=((0, 40), (TWO.index(b"id: 2"), 100)))).render(CONTEXT)
    first, second = (f"id: 1\ndata: {CONTEXT.origin}/a\n\n".encode(), b"id: 2\ndata: b\n\n")
    assert answer.steps == (SendHead(), Delay(0.04), SendBody(first), Delay(0.1), SendBody(second), SendBody(b""))
    assert answer.is_streamed and b"content-length" not in answer.head.lower()


def test_a_stream_goes_on_after_the_event_its_caller_saw_last() -> None:
    renderer = a_renderer(recorded(TWO, headers=SSE))
    assert sent(renderer.render(replace(CONTEXT, last_event_id="1"))) == [b"id: 2\ndata: b\n\n"]
    assert len(sent(renderer.render(replace(CONTEXT, last_event_id="unknown")))) == 2


def test_a_stream_that_was_cut_when_recorded_is_held_open() -> None:
    assert a_renderer(recorded(TWO, headers=SSE, truncated=True)).render(CONTEXT).steps[-1] == KeepOpen()
    assert a_renderer(recorded(b"", headers=SSE, truncated=True)).render(CONTEXT).steps == (SendHead(), KeepOpen())
    assert a_renderer(recorded(b"", headers=SSE)).render(CONTEXT).steps == ()


def test_a_coded_stream_is_coded_piece_by_piece() -> None:
    renderer = a_renderer(recorded(TWO, headers=(*SSE, ("content-encoding", "gzip"))))
    pieces = sent(renderer.render(replace(CONTEXT, accept_encoding="gzip")))
    decoder = content_coding.decoder(["gzip"], 1000)
    assert [decoder.feed(piece).endswith(b"\n\n") for piece in pieces[:2]] == [True, True]


def ready(file: str, cassette: Cassette, position: int = 0, *, diagnostics: bool = True) -> ResponseRenderer:
    options = RenderOptions(CorsPolicy(is_enabled=False), diagnostics)
    return renderers(entry_for(file, cassette, Matcher()), cassette.responses, options)[position]


def test_answers_say_which_cassette_they_are_from() -> None:
    wire = ready("x/GET.json", a_cassette("/x", recorded(b"1"), recorded(b"2")), 1).render(CONTEXT).wire
    assert b"Cache-Status: replaymock; hit\r\nReplaymock-Cassette: x/GET.json\r\nReplaymock-Sequence: 2/2\r\n" in wire
    assert b"Sequence" not in ready("a", a_cassette("/x")).render(CONTEXT).wire
    quiet = ready("a", a_cassette("/x"), diagnostics=False)
    assert b"Replaymock" not in quiet.render(CONTEXT).wire


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("a/GET--page-2_x.y~(1).json", "a/GET--page-2_x.y~(1).json"),
        ("my api/1.json", "my api/1.json"),
        ("日本.json", "%E6%97%A5%E6%9C%AC.json"),
        ("é.json", "%C3%A9.json"),
        ("a\r\nX-Evil: 1.json", "a%0D%0AX-Evil: 1.json"),
        ("a%0D.json", "a%250D.json"),
    ],
)
def test_a_file_name_is_named_in_a_header_whatever_it_is_called(file: str, shown: str) -> None:
    head = ready(file, a_cassette("/x")).render(CONTEXT).head
    assert f"\r\nReplaymock-Cassette: {shown}\r\n".encode("ascii") in head


def test_the_answer_recorded_of_a_head_has_no_length_made_up_for_it() -> None:
    answer = ready("a", a_cassette("/x", recorded(b""), method="HEAD")).render(CONTEXT)
    assert answer.wire.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"length" not in answer.head.lower()
