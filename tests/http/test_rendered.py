"""Answers as wire bytes."""

import json

import pytest

from replaymock.http import rendered
from replaymock.http.headers import Headers
from replaymock.http.rendered import Delay, RenderedResponse, SendBody, SendHead, frame


def test_an_answer_is_framed_by_its_body() -> None:
    response = frame(200, "OK", (("X", "1"), ("Content-Length", "99"), ("Transfer-Encoding", "chunked")), b"abc")
    assert response.wire == b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc"


def test_repeated_headers_and_latin_1_go_out_as_they_are() -> None:
    response = frame(200, "\xe9", (("Set-Cookie", "a=1"), ("Set-Cookie", "b=\xff")), b"")
    assert response.head == b"HTTP/1.1 200 \xe9\r\nSet-Cookie: a=1\r\nSet-Cookie: b=\xff\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body_and_no_length(status: int) -> None:
    assert b"Content-Length" not in frame(status, "", (("Content-Length", "3"),), b"abc").wire
    assert frame(status, "", (), b"abc").body == b""


@pytest.mark.parametrize("headers", [(("Content-Length", "42"),), ()])
def test_the_answer_to_head_keeps_the_length_it_was_recorded_with(headers: Headers) -> None:
    assert frame(200, "OK", headers, is_bodyless=True).head == rendered.head(200, "OK", headers)


@pytest.mark.parametrize(
    ("data", "wire"), [(b"abc", b"3\r\nabc\r\n"), (b"", b"0\r\n\r\n"), (b"x" * 16, b"10\r\n" + b"x" * 16 + b"\r\n")]
)
def test_chunks(data: bytes, wire: bytes) -> None:
    assert rendered.chunk(data) == wire


def test_a_header_can_be_added_later() -> None:
    response = rendered.with_header(frame(200, "OK", (), b"a"), b"Connection: close")
    assert response.wire == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"


def test_a_date_follows_the_status_line() -> None:
    dated = rendered.with_date(frame(200, "OK", (), b"a"), b"Date: x")
    assert dated.wire == b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\na"


def test_an_answer_with_a_date_of_its_own_keeps_it() -> None:
    own = frame(200, "OK", (("date", "then"),), b"a")
    assert rendered.with_date(own, b"Date: x") is own
    assert rendered.split(own.head) == (b"", own.head)


def test_head_is_answered_without_the_body_but_with_its_length() -> None:
    response = rendered.without_body(frame(200, "OK", (), b"abc"))
    assert response.wire.endswith(b"Content-Length: 3\r\n\r\n")


def test_an_answer_can_be_held_back() -> None:
    whole = frame(200, "OK", (), b"abc")
    assert rendered.delayed(whole, 0.5).steps == (Delay(0.5), SendHead(), SendBody(b"abc"))


def test_a_value_is_answered_as_indented_json() -> None:
    response = rendered.json_response(200, "OK", {"a": ["é"]}, (("X", "1"),))
    assert response.head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX: 1\r\n")
    assert response.body.endswith(b"\n")
    assert json.loads(response.body) == {"a": ["é"]}


def test_answers_are_values() -> None:
    assert RenderedResponse(200, b"x") == RenderedResponse(200, b"x", b"", ())
