"""Cassettes in real folders: loaded, saved, watched, and kept whole."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import load
from replaymock.errors import UsageError
from replaymock.http.bodies import Text
from replaymock.http.websocket_messages import CLIENT, CLOSE, SERVER, TEXT, Message
from replaymock.storage.atomic_write import TEMPORARY_PREFIX
from replaymock.storage.folder import GIT_ATTRIBUTES, CassetteFolder, Unwritable
from replaymock.storage.loader import MOST_BYTES, CassetteSummary
from tests.support.factories import a_cassette, recorded
from tests.support.inside import put, simple

PNG = (("content-type", "image/png"),)
IMAGE = a_cassette("/logo", recorded(b"\x89PNG\x00", headers=PNG))
OTHER_IMAGE = a_cassette("/logo", recorded(b"\x89PNG\x01!", headers=PNG))
PLAIN = a_cassette("/logo")


def files(folder: Path) -> list[str]:
    return sorted(found.relative_to(folder).as_posix() for found in folder.rglob("*") if found.is_file())


def scanned(folder: Path) -> CassetteFolder:
    store = CassetteFolder(folder)
    store.scan()
    return store


def only(store: CassetteFolder) -> Cassette:
    (loaded,) = store.loaded
    cassette = store.cassette(loaded)
    assert cassette
    return cassette


def body_of(store: CassetteFolder, loaded: CassetteSummary) -> bytes | None:
    cassette = store.cassette(loaded)
    return cassette.responses[0].body if cassette else None


@pytest.mark.parametrize("cassette", [IMAGE, PLAIN, a_cassette("/x", recorded(b"1"), recorded(b"2"), method="POST")])
def test_what_is_saved_is_what_is_loaded_and_is_not_read_again(tmp_path: Path, cassette: Cassette) -> None:
    store = CassetteFolder(tmp_path)
    signature = store.save("deep/er/GET.json", cassette)
    store.mark_saved("deep/er/GET.json", cassette, signature)
    assert store.scan() is False
    assert only(store) == cassette
    assert only(scanned(tmp_path)) == cassette


def test_an_edit_is_seen_and_an_untouched_file_is_not_read_again(tmp_path: Path) -> None:
    place = put(tmp_path, "a.json", "[1]")
    put(tmp_path, "b.json", "[1]")
    store = scanned(tmp_path)
    before = {loaded.file: loaded for loaded in store.loaded}
    assert store.scan() is False
    place.write_text("[2]")
    os.utime(place, ns=(1, 1))
    assert store.scan() is True
    after = {loaded.file: loaded for loaded in store.loaded}
    assert body_of(store, after["a.json"]) == b"[2]"
    assert after["b.json"] is before["b.json"]
    place.unlink()
    assert store.scan() is True
    assert [loaded.file for loaded in store.loaded] == ["b.json"]


def test_an_edit_of_a_sidecar_is_an_edit_of_its_cassette(tmp_path: Path) -> None:
    CassetteFolder(tmp_path).save("logo/GET.json", IMAGE)
    (sidecar,) = [found for found in tmp_path.rglob("*") if found.suffix == ".png"]
    store = scanned(tmp_path)
    sidecar.write_bytes(b"\x89PNG-new")
    assert store.scan() is True
    assert only(store).responses[0].body == b"\x89PNG-new"
    sidecar.unlink()
    assert store.scan() is True
    assert "No such file" in str(store.broken["logo/GET.json"])
    assert store.scan() is False
    sidecar.write_bytes(b"\x89PNG\x00")
    assert store.scan() is True
    assert only(store) == IMAGE


def test_saving_removes_the_sidecars_it_no_longer_has_and_no_others(tmp_path: Path) -> None:
    store = CassetteFolder(tmp_path)
    store.save("logo/GET--other.json", OTHER_IMAGE)
    store.save("logo/GET.json", IMAGE)
    put(tmp_path, "logo/README.png", "mine")
    store.save("logo/GET.json", PLAIN)
    assert files(tmp_path) == ["logo/GET--other.body.png", "logo/GET--other.json", "logo/GET.json", "logo/README.png"]
    store.remove("logo/GET--other.json")
    assert files(tmp_path) == ["logo/GET.json", "logo/README.png"]


def test_removing_a_cassette_removes_the_folders_that_are_empty_by_that(tmp_path: Path) -> None:
    store = CassetteFolder(tmp_path)
    for file in ("a/b/c/GET.json", "a/GET.json"):
        store.save(file, PLAIN)
    store.remove("a/b/c/GET.json")
    assert [found.name for found in (tmp_path / "a").iterdir()] == ["GET.json"]
    store.remove("a/GET.json")
    assert list(tmp_path.iterdir()) == []


def test_saving_the_same_again_writes_the_same_bytes(tmp_path: Path) -> None:
    CassetteFolder(tmp_path).save("logo/GET.json", IMAGE)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    scanned(tmp_path).save("logo/GET.json", only(scanned(tmp_path)))
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    store = CassetteFolder(tmp_path)
    versions = [a_cassette("/x", recorded(b'"%b"' % (letter * 30_000))) for letter in (b"a", b"b")]
    store.save("x/GET.json", versions[0])
    enough = threading.Event()

    def write() -> None:
        for number in itertools.count():
            store.save("x/GET.json", versions[number % 2])
            if enough.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    seen = {json.loads((tmp_path / "x/GET.json").read_text())["responses"][0]["json"][0] for _ in range(1000)}
    enough.set()
    writer.join()
    assert seen == {"a", "b"}
    assert files(tmp_path) == ["x/GET.json"]


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x/GET.json").mkdir(parents=True)
    put(tmp_path, "y", "a file where a folder must be")
    for name in ("x/GET.json", "y/GET.json"):
        with pytest.raises(OSError):
            CassetteFolder(tmp_path).save(name, PLAIN)
    assert files(tmp_path) == ["y"]


def test_a_new_folder_gets_attributes_for_git_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    new, old = tmp_path / "deep/new", tmp_path / "old"
    put(old, ".gitattributes", "mine")
    for folder in (new, old, tmp_path):
        CassetteFolder(folder).prepare_for_writing()
    assert (new / ".gitattributes").read_text() == GIT_ATTRIBUTES
    assert (old / ".gitattributes").read_text() == "mine"
    assert not (tmp_path / ".gitattributes").exists()


def test_what_a_crash_left_is_never_served_and_cleared_by_the_next_recording(tmp_path: Path) -> None:
    put(tmp_path, "a/GET.json", simple("/a", 1))
    left_over = put(tmp_path, f"a/{TEMPORARY_PREFIX}123-GET.json", '{"half')
    store = scanned(tmp_path)
    assert ([loaded.file for loaded in store.loaded], store.broken) == (["a/GET.json"], {})
    store.prepare_for_writing()
    assert not left_over.exists()
    assert files(tmp_path) == ["a/GET.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    put(tmp_path, "file", "")
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UsageError, match=f"cannot write into {folder}: .*--cassettes"):
            CassetteFolder(folder).prepare_for_writing()


def test_hidden_files_and_what_is_no_json_are_left_alone(tmp_path: Path) -> None:
    for name in (".git/x.json", ".hidden.json", "notes.md", "a.JSON", "GET.body.json", "a/.b/c.json"):
        put(tmp_path, name, "{")
    store = scanned(tmp_path)
    assert (store.loaded, store.broken) == ([], {})


def test_a_plain_mock_is_told_from_a_cassette_by_its_name(tmp_path: Path) -> None:
    for name in ("GET.json", "GET--x.json", "POST.json", "get.json", "users/1.json", "GETTER.json"):
        put(tmp_path, name, simple("/x", 1))
    found = {loaded.file: loaded.request.path for loaded in scanned(tmp_path).loaded if loaded.is_plain}
    assert found == {"get.json": "/get", "users/1.json": "/users/1", "GETTER.json": "/GETTER"}


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "link.txt", "folder/../../secret.txt"])
def test_a_sidecar_outside_the_folder_is_not_read(tmp_path: Path, name: str) -> None:
    put(tmp_path, "secret.txt", "secret")
    folder = tmp_path / "c"
    put(folder, "GET.json", {"request": {"path": "/"}, "responses": [{"file": name}]})
    (folder / "folder").mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    store = scanned(folder)
    assert store.loaded == []
    assert f"{folder}/GET.json:" in str(store.broken["GET.json"])


def test_no_link_leads_outside_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "outside/1.json", {"of": "another"})
    folder = tmp_path / "c"
    put(folder, "users/2.json", {})
    (folder / "1.json").symlink_to(tmp_path / "outside/1.json")
    (folder / "3.json").symlink_to(folder / "users/2.json")
    (folder / "api").symlink_to(tmp_path / "outside")
    store = scanned(folder)
    assert [loaded.file for loaded in store.loaded] == ["3.json", "users/2.json"]
    assert "1.json:1:1: leads outside the cassette folder" in str(store.broken["1.json"])
    with pytest.raises(OSError, match="api leads outside the cassette folder"):
        store.save("api/x/GET.json", a_cassette("/api/x"))
    assert [found.name for found in (tmp_path / "outside").iterdir()] == ["1.json"]


def test_what_cannot_be_read_or_is_too_large_takes_only_itself_out(tmp_path: Path) -> None:
    put(tmp_path, "good.json", {})
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere")
    put(tmp_path, "GET.json", {"request": {"path": "/"}, "responses": [{"file": "GET.body.txt"}]})
    for name in ("large.json", "GET.body.txt"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(MOST_BYTES + 1)
    store = scanned(tmp_path)
    assert [loaded.file for loaded in store.loaded] == ["good.json"]
    assert "cannot be read: No such file" in str(store.broken["dangling.json"])
    assert "larger than" in str(store.broken["large.json"])
    assert "larger than" in str(store.broken["GET.json"])
    assert store.scan() is False


@pytest.mark.parametrize(
    ("sidecar", "reason"),
    [("a\0b", "embedded null"), ("loop", ""), ("n" * 300, "name too long"), ("folder", "not a regular file")],
)
def test_a_sidecar_of_any_name_takes_out_only_its_cassette(tmp_path: Path, sidecar: str, reason: str) -> None:
    put(tmp_path, "good.json", {})
    put(tmp_path, "GET.json", {"request": {"path": "/"}, "responses": [{"file": sidecar}]})
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    store = scanned(tmp_path)
    assert [loaded.file for loaded in store.loaded] == ["good.json"]
    assert str(store.broken["GET.json"]).startswith(f"{tmp_path}/GET.json:7:15: ")
    assert reason in str(store.broken["GET.json"])
    assert store.scan() is False


def test_a_loop_of_links_among_the_cassettes_takes_out_only_itself(tmp_path: Path) -> None:
    put(tmp_path, "good.json", {})
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    store = scanned(tmp_path)
    assert [loaded.file for loaded in store.loaded] == ["good.json"]
    assert list(store.broken) == ["loop.json"]


def test_a_file_name_that_is_not_utf_8_is_refused_in_a_message_that_can_be_printed(tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/a\xff\n.json"
    with open(place, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(b"{}")
    (error,) = scanned(tmp_path).broken.values()
    assert str(error) == f"{tmp_path}/a\\udcff\\n.json:1:1: its name is not UTF-8"


def test_a_folder_that_was_removed_meanwhile_is_made_again_with_its_attributes(tmp_path: Path) -> None:
    store = CassetteFolder(tmp_path / "c")
    store.prepare_for_writing()
    shutil.rmtree(tmp_path / "c")
    store.save("x/GET.json", PLAIN)
    assert files(tmp_path) == ["c/.gitattributes", "c/x/GET.json"]


def test_saving_outlives_a_folder_that_is_moved_away_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "c"

    def move_away(number: int) -> None:
        enough.wait(number / 20_000)
        with contextlib.suppress(OSError):
            folder.rename(tmp_path / f"old-{number}")

    for number in range(100):
        enough = threading.Event()
        mover = threading.Thread(target=move_away, args=(number,))
        mover.start()
        CassetteFolder(folder).save("x/y/GET.json", PLAIN)
        enough.set()
        mover.join()


@contextlib.asynccontextmanager
async def watching(store: CassetteFolder) -> AsyncIterator[Callable[[Callable[[], bool]], Awaitable[None]]]:
    """Gives a function that waits until the watch has told of something and a condition holds."""
    told = asyncio.Event()

    async def watch() -> None:
        async for _ in store.watch():
            told.set()

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await told.wait()
                told.clear()

    task = asyncio.ensure_future(watch())
    yield until
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("polling", ["0", "1"])
def test_a_watch_tells_of_what_is_added_edited_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, polling: str
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", polling)
    store = scanned(tmp_path)

    def holds(*bodies: bytes) -> Callable[[], bool]:
        return lambda: [body_of(store, loaded) for loaded in store.loaded] == list(bodies)

    async def story() -> None:
        async with watching(store) as until:
            put(tmp_path, "new/folder/a.json", "[1]")
            await until(holds(b"[1]"))
            put(tmp_path, "new/folder/a.json", "[22]")
            await until(holds(b"[22]"))
            (tmp_path / "new/folder/a.json").rename(tmp_path / "b.json")
            await until(lambda: [loaded.file for loaded in store.loaded] == ["b.json"])
            (tmp_path / "b.json").unlink()
            await until(holds())

    asyncio.run(story())


def test_what_was_saved_from_here_is_no_news_and_everything_else_is(tmp_path: Path) -> None:
    store = scanned(tmp_path)
    store.mark_saved("logo/GET.json", IMAGE, store.save("logo/GET.json", IMAGE))
    put(tmp_path, "other.json", "[1]")
    own = [("logo", True), ("logo/GET.json", True), ("logo/GET.json", False), ("logo/GET.body.png", True)]
    hidden = [("logo/.replaymock-1-GET.json", True), (".git/index", False), (".gitattributes", True)]
    assert not store.on_changes([*own, *hidden])
    assert store.loaded[0].file == "logo/GET.json"
    assert store.on_changes([*own, ("other.json", True)])
    assert not store.on_changes([("other.json", True)]), "it is known by now"
    store.begin_saving("busy/GET.json")
    put(tmp_path, "busy/GET.json", "{")
    assert not store.on_changes([("busy", True), ("busy/GET.json", True), ("busy/GET.body.png", True)])


@pytest.mark.parametrize("change", [("logo", False), (".", False), ("../c", True), ("logo/GET.body.gif", True)])
def test_what_cannot_be_told_from_a_change_is_looked_into(tmp_path: Path, change: tuple[str, bool]) -> None:
    store = scanned(tmp_path)
    store.mark_saved("logo/GET.json", IMAGE, store.save("logo/GET.json", IMAGE))
    put(tmp_path, "new.json", "[1]")
    assert store.on_changes([change])


@pytest.mark.parametrize("name", ["GET.json", "GET.body.png"])
def test_an_edited_or_removed_file_is_news(tmp_path: Path, name: str) -> None:
    store = scanned(tmp_path)
    store.mark_saved("logo/GET.json", IMAGE, store.save("logo/GET.json", IMAGE))
    with (tmp_path / "logo" / name).open("ab") as file:
        file.write(b" ")
    assert store.on_changes([(f"logo/{name}", False)])
    (tmp_path / "logo" / name).unlink()
    assert store.on_changes([(f"logo/{name}", False)])


def test_a_watch_outlives_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    put(folder, "a.json", "[1]")
    store = CassetteFolder(folder)

    async def story() -> None:
        async with watching(store) as until:
            await until(lambda: len(store.loaded) == 1)
            put(folder, "b.json", "[2]")
            await until(lambda: len(store.loaded) == 2)
            (folder / "a.json").unlink()
            (folder / "b.json").unlink()
            folder.rmdir()
            await until(lambda: not store.loaded)
            put(folder, "b.json", "[2]")
            await until(lambda: [loaded.file for loaded in store.loaded] == ["b.json"])
            put(folder, "c.json", "[3]")
            await until(lambda: len(store.loaded) == 2)

    asyncio.run(story())


def test_a_pipe_among_the_cassettes_is_refused_and_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    (tmp_path / "y.json").write_text("{}")
    store = CassetteFolder(tmp_path)
    store.scan()
    assert [str(error) for error in store.broken.values()] == [f"{tmp_path}/x.json:1:1: not a regular file"]
    assert [loaded.file for loaded in store.loaded] == ["y.json"]


def test_a_fault_while_a_file_is_read_takes_out_only_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "GET--bad.json", simple("/bad", 1))
    put(tmp_path, "GET--good.json", simple("/good", 1))
    real = load
    monkeypatch.setattr(
        "replaymock.storage.loader.load", lambda file, *rest: real(1 / 0 if "bad" in file else file, *rest)
    )
    store = scanned(tmp_path)
    assert [loaded.file for loaded in store.loaded] == ["GET--good.json"]
    assert "cannot be read: ZeroDivisionError: division by zero" in str(store.broken["GET--bad.json"])


def test_a_scan_beside_requests_rests_again_and_again(tmp_path: Path) -> None:
    for number in range(200):
        put(tmp_path, f"{number}.json", number)
    rests: list[int] = []
    store = CassetteFolder(tmp_path)
    assert store.scan(lambda: rests.append(len(store.loaded))) is True
    assert len(store.loaded) == 200
    assert len(rests) >= 6 and 0 < rests[-1] < 200


def odd(**more: object) -> RecordedResponse:
    return replace(recorded(), **more)  # type: ignore[arg-type]


def said(*messages: Message) -> RecordedResponse:
    return odd(status=101, headers=(), body=b"", messages=messages)


GET = CassetteRequest("GET", "/a")
SOCKET = CassetteRequest("GET", "/ws", headers=(("upgrade", "websocket"),))
ILLEGIBLE: dict[str, tuple[CassetteRequest, RecordedResponse, str]] = {
    "a reason with a line break": (GET, odd(reason="a\nb"), "characters a status line cannot"),
    "a header with a line break": (GET, odd(headers=(("x-a", "1\r\nx-b: 2"),)), "a line break"),
    "a header of no name": (GET, odd(headers=(("a b", "1"),)), "is not a header name"),
    "a header of framing": (GET, odd(headers=(("transfer-encoding", "chunked"),)), "framing is computed"),
    "an interim status": (GET, odd(status=199), "not a final status"),
    "a body where none may be": (GET, odd(status=204), "has no body"),
    "half a character": (GET, odd(headers=(("x-a", "\ud800"),)), "UnicodeEncodeError"),
    "a word behind a close": (SOCKET, said(Message(CLIENT, CLOSE, b"", 1000), Message(SERVER, TEXT)), "after a close"),
    "a close of no code": (SOCKET, said(Message(SERVER, CLOSE, b"", 999)), "no code a close can have"),
    "a path that is none": (CassetteRequest("GET", "items"), recorded(), "must begin with /"),
    "a text beyond its charset": (
        CassetteRequest("POST", "/a", None, (("content-type", "text/plain; charset=ascii"),), Text("é")),
        recorded(),
        "does not fit the charset",
    ),
}


@pytest.mark.parametrize("kind", ILLEGIBLE)
def test_what_could_not_be_read_again_is_not_written_and_leaves_what_was_there(tmp_path: Path, kind: str) -> None:
    request, response, reason = ILLEGIBLE[kind]
    store = CassetteFolder(tmp_path)
    store.save("a/GET.json", IMAGE)
    before = {file: file.read_bytes() for file in (tmp_path / "a").iterdir()}
    with pytest.raises(Unwritable, match=reason) as told:
        store.save("a/GET.json", Cassette(request, (response,)))
    assert told.value.rest is None
    assert {file: file.read_bytes() for file in (tmp_path / "a").iterdir()} == before
    store.scan()
    assert store.broken == {}


def test_of_what_could_not_be_read_again_it_is_told_what_could_be(tmp_path: Path) -> None:
    good, bad = recorded(b"[2]", after="POST /a"), odd(reason="a\nb")
    [told, fine] = CassetteFolder(tmp_path).save_all(
        [("a/GET.json", Cassette(GET, (bad, good, bad))), ("b/GET.json", PLAIN)]
    )
    assert isinstance(told, Unwritable) and not isinstance(fine, Exception)
    assert len(told.reasons) == 2
    assert told.rest == Cassette(GET, (recorded(b"[2]"),))
    assert files(tmp_path) == ["b/GET.json"]


def test_a_file_that_is_gone_when_it_is_its_turn_is_no_fault(tmp_path: Path) -> None:
    put(tmp_path, "a/GET.json", simple("/a", "a"))
    store = CassetteFolder(tmp_path, ["a/GET.json"])
    store.scan()
    (tmp_path / "a/GET.json").unlink()
    assert store.scan()
    assert (store.broken, list(store.loaded)) == ({}, [])
    assert not store.scan()
    (tmp_path / "a/GET.json").symlink_to("nowhere")
    store.scan()
    assert "cannot be read" in str(store.broken["a/GET.json"])
