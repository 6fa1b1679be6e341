"""Texts inside base64 (RFC 4648): found, changed, and encoded again. What is no text when decoded is let be."""

import base64
import binascii
import codecs
import re
from collections.abc import Callable

Change = Callable[[str], str]

MOST = 256 * 1024
"""Longer runs are images and the like, and let be."""


def replace_base64(text: str, change: Change) -> str:
    """Text in which what is encoded in base64, in either alphabet, is what `change` makes of it."""
    return _RUN.sub(lambda match: _changed(match.group(), change), text)


def may_hold(text: str) -> bool:
    """Whether a text has a run that may be a text in base64."""
    return any(_decoded(match.group()) is not None for match in _RUN.finditer(text))


def _changed(run: str, change: Change) -> str:
    decoded = _decoded(run)
    if decoded is None:
        return run
    found = change(decoded)
    if found == decoded:
        return run
    encoded = base64.b64encode(found.encode("utf-8")).decode("ascii")
    if "-" in run or "_" in run:
        encoded = encoded.translate(_TO_URL)
    return encoded if run.endswith("=") else encoded.rstrip("=")


def _decoded(run: str) -> str | None:
    """The text behind a run; None where it is none."""
    if len(run) > MOST or not _text(run[:_LOOKED_AT], whole=len(run) <= _LOOKED_AT):
        return None
    return _text(run, whole=True)


def _text(run: str, *, whole: bool) -> str | None:
    plain = run.rstrip("=").translate(_FROM_URL)
    if len(plain) % 4 == 1:
        return None
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        text = codecs.getincrementaldecoder("utf-8")().decode(data, whole)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if _CONTROL.search(text) else text


_LOOKED_AT = 64
_RUN = re.compile(r"(?<![A-Za-z0-9+/_\-=.%])[A-Za-z0-9+/_\-]{24,}+={0,2}(?![A-Za-z0-9+/_\-=.%])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_TO_URL = str.maketrans("+/", "-_")
_FROM_URL = str.maketrans("-_", "+/")
