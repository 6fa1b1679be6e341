"""Streams of events as people read them: server-sent events and JSON lines, event by event, to the byte and back.

Server-sent events follow the HTML standard, section 9.2; JSON lines are one JSON value a line (`application/x-ndjson`).
An event that no layout describes is kept as `text`, as it stands.
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
"""Positions in a body, in bytes, and how many milliseconds passed before what begins there came."""

Event = Mapping[str, Any]
"""Members in the order of their lines: `event`, `id`, `data`, `retry`, `comment`; or `text` alone.

`data` is text, or a `msgspec.Raw` with compact JSON; of JSON lines it is always that.
"""


class Layout(Struct, frozen=True):
    """How the lines of a stream are spelled: their ends, the space after a colon, and the white space of JSON."""

    end: str = "\n"
    space: str = " "
    json: str = "compact"

    def __str__(self) -> str:
        words = (_ENDS[self.end], "" if self.space else "tight", "" if self.json == "compact" else self.json)
        return " ".join(filter(None, words))


class Events(Struct, frozen=True):
    """A stream of events; `layout` in words, empty for the usual one."""

    events: tuple[Event, ...]
    layout: str = ""


def is_stream(media_type: str) -> bool:
    """Whether a media type is one of streams of events."""
    return media_type == SSE_TYPE or media_type in JSON_LINES_TYPES


def encode(media_type: str, data: bytes) -> Events | None:
    """The events of a stream; None when they would not give `data` back."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    pieces = [text[start:end] for start, end in spans(media_type, text)]
    layout = _layout_of(media_type, text)
    read = _read_line if media_type in JSON_LINES_TYPES else _read_event
    events = tuple(read(piece, layout) or {"text": piece} for piece in pieces)
    found = Events(events, str(layout))
    return found if decode(media_type, found) == data else None


def decode(media_type: str, stream: Events) -> bytes:
    """The bytes of a stream. ValueError when its layout has unknown words or an event has unknown members."""
    layout = parse_layout(stream.layout)
    write = _write_line if media_type in JSON_LINES_TYPES else _write_event
    return "".join(write(event, layout) for event in stream.events).encode("utf-8")


def spans(media_type: str, text: str) -> list[tuple[int, int]]:
    """Where each event begins and ends, its blank line included; the last may be without one."""
    separator = _LINE_END if media_type in JSON_LINES_TYPES else _BLANK_LINE
    ends = [match.end() for match in separator.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return [(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end]


def pieces(media_type: str, data: bytes) -> list[bytes]:
    """The bytes of each event, whatever characters they are."""
    text = data.decode("utf-8", "surrogateescape")
    return [text[start:end].encode("utf-8", "surrogateescape") for start, end in spans(media_type, text)]


def events_up_to(media_type: str, data: bytes, last_id: str) -> int:
    """How many events a caller has who saw the one with this id; 0 when there is none of that id."""
    if not last_id or media_type != SSE_TYPE:
        return 0
    sent = last_id.encode("latin-1")
    found = [at for at, piece in enumerate(pieces(media_type, data), 1) if sent in _ID.findall(piece)]
    return found[-1] if found else 0


def parse_layout(words: str) -> Layout:
    """The layout that words such as `crlf spaced` name. ValueError for unknown ones."""
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
    return _data_of(event.get("data", msgspec.Raw(b"null")), layout, strings=False) + layout.end


def _read_event(piece: str, layout: Layout) -> Event | None:
    found: dict[str, Any] = {}
    last = ""
    for line in piece.removesuffix(layout.end * 2).split(layout.end):
        name, colon, value = line.partition(":")
        name = name or "comment"
        if not colon or name not in _FIELDS or (name in found and (name, last) != ("data", "data")):
            return None
        value = value.removeprefix(layout.space)
        found[name] = f"{found[name]}\n{value}" if name in found else value
        last = name
    if "data" in found:
        found["data"] = _json(found["data"], layout, strings=False) or found["data"]
    if "retry" in found:
        if not found["retry"].isascii() or not found["retry"].isdecimal():
            return None
        found["retry"] = int(found["retry"])
    return found if _write_event(found, layout) == piece else None


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


def _json(text: str, layout: Layout, *, strings: bool = True) -> msgspec.Raw | None:
    """JSON that comes back in this layout; None for anything else, and for a string where text may stand for itself."""
    if not text or (not strings and text[0] == '"') or text[0] not in _JSON_STARTS:
        return None
    body = bodies.encode("application/json", text.encode("utf-8"))
    if not isinstance(body, bodies.Json) or bodies.apply_layout(body.value, layout.json) != text.encode("utf-8"):
        return None
    return msgspec.Raw(body.value)


def _data_of(value: Any, layout: Layout, *, strings: bool = True) -> str:
    if isinstance(value, (str, int)):
        return str(value)
    raw = bytes(value)
    if strings and raw[:1] == b'"':
        return str(msgspec.json.decode(raw))
    return bodies.apply_layout(raw, layout.json).decode("utf-8")


def to_members(media_type: str, data: bytes, pauses: Pauses) -> tuple[list[dict[str, Any]], str] | None:
    """Events as a file holds them, each with the pause before it, and their layout; None as `encode`."""
    stream = encode(media_type, data)
    if stream is None:
        return None
    delays = dict(pauses)
    starts = _starts(media_type, data)
    found = [
        {**event, **({"delay_ms": delays[start]} if start in delays else {})}
        for start, event in zip(starts, stream.events, strict=True)
    ]
    return found, stream.layout


def from_members(media_type: str, members: Sequence[Mapping[str, msgspec.Raw]], layout: str) -> tuple[bytes, Pauses]:
    """The bytes of events as a file holds them, and the pauses before them. ValueError for what is no event."""
    body, pauses = b"", []
    for event in members:
        plain = {name: _plain(name, value) for name, value in event.items()}
        delay = plain.pop("delay_ms", 0)
        if delay:
            pauses.append((len(body), delay))
        body += decode(media_type, Events((plain,), layout))
    return body, tuple(pauses)


def pauses_of(media_type: str, data: bytes, arrivals: Pauses) -> Pauses:
    """The pause in milliseconds before each event, from how many bytes had arrived when.

    An event is there when its last byte is. `arrivals` has the size so far and the milliseconds since the head.
    """
    pauses, before, seen = [], 0, 0
    starts = _starts(media_type, data)
    for start, end in zip(starts, [*starts[1:], len(data)], strict=False):
        while seen < len(arrivals) - 1 and arrivals[seen][0] < end:
            seen += 1
        moment = arrivals[seen][1] if arrivals else 0
        if moment > before:
            pauses.append((start, moment - before))
            before = moment
    return tuple(pauses)


def transfer_pauses(media_type: str, data: bytes, other: bytes, pauses: Pauses) -> Pauses:
    """The pauses before the events of one stream, before those of another that has as many; none if it has not."""
    here, there = _starts(media_type, data), _starts(media_type, other)
    places = dict(zip(here, there, strict=False))
    return tuple((places[at], milliseconds) for at, milliseconds in pauses) if len(here) == len(there) else ()


def complete(media_type: str, data: bytes) -> bytes:
    """The beginning of a stream, as far as its events are whole."""
    found = pieces(media_type, data)
    ends = (b"\n", b"\r") if media_type in JSON_LINES_TYPES else (b"\n\n", b"\r\r", b"\n\r\n")
    if found and not found[-1].endswith(ends):
        found.pop()
    return b"".join(found)


def _starts(media_type: str, data: bytes) -> list[int]:
    """Where each event begins, in bytes."""
    return list(accumulate(map(len, pieces(media_type, data)), initial=0))[:-1]


def _plain(name: str, value: msgspec.Raw) -> Any:
    """A member as `Event` has it: everything but `data` a plain value."""
    if name == "data":
        return value
    found = msgspec.json.decode(value)
    kind = int if name in ("retry", "delay_ms") else str
    if not isinstance(found, kind) or isinstance(found, bool):
        message = f"{name!r} of an event is {'a number' if kind is int else 'a string'}"
        raise ValueError(message)  # noqa: TRY004 - about a file, as what else is wrong with a layout
    if name == "delay_ms" and isinstance(found, int) and found < 0:
        raise ValueError(f"'delay_ms' is {found}, but no event comes before the one before it")
    return found


_FIELDS = ("event", "id", "data", "retry", "comment")
_ENDS = {"\n": "", "\r\n": "crlf", "\r": "cr"}
_WORDS = {"crlf": ("end", "\r\n"), "cr": ("end", "\r"), "tight": ("space", ""), "spaced": ("json", "spaced")}
_JSON_STARTS = '{["-0123456789tfn'
_LINE_END = re.compile(r"\r\n|\n|\r(?!\n)")
_BLANK_LINE = re.compile(r"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_COLON = re.compile(r"^(?:event|id|data|retry)?:( ?)(?=[^\r\n])", re.MULTILINE)
_SPACED = re.compile(r'^(?:data: ?)?[\[{]"?[^\r\n]*?(?:": |, )', re.MULTILINE)
_ID = re.compile(rb"^id: ?([^\r\n]*)", re.MULTILINE)
