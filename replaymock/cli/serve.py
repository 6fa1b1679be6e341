"""`record` and `replay`."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from replaymock.cli.help import Command
from replaymock.cli.options import TextLine, effective, option, shared
from replaymock.config import config_file, settings
from replaymock.config.discovery import read_file
from replaymock.errors import UsageError
from replaymock.proxy import routes
from replaymock.replay import faults

if TYPE_CHECKING:
    from replaymock.telemetry.console import Console


@click.command(cls=Command, context_settings={"allow_extra_args": True})
@option(
    "--upstream",
    metavar="[PREFIX=]URL",
    multiple=True,
    help="The real backend; with a prefix, for paths below it. Repeatable, the longest prefix wins.",
)
@option(
    "--mode",
    type=click.Choice(["all", "new", "rewrite"]),
    default="all",
    show_default=True,
    help="all: forward everything and renew what is seen. new: serve hits, record misses. "
    "rewrite: remove what was recorded first.",
)
@option(
    "--header",
    type=TextLine(),
    metavar="'Name: value'",
    multiple=True,
    help="Add a header upstream; it is never stored. Repeatable.",
)
@option("--insecure", is_flag=True, help="Do not verify the backend's certificate.")
@option("--ca-file", metavar="FILE", default="", help="Trust the certificate authorities in this PEM file too.")
@option("--client-cert", metavar="FILE", default="", help="Present this PEM certificate to the backend.")
@option("--client-key", metavar="FILE", default="", help="Its key, unless the certificate file holds it.")
@option("--upstream-proxy", metavar="URL", default="", help="Reach the backend through this HTTP proxy.")
@option(
    "--connect-timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="For connecting.",
)
@option(
    "--read-timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Between two pieces of an answer.",
)
@option("--only", metavar="GLOB", multiple=True, help="Record only paths like /api/**. Repeatable.")
@option("--skip", metavar="GLOB", multiple=True, help="Forward paths like /metrics without recording. Repeatable.")
@option(
    "--record-status",
    metavar="RANGES",
    default="",
    help="Record these errors too, as in 401,500-503. 5xx, 429, 401 and 403 are not recorded by default.",
)
@option(
    "--max-stream-time",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=300.0,
    show_default=True,
    help="Keep a stream of events that goes on for longer as far as that.",
)
@option("--no-rewrite", is_flag=True, help="Leave the backend's own origin in headers and bodies as it is.")
@shared
@click.pass_context
def record(context: click.Context, /, **_values: Any) -> None:
    """Forward to a real backend, and save each distinct exchange as a cassette.

    [bold]replaymock record --upstream https://api.example.com[/bold]

    Every answer reaches the caller as the backend sent it, and is on disk a moment later. Secrets are replaced before
    anything is written. Recording again against an unchanged backend leaves an empty git diff.
    """
    _refuse_arguments(context)
    found = read_file(context.params["config"])
    values = effective(context, found)
    if not values["upstream"]:
        raise UsageError(
            "record needs a backend: --upstream https://api.example.com (or upstream = … in replaymock.toml)"
        )
    _serve(
        settings.Settings(
            **_common(values, found),
            upstreams=tuple(routes.parse_upstream(url) for url in values["upstream"]),
            mode=values["mode"],
            headers=tuple(settings.parse_header(text) for text in values["header"]),
            verify=not values["insecure"],
            ca_file=values["ca_file"],
            client_cert=values["client_cert"],
            client_key=values["client_key"],
            upstream_proxy=values["upstream_proxy"],
            connect_timeout=settings.parse_seconds(values["connect_timeout"], "--connect-timeout"),
            read_timeout=settings.parse_seconds(values["read_timeout"], "--read-timeout"),
            only=settings.check_globs(values["only"], "--only"),
            skip=settings.check_globs(values["skip"], "--skip"),
            statuses=settings.parse_statuses(values["record_status"]),
            max_stream_time=settings.parse_seconds(values["max_stream_time"], "--max-stream-time"),
            rewrite=not values["no_rewrite"],
        )
    )


@click.command(cls=Command, context_settings={"allow_extra_args": True})
@option(
    "--sequence",
    type=click.Choice(["auto", "loop", "strict", "first", "last"]),
    default="auto",
    show_default=True,
    help="What a repeated request gets. auto: one step a call, the last stays. loop: from the start again. "
    "strict: a miss after the last. first, last: always that one.",
)
@option(
    "--latency", metavar="0|recorded|MS|MIN-MAX|xFACTOR", default="0", show_default=True, help="Hold each answer back."
)
@option(
    "--seed",
    metavar="NUMBER",
    type=int,
    default=0,
    show_default=True,
    help="Of the random numbers behind latencies and faults: the same seed, the same run.",
)
@option(
    "--miss-status",
    metavar="CODE",
    type=click.IntRange(400, 599),
    default=404,
    show_default=True,
    help="The status of a miss.",
)
@option("--fail-on-miss", is_flag=True, help="Exit with 1 at the end if there was a miss.")
@option(
    "--shift-time",
    type=click.Choice(["expiry", "json"]),
    default="expiry",
    show_default=True,
    help="Which times move by the age of a recording. expiry: of cookies, tokens and the like. "
    "json: every time in JSON bodies too.",
)
@option("--freeze-time", is_flag=True, help="Leave every time as it was recorded.")
@option("--conditional", is_flag=True, help="Answer If-None-Match and If-Modified-Since by 304 where they hold.")
@option("--no-fast-lane", is_flag=True, help="Answer every request by the ordinary road, which is slower.")
@option(
    "--workers",
    metavar="N|auto",
    default="1",
    show_default=True,
    help="Serve by so many processes on one port; auto: one on each core. Each has its own positions in sequences.",
)
@shared
@click.pass_context
def replay(context: click.Context, /, **_values: Any) -> None:
    """Serve the cassettes, with CORS. Opens no outgoing connection, ever.

    [bold]replaymock replay[/bold]

    Files are served as they are edited. A request without a cassette gets a 404 that says what was near, and the line
    of configuration that would make it hit.
    """
    _refuse_arguments(context)
    found = read_file(context.params["config"])
    values = effective(context, found)
    _serve(
        settings.Settings(
            **_common(values, found),
            sequence=settings.parse_choice(
                values["sequence"], ("auto", "loop", "strict", "first", "last"), "--sequence"
            ),
            latency=faults.parse_latency(values["latency"]),
            miss_status=values["miss_status"],
            fail_on_miss=values["fail_on_miss"],
            fast_lane=not values["no_fast_lane"],
            shift_time="" if values["freeze_time"] else values["shift_time"],
            conditional=values["conditional"],
            workers=_workers(values["workers"]),
            seed=values["seed"],
            directions=tuple(settings.parse_override(rule) for rule in found.play),
        )
    )


def _refuse_arguments(context: click.Context) -> None:
    """Other commands take the folder as it stands, and other proxies the URL: tells which option means it here."""
    if context.args:
        if "://" in context.args[0]:  # which may hold a password
            raise UsageError("a URL stands alone; write: replaymock record --upstream URL")
        folder = context.args[0]
        raise UsageError(f"{folder!r} stands alone; write: replaymock {context.info_name} --cassettes {folder}")


def _workers(text: str) -> int:
    forks = hasattr(os, "fork")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = settings.parse_workers(text, min(cores, settings.MOST_WORKERS) if forks else 1)
    if workers > 1 and not forks:
        raise UsageError(f"--workers {workers}: this system cannot fork processes; leave the option out")
    return workers


def _common(values: dict[str, Any], found: config_file.FileConfig) -> dict[str, Any]:
    return {
        "cassettes": values["cassettes"],
        "host": values["host"],
        "allowed_hosts": tuple(settings.parse_host(text) for text in values["allow_host"]),
        "port": values["port"],
        "json": values["as_json"],
        "ready_file": values["ready_file"],
        "verbose": values["verbose"],
        "quiet": values["quiet"],
        "cors_origins": tuple(settings.parse_origin(text) for text in values["cors_origin"]),
        "cors": not values["no_cors"],
        "session_header": settings.parse_header_name(values["session_header"], "--session-header"),
        "diagnostics": values["diagnostics"],
        "max_body": settings.parse_size(values["max_body"]),
        "file": found,
    }


def _serve(told: settings.Settings) -> None:
    from replaymock.telemetry import console  # noqa: PLC0415 - only a command that runs pays for what it runs

    printing = console.standard(
        json=told.json,
        verbose=told.verbose,
        quiet=told.quiet,
        no_color="NO_COLOR" in os.environ,
    )
    # What libraries log goes the same way: nothing that is said may hold up those who are served.
    with contextlib.closing(printing), contextlib.redirect_stderr(printing.err):
        sys.exit(_run(told, printing))


def _run(told: settings.Settings, console: "Console") -> int:
    if told.workers > 1:
        from replaymock.cli.workers import serve as serve_by_workers  # noqa: PLC0415

        return serve_by_workers(told, console)
    from replaymock.app import serve  # noqa: PLC0415

    return serve(told, console)
