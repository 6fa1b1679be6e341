"""A copy of a body that passes through, as far as there is room for it, and when its parts arrived."""

_SAME_MOMENT = 0.0005


class Kept:
    """A copy of a body, as far as `limit` bytes; of a larger one nothing, or its `beginning`.

    `arrivals` has how many bytes were there when, in seconds on the clock of whoever adds them.
    """

    def __init__(self, limit: int, *, beginning: bool = False) -> None:
        self._limit = limit
        self._beginning = beginning
        self._pieces: list[bytes] = []
        self.arrivals: list[tuple[int, float]] = []
        self.size = 0
        self.ended = False

    @property
    def whole(self) -> bool:
        """Whether nothing had to be left out."""
        return self.size <= self._limit

    @property
    def data(self) -> bytes:
        """The body so far; of one over the limit its beginning, or nothing."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    def add(self, piece: bytes, now: float) -> None:
        """Keeps one more piece."""
        if self.arrivals and now - self.arrivals[-1][1] < _SAME_MOMENT:
            now = self.arrivals.pop()[1]
        room = self._limit - self.size
        self.size += len(piece)
        self.arrivals.append((self.size, now))
        if self.whole or (self._beginning and room > 0):
            self._pieces.append(piece[:room])
        elif not self._beginning:
            self._pieces.clear()
            self.arrivals.clear()
