"""The modes: what is asked in which order."""

import pytest

from replaymock.replay.engine import RECORD_MODES, REPLAY, Mode


def test_replay_only_looks_into_the_cassettes() -> None:
    assert Mode(lookup=True, forward=False, save=False) == REPLAY


@pytest.mark.parametrize(("name", "lookup"), [("all", False), ("new", True), ("rewrite", False)])
def test_every_record_mode_forwards_and_saves_and_only_new_looks_first(name: str, lookup: bool) -> None:
    assert RECORD_MODES[name] == Mode(lookup=lookup, forward=True, save=True)


def test_there_are_the_modes_of_the_command_line() -> None:
    assert list(RECORD_MODES) == ["all", "new", "rewrite"]
