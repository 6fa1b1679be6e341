"""Recordings, frozen: what the command writes of a scripted backend, and what a replay of the committed files answers."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.golden.backend import chat, scripted_backend, token
from tests.golden.keeping import CORPUS, RENEWS, compare, compare_folder, read_folder
from tests.golden.lines import ended
from tests.golden.normal import as_recorded_once
from tests.golden.steps import STEPS, Ask
from tests.golden.wire import hear, heard, shown
from tests.support.running import replaymock
from tests.support.sockets import BINARY, CLOSE, TEXT, Reader, frame, opened, socket_backend

# Whether a live answer has a length or is streamed is for its timing to say.
LIVE = frozenset(("content-length", "transfer-encoding"))
SAID = ((TEXT, b'{"ask": 1}'), (TEXT, b"plainly"), (BINARY, b"\x00\x01\x02"), (TEXT, b"goodbye"))


@dataclass(frozen=True)
class Recorded:
    """What the client got, and what is in the folder."""

    answers: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recording") / "cassettes"
    with (
        scripted_backend() as origin,
        socket_backend(chat, server_header=None) as chatting,
        replaymock("record", folder, "--upstream", origin, "--upstream", f"/chat={chatting}") as recorder,
    ):
        answers = answered(recorder.port, LIVE)
        assert recorder.stop() == 0
    files = {
        name: as_recorded_once(data) if name.endswith(".json") else data for name, data in read_folder(folder).items()
    }
    return Recorded(answers, files)


@pytest.fixture(scope="module")
def corpus(request: pytest.FixtureRequest) -> Path:
    """The committed recordings, renewed first where they are to be."""
    if RENEWS:
        compare_folder(CORPUS, request.getfixturevalue("recorded").files)
    return CORPUS


def answered(port: int, without: frozenset[str] = frozenset()) -> str:
    """The answers to all steps, and the conversation."""
    answers = "\n".join([*(shown(step, hear(port, step), without=without) for step in STEPS), conversation(port)])
    # What looks like a live credential, made up as it is, is not for a file in git.
    return answers.replace(token(1), "(the first token)").replace(token(2), "(the second token)")


def conversation(port: int) -> str:
    """A WebSocket from its opening to its close."""
    with opened(port, "/chat") as (connection, head):
        reader = Reader(connection)
        lines = [shown(Ask("GET", "/chat", (("Upgrade", "websocket"),)), heard(head)), said_next(reader)]
        for opcode, payload in SAID:
            connection.sendall(frame(opcode, payload))
            lines += [f"> {payload!r}", said_next(reader)]
    return "\n".join(lines) + "\n"


def said_next(reader: Reader) -> str:
    ((opcode, payload),) = reader.messages(1)
    return f"closed with {int.from_bytes(payload, 'big')}" if opcode == CLOSE else repr(payload)


def test_what_a_recorder_answers(recorded: Recorded) -> None:
    compare("corpus-recorded.txt", recorded.answers)


def test_what_a_recorder_writes(recorded: Recorded) -> None:
    compare_folder(CORPUS, recorded.files)


@pytest.mark.parametrize("way", [(), ("--no-fast-lane",)], ids=["fast path", "full server"])
def test_what_a_replay_answers_either_way(corpus: Path, way: tuple[str, ...]) -> None:
    with replaymock("replay", corpus, "--freeze-time", *way) as replay:
        compare("corpus-replayed.txt", answered(replay.port))


def test_what_is_said_of_the_folder(corpus: Path) -> None:
    lines = [f"{command} {corpus.name}" for command in ("ls", "ls --json", "check", "scan")]
    said = zip(lines, ended(lines, corpus.parent), strict=True)
    compare("corpus-told.txt", "\n".join(f"$ replaymock {line}\n{text}" for line, text in said))
