"""What happened so far."""

from replaymock.matching.index import Index
from replaymock.matching.matcher import Matcher
from replaymock.matching.near_misses import Miss, explain
from replaymock.telemetry.events import ServedRequest
from replaymock.telemetry.journal import KEPT_MISSES, KEPT_REQUESTS, Journal, JournalDelta
from tests.support.factories import a_request


def served(outcome: str = "hit", target: str = "/x", file: str = "x/GET.json") -> ServedRequest:
    return ServedRequest("GET", target, 200, outcome, file, 1.23456)


def test_what_became_known_to_be_secret_is_told_no_more() -> None:
    journal = Journal()
    for target, file in (("/users/hunter2", "old"), ("/x", "x")):
        journal.served(served(target=target, file=file))
    journal.hide(lambda text: text.replace("hunter2", "X"), {"old": "new"})
    assert [(found["target"], found["file"]) for found in journal.requests()] == [("/users/X", "new"), ("/x", "x")]
    assert journal.unused(["new", "x", "y"]) == {"y"}


def a_miss(target: str = "/x") -> Miss:
    return explain(Matcher().canonical(a_request("GET", target)), Index(), ())


def test_requests_are_counted_by_outcome_and_cassettes_noted_as_used() -> None:
    journal = Journal()
    for outcome, file in [("hit", "a"), ("hit", "b"), ("miss", ""), ("hit", "a")]:
        journal.served(served(outcome, file=file))
    assert journal.counts == {"hit": 3, "miss": 1}
    assert journal.used == {"a", "b"}


def test_a_request_is_shown_with_its_time_and_file() -> None:
    assert served().to_json() == {
        "method": "GET",
        "target": "/x",
        "status": 200,
        "outcome": "hit",
        "file": "x/GET.json",
        "elapsed_ms": 1.235,
    }
    assert served(file="").to_json()["file"] is None


def test_only_the_last_requests_are_kept_and_the_oldest_comes_first() -> None:
    journal = Journal()
    for number in range(KEPT_REQUESTS + 5):
        journal.served(served(target=f"/{number}"))
    shown = journal.requests()
    assert (len(shown), shown[0]["target"], shown[-1]["target"]) == (KEPT_REQUESTS, "/5", f"/{KEPT_REQUESTS + 4}")


def test_equal_misses_are_counted_together_and_the_latest_is_last() -> None:
    journal = Journal()
    assert [journal.missed(a_miss(target)) for target in ("/a", "/b", "/a")] == [1, 1, 2]
    assert [(miss["request"]["path"], miss["count"]) for miss in journal.misses()] == [("/b", 1), ("/a", 2)]


def a_journal(*misses: str, file: str = "a") -> Journal:
    journal = Journal()
    journal.served(served("hit", file=file))
    for target in misses:
        journal.served(served("miss", file=""))
        journal.missed(a_miss(target))
    return journal


def test_what_journals_hold_beyond_nothing_adds_up_to_their_sum() -> None:
    total = Journal()
    for journal in (a_journal("/x", "/y"), a_journal("/y", file="b"), a_journal()):
        total.add(journal.delta_since(Journal()))
    assert (total.counts, total.used) == ({"hit": 3, "miss": 3}, {"a", "b"})
    assert [(miss["request"]["path"], miss["count"]) for miss in total.misses()] == [("/x", 1), ("/y", 2)]


def test_what_was_told_already_is_no_news() -> None:
    journal, told, total = a_journal("/x"), Journal(), Journal()
    for _ in range(3):
        journal.served(served("miss", file=""))
        journal.missed(a_miss("/x"))
        journal.served(served("hit", file="late"))
        delta = journal.delta_since(told)
        told.add(delta)
        total.add(delta)
    assert journal.delta_since(told) == JournalDelta()
    assert (total.counts, total.used, total.misses()) == (journal.counts, journal.used, journal.misses())


def test_misses_do_not_grow_for_ever() -> None:
    journal = Journal()
    for number in range(KEPT_MISSES + 3):
        journal.missed(a_miss(f"/{number}"))
    assert len(journal.misses()) == KEPT_MISSES


def test_a_request_answered_as_one_before_counts_like_it() -> None:
    journal = Journal()
    journal.served(served())
    journal.served_again(served())
    assert journal.counts == {"hit": 2}
    assert len(journal.requests()) == 2


def test_what_could_not_be_kept_is_counted_and_told_as_forwarded() -> None:
    journal = Journal()
    for outcome, file in [("recorded", "a"), ("recorded", "b"), ("unchanged", "a"), ("recorded", "a")]:
        journal.served(served(outcome, file=file))
    journal.unsaved("a")
    assert journal.counts == {"recorded": 2, "unchanged": 1, "forwarded": 1}
    told = [(found["outcome"], found["file"]) for found in journal.requests()]
    assert told == [("recorded", "a"), ("recorded", "b"), ("unchanged", "a"), ("forwarded", None)]


def test_what_could_not_be_kept_is_counted_though_it_is_too_long_ago_to_be_told() -> None:
    journal = Journal()
    for number in range(KEPT_REQUESTS + 1):
        journal.served(served("recorded", file=f"{number}"))
    journal.unsaved("0")
    assert journal.counts == {"recorded": KEPT_REQUESTS, "forwarded": 1}
    assert all(found["outcome"] == "recorded" for found in journal.requests())
