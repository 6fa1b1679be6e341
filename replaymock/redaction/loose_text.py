"""Finds names with their values in text other than JSON: assignments, HTML and XML, URL parameters, tables."""

import re
from collections.abc import Callable, Iterator

from replaymock.http.uri import encode_pair, readable
from replaymock.placeholders import REDACTED
from replaymock.redaction.secret_names import is_secret_name, may_name_secret

Change = Callable[[re.Match[str]], str]


def redact_assignments(text: str, change: Change) -> str:
    """Applies `change` to each match of a name with its value."""
    # Looking for a character that an expression needs is far cheaper than the expression.
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
        # In a single line, `token: invalid` is a message rather than a setting.
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

# `password: S`, `export PASSWORD=S`, `Authorization: Bearer S`. A value without a digit is rather a word of a schema.
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
    """Applies `change` to each attribute in markup.

    Each match has four groups: the text before a name, the name, the text between, and the value. `hide(value, name)`
    replaces a value whose name is that of the whole tag: `<input name="password" value="…">`. `also` are names that are
    secret in this text.
    """
    return _TAG.sub(lambda match: _changed_tag(match.group(), change, hide, also), text)


def names(text: str) -> list[str]:
    """The names of the form fields in a text."""
    return _FIELD_NAME.findall(text) if "<input" in text else []


def _changed_tag(tag: str, change: Change, hide: Callable[[str, str], str], also: frozenset[str]) -> str:
    if not also and not may_name_secret(tag):
        return tag
    attributes = {groups[0].lower(): groups[1] or groups[2] or groups[3] for groups in _ATTRIBUTE.findall(tag)}
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
    """Applies `change(item, is_long)` to each `name=value` in a text.

    If `runs_on(name)`, the value extends to the last place where a parameter can end; else to where one usually ends.
    """
    if "=" not in text:
        return text
    out: list[str] = []
    copied_to = position = 0
    while match := _PARAMETER_NAME.search(text, position):
        is_long = runs_on(match.group("name"))
        value = (_WHOLE_PARAMETER_VALUE if is_long else _PARAMETER_VALUE).match(text, match.end())
        position = value.end() if value else match.end()
        item = text[match.start("name") : position]
        changed = change(item, is_long)
        if changed != item:
            out += [text[copied_to : match.start("name")], changed]
            copied_to = position
    return "".join([*out, text[copied_to:]])


def readable_placeholder(item: str) -> str:
    """Decodes the placeholder in a parameter. Clients send it percent-encoded."""
    if "%" not in item:
        return item
    name, equals, value = item.replace("+", " ").partition("=")
    value = readable(value)
    return encode_pair(readable(name), value) if equals and REDACTED.search(value) else item


_PARAMETER_NAME = re.compile(r"(?:^|[?&#;]|&amp;)(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-\[\]%]{0,63})=", re.MULTILINE)

_PARAMETER_VALUE = re.compile(r"""[^?&#;"'<>\s\\]*""")

_WHOLE_PARAMETER_VALUE = re.compile(r"""[^&#"'<>\s\\]*""")


def redact_table(text: str, is_secret: Callable[[str], bool], change: Callable[[str, str], str]) -> str:
    """Applies `change(name, value)` to each value in the columns of a table that `is_secret` selects by name."""
    first = _first_line(text)
    if first is None:
        return text
    outside_quotes = _QUOTED.sub("", first.group())
    field = _CSV_FIELDS[max(_CSV_FIELDS, key=outside_quotes.count)]
    names, end = _column_names(text, first.start() + first.group().startswith("\ufeff"), field)
    columns = {at: name for at, name in enumerate(names) if is_secret(name)}
    return text[:end] + "".join(_changed_row(text, end, field, columns, change)) if columns else text


def _first_line(text: str) -> re.Match[str] | None:
    """The first line with content. Spreadsheets may put empty lines, or one with the separator, before it."""
    lines = (line for line in _LINE.finditer(text) if _WORD.search(line.group()))
    return next((line for line in lines if not _SEPARATOR.fullmatch(line.group())), None)


def _column_names(text: str, start: int, field: re.Pattern[str]) -> tuple[list[str], int]:
    """The names of the columns, and the end of the header line. In quotes it may extend over several lines."""
    names: list[str] = []
    end = start
    for match in field.finditer(text, start):
        names.append(_field_value(match).strip())
        end = match.end()
        if match.group(4) not in _CSV_FIELDS:
            break
    return names, end


def _changed_row(
    text: str, start: int, field: re.Pattern[str], columns: dict[int, str], change: Callable[[str, str], str]
) -> Iterator[str]:
    column, kept_from = 0, start
    for match in field.finditer(text, start):
        value = _field_value(match) if column in columns else ""
        changed = change(columns[column], value) if value else ""
        if changed != value:
            yield text[kept_from : match.start(1)]
            yield f'"{changed}"' if match.group(2) is not None else changed
            kept_from = match.end(1)
        column = column + 1 if match.group(4) in _CSV_FIELDS else 0
    yield text[kept_from:]


def _field_value(match: re.Match[str]) -> str:
    """The content of a field. It may continue after closing quotes, as spreadsheets read it."""
    quoted: str | None = match.group(2)
    return match.group(1) if quoted is None else quoted.replace('""', '"') + match.group(3).rstrip()


def _csv_field(separator: str) -> re.Pattern[str]:
    # A quote that is never closed is a literal quote: the rest of the text is not one field.
    return re.compile(rf'( *+"((?:[^"]|"")*+)"([^{separator}\r\n]*+)|[^{separator}\r\n]*+)({separator}|\r\n?|\n|\Z)')


_CSV_FIELDS = {separator: _csv_field(re.escape(separator)) for separator in ",;\t|"}

_LINE = re.compile(r"[^\r\n]++")

_WORD = re.compile(r'[^\s,;|"\ufeff]')

_SEPARATOR = re.compile(r'\ufeff?"?sep=.?"?', re.IGNORECASE)

_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
