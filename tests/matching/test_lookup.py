"""Which cassette a request comes down to, remembered."""

from replaymock.matching.lookup import CassetteLookup
from replaymock.matching.matcher import Matcher
from tests.support.factories import a_cassette, a_request
from tests.support.inside import file_of
from tests.support.stored import HeldCassettes

ITEMS = a_cassette("/items")


def holding(*files: str) -> HeldCassettes:
    held = HeldCassettes()
    for file in files:
        held.put(file, ITEMS)
    return held


def test_a_request_that_comes_again_is_not_looked_up_again() -> None:
    lookup = CassetteLookup(holding(file_of(ITEMS)), Matcher())
    assert lookup.find(a_request("GET", "/items")) is lookup.find(a_request("GET", "/items"))
    assert lookup.find(a_request("GET", "/gone")).entry is None


def test_another_index_and_an_entry_that_was_added_are_seen_once_the_lookup_forgets() -> None:
    held = holding(file_of(ITEMS))
    lookup, first = CassetteLookup(held, Matcher()), held.index.entries["items/GET.json"]
    assert lookup.find(a_request("GET", "/items")).entry is first
    second = held.put(file_of(ITEMS), ITEMS)
    lookup.forget()
    assert lookup.find(a_request("GET", "/items")).entry is second is not first
    held.index.drop(second.file)
    lookup.forget()
    assert lookup.find(a_request("GET", "/items")).entry is None


def test_a_request_that_was_read_before_is_found_by_that() -> None:
    held, request = holding(file_of(ITEMS)), a_request("GET", "/items?token=s3cr3t-value")
    lookup = CassetteLookup(held, Matcher())
    assert lookup.find(request, canonicalized=lookup.canonicalize(request)) == lookup.find(request)
    other = lookup.canonicalize(a_request("GET", "/items"))
    assert lookup.find(request, canonicalized=other).entry is held.index.entries["items/GET.json"]
