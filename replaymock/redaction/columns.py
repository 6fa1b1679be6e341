"""Tables of text (RFC 4180), whose first line names what stands in each column: found, changed, and put back."""

import re
from collections.abc import Callable, Iterator


def replace(text: str, is_meant: Callable[[str], bool], change: Callable[[str, str], str]) -> str:
    """A table in which each value of a column whose name is meant is what `change` makes of the name and the value."""
    first = _first_line(text)
    if first is None:
        return text
    outside_quotes = _QUOTED.sub("", first.group())
    field = _FIELDS[max(_FIELDS, key=outside_quotes.count)]
    names, end = _names(text, first.start() + first.group().startswith("\ufeff"), field)
    meant = {at: name for at, name in enumerate(names) if is_meant(name)}
    return text[:end] + "".join(_changed(text, end, field, meant, change)) if meant else text


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
        if match.group(4) not in _FIELDS:
            break
    return names, end


def _changed(
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
        column = column + 1 if match.group(4) in _FIELDS else 0
    yield text[kept_from:]


def _said(match: re.Match[str]) -> str:
    """What a field says; behind closing quotes it goes on, as spreadsheets read it."""
    quoted: str | None = match.group(2)
    return match.group(1) if quoted is None else quoted.replace('""', '"') + match.group(3).rstrip()


def _field(separator: str) -> re.Pattern[str]:
    # A quote that is never closed is a letter: what follows it is not all one field.
    return re.compile(rf'( *+"((?:[^"]|"")*+)"([^{separator}\r\n]*+)|[^{separator}\r\n]*+)({separator}|\r\n?|\n|\Z)')


_FIELDS = {separator: _field(re.escape(separator)) for separator in ",;\t|"}
_LINE = re.compile(r"[^\r\n]++")
_WORD = re.compile(r'[^\s,;|"\ufeff]')
_SEPARATOR = re.compile(r'\ufeff?"?sep=.?"?', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
