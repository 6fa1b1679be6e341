"""Runs the applications that are named, or all of them: `scripts/test-apps [NAME...]`.

What a script needs stands at its top, as inline script metadata (PEP 723): packages of PyPI in `dependencies`, packages
of npm in `[tool.npm]`. They are installed once, below `.apps/NAME`; a script without that runs in `.venv`.
"""

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
METADATA = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)


def main() -> int:
    """The exit code: 0 if every check held."""
    known = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in {"__init__", "__main__", "support"})
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        print(f"no such application: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = [name for name in names if not _holds(name)]
    print(f"apps: {', '.join(failed)} failed" if failed else f"apps: every check held in {', '.join(names)}")
    return 1 if failed else 0


def _holds(name: str) -> bool:
    print(f"== {name}", flush=True)
    python = _installed(name)
    environment = {**os.environ, "REPLAYMOCK_PYTHON": sys.executable}
    return subprocess.run([python, "-m", f"tests.apps.{name}"], cwd=ROOT, env=environment, check=False).returncode == 0


def needs(script: Path) -> tuple[list[str], dict[str, str]]:
    """The packages that a script names at its top, of PyPI as requirements, of npm with their versions."""
    found = METADATA.search(script.read_text(encoding="utf-8"))
    if found is None:
        return [], {}
    said = tomllib.loads(re.sub(r"^# ?", "", found[1], flags=re.MULTILINE))
    return said.get("dependencies", []), said.get("tool", {}).get("npm", {})


def _installed(name: str) -> Path:
    """The Python to run a script with, once there is what it needs: that is installed when it is not what it was."""
    packages, of_npm = needs(HERE / f"{name}.py")
    if not packages and not of_npm:
        return Path(sys.executable)
    folder = ROOT / ".apps" / name
    python, stamp = folder / "bin/python", folder / "installed-for"
    wanted = "\n".join([*packages, *(f"{package}@{version}" for package, version in of_npm.items())])
    if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
        print(f"installing what {name} needs (once)", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        _install(folder, packages, of_npm)
        stamp.write_text(wanted)
    return python


def _install(folder: Path, packages: list[str], of_npm: dict[str, str]) -> None:
    if packages:
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        subprocess.run(pip, check=True, stdout=sys.stderr)
    if of_npm:
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder]
        npm += [f"{package}@{version}" for package, version in of_npm.items()]
        subprocess.run(npm, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
