"""Which bodies in files of their own are taken into memory, and which stay where they are."""

import pytest

from replaymock.cassettes.model import Sidecar
from replaymock.cassettes.reader import CHECK_ONLY, MOST_BYTES, SidecarLoader
from replaymock.cassettes.schema import FilePause, FileResponse
from replaymock.http.headers import Headers

TEXT = (("content-type", "text/plain"),)
IMAGE = (("content-type", "image/png"),)
ZIPPED = (*IMAGE, ("content-encoding", "gzip"))


def taken(data: bytes, headers: Headers, held: int, size: int = 0, **found: object) -> bytes | Sidecar:
    def fetch(name: str, most: int) -> bytes | Sidecar:
        return Sidecar(name, size or len(data)) if (size or len(data)) > most else data

    return SidecarLoader(fetch, held).load_body("x", FileResponse(**found), headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "headers", "found", "stays"),
    [
        (b"12345678", IMAGE, {}, True),
        (b"1234", IMAGE, {}, False),
        (b"{{origin}}/x", IMAGE, {}, True),
        (b"12345678", TEXT, {}, True),
        (b"{{origin}}/x", TEXT, {}, False),
        (b"{{origin}}/x", TEXT, {"rewrite": False}, True),
        (b"12345678", ZIPPED, {}, False),
        (b"12345678", ZIPPED, {"encoded": True}, True),
        (b"[1,2,3,4]", TEXT, {"layout": "spaced"}, False),
        (b"data: 12345", (("content-type", "text/event-stream"),), {"rewrite": False}, False),
        (b"12345678", IMAGE, {"pauses": [FilePause(at=1, ms=1)]}, False),
    ],
)
def test_a_body_is_taken_into_memory_where_it_is_small_or_has_to_be_changed(
    data: bytes, headers: Headers, found: dict[str, object], stays: bool
) -> None:
    assert isinstance(taken(data, headers, 5, **found), Sidecar) is stays
    assert isinstance(taken(data, headers, 1 << 62, **found), bytes)


def test_a_body_of_any_size_is_served_unless_something_in_it_might_have_to_be_changed() -> None:
    for headers, found in ((IMAGE, {}), (ZIPPED, {}), (TEXT, {"rewrite": False})):
        assert taken(b"", headers, 5, MOST_BYTES + 1, **found) == Sidecar("x", MOST_BYTES + 1)
    for held in (CHECK_ONLY, 5):
        with pytest.raises(ValueError, match="larger than"):
            taken(b"", TEXT, held, MOST_BYTES + 1)
        with pytest.raises(ValueError, match="larger than"):
            taken(b"", IMAGE, held, MOST_BYTES + 1, layout="compact")


def test_nothing_is_read_only_to_see_whether_it_could_be() -> None:
    assert isinstance(taken(b"{{origin}}", TEXT, CHECK_ONLY), Sidecar)
    assert taken(b"", TEXT, CHECK_ONLY) == b""
