"""The whole demo in one process: records a visit to a shop, stops the shop, replays the visit and compares."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from replaymock.app import App
from replaymock.config import config_file
from replaymock.config.settings import Settings, parse_statuses
from replaymock.demo.client import visit
from replaymock.demo.compare import Seen, compare
from replaymock.demo.report import DemoResult, print_hints, print_result
from replaymock.demo.server import open_shop
from replaymock.demo.shop import PASSWORD
from replaymock.http import jwt
from replaymock.placeholders import REDACTED
from replaymock.proxy.routes import parse_upstream
from replaymock.telemetry import console

# By default errors are not recorded and headers are not matched. The demo shows one exception of each.
CONFIGURATION = """\
record-status = "401"

[[rule]]
path = "/account"
headers = ["authorization"]
"""


def run(port: int | None) -> int:
    """Runs the demo, and with a port replays there until it is ended. The exit code; UsageError for a busy port."""
    return asyncio.run(_until_ended(_story(port)))


async def tell(folder: Path, port: int) -> DemoResult:
    """Records a visit to the shop into a folder, replays it on `port`, and compares."""
    started = time.monotonic()
    live = await _record(folder)
    async with App(settings_for(folder, port), _console(quiet=True).emit).running() as player:
        _say(f"the shop is closed; replaying at {player.url}")
        replayed = await visit(player.url)
        cassettes = len(player.replay.library.index)
    rows = tuple((before, after, compare(before, after)) for before, after in zip(live, replayed, strict=True))
    secrets = frozenset((PASSWORD,)).union(*(verdict.hidden for _, _, verdict in rows))
    return DemoResult(rows, cassettes, hidden(folder), leaks(folder, secrets), time.monotonic() - started)


def settings_for(folder: Path, port: int, *upstreams: str) -> Settings:
    """The settings of a replay, or with upstreams of a recording."""
    config = config_file.read(CONFIGURATION, "demo")
    return Settings(
        cassettes=str(folder),
        port=port,
        upstreams=tuple(parse_upstream(url) for url in upstreams),
        mode="all" if upstreams else "",
        statuses=parse_statuses(config.options["record_status"]),
        file=config,
    )


def hidden(folder: Path) -> int:
    """How many different placeholders the cassettes of a folder hold."""
    texts = (place.read_text("utf-8") for place in folder.rglob("*.json"))
    return len({placeholder for text in texts for placeholder in REDACTED.findall(jwt.as_placeholders(text))})


def leaks(folder: Path, secrets: frozenset[str]) -> tuple[str, ...]:
    """The files below a folder that have one of these values in their name or in their content."""
    names = {place.relative_to(folder).as_posix(): place for place in folder.rglob("*") if place.is_file()}
    contents = {name: name.encode() + b"\n" + place.read_bytes() for name, place in names.items()}
    return tuple(
        name for name, content in sorted(contents.items()) if any(secret.encode() in content for secret in secrets)
    )


async def _story(port: int | None) -> int:
    with tempfile.TemporaryDirectory(prefix="replaymock-demo-") as place:
        folder = Path(place) / "cassettes"
        (Path(place) / "replaymock.toml").write_text(CONFIGURATION)
        result = await tell(folder, port or 0)
        print_result(result)
        if port is None:
            _say("the cassettes were temporary and are gone; to look at them and try: replaymock demo --serve")
        else:
            await _serve(folder, port)
    return 0 if result.went_well else 1


async def _record(folder: Path) -> list[Seen]:
    async with (
        open_shop() as shop,
        App(settings_for(folder, 0, shop), _console(quiet=True).emit).running() as recorder,
    ):
        _say(f"a shop is open at {shop}; recording it at {recorder.url} into {folder}")
        _say("options: --record-status 401 keeps 401 answers; /account is matched by its authorization header too")
        return await visit(recorder.url)


async def _serve(folder: Path, port: int) -> None:
    """Replays from the beginning, until the user ends it."""
    printing = _console(quiet=False)
    with contextlib.closing(printing):
        async with App(settings_for(folder, port), printing.emit).running() as player:
            print_hints(player.url, folder)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


async def _until_ended(story: Coroutine[Any, Any, int]) -> int:
    """The exit code of the demo, or 0 if SIGINT or SIGTERM ends it. Files and sockets are cleared away in any case."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(story)
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, task.cancel)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
    try:
        return await task
    except asyncio.CancelledError:
        return 0


def _console(*, quiet: bool) -> console.Console:
    return console.standard(json=False, verbose=False, quiet=quiet, no_color="NO_COLOR" in os.environ)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
