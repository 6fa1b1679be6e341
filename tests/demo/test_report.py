"""What the demo prints."""

import io
import re
from pathlib import Path

from replaymock.demo.compare import Seen, Verdict, compare
from replaymock.demo.report import DemoResult, print_hints, print_result, totals


def a_row(live: str = "hello", replayed: str = "hello", cassette: str = "GET.json") -> tuple[Seen, Seen, Verdict]:
    one = Seen("GET /", "http://localhost:1", 200, (), live.encode())
    other = Seen("GET /", "http://localhost:2", 200, (), replayed.encode(), cassette)
    return one, other, compare(one, other)


def told(*rows: tuple[Seen, Seen, Verdict], leaks: tuple[str, ...] = ()) -> DemoResult:
    return DemoResult(rows or (a_row(),), cassettes=1, hidden=2, leaks=leaks, seconds=1.26)


def printed(what: DemoResult) -> list[str]:
    out = io.StringIO()
    print_result(what, out)
    return [re.sub(r" {2,}", "  ", line).rstrip() for line in out.getvalue().splitlines()]


def test_a_request_is_a_row_and_the_totals_are_the_last_line() -> None:
    assert printed(told()) == [
        "request  live  replayed  same?  cassette",
        "GET /  200  200  equal  GET.json",
        "1 of 1 requests answered the same, offline, from 1 cassette, 2 secrets hidden, in 1.3 s",
    ]


def test_an_answer_with_a_placeholder_is_not_called_plainly_equal() -> None:
    assert "GET /  200  200  equal (1 hidden)  GET.json" in printed(told(a_row("s3cret", "{{redacted:token}}")))


def test_a_difference_is_told_below_the_table_and_counted() -> None:
    lines = printed(told(a_row(), a_row("hello", "hallo", cassette="")))
    assert "GET /  200  200  no  (none)" in lines
    assert lines[-2] == "GET /: live 'hello', replayed 'hallo'"
    assert lines[-1].startswith("1 of 2 requests answered the same")


def test_a_secret_on_the_disk_is_told() -> None:
    assert "login/POST.json: holds a secret of the shop" in printed(told(leaks=("login/POST.json",)))


def test_the_story_went_well_when_nothing_differs_and_nothing_leaked() -> None:
    assert told().went_well
    assert not told(a_row("hello", "hallo")).went_well
    assert not told(leaks=("login/POST.json",)).went_well


def test_totals_say_one_secret_and_two_cassettes() -> None:
    assert "from 2 cassettes, 1 secret hidden" in totals(DemoResult((), cassettes=2, hidden=1, leaks=(), seconds=0))


def test_hints_name_the_address_and_the_folder() -> None:
    out = io.StringIO()
    print_hints("http://localhost:8081", Path("/somewhere/cassettes"), out)
    assert "curl http://localhost:8081/api/items " in out.getvalue()
    assert "/somewhere/cassettes" in out.getvalue()


def test_nothing_but_text_goes_into_a_pipe(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    print_result(told(a_row("hello", "[bold]hallo[/bold]")), out)
    assert "\x1b" not in out.getvalue()
    assert "[bold]hallo[/bold]" in out.getvalue()
