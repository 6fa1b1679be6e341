"""Settings: what a run is told, from TOML text, names and values; no file is read here.

Every error names the place and the key, and suggests the nearest known one.
"""

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from replaymock.errors import UsageError
from replaymock.http.headers import TOKEN
from replaymock.http.selectors import Selector, parse_selector
from replaymock.matching.config_location import ConfigLocation, config_location
from replaymock.matching.matcher import IGNORE_KINDS, VOLATILE_KINDS, MatchRule
from replaymock.redaction.credential_patterns import PERSONAL_DATA
from replaymock.redaction.redactor import KINDS as REDACT_KINDS
from replaymock.redaction.redactor import RedactionRules


@dataclass(frozen=True, slots=True)
class ReplayRuleText:
    """What a rule says of how answers are played, in words, and the `place` it stands at."""

    path: str
    method: str
    latency: str
    fault: str
    place: str


@dataclass(frozen=True, slots=True)
class FileConfig:
    """What a configuration file says: options by their names, and the tables only a file can hold.

    `rules_files` hold rules for secrets, which are read into `redaction`; `notes` are to be told as warnings.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[MatchRule, ...] = ()
    ignored: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    redaction: RedactionRules = field(default_factory=RedactionRules)
    dropped_headers: frozenset[str] = frozenset()
    play: tuple[ReplayRuleText, ...] = ()
    rules_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    home: ConfigLocation = field(default_factory=ConfigLocation)


def read(text: str, place: str, *, table: str = "") -> FileConfig:
    """The configuration in TOML text, under a dotted `table` or at the top. UsageError naming `place`."""
    import tomllib  # noqa: PLC0415 - only who has a configuration file waits for it

    try:
        found: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place}: not TOML: {error}") from error
    home = config_location(place, table)
    for name in table.split(".") if table else []:
        home = home if name in found else ConfigLocation()
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise UsageError(f"{place}: {name} must be a table")
    reader = TomlConfigReader(text, place)
    return replace(reader.config({name.replace("-", "_"): value for name, value in found.items()}), home=home)


def merged(under: FileConfig, over: FileConfig) -> FileConfig:
    """Two configurations, the second one's options before the first one's; rules of both apply."""
    return FileConfig(
        options={**under.options, **over.options},
        rules=under.rules + over.rules,
        ignored=under.ignored + over.ignored,
        volatile=under.volatile + over.volatile,
        redaction=RedactionRules(
            under.redaction.add + over.redaction.add,
            under.redaction.keep + over.redaction.keep,
            under.redaction.kinds + over.redaction.kinds,
            under.redaction.rules + over.redaction.rules,
        ),
        dropped_headers=under.dropped_headers | over.dropped_headers,
        play=under.play + over.play,
        rules_files=under.rules_files + over.rules_files,
        notes=under.notes + over.notes,
        home=over.home,
    )


def relative_to(found: FileConfig, folder: str) -> FileConfig:
    """A configuration whose paths are taken from the folder of its file."""
    paths = {name: posixpath.join(folder, value) for name, value in found.options.items() if name in _PATHS}
    rules_files = tuple(posixpath.join(folder, file) for file in found.rules_files)
    return replace(found, options={**found.options, **paths}, rules_files=rules_files)


def unknown_key(key: str, known: list[str], place: str) -> UsageError:
    """The error for a key nothing is known of."""
    if key in _MISPLACED:
        return UsageError(f"{place}: {key!r} does not belong there: {_MISPLACED[key]}")
    import difflib  # noqa: PLC0415 - only who mistypes waits for it

    near = difflib.get_close_matches(key, known, 1, 0.5)
    advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
    return UsageError(f"{place}: unknown key {key!r}; {advice}")


class TomlConfigReader:
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
        redact = self._table(found.get("redact", {}), "redact", ("add", "keep", "kinds", "rules_file"))
        record = self._table(found.get("record", {}), "record", ("drop_headers", "volatile"))
        rules = found.get("rule", [])
        if not isinstance(rules, list):
            raise UsageError(f"{self._at('rule')}: write rules as [[rule]], with two brackets")
        ignored = (*self._strings(found, "ignore"), *self._strings(match, "ignore"))
        volatile = self._strings(record, "volatile")
        everywhere = MatchRule(
            ignore=self._selectors(ignored, "ignore", IGNORE_KINDS),
            headers=self._header_names(match, "headers"),
            volatile=self._selectors(volatile, "volatile", VOLATILE_KINDS),
        )
        return FileConfig(
            options={key: self._option(key, found[key]) for key in found if key in OPTIONS},
            rules=(everywhere, *(self._rule(rule) for rule in rules)),
            ignored=ignored,
            volatile=volatile,
            redaction=RedactionRules(
                self._selectors(self._strings(redact, "add"), "add", REDACT_KINDS),
                self._selectors(self._strings(redact, "keep"), "keep", REDACT_KINDS),
                self._kinds(redact),
            ),
            dropped_headers=frozenset(self._header_names(record, "drop_headers")),
            play=tuple(self._rule_of_play(rule) for rule in rules if "latency" in rule or "fault" in rule),
            rules_files=self._file(redact, "rules_file"),
        )

    def _rule(self, rule: Any) -> MatchRule:
        rule = self._table(rule, "rule", ("path", "method", "ignore", "headers", "volatile", "latency", "fault"))
        path = rule.get("path", "/**")
        if not isinstance(path, str) or not path.startswith("/"):
            raise UsageError(f"{self._at('path')}: path {path!r} must be a glob that begins with /")
        return MatchRule(
            path=path,
            method=str(rule.get("method", "")),
            ignore=self._selectors(self._strings(rule, "ignore"), "ignore", IGNORE_KINDS),
            headers=self._header_names(rule, "headers"),
            volatile=self._selectors(self._strings(rule, "volatile"), "volatile", VOLATILE_KINDS),
        )

    def _rule_of_play(self, rule: dict[str, Any]) -> ReplayRuleText:
        for key in ("latency", "fault"):
            if not isinstance(rule.get(key, ""), (str, int)):
                raise UsageError(f"{self._at(key)}: {key} must be a string")
        place = self._at("fault" if "fault" in rule else "latency")
        texts = {key: str(rule.get(key, "")) for key in ("latency", "fault")}
        return ReplayRuleText(rule.get("path", "/**"), str(rule.get("method", "")), place=place, **texts)

    def _option(self, key: str, value: Any) -> Any:
        kind = OPTIONS[key]
        if kind is list and isinstance(value, str):
            value = [value]
        if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        fits = all(isinstance(item, str) for item in value) if isinstance(value, list) else True
        if not isinstance(value, kind) or not fits or (kind is int and isinstance(value, bool)):
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
            shown = f", as in {key} = [{json.dumps(value)}]" if isinstance(value, str) else ""
            raise UsageError(f"{self._at(key)}: {key} must be a list of strings{shown}")
        return tuple(value)

    def _header_names(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = self._strings(table, key)
        for name in names:
            if not TOKEN.fullmatch(name):
                raise UsageError(f"{self._at(key)}: {name!r} is not a header name")
        return tuple(name.lower() for name in names)

    def _selectors(self, texts: tuple[str, ...], key: str, kinds: tuple[str, ...]) -> tuple[Selector, ...]:
        selectors = tuple(parse_selector(text, kinds, self._at(key)) for text in texts)
        for selector in selectors:
            if selector.kind == "value":
                self._check_expression(selector.name, key)
        return selectors

    def _kinds(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        kinds = self._strings(table, "kinds")
        for kind in kinds:
            if kind not in PERSONAL_DATA:
                raise unknown_key(kind, list(PERSONAL_DATA), f"{self._at('kinds')}: kinds")
        return kinds

    def _file(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        name = table.get(key, "")
        if not isinstance(name, str):
            raise UsageError(f"{self._at(key)}: {key} must be a string, the path of a file")
        return (name,) if name else ()

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


_KIND_NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings"}
_PATHS = frozenset(("cassettes", "ready_file", "ca_file", "client_cert", "client_key"))
_TABLES = ("ignore", "match", "redact", "record", "rule")

# Every option of the command line, by the name it has in a file.
OPTIONS: dict[str, type] = {
    "cassettes": str,
    "host": str,
    "allow_host": list,
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
    "max_stream_time": str,
    "seed": int,
    "max_body": str,
    "no_rewrite": bool,
    "no_fast_lane": bool,
    "workers": str,
    "sequence": str,
    "latency": str,
    "miss_status": int,
    "fail_on_miss": bool,
    "shift_time": str,
    "freeze_time": bool,
    "conditional": bool,
}
_MISPLACED = {
    "ignore": "write it above the first [table], or into a [[rule]]",
    "replay": "options stand at the top, without a table",
    "tool": "in replaymock.toml leave the name [tool.replaymock] out",
}
