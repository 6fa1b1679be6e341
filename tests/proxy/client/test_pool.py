"""Connections upstream: what goes over one, when it is used again, and what is said when it breaks."""

import asyncio
import socket
import ssl
import struct
from functools import partial

import httpx
import pytest
import trustme

from replaymock.http.messages import Request
from replaymock.proxy.client.pool import request_head
from tests.support.raw_responses import BODIES, HEADS, WRONG
from tests.support.upstream_pool import HI, HOST, Backend, Handle, answered, pieces, pool, until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answering(*answers: bytes, size: int = 1 << 30) -> Handle:
    """Answers one request after the other on each connection, and then waits for the other side to go."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            for at in range(0, len(answer), size):
                writer.write(answer[at : at + size])
                await writer.drain()
                await asyncio.sleep(0)
        await reader.read()

    return handle


@pytest.mark.parametrize("size", [1 << 30, 1], ids=["whole", "byte by byte"])
def test_what_is_framed_right_comes_back_over_sockets(size: int) -> None:
    async def story() -> None:
        for data, body, keeps in BODIES:
            backend, used = Backend(answering(data, data, size=size)), pool()
            async with backend.serving() as origin:
                for _ in range(2):
                    assert (await answered(used, origin))[1] == body, data
                    await until(partial(_is_left, backend, keeps))
                assert backend.connections == (1 if keeps else 2), data
                await used.aclose()

    asyncio.run(story())


def _is_left(backend: Backend, keeps: bool) -> bool:
    return backend.open == keeps


def test_heads_come_back_over_sockets_and_what_is_no_answer_is_an_error() -> None:
    async def story() -> None:
        used = pool()
        for data, head in HEADS.items():
            async with Backend(answering(data)).serving() as origin:
                reply = await used.send(origin, Request("GET", "/", HOST), pieces())
                assert (reply.head.status, reply.head.reason, reply.head.headers) == head
                await reply.abort()
        for data, said in WRONG.items():
            async with Backend(answering(data)).serving() as origin:
                with pytest.raises(httpx.RemoteProtocolError, match=said):
                    await answered(used, origin)
        await used.aclose()

    asyncio.run(story())


def test_a_kept_connection_that_upstream_closed_is_not_used() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HI)

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            for method in ("GET", "POST", "GET", "POST"):
                assert await answered(used, origin, Request(method, "/", HOST)) == (200, b"hi")
                await until(lambda: backend.open == 0)
        assert backend.connections == 4
        await used.aclose()

    asyncio.run(story())


def _gone_at_the_second() -> tuple[Handle, list[bytes]]:
    """Closes each connection at its second request, unanswered; and the request lines it saw."""
    lines: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HI)
        lines.append(await reader.readuntil(b"\r\n\r\n"))

    return handle, lines


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT", "DELETE"])
def test_what_may_be_sent_twice_is_sent_again_when_a_kept_connection_breaks(method: str) -> None:
    async def story() -> int:
        handle, lines = _gone_at_the_second()
        used = pool()
        async with Backend(handle).serving() as origin:
            for _ in range(2):
                assert (await answered(used, origin, Request(method, "/", HOST)))[0] == 200
        await used.aclose()
        return len(lines)

    assert asyncio.run(story()) == 3


@pytest.mark.parametrize(
    ("request_", "body"),
    [(Request("POST", "/", HOST), ()), (Request("PUT", "/", (*HOST, ("Content-Length", "2"))), (b"hi",))],
)
def test_what_may_change_something_is_sent_once(request_: Request, body: tuple[bytes, ...]) -> None:
    async def story() -> int:
        handle, lines = _gone_at_the_second()
        used = pool()
        async with Backend(handle).serving() as origin:
            await answered(used, origin)
            with pytest.raises(httpx.TransportError):
                await answered(used, origin, request_, *body)
        await used.aclose()
        return len(lines)

    assert asyncio.run(story()) == 2


def test_a_broken_answer_is_not_asked_for_again() -> None:
    async def story() -> int:
        backend, used = Backend(answering(HI, b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")), pool()
        async with backend.serving() as origin:
            await answered(used, origin)
            with pytest.raises(httpx.RemoteProtocolError):
                await answered(used, origin)
        await used.aclose()
        return backend.connections

    assert asyncio.run(story()) == 1


def test_idle_connections_are_closed_in_time() -> None:
    async def story() -> None:
        backend, used = Backend(answering(HI, HI)), pool(keepalive=0.05)
        async with backend.serving() as origin:
            await answered(used, origin)
            assert backend.open == 1
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())


def test_closing_ends_every_connection() -> None:
    async def story() -> None:
        backend, used = Backend(answering(HI, CHUNKED)), pool()
        async with backend.serving() as origin:
            await answered(used, origin)
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            await used.aclose()
            with pytest.raises(httpx.TransportError):
                await reply.read()
            await until(lambda: backend.open == 0)

    asyncio.run(story())


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nA: b", CHUNKED, CHUNKED + b"2\r\nhi\r\n"])
def test_silence_ends_by_the_read_timeout_and_a_cancelled_request_frees_its_connection(sent: bytes) -> None:
    async def story() -> None:
        backend, used = Backend(answering(sent)), pool(read=0.1)
        async with backend.serving() as origin:
            with pytest.raises(httpx.ReadTimeout):
                await answered(used, origin)
            await until(lambda: backend.open == 0)
            asking = asyncio.ensure_future(answered(used, origin))
            await until(lambda: backend.open == 1)
            asking.cancel()
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())


def test_a_caller_who_waits_between_two_pieces_is_no_silence_of_upstream() -> None:
    async def story() -> None:
        used = pool(read=0.1)
        async with Backend(answering(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")).serving() as origin:
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            await asyncio.sleep(0.3)
            assert (await reply.read(), await reply.read()) == (b"hi", b"")
            await reply.aclose()
        await used.aclose()

    asyncio.run(story())


def test_a_reset_is_an_error_also_where_a_body_ends_with_its_connection() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
        await writer.drain()
        await reader.read(1)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def story() -> None:
        used = pool()
        async with Backend(handle).serving() as origin:
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            assert await reply.read() == b"some of it"
            reply._connection.send(b"x")
            with pytest.raises(httpx.ReadError):
                await reply.read()
            await reply.abort()
        await used.aclose()

    asyncio.run(story())


def test_refusals_of_every_address_keep_their_kind() -> None:
    async def story() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(httpx.ConnectError) as caught:
                await answered(pool(), f"http://localhost:{taken.getsockname()[1]}")
        cause = caught.value.__cause__
        causes = cause.exceptions if isinstance(cause, ExceptionGroup) else (cause,)
        assert any(isinstance(found, ConnectionRefusedError) for found in causes)

    asyncio.run(story())


def test_a_connection_that_is_not_accepted_in_time_is_a_connect_timeout() -> None:
    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        # Nobody answers the TLS handshake here.
        backend = Backend(handle)
        async with backend.serving() as origin:
            with pytest.raises(httpx.ConnectTimeout):
                await answered(pool(connect=0.1), origin.replace("http:", "https:"))
            await until(lambda: backend.connections == 1 and backend.open == 0)

    asyncio.run(story())


CLOSED_BY_EOF = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi": b"hi",
    b"HTTP/1.1 200 OK\r\n\r\nhi": b"hi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi": None,
    CHUNKED + b"2\r\nhi\r\n": None,
}


@pytest.mark.parametrize("notified", [True, False])
@pytest.mark.parametrize("data", CLOSED_BY_EOF)
def test_tls_that_is_cut_is_as_good_as_the_framing_says(data: bytes, notified: bool) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        if not notified:
            with socket.socket(fileno=writer.get_extra_info("socket").dup().detach()) as raw:
                raw.shutdown(socket.SHUT_WR)
            await reader.read()

    async def story() -> None:
        tls, used = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pool()
        trustme.CA().issue_cert("localhost").configure_cert(tls)
        async with Backend(handle).serving(tls) as origin:
            if CLOSED_BY_EOF[data] is None:
                with pytest.raises(httpx.TransportError):
                    await answered(used, origin)
            else:
                assert await answered(used, origin) == (200, CLOSED_BY_EOF[data])
        await used.aclose()

    asyncio.run(story())


def test_a_head_goes_out_as_it_is_given() -> None:
    headers = (*HOST, ("X-A", "caf\xe9"), ("x-a", ""), ("X-A", " 1\t"))
    assert request_head(Request("x-Own", '/a/../b"%2f?%zz', headers)) == (
        b'x-Own /a/../b"%2f?%zz HTTP/1.1\r\nHost: backend\r\nX-A: caf\xe9\r\nx-a: \r\nX-A:  1\t\r\n\r\n'
    )


@pytest.mark.parametrize(
    "request_",
    [
        Request("G ET", "/"),
        Request("", "/"),
        Request("GET", "/a b"),
        Request("GET", "/a\r\nX: y"),
        Request("GET", "/", (("A", "b\r\nC: d"),)),
        Request("GET", "/", (("A", "b\nC: d"),)),
        Request("GET", "/", (("A", "b\0"),)),
        Request("GET", "/", (("A: b\r\nC", "d"),)),
        Request("GET", "/", (("", "d"),)),
    ],
)
def test_a_request_that_would_become_another_is_not_sent(request_: Request) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        request_head(request_)


OFFERING = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 2\r\n\r\nno"
LOGIN = Request("GET", "/", (*HOST, ("Authorization", "NTLM abc")))
PLAIN = Request("GET", "/", HOST)


async def _numbered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        said = b"%d" % number
        status = b"401 No\r\nWWW-Authenticate: NTLM" if b"GET /offer " in head else b"200 OK"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(said), said))


def numbering() -> Backend:
    """A backend that answers with the number of the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _numbered(reader, writer, backend.connections)

    backend = Backend(handle)
    return backend


@pytest.mark.parametrize("request_", [LOGIN, Request("GET", "/offer", HOST)], ids=["login", "offer"])
def test_a_connection_on_which_somebody_logs_in_is_theirs_until_they_leave(request_: Request) -> None:
    async def story() -> None:
        backend, used = numbering(), pool(keepalive=0.05)
        async with backend.serving() as origin:

            async def on(request: Request, client: str | None) -> bytes:
                return (await answered(used, origin, request, client=client))[1]

            assert [await on(request_, "ada"), await on(PLAIN, "ada")] == [b"1", b"1"]
            assert [await on(PLAIN, "bob"), await on(PLAIN, None)] == [b"2", b"2"]
            cyd = await on(request_, "cyd")
            await asyncio.sleep(0.2)
            assert await on(PLAIN, "ada") == b"1"
            assert await on(PLAIN, "eve") not in (b"1", cyd)
            used.left("nobody")
            used.left("ada")
            used.left("cyd")
            assert await on(PLAIN, "ada") not in (b"1", cyd)
            await until(lambda: backend.open == 1)
        await used.aclose()

    asyncio.run(story())


def test_a_login_of_nobody_known_is_shared_with_nobody() -> None:
    async def story() -> None:
        backend, used = numbering(), pool()
        async with backend.serving() as origin:
            for _ in range(2):
                await answered(used, origin, LOGIN)
                await until(lambda: backend.open == 0)
            await answered(used, origin)
            assert backend.connections == 3
        await used.aclose()

    asyncio.run(story())


def test_an_exchange_that_ends_when_its_client_has_gone_leaves_no_connection() -> None:
    async def story() -> None:
        backend, used = Backend(answering(OFFERING)), pool()
        async with backend.serving() as origin:
            reply = await used.send(origin, PLAIN, pieces(), "ada")
            assert await reply.read() == b"no"
            used.left("ada")
            await reply.aclose()
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())


def test_a_second_request_at_once_gets_another_connection_that_is_theirs_too() -> None:
    async def story() -> None:
        backend, used = numbering(), pool()
        async with backend.serving() as origin:
            first = await used.send(origin, LOGIN, pieces(), "ada")
            assert (await answered(used, origin, PLAIN, client="ada"))[1] == b"2"
            assert await first.read() == b"1"
            await first.aclose()
            await until(lambda: backend.open == 1)
            assert (await answered(used, origin, PLAIN, client="ada"))[1] == b"2"
            assert (await answered(used, origin, PLAIN, client="bob"))[1] == b"3"
        await used.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_of_a_client_is_handed_on_to_who_says_something_else_on_it(secure: bool) -> None:
    async def story() -> None:
        authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(tls)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OFFERING)
            writer.write((await reader.readexactly(4)).upper())

        backend, used = Backend(handle), pool(read=0.2)
        async with backend.serving(tls if secure else None) as origin:
            await answered(used, origin, client="ada")
            assert used.hand_on(origin, "bob") is None
            streams = used.hand_on(origin, "ada")
            assert streams and used.hand_on(origin, "ada") is None
            reader, writer = streams
            used.left("ada")
            await used.aclose()
            await asyncio.sleep(0.3)  # nobody's silence is watched any more
            writer.write(b"spam")
            assert await reader.read(100) == b"SPAM"
            assert await reader.read(100) == b""
            writer.close()

    asyncio.run(story())
