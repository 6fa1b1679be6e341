"""Request targets: paths and queries in the one form they are compared in, and path patterns.

Paths follow RFC 3986 section 6.2.2: unreserved characters are decoded and hex digits upper-cased, nothing else.
"""

import re
import string
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

Pairs = tuple[tuple[str, str | None], ...]

PLACEHOLDER = re.compile(r"\{\{redacted(?::[^{}]*)?\}\}")


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


def is_template(path: str) -> bool:
    """Whether a cassette's path stands for many paths."""
    return any(character in PLACEHOLDER.sub("", path) for character in "{*")


@lru_cache(maxsize=4096)
def pattern(template: str) -> re.Pattern[str]:
    """A template or glob as an expression over normal paths.

    `{id}` and `*` stand for part of a segment, at least one character; `/**` at the end for nothing or anything
    below; `**` elsewhere for anything. Whether a path fits is found in a time that grows with its length only: each
    wildcard is given as much as it needs, once, and nothing is tried again.
    """
    anything_below = template.endswith("/**")
    blocks = [_literals(block) for block in template.removesuffix("/**").split("**")]
    between = [f"(?>.*?{_block(block, is_last=False)})" for block in blocks[1:-1]]
    start = [_block(block, is_last=False) for block in blocks[:1] if len(blocks) > 1]
    end = ".*" * (len(blocks) > 1) + _block(blocks[-1], is_last=True) + "(?:/.*)?" * anything_below
    return re.compile("".join([*start, *between, end, r"\Z"]), re.DOTALL)


def specificity(template: str) -> tuple[int, int, str]:
    """A sort key: the template with more literal characters first, then the one with fewer wildcards."""
    pieces = _TEMPLATE_PIECES.split(template)
    literal = sum(len(piece) for piece in pieces if not _TEMPLATE_PIECES.fullmatch(piece))
    return (-literal, len(pieces), template)


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


def group(pairs: Pairs) -> dict[str, str | list[str | None] | None]:
    """Pairs as a cassette shows them: name to value, or to the list of its values in order."""
    grouped: dict[str, list[str | None]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}


def ungroup(grouped: dict[str, str | list[str | None] | None]) -> Pairs:
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
    for match in PLACEHOLDER.finditer(text):
        out += [change(text[start : match.start()]), match.group()]
        start = match.end()
    return "".join([*out, change(text[start:])])


def _literals(block: str) -> list[str]:
    """The literal texts of a template without `**`; between each and the next stands a wildcard."""
    literals = [""]
    for piece in _TEMPLATE_PIECES.split(block):
        if piece == "*" or (piece.startswith("{") and piece.endswith("}") and not PLACEHOLDER.fullmatch(piece)):
            literals.append("")
        else:
            literals[-1] += normal_path(piece)
    return literals


def _block(literals: list[str], *, is_last: bool) -> str:
    """An expression for literals with a wildcard between them, none of which is tried in two ways.

    The last wildcard of a segment takes all of it but what has to follow; one before that as little as it can, which
    leaves the most to those behind it. A block that is not the last is followed by anything, so there it is the least.
    """
    first, *others = literals
    found = [re.escape(first)]
    for position, literal in enumerate(others):
        within, slash, rest = literal.partition("/")
        if slash or (is_last and position == len(others) - 1):
            ending = f"(?<={re.escape(within)})" if within else ""
            found.append(f"[^/]{{{len(within) + 1},}}+{ending}{re.escape(slash + rest)}")
        else:
            found.append(f"(?>[^/]+?{re.escape(literal)})")
    return "".join(found)


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
_TEMPLATE_PIECES = re.compile(r"(/\*\*\Z|\*\*|\*|\{\{redacted(?::[^{}]*)?\}\}|\{[^{}/]*\})")
_LITERAL_PERCENT = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_SURROGATE = re.compile(r"[\udc80-\udcff]")
