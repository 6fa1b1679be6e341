"""Configuration as TOML text."""

import pytest

from replaymock.config import config_file
from replaymock.config.settings import FileConfig
from replaymock.errors import UsageError
from replaymock.matching.config_location import ConfigLocation
from replaymock.matching.rules import MatchRule

WHOLE = """
port = 9000
cassettes = "mocks"
cors-origin = ["https://app.example.com"]
upstream = "https://api.example.com"
connect_timeout = 2.5
ignore = ["query:_"]

[match]
headers = ["Accept-Language"]
ignore = ["form:nonce"]

[redact]
add = ["json:$.email", "value:cust_[0-9]+"]
keep = ["query:page_token"]

[record]
drop_headers = ["X-Build"]
volatile = ["json:$.serverTime", "header:X-Node"]

[[rule]]
path = "/search/**"
method = "POST"
ignore = ["json:$.at", "body"]
volatile = ["value:n=[0-9]+"]
"""


def test_a_file_gives_options_rules_and_redaction() -> None:
    found = config_file.read(WHOLE, "replaymock.toml")
    assert found.options == {
        "port": 9000,
        "cassettes": "mocks",
        "cors_origin": ["https://app.example.com"],
        "upstream": ["https://api.example.com"],
        "connect_timeout": "2.5",
    }
    assert found.ignored == ("query:_", "form:nonce")
    everywhere, search = found.rules
    assert (everywhere.path, [str(one) for one in everywhere.ignore]) == ("/**", ["query:_", "form:nonce"])
    assert everywhere.headers == ("accept-language",)
    assert found.volatile == ("json:$.serverTime", "header:X-Node")
    assert [str(one) for one in (*everywhere.volatile, *search.volatile)] == [
        "json:$.serverTime",
        "header:x-node",
        "value:n=[0-9]+",
    ]
    assert (search.path, search.method, [str(one) for one in search.ignore]) == (
        "/search/**",
        "POST",
        ["json:$.at", "body"],
    )
    assert [str(one) for one in found.redaction.add] == ["json:$.email", "value:cust_[0-9]+"]
    assert [str(one) for one in found.redaction.keep] == ["query:page_token"]
    assert found.dropped_headers == {"x-build"}


def test_an_empty_file_says_nothing() -> None:
    assert config_file.read("", "x") == FileConfig(rules=(MatchRule(),), home=ConfigLocation("x"))


def test_a_table_deeper_down_can_be_read() -> None:
    text = "[project]\nname = 'x'\n[tool.replaymock]\nport = 9\n[tool.other]\nx = 1\n"
    assert config_file.read(text, "pyproject.toml", table="tool.replaymock").options == {"port": 9}
    assert config_file.read("", "pyproject.toml", table="tool.replaymock").options == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "replaymock.toml: not TOML"),
        ("\nprot = 1", "replaymock.toml:2: unknown key 'prot'; did you mean 'port'?"),
        ("zzzzzz = 1", "replaymock.toml:1: unknown key 'zzzzzz'; known are "),
        ('port = "x"', "replaymock.toml:1: port must be a whole number, not 'x'"),
        ("port = true", "port must be a whole number"),
        ("json = 1", "json must be true or false"),
        ("cassettes = ['a']", "cassettes must be a string"),
        ("upstream = [1]", "upstream must be a list of strings"),
        ('ignore = "query:_"', 'replaymock.toml:1: ignore must be a list of strings, as in ignore = ["query:_"]'),
        ("ignore = [1]", "ignore must be a list of strings"),
        ('ignore = ["qurey:_"]', "replaymock.toml:1: unknown selector 'qurey:_': did you mean 'query'?"),
        ('ignore = ["json:$["]', "is not a JSON path"),
        ("match = 3", "match must be a table"),
        ("[match]\nhedaers = []", "replaymock.toml:2: in [match]: unknown key 'hedaers'; did you mean 'headers'?"),
        ('[match]\nheaders = ["a b"]', "replaymock.toml:2: 'a b' is not a header name"),
        ("[rule]\npath = '/x'", "write rules as [[rule]], with two brackets"),
        ("[[rule]]\npath = 'x'", "replaymock.toml:2: path 'x' must be a glob that begins with /"),
        ("[[rule]]\npaht = '/x'", "did you mean 'path'?"),
        ("[redact]\nadd = ['value:[']", "replaymock.toml:2: '[' is not a regular expression"),
        ("[redact]\nrules_file = ['a']", "replaymock.toml:2: rules_file must be a string, the path of a file"),
        ("[redact]\nadd = ['body']", "unknown selector 'body'"),
        ("[record]\ndrop = []", "in [record]: unknown key 'drop'"),
        (
            '[record]\nvolatile = ["query:_"]',
            "replaymock.toml:2: unknown selector 'query:_': use one of header, json, value",
        ),
        (
            "[record]\nrecord-status = '500'",
            "replaymock.toml:2: 'record-status' does not belong in [record]: it belongs at the top of replaymock.toml, above",
        ),
        ("[match]\nignore_ = 1\n", "unknown key 'ignore_'"),
        ("[record]\nignore = ['query:_']", "in [record]: 'ignore' does not belong there: write it above the first"),
        ("[[rule]]\nvolatile = ['value:[']", "replaymock.toml:2: '[' is not a regular expression"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_the_nearest_key(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        config_file.read(text, "replaymock.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["[tool]\nreplaymock = 3", "tool = 3", "[tool]\nreplaymock = []"])
def test_a_table_that_is_none_is_an_error_too(text: str) -> None:
    with pytest.raises(UsageError, match="must be a table"):
        config_file.read(text, "pyproject.toml", table="tool.replaymock")


def test_the_nearer_file_goes_before_the_other_and_rules_add_up() -> None:
    under = config_file.read(
        'port = 1\nhost = "a"\nignore = ["query:a"]\n[redact]\nadd = ["query:x"]', "pyproject.toml"
    )
    over = config_file.read('port = 2\nignore = ["query:b"]\n[record]\ndrop_headers = ["x-b"]', "replaymock.toml")
    found = config_file.merged(under, over)
    assert found.options == {"port": 2, "host": "a"}
    assert found.ignored == ("query:a", "query:b")
    assert len(found.rules) == 2
    assert ([str(one) for one in found.redaction.add], found.dropped_headers) == (["query:x"], {"x-b"})


def test_a_line_is_to_be_written_where_the_configuration_in_force_is() -> None:
    own, other = (
        config_file.read("", "replaymock.toml"),
        config_file.read("[tool.x]\n", "pyproject.toml", table="tool.replaymock"),
    )
    project = config_file.read("[tool.replaymock]\nport = 9\n", "../pyproject.toml", table="tool.replaymock")
    assert own.home == other.home == config_file.merged(project, own).home == FileConfig().home
    assert (
        project.home
        == config_file.relative_to(project, "/x").home
        == ConfigLocation("../pyproject.toml", "tool.replaymock")
    )


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
    assert config_file.config_location(place, "").file == shown


def test_paths_in_a_file_are_taken_from_its_folder() -> None:
    found = config_file.relative_to(
        config_file.read('cassettes = "mocks"\nca_file = "/etc/ca.pem"\nhost = "h"', "x"), "/project"
    )
    assert found.options == {"cassettes": "/project/mocks", "ca_file": "/etc/ca.pem", "host": "h"}


def test_kinds_of_personal_data_are_asked_for_by_name() -> None:
    assert config_file.read('[redact]\nkinds = ["cards"]', "here").redaction.kinds == ("cards",)
    with pytest.raises(UsageError, match=r"here:2: kinds: unknown key 'card'; did you mean 'cards'\?"):
        config_file.read('[redact]\nkinds = ["card"]', "here")


def test_files_of_rules_are_taken_from_the_folder_of_the_file_and_add_up() -> None:
    under = config_file.relative_to(config_file.read('[redact]\nrules_file = "a.toml"', "pyproject.toml"), "/x")
    over = config_file.relative_to(config_file.read('[redact]\nrules_file = "/b.toml"', "replaymock.toml"), "/y")
    assert config_file.merged(under, over).rules_files == ("/x/a.toml", "/b.toml")
