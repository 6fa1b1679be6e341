"""Exchanges are taken in their order, and what is news is served and saved."""

import asyncio
import gzip
from collections.abc import Container
from dataclasses import replace

import pytest

from replaymock.http.messages import Exchange, Response
from replaymock.http.websocket_messages import SERVER, TEXT, Message
from replaymock.recording.capture import Capture
from replaymock.recording.pipeline import RecordingPipeline
from replaymock.recording.response_capture import ResponseCapture
from tests.support.executing import until
from tests.support.factories import JSON, a_request, an_exchange
from tests.support.recordings import MATCHER, a_recording
from tests.support.stored import HeldCassettes

LARGE = b'[{"token": "hunter2abc"}, "' + b"x" * 70_000 + b'"]'


class Run:
    """A run of the recorder: what was saved, told, and became of each exchange."""

    def __init__(self) -> None:
        self.cassettes = HeldCassettes()
        self.saved = self.cassettes.saved
        self.told: list[str] = []
        self.done: list[tuple[str, str]] = []
        self.pipeline = RecordingPipeline(
            a_recording(),
            self.cassettes,
            lambda _request, text: self.told.append(text),
        )

    def take(self, *exchanges: Exchange, there: Container[str] | None = None) -> list[tuple[str, str]]:
        asyncio.run(self._take(exchanges, there))
        return self.done

    def join(self, exchange: Exchange, there: Container[str] | None = None) -> None:
        self.pipeline.submit(Capture(exchange), None, there, self.became)

    def became(self, outcome: str, file: str) -> None:
        self.done.append((outcome, file))

    async def _take(self, exchanges: tuple[Exchange, ...], there: Container[str] | None) -> None:
        for one in exchanges:
            self.join(one, there)
        await until(lambda: len(self.done) == len(exchanges))


def said(target: str, body: bytes = b"[1]", *headers: tuple[str, str]) -> Exchange:
    return an_exchange(a_request(target=target), Response(200, "OK", (*JSON, *headers), body))


def test_what_is_news_is_served_and_saved_and_the_same_again_is_not() -> None:
    run = Run()
    assert run.take(said("/a"), said("/a")) == [("recorded", "a/GET.json"), ("unchanged", "a/GET.json")]
    assert [file for file, _ in run.saved] == list(run.cassettes.index.entries) == ["a/GET.json"]


def test_what_comes_behind_a_large_one_is_taken_after_it() -> None:
    run = Run()
    run.take(said("/large", LARGE), said("/b"))
    assert [file for file, _ in run.saved] == ["large/GET.json", "b/GET.json"]
    assert b"hunter2abc" not in run.saved[0][1].responses[0].body


def test_a_large_request_is_read_beside_and_found_again() -> None:
    run = Run()
    asked = an_exchange(a_request("POST", "/large", JSON, LARGE))
    run.take(asked, said("/b"), asked)
    assert [outcome for outcome, _ in run.done] == ["recorded", "recorded", "unchanged"]
    assert run.cassettes.index.find(MATCHER.canonical(asked.request)) is run.cassettes.index.entries[run.done[0][1]]


@pytest.mark.parametrize("size", [0, 70_000])
def test_a_conversation_is_taken_in_the_same_line(size: int) -> None:
    run = Run()
    request = a_request(target="/ws?token=hunter1abc")
    told = Message(SERVER, TEXT, LARGE + b"x" * size + b" hunter1abc")

    async def converse() -> None:
        run.join(said("/large", LARGE))
        exchange = an_exchange(request, Response(101, "Switching Protocols"))
        run.pipeline.submit(Capture(exchange, (told,)), None, None, run.became)
        await until(lambda: len(run.done) == 2)

    asyncio.run(converse())
    assert [file.partition("/")[0] for file, _ in run.saved] == ["large", "ws"]
    assert "hunter" not in repr(run.saved)


def test_a_gap_that_was_filled_meanwhile_is_left_as_it_is() -> None:
    run = Run()
    assert run.take(said("/a"), said("/a", b"[2]"), there=()) == [("recorded", "a/GET.json"), ("forwarded", "")]
    assert len(run.saved) == 1


@pytest.mark.parametrize(("coding", "outcome"), [("compress", "recorded"), ("gzip", "forwarded")])
@pytest.mark.parametrize("body", [b"token=hunter2abc", LARGE])
def test_the_user_is_told_of_what_cannot_be_decoded(coding: str, outcome: str, body: bytes) -> None:
    run = Run()
    cut = gzip.compress(body, 0)[:-1]
    assert run.take(said("/a", cut, ("Content-Encoding", coding)))[0][0] == outcome
    (told,) = run.told
    assert ("not searched for secrets" in told) == (outcome == "recorded")


@pytest.mark.parametrize("asked", ["an exchange", "a conversation"])
def test_a_fault_of_the_recorder_is_told_and_its_exchange_is_counted_as_forwarded(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run()
    monkeypatch.setattr(ResponseCapture, "response", lambda *_: next(iter(())))
    if asked == "an exchange":
        run.take(said("/a"), said("/a"))
    else:
        for _ in range(2):
            exchange = Exchange(a_request(target="/ws"), Response(101, ""), "", 1)
            run.pipeline.submit(Capture(exchange, ()), None, None, run.became)
    assert run.done == [("forwarded", "")] * 2
    assert run.told[0].startswith("not saved, a fault in replaymock: StopIteration at test_pipeline.py:")


def a_stream(letters: str, *, left: bool = False) -> Exchange:
    data = "".join(f"data: {letter}\n\n" for letter in letters).encode()
    headers = (("Content-Type", "text/event-stream"),)
    return replace(an_exchange(a_request(target="/s"), Response(200, "OK", headers, data)), truncated=left)


def test_a_gap_is_filled_as_long_as_only_a_beginning_is_there() -> None:
    run = Run()
    begun, more, whole = a_stream("a", left=True), a_stream("ab", left=True), a_stream("abc")
    run.take(begun, more, begun, whole, a_stream("xyz"), there=())
    assert [outcome for outcome, _ in run.done] == ["recorded", "recorded", "unchanged", "recorded", "forwarded"]
    [entry] = run.cassettes.index.entries.values()
    assert [one.body for one in run.cassettes.cassette(entry).responses] == [whole.response.body]
