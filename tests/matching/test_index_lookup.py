"""Which cassette a request comes down to, remembered."""

from replaymock.matching.index import CassetteLookup, Index
from replaymock.matching.matcher import Matcher
from tests.support.factories import a_cassette, a_request
from tests.support.inside import an_entry


def test_a_request_that_comes_again_is_not_looked_up_again() -> None:
    finder = CassetteLookup(Matcher())
    finder.use(Index([an_entry(a_cassette("/items"))]))
    assert finder.find(a_request("GET", "/items")) is finder.find(a_request("GET", "/items"))
    assert finder.find(a_request("GET", "/gone")).entry is None


def test_another_index_and_an_entry_that_was_added_are_seen_at_once() -> None:
    finder, first, second = CassetteLookup(Matcher()), an_entry(a_cassette("/items")), an_entry(a_cassette("/items"))
    finder.use(Index([first]))
    assert finder.find(a_request("GET", "/items")).entry is first
    finder.index.add(second)
    finder.forget()
    assert finder.find(a_request("GET", "/items")).entry is second
    finder.use(Index())
    assert finder.find(a_request("GET", "/items")).entry is None


def test_a_request_that_was_read_before_is_found_by_that() -> None:
    finder, request = CassetteLookup(Matcher()), a_request("GET", "/items?token=s3cr3t-value")
    finder.use(Index([an_entry(a_cassette("/items"))]))
    assert finder.find(request, read=finder.read(request)) == finder.find(request)
    other = finder.read(a_request("GET", "/items"))
    assert finder.find(request, read=other).entry is finder.index.entries["items/GET.json"]
