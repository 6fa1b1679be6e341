"""Where the server listens, and connections that were read from before."""

import asyncio
import socket

import pytest

from replaymock.errors import UsageError
from replaymock.listening import Resumed, bind


def test_localhost_is_every_loopback_address_on_one_port() -> None:
    sockets = bind("localhost", 0)
    names = [listening.getsockname()[:2] for listening in sockets]
    for listening in sockets:
        listening.close()
    assert names[0][0] == "127.0.0.1"
    assert len({port for _, port in names}) == 1


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Tornado 6.6 leaves the socket it could not bind to the collector
def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}: .*--port"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("count", [1, 4, 100])
def test_what_was_read_before_comes_first_in_pieces_of_any_size(count: int) -> None:
    async def story() -> bytes:
        ours, theirs = socket.socketpair()
        stream = Resumed(ours, b"before, ")
        theirs.sendall(b"after")
        theirs.close()
        received = b""
        while len(received) < len(b"before, after"):
            received += await stream.read_bytes(count, partial=True)
        stream.close()
        return received

    assert asyncio.run(story()) == b"before, after"
