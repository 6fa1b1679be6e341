"""Lines that nobody waits for: in order, none lost while they are taken, and counted where they are not."""

import contextlib
import errno
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replaymock.telemetry import printing
from replaymock.telemetry.printing import Printer
from tests.support.running import eventually


class Disk(io.RawIOBase):
    """What is written, in memory: some bytes at a time, and none while it is full."""

    def __init__(self, *, full: bool = False, most: int = 1 << 20) -> None:
        self.full = full
        self.data = b""
        self.tries = 0
        self._most = most

    def write(self, data: Any) -> int | None:
        self.tries += 1
        if self.full:
            return self.refuse()
        self.data += data[: self._most]
        return min(len(data), self._most)

    def refuse(self) -> int | None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Shared(Disk):
    """A terminal that another process has set not to block."""

    def refuse(self) -> int | None:
        return None


class Closed(Disk):
    """A stream that is closed already."""

    def refuse(self) -> int | None:
        raise ValueError("write to closed file")


def missing(count: int) -> str:
    return f"{count} missing"


class Pipe:
    """The end that is read, and a printer on the other."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.raw = io.FileIO(writing, "w")
        self.printer = Printer(self.raw, missing)

    def read(self, end: str = "\n", most: int = 1 << 20) -> str:
        """What comes, up to some text."""
        found = ""
        while not found.endswith(end):
            found += os.read(self.reading, most).decode()
        return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    found = Pipe()
    yield found
    with contextlib.suppress(OSError):
        os.close(found.reading)
    found.raw.close()


def lines(count: int, start: int = 0) -> list[str]:
    return [f"{number:>99}\n" for number in range(start, start + count)]


def test_lines_are_written_in_their_order_and_all_of_them(pipe: Pipe) -> None:
    told = lines(5000)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read(told[-1])))
    reader.start()
    for line in told:
        pipe.printer.write(line)
    assert pipe.printer.close() == 0
    reader.join()
    assert found == ["".join(told)]


def test_a_line_is_written_without_anybody_asking_for_it(pipe: Pipe) -> None:
    for line in ("ready\n", "and more\n", "and again\n"):
        pipe.printer.write(line)
        assert pipe.read() == line


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_later_tells_how_many_lines_are_missing(pipe: Pipe) -> None:
    told = lines(15_000)
    for line in told:
        pipe.printer.write(line)
    *kept, notice = pipe.read("missing\n").splitlines(keepends=True)
    assert kept == told[: len(kept)]
    assert notice == f"{len(told) - len(kept)} missing\n"
    pipe.printer.write("as before\n")
    assert pipe.read() == "as before\n"
    assert pipe.printer.close() == 0


@pytest.mark.parametrize("size", [1, 500, 5000])
def test_what_waits_is_bounded_by_lines_and_by_bytes(size: int) -> None:
    disk = Disk(full=True)
    printer = Printer(disk, missing)
    for _ in range(30_000):
        printer.write("x" * (size - 1) + "\n")
    disk.full = False
    eventually(lambda: b"missing" in disk.data)
    kept = disk.data.count(b"\n") - 1
    assert kept == min(printing.MOST_LINES, printing.MOST_BYTES // size)
    assert disk.data.endswith(f"{30_000 - kept} missing\n".encode())


def test_a_line_of_any_length_is_taken_where_nothing_waits() -> None:
    disk = Disk()
    printer = Printer(disk, missing)
    long = "y" * (2 * printing.MOST_BYTES) + "\n"
    printer.write(long)
    assert printer.close() == 0
    assert disk.data == long.encode()


def test_what_speaks_of_the_whole_run_is_never_dropped() -> None:
    disk = Disk(full=True)
    printer = Printer(disk, missing)
    for line in lines(20_000):
        printer.write(line)
    printer.write_surely("summary\n")
    disk.full = False
    eventually(lambda: disk.data.endswith(b"missing\nsummary\n"))


@pytest.mark.parametrize("disk", [Disk(full=True, most=7), Shared(full=True, most=7)], ids=["disk", "shared"])
def test_no_line_is_torn_or_lost_by_a_disk_that_is_full_for_a_time(disk: Disk) -> None:
    printer = Printer(disk, missing)
    told = lines(100)
    for line in told[:50]:
        printer.write(line)
    eventually(lambda: disk.tries)
    disk.full = False
    for line in told[50:]:
        printer.write(line)
    assert printer.close() == 0
    assert disk.data.decode() == "".join(told)


@pytest.mark.parametrize("kind", [Disk, Shared, Closed])
def test_what_cannot_be_written_at_the_end_is_given_up_soon_and_counted(kind: type[Disk]) -> None:
    disk = kind(full=True)
    printer = Printer(disk, missing)
    for line in lines(30):
        printer.write(line)
    assert printer.close() == 30


def test_a_reader_that_is_gone_is_no_reason_to_stop(pipe: Pipe) -> None:
    os.close(pipe.reading)
    for line in lines(12_000):
        pipe.printer.write(line)
    assert pipe.printer.close() == 12_000


def test_an_end_waits_for_a_reader_as_long_as_it_reads(pipe: Pipe) -> None:
    told = lines(3000)
    for line in told:
        pipe.printer.write(line)
    reader = threading.Thread(target=lambda: pipe.read(told[-1], 5000))
    reader.start()
    assert pipe.printer.close() == 0
    reader.join()


def test_an_end_does_not_wait_for_who_does_not_read(pipe: Pipe) -> None:
    for line in lines(3000):
        pipe.printer.write(line)
    started = time.monotonic()
    assert 1000 < pipe.printer.close() <= 3000
    assert time.monotonic() - started < printing.LAST_SECONDS


def test_lines_of_many_threads_are_kept_whole() -> None:
    disk = Disk(most=7)
    printer = Printer(disk, missing)
    threads = [
        threading.Thread(target=lambda at=at: [printer.write(line) for line in lines(300, at * 300)]) for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert printer.close() == 0
    assert sorted(disk.data.decode().splitlines(keepends=True)) == lines(1200)


def test_a_child_prints_by_itself_and_nothing_twice() -> None:
    code = (
        "import os, sys; from replaymock.telemetry.printing import printer\n"
        "told = printer(sys.stdout, str)\n"
        "for _ in range(300): told.write('of the parent' + chr(10))\n"
        "if not os.fork(): told.start_anew(); told.write('of the child' + chr(10)); os._exit(told.close())\n"
        "assert os.wait()[1] == 0; told.close()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert sorted(ended.stdout.splitlines()) == ["of the child"] + ["of the parent"] * 300


def test_what_has_no_letters_for_it_is_written_with_escapes() -> None:
    disk = Disk()
    printer = Printer(disk, missing, "ascii")
    printer.write("é \ud800\n")
    assert printer.close() == 0
    assert disk.data == b"\\xe9 \\ud800\n"


def test_a_stream_in_memory_is_written_to_at_once() -> None:
    memory = io.StringIO()
    assert printing.printer(memory, missing) is memory
    assert printing.printer(io.TextIOWrapper(io.BytesIO()), missing).write("x\n") == 2


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_stream_on_a_file_has_its_lines_after_what_was_printed_before(tmp_path: Path, buffering: int) -> None:
    place = tmp_path / "log"
    with io.TextIOWrapper(place.open("wb", buffering=buffering), "utf-8") as stream:
        stream.write("before\n")
        printer = printing.printer(stream, missing)
        assert isinstance(printer, Printer)
        printer.write("after\n")
        assert (printer.isatty(), printer.close()) == (False, 0)
    assert place.read_text() == "before\nafter\n"


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_what_is_closed_at_the_start_is_opened_on_nothing(closed: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "from replaymock.telemetry.printing import open_closed_streams; import os, sys; open_closed_streams()\n"
        "print('x', flush=True); print('y', file=sys.stderr, flush=True); sys.stdin.read()\n"
        f"opened = os.open({str(told)!r}, os.O_WRONLY | os.O_CREAT); os.write(opened, str(opened > 2).encode())"
    )
    line = f'"{sys.executable}" -c "$CODE" {closed}'
    ended = subprocess.run(
        ["sh", "-c", line], env={**os.environ, "CODE": code}, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (ended.returncode, told.read_text()) == (0, "True"), ended.stderr
