"""What happens is kept for those who subscribed, as far as they come for it."""

from replaymock.telemetry.events import Dropped, Event, Recorded, Reloaded, ServedRequest
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.subscribers import MOST_EVENTS, MOST_SUBSCRIBERS, EventSubscribers


def a_request_served(target: str) -> ServedRequest:
    return ServedRequest("GET", target, 200, "hit", "a.json", 0.0)


def test_a_subscriber_hears_what_happens_from_its_joining_to_its_leaving() -> None:
    told: list[Event] = []
    journal, subscribers = Journal(), EventSubscribers(told.append)
    journal.served(a_request_served("/before"))
    subscribers.emit(Recorded("before"))
    with subscribers.subscribe(journal) as subscriber:
        journal.served(a_request_served("/one"))
        journal.served_again(a_request_served("/two"))
        subscribers.emit(Reloaded(1))
        subscribers.emit(a_request_served("/two"))
        heard = list(subscriber.take_new())
        assert list(subscriber.take_new()) == []
    assert heard == [a_request_served("/one"), a_request_served("/two"), Reloaded(1)]
    assert [event.name for event in told] == ["recorded", "reloaded", "request"]
    assert len(subscribers) == 0


def test_what_a_subscriber_does_not_fetch_in_time_is_dropped_and_counted() -> None:
    journal, subscribers = Journal(), EventSubscribers(lambda _event: None)
    with subscribers.subscribe(journal) as subscriber:
        for number in range(MOST_EVENTS + 7):
            journal.served(a_request_served(f"/{number}"))
            subscribers.emit(Recorded(str(number)))
        heard = list(subscriber.take_new())
    assert heard[0] == a_request_served("/7")
    assert heard[-1] == Dropped(14)
    assert len(heard) == 2 * MOST_EVENTS + 1


def test_so_many_subscribe_and_no_more() -> None:
    subscribers = EventSubscribers(lambda _event: None)
    subscriptions = [subscribers.subscribe(Journal()) for _ in range(MOST_SUBSCRIBERS)]
    for each in subscriptions:
        assert not subscribers.is_full
        each.__enter__()
    assert subscribers.is_full
