"""Faults and latencies that a test asks for: by rule, and for one request."""

import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inside import put, simple
from tests.support.running import Running, ask, exchange, replaymock, run

RULES = """
[[rule]]
path = "/flaky"
fault = "status:503@50%"

[[rule]]
path = "/slow/**"
method = "GET"
latency = "300"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("faults")
    for path in ("flaky", "slow/a", "fine"):
        put(folder, f"c/{path}/GET.json", simple(f"/{path}", "x" * 100))
    put(folder, "c/job/GET.json", simple("/job", 1, 2))
    put(
        folder,
        "c/events/GET.json",
        {"request": {"path": "/events"}, "responses": [{"events": [{"data": n} for n in range(5)]}]},
    )
    (folder / "replaymock.toml").write_text(RULES)
    with replaymock("replay", folder / "c", cwd=folder) as server:
        yield server


def preferring(server: Running, path: str, what: str) -> bytes:
    return exchange(
        server.port,
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nPrefer: replaymock-{what}\r\n\r\n".encode(),
    )


def test_a_rule_makes_some_answers_fail(server: Running) -> None:
    got = [ask(server.url, "GET", "/flaky") for _ in range(40)]
    assert {answer.status for answer in got} == {200, 503}
    failed = next(answer for answer in got if answer.status == 503)
    assert (failed.json()["code"], failed.header("access-control-allow-origin")) == ("injected_fault", "*")


def test_a_rule_holds_back_the_answers_of_its_paths(server: Running) -> None:
    began = time.perf_counter()
    assert ask(server.url, "GET", "/slow/a").status == 200
    assert time.perf_counter() - began >= 0.3


def test_one_request_asks_for_a_reset_and_the_next_is_answered(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(b"GET /fine HTTP/1.1\r\nHost: localhost\r\nPrefer: replaymock-fault=reset\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    assert ask(server.url, "GET", "/fine").status == 200


def test_one_request_asks_to_wait_for_ever(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 0.3) as connection:
        connection.sendall(b"GET /fine HTTP/1.1\r\nHost: localhost\r\nPrefer: replaymock-fault=timeout\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(10)


def test_one_request_asks_for_half_an_answer(server: Running) -> None:
    head, _, body = preferring(server, "/fine", "fault=truncate@10").partition(b"\r\n\r\n")
    assert b"Content-Length: 102" in head and body == b'"xxxxxxxxx'
    with pytest.raises(http.client.IncompleteRead):
        ask(server.url, "GET", "/fine", [("Prefer", "replaymock-fault=truncate@10")])


def test_one_request_asks_for_a_stream_that_breaks_off(server: Running) -> None:
    body = preferring(server, "/events", "fault=cut_stream@2").partition(b"\r\n\r\n")[2]
    assert body.count(b"data:") == 2 and not body.endswith(b"0\r\n\r\n")


def test_one_request_asks_for_a_slow_line(server: Running) -> None:
    began = time.perf_counter()
    assert len(ask(server.url, "GET", "/fine", [("Prefer", "replaymock-fault=slow@400")]).body) == 102
    assert time.perf_counter() - began >= 0.24


def test_an_answer_that_fails_moves_no_sequence(server: Running) -> None:
    assert ask(server.url, "GET", "/job", [("Prefer", "replaymock-fault=status:500")]).status == 500
    assert [ask(server.url, "GET", "/job").json() for _ in range(2)] == [1, 2]


def test_a_preference_that_is_not_understood_is_told(server: Running) -> None:
    got = ask(server.url, "GET", "/fine", [("Prefer", "replaymock-fault=boom")])
    assert (got.status, got.json()["code"]) == (400, "bad_preference")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('fault = "boom"', "fault 'boom': use one of"),
        ('latency = "soon"', "latency 'soon'"),
        ("fault = []", "fault must be a string"),
    ],
)
def test_a_rule_that_is_wrong_is_told_with_its_line(tmp_path: Path, rule: str, said: str) -> None:
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "replaymock.toml").write_text(f'[[rule]]\npath = "/a"\n{rule}\n')
    ended = run("replay", "--port", "0", cwd=tmp_path)
    assert ended.returncode == 2
    assert "replaymock.toml:3" in ended.stderr and said in " ".join(ended.stderr.split())
