"""Logins that hold for a connection (NTLM, Negotiate, Kerberos) while recording: no client is answered as another."""

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, ClassVar

import pytest
import trustme

from replaymock.proxy.routes import Upstream
from tests.support.inside import Told, running_app
from tests.support.running import asking, cassettes, eventually, raw_backend
from tests.support.sockets import CLOSE, KEY, TEXT, Reader, opening
from tests.support.upgrading import GOOD, answer, through

USERS = ("ada", "bob", "cyd")
CHALLENGE, PROOF = "TlRMTVNTUAACzzz", "TlRMTVNTUAADzzz"
SCHEMES = ("NTLM", "Negotiate", "Kerberos", "ntlm", "NEGOTIATE")
OFFERS = {
    "one": "WWW-Authenticate: {0}\r\n",
    "in one header": 'WWW-Authenticate: Basic realm="a, b", {0}\r\n',
    "in several headers": 'WWW-Authenticate: Basic realm="a"\r\nwww-authenticate: {0}\r\n',
}


class Domain:
    """A backend that knows who has logged in on a connection, and by no other means who asks."""

    def __init__(self, scheme: str = "NTLM", offer: str = OFFERS["one"]) -> None:
        self.scheme = scheme
        self.offer = offer.format(scheme)
        self.open: set[int] = set()
        self.count = 0
        self.tls: ssl.SSLContext | None = None
        self.closes_after = 1 << 30
        self._lock = threading.Lock()

    def handle(self, connection: socket.socket) -> None:
        with self._lock:
            self.count += 1
            number = self.count
        with contextlib.suppress(OSError, ssl.SSLError):
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            self.open.add(number)
            self._serve(connection, number)
        self.open.discard(number)
        connection.close()

    def _serve(self, connection: socket.socket, number: int) -> None:
        stream, user, step, served = connection.makefile("rb"), "", "", 0
        while served < self.closes_after and (head := _lines(stream.readline)):
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.decode("latin-1").splitlines()[1:])
            }
            said = headers.get("authorization", "").partition(" ")
            token = said[2] if said[0].lower() == self.scheme.lower() else ""
            extra, size = "", int(headers.get("content-length", "0"))
            if token.startswith("ask"):
                user, step = "", f"{CHALLENGE}{number}"
                extra = f"WWW-Authenticate: {self.scheme} {step}\r\n"
            elif token.startswith(PROOF) and step:
                challenge, user = token.removeprefix(PROOF).split(":")
                user, step = (user, "") if challenge == step else ("", "")
                extra = f"WWW-Authenticate: {self.scheme} {PROOF}mutual\r\n" if user else self.offer
            elif not user:
                extra = self.offer
            if not user and b" /early " in head.splitlines()[0] + b" ":
                connection.sendall(_said(401, extra, {"who": None, "on": number}))  # before it has read the body
                stream.read(size)
            elif user and "upgrade" in headers:
                hello = json.dumps({"who": user, "on": number}).encode()
                connection.sendall(answer(head, *GOOD) + b"\x81" + bytes([len(hello)]) + hello + b"\x88\x02\x03\xe8")
                stream.read()
                return
            else:
                got = len(stream.read(size))
                found = {"who": user or None, "on": number, "got": got}
                connection.sendall(_said(200 if user else 401, extra, found))
            served += 1


def _said(status: int, extra: str, value: Any) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} Said\r\n{extra}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextlib.contextmanager
def recording(folder: Path, domain: Domain, told: Told | None = None, **settings: Any) -> Iterator[int]:
    with raw_backend(domain.handle) as origin:
        upstream = origin.replace("http:", "https:").replace("127.0.0.1", "localhost") if domain.tls else origin
        settings = {"upstreams": (Upstream("", upstream),), "mode": "all", **settings}
        with running_app(folder, told, **settings) as app:
            yield app.port


class Client:
    """One connection of a client, closed when its test is over."""

    made: ClassVar[list["Client"]] = []

    def __init__(self, port: int, scheme: str = "NTLM") -> None:
        self.made.append(self)
        self.connection = HTTPConnection("127.0.0.1", port, timeout=10)
        self.scheme = scheme

    def ask(self, path: str = "/who", token: str = "", method: str = "GET", body: bytes | None = None) -> HTTPResponse:
        headers = {"Authorization": f"{self.scheme} {token}"} if token else {}
        self.connection.request(method, path, body, headers)
        found = self.connection.getresponse()
        found.said = json.loads(found.read())  # type: ignore[attr-defined]
        return found

    def said(self, *args: Any, **named: Any) -> Any:
        return self.ask(*args, **named).said  # type: ignore[attr-defined]

    def log_in(self, user: str, path: str = "/who", pause: Callable[[], object] = lambda: None, **named: Any) -> Any:
        """Who it is answered as at the end of a login."""
        assert self.ask(path, **named).status == 401
        pause()
        challenged = self.ask(path, "ask", **named)
        token = re.search(f"{CHALLENGE}\\d+", str(challenged.getheader("WWW-Authenticate")))
        assert token
        pause()
        return self.said(path, f"{PROOF}{token[0]}:{user}", **named)

    def close(self) -> None:
        self.connection.close()


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while Client.made:
        Client.made.pop().close()


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stranger_is_never_answered_as_who_logged_in(tmp_path: Path, scheme: str, offer: str) -> None:
    with recording(tmp_path, Domain(scheme, OFFERS[offer])) as port:
        one = Client(port, scheme)
        assert one.log_in("ada")["who"] == "ada"
        strangers = [Client(port) for _ in range(3)]
        assert {stranger.said("/who")["who"] for stranger in strangers} == {None}
        assert one.said("/other")["who"] == "ada"
        one.close()
        assert Client(port).said("/who")["who"] is None


@pytest.mark.parametrize("mode", ["all", "new", "rewrite"])
@pytest.mark.parametrize("scheme", SCHEMES[:3])
def test_logins_at_once_do_not_mix(tmp_path: Path, scheme: str, mode: str) -> None:
    with recording(tmp_path, Domain(scheme), mode=mode) as port:
        got: dict[str, set[str]] = {}
        meeting = threading.Barrier(len(USERS), timeout=10)

        def visit(user: str) -> None:
            client = Client(port, scheme)
            found = [client.log_in(user, f"/{user}", meeting.wait)]
            for number in range(5):
                meeting.wait()
                found.append(client.said(f"/{user}/{number}", method="POST", body=b"x" * number))
            got[user] = {one["who"] for one in found}
            client.close()

        threads = [threading.Thread(target=visit, args=(user,)) for user in USERS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == {user: {user} for user in USERS}


def test_who_logs_in_without_having_been_asked_to_is_alone_as_well(tmp_path: Path) -> None:
    with recording(tmp_path, Domain()) as port:
        Client(port).ask("/warm")
        one = Client(port)
        challenged = one.ask("/who", "ask").getheader("WWW-Authenticate")
        assert Client(port).said("/who")["who"] is None
        step = str(challenged).partition(" ")[2]
        assert one.said("/who", f"{PROOF}{step}:ada")["who"] == "ada"
        assert Client(port).said("/who")["who"] is None


def test_its_connection_is_kept_for_as_long_as_the_client_stays_and_ends_with_it(tmp_path: Path) -> None:
    domain = Domain()
    with recording(tmp_path, domain) as port:
        client = Client(port)
        number = client.log_in("ada")["on"]
        time.sleep(2.5)  # longer than connections are kept that belong to nobody
        assert client.said("/later") == {"who": "ada", "on": number, "got": 0}
        assert number in domain.open
        client.close()
        eventually(lambda: number not in domain.open)


@pytest.mark.parametrize("body", [None, b"x" * 10])
def test_where_the_backend_ends_it_the_client_logs_in_on_another(tmp_path: Path, body: bytes | None) -> None:
    domain = Domain()
    with recording(tmp_path, domain) as port:
        client = Client(port)
        domain.closes_after = 3
        first = client.log_in("ada")["on"]
        eventually(lambda: first not in domain.open)
        domain.closes_after = 1 << 30
        method = "POST" if body else "GET"
        assert client.said("/again", method=method, body=body)["who"] is None
        assert Client(port).said("/who")["who"] is None
        again = client.log_in("ada", "/again", method=method, body=body)
        assert (again["who"], again["on"] != first) == ("ada", True)


def test_who_speaks_nothing_of_it_shares_connections_as_ever(tmp_path: Path) -> None:
    domain = Domain("Basic")
    with recording(tmp_path, domain) as port:
        for _ in range(5):
            client = Client(port, "Basic")
            client.ask("/a")
            client.ask("/a", "dXNlcjpwYXNz")
            client.close()
    assert domain.count == 1


def test_a_client_that_goes_in_the_middle_leaves_nothing_to_others(tmp_path: Path) -> None:
    domain = Domain()
    with recording(tmp_path, domain) as port:
        for token in ("", "ask"):
            client = Client(port)
            client.ask("/who", token)
            client.connection.request("GET", "/who", headers={"Authorization": f"NTLM {PROOF}{CHALLENGE}x:ada"})
            client.close()
        eventually(lambda: not domain.open)
        assert Client(port).said("/who")["who"] is None


@pytest.mark.parametrize("size", [100, 2_000_000])
def test_an_upload_that_is_answered_before_it_was_read_does_not_end_the_login(tmp_path: Path, size: int) -> None:
    with recording(tmp_path, Domain()) as port:
        found = Client(port).log_in("ada", "/early", method="POST", body=b"x" * size)
    assert (found["who"], found["got"]) == ("ada", size)


def test_each_backend_has_a_login_of_its_own(tmp_path: Path) -> None:
    one, two = Domain(), Domain("Negotiate")
    with raw_backend(one.handle) as first, raw_backend(two.handle) as second:
        upstreams = (Upstream("", first), Upstream("/two", second))
        with running_app(tmp_path, upstreams=upstreams, mode="all") as app:
            client = Client(app.port)
            assert client.log_in("ada")["who"] == "ada"
            assert client.said("/two/who")["who"] is None
            client.scheme = "Negotiate"
            assert client.log_in("bob", "/two/who")["who"] == "bob"
            assert (client.said("/a")["who"], client.said("/two/a")["who"]) == ("ada", "bob")


@pytest.mark.parametrize("scheme", SCHEMES[:3])
def test_through_a_proxy_a_client_has_connections_of_its_own_too(tmp_path: Path, scheme: str) -> None:
    heads: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        head = _lines(lambda: _byte_line(connection))
        heads.append(head)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        through(connection, head.split(b" ")[1].decode())

    domain, authority = Domain(scheme), trustme.CA()
    domain.tls = _context(authority)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with (
        raw_backend(proxy) as by,
        recording(tmp_path / "c", domain, upstream_proxy=by, ca_file=str(ca_file)) as port,
    ):
        clients = {user: Client(port, scheme) for user in USERS}
        for user, client in clients.items():
            assert client.log_in(user)["who"] == user
        assert {user: client.said("/a")["who"] for user, client in clients.items()} == {user: user for user in USERS}
        assert Client(port).said("/who")["who"] is None
        logged_in = [client.said("/b")["on"] for client in clients.values()]
        for client in clients.values():
            client.close()
        eventually(lambda: not domain.open & set(logged_in))
    assert all(head.startswith(b"CONNECT ") for head in heads)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("before", [True, False], ids=["logged in before", "logging in by it"])
def test_a_websocket_is_opened_by_who_has_logged_in_on_its_connection(
    tmp_path: Path, before: bool, secure: bool
) -> None:
    domain, authority = Domain(), trustme.CA()
    domain.tls = _context(authority) if secure else None
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with recording(tmp_path / "c", domain, ca_file=str(tmp_path / "ca.pem")) as port:
        client = Client(port)
        if before:
            client.log_in("ada")
        else:
            client.connection.connect()
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.sendall(opening("/ws"))
            assert stranger.recv(100).startswith(b"HTTP/1.1 401 ")
        peer = client.connection.sock
        authorizations = [()] if before else [(), ("Authorization: NTLM ask",), None]
        head = b""
        for lines in authorizations:
            step = re.search(rb"TlRMTVNTUAACzzz\d+", head)
            proof = (f"Authorization: NTLM {PROOF}{step[0].decode()}:ada",) if step else ()
            peer.sendall(opening("/ws", *(proof if lines is None else lines)))
            head = _head(peer)
        assert head.startswith(b"HTTP/1.1 101 "), head
        (kind, said), ending = Reader(peer).messages()
        assert (kind, json.loads(said)["who"], ending[0]) == (TEXT, "ada", CLOSE)
        client.close()
        eventually(lambda: not domain.open)
    assert KEY not in repr(cassettes(tmp_path / "c"))


@pytest.mark.parametrize("statuses", [frozenset[int](), frozenset((401,))], ids=["default", "--record-status 401"])
@pytest.mark.parametrize("scheme", SCHEMES[:3])
def test_nothing_of_a_login_is_kept_but_what_comes_of_it(tmp_path: Path, scheme: str, statuses: frozenset[int]) -> None:
    told = Told()
    with recording(tmp_path, Domain(scheme), told, statuses=statuses) as port:
        client = Client(port, scheme)
        assert client.log_in("ada")["who"] == "ada"
        eventually(lambda: len(told.events("request")) == 3)
    outcomes = [done["outcome"] for done in told.events("request")]
    assert outcomes == ["recorded" if statuses else "forwarded", "forwarded", "recorded"]
    (cassette,) = cassettes(tmp_path).values()
    offered, *good = [] if not statuses else cassette["responses"][:1], cassette["responses"][-1]
    assert [one["headers"]["www-authenticate"] for one in offered] == ([scheme] if statuses else [])
    assert good[0]["json"]["who"] == "ada"
    assert good[0]["headers"]["www-authenticate"] == f"{scheme} {{{{redacted:www-authenticate}}}}"
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"TlRMTVNT" not in written and "TlRMTVNT" not in told.log
    with running_app(tmp_path) as app:
        played = [Client(app.port).ask("/who").status for _ in range(2)]
    assert played == ([401, 200] if statuses else [200, 200])


def test_a_login_is_not_answered_from_what_asked_for_it(tmp_path: Path) -> None:
    settings = {"mode": "new", "statuses": frozenset((401,))}
    with recording(tmp_path, Domain(), **settings) as port:
        assert Client(port).ask("/who").status == 401
        eventually(lambda: cassettes(tmp_path))
        assert Client(port).log_in("ada")["who"] == "ada"


def test_an_answer_that_breaks_off_ends_the_login(tmp_path: Path) -> None:
    domain = Domain()
    with recording(tmp_path, domain) as port:
        client = Client(port)
        number = client.log_in("ada")["on"]
        with asking(f"http://127.0.0.1:{port}", "GET", "/who") as stranger:
            assert stranger.status == 401
        client.connection.sock.shutdown(socket.SHUT_RDWR)
        eventually(lambda: number not in domain.open)


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def _lines(read: Callable[[], bytes]) -> bytes:
    """The lines up to an empty one; nothing where they end before."""
    head = b""
    while (line := read()) not in (b"\r\n", b""):
        head += line
    return head if line else b""


def _byte_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\r\n") and (byte := connection.recv(1)):
        line += byte
    return line


def _head(peer: socket.socket) -> bytes:
    """The head of an answer; the body that its length tells of is read away."""
    head = _lines(lambda: _byte_line(peer))
    found = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    left = int(found[1]) if found else 0
    while left and (data := peer.recv(left)):
        left -= len(data)
    return head
