"""One recorder a folder."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from replaymock.errors import UsageError
from replaymock.storage.lock import FolderLock
from tests.support.inside import running_app
from tests.support.running import ask, replaymock, run

HOLDING = "import sys, pathlib; from replaymock.storage.lock import FolderLock; FolderLock(pathlib.Path(sys.argv[1])); print(1, flush=True); input()"


@pytest.fixture(autouse=True)
def notes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of the test's own."""
    folder = tmp_path_factory.mktemp("notes")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_held_folder_is_refused_naming_who_holds_it_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.publish_url("http://localhost:8081")
    with pytest.raises(UsageError, match=rf"\(pid {os.getpid()}, http://localhost:8081\) records into .* --cassettes"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()
    assert not list(tmp_path.iterdir())


def test_a_folder_is_the_same_by_whichever_way_it_is_reached_and_another_is_free(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    lock = FolderLock(tmp_path / "one")
    FolderLock(tmp_path / "other").release()
    with pytest.raises(UsageError, match="records into"):
        FolderLock(tmp_path / "link")
    lock.release()


def test_the_hold_of_a_process_that_was_killed_is_gone_with_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        with pytest.raises(UsageError, match="records into"):
            FolderLock(tmp_path)
        process.kill()
        process.wait()
    FolderLock(tmp_path).release()


@pytest.mark.parametrize("said", [b"", b"nonsense", b'{"pid": "x"}', b'{"pid": 1, "url": "\\u001b[2J"}', None])
def test_a_note_that_is_none_or_lies_harms_nothing(tmp_path: Path, notes: Path, said: bytes | None) -> None:
    lock = FolderLock(tmp_path)
    (note,) = notes.iterdir()
    note.unlink()
    if said is not None:
        note.write_bytes(said)
    with pytest.raises(UsageError, match=r"\((it does not say which|pid 1)\) records into"):
        FolderLock(tmp_path)
    lock.release()


def test_a_link_that_lies_where_the_note_goes_is_not_followed(tmp_path: Path, notes: Path) -> None:
    FolderLock(tmp_path).release()
    lock = FolderLock(tmp_path)
    (note,) = notes.iterdir()
    note.unlink()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    note.symlink_to(victim)
    lock.publish_url("http://localhost:1")
    assert victim.read_text() == "mine"
    lock.release()


def test_a_second_recorder_is_refused_while_a_replay_stands_beside_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with replaymock("record", folder, "--upstream", "http://127.0.0.1:9") as server:
        second = run("record", "--upstream", "http://127.0.0.1:9", "--cassettes", str(folder), "--port", "0")
        assert second.returncode == 2
        assert f"(pid {server.process.pid}, {server.url}) records into" in second.stderr
        with running_app(folder) as replay:
            assert ask(replay.url, "GET", "/__replaymock/health").status == 200
    assert [file.name for file in folder.iterdir()] == [".gitattributes"]
