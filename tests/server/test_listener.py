"""Where the server listens."""

import socket

import pytest

from replaymock.errors import UsageError
from replaymock.server.listener import bind, bind_each


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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
def test_an_address_that_is_not_here_is_put_down_to_the_host() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 port 0: .*--host$"):
        bind("192.0.2.1", 0)


def test_every_process_gets_sockets_of_its_own_on_one_port() -> None:
    each = bind_each("localhost", 0, 3)
    ports = {listening.getsockname()[1] for sockets in each for listening in sockets}
    opened = {listening.fileno() for sockets in each for listening in sockets}
    for listening in (listening for sockets in each for listening in sockets):
        listening.close()
    assert (len(ports), len(opened)) == (1, sum(map(len, each)))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_port_that_other_processes_share_is_taken_all_the_same() -> None:
    each = bind_each("127.0.0.1", 0, 2)
    with pytest.raises(UsageError, match="Address already in use"):
        bind_each("127.0.0.1", each[0][0].getsockname()[1], 2)
    for listening in (listening for sockets in each for listening in sockets):
        listening.close()
