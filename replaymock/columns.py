"""Tables of text (RFC 4180), whose first line names what stands in each column: found, changed, and put back."""

import re
from collections.abc import Callable, Iterator


def replace(text: str, is_meant: Callable[[str], bool], change: Callable[[str, str], str]) -> str:
    """A table in which each value of a column whose name is meant is what `change` makes of the name and the value."""
    end = text.find("\n") + 1
    field = _FIELDS[max(_FIELDS, key=text.count if not end else text[:end].count)]
    named = (match.group(2) or match.group(3) for match in field.finditer(text, 0, end))
    meant = {at: name for at, name in enumerate(said.strip("\ufeff ") for said in named) if is_meant(name)}
    return text[:end] + "".join(_changed(text, end, field, meant, change)) if meant else text


def _changed(
    text: str, start: int, field: re.Pattern[str], meant: dict[int, str], change: Callable[[str, str], str]
) -> Iterator[str]:
    column, kept_from = 0, start
    for match in field.finditer(text, start):
        value = match.group(2) or match.group(3)
        if value and column in meant:
            found = change(meant[column], value.replace('""', '"') if match.group(2) else value)
            yield text[kept_from : match.start(1)]
            yield f'"{found}"' if match.group(2) else found
            kept_from = match.end(1)
        column = column + 1 if match.group(4) in _FIELDS else 0
    yield text[kept_from:]


def _field(separator: str) -> re.Pattern[str]:
    return re.compile(rf'("((?:[^"]|"")*+)"|([^{separator}"\r\n]*+))({separator}|\r?\n|\Z)')


_FIELDS = {separator: _field(re.escape(separator)) for separator in ",;\t|"}
