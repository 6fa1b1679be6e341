"""WebSockets, recorded and replayed: the `websockets` library is the backend and the client, and neither knows."""

import asyncio
import json
import re
import threading
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from replaymock.proxy.routes import parse_upstream
from replaymock.replay.faults import Latency
from tests.support.inside import Told, put, running_app
from tests.support.running import cassettes, eventually
from tests.support.sockets import echo, socket_backend, talk
from tests.support.websocket_clients import Client, as_client


def recorded(
    folder: Path, backend: Any, *clients: Client, told: Told | None = None, path: str = "/ws", **more: Any
) -> list[Any]:
    """What each client got from a recorder before a backend, one after the other."""
    options = more.pop("options", {})
    with (
        socket_backend(backend, **more.pop("serving", {})) as upstream,
        running_app(folder, told, **{"upstreams": (parse_upstream(upstream),), "mode": "all", **more}) as app,
    ):
        return [as_client(app.url, client, path, **options) for client in clients]


def replayed(folder: Path, *clients: Client, told: Told | None = None, path: str = "/ws", **more: Any) -> list[Any]:
    options = more.pop("options", {})
    with running_app(folder, told, **more) as app:
        return [as_client(app.url, client, path, **options) for client in clients]


def written(folder: Path) -> list[dict[str, Any]]:
    """The messages of the only cassette, without their delays."""
    (cassette,) = cassettes(folder).values()
    (response,) = cassette["responses"]
    return [{key: value for key, value in message.items() if key != "delay_ms"} for message in response["messages"]]


async def all_of(connection: ClientConnection) -> list[Any]:
    """Every message up to the close, and the close."""
    found: list[Any] = []
    try:
        while True:
            found.append(await connection.recv())
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return [*found, (closed.rcvd.code, closed.rcvd.reason)]


async def asks(connection: ClientConnection, *questions: Any) -> list[Any]:
    found = []
    for question in questions:
        await connection.send(question)
        found.append(await connection.recv())
    return found


def asking(*questions: Any) -> Client:
    return lambda connection: asks(connection, *questions)


async def json_rpc(connection: ServerConnection) -> None:
    async for message in connection:
        call = json.loads(message)
        result = sum(call["params"]) if call["method"] == "add" else None
        await connection.send(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}, separators=(",", ":")))


def call(number: int, *params: int) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "add", "params": params})


async def news(connection: ServerConnection) -> None:
    for number in range(3):
        await connection.send(json.dumps({"news": number}, separators=(",", ":")))
    await connection.close(4001, "no more news")


BIG = bytes(range(256)) * 4096
STORIES: dict[str, tuple[Any, Client]] = {
    "echo": (echo, asking("one", "two", "three")),
    "push": (news, all_of),
    "json-rpc": (json_rpc, asking(call(1, 2, 3), call(2, 40, 2))),
    "binary": (echo, asking(b"\x00\x01\xff", b"", BIG[:5000])),
    "1 MiB": (echo, asking(BIG, "x" * len(BIG), json.dumps({"data": "y" * len(BIG)}))),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_replay_says_what_the_backend_said(tmp_path: Path, story: str) -> None:
    backend, client = STORIES[story]
    live = recorded(tmp_path, backend, client)
    assert replayed(tmp_path, client, client) == live * 2


def test_an_equal_conversation_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    recorded(tmp_path, json_rpc, asking(call(1, 1)), asking(call(1, 1)))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
    recorded(tmp_path, json_rpc, asking(call(1, 1)))
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.json")} == before
    assert written(tmp_path)[-1] == {"from": "client", "close": 1000}


def test_other_conversations_are_played_in_order_and_the_last_one_stays(tmp_path: Path) -> None:
    def first(_connection: ClientConnection) -> Awaitable[Any]:
        return _connection.recv()

    greetings = iter(["a", "b"])

    async def greet(connection: ServerConnection) -> None:
        await connection.send(next(greetings))
        await connection.wait_closed()

    assert recorded(tmp_path, greet, first, first) == ["a", "b"]
    assert replayed(tmp_path, first, first, first) == ["a", "b", "b"]


def test_a_close_keeps_its_code_and_reason_in_both_directions(tmp_path: Path) -> None:
    async def leave(connection: ClientConnection) -> Any:
        await connection.close(4242, "enough")
        assert connection.close_code == 4242

    seen: list[Any] = []

    async def note(connection: ServerConnection) -> None:
        await connection.wait_closed()
        seen.append((connection.close_code, connection.close_reason))

    recorded(tmp_path, note, leave)
    assert seen == [(4242, "enough")]
    assert written(tmp_path) == [{"from": "client", "close": 4242, "reason": "enough"}]
    replayed(tmp_path, leave)


def test_a_side_that_just_goes_takes_the_other_with_it_and_is_noted(tmp_path: Path) -> None:
    async def cut(connection: ServerConnection) -> None:
        await connection.send("last words")
        connection.transport.abort()

    async def until_cut(connection: ClientConnection) -> Any:
        words = await connection.recv()
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        return words, closed.value.rcvd

    assert recorded(tmp_path, cut, until_cut) == [("last words", None)]
    assert written(tmp_path)[-1] == {"from": "server", "close": 1006}
    assert replayed(tmp_path, until_cut) == [("last words", None)]


def test_a_client_that_leaves_without_a_word_is_fine_live_and_on_replay(tmp_path: Path) -> None:
    async def vanish(connection: ClientConnection) -> None:
        await connection.send("hi")
        await connection.recv()
        connection.transport.abort()

    recorded(tmp_path, echo, vanish)
    assert written(tmp_path)[-1] == {"from": "client", "close": 1006}
    told = Told()
    replayed(tmp_path, vanish, asking("hi"), told=told)
    assert "fault" not in told.log


@pytest.mark.parametrize(
    ("served", "asked"), [(None, "deflate"), ("deflate", None), ("deflate", "deflate"), (None, None)]
)
def test_compression_is_agreed_on_with_each_side(tmp_path: Path, served: Any, asked: Any) -> None:
    text = "again and " * 500
    live = recorded(
        tmp_path, echo, asking(text, text, ""), serving={"compression": served}, options={"compression": asked}
    )
    assert live == [[text, text, ""]]
    assert replayed(tmp_path, asking(text, text, ""), options={"compression": asked}) == live


def test_the_subprotocol_is_the_recorded_one_if_the_client_offers_it(tmp_path: Path) -> None:
    async def chosen(connection: ClientConnection) -> Any:
        return connection.subprotocol

    offering: dict[str, Any] = {"subprotocols": ["other", "graphql-transport-ws"]}
    serving: dict[str, Any] = {"subprotocols": ["graphql-transport-ws"]}
    assert recorded(tmp_path, echo, chosen, options=offering, serving=serving) == ["graphql-transport-ws"]
    (cassette,) = cassettes(tmp_path).values()
    assert cassette["responses"][0]["headers"] == {"sec-websocket-protocol": "graphql-transport-ws"}
    assert replayed(tmp_path, chosen, options=offering) == ["graphql-transport-ws"]
    assert replayed(tmp_path, chosen, options={"subprotocols": ["other"]}) == [None]


async def engine_io(connection: ServerConnection) -> None:
    await connection.send('0{"sid":"x1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
    async for message in connection:
        if message == "40":
            await connection.send('40{"sid":"y2"}')
            await connection.send("2")
        elif message.startswith("42"):
            await connection.send("43" + message[2:3] + '[{"ok":true}]')
            await connection.send('42["chat","hello"]')


async def socket_io(connection: ClientConnection) -> Any:
    found = [await connection.recv()]
    await connection.send("40")
    found += [await connection.recv(), await connection.recv()]
    await connection.send("3")
    await connection.send('427["login",{"user":"ada","password":"hunter2-hunter2"}]')
    return [*found, await connection.recv(), await connection.recv()]


def test_socket_io_is_recorded_and_replayed_with_its_heartbeat(tmp_path: Path) -> None:
    path = "/socket.io/?EIO=4&transport=websocket"
    live = recorded(tmp_path, engine_io, socket_io, path=path)
    assert [line[:2] for line in live[0]] == ["0{", "40", "2", "43", "42"]
    assert replayed(tmp_path, socket_io, socket_io, path=path) == live * 2
    assert "hunter2" not in "".join(file.read_text() for file in tmp_path.rglob("*.json"))


async def graphql_ws(connection: ServerConnection) -> None:
    async for text in connection:
        message = json.loads(text)
        if message["type"] == "connection_init":
            await connection.send('{"type":"connection_ack"}')
        elif message["type"] == "ping":
            await connection.send('{"type":"pong"}')
        elif message["type"] == "subscribe":
            for number in range(2):
                data = {"id": message["id"], "type": "next", "payload": {"data": {"count": number}}}
                await connection.send(json.dumps(data))
            await connection.send(json.dumps({"id": message["id"], "type": "complete"}))


def subscribing(token: str, name: str, pings: int) -> Client:
    async def client(connection: ClientConnection) -> Any:
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        found = await asks(connection, json.dumps(init), *['{"type":"ping"}'] * pings)
        query = {"id": name, "type": "subscribe", "payload": {"query": "subscription { count }"}}
        await connection.send(json.dumps(query))
        return found[:1] + [await connection.recv() for _ in range(3)]

    return client


def test_graphql_ws_is_recorded_and_replayed_whatever_the_token_and_the_heartbeats(tmp_path: Path) -> None:
    live = recorded(tmp_path, graphql_ws, subscribing("abcdef-secret-1", "1", 1))
    assert replayed(tmp_path, subscribing("another-secret-9", "1", 3)) == live
    text = "".join(file.read_text() for file in tmp_path.rglob("*.json"))
    assert "secret-1" not in text
    assert "{{redacted:authorization}}" in text


def test_a_message_is_known_though_it_says_a_token_that_an_earlier_one_told(tmp_path: Path) -> None:
    def talk(token: str) -> Client:
        return asking(json.dumps({"token": token}), json.dumps({"again": token}))

    async def confirm(connection: ServerConnection) -> None:
        async for _ in connection:
            await connection.send("fine")

    assert recorded(tmp_path, confirm, talk("abcdef-hidden-1")) == replayed(tmp_path, talk("another-hidden-9"))
    assert "hidden-1" not in "".join(file.read_text() for file in tmp_path.rglob("*.json"))


HELLO = {"from": "server", "json": {"hi": 1}}


def a_socket(*messages: dict[str, Any], path: str = "/ws") -> dict[str, Any]:
    return {"request": {"path": path}, "responses": [{"messages": list(messages)}]}


def test_a_message_that_was_not_recorded_is_a_miss_told_once_and_ends_the_connection(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", a_socket({"from": "client", "json": {"op": "sub", "ch": "a"}}, HELLO))
    told = Told()

    async def ask(connection: ClientConnection) -> Any:
        await connection.send('{"op":"sub","ch":"b","password":"hunter2-hunter2"}')
        return await all_of(connection)

    ((close,), _) = replayed(tmp_path, ask, ask, told=told)
    assert close[0] == 4404
    assert len(close[1].encode()) <= 123
    assert "hunter2" not in told.log + str(close)
    (miss,) = told.events("miss")
    assert miss["reason"] == "message differs"
    assert miss["nearest"][0]["file"] == "GET--ws.json"
    fields = {found["field"]: found["received"] for found in miss["nearest"][0]["differences"]}
    assert fields["json:$.ch"] == "b"


def test_what_the_rules_ignore_does_not_decide_which_message_is_meant(tmp_path: Path) -> None:
    put(tmp_path / "c", "GET--ws.json", a_socket({"from": "client", "json": {"op": "sub", "id": "x"}}, HELLO))
    told = Told()
    client = asking('{"id":"y","op":"sub"}')
    with pytest.raises(ConnectionClosed):
        replayed(tmp_path / "c", client, told=told)
    (hint,) = [event["hint"] for event in told.events("miss")]
    assert hint == 'ignore = ["json:$.id"]'
    assert "4404" in json.dumps(told.events("request"))


def test_a_strict_replay_answers_nothing_twice(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", a_socket({"from": "client", "text": "ping"}, {"from": "server", "text": "pong"}))
    assert replayed(tmp_path, asking("ping", "ping")) == [["pong", "pong"]]
    with pytest.raises(ConnectionClosed, match="4404"):
        replayed(tmp_path, asking("ping", "ping"), sequence="strict")


def test_recorded_latency_keeps_the_gaps_until_the_client_goes_on(tmp_path: Path) -> None:
    slow = {"from": "server", "text": "late", "delay_ms": 50}
    never = {"from": "server", "text": "much later", "delay_ms": 60_000}
    put(
        tmp_path,
        "GET--ws.json",
        a_socket(slow, never, {"from": "client", "text": "go"}, {"from": "server", "text": "on"}),
    )

    async def timed(connection: ClientConnection) -> Any:
        found = [await connection.recv()]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)
        await connection.send("go")
        return [*found, await connection.recv(), await connection.recv()]

    assert replayed(tmp_path, timed, latency=Latency(factor=1.0)) == [["late", "much later", "on"]]


def test_one_connection_may_ask_for_a_latency_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", a_socket({"from": "server", "text": "late", "delay_ms": 60_000}))

    async def first(connection: ClientConnection) -> Any:
        try:
            return await asyncio.wait_for(connection.recv(), 0.2 if "Prefer" in connection.request.headers else 10)
        except TimeoutError:
            return "nothing yet"

    asking_for_it = {"additional_headers": {"Prefer": "replaymock-latency=recorded"}}
    assert replayed(tmp_path, first) == ["late"]
    assert replayed(tmp_path, first, options=asking_for_it) == ["nothing yet"]


def test_links_in_what_the_server_said_lead_back_to_the_mock(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", a_socket({"from": "server", "json": {"next": "{{origin}}/a"}}))
    with running_app(tmp_path) as app:
        found = json.loads(as_client(app.url, lambda connection: connection.recv()))
        assert found == {"next": f"{app.url}/a"}


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), ("http://localhost:3000", 101)]
)
def test_a_page_of_another_site_opens_no_websocket(tmp_path: Path, origin: str, status: int) -> None:
    put(tmp_path, "GET--ws.json", a_socket(HELLO))

    async def first(connection: ClientConnection) -> int:
        await connection.recv()
        return 101

    try:
        (found,) = replayed(tmp_path, first, options={"origin": origin})
    except InvalidStatus as refused:
        found = refused.response.status_code
    assert found == status


def test_a_backend_that_refuses_is_heard(tmp_path: Path) -> None:
    def no(connection: ServerConnection, _request: Any) -> Any:
        return connection.respond(401, "who are you?\n")

    with pytest.raises(InvalidStatus) as refused:
        recorded(tmp_path, echo, asking("hi"), serving={"process_request": no})
    assert refused.value.response.status_code == 401
    assert refused.value.response.body == b"who are you?\n"
    assert cassettes(tmp_path) == {}


def test_new_mode_plays_what_it_has_and_records_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "known/GET--ws.json", a_socket({"from": "server", "text": "from the cassette"}, path="/known"))
    with (
        socket_backend(echo) as upstream,
        running_app(tmp_path, upstreams=(parse_upstream(upstream),), mode="new") as app,
    ):
        assert as_client(app.url, lambda connection: connection.recv(), "/known") == "from the cassette"
        assert as_client(app.url, asking("a"), "/unknown") == ["a"]
        eventually(lambda: len(cassettes(tmp_path)) == 2)
        told = as_client(app.url, asking("a"), "/unknown")
    assert told == ["a"]


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_who_is_connected_at_the_end_is_told_and_what_was_said_is_kept(tmp_path: Path, mode: str) -> None:
    if mode == "replay":
        put(tmp_path, "GET--ws.json", a_socket({"from": "client", "text": "hi"}, {"from": "server", "text": "hi"}))

    async def stay(url: str, said: threading.Event) -> Any:
        async with connect(url.replace("http:", "ws:", 1) + "/ws") as connection:
            await asks(connection, "hi")
            said.set()
            return await all_of(connection)

    said = threading.Event()
    with socket_backend(echo) as upstream, ThreadPoolExecutor(1) as thread:
        more: dict[str, Any] = {"upstreams": (parse_upstream(upstream),), "mode": "all"} if mode == "record" else {}
        with running_app(tmp_path, **more) as app:
            staying = thread.submit(talk, stay(app.url, said))
            assert said.wait(10)
        assert staying.result(10) == [(1001, "")]
    assert [message["from"] for message in written(tmp_path)] == ["client", "server"]
    (cassette,) = cassettes(tmp_path).values()
    assert cassette["responses"][0].get("truncated", False) == (mode == "record")


def test_a_message_over_the_limit_ends_the_connection_with_its_code(tmp_path: Path) -> None:
    async def shout(connection: ClientConnection) -> Any:
        await connection.send("x" * 2000)
        return (await all_of(connection))[-1][0]

    assert recorded(tmp_path / "live", echo, shout, max_body=1000) == [1009]
    put(tmp_path / "c", "GET--ws.json", a_socket(HELLO, {"from": "client", "text": "x"}))
    assert replayed(tmp_path / "c", shout, max_body=1000) == [1009]


def test_a_long_conversation_is_kept_as_far_as_the_limit_goes_and_passed_on_beyond_it(tmp_path: Path) -> None:
    told = Told()
    words = [f"{number}" * 300 for number in range(6)]
    assert recorded(tmp_path, echo, asking(*words), told=told, max_body=1000) == [words]
    assert len(written(tmp_path)) == 3
    assert "kept only as far as" in told.log
    assert re.search(r"GET /ws", told.log)
