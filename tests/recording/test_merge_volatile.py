"""Responses without what says nothing."""

from dataclasses import replace

import pytest

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.event_stream import complete
from replaymock.http.selectors import Selector, parse_selector
from replaymock.http.websocket_messages import Message
from replaymock.matching.rules import VOLATILE_KINDS
from replaymock.recording.merge import drop_volatile, is_same_response, merge_response
from tests.support.factories import JSON, recorded

SSE, LINES, HTML = ((("content-type", media),) for media in ("text/event-stream", "application/x-ndjson", "text/html"))


def rules(*texts: str) -> tuple[Selector, ...]:
    return tuple(parse_selector(text, VOLATILE_KINDS, "here") for text in texts)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (b'{"at":1,"n":[1.10]}', b'{"at":20,"n":[1.10]}', True),
        (b'{"at":1,"n":[1.10]}', b'{"at":{"x":[2]},"n":[1.10]}', True),
        (b'{"at":1,"n":[1.10]}', b'{"n":[1.10]}', True),
        (b'{"at":1,"n":[1.10]}', b'{"at":1,"n":[1.1]}', False),
        (b'{"at":1,"n":1,"z":2}', b'{"at":2,"z":2,"n":1}', False),
        (b'{"at":1,"n":1}', b'{"at": 2, "n": 1}', False),
        (b'{\n  "at": 1,\n  "n": 1\n}\n', b'{\n  "n": 1\n}\n', True),
        (b'{"at":1 , "n":1}', b'{"at":2 , "n":1}', True),
        (b'{"at":1,"id":"{{redacted:id}}"}', b'{"at":2,"id":"{{redacted:id:2}}"}', True),
        (b'{"at":"{{redacted:at}}","n":1}', b'{"at":"Zx81kLmn22pQ","n":1}', True),
        (b'{"at":1,', b'{"at":2,', False),
    ],
)
def test_json_says_the_same_whatever_is_at_a_volatile_path(one: bytes, other: bytes, equal: bool) -> None:
    assert is_same_response(recorded(one), recorded(other), rules("json:$.at")) is equal
    assert is_same_response(recorded(other), recorded(one), rules("json:$.at")) is equal


def test_each_of_many_and_the_whole_body_can_be_volatile() -> None:
    one, other = recorded(b'{"items":[{"v":1,"n":1},{"v":2,"n":2}]}'), recorded(b'{"items":[{"v":3,"n":1},{"n":2}]}')
    assert is_same_response(one, other, rules("json:$.items[*].v"))
    assert not is_same_response(one, other, rules("json:$.items[0].v"))
    assert is_same_response(one, recorded(b"[]"), rules("json:$"))


def test_a_header_is_volatile_by_name_or_pattern_there_or_not() -> None:
    one = recorded(headers=(*JSON, ("x-build-id", "1"), ("x-build-time", "2")))
    assert is_same_response(one, recorded(), rules("header:X-Build-*"))
    assert not is_same_response(one, recorded(), rules("header:x-build-id"))


@pytest.mark.parametrize(
    ("headers", "one", "other"),
    [
        (SSE, b'event: tick\ndata: {"at":1,"n":2}\n\n: hi\n\n', b'event: tick\ndata: {"at":20,"n":2}\n\n: hi\n\n'),
        (LINES, b'{"at":1,"n":1}\n{"n":2}\n', b'{"at":100,"n":1}\n{"n":2,"at":3}\n'),
    ],
)
def test_json_in_each_event_says_the_same(headers: tuple[tuple[str, str], ...], one: bytes, other: bytes) -> None:
    first, second = recorded(one, headers=headers), recorded(other, headers=headers)
    assert is_same_response(first, second, rules("json:$.at")) and not is_same_response(
        first, second, rules("json:$.n")
    )
    half = replace(second, body=complete(headers[0][1], other[:-3]), truncated=True)
    assert is_same_response(replace(first, truncated=True), half, rules("json:$.at"))
    assert not is_same_response(first, second) and is_same_response(first, second, rules("json:$"))


def test_json_in_each_message_says_the_same() -> None:
    first, second = (
        recorded(b"", messages=(Message("server", "text", data), Message("server", "binary", b"{}")))
        for data in (b'{"at":1}', b'{"at":2}')
    )
    assert is_same_response(first, second, rules("json:$.at")) and not is_same_response(first, second)


def test_text_and_headers_say_the_same_without_what_an_expression_finds() -> None:
    first, second = (
        recorded(b'<script nonce="%s">\xff' % nonce, headers=(*HTML, ("content-security-policy", f"'nonce-{text}'")))
        for nonce, text in ((b"a1", "a1"), (b"b22", "b22"))
    )
    assert is_same_response(first, second, rules(r"value:nonce[=-]\W?\w+")) and not is_same_response(
        first, second, rules("value:x")
    )


def test_what_is_still_in_an_unknown_coding_or_no_text_is_compared_as_it_is() -> None:
    image = recorded(b'{"at":1}', headers=(("content-type", "image/png"),))
    assert drop_volatile(image, rules("json:$.at", "value:at")).body == image.body
    assert drop_volatile(recorded(b'{"at":1}', encoded=True), rules("json:$.at", "value:at")).body == b'{"at":1}'


def test_a_sequence_has_no_steps_for_what_is_volatile_and_keeps_what_came_first() -> None:
    stored: tuple[RecordedResponse, ...] = ()
    cursor = -1
    for body in (b'{"at":1,"done":false}', b'{"at":2,"done":false}', b'{"at":3,"done":true}', b'{"at":4,"done":true}'):
        stored, cursor = merge_response(stored, cursor, recorded(body), {}, rules("json:$.at"))
    assert [one.body for one in stored] == [b'{"at":1,"done":false}', b'{"at":3,"done":true}']
    again, _ = merge_response(stored, -1, recorded(b'{"at":9,"done":false}'), {}, rules("json:$.at"))
    assert again is stored
