"""One target under atheris: `python -m tests.fuzz.run TARGET [FILE or folder] [libFuzzer's options]`."""

import sys

import atheris

with atheris.instrument_imports(include=["replaymock"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
