"""What differs from run to run, replaced: ports, processes, times and how long things took."""

import base64
import re
import time
from calendar import timegm
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate
from pathlib import Path

_REPLACED = [
    (r'(?<="pid":)(\s*)\d+', r"\g<1>1"),
    (r'(?<="port":)(\s*)\d+', r"\g<1>8081"),
    (r'(?<="elapsed_ms":)(\s*)[\d.e-]+', r"\g<1>1.5"),
    (r'(?<="name": "replaymock",)(\s*"version": )"[^"]*"', r'\1"1.0"'),
    (r"\b\d+\.\d ms\b", "1.5 ms"),
    (r"(?<=://)(localhost|127\.0\.0\.1):(?!(?:1|3000|8081)\b)\d+", r"\1:PORT"),
]
_RECORDED = [
    (
        r'"recorded_at": "[^"]*"(?:,\n(\s*)"elapsed_ms": \d+)?',
        '"recorded_at": "2026-01-02T03:04:05Z",\n      "elapsed_ms": 7',
    ),
    (r',\s*"delay_ms": \d+', ""),
    (r'\n\s*"pauses": \[[^\]]*\],', ""),
]


def normal(text: str, *folders: Path) -> str:
    """What was printed or answered, with the same port, process and times in each run, and without these folders."""
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), ".")
    for pattern, by in _REPLACED:
        text = re.sub(pattern, by, text)
    return text


def as_recorded_once(data: bytes) -> bytes:
    """A cassette as if each response had come at one moment and taken the same time, without pauses."""
    text = data.decode()
    for pattern, by in _RECORDED:
        text = re.sub(pattern, by, text)
    return text.encode()


def as_offsets(text: str) -> str:
    """Times of these days as how far they are from now, in minutes; tokens as their claims."""
    text = re.sub(r"eyJ[\w-]+\.([\w-]+)\.[\w-]*", lambda found: f"(token of {_decoded(found[1])})", text)
    for pattern, read in _TIMES:
        text = re.sub(pattern, lambda found, read=read: _offset(found[0], read), text)
    return text


def _offset(text: str, read: Callable[[str], float]) -> str:
    minutes = round((read(text) - time.time()) / 60)
    return f"(now {minutes:+} min)" if abs(minutes) < 24 * 60 else text


def _decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


_TIMES: list[tuple[str, Callable[[str], float]]] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lambda text: datetime.fromisoformat(text).timestamp()),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", lambda text: timegm(parsedate(text) or time.gmtime(0))),
    (r"\b[1-9]\d{9}\b", float),
]
