"""Responses in memory: read when they are asked for, kept while there is room."""

from replaymock.cassettes.model import RecordedResponse, Sidecar
from replaymock.http.cors import CorsPolicy
from replaymock.matching.index import entry_for
from replaymock.matching.matcher import Matcher
from replaymock.replay.renderer import RenderContext, RenderOptions
from replaymock.replay.response_cache import CAPACITY, STREAMED_FROM, ResponseCache
from tests.support.factories import a_cassette, recorded

CONTEXT = RenderContext("http://localhost", "", "")
LARGE = 10_000
ENTRIES = {file: entry_for(file, a_cassette(f"/{file}"), Matcher()) for file in "abc"}


class Disk:
    """Files with one response each, and how often they were read."""

    def __init__(self, **files: RecordedResponse) -> None:
        self.files = files
        self.asked: list[tuple[str, int]] = []

    def responses(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        self.asked.append((file, held))
        return (self.files[file],) if file in self.files else ()

    def reads(self, cache: ResponseCache, *files: str) -> list[str]:
        """The files that are read when these are asked for one after the other."""
        self.asked.clear()
        for file in files:
            cache.get(ENTRIES[file])
        return [file for file, _ in self.asked]


def a_cache(disk: Disk, capacity: int = CAPACITY) -> ResponseCache:
    return ResponseCache(disk, RenderOptions(CorsPolicy(), diagnostics=False), capacity)


def large(size: int = LARGE) -> RecordedResponse:
    return recorded(b"x" * size)


def test_a_response_is_read_when_it_is_first_asked_for() -> None:
    disk = Disk(a=large(), b=large())
    cache = a_cache(disk)
    assert disk.reads(cache, "a", "b", "a", "b") == ["a", "b"]
    cache.drop("a")
    assert disk.reads(cache, "a", "b") == ["a"]


def test_what_was_used_least_recently_makes_room_for_the_others() -> None:
    disk = Disk(a=large(), b=large(), c=large())
    cache = a_cache(disk, 3 * LARGE)
    assert disk.reads(cache, "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]
    assert cache.bytes_used <= 3 * LARGE


def test_one_that_is_larger_than_the_room_is_kept_until_another_is_asked_for() -> None:
    disk = Disk(a=large(), b=large(1))
    assert disk.reads(a_cache(disk, LARGE), "a", "a", "b", "a") == ["a", "b", "a"]


def test_answers_that_were_made_take_room_too() -> None:
    disk = Disk(a=recorded(b"{{origin}}" * 1000), b=large(1))
    cache = a_cache(disk)
    for number in range(3):
        cache.get(ENTRIES["a"])[0].render(RenderContext(f"http://localhost:{number}", "", ""))
    disk.reads(cache, "b")
    assert cache.bytes_used > 4 * LARGE
    cache.drop("a")
    assert cache.bytes_used < LARGE


def test_a_file_that_is_no_longer_what_it_was_has_no_responses() -> None:
    disk = Disk()
    cache = a_cache(disk)
    assert cache.get(ENTRIES["a"]) == []
    assert cache.current(ENTRIES["a"]) == []
    disk.files["a"] = large()
    assert cache.current(ENTRIES["a"])
    assert len(cache.get(ENTRIES["a"])) == 1


def test_what_is_streamed_is_looked_at_each_time() -> None:
    disk = Disk(a=RecordedResponse(200, "OK", (), sidecar=Sidecar("/x", 5)), b=large())
    cache = a_cache(disk)
    for _ in range(2):
        assert cache.current(ENTRIES["a"]) and cache.current(ENTRIES["b"])
    assert disk.asked == [("a", STREAMED_FROM), ("b", STREAMED_FROM), ("a", STREAMED_FROM)]


def test_responses_are_made_ready_once() -> None:
    cache = a_cache(Disk(a=recorded()))
    assert cache.get(ENTRIES["a"])[0] is cache.get(ENTRIES["a"])[0]
