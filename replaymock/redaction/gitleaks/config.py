"""A configuration of gitleaks, version 8, from TOML text: its rules for secrets, and which of them cannot be applied.

No file is read here. What only concerns files and commits (`path`, `paths`, `commits`) has no meaning for traffic.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.redaction.gitleaks.expressions import Inapplicable, compiled
from replaymock.redaction.gitleaks.rules import Allowlist, GitleaksRule
from replaymock.toml_tables import Table, TomlTables


class GitleaksConfig(Struct, frozen=True):
    """What a file says, unread: its rules by id, its own allowlists, and the file it `extends`, without some rules."""

    place: str
    rules: Mapping[str, Table]
    allowlists: tuple[Table, ...] = ()
    extends: str = ""
    disabled: frozenset[str] = frozenset()


class CompiledRules(Struct, frozen=True):
    """The rules that are applied, and a note on each thing that is not."""

    rules: tuple[GitleaksRule, ...]
    notes: tuple[str, ...]


def parse(text: str, place: str) -> GitleaksConfig:
    """The file from its text. UsageError naming `place` and line where it is none."""
    tables = TomlTables(text, place)
    top = tables.root
    extend = tables.one(top, "extend", "a table") or {}
    rules = {}
    for number, rule in enumerate(tables.tables(top, "rules"), 1):
        name = rule.get("id")
        if not isinstance(name, str) or not name:
            raise UsageError(f"{tables.at('rules', number)}: rule {number} has no id")
        rules[name] = _checked(tables, rule, name)
    file = GitleaksConfig(
        place,
        rules,
        tuple(_allowlists(tables, top, "allowlist")),
        tables.one(extend, "path", "a string") or "",
        frozenset(tables.strings(extend, "disabledRules", "extend")),
    )
    if not rules and not file.extends and not extend.get("useDefault"):
        raise UsageError(f"{place}: has no rules; write each as [[rules]] with an id and a regex")
    return file


def _checked(tables: TomlTables, rule: Table, name: str) -> Table:
    for key, kind in _KINDS.items():
        tables.one(rule, key, kind, name)
    for key in ("keywords", "tags"):
        tables.strings(rule, key, name)
    return {**rule, "allowlists": _allowlists(tables, rule, name)}


def _allowlists(tables: TomlTables, table: Table, owner: str) -> list[Table]:
    old = tables.one(table, "allowlist", "a table", owner)
    allowlists = [*([old] if old else []), *tables.tables(table, "allowlists")]
    for allowlist in allowlists:
        for key in ("regexes", "stopwords", "paths", "commits", "targetRules"):
            tables.strings(allowlist, key, owner)
    return allowlists


def extended(below: GitleaksConfig, above: GitleaksConfig) -> GitleaksConfig:
    """A file with what it extends below it. Of a rule that both have, the upper one's fields count; lists add up."""
    rules = {name: rule for name, rule in below.rules.items() if name not in above.disabled}
    for name, rule in above.rules.items():
        under = rules.get(name, {})
        lists = {key: [*under.get(key, []), *rule.get(key, [])] for key in _ADDING if key in under or key in rule}
        rules[name] = {**under, **rule, **lists}
    return GitleaksConfig(above.place, rules, below.allowlists + above.allowlists)


def applied(file: GitleaksConfig) -> CompiledRules:
    """The rules of a file, made ready."""
    notes: list[str] = []
    everywhere = [(_allowance(table, "the allowlist", notes), table) for table in file.allowlists]
    rules = []
    for name, table in file.rules.items():
        own = [_allowance(allowlist, f"{name}: an allowlist", notes) for allowlist in table.get("allowlists", ())]
        own += [allowlist for allowlist, above in everywhere if name in (above.get("targetRules") or [name])]
        try:
            rules.append(_rule(name, table, tuple(allowlist for allowlist in own if allowlist)))
        except Inapplicable as reason:
            notes.append(f"{name}: {reason}")
    return CompiledRules(tuple(rules), tuple(dict.fromkeys(notes)))


def warning(place: str, notes: tuple[str, ...]) -> str:
    """A sentence that lists what of a file is not applied."""
    return f"{place}: not all of it is applied: {'; '.join(notes)}"


def _rule(name: str, table: Table, allowed: tuple[Allowlist, ...]) -> GitleaksRule:
    if not table.get("regex"):
        raise Inapplicable("tells of names of files only" if table.get("path") else "has no regex")
    if table.get("skipReport"):
        raise Inapplicable("only serves other rules (skipReport)")
    expression, group = compiled(table["regex"]), table.get("secretGroup", 0)
    if not 0 <= group <= expression.groups:
        raise Inapplicable(f"secretGroup is {group}, and the regex has {expression.groups}")
    keywords = tuple(keyword.lower() for keyword in table.get("keywords", ()))
    # A keyword that JSON spells otherwise is not seen in JSON text.
    keywords = keywords if all(map(_PLAIN.fullmatch, keywords)) else ()
    shown = _UNFIT.sub("_", name)[:_LONGEST_NAME]
    return GitleaksRule(shown, expression, keywords, group, float(table.get("entropy", 0)), allowed)


def _allowance(table: Table, whose: str, notes: list[str]) -> Allowlist | None:
    """What an allowlist allows; None where that hangs on a file or a commit."""
    all_of = str(table.get("condition", "OR")).upper() in ("AND", "&&")
    if all_of and (table.get("paths") or table.get("commits")):
        return None
    expressions = []
    for expression in table.get("regexes", ()):
        try:
            expressions.append(compiled(expression))
        except Inapplicable as reason:
            notes.append(f"{whose}: {reason}")
            if all_of:
                return None
    words = tuple(word.lower() for word in table.get("stopwords", ()))
    return Allowlist(tuple(expressions), str(table.get("regexTarget") or "secret"), words, all_of)


_KINDS = {"regex": "a string", "path": "a string", "entropy": "a number", "secretGroup": "a whole number"}
_ADDING = ("keywords", "tags", "allowlists")
_PLAIN = re.compile(r"[ !#-\[\]-~]+")
_UNFIT = re.compile(r"[^A-Za-z0-9_.\-]")
_LONGEST_NAME = 64
