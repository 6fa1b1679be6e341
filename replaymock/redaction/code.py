"""Finds code, in bodies and in pages. In code a name says nothing about the value beside it.

Scripts, styles and drawings are full of `token: "keyword"` and `e.secret`. There only the shape of a credential counts.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum

from replaymock.http import json_tokens, media_types

Change = Callable[[str], str]


def is_code(media: str, path: str, body: bytes) -> bool:
    """Whether a body is code: by its media type, by its path if the type does not say, or as a source map."""
    if media in _OF_DATA or media.startswith("multipart/"):
        return False
    if _is_source_map(body):
        return True
    if not (media_types.is_code(media) or _extension(path) in _EXTENSIONS):
        return False
    # JSON is data, whatever type it is sent as.
    begins_as_json = body[:_BEGINNING].lstrip()[:1] in (b"{", b"[")
    is_json = begins_as_json and (media_types.is_json(media) or json_tokens.is_valid(body.decode("utf-8", "replace")))
    return not is_json


def may_be_in(text: str) -> bool:
    """Whether a text may contain code: in elements, attributes or links of a page."""
    return "<" in text and _PIECE.search(text) is not None


def replace_around(text: str, code: Change, data: Change, rest: Change) -> str:
    """Applies `code` to the scripts and styles of a page, and `data` to its blocks of JSON.

    Everything else goes to `rest` as one text, with a mark in the place of each piece.
    """
    pieces = list(_pieces(text))
    mark = next((mark for mark in _MARKS if mark not in text), "")
    if not (pieces and mark):
        return rest(text)
    ends = [0, *(end for _, end, _ in pieces)]
    starts = [*(start for start, _, _ in pieces), len(text)]
    between = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    around = rest(mark.join(between)).split(mark)
    if len(around) != len(between):  # a mark was hidden together with its surroundings
        around = [rest(part) for part in between]
    changes = {_Kind.CODE: code, _Kind.DATA: data}
    changed = [changes[kind](text[start:end]) for start, end, kind in pieces]
    return "".join(part for pair in zip(around, [*changed, ""], strict=True) for part in pair)


class _Kind(Enum):
    CODE = 1
    DATA = 2


def _pieces(text: str) -> Iterator[tuple[int, int, _Kind]]:
    """Yields the start, end and kind of each piece of code and each block of JSON."""
    at = 0
    while match := _PIECE.search(text, at):
        at = match.end()
        quote = match["quote"] or match["link"]
        if quote:
            end, kind = text.find(quote, at), _Kind.CODE
        else:
            closing = _CLOSING[match["element"].lower()].search(text, at)
            end = closing.start() if closing else len(text)
            script_kind = (
                _kind(match["attributes"], text[at:end]) if match["element"].lower() == "script" else _Kind.CODE
            )
            if script_kind is None:
                continue
            kind = script_kind
        if end > at:
            yield at, end, kind
            at = end


def _kind(attributes: str, content: str) -> _Kind | None:
    """What a script element contains; None if it is a template, which is markup."""
    match = _TYPE.search(attributes)
    media = match.group(1).lower() if match else ""
    if media in _OF_MARKUP or _TEMPLATE.search(media):
        return None
    is_json = media_types.is_json(media) or media in _OF_JSON
    # A script that is JSON as a whole is data.
    is_json = is_json or (content.lstrip()[:1] in ("{", "[") and json_tokens.is_valid(content))
    return _Kind.DATA if is_json else _Kind.CODE


def _extension(path: str) -> str:
    name = path.partition("?")[0].rpartition("/")[2].partition(";")[0]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _is_source_map(body: bytes) -> bool:
    """Whether a body is a source map (ECMA-426), which contains the sources."""
    if b'"mappings"' not in body or body[:_BEGINNING].lstrip(b")]}'\r\n\t ")[:1] != b"{":
        return False
    return b'"sources"' in body and _MAPPINGS.search(body) is not None and _VERSION.search(body) is not None


_BEGINNING = 16
_VERSION = re.compile(rb'"version"\s*:\s*3\b')
_MAPPINGS = re.compile(rb'"mappings"\s*:\s*"')
_EXTENSIONS = frozenset("js mjs cjs jsx ts mts cts tsx css scss sass less styl svg wat wast vue svelte coffee".split())
# Media types that decide, whatever the extension of the path.
_OF_DATA = frozenset(
    (
        "text/html application/xhtml+xml text/event-stream application/x-www-form-urlencoded application/x-ndjson "
        "application/ndjson application/jsonl application/x-jsonlines text/csv application/csv "
        "text/tab-separated-values"
    ).split()
)
_OF_MARKUP = frozenset(("text/html", "application/xml", "text/xml", "text/plain", "text/markdown"))
_OF_JSON = frozenset(("importmap", "speculationrules"))
_TEMPLATE = re.compile(r"template|tmpl|handlebars|mustache")
_TYPE = re.compile(r"""(?<![\w\-])type\s*=\s*["']?([^\s"';>]+)""", re.IGNORECASE)
# A script or style element; an attribute with a script or style, also as frameworks name them; a `javascript:` link.
_PIECE = re.compile(
    r"""<(?P<element>script|style)(?=[\s>/])(?P<attributes>[^<>]*)>"""
    r"""|[\s"'](?:on[a-z]{3,24}|style|(?:@|:|v-|x-(?:on|bind)|ng-|hx-on)[\w.:\-]+"""
    r"""|x-(?:data|init|show|if|for|text|html|model|effect)|[*(\[]+[\w.]+[)\]]*)\s*=\s*(?P<quote>["'])"""
    r"""|=\s*(?P<link>["'])\s*javascript:""",
    re.IGNORECASE,
)
_CLOSING = {name: re.compile(rf"</{name}[\s>/]", re.IGNORECASE) for name in ("script", "style")}
_MARKS = "\ue000\ue001\uf8ff"
