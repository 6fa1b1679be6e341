"""A backend that speaks HTTP/2 over TLS and nothing else, on real sockets."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import trustme

from tests.support.running import raw_backend

Pairs = list[tuple[bytes, bytes]]
Reply = tuple[Pairs, bytes | None]
"""Headers with `:status`, and a body; of one that is None the first bytes are sent, and then no more."""


@dataclass
class Asked:
    """One request as it came."""

    connection: int
    headers: Pairs
    body: bytearray = field(default_factory=bytearray)

    def get(self, name: bytes) -> bytes:
        """The value of a header; empty where there is none."""
        return b", ".join(value for key, value in self.headers if key == name)


class Http2Backend:
    """Answers each request by what `reply` gives, also several on one connection at once."""

    def __init__(self, authority: trustme.CA, reply: Callable[[Asked], Reply]) -> None:
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.tls)
        self.tls.set_alpn_protocols(["h2"])
        self.asked: list[Asked] = []
        self.connections = 0
        self.open = 0
        self._reply = reply

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Its origin, while it listens."""
        with raw_backend(self._handle) as origin:
            yield origin.replace("http:", "https:")

    def _handle(self, connection: socket.socket) -> None:
        self.connections += 1
        number = self.connections
        with self.tls.wrap_socket(connection, server_side=True) as secured:
            self.open += 1
            try:
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._serve(secured, number)
            finally:
                self.open -= 1

    def _serve(self, connection: ssl.SSLSocket, number: int) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        streams: dict[int, Asked] = {}
        while data := connection.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = Asked(number, list(event.headers))
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id].body += event.data
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(state, event.stream_id, streams[event.stream_id])
            connection.sendall(state.data_to_send())

    def _answer(self, state: h2.connection.H2Connection, stream: int, asked: Asked) -> None:
        self.asked.append(asked)
        headers, body = self._reply(asked)
        state.send_headers(stream, headers, end_stream=body == b"")
        size = state.max_outbound_frame_size
        for at in range(0, len(body or b""), size):
            state.send_data(stream, (body or b"")[at : at + size])
        if body is None:
            state.send_data(stream, b"data: 1\n\n")
        elif body:
            state.end_stream(stream)
