"""Parts of recorded bodies and answers to conditions, from the real command and by either lane."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inside import put, running_app
from tests.support.running import Got, ask, replaymock

DATA = hashlib.shake_256(b"film").digest(300_000)
TAG = '"v1"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film beside its cassette, and a page."""
    found = tmp_path_factory.mktemp("cassettes")
    headers = {"content-type": "video/mp4", "etag": TAG, "cache-control": "max-age=60"}
    film = {"request": {"path": "/film"}, "responses": [{"headers": headers, "file": "GET.body.mp4"}]}
    (put(found, "film/GET.json", film).parent / "GET.body.mp4").write_bytes(DATA)
    put(found, "page/GET.json", {"request": {"path": "/page"}, "responses": [{"text": "<p>"}]})
    return found


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with replaymock("replay", folder, "--conditional") as running:
        yield running.url


def film(url: str, *headers: tuple[str, str], method: str = "GET") -> Got:
    return ask(url, method, "/film", headers)


def test_a_body_comes_back_whole_from_its_parts(url: str) -> None:
    assert film(url).body == DATA
    parts = []
    for start in range(0, len(DATA), 70_000):
        answer = film(url, ("Range", f"bytes={start}-{start + 69_999}"))
        end = min(start + 70_000, len(DATA))
        assert (answer.status, answer.reason) == (206, "Partial Content")
        assert answer.header("content-range") == f"bytes {start}-{end - 1}/{len(DATA)}"
        assert answer.header("content-length") == str(end - start)
        parts.append(answer.body)
    assert b"".join(parts) == DATA
    assert film(url, ("Range", "bytes=-5")).body == DATA[-5:]
    assert film(url, ("Range", "bytes=299999-")).body == DATA[-1:]


def test_what_cannot_be_had_is_a_416_and_what_is_no_range_the_whole(url: str) -> None:
    answer = film(url, ("Range", "bytes=300000-"), ("Origin", "http://localhost:3000"))
    assert (answer.status, answer.body, answer.header("content-range")) == (416, b"", "bytes */300000")
    assert answer.header("access-control-allow-origin") == "http://localhost:3000"
    for text in ("bytes=0-1,4-5", "bytes=9-1", "lines=1-2"):
        assert (film(url, ("Range", text)).status, len(film(url, ("Range", text)).body)) == (200, len(DATA))
    head = film(url, ("Range", "bytes=0-1"), method="HEAD")
    assert (head.status, head.header("content-length")) == (200, str(len(DATA)))


def test_a_part_of_something_older_is_the_whole(url: str) -> None:
    assert film(url, ("Range", "bytes=0-1"), ("If-Range", TAG)).status == 206
    assert film(url, ("Range", "bytes=0-1"), ("If-Range", '"v0"')).status == 200


def test_asked_for_what_is_known_already_is_a_304_and_an_edit_is_seen_without(url: str, folder: Path) -> None:
    answer = film(url, ("If-None-Match", f"W/{TAG}"))
    assert (answer.status, answer.body, answer.header("etag")) == (304, b"", TAG)
    assert answer.header("cache-control") == "max-age=60"
    assert answer.header("replaymock-cassette") == "film/GET.json"
    assert not answer.header("content-length")
    assert film(url, ("If-None-Match", '"v0"')).status == 200
    with running_app(folder) as app:
        assert film(app.url, ("If-None-Match", TAG)).status == 200
