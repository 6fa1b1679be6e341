"""What an option is, and the kinds of values that options take, as a flag, a variable or a file gives them.

A value that does not fit its kind is a ValueError whose text says why; the reader knows the place.
"""

from collections.abc import Callable

from msgspec import Struct

Value = str | int | float | bool | tuple[str, ...]
"""What an option is given, before it is read as what it means."""


class AnyText(Struct, frozen=True):
    """Any text. `splitter` is what parts several in one variable; None is white space."""

    splitter: str | None = None

    def read(self, value: object) -> str:
        """The value as it stands."""
        return str(value)


class Choice(Struct, frozen=True):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, value: object) -> str:
        """The word, if it is one of them."""
        if value not in self.words:
            raise ValueError(f"{value!r} is not one of {', '.join(map(repr, self.words))}.")
        return str(value)


class Whole(Struct, frozen=True):
    """A whole number, perhaps from a range."""

    low: int | None = None
    high: int | None = None

    def read(self, value: object) -> int:
        """The number, if it is in the range."""
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is not a whole number.") from None
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise ValueError(f"{number} is not in the range {self.low}<=x<={self.high}.")
        return number


class Seconds(Struct, frozen=True):
    """A number of seconds above zero."""

    def read(self, value: object) -> float:
        """The number, if it is one that time can be counted by."""
        try:
            seconds = float(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is not a number.") from None
        if not 0 < seconds < float("inf"):
            raise ValueError(f"{seconds} is not a number of seconds above 0.")
        return seconds


class Switch(Struct, frozen=True):
    """On or off."""

    def read(self, value: object) -> bool:
        """Whether it is on."""
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in (*_ON, *_OFF):
            raise ValueError(f"{value!r} is not a switch; use 1 or 0.")
        return word in _ON


Kind = AnyText | Choice | Whole | Seconds | Switch


class Option(Struct, frozen=True):
    """One option. The flag and the variable are made of `name`, which is also its key in a file.

    `setting` is the field of `Settings` that it fills, if not of the same name, with what `parse` makes of the value;
    empty if it fills none. `table` is where its key stands in a file: empty at the top, None nowhere. `needed` is the
    error where it has to be said and is not. `page` is what docs/configuration.md says of it, where that is not `help`.
    Without `default` it is off, empty, or none at all.
    """

    name: str
    help: str
    kind: Kind = AnyText()
    default: Value | None = None
    metavar: str = ""
    commands: tuple[str, ...] = ("record", "replay")
    group: str = ""
    short: str = ""
    is_repeatable: bool = False
    is_path: bool = False
    table: str | None = ""
    has_variable: bool = True
    setting: str | None = None
    parse: Callable[..., object] | None = None
    needed: str = ""
    page: str = ""

    @property
    def flag(self) -> str:
        """As it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable; empty where none is read."""
        return f"REPLAYMOCK_{self.name.upper()}" if self.has_variable else ""

    @property
    def field(self) -> str:
        """The field of `Settings` that it fills; empty if none."""
        return self.name if self.setting is None else self.setting

    @property
    def unset(self) -> Value:
        """What it is where nobody says anything."""
        if self.default is not None:
            return self.default
        if self.is_repeatable:
            return ()
        return False if isinstance(self.kind, Switch) else ""

    def split(self, text: str) -> object:
        """What a variable says: several values where the option is repeatable."""
        splitter = self.kind.splitter if isinstance(self.kind, AnyText) else None
        return text.split(splitter) if self.is_repeatable else text

    def meaning(self, value: object) -> object:
        """What a value says to a run. ValueError or UsageError where it does not fit."""
        read: object
        if self.is_repeatable:
            several = value if isinstance(value, (list, tuple)) else (value,)
            read = tuple(map(self.kind.read, several))
        else:
            read = self.kind.read(value)
        return self.parse(read) if self.parse else read


_ON = ("1", "true", "t", "yes", "y", "on")
_OFF = ("0", "false", "f", "no", "n", "off")
