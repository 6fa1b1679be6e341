"""Golden files: compared with what is seen now, or written anew where `REPLAYMOCK_RENEW_GOLDEN` is set."""

import difflib
import os
import shutil
from pathlib import Path

import pytest

FILES = Path(__file__).with_name("files")
CORPUS = FILES / "corpus"
RENEWS = bool(os.environ.get("REPLAYMOCK_RENEW_GOLDEN"))
_HOW = "meant? REPLAYMOCK_RENEW_GOLDEN=1 scripts/test tests/golden"


def compare(name: str, seen: str) -> None:
    """Fails with a diff where a text is not what its golden file holds."""
    place = FILES / name
    if RENEWS:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(seen.encode())
        return
    kept = place.read_bytes().decode() if place.exists() else ""
    if seen != kept:
        pytest.fail(f"{_diff(kept, seen, name)}\n{_HOW}", pytrace=False)


def compare_folder(folder: Path, seen: dict[str, bytes]) -> None:
    """Fails with a diff of each file that a folder does not hold just so, or that it holds beside them."""
    if RENEWS:
        shutil.rmtree(folder, ignore_errors=True)
        for name, data in seen.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return
    kept = read_folder(folder)
    wrong = [name for name in sorted({*kept, *seen}) if kept.get(name) != seen.get(name)]
    if wrong:
        diffs = (_diff(_text(kept.get(name)), _text(seen.get(name)), f"{folder.name}/{name}") for name in wrong)
        pytest.fail("\n".join([*diffs, _HOW]), pytrace=False)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its name in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def _text(data: bytes | None) -> str:
    return "(no such file)\n" if data is None else data.decode("utf-8", "backslashreplace")


def _diff(kept: str, seen: str, name: str) -> str:
    lines = (text.splitlines(keepends=True) for text in (kept, seen))
    found = difflib.unified_diff(*lines, f"golden/{name}", f"seen/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)
