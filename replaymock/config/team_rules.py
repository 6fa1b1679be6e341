"""A team's own rules for secrets, read from the files its configuration names."""

import os
from pathlib import Path

import msgspec

from replaymock.config.settings import FileConfig
from replaymock.errors import UsageError
from replaymock.redaction.gitleaks import config

_DEEPEST = 8


def with_rules(file: FileConfig) -> FileConfig:
    """The configuration with the rules of its files, and a note for each file that cannot be applied whole.

    UsageError naming the file that is missing, unreadable or no configuration of gitleaks.
    """
    if not file.rules_files:
        return file
    rules, notes = file.redaction.rules, file.notes
    for name in file.rules_files:
        read = config.applied(_read(Path(name), ()))
        rules += read.rules
        notes += (config.warning(_shown(Path(name)), read.notes),) if read.notes else ()
    return msgspec.structs.replace(file, redaction=msgspec.structs.replace(file.redaction, rules=rules), notes=notes)


def _read(place: Path, above: tuple[Path, ...]) -> config.GitleaksConfig:
    """A file, with those it extends below it."""
    place = place.resolve()
    shown = _shown(place)
    if place in above or len(above) >= _DEEPEST:
        chain = " extends ".join(map(_shown, (*above, place)))
        raise UsageError(f"{shown}: extends itself, or goes more than {_DEEPEST} files deep: {chain}")
    try:
        own = config.parse(place.read_text(encoding="utf-8"), shown)
    except OSError as error:
        by = f"extended by {_shown(above[-1])}" if above else "rules_file in [redact]"
        raise UsageError(f"{shown}: {error.strerror or error} ({by})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown}: not UTF-8") from error
    if not own.extends:
        return own
    return config.extended(_read(place.parent / own.extends, (*above, place)), own)


def _shown(place: Path) -> str:
    return os.path.relpath(place)
