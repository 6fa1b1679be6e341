"""The conductor: which of index, upstream and reason why not answers."""

import json

import pytest
from msgspec.structs import replace

from replaymock.cassettes.model import Cassette, CassetteRequest
from replaymock.config.config_file import read
from replaymock.errors import CassetteError, RequestRefused
from replaymock.http.bodies import Form
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse
from replaymock.replay.engine import RECORD_MODES, ReplayEngine
from replaymock.replay.overrides import ReplayOptions
from replaymock.replay.sessions import assign
from replaymock.replay.time_shift import TimeShifter
from replaymock.telemetry.events import Event
from tests.support.factories import JSON, a_cassette, a_request, recorded
from tests.support.inside import an_engine
from tests.support.stored import HeldCassettes

HOST = (("Host", "localhost:8081"),)
STEPS = a_cassette("/steps", recorded(b"1"), recorded(b"2"), recorded(b"3"))


def asked(
    engine: ReplayEngine, target: str, method: str = "GET", headers: Headers = HOST, body: bytes = b""
) -> RenderedResponse:
    answer = engine.answer(Request(method, target, headers, body))
    assert answer is not None
    return answer


def header(answer: RenderedResponse, name: str) -> str:
    lines = answer.head.decode("latin-1").split("\r\n")
    return next((line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name}: ")), "")


@pytest.mark.parametrize(
    ("sequence", "bodies"),
    [("auto", "12333"), ("loop", "12312"), ("first", "11111"), ("last", "33333"), ("strict", "123--")],
)
def test_a_repeated_request_gets_what_the_sequence_says(sequence: str, bodies: str) -> None:
    engine = an_engine(STEPS, options=ReplayOptions(sequence=sequence))
    answers = [asked(engine, "/steps") for _ in range(5)]
    assert "".join(found.body.decode() if found.status == 200 else "-" for found in answers) == bodies
    if sequence == "strict":
        assert json.loads(answers[-1].body)["reason"] == "exhausted"


def test_the_answer_says_which_of_how_many_it_is() -> None:
    engine = an_engine(STEPS, a_cassette("/one"))
    assert [header(asked(engine, "/steps"), "replaymock-sequence") for _ in range(4)] == ["1/3", "2/3", "3/3", "3/3"]
    assert header(asked(engine, "/one"), "replaymock-sequence") == ""


def test_head_looks_where_get_stands_and_moves_nothing() -> None:
    engine = an_engine(STEPS)
    assert header(asked(engine, "/steps", "HEAD"), "replaymock-sequence") == "1/3"
    asked(engine, "/steps")
    asked(engine, "/steps")
    head = asked(engine, "/steps", "HEAD")
    assert (head.body, header(head, "replaymock-sequence")) == (b"", "2/3")
    assert asked(engine, "/steps").body == b"3"


def test_sessions_do_not_move_each_other() -> None:
    engine = an_engine(STEPS, options=ReplayOptions(session_header="x-mine"))

    def served(name: str) -> bytes:
        answer = engine.answer(assign(a_request("GET", "/steps", (*HOST, ("X-Mine", name))), "x-mine"))
        return answer.body if answer else b""

    assert [served(name) for name in ("one", "one", "two", "", "one")] == [b"1", b"2", b"1", b"1", b"3"]


def test_what_comes_after_a_write_is_served_once_that_write_was_made() -> None:
    items = a_cassette("/items", recorded(b"[]"), recorded(b"[1]", after="POST /items"))
    engine = an_engine(items, a_cassette("/items", recorded(b"{}", 201), method="POST"))
    assert [asked(engine, "/items").body for _ in range(3)] == [b"[]"] * 3
    assert asked(engine, "/items", "POST").status == 201
    assert asked(engine, "/items").body == b"[1]"


@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("POST", 500), ("GET", 200)])
def test_what_failed_or_only_reads_is_no_write(method: str, status: int) -> None:
    engine = an_engine(
        a_cassette("/items", recorded(b"[]"), recorded(b"[1]", after=f"{method} /other")),
        a_cassette("/other", recorded(b"{}", status), method=method),
    )
    asked(engine, "/other", method)
    assert asked(engine, "/items").body == b"[]"


def test_a_miss_is_told_once_and_counted_each_time() -> None:
    told: list[Event] = []
    engine = an_engine(a_cassette("/a"), emit=told.append)
    for _ in range(3):
        miss = asked(engine, "/none?password=s3cr3t-value")
        assert (miss.status, json.loads(miss.body)["code"]) == (404, "no_match")
    assert [event.name for event in told].count("miss") == 1
    assert engine.journal.counts["miss"] == 3
    assert "s3cr3t" not in repr(told)


def test_the_status_of_a_miss_can_be_chosen() -> None:
    engine = an_engine(options=ReplayOptions(miss_status=418))
    assert asked(engine, "/none").status == 418
    assert asked(engine, "/none", "HEAD").status == 418


def test_the_hint_of_a_miss_makes_it_hit() -> None:
    cassette = a_cassette("/a")
    miss = json.loads(asked(an_engine(cassette), "/a?_=17").body)
    assert asked(an_engine(cassette, config=read(miss["hint"], "here")), "/a?_=17").status == 200


def test_a_request_whose_cassette_is_broken_is_told_where() -> None:
    broken = {
        "a/GET.json": CassetteError("c/a/GET.json", 3, 7, "not JSON"),
        "b.json": CassetteError("c/b.json", 1, 1, "not JSON"),
    }
    engine = an_engine(broken=broken)
    said = json.loads(asked(engine, "/a").body)
    assert (said["code"], said["file"], said["line"], said["column"]) == ("cassette_invalid", "c/a/GET.json", 3, 7)
    assert asked(engine, "/b").status == 500
    assert asked(engine, "/c").status == 404
    assert engine.journal.counts == {"miss": 3}
    told = [(miss["reason"], miss["hint"].partition(", or")[0]) for miss in engine.journal.misses()]
    assert told[:2] == [
        ("cassette invalid", "mend c/a/GET.json:3:7: not JSON"),
        ("cassette invalid", "mend c/b.json:1:1: not JSON"),
    ]


def test_where_there_is_an_upstream_a_miss_is_left_to_it() -> None:
    engine = an_engine(a_cassette("/a"), mode=RECORD_MODES["new"])
    assert engine.answer(a_request("GET", "/none", HOST)) is None
    assert engine.answer(a_request("GET", "/a", HOST)) is not None
    assert engine.journal.counts == {"hit": 1}


def test_another_index_is_used_from_the_next_request_on() -> None:
    cassettes = HeldCassettes()
    engine = an_engine(a_cassette("/a", recorded(b"1")), cassettes=cassettes)
    assert [asked(engine, "/a").body for _ in range(2)] == [b"1", b"1"]
    cassettes.put("a/GET.json", a_cassette("/a", recorded(b"2")))
    assert asked(engine, "/a").body == b"2"
    cassettes.remove("a/GET.json")
    assert asked(engine, "/a").status == 404


def test_what_is_remembered_of_a_target_is_not_mixed_up() -> None:
    post = a_cassette("/a", recorded(b'"post"'), method="POST")
    by_language = read('[match]\nheaders = ["accept-language"]', "here")
    engine = an_engine(a_cassette("/a", recorded(b'"get"')), post)
    for _ in range(2):
        assert asked(engine, "/a").body == b'"get"'
        assert asked(engine, "/a", "POST").body == b'"post"'
        assert asked(engine, "/a", "POST", (*HOST, *JSON), b"{}").body == b'"post"'
    german = a_cassette("/l", recorded(b'"de"'))
    german = replace(german, request=replace(german.request, headers=(("accept-language", "de"),)))
    engine = an_engine(german, config=by_language)
    for language, status in (("de", 200), ("en", 404), ("de", 200)):
        assert asked(engine, "/l", headers=(*HOST, ("Accept-Language", language))).status == status


def test_a_body_is_remembered_together_with_its_type() -> None:
    as_form, as_text = (("Content-Type", media) for media in ("application/x-www-form-urlencoded", "text/plain"))
    body = Form((("a", "1"), ("b", "2")))
    request = CassetteRequest("POST", "/f", headers=(as_form,), body=body)
    engine = an_engine(replace(a_cassette("/f", recorded(b'"form"')), request=request))
    for _ in range(2):
        for body in (b"b=2&a=1", b"a=1&b=2"):
            assert asked(engine, "/f", "POST", (*HOST, as_form), body).body == b'"form"'
            assert asked(engine, "/f", "POST", (*HOST, as_text), body).status == 404


def test_refusals_and_faults_are_problems_that_a_page_may_read() -> None:
    told: list[Event] = []
    engine = an_engine(emit=told.append)
    request = a_request("GET", "/a?token=s3cr3t-value", (*HOST, ("Origin", "http://localhost:3000")))
    refused = engine.refuse(request, RequestRefused(400, "bad_request", "no"))
    try:
        int("s3cr3t-value")
    except ValueError as error:
        failed = engine.fail(request, error)
    for answer, status in ((refused, 400), (failed, 500)):
        assert answer.status == status
        assert header(answer, "content-type").startswith("application/problem+json")
        assert header(answer, "access-control-allow-origin") == "http://localhost:3000"
    assert engine.journal.counts["refused"] == 1
    assert "s3cr3t" not in repr((told, failed))


ONCE = "2023-11-14T22:13:20Z"
"""1,700,000,000 seconds after 1970; in these tests it is 1,000 seconds later."""


def a_later_responder(*cassettes: Cassette) -> ReplayEngine:
    return an_engine(*cassettes, options=ReplayOptions(time_shifter=TimeShifter(lambda: 1_700_001_000.0)))


def test_a_time_that_was_handed_out_and_comes_back_is_the_recorded_one() -> None:
    token = a_cassette("/token", recorded(b'{"expires_at":1700000060}', recorded_at=ONCE))
    query = (("until", "1700000060"),)
    until = Cassette(CassetteRequest("GET", "/until", query), (recorded(b"1"),))
    engine = a_later_responder(token, until)
    assert asked(engine, "/until?until=1700001060").status == 404
    assert asked(engine, "/token").body == b'{"expires_at":1700001060}'
    assert asked(engine, "/until?until=1700001060").body == b"1"
    assert asked(engine, "/until?until=1700000060").body == b"1"
    assert asked(engine, "/until?until=1700001061").status == 404


def test_a_request_that_hits_as_it_is_stays_as_it_is() -> None:
    token = a_cassette("/token", recorded(b'{"exp":1700000060}', recorded_at=ONCE))
    engine = a_later_responder(
        token, a_cassette("/at/1700000060", recorded(b"1")), a_cassette("/at/1700001060", recorded(b"2"))
    )
    asked(engine, "/token")
    assert asked(engine, "/at/1700001060").body == b"2"


def test_a_miss_is_explained_by_the_request_with_its_times_as_recorded() -> None:
    token = a_cassette("/token", recorded(b'{"exp":1700000060}', recorded_at=ONCE))
    stored = Cassette(CassetteRequest("GET", "/a", (("t", "1700000060"), ("n", "1"))), (recorded(b"1"),))
    engine = a_later_responder(token, stored)
    asked(engine, "/token")
    miss = json.loads(asked(engine, "/a?t=1700001060&n=2").body)
    assert [difference["field"] for difference in miss["nearest"][0]["differences"]] == ["query:n"]


def test_what_moves_and_what_asks_for_less_is_not_constant() -> None:
    moves = a_cassette("/token", recorded(b'{"exp":1700000060}', recorded_at=ONCE))
    stays = a_cassette("/items", recorded(b"[]", recorded_at=ONCE))
    engine = a_later_responder(moves, stays)
    assert engine.constant_answer(a_request(target="/token", headers=HOST)) is None
    assert engine.constant_answer(a_request(headers=(*HOST, ("Range", "bytes=0-0")))) is None
    assert engine.constant_answer(a_request(headers=(*HOST, ("If-None-Match", "*"))))
    assert engine.constant_answer(a_request(headers=HOST))


def test_a_condition_counts_only_where_it_was_asked_for() -> None:
    tagged = a_cassette("/items", recorded(b"[]", headers=(*JSON, ("etag", '"1"'))))
    headers = (*HOST, ("If-None-Match", 'W/"1"'))
    assert asked(an_engine(tagged), "/items", headers=headers).status == 200
    engine = an_engine(tagged, options=ReplayOptions(conditional=True))
    answer = asked(engine, "/items", headers=headers)
    assert (answer.status, answer.body, header(answer, "etag")) == (304, b"", '"1"')
    assert header(answer, "replaymock-cassette") == "items/GET.json"
    assert engine.constant_answer(a_request(headers=headers)) is None
