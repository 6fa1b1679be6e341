"""The library keeps index and folder in line while both are written to."""

import asyncio
import functools
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.errors import CassetteError
from replaymock.http.bodies import Text
from replaymock.matching.index import Index
from replaymock.matching.matcher import Matcher
from replaymock.storage import write_queue
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.storage.write_queue import FailedWrites
from tests.support.factories import a_cassette, recorded
from tests.support.inside import put

MATCHER = Matcher()


class Run:
    """A library on a real folder, with what it reported and the index it handed out last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.store = CassetteFolder(folder)
        self.store.prepare_for_writing()
        emit = lambda event: self.events.append((event.name, event.to_json()))  # noqa: E731
        self.unsaved: list[str] = []
        self.library = CassetteLibrary(self.store, MATCHER, emit, self.unsaved.append)
        self.library.load()

    @property
    def index(self) -> Index:
        return self.library.index

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        return self.library.broken

    def keep(self, file: str, cassette: Cassette) -> None:
        """What a recorder does with a cassette."""
        self.library.put(file, cassette)

    def cassette(self, file: str) -> Cassette:
        return self.library.cassette(self.index.entries[file])


def test_a_cassette_is_served_from_memory_until_it_is_saved_and_from_the_disk_after(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        assert (run.cassette("items/GET.json"), dict(run.library.pending)) == (
            a_cassette(),
            {"items/GET.json": a_cassette()},
        )
        await run.library.flush()
        assert (run.cassette("items/GET.json"), dict(run.library.pending)) == (a_cassette(), {})

    asyncio.run(story())
    put(run.folder, "items/GET.json", "{")
    run.library.look_again("items/GET.json")
    assert (list(run.index.entries), list(run.broken)) == ([], ["items/GET.json"])


def test_a_saved_cassette_is_announced_once_it_is_on_the_disk(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        assert run.events == []
        await run.library.flush()

    asyncio.run(story())
    assert run.events == [("recorded", {"file": "items/GET.json"})]
    assert (run.folder / "items/GET.json").is_file()


def test_a_reload_while_a_cassette_is_being_saved_does_not_lose_it(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        run.library.load()
        assert list(run.index.entries) == ["items/GET.json"]
        run.keep("items/GET.json", a_cassette("/items", recorded(b"[1]"), recorded(b"[2]")))
        run.library.load()
        await run.library.flush()

    asyncio.run(story())
    run.library.rescan()
    assert len(run.cassette("items/GET.json").responses) == 2


def test_a_failed_write_is_told_once_and_counted_each_time(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "items").write_text("in the way")

    async def story() -> None:
        for number in range(3):
            run.keep(f"items/GET--{number}.json", a_cassette())
        await run.library.flush()

    asyncio.run(story())
    assert run.library.failed_writes == 3
    assert [event for event, _ in run.events] == ["warning"]
    assert "cannot write" in run.events[0][1]["message"]


def test_an_unchanged_cassette_keeps_its_entry_over_a_reload(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    run.store.save("items/GET.json", a_cassette())
    run.library.rescan()
    before = run.index.entries["items/GET.json"]
    (run.folder / "more.json").write_text("{}")
    run.library.rescan()
    assert run.index.entries["items/GET.json"] is before
    assert "more.json" in run.index.entries


def test_a_broken_cassette_is_told_once_and_told_again_when_it_breaks_otherwise(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    for text in ("{", "{", "[1,"):
        (run.folder / "a.json").write_text(text)
        run.library.rescan()
    told = [members["message"] for event, members in run.events if event == "broken"]
    assert len(told) == 2
    assert list(run.broken) == ["a.json"]


def test_emptying_removes_what_was_recorded_and_leaves_what_was_written_by_hand(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    run.store.save("items/GET.json", a_cassette("/items", recorded(recorded_at="2026-11-22T13:00:00Z")))
    run.store.save("hand/GET.json", a_cassette("/hand"))
    (run.folder / "mock.json").write_text("{}")
    run.store.scan()
    assert list(run.library.remove_recorded()) == ["items/GET.json"]
    left = sorted(file.name for file in run.folder.rglob("*.json"))
    assert left == ["GET.json", "mock.json"]


def test_a_file_that_a_request_asks_for_is_seen_before_the_watch_sees_it(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "new.json").write_text("{}")
    assert not run.library.look_for(["other.json"])
    assert run.library.look_for(["other.json", "new.json"])
    assert list(run.index.entries) == ["new.json"]
    assert not run.library.look_for(["new.json"])


def test_a_file_that_the_watch_has_read_and_not_served_yet_is_served_when_asked_for(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "new.json").write_text("{}")
    run.store.scan()
    assert run.library.look_for(["new.json"])
    assert list(run.index.entries) == ["new.json"]


UNFIT = Cassette(
    CassetteRequest("POST", "/bad", None, (("content-type", "text/plain; charset=ascii"),), Text("é")), (recorded(),)
)


def test_a_cassette_that_no_request_can_be_compared_with_takes_only_itself_out(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    run.store.mark_saved("bad/POST.json", UNFIT, ())
    run.store.mark_saved("good/GET.json", a_cassette(), ())
    run.library.load()
    run.library.load()
    assert not run.library.look_for(["bad/POST.json"])
    assert list(run.index.entries) == ["good/GET.json"]
    assert list(run.broken) == ["bad/POST.json"]
    (told,) = [members["message"] for event, members in run.events if event == "broken"]
    assert told.startswith(f"{run.folder}/bad/POST.json:1:1: its request cannot be compared")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a poll with a deadline
            await asyncio.sleep(0.005)


def test_a_fault_while_reading_again_is_told_of_once_and_the_watch_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    faults = [RuntimeError("boom"), RuntimeError("boom")]

    def stumble(_files: Iterable[str]) -> None:
        if faults:
            raise faults.pop()

    run.library.subscribe(stumble)

    def served(name: str) -> bool:
        return name in run.index.entries

    async def story() -> None:
        watching = asyncio.ensure_future(run.library.watch())
        for name in ("a.json", "b.json"):
            (run.folder / name).write_text("{}")
            await until(functools.partial(served, name))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(story())
    assert [members["message"].partition(": ")[2] for event, members in run.events if event == "warning"] == [
        "RuntimeError: boom"
    ]


def warnings(run: Run) -> list[str]:
    return [members["message"] for event, members in run.events if event == "warning"]


def test_what_could_not_be_written_is_served_from_memory_and_written_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "AGAIN_SECONDS", 0.01)
    run = Run(tmp_path / "c")
    (run.folder / "items").write_text("in the way")

    async def story() -> None:
        for number in range(3):
            run.keep(f"items/GET--{number}.json", a_cassette(f"/items/{number}"))
        await until(lambda: run.library.failed_writes == 3)
        run.library.load()
        assert sorted(run.index.entries) == [f"items/GET--{number}.json" for number in range(3)]
        (run.folder / "items").unlink()
        await until(lambda: len(warnings(run)) == 2)
        await run.library.flush()

    asyncio.run(story())
    assert run.library.failed_writes == 0
    assert [told.partition(": ")[2] or told for told in warnings(run)] == [
        "Not a directory; the client was answered all the same, and it is tried again",
        "what could not be written before is written now",
    ]
    assert not run.store.scan()
    assert len(list(run.folder.rglob("GET--*.json"))) == len(run.index) == 3


def test_what_cannot_be_written_is_tried_when_another_could_be_and_once_more_at_the_end(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "items").write_text("in the way")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        run.keep("items/7/GET.json", a_cassette("/items/7"))
        await until(lambda: run.library.failed_writes == 2)
        (run.folder / "items").unlink()
        run.keep("other/GET.json", a_cassette("/other"))
        await until(lambda: run.library.failed_writes == 0)
        (run.folder / "last").write_text("in the way")
        run.keep("last/GET.json", a_cassette("/last"))
        await until(lambda: run.library.failed_writes == 1)
        (run.folder / "last").unlink()
        await run.library.flush()

    asyncio.run(story())
    assert run.library.failed_writes == 0
    assert len(list(run.folder.rglob("GET.json"))) == 4


def test_a_newer_cassette_takes_the_place_of_one_that_could_not_be_written(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "items").write_text("in the way")
    newer = a_cassette("/items", recorded(b"[1]"), recorded(b"[2]"))

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        await until(lambda: run.library.failed_writes == 1)
        (run.folder / "items").unlink()
        run.keep("items/GET.json", newer)
        await run.library.flush()

    asyncio.run(story())
    assert run.cassette("items/GET.json") == newer
    assert [event for event, _ in run.events].count("recorded") == 1


def test_what_there_is_no_room_to_keep_is_not_served_and_written_when_it_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "FailedWrites", lambda: FailedWrites(10))
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        await until(lambda: bool(run.events))
        (run.folder / "items/GET.2.body.png").mkdir()
        longer = a_cassette("/items", recorded(b"[1]"), recorded(b"\x00", headers=(("content-type", "image/png"),)))
        run.keep("items/GET.json", longer)
        await until(lambda: run.library.failed_writes == 1)
        assert run.cassette("items/GET.json") == a_cassette()
        (run.folder / "items/GET.2.body.png").rmdir()
        run.keep("items/GET.json", longer)
        await run.library.flush()

    asyncio.run(story())
    assert run.library.failed_writes == 0
    assert len(run.index.entries["items/GET.json"].after_writes) == 2


def test_only_the_newest_of_what_waits_to_be_written_is_written(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        for count in range(1, 200):
            run.keep("poll/GET.json", a_cassette("/poll", *(recorded(b"[%d]" % number) for number in range(count))))
        await run.library.flush()

    asyncio.run(story())
    assert len(run.events) < 20
    assert not run.store.scan()
    assert len(run.store.loaded[0].after_writes) == 199


def test_what_comes_in_while_the_disk_is_busy_is_written_together_and_a_failure_is_its_own(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    (run.folder / "7").write_text("in the way")
    batches: list[int] = []
    save_all = run.store.save_all
    run.store.save_all = lambda cassettes: (batches.append(len(cassettes)), save_all(cassettes))[1]  # type: ignore[method-assign]

    async def story() -> None:
        for number in range(20):
            run.keep(f"{number}/GET.json", a_cassette(f"/{number}"))
        await run.library.flush()

    asyncio.run(story())
    assert batches == [1, 19, 1]  # the last is the second try at the end
    assert len([event for event, _ in run.events if event == "recorded"]) == 19
    assert run.library.failed_writes == 1
    assert sorted(map(int, (file.partition("/")[0] for file in run.index.entries))) == [*range(20)]


def test_when_the_whole_folder_cannot_be_made_every_cassette_counts_as_failed(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    shutil.rmtree(run.folder)
    run.folder.symlink_to(tmp_path / "nowhere/at/all")

    async def story() -> None:
        for number in range(3):
            run.keep(f"{number}/GET.json", a_cassette(f"/{number}"))
        await run.library.flush()

    asyncio.run(story())
    assert run.library.failed_writes == 3
    assert [event for event, _ in run.events] == ["warning"]


def test_a_file_that_was_seen_half_written_is_looked_at_again_when_it_is_asked_for(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")
    put(run.folder, "a.json", "")
    run.library.rescan()
    assert list(run.broken) == ["a.json"]
    assert not run.library.look_for(["a.json"])
    put(run.folder, "a.json", "[1]")
    assert run.library.look_for(["a.json"])
    assert (list(run.index.entries), run.broken) == (["a.json"], {})


def broken_off(number: int) -> RecordedResponse:
    """A response that no file can hold."""
    return replace(recorded(b"[%d]" % number), reason="a\nb")


def test_what_could_not_be_read_again_is_given_up_and_the_disk_says_what_is_served(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        await until(lambda: bool(run.events))
        run.keep("items/GET.json", a_cassette("/items", recorded(), broken_off(2)))
        run.keep("new/GET.json", a_cassette("/new", broken_off(3)))
        await until(lambda: len(run.unsaved) == 2)
        assert list(run.index.entries) == ["items/GET.json"]
        assert run.cassette("items/GET.json") == a_cassette()
        await run.library.flush()

    asyncio.run(story())
    assert sorted(run.unsaved) == ["items/GET.json", "new/GET.json"]
    assert run.library.failed_writes == 0 and not run.library.pending
    reason = "not saved, it could not be read again: reason 'a\\nb' holds characters a status line cannot"
    assert warnings(run) == [f"GET /items: {reason}", f"GET /new: {reason}"]
    assert [event for event, _ in run.events].count("recorded") == 1
    assert [file.relative_to(run.folder).as_posix() for file in run.folder.rglob("*.json")] == ["items/GET.json"]
    (run.folder / "items/GET.json").unlink()
    assert run.store.scan() and not run.store.loaded


def test_what_stands_beside_what_could_not_be_read_again_is_written(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette())
        await until(lambda: bool(run.events))
        run.keep("items/GET.json", a_cassette("/items", recorded(), broken_off(2), recorded(b"[3]"), broken_off(4)))
        await until(lambda: len(run.events) == 4)
        await run.library.flush()

    asyncio.run(story())
    assert [event for event, _ in run.events] == ["recorded", "warning", "warning", "recorded"]
    left = a_cassette("/items", recorded(), recorded(b"[3]"))
    assert run.cassette("items/GET.json") == left
    run.store.scan()
    assert run.store.cassette(run.store.loaded[0]) == left


def test_a_newer_cassette_without_what_could_not_be_read_again_is_written(tmp_path: Path) -> None:
    run = Run(tmp_path / "c")

    async def story() -> None:
        run.keep("items/GET.json", a_cassette("/items", broken_off(1)))
        run.keep("items/GET.json", a_cassette())
        await run.library.flush()

    asyncio.run(story())
    assert warnings(run) == []
    assert run.cassette("items/GET.json") == a_cassette()
