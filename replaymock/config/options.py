"""Every option of every command, in one table: flags, variables, keys in files, defaults, help and docs are made of it.

To add an option, write one entry, and use the value where it is needed.
"""

from collections.abc import Callable
from functools import partial
from operator import not_

from replaymock.config import settings
from replaymock.config.option import AnyText, Choice, Option, Seconds, Switch, Whole
from replaymock.proxy.routes import parse_upstream
from replaymock.replay.faults import parse_latency


def _each(parse: Callable[[str], object]) -> Callable[[tuple[str, ...]], tuple[object, ...]]:
    """Reads each of several values."""
    return lambda values: tuple(map(parse, values))


# In this order they stand in a command's help.
GROUPS = ("Common options", "What is answered", "What is recorded", "Way to the backend", "Server", "Output")
_COMMON, _ANSWERED, _RECORDED, _BACKEND, _SERVER, _OUTPUT = GROUPS
_RECORD, _REPLAY = ("record",), ("replay",)

OPTIONS = (
    Option(
        "upstream",
        "The real backend; with a prefix, for paths below it. Repeatable, the longest prefix wins.",
        metavar="[PREFIX=]URL",
        commands=_RECORD,
        group=_COMMON,
        is_repeatable=True,
        setting="upstreams",
        needed="record needs a backend: --upstream https://api.example.com (or upstream = … in replaymock.toml)",
        parse=_each(parse_upstream),
        page="the real backend. With a prefix (`/auth=https://…`), for paths at and below it; the prefix stays in "
        "the path. A path in the URL is put before each path. Repeatable; the longest prefix wins",
    ),
    Option(
        "mode",
        "all: forward everything and renew what is seen. new: serve hits, record misses. "
        "rewrite: remove what was recorded first.",
        Choice(("all", "new", "rewrite")),
        default="all",
        metavar="MODE",
        commands=_RECORD,
        group=_COMMON,
        page="`all`: forward everything, and update cassettes whose answer changed. `new`: answer what is stored, "
        "forward and record the rest. `rewrite`: first remove what was recorded",
    ),
    Option(
        "header",
        "Add a header upstream; it is never stored. Repeatable.",
        AnyText(splitter="\n"),
        metavar="'Name: value'",
        commands=_RECORD,
        group=_BACKEND,
        is_repeatable=True,
        setting="headers",
        parse=_each(settings.parse_header),
        page="added to requests to the backend, in place of the client's; never stored. Repeatable",
    ),
    Option(
        "insecure",
        "Do not verify the backend's certificate.",
        Switch(),
        commands=_RECORD,
        group=_BACKEND,
        setting="verify",
        parse=not_,
    ),
    Option(
        "ca_file",
        "Trust the certificate authorities in this PEM file too.",
        metavar="FILE",
        commands=_RECORD,
        group=_BACKEND,
        is_path=True,
        page="PEM file of certificate authorities to trust, beside the usual ones",
    ),
    Option(
        "client_cert",
        "Present this PEM certificate to the backend.",
        metavar="FILE",
        commands=_RECORD,
        group=_BACKEND,
        is_path=True,
        page="PEM certificate to present",
    ),
    Option(
        "client_key",
        "Its key, unless the certificate file holds it.",
        metavar="FILE",
        commands=_RECORD,
        group=_BACKEND,
        is_path=True,
        page="its key, unless the certificate's file holds it",
    ),
    Option(
        "upstream_proxy",
        "Reach the backend through this HTTP or SOCKS proxy.",
        metavar="URL",
        commands=_RECORD,
        group=_BACKEND,
        page="a proxy on the way to the backend: `http://host:port` or `socks5://host:port`. A SOCKS proxy looks up "
        'the names of backends itself, and needs `pip install "replaymock[socks]"`. `HTTP_PROXY` and the like are '
        "ignored",
    ),
    Option(
        "upstream_http2",
        "Speak HTTP/2 with backends that offer it over TLS.",
        Switch(),
        commands=_RECORD,
        group=_BACKEND,
        page="speak HTTP/2 with backends that offer it over TLS, and HTTP/1.1 with all others. Needs `pip install "
        '"replaymock[http2]"`. Use it for backends that speak nothing else: HTTP/1.1 is faster here, and passes on '
        "an answer that comes before the end of an upload. WebSockets and logins that hold for a connection need "
        "HTTP/1.1",
    ),
    Option(
        "connect_timeout",
        "For connecting.",
        Seconds(),
        default=10.0,
        metavar="SECONDS",
        commands=_RECORD,
        group=_BACKEND,
    ),
    Option(
        "read_timeout",
        "Between two pieces of an answer.",
        Seconds(),
        default=60.0,
        metavar="SECONDS",
        commands=_RECORD,
        group=_BACKEND,
    ),
    Option(
        "only",
        "Record only paths like /api/**. Repeatable.",
        metavar="GLOB",
        commands=_RECORD,
        group=_RECORDED,
        is_repeatable=True,
        parse=partial(settings.check_globs, flag="--only"),
        page="record these paths only, forward the rest. Repeatable",
    ),
    Option(
        "skip",
        "Forward paths like /metrics without recording. Repeatable.",
        metavar="GLOB",
        commands=_RECORD,
        group=_RECORDED,
        is_repeatable=True,
        parse=partial(settings.check_globs, flag="--skip"),
        page="forward these paths without recording. Repeatable",
    ),
    Option(
        "record_status",
        "Record these errors too, as in 401,500-503. 5xx, 429, 401 and 403 are not recorded by default.",
        metavar="RANGES",
        commands=_RECORD,
        group=_RECORDED,
        setting="statuses",
        parse=settings.parse_statuses,
        page="record these errors too, as in `401,500-503`",
    ),
    Option(
        "max_stream_time",
        "Keep a stream of events that goes on for longer as far as that.",
        Seconds(),
        default=300.0,
        metavar="SECONDS",
        commands=_RECORD,
        group=_RECORDED,
        page="a stream of events or a WebSocket is kept up to this time, and then marked `truncated`; the client "
        "gets the rest too",
    ),
    Option(
        "no_rewrite",
        "Leave the backend's own origin in headers and bodies as it is.",
        Switch(),
        commands=_RECORD,
        group=_RECORDED,
        setting="rewrite",
        parse=not_,
        page="do not replace the backend's origin in answers and files, nor this server's [in "
        "requests](#what-the-backend-sees)",
    ),
    Option(
        "sequence",
        "What a repeated request gets. auto: one step a call, the last stays. loop: from the start again. "
        "strict: a miss after the last. first, last: always that one.",
        Choice(("auto", "loop", "strict", "first", "last")),
        default="auto",
        metavar="POLICY",
        commands=_REPLAY,
        group=_ANSWERED,
        page="what a repeated request gets: [`auto`, `loop`, `strict`, `first`, `last`](matching.md#sequences)",
    ),
    Option(
        "latency",
        "Hold each answer back: MS or MIN-MAX milliseconds, as long as recorded, or xFACTOR of that.",
        default="0",
        metavar="LATENCY",
        commands=_REPLAY,
        group=_ANSWERED,
        parse=parse_latency,
        page="delay answers: by milliseconds, by a range such as `100-300`, as `recorded`, or by a factor of that "
        "such as `x0.5`",
    ),
    Option(
        "seed",
        "Of the random numbers behind latencies and faults: the same seed, the same run.",
        Whole(),
        default=0,
        metavar="NUMBER",
        commands=_REPLAY,
        group=_ANSWERED,
        page="of the random numbers for latencies and [faults](#rule)",
    ),
    Option(
        "miss_status",
        "The status of a miss, 400 to 599.",
        Whole(400, 599),
        default=404,
        metavar="CODE",
        commands=_REPLAY,
        group=_ANSWERED,
    ),
    Option(
        "fail_on_miss",
        "Exit with 1 at the end if there was a miss.",
        Switch(),
        commands=_REPLAY,
        group=_OUTPUT,
        page="exit with 1 at the end if there was a miss; a request for a cassette that cannot be read counts as one",
    ),
    Option(
        "shift_time",
        "Which times move by the age of a recording. expiry: of cookies, tokens and the like. "
        "json: every time in JSON bodies too.",
        Choice(("expiry", "json")),
        default="expiry",
        metavar="WHAT",
        commands=_REPLAY,
        group=_ANSWERED,
        page="which times in an answer [move by the age of its recording](cassettes.md#times): `expiry`, or `json` for "
        "every time in JSON bodies too",
    ),
    Option(
        "freeze_time",
        "Leave every time as it was recorded.",
        Switch(),
        commands=_REPLAY,
        group=_ANSWERED,
        setting="",
    ),
    Option(
        "conditional",
        "Answer If-None-Match and If-Modified-Since by 304 where they hold.",
        Switch(),
        commands=_REPLAY,
        group=_ANSWERED,
        page="answer `If-None-Match` and `If-Modified-Since` by 304 "
        "[where they hold](matching.md#conditions-and-ranges)",
    ),
    Option(
        "no_fast_lane",
        "Answer every request by the full server, which is slower.",
        Switch(),
        commands=_REPLAY,
        group=_SERVER,
        setting="fast_lane",
        parse=not_,
        page="do not use the fast path, which serves ready answers; slower",
    ),
    Option(
        "workers",
        "Serve by so many processes on one port; auto: one on each core. Each has its own positions in sequences.",
        default="1",
        metavar="N",
        commands=_REPLAY,
        group=_SERVER,
        parse=settings.workers_here,
        page="how many [processes](#workers) serve, 1 to 256, or `auto` for one on each core",
    ),
    Option(
        "cassettes",
        "The folder of cassettes.",
        default="cassettes",
        metavar="DIR",
        group=_COMMON,
        is_path=True,
    ),
    Option(
        "host",
        "The address to listen on; localhost is 127.0.0.1 and ::1, anything wider prints a warning.",
        default="localhost",
        metavar="HOST",
        group=_SERVER,
        page="the address to listen on. `localhost` is 127.0.0.1 and ::1; anything wider prints a warning. With "
        "`0.0.0.0` or `::` the line at the start shows `localhost` and the address for other machines",
    ),
    Option(
        "allow_host",
        "Take requests for this Host too, beside the loopback's names. Repeatable.",
        metavar="NAME",
        group=_SERVER,
        is_repeatable=True,
        setting="allowed_hosts",
        parse=_each(settings.parse_host),
        page="accept requests for this [`Host`](#which-host-and-whose-pages) too; repeatable",
    ),
    Option(
        "port",
        "The port; 0 picks a free one.",
        Whole(0, 65535),
        default=8081,
        metavar="PORT",
        group=_COMMON,
        page="0 picks a free one. If the port is busy, the exit code is 2",
    ),
    Option(
        "config",
        "Read this file instead of replaymock.toml or pyproject.toml found upwards from here.",
        metavar="FILE",
        group=_COMMON,
        table=None,
        setting="",
        page="see above",
    ),
    Option(
        "json",
        "Print events as JSON lines on stdout.",
        Switch(),
        group=_OUTPUT,
        page="[events](#events-of---json) as JSON lines on stdout",
    ),
    Option(
        "ready_file",
        "Write URL, port and pid here once requests are answered.",
        metavar="PATH",
        group=_OUTPUT,
        is_path=True,
        page="written once requests are answered, removed at the end: one JSON object with `url`, `port`, `pid` and "
        "`cassettes`",
    ),
    Option(
        "verbose",
        "Print a line per request, also when stderr is no terminal.",
        Switch(),
        group=_OUTPUT,
        short="-v",
        page="print a line for each request, also if stderr is not a terminal",
    ),
    Option(
        "quiet",
        "Print misses and warnings only.",
        Switch(),
        group=_OUTPUT,
        short="-q",
        page="print misses and warnings only",
    ),
    Option(
        "cors_origin",
        "Allow credentials to pages of this origin too (loopback origins may always). Repeatable.",
        metavar="ORIGIN",
        group=_SERVER,
        is_repeatable=True,
        setting="cors_origins",
        parse=_each(settings.parse_origin),
        page="pages of this origin may send credentials; repeatable",
    ),
    Option(
        "no_cors",
        "Leave CORS to the backend: pass and replay what it sent.",
        Switch(),
        group=_SERVER,
        setting="cors",
        parse=not_,
        page="leave [CORS](#cors) to the backend",
    ),
    Option(
        "session_header",
        "The header that names a session.",
        default="Replaymock-Session",
        metavar="NAME",
        group=_SERVER,
        parse=partial(settings.parse_header_name, flag="--session-header"),
        page="the header that names a [session](matching.md#sessions)",
    ),
    Option(
        "diagnostics",
        "Say in each answer whether it was a hit and which cassette it is from (on by default).",
        Switch(),
        default=True,
        group=_SERVER,
        page="[headers](matching.md#every-answer-says-what-it-is) that say where an answer is from",
    ),
    Option(
        "max_body",
        "The largest body kept; on replay, the largest request body taken.",
        default="64MiB",
        metavar="SIZE",
        group=_SERVER,
        parse=settings.parse_size,
        page="the largest body that is kept. While recording, a larger one passes, in bounded memory. On replay, a "
        "larger request gets 413",
    ),
    Option("config", "The configuration to read.", metavar="FILE", commands=("check", "scan", "ls"), table=None),
    Option("json", "Print a JSON array.", Switch(), commands=("scan", "ls"), table=None),
    Option("sarif", "Print SARIF 2.1.0, as code scanners do.", Switch(), commands=("scan",), table=None),
    Option(
        "serve",
        "Keep replaying at the end, and print what to try.",
        Switch(),
        commands=("demo",),
        table=None,
        has_variable=False,
    ),
    Option(
        "port",
        "The port for --serve; 0 picks one.",
        Whole(0, 65535),
        default=8081,
        metavar="PORT",
        commands=("demo",),
        table=None,
        has_variable=False,
    ),
)


def options_of(command: str) -> list[Option]:
    """The options that a command takes."""
    return [option for option in OPTIONS if command in option.commands]
