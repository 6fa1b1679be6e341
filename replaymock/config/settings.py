"""Settings: everything one run is told, and each value read from the text a flag, a variable or a file gives it as."""

import os
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from replaymock.errors import UsageError
from replaymock.http.headers import FIELD_VALUE, HOST, TOKEN, Headers
from replaymock.matching.config_location import ConfigLocation
from replaymock.matching.rules import MatchRule
from replaymock.proxy.options import TlsOptions, UpstreamOptions
from replaymock.proxy.routes import Upstream
from replaymock.redaction.redactor import RedactionRules
from replaymock.replay.faults import Latency, ReplayOverride, parse_fault, parse_latency

MOST_WORKERS = 256


class ReplayRuleText(Struct, frozen=True):
    """What a rule says of how answers are played, in words, and the `place` it stands at."""

    path: str
    method: str
    latency: str
    fault: str
    place: str


class FileConfig(Struct, frozen=True):
    """What a configuration file says: options by their names, and the tables only a file can hold.

    `places` have the file and line of each option. `rules_files` hold rules for secrets, which are read into
    `redaction`; `notes` are to be told as warnings.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[MatchRule, ...] = ()
    ignored: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    redaction: RedactionRules = field(default_factory=RedactionRules)
    dropped_headers: frozenset[str] = frozenset()
    play: tuple[ReplayRuleText, ...] = ()
    rules_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    home: ConfigLocation = field(default_factory=ConfigLocation)


class Settings(Struct, frozen=True):
    """Everything one run is told."""

    cassettes: str = "cassettes"
    host: str = "localhost"
    port: int = 8081
    json: bool = False
    ready_file: str = ""
    verbose: bool = False
    quiet: bool = False
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    cors: bool = True
    session_header: str = "Replaymock-Session"
    diagnostics: bool = True
    upstreams: tuple[Upstream, ...] = ()
    mode: str = ""
    headers: Headers = ()
    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    upstream_proxy: str = ""
    upstream_http2: bool = False
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    statuses: frozenset[int] = frozenset()
    max_body: int = 64 * 1024 * 1024
    max_stream_time: float = 300.0
    rewrite: bool = True
    sequence: str = "auto"
    latency: Latency = field(default_factory=Latency)
    miss_status: int = 404
    fail_on_miss: bool = False
    fast_lane: bool = True
    shift_time: str = "expiry"
    conditional: bool = False
    workers: int = 1
    seed: int = 0
    directions: tuple[ReplayOverride, ...] = ()
    file: FileConfig = field(default_factory=FileConfig)

    @property
    def upstream_options(self) -> UpstreamOptions:
        """The part of the settings that concerns the backends."""
        return UpstreamOptions(
            upstreams=self.upstreams,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            proxy=self.upstream_proxy,
            http2=self.upstream_http2,
            tls=TlsOptions(self.verify, self.ca_file, self.client_cert, self.client_key),
        )


def parse_header(text: str) -> tuple[str, str]:
    """A header from `Name: value`. UsageError when it is none; what may be the value is not repeated in the message."""
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon and _LIKELY_NAME.fullmatch(name):
        raise UsageError(f"--header {name!r} has no value; write '{name}: …'")
    if not colon or not TOKEN.fullmatch(name):
        raise UsageError("--header: one is no header; write each as 'Name: value'")
    if not FIELD_VALUE.fullmatch(value):
        raise UsageError(f"--header: the value of {name} holds characters that a header cannot")
    return name, value


def parse_override(rule: ReplayRuleText) -> ReplayOverride:
    """What a rule of the file says of play. UsageError naming its line."""
    return ReplayOverride(
        path=rule.path,
        method=rule.method,
        latency=parse_latency(rule.latency, f"{rule.place}: latency") if rule.latency else None,
        fault=parse_fault(rule.fault, f"{rule.place}: fault") if rule.fault else None,
    )


def parse_statuses(text: str) -> frozenset[int]:
    """Status codes from ranges such as `401,500-503`."""
    statuses: set[int] = set()
    for item in filter(None, (item.strip() for item in text.split(","))):
        match = _RANGE.fullmatch(item)
        low = int(match.group(1)) if match else 0
        high = int(match.group(2) or low) if match else 0
        if not 200 <= low <= high <= 599:  # noqa: PLR2004 - final status codes
            raise UsageError(f"--record-status {item!r}: use codes and ranges from 200 to 599, such as 401,500-503")
        statuses.update(range(low, high + 1))
    return frozenset(statuses)


def parse_size(text: str) -> int:
    """A number of bytes from `500`, `64KiB`, `10MB` and the like."""
    match = _SIZE.fullmatch(text.strip())
    if not match or match.group(2).lower() not in _UNITS:
        raise UsageError(f"--max-body {text!r}: use a size such as 500KB or 64MiB")
    return int(match.group(1)) * _UNITS[match.group(2).lower()]


def parse_origin(text: str) -> str:
    """An origin as browsers send it: lower case, without its scheme's own port. UsageError when it has a path."""
    if not re.fullmatch(r"[a-z][a-z0-9+.\-]*://[^/?#\s,]+", text):
        raise UsageError(f"--cors-origin {text!r}: write scheme, host and port only, as in https://app.example.com")
    scheme, _, host = text.lower().partition("://")
    return f"{scheme}://{host.removesuffix({'http': ':80', 'https': ':443'}.get(scheme, ' '))}"


def parse_host(text: str) -> str:
    """A host name as `Host` is compared with it. UsageError where it is none, or has a port."""
    if not HOST.fullmatch(text) or re.search(r":[0-9]+\Z", text.rpartition("]")[2]):
        raise UsageError(f"--allow-host {text!r}: write a host name only, as in mock.example.com")
    return text.lower()


def parse_workers(text: str, cores: int) -> int:
    """A number of processes, or `auto` for one on each core."""
    workers = cores if text == "auto" else int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"--workers {text!r}: use a number from 1 to {MOST_WORKERS}, or auto for one on each core")
    return workers


def workers_here(text: str) -> int:
    """A number of processes for this machine. UsageError for several where it cannot fork."""
    forks = hasattr(os, "fork")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = parse_workers(text, min(cores, MOST_WORKERS) if forks else 1)
    if workers > 1 and not forks:
        raise UsageError(f"--workers {workers}: this system cannot fork processes; leave the option out")
    return workers


def parse_header_name(name: str, flag: str) -> str:
    """A header name."""
    if not TOKEN.fullmatch(name):
        raise UsageError(f"{flag} {name!r} is not a header name")
    return name


def check_globs(globs: tuple[str, ...], flag: str) -> tuple[str, ...]:
    """Path globs such as `/api/**`."""
    for glob in globs:
        if not glob.startswith("/"):
            raise UsageError(f"{flag} {glob!r}: a path glob begins with /, as in /api/**")
    return globs


_LIKELY_NAME = re.compile(r"[A-Z][a-z]+(?:-[A-Za-z]+)*|[a-z]+(?:-[a-z]+)+")
_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"([0-9]+)(?:\s*-\s*([0-9]+))?")
_SIZE = re.compile(r"([0-9]+)\s*([A-Za-z]*)")
_UNITS = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1000,
    "kib": 1024,
    "m": 1000**2,
    "mb": 1000**2,
    "mib": 1024**2,
    "g": 1000**3,
    "gb": 1000**3,
    "gib": 1024**3,
}
