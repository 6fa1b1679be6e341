"""Events as people read them: from an event to its line, or to the few lines that belong together."""

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any, assert_never

from replaymock.http.status import ERROR_STATUSES
from replaymock.telemetry.events import (
    Broken,
    Changed,
    Dropped,
    Event,
    Hidden,
    MissOccurred,
    Ready,
    Recorded,
    Reloaded,
    ServedRequest,
    Summary,
    Warned,
)

Paint = Callable[[str, str], str]
"""Gives a text the color of a number (of ECMA-48, SGR), or leaves it as it is."""


def plain(text: str, _color: str) -> str:
    """The text without a color."""
    return text


def colored(text: str, color: str) -> str:
    """The text in a color."""
    return f"\x1b[{color}m{text}\x1b[0m"


def text_of(event: Event, paint: Paint) -> str:
    """The text of an event, without a line end; empty if the event is only for programs."""
    match event:
        case ServedRequest():
            return _request_text(event, paint)
        case MissOccurred():
            return _miss_text(event, paint)
        case Warned() | Broken():
            return f"{paint('warning', _YELLOW)}: {visible(event.message)}"
        case Dropped():
            return f"{paint('warning', _YELLOW)}: {missing_lines(event.count, 'this log')}"
        case Changed():
            return visible(_changed_text(event))
        case Hidden():
            return _hidden_text(event)
        case Reloaded():
            return f"reloaded: {counted(event.cassettes)}"
        case Ready():
            return "\n".join(_ready_lines(event))
        case Summary():
            return _summary_text(event)
        case Recorded():
            return ""
    assert_never(event)


def visible(text: str) -> str:
    """A text of which a client chose a part, with the characters escaped that a terminal would obey."""
    return _CONTROL.sub(lambda control: control.group().encode("unicode_escape").decode("ascii"), text)


def counted(cassettes: int) -> str:
    """A number of cassettes in words."""
    return f"{cassettes} cassette" if cassettes == 1 else f"{cassettes} cassettes"


def missing_lines(count: int, where: str) -> str:
    """How many lines a log lacks, in words."""
    lines = "1 line is" if count == 1 else f"{count} lines are"
    return f"{lines} missing in {where}, which could not be written in time"


def _request_text(served: ServedRequest, paint: Paint) -> str:
    outcome = paint(f"{served.outcome:<9}", _OUTCOME_COLORS.get(served.outcome, "0"))
    line = f"{served.method:<7} {visible(served.target)}  {served.status}  {outcome} {served.elapsed_ms:.1f} ms"
    return f"{line}  {served.file}" if served.file else line + _why_not_recorded(served)


def _why_not_recorded(served: ServedRequest) -> str:
    """Why the response is in no file, if its status is the likely reason."""
    if served.outcome != "forwarded" or served.status not in ERROR_STATUSES:
        return ""
    return f"  not recorded without --record-status {served.status}"


def _miss_text(miss: MissOccurred, paint: Paint) -> str:
    query = "?" + "&".join(miss.request["query"]) if "query" in miss.request else ""
    target = visible(f"{miss.request['method']} {miss.request['path']}{query}")
    lines = [f"{paint('miss', _RED)}: {target}: {miss.reason}"]
    for near in miss.nearest[:1]:
        lines += [visible(f"      {near['file']}: {_difference_text(each)}") for each in near["differences"][:5]]
    return "\n".join([*lines, f"      {visible(miss.advice)}"])


def _difference_text(difference: dict[str, Any]) -> str:
    """What was recorded and what the request has, as in `query:page: recorded '2', missing in this request`."""
    field, recorded, received = difference["field"], difference["recorded"], difference["received"]
    before = "not recorded" if recorded is None else f"recorded {recorded!r}"
    now = "missing in this request" if received is None else f"this request has {received!r}"
    return f"{field}: {before}, {now}"


def _changed_text(changed: Changed) -> str:
    others = len(changed.files) - 1
    files = changed.files[0] + (f" and {counted(others)} more" if others else "")
    fields = " and ".join(changed.only_in)
    advice = f"If these values are noise (clocks, ids), put this line {changed.where}: {changed.hint}"
    return f"{files}: changed only in {fields}. {advice}"


def _hidden_text(hidden: Hidden) -> str:
    files = ", ".join(hidden.files[:_NAMED_FILES]) + (" …" if len(hidden.files) > _NAMED_FILES else "")
    return f"hidden in {counted(len(hidden.files))} what only now is known to be secret: {files}"


def _ready_lines(ready: Ready) -> Iterator[str]:
    """That the server is ready, and the next thing to know: where requests go, or how to make a first cassette."""
    amount = counted(ready.cassettes)
    if ready.workers > 1:
        amount += f"; {ready.workers} workers, each with its own positions in sequences"
    url = ", from other machines ".join(ready.addresses) or ready.url
    yield f"replaymock {ready.command} ready: {url} ({amount})"
    if ready.upstreams:
        yield f"forwards {', '.join(ready.upstreams)}; writes into {ready.folder}/"
    elif not ready.cassettes:
        example = posixpath.join(ready.folder, "hello.json")
        yield f"{ready.folder}/ holds none: put JSON into {example} to have it at /hello"


def _summary_text(summary: Summary) -> str:
    redacted = str(summary.redacted)
    if summary.redacted_files:
        redacted += f" in {counted(summary.redacted_files)}"
    recorded = [f"recorded {summary.recorded}"] if summary.is_recording else []
    counts = [f"hits {summary.hits}", f"misses {summary.misses}", *recorded, f"unused {summary.unused}"]
    counts += [f"redacted {redacted}"] if summary.is_recording else []
    counts += [f"failed writes {summary.failed_writes}"] if summary.failed_writes else []
    return f"replaymock: {', '.join(counts)}"


_RED, _GREEN, _YELLOW, _CYAN = "31", "32", "33", "36"
_OUTCOME_COLORS = {
    "hit": _GREEN,
    "recorded": _GREEN,
    "unchanged": _CYAN,
    "forwarded": _CYAN,
    "miss": _RED,
    "error": _RED,
    "refused": _YELLOW,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NAMED_FILES = 5
