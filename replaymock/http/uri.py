"""Request targets: paths and queries in the one form they are compared in, and path patterns.

Paths follow RFC 3986 section 6.2.2: unreserved characters are decoded and hex digits upper-cased, nothing else.
"""

import re
import string
from collections.abc import Callable
from urllib.parse import quote, unquote_to_bytes

from replaymock.placeholders import REDACTED

Pairs = tuple[tuple[str, str | None], ...]


def normal_path(path: str) -> str:
    """The form of a sent path that is compared: `/a%2fb` and `/a%2Fb` are one, `/a/b`, `/x` and `/x/` are not.

    A placeholder in it, encoded or not, has lost its name and ordinal.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path
    encoded = quote(_sent_bytes(path), safe=_KEPT_IN_PATHS)
    return _ENCODED_PLACEHOLDER.sub("%7B%7Bredacted%7D%7D", _ESCAPE.sub(_decode_unreserved, encoded))


def literal_path(path: str) -> str:
    """The path as a cassette holds it: as sent, but for `{`, `}` and `*`, which mean a template there."""
    return _around_placeholders(path, lambda part: part.translate(_TEMPLATE_CHARACTERS))


def parse_query(query: str) -> Pairs:
    """A sent query or urlencoded form as readable (name, value) pairs; `a` has the value None, `a=` an empty one."""
    if not query.isascii():
        query = quote(_sent_bytes(query), safe=string.punctuation)
    return tuple(_parse_pair(item) for item in query.split("&") if item)


def readable(encoded: str) -> str:
    """Percent-decoded text. Bytes that are not UTF-8 stay `%XX`, and a literal `%` before two hex digits is `%25`."""
    if encoded.isascii() and "%" not in encoded:
        return encoded
    raw = unquote_to_bytes(encoded)
    text = raw.decode("utf-8", "surrogateescape")
    text = literal_percents(text)
    return _SURROGATE.sub(lambda match: f"%{ord(match.group()) - 0xDC00:02X}", text)


def literal_percents(text: str) -> str:
    """Decoded text in readable form: a percent sign that could be taken for an escape is `%25`."""
    return _LITERAL_PERCENT.sub("%25", text)


def encode_pair(name: str, value: str | None) -> str:
    """The urlencoded form of one readable pair, as an HTML form would send it."""
    if value is None:
        return _encode(name)
    return f"{_encode(name)}={_encode(value)}"


def encode_segment(text: str) -> str:
    """The sent form of a readable path segment, its placeholders as they are."""
    return _around_placeholders(
        text, lambda part: quote(unquote_to_bytes(part.encode("utf-8", "surrogatepass")), safe=_KEPT_IN_SEGMENTS)
    )


def encode_component(text: str) -> str:
    """Readable text percent-encoded as part of a URL, its placeholders as they are."""
    return _around_placeholders(
        text, lambda part: quote(unquote_to_bytes(part.encode("utf-8", "surrogatepass")), safe="")
    )


def pairs_to_mapping(pairs: Pairs) -> dict[str, str | list[str | None] | None]:
    """Pairs as a cassette shows them: name to value, or to the list of its values in order."""
    grouped: dict[str, list[str | None]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}


def mapping_to_pairs(grouped: dict[str, str | list[str | None] | None]) -> Pairs:
    """The inverse of `group`, names in the order of the mapping; hand-written values are brought to readable form."""
    pairs: list[tuple[str, str | None]] = []
    for name, values in grouped.items():
        for value in values if isinstance(values, list) else [values]:
            pairs.append((readable(name), None if value is None else readable(value)))  # noqa: PERF401 - reads better
    return tuple(pairs)


def _sent_bytes(path: str) -> bytes:
    """Sent targets are latin-1 bytes; hand-written ones may hold any character, which means its UTF-8 bytes."""
    try:
        sent = path.encode("latin-1")
        sent.decode("utf-8")
    except UnicodeError:
        return path.encode("utf-8", "surrogatepass")
    return sent


def _decode_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match.group(1), 16))
    return character if character in _UNRESERVED else match.group().upper()


def _around_placeholders(text: str, change: Callable[[str], str]) -> str:
    out, start = [], 0
    for match in REDACTED.finditer(text):
        out += [change(text[start : match.start()]), match.group()]
        start = match.end()
    return "".join([*out, change(text[start:])])


def _parse_pair(item: str) -> tuple[str, str | None]:
    name, equals, value = item.replace("+", " ").partition("=")
    return readable(name), readable(value) if equals else None


def _encode(text: str) -> str:
    return _around_placeholders(text, _quoted)


def _quoted(text: str) -> str:
    return (
        quote(unquote_to_bytes(text.encode("utf-8", "surrogatepass")), safe="*-._")
        .replace("%20", "+")
        .replace("~", "%7E")
    )


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~/:@!$&'()+,;=]*")
_KEPT_IN_PATHS = "/:@!$&'()+,;=%~\"<>[]\\^`|?#"
_KEPT_IN_SEGMENTS = "!$&'()+,;=-._~"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_ENCODED_PLACEHOLDER = re.compile(r"%7B%7Bredacted(?:(?::|%3A)(?:(?!%7[BD])[^/])*)?%7D%7D")
_TEMPLATE_CHARACTERS = str.maketrans({"{": "%7B", "}": "%7D", "*": "%2A"})
_LITERAL_PERCENT = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_SURROGATE = re.compile(r"[\udc80-\udcff]")
