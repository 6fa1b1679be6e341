"""Where a run has its configuration, as messages and answers may name it."""

from msgspec import Struct


class ConfigLocation(Struct, frozen=True):
    """Where lines of configuration are to be written: the file, and the table that holds all of them, if any."""

    file: str = "replaymock.toml"
    table: str = ""

    @property
    def top(self) -> str:
        """Where options and `ignore` belong."""
        return f"under [{self.table}] in {self.file}" if self.table else f"at the top of {self.file}"

    def under(self, name: str) -> str:
        """Where the keys of a table belong."""
        return f"under [{self.table}.{name}] in {self.file}" if self.table else f"under [{name}] in {self.file}"
