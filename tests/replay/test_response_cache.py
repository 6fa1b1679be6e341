"""Responses in memory: read when they are asked for, kept while there is room."""

from replaymock.cassettes.model import RecordedResponse, Sidecar
from replaymock.http.cors import CorsPolicy
from replaymock.replay.renderer import RenderContext, ResponseRenderer
from replaymock.replay.response_cache import STREAMED_FROM, ResponseCache
from tests.support.factories import recorded

CALLER = RenderContext("http://localhost", "", "")
LARGE = 10_000


class Disk:
    """Files with one response each, and how often they were read."""

    def __init__(self, **files: RecordedResponse) -> None:
        self.files = files
        self.asked: list[tuple[str, int]] = []

    def read(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        self.asked.append((file, held))
        return (self.files[file],) if file in self.files else ()

    def reads(self, shelf: ResponseCache, *files: str) -> list[str]:
        """The files that are read when these are asked for one after the other."""
        self.asked.clear()
        for file in files:
            shelf.get(file, prepare)
        return [file for file, _ in self.asked]


def prepare(responses: tuple[RecordedResponse, ...]) -> list[ResponseRenderer]:
    return [ResponseRenderer(response, (), CorsPolicy()) for response in responses]


def large(size: int = LARGE) -> RecordedResponse:
    return recorded(b"x" * size)


def test_a_response_is_read_when_it_is_first_asked_for() -> None:
    disk = Disk(a=large(), b=large())
    shelf = ResponseCache(disk.read)
    assert disk.reads(shelf, "a", "b", "a", "b") == ["a", "b"]
    shelf.drop("a")
    assert disk.reads(shelf, "a", "b") == ["a"]


def test_what_was_used_least_recently_makes_room_for_the_others() -> None:
    disk = Disk(a=large(), b=large(), c=large())
    shelf = ResponseCache(disk.read, room=3 * LARGE)
    assert disk.reads(shelf, "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]
    assert shelf.taken <= 3 * LARGE


def test_one_that_is_larger_than_the_room_is_kept_until_another_is_asked_for() -> None:
    disk = Disk(a=large(), b=large(1))
    assert disk.reads(ResponseCache(disk.read, room=LARGE), "a", "a", "b", "a") == ["a", "b", "a"]


def test_answers_that_were_made_take_room_too() -> None:
    disk = Disk(a=recorded(b"{{origin}}" * 1000), b=large(1))
    shelf = ResponseCache(disk.read)
    for number in range(3):
        shelf.get("a", prepare)[0].answer(RenderContext(f"http://localhost:{number}", "", ""))
    disk.reads(shelf, "b")
    assert shelf.taken > 4 * LARGE
    shelf.drop("a")
    assert shelf.taken < LARGE


def test_a_file_that_is_no_longer_what_it_was_has_no_responses() -> None:
    disk = Disk()
    shelf = ResponseCache(disk.read)
    assert shelf.open("a", prepare) == []
    disk.files["a"] = large()
    assert len(shelf.open("a", prepare)) == 1


def test_what_is_streamed_is_looked_at_each_time_and_taken_whole_when_asked_for() -> None:
    disk = Disk(a=RecordedResponse(200, "OK", (), sidecar=Sidecar("/x", 5)), b=large())
    shelf = ResponseCache(disk.read)
    for _ in range(2):
        shelf.open("a", prepare)
        shelf.open("b", prepare)
    assert [file for file, _ in disk.asked] == ["a", "b", "a"]
    disk.asked.clear()
    shelf.whole("a")
    shelf.whole("b")
    ((file, held),) = disk.asked
    assert file == "a"
    assert held > STREAMED_FROM
