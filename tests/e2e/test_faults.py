"""What goes wrong between caller, server, backend and disk: a clear answer, nothing spoilt."""

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Got, ask, eventually, exchange, raw_backend, read_whole, replaymock, reply, run

ORIGIN = ("Origin", "http://localhost:3000")


class Backend:
    """A backend that does what it is told, and counts what it is asked."""

    def __init__(self) -> None:
        self.does = "well"
        self.count = 0

    def handle(self, connection: socket.socket) -> None:
        read_whole(connection)
        self.count += 1
        match self.does:
            case "nothing":
                time.sleep(1)
            case "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            case "hang up":
                connection.close()
            case "babble":
                connection.sendall(b"SSH-2.0-x\r\n\r\n")
            case "stall":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: text/plain\r\n\r\n123")
                time.sleep(1)
            case status if status.isdigit():
                connection.sendall(reply(b'{"bad": 1}', "Retry-After: 7", status=f"{status} Bad"))
            case _:
                connection.sendall(reply(b'{"good": 1}'))


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def origin(backend: Backend) -> Iterator[str]:
    with raw_backend(backend.handle) as found:
        yield found


def is_problem(got: Got, status: int, code: str, *said: str) -> None:
    """Holds an answer against what a problem must be."""
    assert (got.status, got.json()["status"], got.json()["code"]) == (status, status, code)
    assert got.header("content-type").startswith("application/problem+json")
    assert got.header("access-control-allow-origin") == ORIGIN[1]
    assert got.header("access-control-allow-credentials") == "true"
    assert "origin" in got.header("vary").lower()
    for words in said:
        assert words in got.json()["detail"]


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        ("http://127.0.0.1:1", "refuses the connection"),
        ("http://nobody.invalid", "--upstream"),
    ],
)
def test_a_backend_that_cannot_be_reached_is_named_with_the_remedy(tmp_path: Path, upstream: str, said: str) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", upstream) as server:
        is_problem(ask(server.url, "GET", "/x", [ORIGIN]), 502, "upstream_unreachable", upstream, said)
        assert upstream in server.wait_for_log(upstream)
    assert not list((tmp_path / "c").rglob("*.json"))


def test_tls_spoken_to_a_plain_backend_is_told_from_a_bad_certificate(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(reply(b"{}", status="400 Bad Request"))

    with raw_backend(handle) as origin:
        upstream = origin.replace("http:", "https:")
        with replaymock("record", tmp_path / "c", "--upstream", upstream) as server:
            got = ask(server.url, "GET", "/x", [ORIGIN])
    is_problem(got, 502, "upstream_unreachable", upstream, "TLS", "scheme in --upstream")


@pytest.mark.parametrize(
    ("does", "status", "code", "said"),
    [
        ("nothing", 504, "upstream_timeout", "--read-timeout"),
        ("reset", 502, "upstream_unreachable", "broke the connection"),
        ("hang up", 502, "upstream_unreachable", "broke the connection"),
        ("babble", 502, "upstream_unreachable", ""),
    ],
)
def test_a_backend_that_gives_no_answer_leaves_the_earlier_cassette(
    origin: str, backend: Backend, tmp_path: Path, does: str, status: int, code: str, said: str
) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", origin, "--read-timeout", "0.3") as server:
        assert ask(server.url, "GET", "/x").status == 200
        good = eventually(lambda: (tmp_path / "c/x/GET.json").exists() and (tmp_path / "c/x/GET.json").read_bytes())
        backend.does = does
        is_problem(ask(server.url, "GET", "/x", [ORIGIN]), status, code, origin, said)
        backend.does = "well"
        assert ask(server.url, "GET", "/x").status == 200
    assert (tmp_path / "c/x/GET.json").read_bytes() == good


def test_a_backend_that_stalls_in_its_body_leaves_the_earlier_cassette(
    origin: str, backend: Backend, tmp_path: Path
) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", origin, "--read-timeout", "0.3") as server:
        ask(server.url, "GET", "/x")
        good = eventually(lambda: (tmp_path / "c/x/GET.json").exists() and (tmp_path / "c/x/GET.json").read_bytes())
        backend.does = "stall"
        request = b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = exchange(server.port, request)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert not answer.endswith(b"0\r\n\r\n")
        server.wait_for_log("--read-timeout")
    assert (tmp_path / "c/x/GET.json").read_bytes() == good


def test_a_backend_that_accepts_nobody_times_out_while_connecting(tmp_path: Path) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # What the queue of a listener holds is rounded up, so it takes a few to fill it.
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        upstream = f"http://127.0.0.1:{full.getsockname()[1]}"
        with replaymock("record", tmp_path / "c", "--upstream", upstream, "--connect-timeout", "0.3") as server:
            is_problem(ask(server.url, "GET", "/x", [ORIGIN]), 504, "upstream_timeout", "--connect-timeout")


def test_an_upstream_that_is_this_server_is_a_loop(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    upstream = f"http://127.0.0.1:{port}"
    with replaymock("record", tmp_path / "c", "--upstream", upstream, "--port", str(port)) as server:
        is_problem(ask(server.url, "GET", "/x", [ORIGIN]), 508, "loop_detected", "--upstream")
    assert not list((tmp_path / "c").rglob("*.json"))


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [1001, 20_000_000])
def test_on_replay_the_caller_sees_that_its_body_is_too_large(small: dict[str, str], framing: str, size: int) -> None:
    body = b"x" * size
    headers = [ORIGIN]
    if framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        got = _ask_chunked(small["replay"], headers, body)
    else:
        got = ask(small["replay"], "POST", "/up", headers, body)
    is_problem(got, 413, "body_too_large", "--max-body")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A recorder and a replayer that take bodies of 1,000 bytes."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "replay").mkdir()
    with raw_backend(Backend().handle) as origin:
        recording = replaymock("record", folder / "record", "--upstream", origin, "--max-body", "1000")
        with recording as one, replaymock("replay", folder / "replay", "--max-body", "1000") as two:
            yield {"record": one.url, "replay": two.url}


def test_a_body_at_the_limit_passes(small: dict[str, str]) -> None:
    assert ask(small["record"], "POST", "/limit", [], b"x" * 1000).status == 200


def test_errors_pass_through_and_are_written_only_when_named(origin: str, backend: Backend, tmp_path: Path) -> None:
    statuses = ["500", "503", "429", "401", "403", "404", "422"]
    written = {}
    for name, option in {"default": (), "named": ("--record-status", "401,500-502")}.items():
        with replaymock("record", tmp_path / name, "--upstream", origin, *option) as server:
            for backend.does in statuses:
                got = ask(server.url, "GET", f"/s{backend.does}")
                assert (got.status, got.json(), got.header("retry-after")) == (int(backend.does), {"bad": 1}, "7")
        written[name] = {file.parent.name[1:] for file in (tmp_path / name).rglob("*.json")}
    assert written == {"default": {"404", "422"}, "named": {"404", "422", "401", "500"}}


def test_an_error_never_replaces_a_good_response(origin: str, backend: Backend, tmp_path: Path) -> None:
    for does in ("well", "500", "401"):
        backend.does = does
        with replaymock("record", tmp_path / "c", "--upstream", origin, "--record-status", "401,500") as server:
            ask(server.url, "GET", "/x")
    with replaymock("replay", tmp_path / "c") as server:
        assert [ask(server.url, "GET", "/x").status for _ in range(2)] == [200, 200]


BROKEN = {
    "truncated/GET.json": '{\n  "version": 1,\n  "request": {"path": "/truncated"},\n  "responses": [{"stat',
    "merged/GET.json": '{\n  "version": 1,\n<<<<<<< HEAD\n  "request": {"path": "/m"},\n=======\n>>>>>>> other\n}\n',
    "empty/GET.json": "",
    "misspelt/GET.json": '{"version": 1, "request": {"path": "/misspelt"},\n "responses": [{"statis": 200}]}\n',
    "broken.json": '{"items": [1, 2,]}',
}


def test_a_broken_cassette_is_named_once_and_takes_only_itself_out(tmp_path: Path) -> None:
    for name, text in {**BROKEN, "good.json": '{"good": 1}'}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with replaymock("replay", tmp_path) as server:
        assert ask(server.url, "GET", "/good").json() == {"good": 1}
        got = ask(server.url, "GET", "/merged", [ORIGIN])
        is_problem(got, 500, "cassette_invalid", f"{tmp_path}/merged/GET.json:3:1: ")
        for name, place in {"truncated": 4, "empty": 1, "misspelt": 2}.items():
            is_problem(ask(server.url, "GET", f"/{name}", [ORIGIN]), 500, "cassette_invalid", f"GET.json:{place}:")
        is_problem(ask(server.url, "GET", "/broken", [ORIGIN]), 500, "cassette_invalid", "broken.json:1:")
        for name in BROKEN:
            assert server.log.count(f"{tmp_path}/{name}:") == 1
        assert "(1 cassette)" in server.log


def test_check_names_every_broken_cassette(tmp_path: Path) -> None:
    for name, text in BROKEN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ended = run("check", str(tmp_path))
    assert ended.returncode == 1
    for name in BROKEN:
        assert ended.stdout.count(f"{name}:") == 1


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = run("record", "--upstream", "http://127.0.0.1:9", "--port", "0", "--cassettes", str(tmp_path / "file/c"))
    assert ended.returncode == 2
    assert "cannot write into" in ended.stderr
    assert "--cassettes" in ended.stderr


def test_a_cassette_that_cannot_be_written_leaves_the_caller_answered(origin: str, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", origin) as server:
        (tmp_path / "c/x").write_text("a file where a folder must be")
        assert ask(server.url, "GET", "/x").json() == {"good": 1}
        assert "cannot write" in server.wait_for_log("cannot write")
        assert ask(server.url, "GET", "/y").json() == {"good": 1}
        assert server.stop() == 2
    assert (tmp_path / "c/y/GET.json").exists()


def test_a_missing_folder_says_how_to_fill_one(tmp_path: Path) -> None:
    ended = run("replay", "--cassettes", str(tmp_path / "none"), "--port", "0")
    assert ended.returncode == 2
    assert "replaymock record --upstream" in " ".join(ended.stderr.split())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_busy_port_is_named(tmp_path: Path, host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as busy:
        port = str(busy.getsockname()[1])
        ended = run("replay", "--cassettes", str(tmp_path), "--port", port)
    assert ended.returncode == 2
    assert port in ended.stderr
    assert "--port" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "--sequense", "loop"), "--sequence"),
        (("replay", "--sequence", "never"), "strict"),
        (("record", "--upstraem", "http://x"), "--upstream"),
        (("record",), "--upstream"),
        (("record", "--upstream", "x.example"), "https://"),
        (("record", "--upstream", "http://x", "--record-status", "abc"), "--record-status"),
        (("replay", "--latency", "soon"), "--latency"),
        (("replay", "--port", "99999"), "port"),
        (("reply",), "replay"),
    ],
)
def test_a_wrong_option_is_a_usage_error_that_says_what_to_write(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = run(*arguments, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1\n", ("replaymock.toml:1", "'prot'", "'port'")),
        ("\n[match]\nheader = []\n", ("replaymock.toml:3", "'header'", "'headers'")),
        ("port = \n", ("replaymock.toml", "not TOML")),
        ('port = "x"\n', ("replaymock.toml:1", "port must be a whole number")),
        ('ignore = ["qeury:_"]\n', ("replaymock.toml:1", "'query'")),
    ],
)
def test_a_wrong_key_is_a_usage_error_that_suggests_the_nearest(
    tmp_path: Path, text: str, said: tuple[str, ...]
) -> None:
    (tmp_path / "replaymock.toml").write_text(text)
    ended = run("replay", cwd=tmp_path)
    assert ended.returncode == 2
    for words in said:
        assert words in ended.stderr


def _ask_chunked(url: str, headers: list[tuple[str, str]], body: bytes) -> Got:
    pieces = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return ask(url, "POST", "/up", headers, chunked)


def test_no_answer_to_head_has_a_body_so_the_next_one_is_understood(tmp_path: Path) -> None:
    """A body after the head of a HEAD would be taken for the beginning of the next answer."""
    heads = b"".join(
        b"HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in (b"/x", b"/__replaymock/nothing")
    )
    last = b"GET /__replaymock/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with replaymock("record", tmp_path / "c", "--upstream", "http://127.0.0.1:9") as server:
        answers = exchange(server.port, heads + last).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"502", b"404", b"200"]
    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers[:2]] == [b"", b""]
