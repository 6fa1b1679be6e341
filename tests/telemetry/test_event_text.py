"""What people read of an event."""

import pytest

from replaymock.telemetry.event_text import colored, counted, missing_lines, plain, text_of, visible
from replaymock.telemetry.events import Event, Ready, Recorded, Summary


def test_cassettes_are_counted_in_words() -> None:
    assert [counted(number) for number in (0, 1, 2)] == ["0 cassettes", "1 cassette", "2 cassettes"]


def test_missing_lines_are_counted_in_words() -> None:
    assert missing_lines(1, "stdout") == "1 line is missing in stdout, which could not be written in time"
    assert missing_lines(2, "stdout").startswith("2 lines are missing")


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert visible("ä\x1b[2J\n\x7f\x9b") == r"ä\x1b[2J\n\x7f\x9b"


def test_a_color_is_put_around_a_text() -> None:
    assert (plain("miss", "31"), colored("miss", "31")) == ("miss", "\x1b[31mmiss\x1b[0m")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Ready("http://localhost:1", 1, 2, 0, command="record", folder="c", upstreams=("to http://a.test",)),
            "replaymock record ready: http://localhost:1 (0 cassettes)\nforwards to http://a.test; writes into c/",
        ),
        (
            Ready("http://localhost:1", 1, 2, 0, folder="c"),
            "replaymock replay ready: http://localhost:1 (0 cassettes)\n"
            "c/ holds none: put JSON into c/hello.json to have it at /hello",
        ),
        (
            Summary(9, 1, 2, 3, 0, 4, 5, 0, 0, is_recording=True),
            "replaymock: hits 1, misses 2, recorded 3, unused 4, redacted 5",
        ),
        (
            Summary(9, 1, 2, 3, 0, 4, 5, 6, 7, is_recording=True),
            "replaymock: hits 1, misses 2, recorded 3, unused 4, redacted 5 in 6 cassettes, failed writes 7",
        ),
        (Recorded("a/GET.json"), ""),
    ],
)
def test_an_event_has_its_text(event: Event, text: str) -> None:
    assert text_of(event, plain) == text
