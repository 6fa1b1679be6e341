"""Files written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from replaymock.storage.atomic_write import TEMPORARY_PREFIX, FileBatch, make_folders, write_all


def test_what_is_written_is_there_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for data in (b"one", b"two"):
        assert write_all([FileBatch(f"{tmp_path}/a/b", {"file": data})]) == [None]
    assert [found.name for found in (tmp_path / "a/b").iterdir()] == ["file"]
    assert (tmp_path / "a/b/file").read_bytes() == b"two"


def test_a_writing_that_fails_takes_only_itself_out_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    writings = [
        FileBatch(str(tmp_path), {"taken": b"one"}),
        FileBatch(f"{tmp_path}/file", {"below": b"two"}),
        FileBatch(f"{tmp_path}/new", {"good.body.png": b"three", "good": b"four"}),
    ]
    errors = write_all(writings)
    assert [error and error.errno for error in errors] == [errno.EISDIR, errno.ENOTDIR, None]
    assert sorted(found.name for found in (tmp_path / "new").iterdir()) == ["good", "good.body.png"]
    assert not list(tmp_path.rglob(f"{TEMPORARY_PREFIX}*"))


def test_a_new_folder_is_told_of_with_each_folder_that_now_holds_another_name(tmp_path: Path) -> None:
    top = str(tmp_path)
    assert make_folders(f"{top}/a/b") == [top, f"{top}/a"]
    assert make_folders(f"{top}/a/b") == []


def test_everything_is_flushed_before_a_file_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    fsync, replace = os.fsync, os.replace

    def flushing(descriptor: int) -> None:
        done.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flushing)
    monkeypatch.setattr(os, "replace", lambda one, other: (done.append(0), replace(one, other)))
    write_all([FileBatch(f"{tmp_path}/{name}", {"GET.json": b"{}"}) for name in ("a", "b")])
    files = {(tmp_path / name / "GET.json").stat().st_ino for name in ("a", "b")}
    folders = {(tmp_path / name).stat().st_ino for name in ("", "a", "b")}
    assert (set(done[:2]), done[2:4], set(done[4:]), len(done)) == (files, [0, 0], folders, 7)
