"""From exchanges to cassettes: what is kept, how it joins what is stored, and that it is found again."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassette import Cassette, Recorded, dump, load
from replaymock.cors import Cors
from replaymock.exchange import Exchange, Request, Response
from replaymock.index import Index, Serving, entry_for
from replaymock.matching import Matcher
from replaymock.origin import Origins
from replaymock.recording import Policy, Recording, Taken, join, same
from replaymock.redaction import Redactor
from tests import strategies
from tests.factories import JSON, a_request, a_response, an_exchange, recorded

MATCHER = Matcher()
SERVING = Serving(Cors())
BACKEND = "https://api.example.com"


def a_recording(policy: Policy | None = None) -> Recording:
    return Recording(policy or Policy(), MATCHER, Redactor(), Origins((BACKEND,)))


def index_of(*found: Taken) -> Index:
    return Index(
        entry_for(taken.file, taken.cassette, plain=False, matcher=MATCHER, serving=SERVING) for taken in found
    )


def written_and_read(taken: Taken) -> Cassette:
    files = dump(taken.cassette, taken.file)
    name = taken.file.rpartition("/")[2]
    return load(taken.file, files[name], files.__getitem__)


def take(exchange: Exchange, policy: Policy | None = None) -> Recorded:
    return a_recording(policy).take(exchange, Index()).cassette.responses[0]


@settings(max_examples=1500)
@given(strategies.requests())
def test_a_recorded_request_is_found_again_after_it_went_through_a_file(request: Request) -> None:
    taken = a_recording().take(an_exchange(request), Index())
    stored = written_and_read(taken)
    index = index_of(replace(taken, cassette=stored))
    assert index.find(MATCHER.canonical(request)) is not None


@settings(max_examples=1500)
@given(strategies.requests())
def test_what_is_written_is_what_is_read(request: Request) -> None:
    taken = a_recording().take(an_exchange(request), Index())
    assert written_and_read(taken) == taken.cassette


@settings(max_examples=300)
@given(strategies.requests())
def test_what_a_cassette_says_of_its_request_has_its_key(request: Request) -> None:
    cassette = written_and_read(a_recording().take(an_exchange(request), Index()))
    again = cassette.request.to_request()
    assert MATCHER.key(again, cassette.request.known_body()) == MATCHER.key(request)


@settings(max_examples=200)
@given(strategies.requests())
def test_no_secret_is_in_the_files_or_their_names(request: Request) -> None:
    taken = a_recording().take(an_exchange(request), Index())
    files = dump(taken.cassette, taken.file)
    for secret in strategies.SECRETS[1:]:
        assert secret not in taken.file
        if secret.encode() not in b"".join(files.values()):
            continue
        raise AssertionError(secret)
