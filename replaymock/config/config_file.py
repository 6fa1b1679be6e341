"""Configuration from TOML text; no file is read here.

Every error names the place and the key, and suggests the nearest known one.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from replaymock.config.ambiguity import can_explode
from replaymock.config.option import Option, Switch, Whole
from replaymock.config.options import OPTIONS
from replaymock.config.settings import FileConfig, ReplayRuleText
from replaymock.errors import UsageError
from replaymock.http.headers import TOKEN
from replaymock.http.selectors import Selector, parse_selector
from replaymock.matching.config_location import ConfigLocation
from replaymock.matching.rules import IGNORE_KINDS, VOLATILE_KINDS, MatchRule
from replaymock.redaction.credential_patterns import PERSONAL_DATA
from replaymock.redaction.redactor import KINDS as REDACT_KINDS
from replaymock.redaction.redactor import RedactionRules
from replaymock.suggestions import most_alike
from replaymock.toml_tables import TomlTables, unknown_key


def read(text: str, place: str, *, table: str = "") -> FileConfig:
    """The configuration in TOML text, under a dotted `table` or at the top. UsageError naming `place`."""
    tables = TomlTables(text, place)
    content = tables.root
    home = config_location(place, table)
    for name in table.split(".") if table else []:
        home = home if name in content else ConfigLocation()
        content = content.get(name, {})
        if not isinstance(content, dict):
            raise UsageError(f"{place}: {name} must be a table")
    reader = _ConfigReader(tables, home)
    return replace(reader.config({name.replace("-", "_"): value for name, value in content.items()}), home=home)


def config_location(place: str, table: str) -> ConfigLocation:
    """Where a file is: named from the working directory if it is at, below or straight above it, else by its name."""
    *folders, name = place.split("/")
    is_elsewhere = "" in folders[:1] or (".." in folders and set(folders) != {".."})
    return ConfigLocation(name if is_elsewhere else place, table)


def merged(under: FileConfig, over: FileConfig) -> FileConfig:
    """Two configurations, the second one's options before the first one's; rules of both apply."""
    return FileConfig(
        options={**under.options, **over.options},
        places={**under.places, **over.places},
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


def relative_to(config: FileConfig, folder: str) -> FileConfig:
    """A configuration whose paths are taken from the folder of its file."""
    names = [name for name in config.options if _KEYS[name].is_path]
    paths = {name: posixpath.join(folder, str(config.options[name])) for name in names}
    rules_files = tuple(posixpath.join(folder, file) for file in config.rules_files)
    return replace(config, options={**config.options, **paths}, rules_files=rules_files)


class _ConfigReader:
    """Reads the tables of one file, whose options stand at `home`."""

    def __init__(self, tables: TomlTables, home: ConfigLocation) -> None:
        self._tables = tables
        self._home = home
        self._notes: list[str] = []

    def config(self, top: dict[str, Any]) -> FileConfig:
        known = [*_at_the_top(), "ignore", *_TABLES, "rule"]
        for key in top:
            if key in _MISPLACED and key not in known:
                raise UsageError(f"{self._tables.at(key)}: {key!r} does not belong there: {_MISPLACED[key]}")
            if key not in known:
                raise unknown_key(key, known, self._tables.at(key))
        match, redact, record = (self._table(top.get(name, {}), name) for name in ("match", "redact", "record"))
        rules = [self._table(rule, "rule") for rule in self._tables.tables(top, "rule", "rules")]
        ignored = (*self._tables.strings(top, "ignore"), *self._tables.strings(match, "ignore"))
        volatile = self._tables.strings(record, "volatile")
        everywhere = MatchRule(
            ignore=self._selectors(ignored, "ignore", IGNORE_KINDS),
            headers=self._header_names(match, "headers"),
            volatile=self._selectors(volatile, "volatile", VOLATILE_KINDS),
        )
        given = self._options({"": top, "match": match, "redact": redact, "record": record})
        return FileConfig(
            options={option.name: self._value(option, value) for option, value in given},
            places={option.name: self._tables.at(option.name) for option, _ in given},
            rules=(everywhere, *(self._rule(rule) for rule in rules)),
            ignored=ignored,
            volatile=volatile,
            redaction=RedactionRules(
                self._selectors(self._tables.strings(redact, "add"), "add", REDACT_KINDS),
                self._selectors(self._tables.strings(redact, "keep"), "keep", REDACT_KINDS),
                self._kinds(redact),
            ),
            dropped_headers=frozenset(self._header_names(record, "drop_headers")),
            play=tuple(self._rule_of_play(rule) for rule in rules if "latency" in rule or "fault" in rule),
            rules_files=self._file(redact, "rules_file"),
            notes=tuple(self._notes),
        )

    def _options(self, tables: Mapping[str, dict[str, Any]]) -> list[tuple[Option, Any]]:
        """The options that are given, each with its value."""
        each = ((option, tables[option.table or ""]) for option in _KEYS.values())
        return [(option, table[option.name]) for option, table in each if option.name in table]

    def _table(self, value: object, name: str) -> dict[str, Any]:
        """A table of the file, with no other keys than those that belong there."""
        table = self._tables.table(value, name)
        known = (*_TABLES.get(name, _RULE), *(option.name for option in _KEYS.values() if option.table == name))
        for key in table:
            if key in known:
                continue
            place = self._tables.at(key)
            is_slip = bool(most_alike(key, known, 1, _SLIP))
            if key.replace("-", "_") in _at_the_top() and not is_slip:
                top = f"{self._home.top}, above the first [table]" if not self._home.table else self._home.top
                raise UsageError(f"{place}: {key!r} does not belong in [{name}]: it belongs {top}")
            if key in _MISPLACED:
                raise UsageError(f"{place}: in [{name}]: {key!r} does not belong there: {_MISPLACED[key]}")
            raise unknown_key(key, known, f"{place}: in [{name}]")
        return table

    def _rule(self, rule: dict[str, Any]) -> MatchRule:
        path = rule.get("path", "/**")
        if not isinstance(path, str) or not path.startswith("/"):
            raise UsageError(f"{self._tables.at('path')}: path {path!r} must be a glob that begins with /")
        return MatchRule(
            path=path,
            method=str(rule.get("method", "")),
            ignore=self._selectors(self._tables.strings(rule, "ignore"), "ignore", IGNORE_KINDS),
            headers=self._header_names(rule, "headers"),
            volatile=self._selectors(self._tables.strings(rule, "volatile"), "volatile", VOLATILE_KINDS),
        )

    def _rule_of_play(self, rule: dict[str, Any]) -> ReplayRuleText:
        for key in ("latency", "fault"):
            if not isinstance(rule.get(key, ""), (str, int)):
                raise UsageError(f"{self._tables.at(key)}: {key} must be a string")
        place = self._tables.at("fault" if "fault" in rule else "latency")
        texts = {key: str(rule.get(key, "")) for key in ("latency", "fault")}
        return ReplayRuleText(rule.get("path", "/**"), str(rule.get("method", "")), place=place, **texts)

    def _value(self, option: Option, value: Any) -> object:
        """The value of an option if TOML has it as the right kind; what it may say is looked at when it is used."""
        kind, called = _toml_kind(option)
        if kind is list and isinstance(value, str):
            value = [value]
        if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        fits = all(isinstance(item, str) for item in value) if isinstance(value, list) else True
        if not isinstance(value, kind) or not fits or (kind is int and isinstance(value, bool)):
            raise UsageError(f"{self._tables.at(option.name)}: {option.name} must be {called}, not {value!r}")
        return value

    def _header_names(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = self._tables.strings(table, key)
        for name in names:
            if not TOKEN.fullmatch(name):
                raise UsageError(f"{self._tables.at(key)}: {name!r} is not a header name")
        return tuple(name.lower() for name in names)

    def _selectors(self, texts: tuple[str, ...], key: str, kinds: tuple[str, ...]) -> tuple[Selector, ...]:
        selectors = tuple(parse_selector(text, kinds, self._tables.at(key)) for text in texts)
        for selector in selectors:
            if selector.kind == "value":
                self._check_expression(selector.name, key)
        return selectors

    def _kinds(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        kinds = self._tables.strings(table, "kinds")
        for kind in kinds:
            if kind not in PERSONAL_DATA:
                raise unknown_key(kind, PERSONAL_DATA, f"{self._tables.at('kinds')}: kinds")
        return kinds

    def _file(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        name = table.get(key, "")
        if not isinstance(name, str):
            raise UsageError(f"{self._tables.at(key)}: {key} must be a string, the path of a file")
        return (name,) if name else ()

    def _check_expression(self, expression: str, key: str) -> None:
        place = self._tables.at(key)
        try:
            explodes = can_explode(expression)
        except re.error as error:
            raise UsageError(f"{place}: {expression!r} is not a regular expression: {error}") from error
        if explodes:
            self._notes.append(
                f"{place}: 'value:{expression}' can take for ever on some texts, as a repeat in it fits the same text "
                "in several ways; write it in one way, such as a+ for (a+)+"
            )


def _toml_kind(option: Option) -> tuple[type, str]:
    """The type that an option's value has in TOML, and what errors call it."""
    if option.is_repeatable:
        return list, "a list of strings"
    match option.kind:
        case Switch():
            return bool, "true or false"
        case Whole():
            return int, "a whole number"
    return str, "a string"


def _at_the_top() -> list[str]:
    return [name for name, option in _KEYS.items() if not option.table]


_KEYS = {option.name: option for option in OPTIONS if option.table is not None}
# What else stands in a file, by the table it stands in.
_SLIP = 0.8
"""How alike two names are of which one may be a slip for the other."""
_TABLES = {
    "match": ("headers", "ignore"),
    "redact": ("add", "keep", "kinds", "rules_file"),
    "record": ("drop_headers", "volatile"),
}
_RULE = ("path", "method", "ignore", "headers", "volatile", "latency", "fault")
_MISPLACED = {
    "ignore": "write it above the first [table], or into a [[rule]]",
    "replay": "options stand at the top, without a table",
    "tool": "in replaymock.toml leave the name [tool.replaymock] out",
}
