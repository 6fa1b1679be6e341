"""Streams of events to readable events, and back to the byte."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import event_stream
from replaymock.http.event_stream import Events

SSE = "text/event-stream"
LINES = "application/x-ndjson"


def plain(stream: Events | None) -> list[dict[str, object]]:
    """Events with JSON data as values."""
    assert stream
    return msgspec.json.decode(msgspec.json.encode([dict(event) for event in stream.events]))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("data", "found", "layout"),
    [
        ("data: hello\n\n", [{"data": "hello"}], ""),
        ('event: tick\nid: 7\ndata: {"a":1}\n\n', [{"event": "tick", "id": "7", "data": {"a": 1}}], ""),
        ("id: 7\nevent: tick\ndata: 1\n\n", [{"id": "7", "event": "tick", "data": 1}], ""),
        (
            'data: {"a": 1, "b": [1, 2]}\n\ndata: [DONE]\n\n',
            [{"data": {"a": 1, "b": [1, 2]}}, {"data": "[DONE]"}],
            "spaced",
        ),
        ("data: a\ndata: b\n\n", [{"data": "a\nb"}], ""),
        ("retry: 3000\n\n: ping\n\n", [{"retry": 3000}, {"comment": "ping"}], ""),
        (":\n\ndata:\n\n", [{"comment": ""}, {"data": ""}], ""),
        ('data:x\n\nid:1\ndata:{"a":1}\n\n', [{"data": "x"}, {"id": "1", "data": {"a": 1}}], "tight"),
        ("data: x\r\n\r\ndata: y\r\n\r\n", [{"data": "x"}, {"data": "y"}], "crlf"),
        ("data: x\r\r", [{"data": "x"}], "cr"),
        ('data: "quoted"\n\n', [{"data": '"quoted"'}], ""),
        ("data: a\nid: 1\ndata: b\n\n", [{"text": "data: a\nid: 1\ndata: b\n\n"}], ""),
        ("data: a\nother: b\n\n", [{"text": "data: a\nother: b\n\n"}], ""),
        ("data\n\n", [{"text": "data\n\n"}], ""),
        ("data: a\n\ndata: cut", [{"data": "a"}, {"text": "data: cut"}], ""),
        ("\ufeffdata: a\n\n", [{"text": "\ufeffdata: a\n\n"}], ""),
        ("retry: soon\n\n", [{"text": "retry: soon\n\n"}], ""),
        ("retry: 007\n\n", [{"text": "retry: 007\n\n"}], ""),
    ],
)
def test_server_sent_events_are_shown_by_their_fields(data: str, found: list[object], layout: str) -> None:
    stream = event_stream.encode(SSE, data.encode())
    assert (plain(stream), stream and stream.layout) == (found, layout)


@pytest.mark.parametrize(
    ("data", "found", "layout"),
    [
        ('{"a":1}\n"x"\n', [{"data": {"a": 1}}, {"data": "x"}], ""),
        ('{"a": 1}\n{"b": 2}\n', [{"data": {"a": 1}}, {"data": {"b": 2}}], "spaced"),
        ('{"a":1}\r\n', [{"data": {"a": 1}}], "crlf"),
        (
            '{"a":1}\nno json\n\n{"b":2}',
            [{"data": {"a": 1}}, {"text": "no json\n"}, {"text": "\n"}, {"text": '{"b":2}'}],
            "",
        ),
    ],
)
def test_json_lines_are_shown_as_values(data: str, found: list[object], layout: str) -> None:
    stream = event_stream.encode(LINES, data.encode())
    assert (plain(stream), stream and stream.layout) == (found, layout)


def test_the_tokens_of_numbers_survive() -> None:
    stream = event_stream.encode(SSE, b'data: {"n":1.10,"n":1e5}\n\n')
    assert stream and stream.events[0]["data"] == msgspec.Raw(b'{"n":1.10,"n":1e5}')


FIELDS = st.sampled_from(["data", "id", "event", "retry", "", "x"])
SEPARATORS = st.sampled_from([": ", ":", ":  ", ""])
VALUES = st.sampled_from(
    ['{"a":1}', '{"a": 1}', "1", "true", '"s"', "text", "", "é", "[1, 2]", "{{origin}}"]
) | st.text(max_size=5)
ENDS = st.sampled_from(["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r"])
MESSY = st.lists(st.builds("".join, st.tuples(FIELDS, SEPARATORS, VALUES, ENDS)), max_size=8).map("".join)


@given(MESSY, st.sampled_from([SSE, LINES]))
def test_every_stream_of_characters_comes_back_to_the_byte(text: str, media_type: str) -> None:
    data = text.encode("utf-8", "replace")
    stream = event_stream.encode(media_type, data)
    assert stream is not None
    assert event_stream.decode(media_type, stream) == data


@given(MESSY, st.sampled_from([SSE, LINES]))
def test_events_come_back_from_a_file(text: str, media_type: str) -> None:
    data = text.encode("utf-8", "replace")
    stream = event_stream.encode(media_type, data)
    assert stream is not None
    file = msgspec.json.encode([dict(event) for event in stream.events])
    members = msgspec.json.decode(file, type=list[dict[str, msgspec.Raw]])
    assert event_stream.from_members(media_type, members, stream.layout)[0] == data


def test_bytes_that_are_no_text_are_no_events() -> None:
    assert event_stream.encode(SSE, b"data: \xff\n\n") is None


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([{"dta": "x"}], "unknown member 'dta'"),
        ([{"retry": "soon"}], "'retry' of an event is a number"),
        ([{"id": 7}], "'id' of an event is a string"),
        ([{"text": "x", "id": "7"}], "that text alone"),
    ],
)
def test_what_is_no_event_is_told(members: list[object], said: str) -> None:
    raw = msgspec.json.decode(msgspec.json.encode(members), type=list[dict[str, msgspec.Raw]])
    with pytest.raises(ValueError, match=said):
        event_stream.from_members(SSE, raw, "")


def test_an_unknown_layout_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown layout 'crfl' of events; use crlf"):
        event_stream.decode(SSE, Events((), "crfl"))


@pytest.mark.parametrize(
    ("media_type", "last_id", "count"), [(SSE, "1", 1), (SSE, "2", 2), (SSE, "9", 0), (SSE, "", 0), (LINES, "1", 0)]
)
def test_a_stream_goes_on_after_the_last_id(media_type: str, last_id: str, count: int) -> None:
    assert event_stream.events_up_to(media_type, b"id: 1\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\n", last_id) == count


@given(st.binary())
def test_any_bytes_are_cut_into_pieces_that_add_up_to_them(data: bytes) -> None:
    assert b"".join(event_stream.pieces(SSE, data)) == data


@pytest.mark.parametrize(
    ("media_type", "is_one"), [(SSE, True), (LINES, True), ("application/json", False), ("", False)]
)
def test_streams_are_known_by_their_type(media_type: str, is_one: bool) -> None:
    assert event_stream.is_stream(media_type) is is_one


TWO = "data: é\n\ndata: b\n\n".encode()


def test_each_event_is_shown_with_the_pause_before_it_and_read_with_it() -> None:
    pauses = ((0, 40), (10, 120))
    shown = event_stream.to_members(SSE, TWO, pauses)
    assert shown == ([{"data": "é", "delay_ms": 40}, {"data": "b", "delay_ms": 120}], "")
    members = msgspec.json.decode(msgspec.json.encode(shown[0]), type=list[dict[str, msgspec.Raw]])
    assert event_stream.from_members(SSE, members, "") == (TWO, pauses)


@pytest.mark.parametrize(
    ("arrivals", "pauses"),
    [
        ([(10, 40), (19, 160)], ((0, 40), (10, 120))),
        ([(19, 40)], ((0, 40),)),
        ([(5, 10), (15, 40), (19, 100)], ((0, 40), (10, 60))),
        ([(19, 0)], ()),
        ([], ()),
    ],
)
def test_an_event_is_there_when_its_last_byte_is(arrivals: list[tuple[int, int]], pauses: event_stream.Pauses) -> None:
    assert event_stream.pauses_of(SSE, TWO, tuple(arrivals)) == pauses


@pytest.mark.parametrize(
    ("media_type", "data", "whole"),
    [
        (SSE, b"data: a\n\ndata: b", b"data: a\n\n"),
        (SSE, b"data: a\r\n\r\n", b"data: a\r\n\r\n"),
        (SSE, b"data: a\n", b""),
        (LINES, b'{"a":1}\n{"b"', b'{"a":1}\n'),
        (LINES, b"", b""),
    ],
)
def test_a_stream_is_complete_up_to_its_last_whole_event(media_type: str, data: bytes, whole: bytes) -> None:
    assert event_stream.complete(media_type, data) == whole


def test_pauses_move_with_their_events() -> None:
    assert event_stream.transfer_pauses(SSE, b"data: a\n\ndata: b\n\n", b"data: longer\n\ndata: b\n\n", ((9, 5),)) == (
        (14, 5),
    )
    assert event_stream.transfer_pauses(SSE, b"data: a\n\n", b"data: a\n\ndata: b\n\n", ((0, 5),)) == ()
