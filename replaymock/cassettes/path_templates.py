"""Path templates of cassettes and globs of rules, such as `/users/{id}` and `/files/**`, as regular expressions."""

import re
from collections.abc import Iterator
from functools import lru_cache

from replaymock.http.uri import normal_path
from replaymock.placeholders import REDACTED


def is_template(path: str) -> bool:
    """Whether a cassette's path matches several paths."""
    return any(character in REDACTED.sub("", path) for character in "{*")


@lru_cache(maxsize=4096)
def compile_template(template: str) -> re.Pattern[str]:
    """Compiles a template or glob into an expression over normal paths. Matching takes linear time.

    `{id}` and `*` match part of a segment, at least one character. `/**` at the end matches nothing or anything below.
    `**` elsewhere matches anything.
    """
    end = r"(?:/.*)?\Z" if template.endswith("/**") else r"\Z"
    beginning, *others = _blocks(template.removesuffix("/**"))
    if not others:
        return re.compile("".join(_steps("", beginning, end)), re.DOTALL)
    *between, last = others
    parts = [*_steps("", beginning, ""), *(f"(?>{_anywhere(block, '')})" for block in between)]
    return re.compile("".join([*parts, _anywhere(last, end) if last != [""] else ".*"]), re.DOTALL)


def specificity(template: str) -> tuple[int, int, str]:
    """A sort key: templates with more literal characters come first, then those with fewer wildcards."""
    pieces = _TEMPLATE_PIECES.split(template)
    literal = sum(len(piece) for piece in pieces if not _TEMPLATE_PIECES.fullmatch(piece))
    return (-literal, len(pieces), template)


def _blocks(template: str) -> list[list[str]]:
    """Splits a glob at each `**`. A block is the list of escaped texts around its `*` and `{name}`."""
    blocks = [[""]]
    for piece in _TEMPLATE_PIECES.split(template):
        if piece.endswith("**"):
            blocks[-1][-1] += piece.removesuffix("**")
            blocks.append([""])
        elif piece == "*" or (piece.startswith("{") and piece.endswith("}") and not REDACTED.fullmatch(piece)):
            blocks[-1].append("")
        else:
            blocks[-1][-1] += re.escape(normal_path(piece))
    return blocks


def _anywhere(block: list[str], end: str) -> str:
    """A block after a `**`. It is tried once in each segment: if it fails there, it fails at any later place in it."""
    return "".join(["(?:[^/]*+/)*?", *_steps("[^/]*?", block, end)])


def _steps(lead: str, block: list[str], end: str) -> Iterator[str]:
    """The texts of a block, each at its first occurrence after the one before.

    That leaves the most for the rest, and no `/` lies between the first occurrence and a later one. So an occurrence is
    never given up, `(?>`, and no text is searched twice.
    """
    for number, text in enumerate(block):
        before = "[^/]+?" if number else lead
        whole = text + (end if number == len(block) - 1 else "")
        if before == "[^/]+?" and (text.startswith("/") or (not text and whole)):
            before = "[^/]++"
        yield f"(?>{before}{whole})"


_TEMPLATE_PIECES = re.compile(r"(/\*\*\Z|\*\*|\*|\{\{redacted(?::[^{}]*)?\}\}|\{[^{}/]*\})")
