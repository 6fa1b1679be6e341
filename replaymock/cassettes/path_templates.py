"""Path templates of cassettes and globs of rules, such as `/users/{id}` and `/files/**`, as one compiled pattern."""

import re
from collections.abc import Iterator
from functools import lru_cache

from replaymock.http.uri import normal_path
from replaymock.placeholders import REDACTED


def is_template(path: str) -> bool:
    """Whether a cassette's path stands for many paths."""
    return any(character in REDACTED.sub("", path) for character in "{*")


@lru_cache(maxsize=4096)
def compile_template(template: str) -> re.Pattern[str]:
    """A template or glob as an expression over normal paths, in which looking grows with a path and no faster.

    `{id}` and `*` stand for part of a segment, at least one character; `/**` at the end for nothing or anything
    below; `**` elsewhere for anything.
    """
    end = r"(?:/.*)?\Z" if template.endswith("/**") else r"\Z"
    beginning, *others = _blocks(template.removesuffix("/**"))
    if not others:
        return re.compile("".join(_steps("", beginning, end)), re.DOTALL)
    *between, last = others
    parts = [*_steps("", beginning, ""), *(f"(?>{_anywhere(block, '')})" for block in between)]
    return re.compile("".join([*parts, _anywhere(last, end) if last != [""] else ".*"]), re.DOTALL)


def specificity(template: str) -> tuple[int, int, str]:
    """A sort key: the template with more literal characters first, then the one with fewer wildcards."""
    pieces = _TEMPLATE_PIECES.split(template)
    literal = sum(len(piece) for piece in pieces if not _TEMPLATE_PIECES.fullmatch(piece))
    return (-literal, len(pieces), template)


def _blocks(template: str) -> list[list[str]]:
    """A glob cut at each `**`; each block is the texts, escaped, before, between and after its `*` and `{name}`."""
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
    """A block behind anything: tried once in each segment, since what fails there fails from any later place in it."""
    return "".join(["(?:[^/]*+/)*?", *_steps("[^/]*?", block, end)])


def _steps(lead: str, block: list[str], end: str) -> Iterator[str]:
    """The texts of a block, each where it comes first behind the one before.

    That leaves most to what follows, and no `/` is between a first place and a later one; so a place once found is
    never given up, `(?>`, and nothing is looked through twice.
    """
    for number, text in enumerate(block):
        before = "[^/]+?" if number else lead
        whole = text + (end if number == len(block) - 1 else "")
        if before == "[^/]+?" and (text.startswith("/") or (not text and whole)):
            before = "[^/]++"
        yield f"(?>{before}{whole})"


_TEMPLATE_PIECES = re.compile(r"(/\*\*\Z|\*\*|\*|\{\{redacted(?::[^{}]*)?\}\}|\{[^{}/]*\})")
