"""The scripts work from any folder, first on a fresh machine; installing is the business of one of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.apps.__main__ import needs
from tests.support.documents import ROOT

SCRIPTS = [
    "scripts/install",
    "scripts/test",
    "scripts/test-apps",
    "scripts/check",
    "scripts/bench",
    "scripts/fuzz",
    "scripts/demo",
    ".ci/run",
]

APPS = sorted((ROOT / "tests/apps").glob("*.py"))

# A Python that writes down how it is called, and makes a venv that holds itself.
PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
if [ "$1 $2" = "-m venv" ]; then
    for folder; do :; done
    mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python"
fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without a venv, beside a Python that only writes down its calls."""
    root = tmp_path / "a checkout"
    root.mkdir()
    for name in ("scripts", "pyproject.toml", "constraints.txt"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    python = tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(PYTHON)
    python.chmod(0o755)
    return root


def calls(root: Path, script: str, *arguments: str) -> list[str]:
    """What Python was told by a script that was started in another folder."""
    log = root.parent / "calls"
    log.write_text("")
    search = f"{root.parent / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": search, "CALLS": str(log), "PYTHON": "python3"}
    subprocess.run([root / script, *arguments], cwd=root.parent, env=environment, check=True, capture_output=True)
    return log.read_text().splitlines()


def test_on_a_fresh_machine_a_script_makes_the_venv_and_installs_the_pinned_versions(checkout: Path) -> None:
    told = calls(checkout, "scripts/test", "-k", "one thing")
    assert "-m venv --clear .venv" in told
    assert any("pip install" in line and "constraints.txt" in line and ".[test,lint]" in line for line in told)
    assert told[-1] == "-m pytest -n auto --dist loadfile -k one thing"


def test_a_second_run_installs_nothing(checkout: Path) -> None:
    calls(checkout, "scripts/test")
    assert calls(checkout, "scripts/test") == ["-m pytest -n auto --dist loadfile"]


def test_a_changed_pin_is_installed(checkout: Path) -> None:
    calls(checkout, "scripts/test")
    with (checkout / "constraints.txt").open("a") as pins:
        pins.write("another==1.0\n")
    assert any("pip install" in line for line in calls(checkout, "scripts/test"))


def test_check_lints_looks_at_the_format_and_at_the_types(checkout: Path) -> None:
    calls(checkout, "scripts/install")
    assert calls(checkout, "scripts/check") == ["-m ruff check .", "-m ruff format --check .", "-m mypy"]


def test_bench_hands_its_arguments_on(checkout: Path) -> None:
    calls(checkout, "scripts/install")
    assert calls(checkout, "scripts/bench", "--rounds", "1") == ["-m benchmarks --rounds 1"]


def test_fuzz_looks_for_its_tool_and_hands_its_arguments_on(checkout: Path) -> None:
    calls(checkout, "scripts/install")
    assert calls(checkout, "scripts/fuzz", "5", "namer") == ["-c import atheris", "-m tests.fuzz 5 namer"]


def test_the_applications_to_try_are_handed_on(checkout: Path) -> None:
    calls(checkout, "scripts/install")
    assert calls(checkout, "scripts/test-apps", "s3") == ["-m tests.apps s3"]


@pytest.mark.parametrize("script", APPS, ids=lambda script: script.stem)
def test_what_an_application_needs_is_pinned(script: Path) -> None:
    packages, of_npm = needs(script)
    assert [package for package in packages if not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\d.]+", package)] == []
    assert [version for version in of_npm.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_what_an_application_needs_is_read_from_its_top(tmp_path: Path) -> None:
    script = tmp_path / "shop.py"
    script.write_text('# /// script\n# dependencies = ["one==1"]\n#\n# [tool.npm]\n# two = "2"\n# ///\n')
    assert needs(script) == (["one==1"], {"two": "2"})
    script.write_text("import one\n")
    assert needs(script) == ([], {})


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_executable_posix_shell(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", ROOT / script], check=True)


def test_every_pin_is_a_name_and_a_version() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    quoted = re.findall(r'^    "([A-Za-z0-9._-]+)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    wanted = {name.lower() for name in [*quoted, "ruff", "mypy", "atheris"] if name[0].islower() and len(name) > 1}
    assert wanted - pinned == set()
