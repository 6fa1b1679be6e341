"""Golden files themselves: a difference is shown, a renewal writes, and none knows the machine it was made on."""

import getpass
import re
import tempfile
from pathlib import Path

import pytest

from tests.golden import keeping
from tests.golden.keeping import FILES, compare, compare_folder, read_folder

HERE = [str(Path.home()), tempfile.gettempdir(), str(Path(__file__).parents[2]), "pytest-of-"]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keeping, "FILES", tmp_path)
    monkeypatch.setattr(keeping, "RENEWS", False)
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    return tmp_path


def test_a_difference_is_shown_line_by_line(kept: Path) -> None:
    compare("a.txt", "one\ntwo\n")
    for seen, line in (("one\n2\n", "-two\n+2\n"), ("one\n", "-two\n"), ("one\ntwo", "+two\n\\ No newline")):
        with pytest.raises(pytest.fail.Exception, match=re.escape(line)):
            compare("a.txt", seen)
    with pytest.raises(pytest.fail.Exception, match=re.escape("+new\n")):
        compare("b.txt", "new\n")


def test_a_folder_differs_by_what_it_lacks_and_by_what_it_has_too_much(kept: Path) -> None:
    compare_folder(kept, {"a.txt": b"one\ntwo\n"})
    for seen in ({}, {"a.txt": b"one\r\ntwo\n"}, {"a.txt": b"one\ntwo\n", "b/c.bin": b"\xff"}):
        with pytest.raises(pytest.fail.Exception, match="golden/"):
            compare_folder(kept, seen)


def test_renewing_writes_what_is_seen_and_removes_the_rest(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "RENEWS", True)
    compare("new/b.txt", "b\r\n")
    assert (kept / "new/b.txt").read_bytes() == b"b\r\n"
    compare_folder(kept, {"c/d": b"\x00"})
    assert read_folder(kept) == {"c/d": b"\x00"}


@pytest.mark.parametrize("words", HERE)
def test_no_golden_file_names_a_place_of_this_machine(words: str) -> None:
    assert not [name for name, data in read_folder(FILES).items() if words.encode() in data]


def test_no_golden_file_names_its_user() -> None:
    name = re.escape(getpass.getuser().encode())
    assert not [file for file, data in read_folder(FILES).items() if re.search(rb"(?:home|Users)/" + name, data)]
