"""What `scripts/bench` makes of what it sees; the figures themselves are the business of the machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import figures, load, machine, material, peers, record, rounds
from benchmarks.figures import Sample
from benchmarks.load import Load
from benchmarks.machine import Cores
from benchmarks.processes import DidNotStart, free_port, started
from benchmarks.rounds import Measured
from benchmarks.unredacted import Unredacting
from replaymock.http.messages import Response
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import Redactor
from tests.support.documents import ROOT

WRK = """\
Running 2s test @ http://127.0.0.1:8081
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   412.17us  120.11us   4.55ms   91.20%
    Req/Sec    76.52k     3.01k   80.99k    70.00%
  Latency Distribution
     50%  398.00us
     75%  430.00us
     90%  501.00us
     99%    1.02ms
  152250 requests in 2.00s, 190.22MB read
Requests/sec:  76104.31
Transfer/sec:     95.09MB
"""


def test_what_wrk_prints_is_read_in_milliseconds() -> None:
    assert figures.parse_wrk(WRK) == Sample(152250, 76104.31, 0.398, 1.02)
    assert figures.parse_wrk(WRK.replace("1.02ms", "1.50s")).p99 == 1500


@pytest.mark.parametrize(
    "out",
    [
        WRK + "  Non-2xx or 3xx responses: 7\n",
        WRK.replace("Requests/sec", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec"),
        WRK.replace("152250 requests", "0 requests"),
        "unable to connect to 127.0.0.1:8081 Connection refused\n",
    ],
)
def test_a_round_with_failures_is_no_sample(out: str) -> None:
    with pytest.raises(RuntimeError):
        figures.parse_wrk(out)


def test_ratios_are_taken_round_by_round_before_their_median() -> None:
    ours, theirs = [100.0, 40.0, 90.0], [50.0, 10.0, 90.0]
    assert figures.ratios(ours, theirs) == [2.0, 4.0, 1.0]
    assert figures.spread(figures.ratios(ours, theirs), ".1f") == "2.0 (1.0 to 4.0)"
    measured = {
        name: Measured([Sample(1, rate, 0, 0) for rate in rates])
        for name, rates in (("ours", ours), ("theirs", theirs))
    }
    assert rounds.compared(measured, "theirs") == {"ours": "2.00", "theirs": "1.00"}
    assert rounds.compared(measured, "not measured") == {"ours": figures.NONE, "theirs": figures.NONE}


def test_added_latency_is_a_difference_within_a_round() -> None:
    assert record.added([1.5, 9.0], [0.5, 8.5]) == [1.0, 0.5]


def test_a_quantile_is_one_of_the_values() -> None:
    assert figures.quantile([3, 1, 2], 0.5) == 2
    assert figures.quantile(range(1000), 0.99) == 990


def test_what_is_not_known_is_a_dash_in_the_row() -> None:
    measured = Measured([Sample(10, 1234.5, 0.5, 2.25)], [None], None)
    assert measured.cells() == ["1,234 (1,234 to 1,234)", "2.25", "–", "–"]


def test_a_table_is_markdown() -> None:
    assert figures.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_only_the_part_between_the_markers_is_replaced() -> None:
    page = f"Words.\n\n{figures.BEGIN}\n\nold\n\n{figures.END}\n\nMore words.\n"
    once = figures.replace_part(page, "new\n")
    assert once == page.replace("old", "new")
    assert figures.replace_part(once, "new") == once


@pytest.mark.parametrize(
    "page", ["", figures.BEGIN, f"{figures.END} {figures.BEGIN}", f"{figures.BEGIN * 2}{figures.END}"]
)
def test_a_page_without_its_markers_is_not_written(page: str) -> None:
    with pytest.raises(ValueError, match="needs one line"):
        figures.replace_part(page, "new")


def test_the_page_has_its_markers_and_names_every_table() -> None:
    page = bench.PAGE.read_text()
    assert figures.replace_part(page, "new") != page
    assert [name for name in bench.TABLES if f"`{name}`" not in page] == []


def test_the_time_of_a_process_is_read_behind_its_name() -> None:
    before = "4711 (a name) of (two) R 17 4711 4711 0 -1 4194304 500 0 0 0 "
    assert machine.parse_stat(before + "120 30 0 0 20 0 1 0 12345 1000000 250\n") == (17, 150)


def test_memory_is_read_in_megabytes() -> None:
    assert machine.parse_status("Name:\tpython\nVmHWM:\t   61440 kB\nVmRSS:\t   51200 kB\n") == (50.0, 60.0)
    assert machine.parse_status("") == (0.0, 0.0)


def test_time_and_memory_of_a_process_include_those_below_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1)
    with child:
        assert child.stdout
        child.stdout.readline()
        assert child.pid in machine.tree(os.getpid())
        alone, both = machine.memory(child.pid), machine.memory(os.getpid())
        assert alone and both and both[0] > alone[0] > 1
        assert (machine.cpu_seconds(os.getpid()) or 0) >= (machine.cpu_seconds(child.pid) or 0)
        child.kill()
    assert machine.cpu_seconds(child.pid) is None


def test_a_pinned_command_names_its_core() -> None:
    assert Cores(0, 1).pinned(["nginx"]) == ["taskset", "-c", "0", "nginx"]
    assert Cores(None, None).pinned(["nginx"]) == ["nginx"]


def test_a_load_asks_for_all_in_turn_or_never_for_the_same_again() -> None:
    around, ever = Load("/items/{n}", 3), Load("/new/{n}", body='{"a":{n}}', method="POST", headers=(("X", "1"),))
    assert [around.request(number, 80).split()[1] for number in range(5)] == [b"/items/%d" % n for n in (0, 1, 2, 0, 1)]
    assert (
        ever.request(12, 80)
        == b'POST /new/12 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nX: 1\r\nContent-Length: 8\r\n\r\n{"a":12}'
    )
    assert "local at, count = 0, 3\n" in load.lua(around)
    assert 'wrk.headers["X"] = "1"\n' in load.lua(ever)


def test_bodies_are_of_about_a_kibibyte_and_differ() -> None:
    assert 950 < len(material.body(1)) < 1100
    assert material.body(1) != material.body(2)
    assert 250 < len(material.sent_order()) < 350


def test_the_secrets_of_a_number_are_its_own_and_would_be_hidden() -> None:
    fields, members = material.secrets("1")
    assert material.secrets("2") != (fields, members)
    name, _, value = fields.rstrip().partition(": ")
    response = Response(200, "OK", (("content-type", material.JSON), (name, value)), f"{{{members[:-1]}}}".encode())
    numbering = PlaceholderAllocator()
    assert Redactor().response(response, numbering) != response
    assert numbering.count == 4
    assert Unredacting().response(response, PlaceholderAllocator()) == response


def test_a_server_that_ends_at_once_leaves_its_last_lines() -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    with pytest.raises(DidNotStart, match="the port is taken"), started(command, free_port(), lambda: False):
        pass


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.name)
def test_every_recipe_names_its_port_and_writes_only_into_its_folder(peer: peers.Peer, tmp_path: Path) -> None:
    for recipe in filter(None, (peer.replay, peer.record)):
        folder = tmp_path / recipe.__name__
        folder.mkdir()
        command = recipe(peers.Place(folder, 54321, count=3, upstream=54322))
        written = "".join(file.read_text() for file in folder.rglob("*") if file.is_file())
        assert "54321" in " ".join(command) + written
        assert ("54322" in " ".join(command) + written) == (recipe is peer.record)


def test_the_bundled_client_measures_replay_and_says_so() -> None:
    line = [sys.executable, "-m", "benchmarks", "--only", "replay", "--bundled"]
    line += ["--count", "20", "--rounds", "1", "--seconds", "0.05"]
    # Nothing is found on an empty path: no other server, no wrk, no taskset.
    bare = {**os.environ, "PATH": ""}
    done = subprocess.run(line, cwd=ROOT, env=bare, capture_output=True, text=True, check=True)
    assert "load by the bundled client" in done.stdout
    assert "not installed, and left out: nginx" in done.stdout
    rows = re.findall(r"^\| (replaymock|stock)[^|]* \| +([0-9.]+) \| [0-9,]+ \(", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["replaymock", "replaymock", "replaymock", "stock"]
    assert rows[-1][1] == "1.00"
