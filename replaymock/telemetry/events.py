"""The events of a run, one class each: what happened, and how `--json` spells it.

An event carries facts, and `event_text` makes the text for people of them. Members that only this text needs are left
out by `to_json`.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec import Struct, structs


class Ready(Struct, frozen=True, tag=True):
    """Requests are answered from now on. `folder` and `upstreams` are spelled as everybody may read them.

    `addresses` are the URLs that a person can open, where `url` itself is none.
    """

    name: ClassVar[str] = "ready"
    url: str
    port: int
    pid: int
    cassettes: int
    workers: int = 1
    command: str = "replay"
    folder: str = ""
    upstreams: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The members, `workers` only where there are several."""
        several = {"workers": self.workers} if self.workers > 1 else {}
        return {"url": self.url, "port": self.port, "pid": self.pid, "cassettes": self.cassettes, **several}


class ServedRequest(Struct, frozen=True, tag=True):
    """A request was answered. `target` is redacted; `elapsed_ms` runs to the end of the response."""

    name: ClassVar[str] = "request"
    method: str
    target: str
    status: int
    outcome: str
    file: str
    elapsed_ms: float

    def to_json(self) -> dict[str, Any]:
        """The members, the time in thousandths of a millisecond."""
        return {
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "outcome": self.outcome,
            "file": self.file or None,
            "elapsed_ms": round(self.elapsed_ms, 3),
        }


class MissOccurred(Struct, frozen=True, tag=True):
    """A miss happened for the first time: the members of its problem document, and what to do, as a sentence."""

    name: ClassVar[str] = "miss"
    reason: str
    hint: str
    request: dict[str, Any]
    nearest: list[dict[str, Any]]
    advice: str
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        """The members, `where` only where the hint is a line for the configuration."""
        return {
            "reason": self.reason,
            "hint": self.hint,
            **({"where": self.where} if self.where else {}),
            "request": self.request,
            "nearest": self.nearest,
            "advice": self.advice,
        }


class Recorded(Struct, frozen=True, tag=True):
    """A cassette is on disk."""

    name: ClassVar[str] = "recorded"
    file: str

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Hidden(Struct, frozen=True, tag=True):
    """Cassettes held a secret that was recognised only later, and were written again without it."""

    name: ClassVar[str] = "hidden"
    files: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Changed(Struct, frozen=True, tag=True):
    """Nothing but a few fields changed in some cassettes: `hint` is the line that ignores them, to be put `where`."""

    name: ClassVar[str] = "changed"
    files: tuple[str, ...]
    only_in: tuple[str, ...]
    hint: str
    where: str

    def to_json(self) -> dict[str, Any]:
        """The members but `where`."""
        return {"files": self.files, "only_in": self.only_in, "hint": self.hint}


class Reloaded(Struct, frozen=True, tag=True):
    """The folder was read again."""

    name: ClassVar[str] = "reloaded"
    cassettes: int

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Broken(Struct, frozen=True, tag=True):
    """A cassette cannot be read."""

    name: ClassVar[str] = "broken"
    message: str

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Warned(Struct, frozen=True, tag=True):
    """Something happened that the user should know of."""

    name: ClassVar[str] = "warning"
    message: str

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Dropped(Struct, frozen=True, tag=True):
    """So many events could not be passed on in time and are missing before this one."""

    name: ClassVar[str] = "dropped"
    count: int

    def to_json(self) -> dict[str, Any]:
        """The members."""
        return structs.asdict(self)


class Summary(Struct, frozen=True, tag=True):
    """The end of a run in numbers.

    `redacted` counts distinct hidden values, `redacted_files` the cassettes of this run that have one.
    """

    name: ClassVar[str] = "summary"
    requests: int
    hits: int
    misses: int
    recorded: int
    unchanged: int
    unused: int
    redacted: int
    redacted_files: int
    failed_writes: int
    is_recording: bool

    def to_json(self) -> dict[str, Any]:
        """The members but `is_recording`."""
        members = structs.asdict(self)
        del members["is_recording"]
        return members


Event = (
    Ready | ServedRequest | MissOccurred | Recorded | Hidden | Changed | Reloaded | Broken | Warned | Dropped | Summary
)

Emit = Callable[[Event], None]
"""Takes an event: the console, the subscribers, or in a worker the connection to the parent."""
