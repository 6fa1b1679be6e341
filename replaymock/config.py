"""Settings: what a run is told, from TOML text, names and values; no file is read here.

Every error names the place and the key, and suggests the nearest known one.
"""

import difflib
import posixpath
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from replaymock.errors import UsageError
from replaymock.headers import FIELD_VALUE, TOKEN, Headers
from replaymock.matching import IGNORE_KINDS, Rule
from replaymock.redaction import KINDS as REDACT_KINDS
from replaymock.redaction import RedactionRules
from replaymock.rewrites import Selector, parse_selector


@dataclass(frozen=True, slots=True)
class Upstream:
    """A backend and the path prefix it is asked for; `base` is put before each target."""

    prefix: str
    origin: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an answer is held back, in seconds: between two bounds, or as long as it took when recorded."""

    low: float = 0.0
    high: float = 0.0
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class FileConfig:
    """What a configuration file says: options by their names, and the tables only a file can hold."""

    options: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    ignored: tuple[str, ...] = ()
    redaction: RedactionRules = field(default_factory=RedactionRules)
    dropped_headers: frozenset[str] = frozenset()


def read(text: str, place: str, *, table: str = "") -> FileConfig:
    """The configuration in TOML text, under a dotted `table` or at the top. UsageError naming `place`."""
    try:
        found: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place}: not TOML: {error}") from error
    for name in table.split(".") if table else []:
        found = found.get(name, {})
    reader = _Reader(text, place)
    return reader.config({name.replace("-", "_"): value for name, value in found.items()})


def parse_upstream(text: str) -> Upstream:
    """An upstream from `[PREFIX=]URL`. UsageError when it is no absolute http or https URL."""
    prefix, equals, url = text.partition("=") if text.startswith("/") else ("", "", text)
    if text.startswith("/") and not equals:
        raise UsageError(f"--upstream {text!r}: a prefix needs a URL, as in {text}=https://api.example.com")
    parts = _split_url(url, text)
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return Upstream(prefix.rstrip("/"), f"{parts.scheme}://{host}{port}", parts.path.rstrip("/"))


def parse_header(text: str) -> tuple[str, str]:
    """A header from `Name: value`. UsageError when it is none; the value is not repeated in the message."""
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not TOKEN.fullmatch(name) or not FIELD_VALUE.fullmatch(value):
        raise UsageError(f"--header: {name[:40]!r} must be written as 'Name: value'")
    return name, value


def parse_latency(text: str) -> Latency:
    """A latency from `recorded`, milliseconds, or `MIN-MAX` milliseconds."""
    if text == "recorded":
        return Latency(recorded=True)
    found = _RANGE.fullmatch(text)
    if not found:
        raise UsageError(f"--latency {text!r}: use recorded, milliseconds such as 200, or a range such as 100-300")
    low = int(found.group(1))
    high = int(found.group(2) or low)
    if high < low:
        raise UsageError(f"--latency {text!r}: the first bound is above the second")
    return Latency(low / 1000, high / 1000)


def parse_statuses(text: str) -> frozenset[int]:
    """Status codes from ranges such as `401,500-503`."""
    statuses: set[int] = set()
    for item in filter(None, (item.strip() for item in text.split(","))):
        found = _RANGE.fullmatch(item)
        low = int(found.group(1)) if found else 0
        high = int(found.group(2) or low) if found else 0
        if not 200 <= low <= high <= 599:  # noqa: PLR2004 - final status codes
            raise UsageError(f"--record-status {item!r}: use codes and ranges from 200 to 599, such as 401,500-503")
        statuses.update(range(low, high + 1))
    return frozenset(statuses)


def parse_size(text: str) -> int:
    """A number of bytes from `500`, `64KiB`, `10MB` and the like."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise UsageError(f"--max-body {text!r}: use a size such as 500KB or 64MiB")
    return int(found.group(1)) * _UNITS[found.group(2).lower()]


def parse_origin(text: str) -> str:
    """An origin as browsers send it. UsageError when it has a path or is none."""
    if not re.fullmatch(r"[a-z][a-z0-9+.\-]*://[^/?#\s,]+", text):
        raise UsageError(f"--cors-origin {text!r}: write scheme, host and port only, as in https://app.example.com")
    return text


def parse_seconds(value: Any, flag: str) -> float:
    """A number of seconds above zero."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{flag} {value!r}: use a number of seconds above 0")
    return seconds


def parse_choice(value: str, choices: tuple[str, ...], flag: str) -> str:
    """One of a few words."""
    if value not in choices:
        raise UsageError(f"{flag} {value!r}: use one of {', '.join(choices)}")
    return value


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


def merged(under: FileConfig, over: FileConfig) -> FileConfig:
    """Two configurations, the second one's options before the first one's; rules of both apply."""
    return FileConfig(
        options={**under.options, **over.options},
        rules=under.rules + over.rules,
        ignored=under.ignored + over.ignored,
        redaction=RedactionRules(under.redaction.add + over.redaction.add, under.redaction.keep + over.redaction.keep),
        dropped_headers=under.dropped_headers | over.dropped_headers,
    )


def relative_to(found: FileConfig, folder: str) -> FileConfig:
    """A configuration whose paths are taken from the folder of its file."""
    paths = {name: posixpath.join(folder, value) for name, value in found.options.items() if name in _PATHS}
    return replace(found, options={**found.options, **paths})


def unknown_key(key: str, known: list[str], place: str) -> UsageError:
    """The error for a key nothing is known of."""
    near = difflib.get_close_matches(key, known, 1, 0.5)
    advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
    return UsageError(f"{place}: unknown key {key!r}; {advice}")


class _Reader:
    """Reads the tables of one file, with the line of each key for its errors."""

    def __init__(self, text: str, place: str) -> None:
        self._lines = text.splitlines()
        self._place = place

    def config(self, found: dict[str, Any]) -> FileConfig:
        known = [*OPTIONS, *_TABLES]
        for key in found:
            if key not in known:
                raise unknown_key(key, known, self._at(key))
        match = self._table(found.get("match", {}), "match", ("headers", "ignore"))
        redact = self._table(found.get("redact", {}), "redact", ("add", "keep"))
        record = self._table(found.get("record", {}), "record", ("drop_headers",))
        rules = found.get("rule", [])
        if not isinstance(rules, list):
            raise UsageError(f"{self._at('rule')}: write rules as [[rule]], with two brackets")
        ignored = (*self._strings(found, "ignore"), *self._strings(match, "ignore"))
        everywhere = Rule(ignore=self._selectors(ignored, "ignore"), headers=self._header_names(match, "headers"))
        return FileConfig(
            options={key: self._option(key, found[key]) for key in found if key in OPTIONS},
            rules=(everywhere, *(self._rule(rule) for rule in rules)),
            ignored=ignored,
            redaction=RedactionRules(self._redactions(redact, "add"), self._redactions(redact, "keep")),
            dropped_headers=frozenset(self._header_names(record, "drop_headers")),
        )

    def _rule(self, rule: Any) -> Rule:
        rule = self._table(rule, "rule", ("path", "method", "ignore", "headers"))
        path = rule.get("path", "/**")
        if not isinstance(path, str) or not path.startswith("/"):
            raise UsageError(f"{self._at('path')}: path {path!r} must be a glob that begins with /")
        return Rule(
            path=path,
            method=str(rule.get("method", "")),
            ignore=self._selectors(self._strings(rule, "ignore"), "ignore"),
            headers=self._header_names(rule, "headers"),
        )

    def _option(self, key: str, value: Any) -> Any:
        kind = OPTIONS[key]
        if kind is list and isinstance(value, str):
            value = [value]
        if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UsageError(f"{self._at(key)}: {key} must be {_KIND_NAMES[kind]}, not {value!r}")
        return value

    def _table(self, value: Any, name: str, known: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UsageError(f"{self._at(name)}: {name} must be a table")
        for key in value:
            if key not in known:
                raise unknown_key(key, list(known), f"{self._at(key)}: in [{name}]")
        return value

    def _strings(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(f"{self._at(key)}: {key} must be a list of strings")
        return tuple(value)

    def _header_names(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = self._strings(table, key)
        for name in names:
            if not TOKEN.fullmatch(name):
                raise UsageError(f"{self._at(key)}: {name!r} is not a header name")
        return tuple(name.lower() for name in names)

    def _selectors(self, texts: tuple[str, ...], key: str) -> tuple[Selector, ...]:
        return tuple(parse_selector(text, IGNORE_KINDS, self._at(key)) for text in texts)

    def _redactions(self, table: Mapping[str, Any], key: str) -> tuple[Selector, ...]:
        selectors = tuple(parse_selector(text, REDACT_KINDS, self._at(key)) for text in self._strings(table, key))
        for selector in selectors:
            if selector.kind == "value":
                self._check_expression(selector.name, key)
        return selectors

    def _check_expression(self, expression: str, key: str) -> None:
        try:
            re.compile(expression)
        except re.error as error:
            raise UsageError(f"{self._at(key)}: {expression!r} is not a regular expression: {error}") from error

    def _at(self, key: str) -> str:
        """The file and, where the key can be found, its line."""
        spelling = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(key).replace('_', '[_-]')}[\"']?\s*[=\].]")
        for number, line in enumerate(self._lines, 1):
            if spelling.match(line):
                return f"{self._place}:{number}"
        return self._place


def _split_url(url: str, text: str) -> Any:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"--upstream {text!r}: write a whole URL, as in https://api.example.com")
    if parts.username or parts.password:
        raise UsageError("--upstream: leave the credentials out of the URL; give them by --header 'Authorization: …'")
    if parts.query or parts.fragment:
        raise UsageError(f"--upstream {text!r}: leave the query and the fragment out")
    return parts


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
_KIND_NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings"}
_PATHS = frozenset(("cassettes", "ready_file", "ca_file", "client_cert", "client_key"))
_TABLES = ("ignore", "match", "redact", "record", "rule")

# Every option of the command line, by the name it has in a file.
OPTIONS: dict[str, type] = {
    "cassettes": str,
    "host": str,
    "port": int,
    "json": bool,
    "ready_file": str,
    "verbose": bool,
    "quiet": bool,
    "cors_origin": list,
    "no_cors": bool,
    "session_header": str,
    "diagnostics": bool,
    "upstream": list,
    "mode": str,
    "header": list,
    "insecure": bool,
    "ca_file": str,
    "client_cert": str,
    "client_key": str,
    "upstream_proxy": str,
    "connect_timeout": str,
    "read_timeout": str,
    "only": list,
    "skip": list,
    "record_status": str,
    "max_body": str,
    "no_rewrite": bool,
    "sequence": str,
    "latency": str,
    "miss_status": int,
    "fail_on_miss": bool,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything one run is told."""

    cassettes: str = "cassettes"
    host: str = "localhost"
    port: int = 8081
    json: bool = False
    ready_file: str = ""
    verbose: bool = False
    quiet: bool = False
    cors_origins: tuple[str, ...] = ()
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
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    statuses: frozenset[int] = frozenset()
    max_body: int = 64 * 1024 * 1024
    rewrite: bool = True
    sequence: str = "auto"
    latency: Latency = field(default_factory=Latency)
    miss_status: int = 404
    fail_on_miss: bool = False
    file: FileConfig = field(default_factory=FileConfig)
