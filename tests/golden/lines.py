"""Command lines to their end, several in one process, as each process takes its time to start."""

import json
import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import contextlib, io, json, runpy, sys

def run(line):
    sys.argv = ["replaymock", *line]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_module("replaymock", run_name="__main__")
        except SystemExit as ended:
            code = ended.code or 0
    for stream in (out, err):
        stream.flush()
    return [out.buffer.getvalue().decode(), err.buffer.getvalue().decode(), code]

print(json.dumps([run(line) for line in json.loads(sys.argv[1])]))
"""
PLAIN = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def ended(lines: list[str], cwd: Path) -> list[str]:
    """What each command line printed, stdout before stderr, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps([line.split() for line in lines])],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        check=False,
        env={**os.environ, **PLAIN},
    )
    assert done.returncode == 0, done.stderr
    return [_shown(*each) for each in json.loads(done.stdout)]


def _shown(out: str, err: str, code: int) -> str:
    lines = [*out.splitlines(), *(f"stderr: {line}" for line in err.splitlines()), f"exit {code}"]
    return "".join(f"{line.rstrip()}\n" for line in lines)
