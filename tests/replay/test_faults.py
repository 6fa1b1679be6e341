"""Faults injected into answers."""

import pytest

from replaymock.errors import UsageError
from replaymock.http.rendered import (
    Abort,
    Delay,
    KeepOpen,
    RenderedResponse,
    SendBody,
    SendFile,
    SendHead,
    Step,
    frame,
    from_file,
)
from replaymock.replay.faults import FaultSpec, inject, parse_fault

WHOLE = frame(200, "OK", (), b"0123456789")
STREAM = RenderedResponse(
    200, b"", steps=(SendHead(), SendBody(b"a"), Delay(1), SendBody(b"b"), SendBody(b"c")), is_streamed=True
)
FILE = from_file(200, "OK", (), "video.mp4", 100)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reset", FaultSpec("reset")),
        ("timeout@5%", FaultSpec("timeout", 0, 5)),
        ("status:503", FaultSpec("status", 503)),
        ("status:503@10%", FaultSpec("status", 503, 10)),
        ("truncate@100", FaultSpec("truncate", 100)),
        ("truncate@100@0.5%", FaultSpec("truncate", 100, 0.5)),
        ("slow@1000", FaultSpec("slow", 1000)),
        ("cut_stream@2", FaultSpec("cut_stream", 2)),
    ],
)
def test_a_fault_is_read_from_its_words(text: str, fault: FaultSpec) -> None:
    assert parse_fault(text, "fault") == fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "use one of"),
        ("boom", "use one of status:503, reset"),
        ("status", "write it as status:503"),
        ("status@503", "write it as status:503"),
        ("truncate:10", "write it as truncate@100"),
        ("reset@10", "write it as reset"),
        ("status:99", "from 200 to 599"),
        ("reset@200%", "at most 100%"),
    ],
)
def test_what_is_no_fault_is_told_with_those_there_are(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_fault(text, "--here")


@pytest.mark.parametrize(
    ("answer", "fault", "steps"),
    [
        (WHOLE, "reset", [Abort(reset=True)]),
        (WHOLE, "timeout", [KeepOpen()]),
        (WHOLE, "truncate@3", [SendHead(), SendBody(b"012"), Abort()]),
        (WHOLE, "truncate@10", [SendHead(), SendBody(b"0123456789")]),
        (STREAM, "truncate@2", [SendHead(), SendBody(b"a"), Delay(1), SendBody(b"b"), SendBody(b""), Abort()]),
        (FILE, "truncate@7", [SendHead(), SendFile("video.mp4", 7), Abort()]),
        (STREAM, "cut_stream@2", [SendHead(), SendBody(b"a"), Delay(1), SendBody(b"b"), Abort()]),
        (STREAM, "cut_stream@9", list(STREAM.steps)),
        (WHOLE, "slow@50", [SendHead(), Delay(0.1), SendBody(b"01234"), Delay(0.1), SendBody(b"56789")]),
        (
            FILE,
            "slow@600",
            [SendHead(), Delay(0.1), SendFile("video.mp4", 60), Delay(40 / 600), SendFile("video.mp4", 40, 60)],
        ),
    ],
)
def test_a_fault_changes_the_steps_of_an_answer(answer: RenderedResponse, fault: str, steps: list[Step]) -> None:
    assert list(inject(answer, parse_fault(fault, "")).steps) == steps
