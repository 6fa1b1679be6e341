"""Request targets: paths and queries in the form they are compared in.

Paths follow RFC 3986 section 6.2.2: unreserved characters are decoded and hex digits upper-cased, nothing else.
"""

import re
import string
from collections.abc import Callable
from urllib.parse import quote, unquote_to_bytes

from replaymock.placeholders import REDACTED

Pairs = tuple[tuple[str, str | None], ...]


def normal_path(path: str) -> str:
    """The form in which paths are compared: `/a%2fb` equals `/a%2Fb` but not `/a/b`; `/x` differs from `/x/`.

    Placeholders, encoded or not, lose their name and ordinal.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path
    encoded = quote(_sent_bytes(path), safe=_SAFE_IN_PATHS)
    return _ENCODED_PLACEHOLDER.sub("%7B%7Bredacted%7D%7D", _ESCAPE.sub(_decode_unreserved, encoded))


def literal_path(path: str) -> str:
    """The path as a cassette has it: as sent, but with `{`, `}` and `*` escaped, which mark a template there."""
    return _around_placeholders(path, lambda part: part.translate(_TEMPLATE_CHARACTERS))


def parse_query(query: str) -> Pairs:
    """Reads a query or urlencoded form into readable (name, value) pairs.

    The value of `a` is None, that of `a=` is empty.
    """
    if not query.isascii():
        query = quote(_sent_bytes(query), safe=string.punctuation)
    return tuple(_parse_pair(item) for item in query.split("&") if item)


def readable(encoded: str) -> str:
    """Decodes percent-encoding. Bytes that are not UTF-8 stay `%XX`; a literal `%` before two hex digits is `%25`."""
    if encoded.isascii() and "%" not in encoded:
        return encoded
    raw = unquote_to_bytes(encoded)
    text = raw.decode("utf-8", "surrogateescape")
    text = literal_percents(text)
    return _SURROGATE.sub(lambda match: f"%{ord(match.group()) - 0xDC00:02X}", text)


def literal_percents(text: str) -> str:
    """Writes a percent sign that could be taken for an escape as `%25`, as readable text has it."""
    return _LITERAL_PERCENT.sub("%25", text)


def encode_pair(name: str, value: str | None) -> str:
    """Encodes one readable pair as an HTML form would."""
    if value is None:
        return _encode(name)
    return f"{_encode(name)}={_encode(value)}"


def encode_segment(text: str) -> str:
    """Encodes a readable path segment. Placeholders stay as they are."""
    return _around_placeholders(
        text, lambda part: quote(unquote_to_bytes(part.encode("utf-8", "surrogatepass")), safe=_SAFE_IN_SEGMENTS)
    )


def encode_component(text: str) -> str:
    """Percent-encodes readable text as a part of a URL. Placeholders stay as they are."""
    return _around_placeholders(
        text, lambda part: quote(unquote_to_bytes(part.encode("utf-8", "surrogatepass")), safe="")
    )


def pairs_to_mapping(pairs: Pairs) -> dict[str, str | list[str | None] | None]:
    """Groups pairs as a cassette shows them: name to value, or to the list of its values in order."""
    grouped: dict[str, list[str | None]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}


def mapping_to_pairs(grouped: dict[str, str | list[str | None] | None]) -> Pairs:
    """The inverse of `pairs_to_mapping`, in the order of the mapping. Hand-written values become readable form."""
    pairs: list[tuple[str, str | None]] = []
    for name, values in grouped.items():
        for value in values if isinstance(values, list) else [values]:
            pairs.append((readable(name), None if value is None else readable(value)))  # noqa: PERF401 - reads better
    return tuple(pairs)


def _sent_bytes(path: str) -> bytes:
    """Sent targets are latin-1 bytes. Hand-written ones may hold any character, which stands for its UTF-8 bytes."""
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
_SAFE_IN_PATHS = "/:@!$&'()+,;=%~\"<>[]\\^`|?#"
_SAFE_IN_SEGMENTS = "!$&'()+,;=-._~"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_ENCODED_PLACEHOLDER = re.compile(r"%7B%7Bredacted(?:(?::|%3A)(?:(?!%7[BD])[^/])*)?%7D%7D")
_TEMPLATE_CHARACTERS = str.maketrans({"{": "%7B", "}": "%7D", "*": "%2A"})
_LITERAL_PERCENT = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_SURROGATE = re.compile(r"[\udc80-\udcff]")
