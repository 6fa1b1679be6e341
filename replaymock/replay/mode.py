"""What is asked, in which order, for each request: three booleans a mode."""

from msgspec import Struct


class Mode(Struct, frozen=True):
    """`lookup`: look into the cassettes first; `forward`: ask upstream; `save`: write what upstream said."""

    lookup: bool
    forward: bool
    save: bool


REPLAY = Mode(lookup=True, forward=False, save=False)

# `rewrite` differs from `all` only before the first request: the folder's recordings are removed.
RECORD_MODES = {
    "all": Mode(lookup=False, forward=True, save=True),
    "new": Mode(lookup=True, forward=True, save=True),
    "rewrite": Mode(lookup=False, forward=True, save=True),
}
