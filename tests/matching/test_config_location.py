"""Where a run has its configuration."""

from replaymock.matching.config_location import ConfigLocation


def test_a_line_stands_at_the_top_of_a_file_or_in_the_table_that_has_the_whole() -> None:
    own, project = ConfigLocation(), ConfigLocation("../pyproject.toml", "tool.replaymock")
    assert (own.top, own.under("record")) == ("at the top of replaymock.toml", "under [record] in replaymock.toml")
    assert project.top == "under [tool.replaymock] in ../pyproject.toml"
    assert project.under("record") == "under [tool.replaymock.record] in ../pyproject.toml"
