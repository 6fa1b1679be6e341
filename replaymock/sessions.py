"""Where each session stands: its position in every cassette and the writes it has made. Only this changes on replay."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

IDLE_SECONDS = 3600.0
MOST_SESSIONS = 10_000


@dataclass(slots=True)
class Session:
    """One session. `positions` maps a cassette's file to the position of the response served last."""

    positions: dict[str, int] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    last_used: float = 0.0


class Sessions:
    """The sessions by name; the empty name is the default session, which never expires."""

    def __init__(self) -> None:
        self._default = Session()
        self._named: OrderedDict[str, Session] = OrderedDict()

    def get(self, name: str, now: float) -> Session:
        """The session of this name, made when it is new. `now` is in seconds on any steady clock."""
        if not name:
            return self._default
        self._expire(now)
        session = self._named.setdefault(name, Session())
        session.last_used = now
        self._named.move_to_end(name)
        self._expire(now)
        return session

    def reset(self, name: str | None = None) -> None:
        """Rewinds one session, or all of them."""
        if name is None:
            self._named.clear()
        if name:
            self._named.pop(name, None)
        else:
            self._default = Session()

    def _expire(self, now: float) -> None:
        while self._named:
            oldest = next(iter(self._named.values()))
            if now - oldest.last_used < IDLE_SECONDS and len(self._named) <= MOST_SESSIONS:
                return
            self._named.popitem(last=False)
