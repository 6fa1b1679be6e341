"""What a run says of itself at its start and at its end."""

import errno
import json
import os
from pathlib import Path

import pytest

from replaymock.app import describe
from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.proxy.routes import Upstream
from replaymock.telemetry import lifecycle
from replaymock.telemetry.event_text import plain, text_of
from replaymock.telemetry.events import Event, Warned
from replaymock.telemetry.lifecycle import RecordingSummary


def said(settings: Settings, cassettes: int = 2) -> tuple[Event, str]:
    """What is emitted when a run with these settings is ready, and its text."""
    events: list[Event] = []
    lifecycle.announce(describe(settings), 8081, cassettes, events.append)
    (event,) = events
    return event, text_of(event, plain)


def test_the_ready_file_holds_what_the_event_does(tmp_path: Path) -> None:
    place = tmp_path / "ready"
    event, text = said(Settings(ready_file=str(place)))
    assert event.name == "ready"
    assert text == "replaymock replay ready: http://localhost:8081 (2 cassettes)"
    assert event.to_json() == {"url": "http://localhost:8081", "port": 8081, "pid": os.getpid(), "cassettes": 2}
    assert json.loads(place.read_text()) == {"event": "ready", **event.to_json()}
    assert [file.name for file in tmp_path.iterdir()] == ["ready"]


def test_a_recorder_says_where_requests_go_and_cassettes_lie() -> None:
    upstreams = (Upstream("", "https://a.test", "/v1"), Upstream("/ws", "http://localhost:1"))
    _, text = said(Settings(upstreams=upstreams, cassettes="tests/cassettes"))
    assert text.splitlines() == [
        "replaymock record ready: http://localhost:8081 (2 cassettes)",
        "forwards to https://a.test/v1, /ws to http://localhost:1; writes into tests/cassettes/",
    ]


def test_an_empty_folder_is_said_with_a_way_to_begin() -> None:
    _, text = said(Settings(), 0)
    assert text.endswith("\ncassettes/ holds none: put JSON into cassettes/hello.json to have it at /hello")


def test_several_workers_are_said_with_what_they_do_not_share() -> None:
    event, text = said(Settings(workers=3), 1)
    assert event.to_json()["workers"] == 3
    assert text.endswith("(1 cassette; 3 workers, each with its own positions in sequences)")


def test_what_cannot_be_applied_is_a_warning_and_so_is_a_host_that_others_reach() -> None:
    events: list[Event] = []
    for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0"):
        lifecycle.warn(lifecycle.RunDescription("replay", host, "c", notes=(host,)), events.append)
    reach = Warned("--host 0.0.0.0: whoever can reach this machine can reach this server")
    assert events == [Warned("localhost"), Warned("127.0.0.1"), Warned("::1"), reach, Warned("0.0.0.0")]


def test_a_ready_file_that_cannot_be_written_is_named_and_nothing_is_announced(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--ready-file .*none/ready: cannot be written"):
        said(Settings(ready_file=str(tmp_path / "none/ready")))


def test_nothing_is_left_of_a_ready_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_place: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / f"ready.{os.getpid()}").touch()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match=r"--ready-file .*/ready: cannot be written: No space left on device"):
        said(Settings(ready_file=str(tmp_path / "ready")))
    assert not list(tmp_path.iterdir())


def test_a_pipe_as_ready_file_is_written_to_where_it_is_read_and_stays(tmp_path: Path) -> None:
    place = tmp_path / "ready"
    os.mkfifo(place)
    with pytest.raises(UsageError, match=r"--ready-file .*/ready: cannot be written: No such device or address"):
        said(Settings(ready_file=str(place)))
    reading = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    said(Settings(ready_file=str(place)))
    assert json.loads(os.read(reading, 1000))["event"] == "ready"
    os.close(reading)
    lifecycle.withdraw(str(place))
    assert place.is_fifo()


def test_a_ready_file_is_withdrawn_whether_there_is_one_or_not(tmp_path: Path) -> None:
    place = tmp_path / "ready"
    place.write_text("{}")
    for _ in range(2):
        lifecycle.withdraw(str(place))
    assert not place.exists()
    lifecycle.withdraw("")


@pytest.mark.parametrize(
    ("host", "url"), [("localhost", "http://localhost:1"), ("::1", "http://[::1]:1"), ("0.0.0.0", "http://0.0.0.0:1")]
)
def test_a_url_can_be_opened(host: str, url: str) -> None:
    assert lifecycle.url_of(host, 1) == url


def test_a_summary_counts_by_outcome_and_speaks_of_failed_writes_only_where_there_were_some() -> None:
    summary = lifecycle.summary({"hit": 3, "miss": 1, "refused": 1}, unused=4)
    members = summary.to_json()
    assert (members["requests"], members["hits"], members["misses"], members["unused"]) == (5, 3, 1, 4)
    assert (members["recorded"], members["redacted"], members["redacted_files"], members["failed_writes"]) == (
        0,
        0,
        0,
        0,
    )
    assert text_of(summary, plain) == "replaymock: hits 3, misses 1, unused 4"
    summary = lifecycle.summary({"hit": 3}, 4, RecordingSummary(0, 0), failed_writes=2)
    assert text_of(summary, plain) == "replaymock: hits 3, misses 0, recorded 0, unused 4, redacted 0, failed writes 2"


def test_a_summary_says_in_how_many_cassettes_something_is_hidden() -> None:
    summary = lifecycle.summary({}, 0, RecordingSummary(2, 3), failed_writes=1)
    assert (summary.redacted, summary.redacted_files) == (2, 3)
    assert text_of(summary, plain).endswith("redacted 2 in 3 cassettes, failed writes 1")


def test_what_alone_changed_is_told_with_the_rules_that_are_there_already() -> None:
    told: list[Event] = []
    hint = lifecycle.changed(("x/GET.json", "y/GET.json"), ("json:$.a", "json:$.b"), ("header:etag",), "under [record]")
    lifecycle.sum_up({}, 0, RecordingSummary(0, 0, (hint,)), 0, told.append)
    event, summary = told
    assert (event, summary.name) == (hint, "summary")
    assert (event.name, event.to_json()["hint"]) == ("changed", 'volatile = ["header:etag", "json:$.a", "json:$.b"]')
    text = "x/GET.json and 1 cassette more: changed only in json:$.a and json:$.b."
    advice = "If these values are noise (clocks, ids), put this line under [record]: "
    assert text_of(event, plain) == f"{text} {advice}{hint.hint}"


def test_a_folder_is_told_from_here_and_never_with_all_that_is_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path.parent / "other" / "cassettes"
    found = [lifecycle.place_of(str(folder)) for folder in ("a/b", tmp_path / "a" / "b", elsewhere)]
    assert found == ["a/b", "a/b", "cassettes"]


def test_each_hint_has_one_whole_line_in_which_no_selector_stands_twice() -> None:
    volatile = ("header:etag", "json:$.a", "json:$.b")
    hints = [lifecycle.changed(("x/GET.json",), (field,), volatile, "under [record]") for field in volatile[1:]]
    assert [hint.only_in for hint in hints] == [("json:$.a",), ("json:$.b",)]
    assert {hint.hint for hint in hints} == {'volatile = ["header:etag", "json:$.a", "json:$.b"]'}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_bound_to_every_address_names_those_that_can_be_opened(host: str) -> None:
    event, text = said(Settings(host=host), 3)
    assert event.to_json()["url"] == lifecycle.url_of(host, event.to_json()["port"])
    here, *elsewhere = event.addresses
    assert here == f"http://localhost:{event.port}"
    assert len(elsewhere) <= 1
    assert not any(name in url for url in elsewhere for name in ("0.0.0.0", "[::]", "localhost", "192.0.2.1"))
    assert text.startswith(
        f"replaymock replay ready: {', from other machines '.join([here, *elsewhere])} (3 cassettes)"
    )


def test_a_server_that_cannot_be_reached_from_elsewhere_names_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "no network")

    assert lifecycle.addresses_of("localhost", 1) == lifecycle.addresses_of("::1", 1) == ()
    monkeypatch.setattr("socket.socket", fails)
    assert lifecycle.addresses_of("0.0.0.0", 1) == ("http://localhost:1",)
