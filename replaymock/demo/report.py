"""What the demo prints on stdout: the table, the totals, and with `--serve` what to try."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from replaymock.demo.compare import Seen, Verdict

_PIPE_WIDTH = 160


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of the demo: each request, live and replayed, and the totals."""

    rows: tuple[tuple[Seen, Seen, Verdict], ...]
    cassettes: int
    hidden: int
    leaks: tuple[str, ...]
    seconds: float

    @property
    def went_well(self) -> bool:
        """Whether every response was the same and no secret is on disk."""
        return not self.leaks and all(verdict.is_same for _, _, verdict in self.rows)


def print_result(result: DemoResult, out: TextIO | None = None) -> None:
    """Prints a row for each request, the differences if there are any, and the line of totals."""
    console = _console(out or sys.stdout)
    console.print(_table(result))
    for live, _, verdict in result.rows:
        if not verdict.is_same:
            console.print(Text(f"{live.request}: {verdict.difference}", "red"))
    for file in result.leaks:
        console.print(Text(f"{file}: holds a secret of the shop", "red"))
    console.print(Text(totals(result), "bold"))


def totals(result: DemoResult) -> str:
    """The line of totals."""
    same = sum(verdict.is_same for _, _, verdict in result.rows)
    return (
        f"{same} of {len(result.rows)} requests answered the same, offline, "
        f"from {_counted(result.cassettes, 'cassette')}, "
        f"{_counted(result.hidden, 'secret')} hidden, in {result.seconds:.1f} s"
    )


def print_hints(url: str, folder: Path, out: TextIO | None = None) -> None:
    """Prints what to try while the replay goes on."""
    width = max(len(command) for command, _ in _HINTS) + len(url)
    lines = [f"  {command.format(url=url):<{width}}  {what}".rstrip() for command, what in _HINTS]
    places = [f"cassettes, until this ends: {folder}", f"configuration: {folder.parent / 'replaymock.toml'}"]
    text = "\n".join(["", "Try:", *lines, "", *places, "Ctrl-C ends it."])
    _console(out or sys.stdout).print(Text(text), soft_wrap=True)


def _table(result: DemoResult) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("request", "live", "replayed", "same?", "cassette"):
        table.add_column(heading, overflow="fold")
    for live, replayed, verdict in result.rows:
        color = "green" if verdict.is_same else "red"
        file = replayed.cassette or "(none)"
        table.add_row(
            Text(live.request), str(live.status), str(replayed.status), Text(_word(verdict), color), Text(file)
        )
    return table


def _word(verdict: Verdict) -> str:
    if not verdict.is_same:
        return "no"
    return f"equal ({len(verdict.hidden)} hidden)" if verdict.hidden else "equal"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _console(out: TextIO) -> Console:
    # `force_terminal` overrules FORCE_COLOR, so that pipes and files stay plain.
    terminal = out.isatty()
    return Console(
        file=out,
        force_terminal=terminal,
        color_system="auto" if terminal and "NO_COLOR" not in os.environ else None,
        width=None if terminal else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


_HINTS = (
    ("curl {url}/api/items", "five items"),
    (
        'curl -H \'content-type: application/json\' -d \'{{"name": "Café crème", "price": 350}}\' {url}/api/items',
        "add one, as recorded",
    ),
    ("curl {url}/api/items", "six items: the write is remembered"),
    ("curl '{url}/api/items?limit=3'", "one page; its link to the next one leads back here"),
    ("curl -i {url}/latest", "a redirect"),
    ("curl -i {url}/account", "401: no token was sent"),
    ("curl -H 'Authorization: Bearer anything' {url}/account", "200: any token works, the real one was not stored"),
    ("curl '{url}/api/items?limit=4'", "a miss: it names the nearest cassette, and the line that makes it hit"),
    ("curl -X POST {url}/__replaymock/reset", "start again"),
)
