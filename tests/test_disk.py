"""Files written whole or not at all."""

from pathlib import Path

import pytest

from replaymock.disk import TEMPORARY_PREFIX, make_folders, write


def test_what_is_written_is_there_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    make_folders(tmp_path / "a/b")
    for data in (b"one", b"two"):
        write(tmp_path / "a/b/file", data)
    assert [found.name for found in (tmp_path / "a/b").iterdir()] == ["file"]
    assert (tmp_path / "a/b/file").read_bytes() == b"two"


def test_a_write_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / "taken", b"one")
    assert not list(tmp_path.glob(f"{TEMPORARY_PREFIX}*"))


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        make_folders(tmp_path / "file/below")
