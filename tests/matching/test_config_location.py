"""Where a run has its configuration."""

import pytest

from replaymock.matching.config_location import ConfigLocation, config_location


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("replaymock.toml", "replaymock.toml"),
        ("tests/x.toml", "tests/x.toml"),
        ("../../replaymock.toml", "../../replaymock.toml"),
        ("../../etc/own/x.toml", "x.toml"),
        ("/etc/x.toml", "x.toml"),
    ],
)
def test_a_file_is_named_from_here_and_never_with_all_that_is_around_it(place: str, shown: str) -> None:
    assert config_location(place, "").file == shown


def test_a_line_stands_at_the_top_of_a_file_or_in_the_table_that_has_the_whole() -> None:
    own, project = ConfigLocation(), ConfigLocation("../pyproject.toml", "tool.replaymock")
    assert (own.top, own.under("record")) == ("at the top of replaymock.toml", "under [record] in replaymock.toml")
    assert project.top == "under [tool.replaymock] in ../pyproject.toml"
    assert project.under("record") == "under [tool.replaymock.record] in ../pyproject.toml"
