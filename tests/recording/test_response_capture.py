"""What is stored of a response: decoded, redacted, without the backend's origin, and not every header."""

import base64
import gzip
import json

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.http import content_coding
from replaymock.http.bodies import Json
from replaymock.http.headers import Headers
from replaymock.http.messages import Exchange
from replaymock.http.origin import OriginRewriter
from replaymock.http.websocket_messages import Message
from replaymock.recording.response_capture import NotRecordable, RecordingPolicy, ResponseCapture, is_redacted
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import Redactor
from tests.support.factories import JSON, a_cassette, a_request, a_response, an_exchange, recorded

BACKEND = "https://api.example.com"


def take(exchange: Exchange, policy: RecordingPolicy | None = None) -> RecordedResponse:
    return ResponseCapture(
        policy or RecordingPolicy(), Redactor(), OriginRewriter((BACKEND,)), PlaceholderAllocator()
    ).response(exchange)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Date", False),
        ("Server", False),
        ("X-Request-Id", False),
        ("CF-RAY", False),
        ("Strict-Transport-Security", False),
        ("Transfer-Encoding", False),
        ("Content-Length", False),
        ("Access-Control-Allow-Origin", False),
        ("Replaymock-Cassette", False),
        ("Content-Type", True),
        ("Cache-Control", True),
        ("X-Total-Count", True),
        ("Etag", True),
        ("Vary", True),
        ("Set-Cookie", True),
    ],
)
def test_headers_that_say_nothing_about_the_content_are_left_out(name: str, stored: bool) -> None:
    found = take(an_exchange(response=a_response(headers=((name, "1"),))))
    assert (name.lower() in dict(found.headers)) is stored


def test_a_configured_header_is_left_out_too() -> None:
    policy = RecordingPolicy(dropped_headers=frozenset(("x-build",)))
    found = take(an_exchange(response=a_response(headers=(("X-Build", "9"), *JSON))), policy)
    assert found.headers == JSON


HIDDEN = "is {{redacted:token:2}}"


@pytest.mark.parametrize(
    "cassette",
    [
        a_cassette("/users/{{redacted:token}}"),
        Cassette(CassetteRequest("POST", "/", (("a", HIDDEN),)), ()),
        Cassette(CassetteRequest("POST", "/", None, (), Json(b'["{{redacted:a}}"]')), ()),
        a_cassette("/", recorded(), recorded(HIDDEN.encode())),
        a_cassette("/", recorded(headers=(("set-cookie", "a={{redacted:a}}; Path=/"),))),
        *(a_cassette("/", recorded(base64.b64encode(f"{'a' * lead}{{{{redacted}}}}".encode()))) for lead in range(3)),
        a_cassette("/", recorded(b"", status=101, messages=(Message("server", "text", HIDDEN.encode()),))),
    ],
)
def test_a_cassette_with_a_placeholder_is_redacted(cassette: Cassette) -> None:
    assert is_redacted(cassette)


def test_a_cassette_without_one_is_not_redacted() -> None:
    assert not is_redacted(a_cassette("/{id}", recorded(b'{"a":"{{origin}}"}')))


def said(text: str) -> str:
    return f'{{"x":"{text}"}}'


CREDENTIAL = "Token tr0ub4dor-and-3/more"


@pytest.mark.parametrize(
    ("headers", "body", "shown"),
    [
        (JSON, json.dumps({"x": CREDENTIAL}), '{"x": "{{redacted:header}}"}'),
        (JSON, said("".join(f"\\u{ord(letter):04x}" for letter in CREDENTIAL)), '{"x":"{{redacted:header}}"}'),
        (JSON, said(base64.b64encode(CREDENTIAL.encode()).decode()), '{"x":"e3tyZWRhY3RlZH19"}'),
        (JSON, said("".join(f"%{ord(letter):02x}" for letter in CREDENTIAL)), '{"x":"{{redacted:header}}"}'),
        ((("content-type", "image/png"),), f"\0{CREDENTIAL}\0", "\0{{redacted:header}}\0"),
    ],
)
def test_what_was_added_to_a_request_is_hidden_in_any_coding_of_its_echo(
    headers: Headers, body: str, shown: str
) -> None:
    response = a_response(reason=CREDENTIAL, headers=headers, body=body.encode())
    found = take(an_exchange(response=response), RecordingPolicy(never_stored=(CREDENTIAL,)))
    assert (found.reason, found.body.decode()) == ("{{redacted}}", shown)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_coded_response_is_stored_in_clear_and_keeps_its_coding_name(coding: str) -> None:
    body = content_coding.encode(b'{"a":1}', content_coding.parse(coding))
    found = take(an_exchange(response=a_response(headers=(*JSON, ("Content-Encoding", coding)), body=body)))
    assert (found.body, found.encoded, dict(found.headers)["content-encoding"]) == (b'{"a":1}', False, coding)


@pytest.mark.parametrize(("coding", "body"), [("gzip", b"not gzip"), ("compress", b"x"), ("gzip", b"\x1f\x8b\x08\x00")])
def test_a_coding_that_cannot_be_undone_is_stored_as_it_came(coding: str, body: bytes) -> None:
    found = take(an_exchange(response=a_response(headers=(*JSON, ("Content-Encoding", coding)), body=body)))
    assert (found.body, found.encoded) == (body, True)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_damaged_body_is_stored_unless_what_can_be_read_of_it_holds_a_secret(coding: str) -> None:
    for said, fine in ((b'{"note":"%s"}', True), (b'{"password":"%s"}', False)):
        body = content_coding.encode(said % b"hunter2abc", content_coding.parse(coding))
        damaged = a_response(headers=(*JSON, ("Content-Encoding", coding)), body=body[:-1])
        if fine:
            assert take(an_exchange(response=damaged)).body == body[:-1]
        else:
            with pytest.raises(NotRecordable, match="damaged"):
                take(an_exchange(response=damaged))


def test_a_bomb_is_not_stored_since_nothing_in_it_can_be_hidden() -> None:
    response = a_response(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(bytes(100_000)))
    with pytest.raises(NotRecordable, match="--max-body"):
        take(an_exchange(response=response), RecordingPolicy(max_body=9_000))


def test_the_backends_origin_becomes_a_token_in_headers_and_text() -> None:
    headers = (*JSON, ("Location", f"{BACKEND}/items/3"))
    found = take(an_exchange(response=a_response(headers=headers, body=f'{{"next":"{BACKEND}/b"}}'.encode())))
    assert dict(found.headers)["location"] == "{{origin}}/items/3"
    assert (found.body, found.rewrite) == (b'{"next":"{{origin}}/b"}', True)


def test_a_body_that_holds_the_token_already_is_left_alone() -> None:
    body = f'{{"a":"{{{{origin}}}}","b":"{BACKEND}"}}'.encode()
    found = take(an_exchange(response=a_response(body=body)))
    assert (found.body, found.rewrite) == (body, False)


def test_no_origin_is_replaced_in_a_binary_body() -> None:
    body = f"\x00{BACKEND}/".encode()
    found = take(an_exchange(response=a_response(headers=(("Content-Type", "image/png"),), body=body)))
    assert found.body == body


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(200, True), (404, True), (304, True), (401, False), (403, False), (429, False), (500, False), (503, False)],
)
def test_errors_of_the_moment_are_not_wanted(status: int, wanted: bool) -> None:
    assert RecordingPolicy().wants(status) is wanted
    assert RecordingPolicy(statuses=frozenset((status,))).wants(status)


def test_the_backends_origin_stays_where_nothing_is_to_be_rewritten() -> None:
    body = f'"{BACKEND}/a"'.encode()
    found = take(an_exchange(response=a_response(body=body)), RecordingPolicy(rewrite=False))
    assert (found.body, found.rewrite) == (body, True)


def test_what_was_added_upstream_is_hidden_where_the_backend_repeats_it() -> None:
    policy = RecordingPolicy(never_stored=("Bearer t0ps3cret", "t0ps3cret"))
    echo = a_response(headers=(*JSON, ("x-echo", "Bearer t0ps3cret")), body=b'{"said":"t0ps3cret","length":8}')
    kept = take(an_exchange(response=echo), policy)
    assert b"t0ps3cret" not in kept.body
    assert "t0ps3cret" not in str(kept.headers)


def test_a_secret_in_a_body_that_is_not_in_the_coding_it_claims_is_hidden_all_the_same() -> None:
    odd = a_response(
        headers=(*JSON, ("content-encoding", "gzip"), ("x-token", "t0ps3cret")), body=b'{"token":"t0ps3cret"}'
    )
    kept = take(an_exchange(response=odd))
    assert kept.encoded
    assert b"t0ps3cret" not in kept.body
    assert "t0ps3cret" not in str(kept.headers)


def test_the_name_of_a_run_in_via_is_not_stored_where_the_backend_repeats_it() -> None:
    bodies = [f'{{"Via":"1.0 a, 1.1 replaymock-{run}"}}'.encode() for run in ("179c004d", "b6c41b9c")]
    first, second = (take(an_exchange(response=a_response(headers=JSON, body=body))).body for body in bodies)
    assert first == second == b'{"Via":"1.0 a, 1.1 replaymock"}'
    image = a_response(headers=(("content-type", "image/png"),), body=bodies[0])
    assert take(an_exchange(response=image)).body == bodies[0]


@pytest.mark.parametrize(
    ("said", "kept"),
    [(("7",), "7"), (("7, 7",), "7"), (("7", "7"), "7"), (("abc",), ""), (("7, 8",), ""), (("",), ""), (("-1",), "")],
)
def test_an_answer_to_head_keeps_a_length_that_is_one(said: tuple[str, ...], kept: str) -> None:
    headers = tuple(("Content-Length", one) for one in said)
    found = take(an_exchange(a_request("HEAD"), a_response(headers=headers, body=b"")))
    assert found.headers == ((("content-length", kept),) if kept else ())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_stream_of_nothing_in_an_unknown_coding_has_no_pauses(method: str) -> None:
    headers = (("Content-Type", "text/event-stream"), ("Content-Encoding", "own"))
    assert take(an_exchange(a_request(method), a_response(headers=headers, body=b""))).pauses == ()
