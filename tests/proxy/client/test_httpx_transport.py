"""httpx's own transport: the target goes out as it came, the answer is as it was, and nothing is shared or left over."""

import asyncio
import socket

import httpx
import pytest

from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.proxy.client.httpx_messages import head_of
from replaymock.proxy.client.httpx_transport import StockTransport
from tests.support.running import raw_backend, read_request
from tests.support.upstream_pool import outgoing, until

BACKEND = "http://backend.example"
HOST = (("Host", "h"),)


def through(proxy: str) -> StockTransport:
    """The way through a proxy."""
    return StockTransport(lambda: httpx.AsyncHTTPTransport(proxy=proxy, trust_env=False), 5.0, 2.0)


async def asked(used: StockTransport, path: str, client: str | None = None, headers: Headers = HOST) -> httpx.Response:
    return await used.handle_async_request(outgoing(BACKEND, Request("GET", path, headers), client=client))


async def read(response: httpx.Response) -> list[bytes]:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    pieces = [piece async for piece in response.stream]
    await response.aclose()
    return pieces


def test_a_request_and_its_answer_pass_through_as_they_are() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Fine  so\r\nX-A: 1\r\nx-a: \xff\r\nContent-Length: 2\r\n\r\nhi")

    async def story(proxy: str) -> None:
        used = through(proxy)
        response = await asked(used, '/a/../b"')
        head = head_of(response)
        assert (head.status, head.reason) == (200, "Fine  so")
        assert head.headers == (("X-A", "1"), ("x-a", "\xff"), ("Content-Length", "2"))
        assert await read(response) == [b"hi"]
        await used.aclose()

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    assert heads[0].startswith(b'GET http://backend.example/a/../b" HTTP/1.1\r\nHost: h\r\n')


def test_a_client_that_logs_in_has_connections_of_its_own_until_it_leaves() -> None:
    seen: list[tuple[int, bytes]] = []
    ended: list[int] = []

    def handle(connection: socket.socket) -> None:
        while head := read_request(connection):
            seen.append((connection.fileno(), head.split(b" ")[1].rpartition(b"/")[2]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        ended.append(connection.fileno())

    login = (("Host", "h"), ("Authorization", "Negotiate abc"))

    async def ask(used: StockTransport, path: str, client: str | None, headers: Headers = HOST) -> None:
        await read(await asked(used, path, client, headers))

    async def story(proxy: str) -> None:
        used = through(proxy)
        await ask(used, "/shared", "ada")
        await ask(used, "/ada", "ada", login)
        await ask(used, "/nobody", None, login)
        await ask(used, "/bob", "bob", login)
        await ask(used, "/ada", "ada")
        await ask(used, "/shared", "cyd")
        await ask(used, "/shared", None)
        assert used.hand_on("http://backend.example", "ada") is None
        used.left("ada")
        used.left("cyd")
        await until(lambda: any(number in by_name(b"ada") for number in ended))
        await ask(used, "/shared", "ada")
        await used.aclose()

    def by_name(name: bytes) -> set[int]:
        return {on for on, path in seen if path == name}

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    names = (b"shared", b"ada", b"nobody", b"bob")
    assert {name: len(by_name(name)) for name in names} == dict.fromkeys(names, 1)
    assert len(set.union(*map(by_name, names))) == 4


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], ids=["head", "body"])
def test_an_exchange_that_is_given_up_ends_its_connection_at_once(sent: bytes) -> None:
    gone: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head = read_request(connection)
        if b"/good" in head:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        else:
            connection.sendall(sent)
            gone.append(connection.recv(1))

    async def story(proxy: str) -> None:
        used = through(proxy)

        async def ask() -> None:
            response = await asked(used, "/stuck")
            try:
                await read(response)
            finally:
                await response.aclose()

        asking = [asyncio.ensure_future(ask()) for _ in range(20)]
        await asyncio.sleep(0.2)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: len(gone) == 20 and not used._open)
        assert await read(await asked(used, "/good")) == [b"hi"]
        await used.aclose()

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    assert gone == [b""] * 20


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used() -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    async def story(proxy: str) -> None:
        used = through(proxy)
        for _ in range(3):
            assert await read(await asked(used, "/")) == [b"hi"]
            await asyncio.sleep(0.05)
        await used.aclose()

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))


def test_a_client_that_goes_while_a_way_is_opened_leaves_no_socket() -> None:
    heard: list[bytes] = []

    def mute(connection: socket.socket) -> None:
        connection.settimeout(5)
        connection.recv(100)
        heard.append(connection.recv(1))

    async def story(proxy: str) -> None:
        used = through(proxy.replace("http:", "socks5:"))
        asking = [asyncio.ensure_future(asked(used, "/")) for _ in range(10)]
        await asyncio.sleep(0.1)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: len(heard) == 10 and not used._open)
        await used.aclose()

    with raw_backend(mute) as proxy:
        asyncio.run(story(proxy))
    assert heard == [b""] * 10


@pytest.mark.parametrize("seconds", [0, 0.1], ids=["connecting", "waiting"])
def test_closing_ends_what_is_under_way(seconds: float) -> None:
    gone: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        gone.append(connection.recv(1))

    async def story(proxy: str) -> None:
        used = through(proxy)
        asking = asyncio.ensure_future(asked(used, "/"))
        await asyncio.sleep(seconds)
        await used.aclose()
        with pytest.raises(httpx.TransportError):
            await asking

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    assert set(gone) <= {b""}
