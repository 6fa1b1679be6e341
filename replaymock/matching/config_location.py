"""Where a run has its configuration, as everybody may read it."""

from msgspec import Struct


class ConfigLocation(Struct, frozen=True):
    """Where lines of configuration are to be written: the file, and the table in it that has the whole."""

    file: str = "replaymock.toml"
    table: str = ""

    @property
    def top(self) -> str:
        """Where options and `ignore` stand."""
        return f"under [{self.table}] in {self.file}" if self.table else f"at the top of {self.file}"

    def under(self, name: str) -> str:
        """Where the keys of a table stand."""
        return f"under [{self.table}.{name}] in {self.file}" if self.table else f"under [{name}] in {self.file}"


def config_location(place: str, table: str) -> ConfigLocation:
    """The home that a file is: named from the working directory, or straight above it, else by its name alone."""
    *folders, name = place.split("/")
    is_elsewhere = "" in folders[:1] or (".." in folders and set(folders) != {".."})
    return ConfigLocation(name if is_elsewhere else place, table)
