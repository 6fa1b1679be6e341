"""Bodies in files of their own: which of them are taken into memory, and which are streamed from where they are.

What is replaced in a body, coded, laid out or paced needs all of it; anything else may be of any size.
"""

from collections.abc import Callable

from msgspec import Struct

from replaymock.cassettes.model import Sidecar
from replaymock.cassettes.schema import FileResponse
from replaymock.http import bodies, content_coding, event_stream, media_types
from replaymock.http.headers import Headers, get, media_type
from replaymock.placeholders import TOKEN

MOST_BYTES = 64 * 1024 * 1024
"""The largest body that is taken into memory when it is served."""

ANY_SIZE = 1 << 62
NONE = -1
"""As the most bytes to take into memory: only to see that the file could be read."""

Fetch = Callable[[str, int], bytes | Sidecar]
"""From the name of a sibling file to its bytes, or to where it is if it has more than so many.

OSError or ValueError with the reason.
"""


class Sidecars(Struct, frozen=True):
    """How the sidecars of a cassette are taken: by whom, and those of more than `held` bytes only if they must be."""

    fetch: Fetch
    held: int = ANY_SIZE

    def whole(self, name: str, layout: str | None) -> bytes:
        """A body that is taken into memory. OSError or ValueError with the reason."""
        data = self.fetch(name, max(self.held, MOST_BYTES))
        if isinstance(data, Sidecar):
            raise ValueError(f"larger than {MOST_BYTES} bytes")  # noqa: TRY004 - its size is wrong, not its type
        return data if layout is None else bodies.apply_layout(data, layout)

    def body(self, name: str, found: FileResponse, headers: Headers) -> bytes | Sidecar:
        """A body, in memory or where it is. OSError or ValueError with the reason."""
        if found.layout is not None:
            return self.whole(name, found.layout)
        data = self.fetch(name, self.held)
        if not isinstance(data, Sidecar):
            return data
        if data.size == 0:
            return b""
        media = media_type(headers)
        if found.pauses or found.truncated or event_stream.is_stream(media):
            return data if self.held == NONE and data.size <= MOST_BYTES else self.whole(name, None)
        may_hold_origin = found.rewrite and not found.encoded and media_types.is_rewritable(media)
        if may_hold_origin and data.size > MOST_BYTES:
            raise ValueError(f'larger than {MOST_BYTES} bytes, which takes "rewrite": false')
        if self.held == NONE or data.size > MOST_BYTES:
            return data
        coded = not found.encoded and bool(content_coding.parse(get(headers, "content-encoding")))
        if not may_hold_origin and not coded:
            return data
        taken = self.whole(name, None)
        return taken if coded or TOKEN.encode() in taken else data
