"""The body form of a WebSocket: what people read, and what is wrong with what they wrote."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import SidecarLoader, load
from replaymock.cassettes.writer import dump
from replaymock.errors import CassetteError
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, SERVER, TEXT, Message
from tests.support.factories import beside

REQUEST = CassetteRequest("GET", "/ws", headers=(("upgrade", "websocket"),))
LONG_TEXT = b"x" * 70_000
LONG_JSON = json.dumps(list(range(20_000))).encode()


def a_socket(*messages: Message) -> Cassette:
    reason = "Switching Protocols"
    return Cassette(
        REQUEST, (RecordedResponse(101, reason, (), recorded_at="2026-11-22T13:00:00Z", messages=messages),)
    )


def as_written(*messages: Message) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    files = dump(a_socket(*messages), "ws/GET--websocket-1.json")
    return json.loads(files.pop("GET--websocket-1.json"))["responses"][0]["messages"], files


def read(*messages: object, **more: object) -> Cassette:
    written = {"request": {"path": "/ws"}, "responses": [{"messages": messages, **more}]}
    return load("GET.json", json.dumps(written).encode(), beside({"a.bin": b"\xff", "a.txt": b"hi"}))


def text(data: bytes, sender: str = SERVER) -> Message:
    return Message(sender, TEXT, data)


MESSAGES = st.lists(
    st.one_of(
        st.builds(Message, st.sampled_from([CLIENT, SERVER]), st.just(TEXT), st.text().map(lambda t: t.encode())),
        st.builds(Message, st.sampled_from([CLIENT, SERVER]), st.just(BINARY), st.binary(max_size=2000)),
        st.sampled_from([text(LONG_TEXT), text(LONG_JSON), text(b'{"a": 1.10}\n'), text(b"[1e5,1]")]),
    ),
    max_size=6,
)


@given(messages=MESSAGES, close=st.sampled_from([(), (Message(SERVER, CLOSE, b"bye", 4000),)]))
def test_what_is_written_is_read_back_as_it_was(messages: list[Message], close: tuple[Message, ...]) -> None:
    cassette = a_socket(*messages, *close)
    files = dump(cassette, "ws/GET.json")
    assert load("GET.json", files["GET.json"], beside(files)) == cassette


def test_json_is_shown_as_json_with_its_tokens_and_other_text_as_text() -> None:
    written, _ = as_written(text(b'{"price":1.10}'), text(b'{"a": 1}'), text(b'42["x",{"a":1}]'), text(b"7"))
    assert [{key: value for key, value in message.items() if key != "delay_ms"} for message in written] == [
        {"from": "server", "json": {"price": 1.10}},
        {"from": "server", "json": {"a": 1}, "layout": "spaced"},
        {"from": "server", "text": '42["x",{"a":1}]'},
        {"from": "server", "text": "7"},
    ]


def test_binary_is_base64_while_it_is_small_and_a_file_beside_the_cassette_when_not() -> None:
    written, files = as_written(Message(CLIENT, BINARY, b"\x00\x01"), Message(CLIENT, BINARY, b"\x00" * 2000))
    assert written[0] == {"from": "client", "base64": "AAE=", "delay_ms": 0}
    assert written[1]["file"] == "GET--websocket-1.message-2.body.bin"
    assert files == {"GET--websocket-1.message-2.body.bin": b"\x00" * 2000}


def test_long_text_and_long_json_are_files_too() -> None:
    written, files = as_written(text(LONG_TEXT), text(LONG_JSON))
    assert [message["file"].rpartition(".")[2] for message in written] == ["txt", "json"]
    assert written[1]["layout"] == "spaced"
    assert len(files) == 2


def test_a_conversation_written_by_hand_needs_its_messages_only() -> None:
    cassette = read(
        {"from": "server", "text": "hi"}, {"from": "client", "file": "a.txt"}, {"from": "server", "close": 1000}
    )
    assert cassette.request == REQUEST
    assert cassette.responses[0].status == 101
    assert [message.data for message in cassette.responses[0].messages] == [b"hi", b"hi", b""]


def test_the_extension_of_a_file_says_whether_a_message_is_text() -> None:
    messages = read({"from": "server", "file": "a.bin"}, {"from": "server", "file": "a.txt"}).responses[0].messages
    assert [message.kind for message in messages] == [BINARY, TEXT]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"from": "server"}, "one of json, text, base64, file, close; found none"),
        ({"from": "server", "text": "a", "json": 1}, "found json and text"),
        ({"from": "peer", "text": "a"}, "invalid enum value 'peer'"),
        ({"from": "server", "text": "a", "reason": "b"}, "only a close has a reason"),
        ({"from": "server", "base64": "a"}, "not base64"),
        ({"from": "server", "close": 1004}, "1004 is no code"),
        ({"from": "server", "json": 1, "layout": "wide"}, "unknown layout"),
        ({"from": "server", "txt": "a"}, "unknown field 'txt'; did you mean 'text'?"),
        ({"from": "server", "text": "a", "delay_ms": -1}, ">= 0"),
    ],
)
def test_what_is_wrong_with_a_message_is_told_with_its_place(message: dict[str, object], reason: str) -> None:
    with pytest.raises(CassetteError, match=r"GET\.json:1:") as error:
        read(message)
    assert reason in error.value.reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"request": {"path": "/"}, "responses": [{"messages": []}, {"json": 1}]}, "put other answers into another"),
        ({"request": {"path": "/"}, "responses": [{"status": 101}]}, "status 101 goes with messages"),
        ({"request": {"path": "/"}, "responses": [{"status": 200, "messages": [], "text": "a"}]}, "a body is one of"),
        ({"request": {"path": "/", "method": "POST"}, "responses": [{"messages": []}]}, "by GET"),
        ({"request": {"path": "/", "json": 1}, "responses": [{"messages": []}]}, "no body"),
        ({"request": {"path": "/", "headers": {"upgrade": "h2c"}}, "responses": [{"messages": []}]}, "websocket"),
        ({"request": {"path": "/", "headers": {"upgrade": "websocket"}}, "responses": [{"text": ""}]}, "by messages"),
        (
            {"request": {"path": "/"}, "responses": [{"headers": {"sec-websocket-accept": "x"}, "messages": []}]},
            "leave 'sec-websocket-accept' out",
        ),
        (
            {
                "request": {"path": "/"},
                "responses": [{"messages": [{"from": "server", "close": 1000}, {"from": "server", "text": ""}]}],
            },
            "nothing is said after a close",
        ),
    ],
)
def test_a_cassette_that_is_half_a_websocket_is_refused(written: object, reason: str) -> None:
    with pytest.raises(CassetteError) as error:
        load("GET.json", json.dumps(written).encode(), SidecarLoader(lambda _name, _most: b""))
    assert reason in error.value.reason
