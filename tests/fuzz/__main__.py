"""Fuzzes each target for a share of the time, one minute in all: `scripts/fuzz [SECONDS [TARGET...]]`.

What fails is left in a file, whose name is said; `python -m tests.fuzz.run TARGET FILE` shows it again.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS, seeds

SECONDS = 60


def main() -> int:
    """The exit code: 0 if nothing was found."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    names = sys.argv[2:] or list(TARGETS)
    found = [name for name in names if _fuzz(name, max(seconds // len(names), 1))]
    print(f"fuzz: {', '.join(found)} failed" if found else f"fuzz: nothing found in {', '.join(names)}")
    return 1 if found else 0


def _fuzz(name: str, seconds: int) -> int:
    print(f"fuzz: {name}, {seconds} s", flush=True)
    kept = Path(tempfile.mkdtemp(prefix=f"replaymock-fuzz-{name}-"))
    corpus = kept / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds(name)):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-max_len=1024", "-timeout=10", "-print_final_stats=1"]
    line = [sys.executable, "-m", "tests.fuzz.run", name, str(corpus), f"-artifact_prefix={kept}/", *limits]
    code = subprocess.run(line, check=False).returncode
    if code == 0:
        shutil.rmtree(kept)
    return code


if __name__ == "__main__":
    sys.exit(main())
