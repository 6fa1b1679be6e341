"""The fenced examples of a Markdown page, for the tests that hold the pages to what they say."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Example:
    """A fenced block: its language, its text, and the file that the line before it names, if it does."""

    language: str
    text: str
    file: str


def examples(page: str, language: str) -> list[Example]:
    found = _FENCED.finditer((ROOT / page).read_text(encoding="utf-8"))
    return [
        Example(match["language"], match["text"], match["file"] or "")
        for match in found
        if match["language"] == language
    ]


def steps(page: str) -> list[Example]:
    """The shell blocks of a page, and the blocks between them that show what they print or leave."""
    found = _FENCED.finditer((ROOT / page).read_text(encoding="utf-8"))
    return [Example(match["language"], match["text"], match["file"] or "") for match in found]


_FENCED = re.compile(
    r"(?:`(?P<file>[^`\n]+)`[^`\n]*:\n\n)?^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
