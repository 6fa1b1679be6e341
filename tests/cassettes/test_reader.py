"""Reading cassettes strictly: what a hand may leave out, and what is wrong named with its place."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import SidecarLoader, checked_dump, load, plain_mock
from replaymock.cassettes.writer import dump
from replaymock.errors import CassetteError
from replaymock.http import media_types
from tests.support.factories import a_cassette, beside, recorded

FILE = "api/GET.json"


def read(text: str, sidecars: dict[str, bytes] | None = None) -> Cassette:
    return load(FILE, text.encode(), beside(sidecars or {}))


def test_a_hand_needs_to_write_only_a_path_and_a_body() -> None:
    cassette = read('{"request": {"path": "/a"}, "responses": [{"json": {"b": 1}}]}')
    assert cassette.request == CassetteRequest("GET", "/a")
    assert cassette.responses == (
        RecordedResponse(200, "OK", (("content-type", "application/json; charset=utf-8"),), b'{"b":1}'),
    )


@pytest.mark.parametrize(
    ("response", "content_type", "body"),
    [
        ('{"json": 1.10}', "application/json; charset=utf-8", b"1.10"),
        ('{"json": null}', "application/json; charset=utf-8", b"null"),
        ('{"json": {"a": 1}, "layout": "indent-2+newline"}', "application/json; charset=utf-8", b'{\n  "a": 1\n}\n'),
        ('{"text": "é"}', "text/plain; charset=utf-8", "é".encode()),
        (
            '{"text": "é", "headers": {"Content-Type": "text/plain; charset=latin-1"}}',
            "text/plain; charset=latin-1",
            b"\xe9",
        ),
        ('{"file": "a.png"}', "image/png", b"\x89"),
        ("{}", "", b""),
    ],
)
def test_a_hand_written_body_gets_its_content_type(response: str, content_type: str, body: bytes) -> None:
    found = read(f'{{"request": {{"path": "/a"}}, "responses": [{response}]}}', {"a.png": b"\x89"}).responses[0]
    assert (dict(found.headers).get("content-type", ""), found.body) == (content_type, body)


def test_a_hand_written_request_has_query_headers_and_a_body() -> None:
    request = read(
        '{"request": {"method": "POST", "path": "/a", "query": {"b": ["1", null], "c d": ""},'
        ' "headers": {"Accept": "x"}, "form": {"e": "f g"}}, "responses": [{}]}'
    ).request
    assert request.to_request().target == "/a?b=1&b&c+d="
    assert request.to_request().body == b"e=f+g"
    assert request.headers == (("accept", "x"), ("content-type", media_types.FORM_TYPE))


def place(text: str, sidecar: Callable[[str], bytes] | None = None) -> str:
    with pytest.raises(CassetteError) as caught:
        load(
            FILE,
            text.encode("utf-8", "surrogateescape"),
            SidecarLoader(lambda name, _most: (sidecar or {}.__getitem__)(name)),
        )
    return str(caught.value)


ONE = '{"request": {"path": "/a"}, "responses": [{}]}'
FAULTS = [
    ("", "1:1: not JSON"),
    ("{", "not JSON"),
    ('{\n  "request": {"path": "/a"},\n  "responses": [{}]\n', "not JSON: the file ends too early"),
    ('{\n  "request": x}', "2:14: not JSON"),
    ('{"request": {"path": "/a"}}', "responses"),
    ('{"request": {"path": "a"}, "responses": [{}]}', "1:22: path 'a' must begin with /"),
    (
        '{"request": {"path": "/a", "metod": "GET"}, "responses": [{}]}',
        "1:37: unknown field 'metod'; did you mean 'method'?",
    ),
    (
        '{"request": {"path": "/a"},\n "responses": [{}, {"stauts": 1}]}',
        "2:31: unknown field 'stauts'; did you mean 'status'?",
    ),
    (
        '{"request": {"path": "/a"}, "responses": [{"status": "x"}]}',
        "1:54: responses[0].status: expected `int`, got `str`",
    ),
    (
        f'{{"request": {{"path": "/a"}}, "responses": [{{"status": {"9" * 5000}}}]}}',
        "1:54: responses[0].status: integer value out of range",
    ),
    ('{"request": {"path": "/a"}, "responses": [{"json": "\\ud800"}]}', "1:1: holds half a character"),
    ('{"request": {"path": "/a"}, "responses": [{"status": 99}]}', "1:54: status 99 is not a final status code"),
    ('{"request": {"path": "/a"}, "responses": []}', "needs at least one response"),
    ('{"version": 2, "request": {"path": "/a"}, "responses": [{}]}', "1:13: version 2 is newer"),
    ('{"request": {"path": "/a"}, "responses": [{"json": 1, "text": "x"}]}', "a body is one of"),
    ('{"request": {"path": "/a", "method": "A B"}, "responses": [{}]}', "'A B' is not a method"),
    ('{"request": {"path": "/a"}, "responses": [{"headers": {"a b": "x"}}]}', "'a b' is not a header name"),
    ('{"request": {"path": "/a"}, "responses": [{"headers": {"a": "x\\ny"}}]}', "holds a line break"),
    ('{"request": {"path": "/a"}, "responses": [{"headers": {"Content-Length": "3"}}]}', "framing is computed"),
    (
        '{"request": {"path": "/a"}, "responses": [{"headers": {"Transfer-Encoding": "chunked"}}]}',
        "framing is computed",
    ),
    ('{"request": {"path": "/a"}, "responses": [{"reason": "a\\r\\nb"}]}', "characters a status line cannot"),
    ('{"request": {"path": "/a"}, "responses": [{"json": 1, "layout": "wide"}]}', "unknown layout 'wide'"),
    (
        '{"request": {"path": "/a"}, "responses":'
        ' [{"text": "ā", "headers": {"content-type": "text/plain; charset=latin-1"}}]}',
        "the text does not fit the charset",
    ),
    (f"<<<<<<< HEAD\n{ONE}\n=======\n{ONE}\n>>>>>>> other\n", "1:1: a merge conflict is left in the file"),
    ('{"request": {"path": "/a"},\n<<<<<<< HEAD\n"responses": [{}]}', "2:1: a merge conflict"),
    ('{"request": {"path": "/\udcff"}, "responses": [{}]}', "1:24: not valid UTF-8"),
    ('{"request": {"path": "/", "json": ' + "[" * 100_000, "nested too deeply"),
    ('{"request": {"path": "/a", "multipart": [{"name": "a", "txt": "b"}]}, "responses": [{}]}', "did you mean 'text'"),
    (
        '{"request": {"path": "/x?page=2"}, "responses": [{}]}',
        """1:22: path '/x?page=2' holds a ?: put what follows it""",
    ),
    ('{"request": {"path": "/x#y"}, "responses": [{}]}', "1:22: path '/x#y' holds a #: a fragment never reaches"),
    (
        '{"request": {"path": "/x", "sha256": "zz"}, "responses": [{}]}',
        "1:38: request.sha256: expected `str` matching regex",
    ),
    (
        f'{{"request": {{"path": "/x", "sha256": "{"a" * 64}", "bytes": -1}}, "responses": [{{}}]}}',
        "request.bytes: expected `int` >= 0",
    ),
    ('{"version": 0, "request": {"path": "/x"}, "responses": [{}]}', "1:13: version: expected `int` >= 1"),
    (
        '{"request": {"path": "/x"}, "responses": [{"elapsed_ms": -5}]}',
        "1:58: responses[0].elapsed_ms: expected `int` >= 0",
    ),
    ('{"request": {"path": "/x", "path": "/y"}, "responses": [{}]}', "1:22: 'path' is written twice"),
    ('{"request": {"path": "/x"}, "request": {"path": "/y"}, "responses": [{}]}', "1:22: 'request' is written twice"),
    ('{"request": {"path": "/x", "query": {"a": "1", "a": "2"}}, "responses": [{}]}', "1:43: 'a' is written twice"),
    ('{"request": {"path": "/x"}, "responses": [{}, {"status": 200, "status": 201}]}', "'status' is written twice"),
    (
        '{"request": {"method": "HEAD", "path": "/x"}, "responses": [{"headers": {"content-length": "many"}}]}',
        "1:92: content-length 'many' is no number of bytes",
    ),
    ('{"request": {"path": "/x"}, "responses": [{"status": 204, "json": 1}]}', "an answer with status 204 has no body"),
    ('{"request": {"path": "/x"}, "responses": [{"status": 304, "text": "x"}]}', "status 304 has no body"),
    ('{"a":', "1:6: not JSON: the file ends too early"),
    (
        '{"request": {"path": "/x", "query": {"a": "1", "page": 1}}, "responses": [{}]}',
        "1:56: 'page': values in query are",
    ),
    (
        '{"request": {"path": "/x", "query": {"a": ["1", 2]}}, "responses": [{}]}',
        "1:49: 'a': values in query are strings",
    ),
    ('{"request": {"path": "/x", "query": {"a": {"b": "1"}}}, "responses": [{}]}', "'a': values in query are strings"),
    ('{"request": {"path": "/x", "query": {"a": {}}}, "responses": [{}]}', "values in query are strings"),
    ('{"request": {"path": "/x", "form": {"n": null, "a": true}}, "responses": [{}]}', "1:53: 'a': values in form are"),
    (
        '{"request": {"path": "/x"}, "responses": [{"headers": {"a": null}}]}',
        "1:61: 'a': values in headers are strings",
    ),
    (
        '{"request": {"path": "/x", "headers": {"content-type": "text/plain; charset=ascii"}, "text": "é"},'
        ' "responses": [{}]}',
        "1:94: the text does not fit the charset of 'text/plain; charset=ascii'",
    ),
    (
        '{"request": {"path": "/x", "multipart": [{"name": "a", "content_type": "text/plain; charset=ascii",'
        ' "text": "é"}]}, "responses": [{}]}',
        "the text does not fit the charset",
    ),
]


@pytest.mark.parametrize(("text", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    message = place(text)
    assert message.startswith(f"{FILE}:")
    assert said in message


def test_a_sidecar_that_cannot_be_read_is_named() -> None:
    def missing(name: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory", name)

    text = '{"request": {"path": "/a"}, "responses": [{"file": "gone.png"}]}'
    assert "1:52: cannot read 'gone.png': No such file or directory" in place(text, missing)


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(st.sampled_from('{}[]":,1aresponsespath/ \\'), max_size=60).map(str.encode))
def test_any_bytes_are_a_cassette_or_a_cassette_error(data: bytes) -> None:
    for read_it in (lambda: load(FILE, data, beside({})), lambda: plain_mock("/x", data, FILE)):
        try:
            read_it()
        except CassetteError as error:
            assert error.line >= 1 and error.column >= 1


@given(st.integers(1, 400))
def test_a_file_cut_anywhere_is_an_error_with_a_place(length: int) -> None:
    whole = dump(a_cassette("/items", recorded(), recorded(b"[1]")), FILE)["GET.json"]
    if length < len(whole) - 1:
        assert "not JSON" in place(whole[:length].decode())


def test_a_plain_mock_is_served_as_it_stands() -> None:
    cassette = plain_mock("/api/1", b'{ "a" : 1.0 }\n', "api/1.json")
    assert cassette.responses == (
        RecordedResponse(
            200, "OK", (("content-type", "application/json; charset=utf-8"),), b'{ "a" : 1.0 }\n', rewrite=False
        ),
    )


def test_json_bodies_may_have_a_key_twice_and_hold_anything() -> None:
    body = '{"a": 1, "a": 2, "request": [{"b": 1, "b": 2}], "long": "' + "x" * 300 + '"}'
    one = f'{{"request": {{"path": "/a", "json": {body}}}, "responses": [{{"json": {body}}}, {{"json": {{"a":1,"a":2}}}}]}}'
    assert [found.body[:13] for found in read(one).responses] == [b'{"a":1,"a":2,', b'{"a":1,"a":2}']
    assert plain_mock("/x", body.encode(), "x.json").responses[0].body == body.encode()


def test_an_answer_without_a_body_may_say_so_and_a_head_its_length() -> None:
    assert read('{"request": {"path": "/a"}, "responses": [{"status": 204, "text": ""}]}').responses[0].body == b""
    head = '{"request": {"method": "HEAD", "path": "/a"}, "responses": [{"headers": {"content-length": "42"}}]}'
    assert read(head).responses[0].headers == (("content-length", "42"),)


def streamed(response: dict[str, object]) -> RecordedResponse:
    return read(json.dumps({"request": {"path": "/a"}, "responses": [response]})).responses[0]


def test_a_stream_is_read_event_by_event_with_its_pauses() -> None:
    members = [{"id": "1", "data": {"a": 1}}, {"data": "é", "delay_ms": 40}, {"comment": "x"}]
    response = streamed({"events": members, "layout": "crlf"})
    assert response.body == 'id: 1\r\ndata: {"a":1}\r\n\r\ndata: é\r\n\r\n: x\r\n\r\n'.encode()
    assert response.pauses == ((24, 40),)
    assert response.headers == (("content-type", "text/event-stream"),)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"events": [{"dta": "x"}]}, "unknown member 'dta' of an event"),
        ({"events": [], "headers": {"content-type": "text/html"}}, "text/html is no stream of events"),
        ({"events": [{"data": 1}], "layout": "spacd"}, "unknown layout 'spacd' of events"),
        ({"events": [{"data": 1}], "text": "x"}, "found text and events"),
    ],
)
def test_what_is_no_stream_is_told(response: dict[str, object], said: str) -> None:
    with pytest.raises(CassetteError, match=said):
        streamed(response)


def test_files_are_spelled_only_if_they_could_be_read_again() -> None:
    cassette = a_cassette("/a", recorded(b"\x00", headers=(("content-type", "image/png"),)), recorded(b"[1]"))
    assert checked_dump(cassette, FILE) == dump(cassette, FILE)
    with pytest.raises(CassetteError, match=r"api/GET\.json:9:17: status 99 "):
        checked_dump(a_cassette("/a", recorded(status=99)), FILE)


@pytest.mark.parametrize("body", [b" " * 2000, b"[" + b"1," * 40_000 + b"1]"])
def test_what_is_larger_than_may_be_read_is_not_spelled(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replaymock.cassettes.reader.MOST_BYTES", 1000)
    monkeypatch.setattr("replaymock.cassettes.reader.MOST_BYTES", 1000)
    with pytest.raises(CassetteError, match="larger than 1000 bytes"):
        checked_dump(a_cassette("/a", recorded(body, headers=(("content-type", "text/plain"),))), FILE)
