"""Streams of events in readable form: server-sent events (HTML standard, section 9.2) and JSON lines.

JSON lines are one JSON value a line (`application/x-ndjson`). A stream comes back byte for byte. An event that no
layout describes is kept unparsed, as `text`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Struct

from replaymock.http import bodies

SSE_TYPE = "text/event-stream"
JSON_LINES_TYPES = frozenset(
    "application/x-ndjson application/ndjson application/jsonl application/x-jsonlines application/stream+json".split()
)

Pauses = tuple[tuple[int, int], ...]
"""Pairs of a byte offset in a body and the milliseconds that passed before that byte arrived."""

Event = Mapping[str, Any]
"""Members in the order of their lines: `event`, `id`, `data`, `retry`, `comment`; or `text` alone.

`data` is text, or compact JSON as a `msgspec.Raw`. In JSON lines it is always the latter.
"""


class Layout(Struct, frozen=True):
    """How the lines of a stream are written: line ends, the space after a colon, and the white space of JSON."""

    end: str = "\n"
    space: str = " "
    json: str = "compact"

    def __str__(self) -> str:
        words = (_ENDS[self.end], "" if self.space else "tight", "" if self.json == "compact" else self.json)
        return " ".join(filter(None, words))


class Events(Struct, frozen=True):
    """A stream of events. `layout` is in words, and empty for the usual one."""

    events: tuple[Event, ...]
    layout: str = ""


def is_stream(media_type: str) -> bool:
    """Whether a media type is a stream of events."""
    return media_type == SSE_TYPE or media_type in JSON_LINES_TYPES


def encode(media_type: str, data: bytes) -> Events | None:
    """Reads the events of a stream; None if they would not give `data` back."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    pieces = [text[start:end] for start, end in spans(media_type, text)]
    layout = _layout_of(media_type, text)
    read = _read_line if media_type in JSON_LINES_TYPES else _read_event
    events = tuple(read(piece, layout) or {"text": piece} for piece in pieces)
    stream = Events(events, str(layout))
    return stream if decode(media_type, stream) == data else None


def decode(media_type: str, stream: Events) -> bytes:
    """Writes the bytes of a stream. ValueError for an unknown layout word or member of an event."""
    layout = parse_layout(stream.layout)
    write = _write_line if media_type in JSON_LINES_TYPES else _write_event
    return "".join(write(event, layout) for event in stream.events).encode("utf-8")


def spans(media_type: str, text: str) -> list[tuple[int, int]]:
    """The start and end of each event, including its blank line. The last event may lack that."""
    separator = _LINE_END if media_type in JSON_LINES_TYPES else _BLANK_LINE
    ends = [match.end() for match in separator.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return [(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end]


def pieces(media_type: str, data: bytes) -> list[bytes]:
    """The bytes of each event, also if they are not valid UTF-8."""
    text = data.decode("utf-8", "surrogateescape")
    return [text[start:end].encode("utf-8", "surrogateescape") for start, end in spans(media_type, text)]


def events_up_to(media_type: str, data: bytes, last_id: str) -> int:
    """How many events the client has that last saw the event `last_id`; 0 if there is no such event."""
    if not last_id or media_type != SSE_TYPE:
        return 0
    wanted_id = last_id.encode("latin-1")
    positions = [
        position for position, piece in enumerate(pieces(media_type, data), 1) if wanted_id in _ID.findall(piece)
    ]
    return positions[-1] if positions else 0


def parse_layout(words: str) -> Layout:
    """Reads a layout from words such as `crlf spaced`. ValueError for an unknown word."""
    layout = {"end": "\n", "space": " ", "json": "compact"}
    for word in words.split():
        if word not in _WORDS:
            raise ValueError(f"unknown layout {word!r} of events; use {', '.join(_WORDS)}")
        name, value = _WORDS[word]
        layout[name] = value
    return Layout(**layout)


def _layout_of(media_type: str, text: str) -> Layout:
    end = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
    colons = [] if media_type in JSON_LINES_TYPES else _COLON.findall(text)
    space = "" if colons.count("") > colons.count(" ") else " "
    return Layout(end, space, "spaced" if _SPACED.search(text) else "compact")


def _read_line(piece: str, layout: Layout) -> Event | None:
    data = _json(piece.removesuffix(layout.end), layout)
    return {"data": data} if data is not None and piece.endswith(layout.end) else None


def _write_line(event: Event, layout: Layout) -> str:
    if "text" in event:
        return _text_of(event)
    return _data_of(event.get("data", msgspec.Raw(b"null")), layout, allow_strings=False) + layout.end


def _read_event(piece: str, layout: Layout) -> Event | None:
    event: dict[str, Any] = {}
    last = ""
    for line in piece.removesuffix(layout.end * 2).split(layout.end):
        name, colon, value = line.partition(":")
        name = name or "comment"
        if not colon or name not in _FIELDS or (name in event and (name, last) != ("data", "data")):
            return None
        value = value.removeprefix(layout.space)
        event[name] = f"{event[name]}\n{value}" if name in event else value
        last = name
    if "data" in event:
        event["data"] = _json(event["data"], layout, allow_strings=False) or event["data"]
    if "retry" in event:
        if not event["retry"].isascii() or not event["retry"].isdecimal():
            return None
        event["retry"] = int(event["retry"])
    return event if _write_event(event, layout) == piece else None


def _write_event(event: Event, layout: Layout) -> str:
    if "text" in event:
        return _text_of(event)
    lines = []
    for name, value in event.items():
        if name not in _FIELDS:
            raise ValueError(f"unknown member {name!r} of an event; known are {', '.join(_FIELDS)} and text")
        field = "" if name == "comment" else name
        values = _data_of(value, layout).split("\n")
        lines += [f"{field}:{layout.space if value else ''}{value}" for value in values]
    return layout.end.join([*lines, "", ""])


def _text_of(event: Event) -> str:
    if set(event) != {"text"} or not isinstance(event["text"], str):
        raise ValueError("an event with text is that text alone")
    return event["text"]


def _json(text: str, layout: Layout, *, allow_strings: bool = True) -> msgspec.Raw | None:
    """JSON that this layout restores, else None. Also None for a string, unless `strings`."""
    if not text or (not allow_strings and text[0] == '"') or text[0] not in _JSON_STARTS:
        return None
    body = bodies.encode("application/json", text.encode("utf-8"))
    if not isinstance(body, bodies.Json) or bodies.apply_layout(body.value, layout.json) != text.encode("utf-8"):
        return None
    return msgspec.Raw(body.value)


def _data_of(value: Any, layout: Layout, *, allow_strings: bool = True) -> str:
    if isinstance(value, (str, int)):
        return str(value)
    raw = bytes(value)
    if allow_strings and raw[:1] == b'"':
        return str(msgspec.json.decode(raw))
    return bodies.apply_layout(raw, layout.json).decode("utf-8")


def to_members(media_type: str, data: bytes, pauses: Pauses) -> tuple[list[dict[str, Any]], str] | None:
    """The events as a cassette has them, each with the pause before it, and their layout; None as in `encode`."""
    stream = encode(media_type, data)
    if stream is None:
        return None
    delays = dict(pauses)
    starts = _starts(media_type, data)
    members = [
        {**event, **({"delay_ms": delays[start]} if start in delays else {})}
        for start, event in zip(starts, stream.events, strict=True)
    ]
    return members, stream.layout


def from_members(media_type: str, members: Sequence[Mapping[str, msgspec.Raw]], layout: str) -> tuple[bytes, Pauses]:
    """The bytes of events in a cassette, and the pauses before them. ValueError for an invalid event."""
    body, pauses = b"", []
    for event in members:
        plain = {name: _plain(name, value) for name, value in event.items()}
        delay = plain.pop("delay_ms", 0)
        if delay:
            pauses.append((len(body), delay))
        body += decode(media_type, Events((plain,), layout))
    return body, tuple(pauses)


def pauses_of(media_type: str, data: bytes, arrivals: Pauses) -> Pauses:
    """The pause in milliseconds before each event.

    `arrivals` are pairs of the bytes received so far and the milliseconds since the head. An event has arrived when its
    last byte has.
    """
    pauses, last_moment, reached = [], 0, 0
    starts = _starts(media_type, data)
    for start, end in zip(starts, [*starts[1:], len(data)], strict=False):
        while reached < len(arrivals) - 1 and arrivals[reached][0] < end:
            reached += 1
        moment = arrivals[reached][1] if arrivals else 0
        if moment > last_moment:
            pauses.append((start, moment - last_moment))
            last_moment = moment
    return tuple(pauses)


def transfer_pauses(media_type: str, data: bytes, other: bytes, pauses: Pauses) -> Pauses:
    """Moves pauses from the events of one stream to those of another; none if their numbers of events differ."""
    starts, other_starts = _starts(media_type, data), _starts(media_type, other)
    moved = dict(zip(starts, other_starts, strict=False))
    return (
        tuple((moved[offset], milliseconds) for offset, milliseconds in pauses)
        if len(starts) == len(other_starts)
        else ()
    )


def complete(media_type: str, data: bytes) -> bytes:
    """Cuts the beginning of a stream after its last complete event."""
    events = pieces(media_type, data)
    ends = (b"\n", b"\r") if media_type in JSON_LINES_TYPES else (b"\n\n", b"\r\r", b"\n\r\n")
    if events and not events[-1].endswith(ends):
        events.pop()
    return b"".join(events)


def _starts(media_type: str, data: bytes) -> list[int]:
    """The byte offset of each event."""
    return list(accumulate(map(len, pieces(media_type, data)), initial=0))[:-1]


def _plain(name: str, value: msgspec.Raw) -> Any:
    """A member in the form that `Event` has: plain values, but `data` as it is."""
    if name == "data":
        return value
    plain = msgspec.json.decode(value)
    kind = int if name in ("retry", "delay_ms") else str
    if not isinstance(plain, kind) or isinstance(plain, bool):
        message = f"{name!r} of an event is {'a number' if kind is int else 'a string'}"
        raise ValueError(message)  # noqa: TRY004 - about a file, as what else is wrong with a layout
    if name == "delay_ms" and isinstance(plain, int) and plain < 0:
        raise ValueError(f"'delay_ms' is {plain}, but no event comes before the one before it")
    return plain


_FIELDS = ("event", "id", "data", "retry", "comment")
_ENDS = {"\n": "", "\r\n": "crlf", "\r": "cr"}
_WORDS = {"crlf": ("end", "\r\n"), "cr": ("end", "\r"), "tight": ("space", ""), "spaced": ("json", "spaced")}
_JSON_STARTS = '{["-0123456789tfn'
_LINE_END = re.compile(r"\r\n|\n|\r(?!\n)")
_BLANK_LINE = re.compile(r"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_COLON = re.compile(r"^(?:event|id|data|retry)?:( ?)(?=[^\r\n])", re.MULTILINE)
_SPACED = re.compile(r'^(?:data: ?)?[\[{]"?[^\r\n]*?(?:": |, )', re.MULTILINE)
_ID = re.compile(rb"^id: ?([^\r\n]*)", re.MULTILINE)
