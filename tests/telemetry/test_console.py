"""What is printed, for people and for programs."""

import io
import json
import sys
from pathlib import Path

import pytest

from replaymock.telemetry import console
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import (
    Broken,
    Changed,
    Dropped,
    Event,
    Hidden,
    MissOccurred,
    Ready,
    Recorded,
    Reloaded,
    ServedRequest,
    Summary,
    Warned,
)
from tests.support.factories import a_cassette, a_request
from tests.support.inside import an_engine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Unread(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def printed(event: Event, err: io.StringIO | None = None, **how: bool) -> tuple[str, str]:
    """What an event puts on stdout and on stderr."""
    out, err = io.StringIO(), err or io.StringIO()
    settings: dict[str, bool] = {"json": False, "verbose": False, "quiet": False, "color": False, **how}
    Console(out=out, err=err, **settings).emit(event)
    return out.getvalue(), err.getvalue()


def a_served(outcome: str = "hit", file: str = "a/GET.json", status: int = 200) -> ServedRequest:
    return ServedRequest("GET", "/a?x=1", status, outcome, file, 1.25)


def a_miss() -> MissOccurred:
    told: list[Event] = []
    an_engine(a_cassette("/a"), emit=told.append).answer(a_request("GET", "/a?page=2"))
    (miss,) = (event for event in told if isinstance(event, MissOccurred))
    return miss


def a_summary() -> Summary:
    return Summary(3, 2, 1, 0, 0, 4, 0, 0, 0, is_recording=False)


def test_a_request_is_one_line() -> None:
    assert printed(a_served(), verbose=True) == ("", "GET     /a?x=1  200  hit       1.2 ms  a/GET.json\n")
    assert printed(a_served("miss", ""), verbose=True)[1] == "GET     /a?x=1  200  miss      1.2 ms\n"


@pytest.mark.parametrize(
    ("status", "end"),
    [(503, "1.2 ms  not recorded without --record-status 503\n"), (401, "-status 401\n"), (404, "1.2 ms\n")],
)
def test_an_error_that_is_only_passed_on_says_what_would_record_it(status: int, end: str) -> None:
    assert printed(a_served("forwarded", "", status), verbose=True)[1].endswith(end)


@pytest.mark.parametrize(
    ("err", "how", "shown"),
    [
        (io.StringIO(), {}, False),
        (io.StringIO(), {"verbose": True}, True),
        (Terminal(), {}, True),
        (Terminal(), {"quiet": True}, False),
        (io.StringIO(), {"verbose": True, "json": True}, False),
    ],
)
def test_requests_are_shown_in_a_terminal_or_when_asked_for(
    err: io.StringIO, how: dict[str, bool], shown: bool
) -> None:
    assert bool(printed(a_served(), err, **how)[1]) is shown


@pytest.mark.parametrize(
    ("outcome", "color"),
    [("hit", 32), ("recorded", 32), ("unchanged", 36), ("forwarded", 36), ("miss", 31), ("error", 31), ("refused", 33)],
)
def test_an_outcome_has_its_color_where_there_are_colors(outcome: str, color: int) -> None:
    colored = printed(a_served(outcome), verbose=True, color=True)[1]
    assert f"\x1b[{color}m{outcome}" in colored
    assert "\x1b" not in printed(a_served(outcome), verbose=True)[1]


def test_a_miss_tells_what_was_near_and_what_to_write() -> None:
    miss = a_miss()
    text = printed(miss)[1]
    assert text.splitlines() == [
        "miss: GET /a?page=2: query differs",
        "      a/GET.json: query:page: not recorded, this request has '2'",
        f"      {miss.advice}",
    ]
    assert 'ignore = ["query:page"]' in miss.advice
    assert printed(miss, color=True)[1].startswith("\x1b[31mmiss\x1b[0m: ")


def test_what_a_caller_sends_cannot_move_the_cursor_or_forge_a_line() -> None:
    told = io.StringIO()
    console_ = Console(json=False, verbose=True, quiet=False, out=io.StringIO(), err=told, color=False)
    engine = an_engine(a_cassette("/a"), emit=console_.emit)
    for target in ("/a?%1b%5b2J=%0awarning:%20forged", "/a\x9b?q=\x85", "/none%0a", "/a?x=%1b[31m"):
        engine.answer(a_request("GET", target))
    console_.emit(Warned("GET /\x1b[2J: broken"))
    assert not [text for text in told.getvalue().splitlines() if not text.isprintable()]
    assert not [text for text in told.getvalue().splitlines() if text.startswith("warning: forged")]
    assert r"\x1b[2J" in told.getvalue()


@pytest.mark.parametrize("event", [Warned("mind"), Broken("mind")])
def test_warnings_are_told_even_to_who_wants_quiet(event: Event) -> None:
    assert printed(event, quiet=True) == ("", "warning: mind\n")
    assert printed(event, color=True)[1] == "\x1b[33mwarning\x1b[0m: mind\n"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Ready("http://localhost:1", 1, 2, 3), "replaymock replay ready: http://localhost:1 (3 cassettes)"),
        (a_summary(), "replaymock: hits 2, misses 1, unused 4"),
        (Reloaded(1), "reloaded: 1 cassette"),
        (Hidden(tuple("abcdef")), "hidden in 6 cassettes what only now is known to be secret: a, b, c, d, e …"),
        (
            Changed(("a\x1b",), ("b",), "c", "here"),
            r"a\x1b: changed only in b. If these values are noise (clocks, ids), put this line here: c",
        ),
    ],
)
def test_other_news_are_not_told_to_who_wants_quiet(event: Event, text: str) -> None:
    assert printed(event) == ("", f"{text}\n")
    assert printed(event, quiet=True) == ("", "")


@pytest.mark.parametrize(
    ("event", "members"),
    [
        (
            Ready("http://localhost:1", 1, 2, 3, folder="f"),
            {"url": "http://localhost:1", "port": 1, "pid": 2, "cassettes": 3},
        ),
        (
            a_served(file=""),
            {"method": "GET", "target": "/a?x=1", "status": 200, "outcome": "hit", "file": None, "elapsed_ms": 1.25},
        ),
        (Recorded("ä/GET.json"), {"file": "ä/GET.json"}),
        (Warned("two\nlines"), {"message": "two\nlines"}),
    ],
)
def test_programs_get_each_event_as_one_line_of_json_without_the_text(event: Event, members: dict[str, object]) -> None:
    out, _ = printed(event, json=True, color=True, quiet=True)
    assert out.count("\n") == 1
    assert "\x1b" not in out
    assert json.loads(out) == {"event": event.name, **members}


def test_an_event_that_is_only_for_programs_is_not_printed() -> None:
    assert printed(Recorded("a")) == ("", "")


@pytest.mark.parametrize(("count", "text"), [(1, "1 line is"), (20, "20 lines are")])
def test_lines_that_are_missing_are_told_to_people_and_to_programs(count: int, text: str) -> None:
    out, err = printed(Dropped(count), json=True, quiet=True)
    assert json.loads(out) == {"event": "dropped", "count": count}
    assert err == f"warning: {text} missing in this log, which could not be written in time\n"


def test_what_goes_into_one_file_keeps_its_order(tmp_path: Path) -> None:
    place = tmp_path / "log"
    with place.open("w") as out, place.open("a") as err:
        both = Console(json=True, verbose=False, quiet=False, out=out, err=err, color=False)
        for number in range(200):
            both.emit(Warned(str(number)))
        both.close()
    told = place.read_text().splitlines()
    assert told[::2] == [f'{{"event":"warning","message":"{number}"}}' for number in range(200)]
    assert told[1::2] == [f"warning: {number}" for number in range(200)]


def test_what_stdout_did_not_take_is_told_on_stderr_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "log"
    with Path("/dev/full").open("w") as out, place.open("w") as err:
        told = Console(json=True, verbose=False, quiet=True, out=out, err=err, color=False)
        told.emit(Ready("http://localhost:1", 1, 2, 3))
        told.emit(a_served())
        told.close()
    assert place.read_text() == "warning: 2 lines are missing in stdout, which could not be written in time\n"


def test_a_child_begins_with_nothing_to_print() -> None:
    memory = Console(json=True, verbose=False, quiet=True, out=io.StringIO(), err=io.StringIO(), color=False)
    memory.start_anew()
    memory.close()


def test_who_reads_no_more_is_no_reason_to_stop() -> None:
    assert printed(Warned("x"), Unread(), json=True)[0].startswith('{"event":"warning"')
    out, err = io.StringIO(), io.StringIO()
    late = Console(json=True, verbose=False, quiet=False, out=out, err=err, color=False)
    out.close()
    err.close()
    late.emit(Ready("http://localhost:1", 1, 2, 3))


@pytest.mark.parametrize(
    ("terminal", "no_color", "painted"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_colors_are_for_terminals_that_do_not_refuse_them(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, no_color: bool, painted: bool
) -> None:
    err = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    console.standard(json=False, verbose=False, quiet=False, no_color=no_color).emit(Warned("x"))
    assert ("\x1b" in err.getvalue()) is painted
