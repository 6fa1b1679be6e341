"""From exchanges to cassettes: what is kept, how it joins what is stored, and that it is found again."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import load
from replaymock.cassettes.writer import dump
from replaymock.http.bodies import INLINE_LIMIT
from replaymock.http.messages import Exchange, Request, Response
from replaymock.http.websocket_messages import Message
from replaymock.matching.matcher import key_of
from replaymock.matching.redacted_match import matches_redacted
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import BuiltCassette, CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy
from tests.support import strategies
from tests.support.factories import JSON, a_request, a_response, an_exchange, beside, recorded
from tests.support.recordings import MATCHER, a_recording
from tests.support.stored import HeldCassettes

Asked = list[tuple[tuple[str, str, Response], bool]]


def written_and_read(built: BuiltCassette) -> Cassette:
    files = dump(built.cassette, built.file)
    name = built.file.rpartition("/")[2]
    return load(built.file, files[name], beside(files))


def take(exchange: Exchange, policy: RecordingPolicy | None = None) -> RecordedResponse:
    return a_recording(policy).build(Capture(exchange), HeldCassettes()).cassette.responses[0]


@settings(max_examples=200)
@given(strategies.requests())
def test_a_recorded_request_is_found_again_after_it_went_through_a_file(request: Request) -> None:
    built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
    stored = written_and_read(built)
    cassettes = HeldCassettes(replace(built, cassette=stored))
    assert cassettes.index.find(MATCHER.canonical(request)) is not None


@settings(max_examples=200)
@given(strategies.requests())
def test_what_is_written_is_what_is_read(request: Request) -> None:
    built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
    assert written_and_read(built) == built.cassette


@settings(max_examples=200)
@given(strategies.requests())
def test_what_a_cassette_says_of_its_request_has_its_key(request: Request) -> None:
    cassette = written_and_read(a_recording().build(Capture(an_exchange(request)), HeldCassettes()))
    again = cassette.request.to_request()
    stored, live = MATCHER.canonical(again, cassette.request.known_body()), MATCHER.canonical(request)
    # A value that a name told to be secret is hidden elsewhere too, where nothing tells of it in a live request.
    assert key_of(stored) == key_of(live) or matches_redacted(stored, live)


@settings(max_examples=200)
@given(strategies.requests())
def test_a_request_without_a_body_has_one_canonical_form_live_and_stored(request: Request) -> None:
    request = replace(request, body=b"")
    built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
    stored, live = MATCHER.canonical(built.cassette.request.to_request()), MATCHER.canonical(request)
    assert stored == live or matches_redacted(stored, live)


@settings(max_examples=200)
@given(strategies.requests())
def test_no_secret_is_in_the_files_or_their_names(request: Request) -> None:
    built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
    files = dump(built.cassette, built.file)
    for secret in strategies.SECRETS[1:]:
        assert secret not in built.file
        assert secret.encode() not in b"".join(files.values())


def in_query(value: str) -> Request:
    return a_request("GET", "/items?page=2&" + strategies.urlencoded([("access_token", value)]))


def in_form(value: str) -> Request:
    body = strategies.urlencoded([("user", "ann"), ("password", value)])
    return a_request("POST", "/login", strategies.FORM_TYPE, body.encode())


def in_json(value: str) -> Request:
    return a_request(
        "POST", "/login", strategies.JSON_TYPE, json.dumps({"u": "ann", "auth": {"apiKey": value}}).encode()
    )


def in_multipart(value: str) -> Request:
    body = f'--edge\r\nContent-Disposition: form-data; name="token"\r\n\r\n{value}\r\n--edge--\r\n'
    return a_request("POST", "/login", strategies.MULTIPART_TYPE, body.encode())


def in_graphql(value: str) -> Request:
    asked = {"query": "mutation Login($password: String!) { login(p: $password) }", "variables": {"password": value}}
    return a_request("POST", "/graphql", strategies.JSON_TYPE, json.dumps(asked).encode())


def in_path(value: str) -> Request:
    return a_request("GET", f"/reset/{quote(value, safe='')}/confirm")


def in_plain_query(value: str) -> Request:
    return a_request("GET", "/items?" + strategies.urlencoded([("next", f"see {value} there")]))


def in_plain_json(value: str) -> Request:
    return a_request("POST", "/notes", strategies.JSON_TYPE, json.dumps({"note": f"mine is {value}, yes"}).encode())


def in_text(value: str) -> Request:
    return a_request("POST", "/notes", strategies.TEXT_TYPE, f"mine is {value}, yes".encode())


def in_link(value: str) -> Request:
    return a_request(
        "POST", "/hooks", strategies.JSON_TYPE, json.dumps({"url": f"https://x/?token={quote(value)}"}).encode()
    )


NAMED = [in_query, in_form, in_json, in_multipart, in_graphql]
SHAPED = [in_path, in_plain_query, in_plain_json, in_text, in_link]
SHAPES = [
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI1Njc4In0.b3RoZXI"),
    ("ghp_" + "a1B2" * 9, "ghp_" + "c3D4" * 9),
    ("sk_test_" + "4eC39HqL" * 3, "sk_test_" + "Lq4e9H3C" * 3),
]


def index_with(request: Request) -> HeldCassettes:
    built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
    return HeldCassettes(replace(built, cassette=written_and_read(built)))


def hits(cassettes: HeldCassettes, request: Request) -> bool:
    return cassettes.index.find(MATCHER.canonical(request)) is not None


secret_texts = st.text(st.characters(codec="utf-8", exclude_characters="{}\r\n"), min_size=1, max_size=20)


@pytest.mark.parametrize("build", NAMED)
@given(secret_texts, secret_texts)
def test_a_value_under_a_secret_name_never_decides_a_match(
    build: Callable[[str], Request], recorded_with: str, sent: str
) -> None:
    cassettes = index_with(build(recorded_with))
    assert hits(cassettes, build(sent))
    assert hits(cassettes, build("{{redacted:token:7}}"))


@pytest.mark.parametrize("build", NAMED + SHAPED)
@pytest.mark.parametrize(("recorded_with", "sent"), SHAPES)
def test_a_value_shaped_like_a_credential_never_decides_a_match(
    build: Callable[[str], Request], recorded_with: str, sent: str
) -> None:
    cassettes = index_with(build(recorded_with))
    assert hits(cassettes, build(recorded_with))
    assert hits(cassettes, build(sent))
    assert hits(cassettes, build("{{redacted:jwt:2}}"))
    assert hits(cassettes, build("{{redacted}}"))


def test_what_is_not_secret_still_decides() -> None:
    cassettes = index_with(in_query("a"))
    assert not hits(cassettes, a_request("GET", "/items?page=3&access_token=a"))
    assert not hits(cassettes, a_request("GET", "/items?page=2"))


def test_a_body_close_to_the_limit_is_found_though_placeholders_change_its_length() -> None:
    for size in range(INLINE_LIMIT - 60, INLINE_LIMIT + 20, 7):
        body = json.dumps({"token": "x", "password": "yy", "text": "a" * size}).encode()
        request = a_request("POST", "/big", strategies.JSON_TYPE, body)
        assert hits(index_with(request), request)


def test_a_token_handed_out_and_sent_later_carries_one_placeholder() -> None:
    recording = a_recording()
    login = recording.build(
        Capture(
            an_exchange(a_request("POST", "/login"), a_response(body=b'{"access_token":"abc","csrf_token":"def"}'))
        ),
        HeldCassettes(),
    )
    later = recording.build(Capture(an_exchange(in_query("abc"))), HeldCassettes())
    assert login.cassette.responses[0].body == (
        b'{"access_token":"{{redacted:access_token}}","csrf_token":"{{redacted:csrf_token}}"}'
    )
    assert dict(later.cassette.request.query or ())["access_token"] == "{{redacted:access_token}}"


def test_a_second_value_of_a_name_gets_an_ordinal() -> None:
    recording = a_recording()
    recording.build(Capture(an_exchange(in_query("first"))), HeldCassettes())
    second = recording.build(Capture(an_exchange(in_query("second"))), HeldCassettes())
    assert dict(second.cassette.request.query or ())["access_token"] == "{{redacted:access_token:2}}"


def test_no_request_header_but_the_content_type_is_kept() -> None:
    headers = (*strategies.JSON_TYPE, ("Authorization", "Bearer x"), ("Accept", "*/*"), ("Cookie", "a=b"))
    built = a_recording().build(Capture(an_exchange(a_request("POST", "/a", headers, b"{}"))), HeldCassettes())
    assert built.cassette.request.headers == (("content-type", "application/json"),)


def test_an_equal_response_is_no_news() -> None:
    first = a_recording().build(Capture(an_exchange()), HeldCassettes())
    again = a_recording().build(
        Capture(replace(an_exchange(), recorded_at="2027-01-01T00:00:00Z")), HeldCassettes(first)
    )
    assert (again.is_changed, again.cassette) == (False, first.cassette)


def test_a_cassette_that_was_removed_comes_back_byte_for_byte() -> None:
    first = a_recording().build(Capture(an_exchange()), HeldCassettes())
    recording = a_recording()
    recording.run.remember(first.file, first.cassette)
    again = recording.build(
        Capture(replace(an_exchange(), recorded_at="2027-01-01T00:00:00Z", elapsed_ms=7)), HeldCassettes()
    )
    assert (again.is_changed, again.cassette) == (True, first.cassette)


def test_a_recorded_answer_does_not_touch_a_template_or_a_plain_mock() -> None:
    template = Cassette(CassetteRequest("GET", "/{any}"), (recorded(b"{}"),))
    plain = Cassette(CassetteRequest("GET", "/items"), (recorded(b"{}"),))
    cassettes = HeldCassettes()
    cassettes.put("any/GET.json", template)
    cassettes.put("items.json", plain, is_plain=True)
    assert a_recording().build(Capture(an_exchange()), cassettes).file == "items/GET.json"


def test_a_name_that_is_taken_gets_a_longer_hash() -> None:
    other = Cassette(CassetteRequest("GET", "/other"), (recorded(b"{}"),))
    cassettes = HeldCassettes()
    cassettes.put("items/GET.json", other)
    file = a_recording().build(Capture(an_exchange()), cassettes).file
    assert file.startswith("items/GET--") and file != "items/GET.json"


TOKEN_BODY = b'{"access_token": "%s", "at": 1}'
ANSWERS = [
    a_response(body=b"[1]"),
    a_response(body=b"[2]"),
    a_response(body=b"[1]", headers=(*JSON, ("Date", "Sun, 22 Nov 2026 13:00:00 GMT"), ("X-Request-Id", "7"))),
    a_response(body=b"[1]", headers=(*JSON, ("Expires", "Sun, 22 Nov 2026 13:00:00 GMT"))),
    a_response(body=b"[1]", headers=(*JSON, ("Expires", "Mon, 23 Nov 2026 13:00:00 GMT"))),
    a_response(body=b"[1]", headers=(*JSON, ("X-One", "a"), ("Connection", "X-One"))),
    a_response(body=b"[1]", headers=(*JSON, ("X-One", "a"))),
    a_response(body=TOKEN_BODY % b"first-s3cr3t"),
    a_response(body=TOKEN_BODY % b"second-s3cr3t"),
    a_response(body=gzip.compress(b"[1]", mtime=0), headers=(*JSON, ("Content-Encoding", "gzip"))),
    a_response(body=b"[1]", headers=(*JSON, ("Set-Cookie", "sid=one"))),
    a_response(body=b"data: 1\n\ndata: 2\n\n", headers=(("Content-Type", "text/event-stream"),)),
    a_response(body=b"data: 1\n\n", headers=(("Content-Type", "text/event-stream"),)),
    a_response(429, body=b"[1]"),
    a_response(500, body=b"[3]"),
    a_response(201, body=b"[1]"),
]
asked = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST"]), st.sampled_from(["/a", "/a/1?q=2", "/b"]), st.sampled_from(ANSWERS)
)
truncated = st.sampled_from([False, False, True])
# Few different ones, so that some follow upon their like.
flows = st.lists(asked, min_size=1, max_size=3).flatmap(
    lambda few: st.lists(st.tuples(st.sampled_from(few), truncated), max_size=14)
)


def all_taken(before: Asked, now: Asked, *, reloading: bool) -> list[tuple[str, Cassette | None, int]]:
    """What becomes of each exchange of a run, and of another that makes its requests twice: file, news, secrets."""
    cassettes, told = HeldCassettes(), []
    for run in (before, [*now, *now]):
        recording = a_recording(RecordingPolicy(keep_cors=True))
        for (method, target, response), is_truncated in run:
            exchange = replace(an_exchange(a_request(method, target), response), truncated=is_truncated)
            built = recording.build(Capture(exchange), cassettes)
            told.append((built.file, built.cassette if built.is_changed else None, recording.run.placeholders.count))
            if built.is_changed:
                cassettes.put(built.file, built.cassette)
                recording.served(cassettes.index.entries[built.file])
            if reloading:
                cassettes.reload()
    return told


@settings(max_examples=150, deadline=None)
@given(flows, flows)
def test_a_response_that_is_known_by_its_digest_is_taken_as_any_other(before: Asked, now: Asked) -> None:
    """After a reload nothing is known by its digest, and every response goes the long way."""
    assert all_taken(before, now, reloading=False) == all_taken(before, now, reloading=True)


def test_a_repeated_response_is_known_without_the_stored_ones() -> None:
    recording, cassettes = a_recording(), HeldCassettes()
    built = recording.build(Capture(an_exchange()), cassettes)
    cassettes.put(built.file, built.cassette)
    recording.served(cassettes.index.entries[built.file])
    assert recording.build(Capture(an_exchange()), cassettes) == BuiltCassette(
        built.file, Cassette(built.cassette.request, ()), is_changed=False
    )


@pytest.mark.parametrize("meanwhile", [False, True])
def test_what_was_made_of_an_exchange_ahead_is_what_is_made_of_it_at_once(meanwhile: bool) -> None:
    request = a_request("POST", "/login", (*JSON, ("Authorization", "Bearer hunter2abc")), b'{"password":"hunter3abc"}')
    exchange = an_exchange(request, a_response(body=b'{"token":"S1","seen":["hunter2abc","hunter3abc"]}'))
    other = an_exchange(a_request(target="/a"), a_response(body=b'{"token":"S0"}'))
    one, two = a_recording(), a_recording()
    work = one.prebuilder(Capture(exchange), HeldCassettes(), one.read(request))
    assert work
    ahead = work()
    if meanwhile:
        one.build(Capture(other), HeldCassettes())
        two.build(Capture(other), HeldCassettes())
    assert one.build(Capture(exchange), HeldCassettes(), None, ahead) == two.build(Capture(exchange), HeldCassettes())
    assert one.run.placeholders.count == two.run.placeholders.count


def test_nothing_is_made_ahead_of_what_came_before() -> None:
    recording, exchange = a_recording(), an_exchange()
    cassettes = HeldCassettes(built := recording.build(Capture(exchange), HeldCassettes()))
    recording.served(cassettes.index.entries[built.file])
    assert recording.prebuilder(Capture(exchange), cassettes, recording.read(exchange.request)) is None


SSE_TYPE = (("Content-Type", "text/event-stream"),)


def streaming(letters: str, *, left: bool = False) -> Exchange:
    data = "".join(f"data: {letter}\n\n" for letter in letters).encode()
    return replace(an_exchange(response=a_response(headers=SSE_TYPE, body=data)), truncated=left)


def run_of(recording: CassetteBuilder, cassettes: HeldCassettes, *exchanges: Exchange) -> list[bool]:
    """Whether each exchange of a run was news to the disk."""
    news = []
    for exchange in exchanges:
        built = recording.build(Capture(exchange), cassettes)
        news.append(built.is_changed)
        if built.is_changed:
            cassettes.put(built.file, built.cassette)
            recording.served(cassettes.index.entries[built.file])
    return news


def stored_in(cassettes: HeldCassettes) -> list[tuple[str, bool]]:
    """The events of each stream in the only cassette, and whether it was left there."""
    [entry] = cassettes.index.entries.values()
    return [
        (one.body.decode().replace("data: ", "").replace("\n\n", ""), one.truncated)
        for one in cassettes.cassette(entry).responses
    ]


def test_a_stream_that_is_left_early_again_and_again_is_no_news() -> None:
    cassettes = HeldCassettes()
    assert run_of(a_recording(), cassettes, streaming("abc"), streaming("xyz")) == [True, True]
    for seen in (["a"], ["", "x"], ["abc", "xy", "x"], ["a", "a", "xyz", "xyz"]):
        now = (streaming(text, left=len(text) < 3) for text in seen)
        assert not any(run_of(a_recording(), cassettes, *now))
    assert stored_in(cassettes) == [("abc", False), ("xyz", False)]


def test_of_what_was_left_more_takes_the_place_in_the_same_run_and_in_another() -> None:
    cassettes = HeldCassettes()
    seen = [streaming("a", left=True), streaming("ab", left=True), streaming("a", left=True), streaming("abc")]
    assert run_of(a_recording(), cassettes, *seen[:3]) == [True, True, False]
    assert stored_in(cassettes) == [("ab", True)]
    assert run_of(a_recording(), cassettes, *seen) == [False, False, False, True]
    assert stored_in(cassettes) == [("abc", False)]


@pytest.mark.parametrize(
    ("removed", "seen", "left"),
    [
        (["abc"], ["a."], ["abc"]),
        (["abc", "xyz"], ["ab.", "x."], ["abc", "xyz"]),
        (["ab."], ["a.", "abc"], ["abc"]),
        (["ab.", "xyz"], ["a.", "abc.", "ab.", "xyz"], ["abc.", "xyz"]),
        (["abc"], ["ax."], ["ax."]),
    ],
)
def test_a_stream_that_was_removed_comes_back_whole_though_it_is_left_early(
    removed: list[str], seen: list[str], left: list[str]
) -> None:
    before, cassettes, recording = HeldCassettes(), HeldCassettes(), a_recording()
    run_of(a_recording(), before, *(streaming(text.strip("."), left="." in text) for text in removed))
    [entry] = before.index.entries.values()
    recording.run.remember(entry.file, before.cassette(entry))
    run_of(recording, cassettes, *(streaming(text.strip("."), left="." in text) for text in seen))
    assert [text + "." * is_left for text, is_left in stored_in(cassettes)] == left


def test_what_a_beginning_may_have_been_is_not_forgotten_with_its_repetition() -> None:
    cassettes = HeldCassettes()
    run_of(a_recording(), cassettes, streaming("ha"), streaming("hb"), streaming("hc"))
    begun = streaming("h", left=True)
    assert not any(run_of(a_recording(), cassettes, streaming("ha"), begun, begun, streaming("hc")))
    assert run_of(a_recording(), cassettes, streaming("ha"), begun, streaming("ha"), streaming("hx")) == [0, 0, 0, 1]
    assert stored_in(cassettes) == [("ha", False), ("hx", False)]


def conversation(letters: str, ended: str = "client") -> tuple[Exchange, tuple[Message, ...]]:
    said = [Message("client" if one.isupper() else "server", "text", one.encode()) for one in letters]
    close = Message(ended, "close", b"", 1000)
    exchange = Exchange(Request("GET", "/ws"), Response(101, "Switching Protocols"), "2026-11-22T13:00:00Z", 41)
    return exchange, (*said, close) if ended else tuple(said)


@pytest.mark.parametrize(
    ("stored", "seen", "left"),
    [
        (("AbCd", "client"), ("Ab", "client"), "AbCd"),
        (("AbCd", "server"), ("AbCd", "client"), "AbCd|"),
        (("AbCd", "server"), ("", "client"), "AbCd|"),
        (("AbCd", ""), ("AbC", "client"), "AbCd"),
        (("Ab", "client"), ("AbCd", "client"), "AbCd"),
        (("Ab", "client"), ("Ab", "server"), "Ab|"),
        (("Ab", ""), ("AbCd", ""), "AbCd"),
    ],
)
def test_a_conversation_that_its_client_leaves_says_no_more_than_it_said_before(
    stored: tuple[str, str], seen: tuple[str, str], left: str
) -> None:
    cassettes = HeldCassettes()
    for one in (stored, seen):
        built = a_recording().build(Capture(*conversation(*one)), cassettes)
        if built.is_changed:
            cassettes.put(built.file, built.cassette)
    [entry] = cassettes.index.entries.values()
    [response] = cassettes.cassette(entry).responses
    end = "|" if response.messages[-1].kind == "close" and response.messages[-1].sender == "server" else ""
    assert "".join(one.data.decode() for one in response.messages if one.kind == "text") + end == left
