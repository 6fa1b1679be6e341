"""Secrets that a recording has learned of are in no request it keeps, and their cassettes are found again."""

import json
import random
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings

from replaymock.cassettes.writer import dump
from replaymock.http.bodies import INLINE_LIMIT
from replaymock.http.messages import Request, Response
from replaymock.matching.matcher import Matcher, key_of
from replaymock.matching.redacted_match import matches_redacted
from replaymock.recording.capture import Capture
from replaymock.recording.late_redaction import LateRedactor, redacted
from replaymock.recording.request_capture import RequestCapture
from replaymock.redaction.known_secrets import KnownSecrets
from tests.support import strategies
from tests.support.credentials import word
from tests.support.factories import JSON, a_request, an_exchange
from tests.support.recordings import a_recording
from tests.support.stored import HeldCassettes

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
XML = (("Content-Type", "text/xml"),)
MIXED = (("Content-Type", "multipart/form-data; boundary=edge"),)


def requests(secret: str) -> list[Request]:
    """A request that names a secret, and those that have it where no name tells."""
    quoted = quote(secret, safe="")
    return [
        a_request(
            "POST", "/login", JSON, json.dumps({"user": "ann", "password": secret, "note": f"is {secret}"}).encode()
        ),
        a_request(target=f"/users/{quoted}/items"),
        a_request(target=f"/items?owner={quoted}&page=2"),
        a_request("POST", "/search", JSON, json.dumps({"q": [secret, {"by": secret}]}).encode()),
        a_request("POST", "/soap", XML, f"<a><by>{secret}</by><to>ann</to>\n<of>{secret}</of></a>".encode()),
        a_request("POST", "/form", FORM, f"q={quoted}&page=2".encode()),
        a_request(
            "POST",
            "/parts",
            MIXED,
            f'--edge\r\nContent-Disposition: form-data; name="q"\r\n\r\n{secret}\r\n--edge--\r\n'.encode(),
        ),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_recorded_is_found_with_the_same_and_with_fresh_secrets(seed: int) -> None:
    source = random.Random(seed)
    secret, fresh = word(source, 12), word(source, 16) + "/+"
    recording, taken = a_recording(), []
    for request in requests(secret):
        said = Response(200, "OK", JSON, json.dumps({"said": f"you are {secret}"}).encode())
        taken.append(recording.build(Capture(an_exchange(request, said)), HeldCassettes()))
    for one in taken:
        assert secret not in one.file + str(dump(one.cassette, one.file))
    cassettes = HeldCassettes(*taken)
    for value in (secret, fresh):
        assert [cassettes.index.find(Matcher().canonical(request)) for request in requests(value)] == [
            cassettes.index.entries[one.file] for one in taken
        ]
    again, files = a_recording(), [one.file for one in taken]
    assert [again.build(Capture(an_exchange(request)), cassettes).file for request in requests(fresh)] == files


@pytest.mark.parametrize("seed", range(20))
def test_what_was_taken_before_a_secret_was_known_is_found_in_hindsight_with_the_same_and_fresh_ones(seed: int) -> None:
    source = random.Random(seed)
    secret, fresh = word(source, 12) + "/+", word(source, 16)
    recording, cassettes = a_recording(), HeldCassettes()
    for request in reversed(requests(secret)):
        said = Response(200, "OK", JSON, json.dumps({"said": f"you are {secret}"}).encode())
        taken = recording.build(Capture(an_exchange(request, said)), cassettes)
        cassettes.put(taken.file, taken.cassette)
    redactor = LateRedactor(recording.run.placeholders.secrets.take_new())
    for entry in list(cassettes.index.entries.values()):
        hidden = redacted(entry, redactor, cassettes, recording.run, Matcher())
        if hidden:
            cassettes.remove(entry.file)
            cassettes.put(hidden.file, hidden.cassette)
    written = [str(dump(cassettes.cassette(entry), file)) + file for file, entry in cassettes.index.entries.items()]
    assert not any(word in text for word in (secret[:12], secret[:12].lower()) for text in written)
    found = [
        [cassettes.index.find(Matcher().canonical(request)) for request in requests(value)] for value in (secret, fresh)
    ]
    assert found[0] == found[1] and None not in found[0]
    assert len(set(map(id, found[0]))) == len(requests(secret))


def test_an_answer_may_tell_that_its_request_held_a_secret() -> None:
    said = Response(200, "OK", JSON, b'{"sessionId":"a1B2c3D4e5"}')
    taken = a_recording().build(Capture(an_exchange(a_request("PUT", "/s/a1B2c3D4e5"), said)), HeldCassettes())
    assert "a1b2c3d4e5" not in (taken.file + str(dump(taken.cassette, taken.file))).lower()


def test_an_answer_that_repeats_a_header_of_its_request_does_not_tell_it() -> None:
    asked = a_request(target="/a", headers=(("X-Api-Key", "a1B2c3D4e5"), ("Authorization", "Basic q1W2e3R4")))
    said = Response(200, "OK", JSON, b'{"you":"said a1B2c3D4e5","and":["q1W2e3R4"]}')
    body = a_recording().build(Capture(an_exchange(asked, said)), HeldCassettes()).cassette.responses[0].body
    assert body == b'{"you":"said {{redacted:x-api-key}}","and":["{{redacted:authorization}}"]}'


def test_what_is_kept_as_a_digest_stays_as_it_came() -> None:
    known = KnownSecrets()
    known.remember("hunter2abc", "{{redacted}}")
    large = a_request("POST", "/hunter2abc", JSON, json.dumps(["hunter2abc" * 2, "x" * INLINE_LIMIT]).encode())
    hidden = RequestCapture(Matcher(), known).hidden(large)
    assert (hidden.target, hidden.body) == ("/{{redacted}}", large.body)


def test_a_file_with_a_known_value_is_kept_as_a_digest_and_found_by_it() -> None:
    file = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nis hunter2abc\r\n--edge--\r\n'
    asked = a_request("POST", "/?token=hunter2abc", MIXED, file)
    taken = a_recording().build(Capture(an_exchange(asked)), HeldCassettes())
    assert "hunter2abc" not in str(dump(taken.cassette, taken.file))
    assert HeldCassettes(taken).index.find(Matcher().canonical(asked))


def test_text_with_another_secret_and_other_words_is_not_what_was_recorded() -> None:
    text = (("Content-Type", "text/plain"),)
    taken = a_recording().build(
        Capture(an_exchange(a_request("POST", "/?token=hunter2abc", text, b"is hunter2abc, so"))), HeldCassettes()
    )
    found = {
        said: bool(
            HeldCassettes(taken).index.find(Matcher().canonical(a_request("POST", "/?token=x1y2z3abc", text, said)))
        )
        for said in (b"is x1y2z3abc, so", b"is x1y2z3abc, or", b"is so, so", b"is a word, so")
    }
    assert list(found.values()) == [True, False, False, False]


def test_a_target_is_read_again_once_more_is_known() -> None:
    known = KnownSecrets()
    capture = RequestCapture(Matcher(), known)
    request = a_request(target="/a/hunter2abc")
    before = capture.read(request)
    assert (before.shown, capture.recanonicalize(request, request, before)) == ("/a/hunter2abc", before)
    known.remember("hunter2abc", "{{redacted}}")
    assert capture.read(request) == capture.recanonicalize(request, request, before)
    assert capture.read(request).shown == "/a/{{redacted}}"


@settings(max_examples=200)
@given(strategies.requests())
@example(a_request("POST", "/a", JSON, b'{"token": -1.0000000000000002e+16}'))
def test_what_is_stored_of_a_request_comes_down_to_the_same(request: Request) -> None:
    """Also where it is read again, of what learning its secrets gave, or as one that comes later."""
    recording = a_recording()
    taken = recording.build(Capture(an_exchange(request)), HeldCassettes())
    stored = HeldCassettes(taken).index.entries[taken.file].canonical
    again = recording.read(request).canonical
    assert key_of(stored) == key_of(again) or matches_redacted(stored, again)
    assert recording.build(Capture(an_exchange(request)), HeldCassettes(taken)).file == taken.file
