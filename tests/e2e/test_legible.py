"""Nothing is written that cannot be read: whatever a backend says, `check` finds nothing in what was recorded."""

import base64
import hashlib
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes import reader
from replaymock.http.messages import Exchange, Request, Response
from replaymock.http.websocket_frames import Fragment
from replaymock.http.websocket_messages import CLIENT, CLOSE, CUT, NO_CODE, SERVER, ConversationPlayback, Message
from replaymock.matching.matcher import Matcher
from replaymock.proxy.routes import parse_upstream
from replaymock.proxy.websocket import Transcript
from replaymock.recording.capture import Capture
from replaymock.storage.audit.check import check
from replaymock.storage.folder import CassetteFolder
from tests.support.inside import Told, running_app
from tests.support.recordings import a_recording
from tests.support.running import ask, cassettes, eventually, raw_backend, read_request, read_whole, reply, run
from tests.support.sockets import BINARY, PING, PONG, TEXT, Frame, Reader, close, frame, opened
from tests.support.stored import HeldCassettes


def recording(folder: Path, origin: str, told: Told | None = None, **more: Any) -> Any:
    return running_app(folder, told, **{"upstreams": (parse_upstream(origin),), "mode": "all", **more})


def answering(key: bytes) -> bytes:
    accepted = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"


def saying(*frames: bytes, after: bytes = b"") -> Callable[[socket.socket], None]:
    """A backend that says these frames once it has heard one that ends with `after`, and then hears the rest."""

    def handle(connection: socket.socket) -> None:
        head = read_request(connection)
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        connection.sendall(answering(key.partition(b":")[2].strip()))
        heard = b""
        while after not in heard:
            heard += connection.recv(65536) or after
        connection.sendall(b"".join(frames))
        while connection.recv(65536):
            pass

    return handle


def heard(port: int, *frames: bytes) -> list[Frame]:
    """What a client gets that says these frames."""
    with opened(port, "/ws") as (connection, _):
        connection.sendall(b"".join(frames))
        return Reader(connection).messages()


def from_server(opcode: int, payload: bytes = b"", **more: Any) -> bytes:
    return frame(opcode, payload, mask=False, **more)


def closing(code: int | None, reason: bytes = b"") -> bytes:
    return from_server(8, b"" if code is None else struct.pack("!H", code) + reason)


CLIENTS_CLOSE = b"\x88\x88"
"""How a close with a reason of six letters begins."""
HELLO = from_server(TEXT, b'{"hello": 1}')
# What a backend says, and what is kept of it.
SAID: dict[str, tuple[tuple[bytes, ...], list[Any]]] = {
    "a text": ((HELLO, closing(1000)), [{"hello": 1}, 1000]),
    "an end without a code": ((HELLO, closing(None)), [{"hello": 1}, NO_CODE]),
    "a code of no meaning": ((HELLO, closing(2999)), [{"hello": 1}, CUT]),
    "a code too small": ((HELLO, closing(999)), [{"hello": 1}, CUT]),
    "a code that is never sent": ((closing(1006),), [CUT]),
    "a code of TLS": ((closing(1015),), [CUT]),
    "a code too large": ((closing(65535),), [CUT]),
    "half a code": ((HELLO, from_server(8, b"\x03")), [{"hello": 1}, CUT]),
    "a reason that is no UTF-8": ((closing(1000, b"\xff\xfe"),), [CUT]),
    "a reason full of secrets": (
        (closing(4000, b" ".join(b"password=hunter%dabc" % number for number in range(6))),),
        [4000],
    ),
    "a long reason": ((closing(4000, "é".encode() * 61),), [4000]),
    "a text that is no UTF-8": ((from_server(TEXT, b"\xff\xfe"), HELLO), [CUT]),
    "half a character": ((from_server(TEXT, b'{"a":"\\ud800"}'), closing(1000)), ['{"a":"\\ud800"}', 1000]),
    "deep JSON": ((from_server(TEXT, b"[" * 900 + b"]" * 900), closing(1000)), ["[" * 900 + "]" * 900, 1000]),
    "NUL": ((from_server(TEXT, b'\x00{"a":"\\u0000"}'), closing(1000)), ['\x00{"a":"\\u0000"}', 1000]),
    "placeholders": ((from_server(TEXT, b"{{origin}} {{redacted:x}} {{"), closing(1001)), [..., 1001]),
    "binary": ((from_server(BINARY, bytes(range(256)) * 10), closing(1000)), [..., 1000]),
    "pings": ((from_server(PING, b"\xff\x00"), from_server(PONG, b"\x01"), closing(1000)), [1000]),
    "half a message": ((from_server(TEXT, b"half", fin=False), closing(1000)), [1000]),
    "a message behind the end": ((HELLO, closing(1000), HELLO, closing(1001)), [{"hello": 1}, 1000]),
    "nothing": ((closing(1000),), [1000]),
}


@pytest.mark.parametrize("story", SAID)
def test_what_a_backend_says_on_a_websocket_can_be_read_and_is_said_again(tmp_path: Path, story: str) -> None:
    said, kept = SAID[story]
    with raw_backend(saying(*said)) as origin, recording(tmp_path, origin) as app:
        live = heard(app.port)
        eventually(lambda: cassettes(tmp_path))
    assert [
        content if wanted is not ... else ... for content, wanted in zip(written(tmp_path), kept, strict=True)
    ] == kept
    assert check(tmp_path, Matcher()) == []
    with running_app(tmp_path) as app:
        assert messages_in(heard(app.port)) == messages_in(live)


def written(folder: Path) -> list[Any]:
    """The content of each message in the only cassette; of a close its code."""
    [cassette] = cassettes(folder).values()
    [response] = cassette["responses"]
    forms = ("json", "text", "close", "base64", "file")
    return [next(message[form] for form in forms if form in message) for message in response["messages"]]


def messages_in(frames: list[Frame]) -> list[Frame]:
    return [one for one in frames if one[0] in (TEXT, BINARY)]


def test_what_a_backend_still_says_after_the_clients_close_is_passed_on_and_left_out(tmp_path: Path) -> None:
    """A page never gets it; how much of it there is depends on the moment."""
    backend = saying(HELLO, from_server(BINARY, b"\x00"), closing(1000), after=CLIENTS_CLOSE)
    with raw_backend(backend) as origin, recording(tmp_path, origin) as app:
        live = heard(app.port, frame(TEXT, b"hi"), close(4000, b"enough"))
        eventually(lambda: cassettes(tmp_path))
    assert messages_in(live) == [(TEXT, b'{"hello": 1}'), (BINARY, b"\x00")]
    assert written(tmp_path) == ["hi", 4000]
    assert check(tmp_path, Matcher()) == []
    with running_app(tmp_path) as app:
        assert heard(app.port, frame(TEXT, b"hi"), close(4000)) == [(8, struct.pack("!H", 4000))]


texts = st.text(max_size=6) | st.sampled_from(
    ['{"a":1}', '["\\ud800"]', "[1e999]", "{{origin}}", "\0", "password=hunter2abc"]
)
codes = st.sampled_from([1000, 1001, NO_CODE, CUT, 1014, 3000, 4999])
said_once = st.one_of(
    st.builds(lambda data: (Fragment(data, is_last=True),), texts | st.binary(max_size=8)),
    st.builds(lambda one, other: (Fragment(one, is_last=False), Fragment(other, is_last=True)), texts, texts),
    st.tuples(codes, texts | st.text(min_size=30, max_size=30)),
)


@given(st.lists(st.tuples(st.sampled_from([CLIENT, SERVER]), said_once), max_size=9))
def test_whatever_is_said_on_a_websocket_in_whatever_order_can_be_read_and_is_said_again(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, Any]]
) -> None:
    notes = Transcript(1 << 20, lambda: 0.0, 60.0)
    for sender, frames in said:
        if isinstance(frames[0], int):
            notes.close(sender, *frames)
            continue
        for one in frames:
            notes.piece(sender, one)
    exchange = Exchange(Request("GET", "/ws"), Response(101, "Switching Protocols"), "2026-11-22T13:00:00Z", 41)
    taken = a_recording().build(Capture(exchange, tuple(notes.messages)), HeldCassettes())
    folder = tmp_path_factory.mktemp("said")
    store = CassetteFolder(folder)
    store.save(taken.file, taken.cassette)
    assert check(folder, Matcher()) == []
    store.scan()
    stored = store.cassette(store.loaded[0])
    assert stored == taken.cassette
    assert replayed(stored.responses[0].messages) == [
        one for one in stored.responses[0].messages if one.sender == SERVER
    ]


def replayed(messages: tuple[Message, ...]) -> list[Message]:
    """What a replay says to a client that says what was recorded of it."""
    play = ConversationPlayback(
        messages, lambda message: (message.kind, message.data), lambda _one, _other: False, can_repeat=True
    )
    found = list(play.begin())
    for message in messages:
        if message.sender == CLIENT and message.kind != CLOSE:
            found += play.receive(message) or ()
    return found


ODD: dict[str, bytes] = {
    "a status of no meaning": b"HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n",
    "a reason in latin-1": b"HTTP/1.1 200 \xe9\x01 {{origin}}\r\nContent-Length: 2\r\n\r\nok",
    "strange headers": b"HTTP/1.1 200 OK\r\n~!#: \xff\x01\r\nx': \r\nx-folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a length that is none, to HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    "a length given twice, to HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 7, 7\r\nContent-Length: 7\r\n\r\n",
    "a stream in an unknown coding, to HEAD": reply(b"", "Content-Type: text/event-stream", "Content-Encoding: own"),
    "events with all line ends": reply(
        b"data: a\rdata: b\r\ndata: c\n\ndata: \x00\n\nretry: \xd9\xa3\n\nretry: %s\n\n" % (b"9" * 5000),
        "Content-Type: text/event-stream",
    ),
    "events with JSON that is half a character": reply(
        b'data: {"a":"\\ud800"}\n\ndata: "\\ud800"\n\n', "Content-Type: text/event-stream"
    ),
    "lines with deep JSON": reply(b"[" * 900 + b"]" * 900 + b"\n", "Content-Type: application/x-ndjson"),
    "half a character": reply(b'{"a":"\\ud800","\\udc00":1}'),
    "huge numbers": reply(b'{"a":%s,"b":1e999,"c":-0}' % (b"9" * 5000)),
    "deep JSON": reply(b"[" * 940 + b"]" * 940),
    "deeper JSON": reply(b"[" * 100_000 + b"]" * 100_000),
    "NUL": reply(b'"\\u0000"\n\x00', "Content-Type: text/plain"),
    "doubled keys": reply(b'{"a":1,"a":2,"version":9}'),
    "no JSON": reply(b"{'a': NaN}\xff"),
    "placeholders": reply(b'{"a":"{{origin}}","b":"{{redacted:x}}","c":"{{request.query.a}}","d":"{{"}'),
    "a file name of its own": reply(b"x", "Content-Type: ../../etc/passwd", 'Content-Disposition: x; filename="../x"'),
    "a codec that is no charset": reply(b"\xff\xfe", "Content-Type: text/plain; charset=unicode_escape"),
    "a damaged coding": reply(b"\x1f\x8b\x08rest", "Content-Type: application/json", "Content-Encoding: gzip"),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder into which every odd answer was recorded, and the log."""
    folder = tmp_path_factory.mktemp("odd") / "c"
    answers = list(ODD.values())

    def handle(connection: socket.socket) -> None:
        connection.sendall(answers[int(read_request(connection).split(b"/")[1].split(b" ")[0])])

    told = Told()
    with raw_backend(handle) as origin, recording(folder, origin, told, statuses=frozenset(range(200, 1000))) as app:
        for number, name in enumerate(ODD):
            ask(app.url, "HEAD" if "HEAD" in name else "GET", f"/{number}")
    yield folder, told.log


@pytest.mark.parametrize("story", ODD)
def test_whatever_a_backend_answers_can_be_read_again(recorded: tuple[Path, str], story: str) -> None:
    folder, log = recorded
    number = list(ODD).index(story)
    assert list((folder / str(number)).glob("*.json")), log
    assert [line for line in check(folder, Matcher()) if f"/{number}/" in line] == []
    assert "not saved" not in log


def test_deep_json_can_be_read_by_the_command_as_well(recorded: tuple[Path, str]) -> None:
    """How deep it may be depends on the calls that are under way."""
    found = run("check", str(recorded[0]))
    assert (found.returncode, found.stdout) == (0, "")


def test_what_could_not_be_read_again_is_told_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text in which links are replaced takes all of it into memory, which has a limit."""
    monkeypatch.setattr(reader, "MOST_BYTES", 100_000)
    told, size = Told(), 10

    def handle(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(reply(b" " * size, "Content-Type: text/plain"))

    with raw_backend(handle) as origin, recording(tmp_path, origin) as app:
        ask(app.url, "GET", "/text")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    size = 200_000
    with raw_backend(handle) as origin, recording(tmp_path, origin, told) as app:
        assert len(ask(app.url, "GET", "/text").body) == size
        eventually(lambda: "not saved" in told.log)
        [request] = ask(app.url, "GET", "/__replaymock/requests").json()["requests"]
    assert "GET /text: not saved, it could not be read again: 'GET.body.txt': larger than 100000 bytes" in told.log
    assert (request["outcome"], request["file"]) == ("forwarded", None)
    [summary] = told.events("summary")
    assert (summary["recorded"], summary["failed_writes"], summary["requests"]) == (0, 0, 1)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.*")} == before
    assert check(tmp_path, Matcher()) == []


def test_what_could_not_be_read_again_is_not_served_in_its_run_either_and_others_of_its_cassette_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 100_000)
    sizes = iter([10, 200_000, 20, 30])

    def handle(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(reply(b" " * next(sizes), "Content-Type: text/plain"))

    told = Told()
    with raw_backend(handle) as origin, recording(tmp_path, origin, told) as app:
        for _ in range(4):
            ask(app.url, "GET", "/text")
        eventually(lambda: "not saved" in told.log)
        library = app.replay.library
        eventually(
            lambda: (
                [len(one.body) for one in library.cassette(library.index.entries["text/GET.json"]).responses]
                == [10, 20, 30]
            )
        )
    [response] = [one["recorded"] for one in told.events("summary")]
    assert response == 3
    with running_app(tmp_path) as app:
        assert [len(ask(app.url, "GET", "/text").body) for _ in range(4)] == [10, 20, 30, 30]
