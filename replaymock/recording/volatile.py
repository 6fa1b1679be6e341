"""What says nothing in a response by a team's own rules: it is left out when two responses are compared.

Only then: what was recorded first stays in the file, and a caller gets all of it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Raw

from replaymock.cassettes.model import Recorded
from replaymock.http import bodies, event_stream, json_tokens, media_types
from replaymock.http.headers import Headers, media_type
from replaymock.http.selectors import Selector
from replaymock.http.websocket_messages import TEXT, Message


def without(recorded: Recorded, selectors: Sequence[Selector]) -> Recorded:
    """A response, as far as it is compared, without what the selectors name.

    `header:NAME` takes headers out, also by a pattern; `json:PATH` what is there in JSON, and in the JSON of each event
    and message; `value:REGEX` what fits in the values of headers, and in text.
    """
    by_kind = {kind: [one for one in selectors if one.kind == kind] for kind in ("header", "json", "value")}
    expressions = [re.compile(selector.name) for selector in by_kind["value"]]
    media = media_type(recorded.headers)
    body = recorded.body
    if by_kind["json"] and not recorded.encoded:
        body = _body(media, body, by_kind["json"])
    if media_types.is_textual(media) and not recorded.encoded:
        body = _text(body, expressions)
    headers = _headers(recorded.headers, by_kind["header"], expressions)
    messages = tuple(_message(message, by_kind["json"], expressions) for message in recorded.messages)
    return replace(recorded, headers=headers, body=body, messages=messages)


def _headers(headers: Headers, named: Sequence[Selector], expressions: Sequence[re.Pattern[str]]) -> Headers:
    left = (pair for pair in headers if not any(fnmatchcase(pair[0], selector.name) for selector in named))
    return tuple((name, _cut(value, expressions)) for name, value in left)


def _message(message: Message, paths: Sequence[Selector], expressions: Sequence[re.Pattern[str]]) -> Message:
    if message.kind != TEXT:
        return message
    data = _json(message.data, paths) if message.data.lstrip()[:1] in (b"{", b"[") else message.data
    return replace(message, data=_text(data, expressions))


def _body(media: str, body: bytes, paths: Sequence[Selector]) -> bytes:
    if media_types.is_json(media):
        return _json(body, paths)
    stream = event_stream.encode(media, body) if event_stream.is_stream(media) else None
    if stream is None:
        return body
    left = tuple({name: _data(value, paths) for name, value in event.items()} for event in stream.events)
    return event_stream.decode(media, event_stream.Events(left, stream.layout))


def _data(value: Any, paths: Sequence[Selector]) -> Any:
    return Raw(_json(bytes(value), paths) or b"null") if isinstance(value, Raw) else value


def _json(data: bytes, paths: Sequence[Selector]) -> bytes:
    """JSON without what is at the paths, in the layout it has; nothing if that is all, and what is no JSON as it is."""
    try:
        value = json_tokens.parse(data)
        text = data.decode("utf-8")
    except ValueError:
        return data
    places = {place for selector in paths for place in selector.find(value)}
    if () in places:
        return b""
    left = json_tokens.without(text, places).encode("utf-8")
    found = bodies.encode("application/json", data)
    return bodies.apply_layout(left, found.layout) if isinstance(found, bodies.Json) else left


def _text(data: bytes, expressions: Sequence[re.Pattern[str]]) -> bytes:
    if not expressions:
        return data
    return _cut(data.decode("utf-8", "surrogateescape"), expressions).encode("utf-8", "surrogateescape")


def _cut(text: str, expressions: Sequence[re.Pattern[str]]) -> str:
    for expression in expressions:
        text = expression.sub("", text)
    return text
