"""Events as people read them on stderr, or as programs read them on stdout: one JSON object a line."""

import contextlib
import os
import re
import sys
from typing import Any, TextIO

import msgspec

from replaymock.http.messages import ERROR_STATUSES
from replaymock.telemetry.printing import Printer, printer

_COLORS = {
    "hit": "32",
    "recorded": "32",
    "unchanged": "36",
    "forwarded": "36",
    "miss": "31",
    "error": "31",
    "refused": "33",
}


# What is not dropped with the rest where nobody reads: there are few of them, and they speak of the whole run.
_SURE = frozenset(("ready", "summary"))


class Console:
    """Prints events. Requests are only shown in a terminal or when asked for; misses and warnings always."""

    def __init__(self, *, json: bool, verbose: bool, quiet: bool, out: TextIO, err: TextIO, color: bool) -> None:
        self._json = json
        self._quiet = quiet
        self._shows_requests = verbose or (err.isatty() and not quiet)
        self._color = color
        self.wants_requests = json or self._shows_requests
        self._out = printer(out, lambda count: _for_programs("dropped", {"count": count}))
        # Two in one file, as after `2>&1`, keep their order only as one.
        together = json and _are_one(out, err)
        self.err = self._out if together else printer(err, lambda count: self._text("dropped", {"count": count}))

    def report(self, event: str, members: dict[str, Any]) -> None:
        """Prints one event, or leaves it to be printed soon; nobody waits for that."""
        if event == "request" and not self.wants_requests:
            return
        if self._json:
            self._line(self._out, _for_programs(event, members), event)
        line = self._text(event, members)
        if line:
            self._line(self.err, line, event)

    def forked(self) -> None:
        """Begins anew in a child: what is to be printed yet is printed by its parent."""
        for stream in (self._out, self.err):
            if isinstance(stream, Printer):
                stream.forget()

    def close(self) -> None:
        """Waits a moment until all is printed; where stdout could not take it all, stderr says so."""
        missing = self._out.close() if isinstance(self._out, Printer) and self._out is not self.err else 0
        if missing:
            self.report("warning", {"message": _missing(missing, "stdout")})
        if isinstance(self.err, Printer):
            self.err.close()

    def _text(self, event: str, members: dict[str, Any]) -> str:
        match event:
            case "request" if self._shows_requests and not self._json:
                return self._request(members)
            case "miss":
                return self._miss(members)
            case "warning" | "broken":
                return f"{self._painted('warning', '33')}: {visible(members['message'])}"
            case "dropped":
                return f"{self._painted('warning', '33')}: {_missing(members['count'], 'this log')}"
            case "changed" if not self._quiet:
                return visible(members["text"])
            case "ready" | "summary" | "reloaded" | "hidden" if not self._quiet:
                return str(members["text"])
        return ""

    def _request(self, members: dict[str, Any]) -> str:
        outcome = members["outcome"]
        painted = self._painted(f"{outcome:<9}", _COLORS.get(outcome, "0"))
        file = f"  {members['file']}" if members["file"] else ""
        line = f"{members['method']:<7} {visible(members['target'])}  {members['status']}  {painted}"
        return f"{line} {members['elapsed_ms']:.1f} ms{file or _not_kept(outcome, members['status'])}"

    def _miss(self, members: dict[str, Any]) -> str:
        request = members["request"]
        query = "?" + "&".join(request["query"]) if "query" in request else ""
        asked = visible(f"{request['method']} {request['path']}{query}")
        lines = [f"{self._painted('miss', '31')}: {asked}: {members['reason']}"]
        for near in members["nearest"][:1]:
            lines += [visible(f"      {near['file']}: {_difference(found)}") for found in near["differences"][:5]]
        return "\n".join([*lines, f"      {visible(members['advice'])}"])

    def _painted(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color else text

    @staticmethod
    def _line(stream: Printer | TextIO, text: str, event: str) -> None:
        if isinstance(stream, Printer):
            (stream.write_surely if event in _SURE else stream.write)(f"{text}\n")
            return
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except (BrokenPipeError, ValueError):
            return


def visible(text: str) -> str:
    """A text, part of which a caller chose, without what a terminal would obey."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def _not_kept(outcome: str, status: int) -> str:
    """Why an answer of the backend's is in no file, where its status is the likely reason."""
    if outcome != "forwarded" or status not in ERROR_STATUSES:
        return ""
    return f"  not recorded without --record-status {status}"


def standard(*, json: bool, verbose: bool, quiet: bool, no_color: bool) -> Console:
    """A console on this process's stdout and stderr."""
    color = sys.stderr.isatty() and not no_color
    return Console(json=json, verbose=verbose, quiet=quiet, out=sys.stdout, err=sys.stderr, color=color)


def _for_programs(event: str, members: dict[str, Any]) -> str:
    shown = {"event": event, **members}
    shown.pop("text", None)
    return _encoder.encode(shown).decode()


def _are_one(out: TextIO, err: TextIO) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return os.path.sameopenfile(out.fileno(), err.fileno())
    return False


_encoder = msgspec.json.Encoder()
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _missing(count: int, where: str) -> str:
    lines = "1 line is" if count == 1 else f"{count} lines are"
    return f"{lines} missing in {where}, which could not be written in time"


def _difference(found: dict[str, Any]) -> str:
    recorded, received = (
        "absent" if value is None else repr(value) for value in (found["recorded"], found["received"])
    )
    return f"{found['field']} was {recorded}, came {received}"


def counted(cassettes: int) -> str:
    """A number of cassettes in words."""
    return f"{cassettes} cassette" if cassettes == 1 else f"{cassettes} cassettes"
