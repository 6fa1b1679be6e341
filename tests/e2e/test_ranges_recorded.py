"""Ranges while recording: the client gets the part it asked for, and the whole is kept."""

import contextlib
import gzip
import hashlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from replaymock.proxy.routes import parse_upstream
from tests.support.inside import Told, running_app
from tests.support.running import Got, ask, asking, cassettes, eventually, raw_backend, read_request, replaymock

DATA = hashlib.shake_256(b"film").digest(700_000)
TAG = '"v1"'
SIGNED = ("Authorization", "AWS4-HMAC-SHA256 Credential=k/d/r/s3/aws4_request, SignedHeaders=host;range, Signature=f")
BINARY = ("Content-Type: application/octet-stream",)
TEXT = ("Content-Type: text/plain",)


class Files:
    """A backend of files. What it was asked is in `heads`; `gate` holds back what comes after the first 64 KiB."""

    def __init__(self, data: bytes = DATA, *headers: str) -> None:
        self.data = data
        self.headers = headers or (*BINARY, f"ETag: {TAG}")
        self.heads: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.chunked = False
        self.ranges = True
        self.status = "200 OK"
        self.cut_at = 0
        self.origin = ""

    def handle(self, connection: socket.socket) -> None:
        while head := read_request(connection).decode("latin-1"):
            self.heads.append(head)
            if not self._answer(connection, head):
                return

    def _answer(self, connection: socket.socket, head: str) -> bool:
        if TAG in self.value(head, "If-None-Match") and any(TAG in line for line in self.headers):
            connection.sendall(f"HTTP/1.1 304 Not Modified\r\nETag: {TAG}\r\n\r\n".encode())
            return True
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.value(head, "Range")) if self.ranges else None
        status, lines, body = self.status, list(self.headers), b"" if head.startswith("HEAD") else self.data
        if found:
            first, last = found.groups()
            start = int(first) if first else len(self.data) - int(last)
            end = min(int(last) + 1, len(self.data)) if first and last else len(self.data)
            status, body = "206 Partial Content", self.data[start:end]
            lines.append(f"Content-Range: bytes {start}-{end - 1}/{len(self.data)}")
        framing = "Transfer-Encoding: chunked" if self.chunked and not found else f"Content-Length: {len(body)}"
        connection.sendall("\r\n".join([f"HTTP/1.1 {status}", *lines, framing, "", ""]).encode("latin-1"))
        self._send(connection, body, chunked=framing.startswith("T"))
        return not self.cut_at

    def _send(self, connection: socket.socket, body: bytes, *, chunked: bool) -> None:
        for at in range(0, len(body), 65536):
            if at:
                self.gate.wait(10)
            if self.cut_at and at >= self.cut_at:
                return
            piece = body[at : at + 65536]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            connection.sendall(b"0\r\n\r\n")

    def value(self, head: str, name: str) -> str:
        found = re.search(rf"^{name}: (.*)\r$", head, re.IGNORECASE | re.MULTILINE)
        return found.group(1) if found else ""

    def asked(self, name: str) -> list[str]:
        """The value of a header in every request so far."""
        return [self.value(head, name) for head in self.heads]


class Recorded:
    """A recorder before that backend, and what it tells."""

    def __init__(self, files: Files, folder: Path, **settings: Any) -> None:
        self.files, self.folder, self.told, self._settings = files, folder, Told(), settings

    @contextlib.contextmanager
    def running(self) -> Iterator["Recorded"]:
        with raw_backend(self.files.handle) as backend:
            self.files.origin = backend
            settings = {"upstreams": (parse_upstream(backend),), "mode": "all", **self._settings}
            with running_app(self.folder, self.told, **settings) as app:
                self.url, self.port = app.url, app.port
                yield self

    def part(self, text: str, *headers: tuple[str, str], target: str = "/film", method: str = "GET") -> Got:
        return ask(self.url, method, target, (("Range", text), *headers))

    def outcomes(self, number: int) -> list[str]:
        """What became of so many requests, once all of them are over."""

        def found() -> list[str]:
            return [event["outcome"] for event in self.told.events("request")]

        assert eventually(lambda: len(found()) >= number)
        return found()

    def saved(self, number: int = 1) -> list[bytes]:
        """The bodies on the disk, once there are so many."""
        assert eventually(lambda: len(self.told.events("recorded")) >= number)
        return [file.read_bytes() for file in self.folder.rglob("*.body.*")]


@contextlib.contextmanager
def recorded(folder: Path, files: Files | None = None, **settings: Any) -> Iterator[Recorded]:
    with Recorded(files or Files(), folder, **settings).running() as run:
        yield run


def replayed(folder: Path, text: str, target: str = "/film") -> Got:
    with running_app(folder) as app:
        return ask(app.url, "GET", target, [("Range", text)])


@pytest.mark.parametrize("coding", [(), (("Accept-Encoding", "gzip, br"),)])
def test_parts_make_the_whole_which_is_asked_for_and_kept_once(
    tmp_path: Path, coding: tuple[tuple[str, str], ...]
) -> None:
    with recorded(tmp_path) as run:
        got = [run.part(f"bytes={at}-{at + 99_999}", *coding) for at in range(0, len(DATA), 100_000)]
        assert b"".join(one.body for one in got) == DATA
        assert {one.status for one in got} == {206}
        assert got[1].header("content-range") == "bytes 100000-199999/700000"
        assert (got[1].header("replaymock-cassette"), got[1].header("etag")) == ("film/GET.json", TAG)
        assert "Content-Range" in got[1].header("access-control-expose-headers")
        assert run.part("bytes=-5", *coding).body == DATA[-5:]
        assert run.part("bytes=699999-", *coding).body == DATA[-1:]
        beyond = run.part("bytes=700000-", *coding)
        assert (beyond.status, beyond.header("content-range"), beyond.body) == (416, "bytes */700000", b"")
        assert run.outcomes(10) == ["recorded", *["unchanged"] * 9]
        assert run.saved() == [DATA]
        assert set(run.files.asked("Range")) == {""}
        assert set(run.files.asked("Accept-Encoding")) == {"identity" if coding else ""}
    assert replayed(tmp_path, "bytes=10-19").body == DATA[10:20]


def test_a_whole_that_is_known_is_not_sent_again(tmp_path: Path) -> None:
    with recorded(tmp_path) as run:
        assert run.part("bytes=0-4").body == DATA[:5]
        run.outcomes(1)
        assert run.part("bytes=5-9").body == DATA[5:10]
        assert run.files.asked("If-None-Match") == ["", TAG]
        run.files.headers, run.files.data = (*BINARY, 'ETag: "v2"'), DATA[::-1]
        assert run.part("bytes=5-9").body == DATA[::-1][5:10]
        assert run.outcomes(3) == ["recorded", "unchanged", "recorded"]


def test_the_first_bytes_wait_for_no_others_and_the_connection_is_free(tmp_path: Path) -> None:
    files = Files()
    files.gate.clear()
    with recorded(tmp_path, files) as run:
        client = http.client.HTTPConnection("127.0.0.1", run.port, timeout=5)
        for path in ("/film", "/other"):
            client.request("GET", path, headers={"Range": "bytes=100-199"})
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (206, DATA[100:200])
        assert run.told.events("request") == []
        files.gate.set()
        assert run.outcomes(2) == ["recorded"] * 2
        client.close()
        assert run.saved(2) == [DATA, DATA]


@pytest.mark.parametrize("text", ["bytes=0-99", "bytes=0-"])
def test_a_client_that_leaves_loses_nothing_of_the_whole(tmp_path: Path, text: str) -> None:
    files = Files()
    files.gate.clear()
    with recorded(tmp_path, files) as run:
        with asking(run.url, "GET", "/film", [("Range", text)]) as answer:
            assert answer.read(100) == DATA[:100]
        time.sleep(0.1)
        files.gate.set()
        assert run.outcomes(1) == ["recorded"]
        assert run.saved() == [DATA]


def test_what_is_still_coming_at_the_end_is_waited_for(tmp_path: Path) -> None:
    files = Files()
    files.gate.clear()
    with raw_backend(files.handle) as backend, replaymock("record", tmp_path, "--upstream", backend) as running:
        assert ask(running.url, "GET", "/film", [("Range", "bytes=0-99")]).body == DATA[:100]
        threading.Timer(0.5, files.gate.set).start()
        assert running.stop() == 0
    assert [file.read_bytes() for file in tmp_path.rglob("*.body.*")] == [DATA]


def test_what_is_cut_short_upstream_is_not_kept_and_costs_no_client_its_part(tmp_path: Path) -> None:
    files = Files()
    files.cut_at = 300_000
    with recorded(tmp_path, files) as run:
        assert run.part("bytes=0-99").body == DATA[:100]
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            run.part("bytes=0-")
        assert run.outcomes(2) == ["error", "error"]
        assert "broke the connection" in run.told.log
    assert cassettes(tmp_path) == {}


def test_what_is_too_large_to_be_kept_is_asked_for_in_parts(tmp_path: Path) -> None:
    with recorded(tmp_path, max_body=500_000) as run:
        for at in (0, 100_000):
            got = run.part(f"bytes={at}-{at + 9}")
            assert (got.status, got.body) == (206, DATA[at : at + 10])
        assert run.files.asked("Range") == ["", "bytes=0-9", "bytes=100000-100009"]
        assert run.outcomes(2) == ["forwarded"] * 2
        assert run.told.log.count("larger than --max-body") == 1
    assert cassettes(tmp_path) == {}


def test_parts_of_a_signed_range_are_kept_once_they_make_the_whole(tmp_path: Path) -> None:
    with recorded(tmp_path) as run:
        ranges = [f"bytes={at}-{at + 99_999}" for at in range(0, len(DATA), 100_000)]
        with ThreadPoolExecutor(4) as clients:
            got = list(clients.map(lambda text: run.part(text, SIGNED), ranges))
        assert b"".join(one.body for one in got) == DATA
        assert set(run.files.asked("Range")) == set(ranges)
        assert sorted(run.outcomes(7)) == [*["forwarded"] * 6, "recorded"]
        assert run.saved() == [DATA]
        assert run.told.log.count("the range is signed") == 1
    (cassette,) = cassettes(tmp_path).values()
    assert cassette["responses"][0]["headers"] == {"content-type": "application/octet-stream", "etag": TAG}
    assert replayed(tmp_path, "bytes=99990-100009").body == DATA[99_990:100_010]


def test_clients_that_ask_for_parts_at_once_make_one_whole(tmp_path: Path) -> None:
    files = Files()
    files.gate.clear()
    with recorded(tmp_path, files) as run, ThreadPoolExecutor(7) as clients:
        starts = range(0, len(DATA), 100_000)
        parts = [clients.submit(run.part, f"bytes={at}-{at + 99_999}") for at in starts]
        assert eventually(lambda: len(files.heads) == 7)
        time.sleep(0.1)
        files.gate.set()
        assert b"".join(part.result().body for part in parts) == DATA
        assert sorted(run.outcomes(7)) == [*["forwarded"] * 6, "recorded"]
        assert run.saved() == [DATA]
        (cassette,) = cassettes(tmp_path).values()
        assert len(cassette["responses"]) == 1


def test_a_whole_without_a_length_is_cut_where_it_ends_soon_and_else_asked_for_in_parts(tmp_path: Path) -> None:
    files = Files()
    files.chunked = True
    with recorded(tmp_path, files) as run:
        assert run.part("bytes=5-9").body == DATA[5:10]
        run.files.gate.clear()
        run.files.headers = BINARY
        slow = run.part("bytes=5-9", target="/slow")
        assert (slow.status, slow.body) == (206, DATA[5:10])
        assert files.asked("Range") == ["", "", "bytes=5-9"]
        assert run.outcomes(2) == ["recorded", "forwarded"]
        files.gate.set()


def test_a_text_is_cut_as_it_is_served_with_its_links_leading_here(tmp_path: Path) -> None:
    files = Files(b"", *TEXT, f"ETag: {TAG}")
    with recorded(tmp_path, files) as run:
        files.data = f"see {files.origin}/a and {files.origin}/b".encode()
        shown = f"see {run.url}/a and {run.url}/b".encode()
        got = run.part("bytes=10-")
        assert got.body == shown[10:]
        assert got.header("content-range") == f"bytes 10-{len(shown) - 1}/{len(shown)}"
        assert run.outcomes(1) == ["recorded"]
        assert eventually(lambda: "{{origin}}" in str(cassettes(tmp_path)))


def test_a_part_that_upstream_makes_is_passed_on_byte_for_byte(tmp_path: Path) -> None:
    files = Files(b"", *TEXT)
    with recorded(tmp_path, files) as run:
        files.data = f"see {files.origin}/a and {files.origin}/b".encode()
        got = run.part("bytes=0-39", SIGNED)
        assert (got.body, got.header("content-length")) == (files.data[:40], "40")


def test_a_body_that_is_coded_all_the_same_is_cut_in_its_coding(tmp_path: Path) -> None:
    files = Files(gzip.compress(DATA[:1000]), *BINARY, "Content-Encoding: gzip")
    with recorded(tmp_path, files) as run:
        got = run.part("bytes=0-99", ("Accept-Encoding", "gzip"))
        assert (got.body, got.header("content-encoding")) == (files.data[:100], "gzip")
    assert replayed(tmp_path, "bytes=0-99").body == DATA[:100]


def test_a_part_has_no_checksum_of_the_whole_here_and_on_replay(tmp_path: Path) -> None:
    sums = ("Content-MD5: x", "Digest: x", "x-amz-checksum-crc32: x", "x-goog-hash: x", "Repr-Digest: x")
    with recorded(tmp_path, Files(DATA, *BINARY, *sums)) as run:
        live = run.part("bytes=0-9")
        whole = ask(run.url, "GET", "/film")
        run.outcomes(2)
    for got in (live, replayed(tmp_path, "bytes=0-9")):
        assert [got.header(line.partition(":")[0].lower()) for line in sums] == ["", "", "", "", "x"]
    assert whole.header("content-md5") == "x"


@pytest.mark.parametrize(("named", "status"), [(TAG, 206), ('"v0"', 200), (f"W/{TAG}", 200)])
def test_a_part_of_something_older_is_the_whole(tmp_path: Path, named: str, status: int) -> None:
    with recorded(tmp_path) as run:
        got = run.part("bytes=0-9", ("If-Range", named))
        assert (got.status, len(got.body)) == (status, 10 if status == 206 else len(DATA))
        assert run.outcomes(1) == ["recorded"]
        assert run.files.asked("If-Range") == [""]


@pytest.mark.parametrize("text", ["bytes=0-1,5-6", "bytes=9-1", "lines=1-2"])
def test_what_is_not_one_range_goes_upstream_as_it_came(tmp_path: Path, text: str) -> None:
    files = Files()
    files.ranges = False
    with recorded(tmp_path, files) as run:
        assert (run.part(text).status, run.files.asked("Range")) == (200, [text])
        assert run.outcomes(1) == ["recorded"]


def test_ranges_of_other_methods_go_upstream_as_they_came(tmp_path: Path) -> None:
    with recorded(tmp_path) as run:
        head, post = run.part("bytes=0-9", method="HEAD"), run.part("bytes=0-9", method="POST")
        assert (head.status, post.status, run.files.asked("Range")) == (206, 206, ["bytes=0-9"] * 2)
        assert run.outcomes(2) == ["forwarded", "recorded"]


def test_a_backend_that_takes_no_ranges_is_not_made_to(tmp_path: Path) -> None:
    with recorded(tmp_path, Files(DATA, *BINARY, "Accept-Ranges: none")) as run:
        assert run.part("bytes=0-9").status == 200
        assert run.outcomes(1) == ["recorded"]


def test_what_is_no_whole_is_the_answer(tmp_path: Path) -> None:
    files = Files(b"gone", *TEXT)
    files.status = "404 Not Found"
    with recorded(tmp_path, files) as run:
        got = run.part("bytes=0-1")
        assert (got.status, got.body) == (404, b"gone")
        assert run.outcomes(1) == ["recorded"]
        run.files.status = "206 Partial Content"
        assert run.part("bytes=0-1", target="/always").status == 206
        assert run.outcomes(2) == ["recorded", "forwarded"]
        assert "it is a part only" in run.told.log


def test_what_is_not_recorded_is_asked_for_as_the_client_does(tmp_path: Path) -> None:
    with recorded(tmp_path, skip=("/film",)) as run:
        assert run.part("bytes=0-9").body == DATA[:10]
        assert run.files.asked("Range") == ["bytes=0-9"]


def test_a_backend_that_cannot_be_reached_is_told_of_as_ever(tmp_path: Path) -> None:
    with running_app(tmp_path, upstreams=(parse_upstream("http://127.0.0.1:1"),), mode="all") as app:
        got = ask(app.url, "GET", "/film", [("Range", "bytes=0-9")])
        assert (got.status, got.json()["code"]) == (502, "upstream_unreachable")


def test_a_whole_that_does_not_end_is_given_up_after_its_client_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replaymock.proxy.detached.LINGER_SECONDS", 0.2)
    files = Files()
    files.gate.clear()
    with recorded(tmp_path, files) as run:
        assert run.part("bytes=0-9").body == DATA[:10]
        assert run.outcomes(1) == ["forwarded"]
        assert "not saved, it goes on 0.2 s after its client has its part" in run.told.log
        files.gate.set()
    assert cassettes(tmp_path) == {}


def test_what_fills_a_gap_is_kept_whole_and_cut_from_there_on(tmp_path: Path) -> None:
    with recorded(tmp_path, mode="new") as run:
        assert run.part("bytes=0-9").body == DATA[:10]
        assert run.outcomes(1) == ["recorded"]
        assert run.part("bytes=10-19").body == DATA[10:20]
        assert (run.outcomes(2), len(run.files.heads)) == (["recorded", "hit"], 1)
