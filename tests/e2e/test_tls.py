"""The ways to a backend: TLS with a private authority, client certificates, an upstream proxy, several upstreams."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from replaymock.proxy.routes import Upstream
from tests.support.inside import Told, running_app
from tests.support.running import ask, raw_backend, read_request, read_whole, replaymock, reply, run

Handle = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[str]:
    """The origin of a TLS backend whose certificate the private authority issued."""
    with raw_backend(_over_tls(_context(authority), _says(b'{"over": "tls"}'))) as origin:
        yield origin.replace("http:", "https:")


def test_an_unknown_authority_is_refused_and_the_flag_that_helps_is_named(secure: str, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", secure) as server:
        got = ask(server.url, "GET", "/x", [("Origin", "http://localhost:3000")])
    assert (got.status, got.json()["code"]) == (502, "tls_verification_failed")
    assert "--ca-file" in got.json()["detail"]
    assert got.header("content-type").startswith("application/problem+json")
    assert got.header("access-control-allow-origin") == "http://localhost:3000"
    assert not list((tmp_path / "c").rglob("*.json"))


def test_a_wrong_host_name_is_refused_too(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    context = _context(authority, "elsewhere.example")
    with raw_backend(_over_tls(context, _says(b"{}"))) as origin:
        upstream = origin.replace("http:", "https:")
        with replaymock("record", tmp_path / "c", "--upstream", upstream, "--ca-file", ca_file) as server:
            assert ask(server.url, "GET", "/x").json()["code"] == "tls_verification_failed"


def test_a_ca_file_makes_it_trusted(secure: str, ca_file: str, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", secure, "--ca-file", ca_file) as server:
        assert ask(server.url, "GET", "/x").json() == {"over": "tls"}
    assert (tmp_path / "c/x/GET.json").exists()


def test_insecure_skips_the_check(secure: str, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", secure, "--insecure") as server:
        assert ask(server.url, "GET", "/x").json() == {"over": "tls"}


def test_a_client_certificate_is_presented(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    context = _context(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    issued = authority.issue_cert("client.example")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    own = ("--client-cert", str(tmp_path / "cert.pem"), "--client-key", str(tmp_path / "key.pem"))
    with raw_backend(_over_tls(context, _says(b'{"client": "known"}'))) as origin:
        to = ("--upstream", origin.replace("http:", "https:"), "--ca-file", ca_file)
        with replaymock("record", tmp_path / "c", *to, *own) as server:
            assert ask(server.url, "GET", "/x").json() == {"client": "known"}
        with replaymock("record", tmp_path / "d", *to) as server:
            assert ask(server.url, "GET", "/x").json()["code"] == "upstream_unreachable"


@pytest.mark.parametrize("option", ["--ca-file", "--client-cert"])
def test_a_missing_pem_file_is_a_usage_error(tmp_path: Path, option: str) -> None:
    arguments = ("record", "--upstream", "https://x.example", "--cassettes", str(tmp_path / "c"), "--port", "0")
    ended = run(*arguments, option, str(tmp_path / "none.pem"))
    assert ended.returncode == 2
    assert option in ended.stderr
    assert "none.pem" in ended.stderr.replace("\n", "")


def test_a_plain_backend_behind_a_proxy_is_asked_in_absolute_form(tmp_path: Path) -> None:
    lines: list[bytes] = []
    with raw_backend(_says(b'{"via": "proxy"}')) as backend, raw_backend(_proxy(lines)) as proxy:
        to = ("--upstream", backend, "--upstream-proxy", proxy)
        with replaymock("record", tmp_path / "c", *to) as server:
            assert ask(server.url, "GET", "/a%2Fb?x=1").json() == {"via": "proxy"}
    assert lines == [f"GET {backend}/a%2Fb?x=1 HTTP/1.1".encode()]


def test_a_tls_backend_behind_a_proxy_is_reached_by_connect(secure: str, ca_file: str, tmp_path: Path) -> None:
    lines: list[bytes] = []
    with raw_backend(_proxy(lines)) as proxy:
        to = ("--upstream", secure, "--upstream-proxy", proxy, "--ca-file", ca_file)
        with replaymock("record", tmp_path / "c", *to) as server:
            assert ask(server.url, "GET", "/a/../b").json() == {"over": "tls"}
    assert lines == [b"CONNECT " + secure.removeprefix("https://").encode() + b" HTTP/1.1"]


def test_a_proxy_that_is_gone_is_named(tmp_path: Path) -> None:
    with raw_backend(_says(b"{}")) as gone:
        pass
    to = ("--upstream", "http://127.0.0.1:9", "--upstream-proxy", gone)
    with replaymock("record", tmp_path / "c", *to) as server:
        problem = ask(server.url, "GET", "/x").json()
    assert problem["code"] == "upstream_unreachable"
    assert "--upstream-proxy" in problem["detail"]


def test_the_environments_proxy_is_not_used(tmp_path: Path) -> None:
    environment = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    with (
        raw_backend(_says(b'{"direct": true}')) as backend,
        replaymock("record", tmp_path / "c", "--upstream", backend, env=environment) as server,
    ):
        assert ask(server.url, "GET", "/x").json() == {"direct": True}


def test_the_longest_prefix_of_whole_segments_chooses_the_upstream(tmp_path: Path) -> None:
    paths = ("/api/x", "/api/v2/x", "/api/v22", "/apix", "/")
    with raw_backend(_echoes("one")) as one, raw_backend(_echoes("two")) as two, raw_backend(_echoes("rest")) as rest:
        to = ("--upstream", f"/api={one}", "--upstream", f"/api/v2={two}/base", "--upstream", rest)
        with replaymock("record", tmp_path / "c", *to) as server:
            got = {path: ask(server.url, "GET", path).json() for path in paths}
    assert got == {
        "/api/x": ["one", "/api/x"],
        "/api/v2/x": ["two", "/base/api/v2/x"],
        "/api/v22": ["one", "/api/v22"],
        "/apix": ["rest", "/apix"],
        "/": ["rest", "/"],
    }


@pytest.mark.parametrize(
    "settings", [{}, {"fast_lane": False}, {"upstreams": (Upstream("", "http://x"),), "mode": "all"}]
)
def test_a_caller_that_speaks_tls_is_refused_at_once_and_told_of_once(tmp_path: Path, settings: dict[str, Any]) -> None:
    told = Told()
    with running_app(tmp_path, told, **settings) as app:
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", app.port), timeout=10) as connection,
                pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number|record layer failure"),
            ):
                ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
        assert ask(app.url, "POST", "/__replaymock/reset").status == 200
    assert [event["message"] for event in told.events("warning")] == [TLS_HERE]


TLS_HERE = "a TLS handshake came in, but what is served here is http: ask by http:// instead of https://"


def test_a_path_without_upstream_is_explained(tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", "/api=http://127.0.0.1:9") as server:
        got = ask(server.url, "GET", "/other")
    assert got.status == 502
    assert "--upstream" in got.json()["detail"]


def test_an_added_header_arrives_upstream_and_is_in_no_file(tmp_path: Path) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(reply(b'{"ok": true}'))

    added = ("--header", "X-Api-Key: hush-hush-1", "--header", "Accept-Language: de, en")
    with raw_backend(handle) as backend, replaymock("record", tmp_path / "c", "--upstream", backend, *added) as server:
        assert ask(server.url, "POST", "/x", [("Accept-Language", "fr")], b"{}").status == 200
    assert b"\r\nX-Api-Key: hush-hush-1\r\n" in heads[0]
    assert b"\r\nAccept-Language: de, en\r\n" in heads[0]
    assert b"fr" not in heads[0].partition(b"\r\n\r\n")[0].split(b"Accept-Language")[1]
    written = b"".join(file.read_bytes() for file in (tmp_path / "c").rglob("*") if file.is_file())
    assert b"hush-hush-1" not in written + server.log.encode()


def _context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def _over_tls(context: ssl.SSLContext, handle: Handle) -> Handle:
    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            handle(secured)

    return wrapped


def _says(body: bytes) -> Handle:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(body))

    return handle


def _echoes(name: str) -> Handle:
    def handle(connection: socket.socket) -> None:
        target = read_whole(connection)[0].split(b" ")[1].decode()
        connection.sendall(reply(f'["{name}", "{target}"]'.encode()))

    return handle


def _proxy(lines: list[bytes]) -> Handle:
    """An HTTP proxy that keeps the first line of what it is asked."""

    def handle(caller: socket.socket) -> None:
        head = read_request(caller)
        lines.append(head.split(b"\r\n")[0])
        method, target, _ = lines[-1].split(b" ")
        authority = target if method == b"CONNECT" else target.split(b"/")[2]
        host, _, port = authority.decode().partition(":")
        with socket.create_connection((host, int(port))) as backend:
            if method == b"CONNECT":
                caller.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                backend.sendall(head)
            threading.Thread(target=_pump, args=(caller, backend), daemon=True).start()
            _pump(backend, caller)

    return handle


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        return
