"""The configuration in force: a named file, or replaymock.toml and pyproject.toml found upwards from here."""

import os
from pathlib import Path

from replaymock.config import config_file
from replaymock.errors import UsageError


def read_file(name: str | None) -> config_file.FileConfig:
    """The configuration in force: `name`, or replaymock.toml and pyproject.toml found upwards from here."""
    found = _read(Path(name), "") if name is not None else _found()
    if not found.rules_files:
        return found
    from replaymock.config.team_rules import with_rules  # noqa: PLC0415 - only who has rules waits for them

    return with_rules(found)


def _found() -> config_file.FileConfig:
    own, project = _upwards("replaymock.toml"), _upwards("pyproject.toml")
    if own and not project:
        return _read(own, "")
    found = _read(project, "tool.replaymock") if project else config_file.FileConfig()
    return config_file.merged(found, _read(own, "")) if own else found


def _read(place: Path, table: str) -> config_file.FileConfig:
    try:
        text = place.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--config {place}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--config {place}: not UTF-8") from error
    shown = os.path.relpath(place)
    return config_file.relative_to(config_file.read(text, shown, table=table), str(place.resolve().parent))


def _upwards(name: str) -> Path | None:
    here = Path.cwd()
    return next((folder / name for folder in (here, *here.parents) if (folder / name).is_file()), None)
