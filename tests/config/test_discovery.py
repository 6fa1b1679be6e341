"""What a run is told, found without a command line."""

from pathlib import Path
from typing import Any

import pytest

from replaymock.config.discovery import discover, load
from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.proxy.routes import Upstream
from replaymock.replay.faults import Latency


def test_nothing_said_is_the_defaults(tmp_path: Path) -> None:
    assert load("replay", {}, {}, tmp_path) == Settings()
    recording = load("record", {"upstream": "http://localhost:3000"}, {}, tmp_path)
    assert recording == Settings(mode="all", upstreams=(Upstream("", "http://localhost:3000"),))


def test_what_is_given_goes_before_the_environment_the_files_and_the_default(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.replaymock]\nport = 2\nmiss_status = 411\nseed = 3\n")
    (tmp_path / "replaymock.toml").write_text("port = 4\nmiss_status = 412\n")
    environ = {"REPLAYMOCK_PORT": "5"}
    settings = load("replay", {"port": 6}, environ, tmp_path / "below")
    assert (settings.port, settings.miss_status, settings.seed, settings.workers) == (6, 412, 3, 1)
    assert load("replay", {}, environ, tmp_path / "below").port == 5
    assert load("replay", {}, {}, tmp_path / "below").port == 4


def test_a_file_can_be_named_by_what_is_given_or_by_the_environment(tmp_path: Path) -> None:
    for number, name in enumerate(("own", "other"), 1):
        (tmp_path / f"{name}.toml").write_text(f"port = {number}\n")
    environ = {"REPLAYMOCK_CONFIG": str(tmp_path / "other.toml")}
    assert load("replay", {}, environ, tmp_path).port == 2
    assert load("replay", {"config": tmp_path / "own.toml"}, environ, tmp_path).port == 1


def test_the_rules_of_a_file_are_in_the_settings(tmp_path: Path) -> None:
    text = "freeze_time = true\n[[rule]]\npath = '/x'\nlatency = '20'\nfault = 'reset'\n"
    (tmp_path / "replaymock.toml").write_text(text)
    settings = load("replay", {}, {}, tmp_path)
    (played,) = settings.directions
    assert (played.path, played.latency, settings.shift_time) == ("/x", Latency(0.02, 0.02), "")
    assert load("record", {"upstream": "http://localhost"}, {}, tmp_path).directions == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nport = 70000", "replaymock.toml:2: port: 70000 is not in the range 0<=x<=65535."),
        ("sequence = 'atuo'", "replaymock.toml:1: sequence: 'atuo' is not one of 'auto', 'loop'"),
        ("latency = 'soon'", "replaymock.toml:1: latency: --latency 'soon': use recorded"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_file_line_and_option(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "replaymock.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load("replay", {}, {}, tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "environ", "said"),
    [
        ({}, {"REPLAYMOCK_PORT": "x"}, "REPLAYMOCK_PORT: 'x' is not a whole number."),
        ({}, {"REPLAYMOCK_MAX_BODY": "x"}, "REPLAYMOCK_MAX_BODY: --max-body 'x': use a size"),
        ({"port": "x"}, {}, "--port: 'x' is not a whole number."),
        ({"latency": "soon"}, {}, "--latency 'soon': use recorded"),
        ({"config": "none.toml"}, {}, "--config none.toml: No such file or directory"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_the_flag_or_the_variable(
    tmp_path: Path, given: dict[str, Any], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load("replay", given, environ, tmp_path)
    assert str(caught.value).startswith(said)


def test_what_is_wrong_for_another_command_is_no_error_here(tmp_path: Path) -> None:
    (tmp_path / "replaymock.toml").write_text("mode = 'some'\n")
    assert load("replay", {}, {}, tmp_path).mode == ""
    with pytest.raises(UsageError, match="mode: 'some' is not one of"):
        load("record", {"upstream": "http://localhost"}, {}, tmp_path)


def test_a_recorder_needs_a_backend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="record needs a backend: --upstream"):
        load("record", {}, {}, tmp_path)


def test_files_are_found_upwards_from_a_folder_and_name_what_lies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "replaymock.toml").write_text("cassettes = 'mocks'\n")
    assert discover(folder=tmp_path / "a/b").options == {"cassettes": f"{tmp_path.resolve()}/mocks"}


def test_a_name_that_is_no_option_of_the_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="replay: unknown key 'prot'; did you mean 'port'"):
        load("replay", {"prot": 1}, {}, tmp_path)
    with pytest.raises(UsageError, match="replay: unknown key 'upstream'"):
        load("replay", {"upstream": "http://localhost"}, {}, tmp_path)
