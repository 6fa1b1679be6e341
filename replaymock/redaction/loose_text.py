"""Names and values in text that is no JSON: assignments, HTML and XML, URL parameters, tables of values."""

import re
from collections.abc import Callable, Iterator

from replaymock.http.uri import encode_pair, readable
from replaymock.placeholders import REDACTED
from replaymock.redaction.secret_names import is_secret_name, may_name_secret

Change = Callable[[re.Match[str]], str]


def redact_assignments(text: str, change: Change) -> str:
    """Text with each name and value that stand together replaced by what `change` makes of the match."""
    # A look for what an expression needs costs far less than the expression.
    if '\\"' in text:
        text = _ESCAPED_MEMBER.sub(change, text)
    if _BEFORE_VALUE.search(text):
        for expression in (_NUMBER_MEMBER, _QUOTED_MEMBER, _VARIABLE):
            text = expression.sub(change, text)
    if "-H" in text or "--header" in text:
        text = _HEADER_OPTION.sub(change, text)
    if "&" in text:
        text = _ENTITY_MEMBER.sub(change, text)
    if "<" in text:
        return _ELEMENT.sub(change, text)
    if "\n" in text:
        # In one line, `token: invalid` is rather a message to people than a setting.
        text = _SETTING.sub(change, text)
    return _LOGGED.sub(change, text) if "=" in text else text


_BEFORE_VALUE = re.compile(r"""[:=]\s*+["']|["']\s*+:""")

_ESCAPED_MEMBER = re.compile(
    r'(?<!\\)(\\{1,8}")([A-Za-z0-9_.\-]{2,64})(\\{1,8}"\s*:\s*\\{1,8}")((?:[^"\\]|\\{1,8}[^"\\])+)'
)

# JSON in an attribute, as in `data-page="{&quot;token&quot;:&quot;S&quot;}"`.
_ENTITY_MEMBER = re.compile(
    r"(&quot;|&#34;|&#x22;)([A-Za-z0-9_.\-]{2,64})(\1\s*:\s*\1)((?:[^&\"<>]|&(?!quot;|#34;|#x22;))+)"
)

_NUMBER_MEMBER = re.compile(r'(")([A-Za-z0-9_.\-]{2,64})("\s*:\s*)(-?[0-9][0-9.eE+\-]*)')

_QUOTED_MEMBER = re.compile(
    r"""(["']?(?<![A-Za-z0-9_.\-]))([A-Za-z_][A-Za-z0-9_.\-]{1,63})(["']?\s*:\s*(?:"|')|\s+=\s*(?:"|'))"""
    r"""((?<=")(?:[^"\\]|\\.)+(?=")|(?<=')(?:[^'\\\n]|\\.)+(?='))"""
)

_VARIABLE = re.compile(
    r"""(\b(?:var|let|const)\s+|\bwindow\.)([A-Za-z_][A-Za-z0-9_]{1,63})(=(?:"|'))"""
    r"""((?<=")(?:[^"\\\n]|\\.)+(?=")|(?<=')(?:[^'\\\n]|\\.)+(?='))"""
)

# As in `curl -H 'X-Api-Key: S'`.
_HEADER_OPTION = re.compile(
    r"""((?:-H|--header)[ =]?["'])([A-Za-z][A-Za-z0-9\-]{1,63})(:[ ]?+(?:(?:Bearer|Basic|Token|Digest)[ ]+)?+)"""
    r"""((?=[^"'\r\n]*[0-9])[^"'\r\n$<{*][^"'\r\n]{5,})"""
)

_ELEMENT = re.compile(
    r"(<)([A-Za-z_][A-Za-z0-9_.:\-]{1,63})((?:\s[^<>]*)?>(?:<!\[CDATA\[)?)([^<>\[\]]+)(?=(?:\]\]>)?</)"
)

# `password: S`, `export PASSWORD=S`, `Authorization: Bearer S`. What has no digit is rather a word of a schema.
_SETTING = re.compile(
    r"^([ \t]*(?:-[ \t]+)?(?:export[ \t]+)?)([A-Za-z_][A-Za-z0-9_.\-]{1,63})"
    r"([ \t]*[:=][ \t]*(?:(?:Bearer|Basic|Token|Digest)[ \t]+)?)"
    r"""((?=[^\s0-9]*[0-9])[^\s"'{}\[\]|*!<>$][^\s"'<>]{5,})(?=[ \t]*\r?$)""",
    re.MULTILINE,
)

_LOGGED = re.compile(
    r"""([ \t](?:--?)?)([A-Za-z_][A-Za-z0-9_.\-]{1,63})(=)"""
    r"""((?=[^\s0-9]*[0-9])[^\s"'<>(){}\[\];,$][^\s"'<>(){}\[\];,]{5,})"""
)


def redact_attributes(
    text: str, change: Change, hide: Callable[[str, str], str], also: frozenset[str] = frozenset()
) -> str:
    """Markup in which each attribute is what `change` makes of it.

    Each match is of what stands before a name, the name, what is between, and the value. `hide(value, name)` gives what
    stands for a value whose name is that of the whole tag: `<input name="password" value="…">`. `also` are names
    that are secret in this text.
    """
    return _TAG.sub(lambda match: _changed_tag(match.group(), change, hide, also), text)


def names(text: str) -> list[str]:
    """The names of the fields of forms in a text."""
    return _FIELD_NAME.findall(text) if "<input" in text else []


def _changed_tag(tag: str, change: Change, hide: Callable[[str, str], str], also: frozenset[str]) -> str:
    if not also and not may_name_secret(tag):
        return tag
    attributes = {found[0].lower(): found[1] or found[2] or found[3] for found in _ATTRIBUTE.findall(tag)}
    tag = _NAMED_ATTRIBUTE.sub(change, tag)
    name = next((attributes[key] for key in ("name", "property", "key", "id") if attributes.get(key)), "")
    is_choice = attributes.get("type", "").lower() in _CHOICES or tag[1:7].lower() in ("button", "option")
    if is_choice or not (name in also or is_secret_name(name)):
        return tag
    return _TAG_VALUE.sub(lambda match: match.group(1) + hide(match.group(2), name), tag)


_CHOICES = frozenset(("submit", "checkbox", "radio", "button"))

_FIELD_NAME = re.compile(r"""<input\s[^<>]*?\bname=["']?([A-Za-z_]{2,32})""")

_TAG = re.compile(r"<[A-Za-z][^<>]*>")

_NAMED_ATTRIBUTE = re.compile(
    r"""(\s(?:data-)?)([A-Za-z_][A-Za-z0-9_.:\-]{1,63})(\s*=\s*(?:"|')?)((?<=["'])[^"'<>]+|[^\s"'<>=]+)"""
)

_ATTRIBUTE = re.compile(r"""(?<![A-Za-z\-])([A-Za-z\-]++)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=]+))""")

_TAG_VALUE = re.compile(r"""(?i)(\s(?:value|content)\s*=\s*["']?)((?<=["'])[^"'<>]+|[^\s"'<>=]+)""")


def redact_url_parameters(text: str, runs_on: Callable[[str], bool], change: Callable[[str, bool], str]) -> str:
    """Text in which each `?name=value` is what `change` makes of it, told whether its value runs on.

    A value whose name says so runs on to where a parameter can end at last, any other to where one mostly does.
    """
    if "=" not in text:
        return text
    out: list[str] = []
    kept_from = position = 0
    while match := _PARAMETER_NAME.search(text, position):
        is_long = runs_on(match.group("name"))
        value = (_WHOLE_PARAMETER_VALUE if is_long else _PARAMETER_VALUE).match(text, match.end())
        position = value.end() if value else match.end()
        item = text[match.start("name") : position]
        changed = change(item, is_long)
        if changed != item:
            out += [text[kept_from : match.start("name")], changed]
            kept_from = position
    return "".join([*out, text[kept_from:]])


def readable_placeholder(item: str) -> str:
    """A parameter whose placeholder, if it has one, stands there as it is: clients send them percent-encoded."""
    if "%" not in item:
        return item
    name, equals, value = item.replace("+", " ").partition("=")
    value = readable(value)
    return encode_pair(readable(name), value) if equals and REDACTED.search(value) else item


_PARAMETER_NAME = re.compile(r"(?:^|[?&#;]|&amp;)(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-\[\]%]{0,63})=", re.MULTILINE)

_PARAMETER_VALUE = re.compile(r"""[^?&#;"'<>\s\\]*""")

_WHOLE_PARAMETER_VALUE = re.compile(r"""[^&#"'<>\s\\]*""")


def redact_table(text: str, is_meant: Callable[[str], bool], change: Callable[[str, str], str]) -> str:
    """A table in which each value of a column whose name is meant is what `change` makes of the name and the value."""
    first = _first_line(text)
    if first is None:
        return text
    outside_quotes = _QUOTED.sub("", first.group())
    field = _CSV_FIELDS[max(_CSV_FIELDS, key=outside_quotes.count)]
    names, end = _names(text, first.start() + first.group().startswith("\ufeff"), field)
    meant = {at: name for at, name in enumerate(names) if is_meant(name)}
    return text[:end] + "".join(_changed_row(text, end, field, meant, change)) if meant else text


def _first_line(text: str) -> re.Match[str] | None:
    """The first line that says something; spreadsheets leave lines empty above it, and write the separator there."""
    lines = (line for line in _LINE.finditer(text) if _WORD.search(line.group()))
    return next((line for line in lines if not _SEPARATOR.fullmatch(line.group())), None)


def _names(text: str, start: int, field: re.Pattern[str]) -> tuple[list[str], int]:
    """The names of the columns, and where the line of them ends; in quotes it may go on over several."""
    names: list[str] = []
    end = start
    for match in field.finditer(text, start):
        names.append(_said(match).strip())
        end = match.end()
        if match.group(4) not in _CSV_FIELDS:
            break
    return names, end


def _changed_row(
    text: str, start: int, field: re.Pattern[str], meant: dict[int, str], change: Callable[[str, str], str]
) -> Iterator[str]:
    column, kept_from = 0, start
    for match in field.finditer(text, start):
        value = _said(match) if column in meant else ""
        found = change(meant[column], value) if value else ""
        if found != value:
            yield text[kept_from : match.start(1)]
            yield f'"{found}"' if match.group(2) is not None else found
            kept_from = match.end(1)
        column = column + 1 if match.group(4) in _CSV_FIELDS else 0
    yield text[kept_from:]


def _said(match: re.Match[str]) -> str:
    """What a field says; behind closing quotes it goes on, as spreadsheets read it."""
    quoted: str | None = match.group(2)
    return match.group(1) if quoted is None else quoted.replace('""', '"') + match.group(3).rstrip()


def _csv_field(separator: str) -> re.Pattern[str]:
    # A quote that is never closed is a letter: what follows it is not all one field.
    return re.compile(rf'( *+"((?:[^"]|"")*+)"([^{separator}\r\n]*+)|[^{separator}\r\n]*+)({separator}|\r\n?|\n|\Z)')


_CSV_FIELDS = {separator: _csv_field(re.escape(separator)) for separator in ",;\t|"}

_LINE = re.compile(r"[^\r\n]++")

_WORD = re.compile(r'[^\s,;|"\ufeff]')

_SEPARATOR = re.compile(r'\ufeff?"?sep=.?"?', re.IGNORECASE)

_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
