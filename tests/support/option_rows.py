"""The rows of docs/configuration.md that the table of options says."""

from replaymock.config.option import Option, Switch
from replaymock.config.options import options_of
from tests.support.documents import ROOT

PAGE = ROOT / "docs/configuration.md"
HEAD = "| option | variable | key | default | meaning |\n|---|---|---|---|---|\n"
SECTIONS = {
    "## Options of `record` and `replay`": ({"record", "replay"}, "record"),
    "## Options of `record`": ({"record"}, "record"),
    "## Options of `replay`": ({"replay"}, "replay"),
}


def with_rows(page: str) -> str:
    """The page with the rows of its three tables of options as they are to be."""
    for heading, (commands, command) in SECTIONS.items():
        before, _, after = page.partition(f"{heading}\n\n{HEAD}")
        rows = "".join(row(option) for option in options_of(command) if set(option.commands) == commands)
        page = f"{before}{heading}\n\n{HEAD}{rows}{after[after.index(chr(10) * 2) + 1 :]}"
    return page


def row(option: Option) -> str:
    """An option as the page has it."""
    spellings = [f"{option.flag} {option.metavar}".strip(), option.short]
    if option.unset is True:
        spellings.append(option.flag.replace("--", "--no-"))
    cells = [
        ", ".join(f"`{spelling}`" for spelling in spellings if spelling),
        f"`{option.variable}`",
        f"`{option.name}`" if option.table is not None else "",
        _default(option),
        option.page or f"{option.help[0].lower()}{option.help[1:].removesuffix('.')}",
    ]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|\n"


def _default(option: Option) -> str:
    if option.needed:
        return "needed"
    if isinstance(option.kind, Switch):
        return "on" if option.unset else "off"
    return "" if option.default is None else f"`{str(option.default).removesuffix('.0')}`"
