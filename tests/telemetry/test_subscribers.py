"""What happens is kept for those who listen, as far as they come for it."""

from typing import Any

from replaymock.telemetry.journal import Journal, ServedRequest
from replaymock.telemetry.subscribers import MOST_KEPT, MOST_LISTENERS, EventSubscribers


def a_request_served(target: str) -> ServedRequest:
    return ServedRequest("GET", target, 200, "hit", "a.json", 0.0)


def test_a_listener_hears_what_happens_from_its_joining_to_its_leaving() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    journal, listeners = Journal(), EventSubscribers(lambda event, members: told.append((event, members)))
    journal.served(a_request_served("/before"))
    listeners.report("recorded", {"file": "before"})
    with listeners.joined(journal) as listener:
        journal.served(a_request_served("/one"))
        journal.again(a_request_served("/two"))
        listeners.report("reloaded", {"cassettes": 1, "text": "reloaded: 1 cassette"})
        listeners.report("request", {})
        heard = list(listener.news())
        assert list(listener.news()) == []
    assert [(event, members.get("target")) for event, members in heard[:2]] == [
        ("request", "/one"),
        ("request", "/two"),
    ]
    assert heard[2:] == [("reloaded", {"cassettes": 1})]
    assert [event for event, _ in told] == ["recorded", "reloaded", "request"]
    assert len(listeners) == 0


def test_what_a_listener_does_not_fetch_in_time_is_dropped_and_counted() -> None:
    journal, listeners = Journal(), EventSubscribers(lambda _event, _members: None)
    with listeners.joined(journal) as listener:
        for number in range(MOST_KEPT + 7):
            journal.served(a_request_served(f"/{number}"))
            listeners.report("recorded", {"file": str(number)})
        heard = list(listener.news())
    assert heard[0][1]["target"] == "/7"
    assert heard[-1] == ("dropped", {"count": 14})
    assert len(heard) == 2 * MOST_KEPT + 1


def test_so_many_listen_and_no_more() -> None:
    listeners = EventSubscribers(lambda _event, _members: None)
    joined = [listeners.joined(Journal()) for _ in range(MOST_LISTENERS)]
    for each in joined:
        assert not listeners.are_many
        each.__enter__()
    assert listeners.are_many
