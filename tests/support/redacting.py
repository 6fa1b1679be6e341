"""A text redactor whose placeholders tell what they stand for."""

from replaymock.redaction.redactor import KINDS
from replaymock.redaction.text import TextRedactor

HIDER = TextRedactor({kind: [] for kind in KINDS}, {kind: [] for kind in KINDS})


def named(name: str, _value: str) -> str:
    return "{{redacted:" + name.lower() + "}}"
