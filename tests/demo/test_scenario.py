"""The story of the demo, told in this process."""

import asyncio
from pathlib import Path

import pytest

from replaymock.demo import scenario
from replaymock.demo.shop import PASSWORD


def test_every_answer_is_the_same_and_comes_from_a_cassette(tmp_path: Path) -> None:
    told = asyncio.run(scenario.tell(tmp_path / "cassettes", 0))
    assert [verdict.difference for _, _, verdict in told.rows if not verdict.is_same] == []
    files = {replayed.cassette for _, replayed, _ in told.rows}
    assert len(files) == told.cassettes
    assert all((tmp_path / "cassettes" / file).is_file() for file in files)


def test_a_password_a_token_and_a_cookie_are_hidden_and_on_no_disk(tmp_path: Path) -> None:
    told = asyncio.run(scenario.tell(tmp_path / "cassettes", 0))
    hidden = {value for _, _, verdict in told.rows for value in verdict.hidden}
    assert (told.hidden, len(hidden), told.leaks) == (3, 2, ())
    written = b"".join(place.read_bytes() for place in tmp_path.rglob("*") if place.is_file())
    assert not [value for value in (PASSWORD, *hidden) if value.encode() in written]


def test_a_story_that_goes_wrong_says_where_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without this the 401 is not recorded, as 401s are not by default.
    monkeypatch.setattr(scenario, "CONFIGURATION", scenario.CONFIGURATION.replace('"401"', '"500"'))
    assert scenario.run(None) == 1
    printed = capsys.readouterr().out
    assert "GET /account, no token: live '401', replayed '404'" in printed
    assert "15 of 16 requests answered the same" in printed


def test_a_leak_is_found_in_the_content_and_in_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "login").mkdir()
    (tmp_path / "login" / "POST.json").write_text('{"password": "s3cret"}')
    (tmp_path / "GET--token-s3cret.json").write_text("{}")
    (tmp_path / "GET.json").write_text("{}")
    assert scenario.leaks(tmp_path, frozenset(("s3cret",))) == ("GET--token-s3cret.json", "login/POST.json")


def test_a_value_that_is_hidden_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "GET.json").write_text("{{redacted:token}} {{redacted:token:2}}")
    (tmp_path / "a" / "GET.json").write_text("{{redacted:token}}")
    assert scenario.hidden(tmp_path) == 2
