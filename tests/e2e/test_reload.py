"""Cassettes that are edited, added, removed or broken while they are served."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Got, Running, ask, eventually, replaymock


@pytest.fixture(scope="module", params=["notified", "polling"])
def serving(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    folder = tmp_path_factory.mktemp("reload")
    (folder / "first.json").write_text("1")
    env = {"WATCHFILES_FORCE_POLLING": "1"} if request.param == "polling" else {}
    with replaymock("replay", folder, env=env) as server:
        # Served once more after a change, it is known to watch.
        (folder / "first.json").write_text("2")
        eventually(lambda: ask(server.url, "GET", "/first").json() == 2)
        yield server, folder


def soon(look: Callable[[], Any]) -> None:
    """Holds that something is so within a second."""
    eventually(look, 1.0)


def written(folder: Path, name: str, value: Any) -> Path:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(value if isinstance(value, str) else json.dumps(value))
    return place


def a_file(path: str, **response: Any) -> dict[str, Any]:
    return {"version": 1, "request": {"path": path}, "responses": [response]}


def test_polling_asks_the_system_for_no_notices(serving: tuple[Running, Path], request: pytest.FixtureRequest) -> None:
    server, _ = serving

    def has_asked() -> bool:
        links = (file.readlink().name for file in Path(f"/proc/{server.process.pid}/fd").iterdir())
        return "anon_inode:inotify" in links

    if "notified" in request.node.name:
        eventually(has_asked)
    else:
        assert not has_asked()


def test_an_added_plain_mock_is_served_within_a_second(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    assert ask(server.url, "GET", "/new/one").status == 404
    written(folder, "new/one.json", {"one": 1})
    soon(lambda: ask(server.url, "GET", "/new/one").status == 200)


def test_an_edited_cassette_is_served_within_a_second(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    for number in range(3):
        written(folder, "edited/GET.json", a_file("/edited", json={"number": number}))
        soon(lambda number=number: _json(ask(server.url, "GET", "/edited")) == {"number": number})


def test_an_edit_of_the_same_size_is_seen(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    for letter in "abcd":
        written(folder, "same.json", f'"{letter}"')
        soon(lambda letter=letter: _json(ask(server.url, "GET", "/same")) == letter)


def test_a_file_moved_over_another_as_editors_do_is_served(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    written(folder, "moved.json", "1")
    soon(lambda: _json(ask(server.url, "GET", "/moved")) == 1)
    written(folder, ".moved.swp", "2").rename(folder / "moved.json")
    soon(lambda: _json(ask(server.url, "GET", "/moved")) == 2)


def test_a_removed_file_and_a_removed_folder_are_gone_within_a_second(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    one, two = written(folder, "gone/one.json", "1"), written(folder, "gone/two.json", "2")
    soon(lambda: ask(server.url, "GET", "/gone/two").status == 200)
    one.unlink()
    soon(lambda: ask(server.url, "GET", "/gone/one").status == 404)
    two.unlink()
    one.parent.rmdir()
    soon(lambda: ask(server.url, "GET", "/gone/two").status == 404)


def test_a_sidecar_is_served_as_it_is_edited(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    written(folder, "side/GET.body.txt", "one")
    written(folder, "side/GET.json", a_file("/side", file="GET.body.txt"))
    soon(lambda: ask(server.url, "GET", "/side").body == b"one")
    written(folder, "side/GET.body.txt", "two")
    soon(lambda: ask(server.url, "GET", "/side").body == b"two")


def test_a_broken_file_is_named_once_and_comes_back_when_mended(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    place = written(folder, "fragile/GET.json", a_file("/fragile", json=1))
    soon(lambda: ask(server.url, "GET", "/fragile").status == 200)
    place.write_text('{"version": 1,\n "request": {,}}')
    soon(lambda: ask(server.url, "GET", "/fragile").status == 500)
    written(folder, "fragile-neighbour.json", "1")
    soon(lambda: ask(server.url, "GET", "/fragile-neighbour").status == 200)
    assert server.log.count(f"{place}:2:14:") == 1
    written(folder, "fragile/GET.json", a_file("/fragile", json=2))
    soon(lambda: _json(ask(server.url, "GET", "/fragile")) == 2)


def test_a_reload_keeps_the_positions_of_unchanged_sequences(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    steps = [{"json": step} for step in ("pending", "half", "done")]
    written(folder, "job/GET.json", {"version": 1, "request": {"path": "/job"}, "responses": steps})
    soon(lambda: ask(server.url, "HEAD", "/job").status == 200)
    assert _json(ask(server.url, "GET", "/job")) == "pending"
    written(folder, "job-neighbour.json", "1")
    soon(lambda: ask(server.url, "GET", "/job-neighbour").status == 200)
    assert [_json(ask(server.url, "GET", "/job")) for _ in range(3)] == ["half", "done", "done"]


def test_the_hangup_signal_reloads(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    written(folder, "hangup.json", "1")
    server.process.send_signal(signal.SIGHUP)
    soon(lambda: ask(server.url, "GET", "/hangup").status == 200)
    assert server.process.poll() is None


def test_requests_are_answered_while_files_change(serving: tuple[Running, Path]) -> None:
    server, folder = serving
    ends = time.monotonic() + 0.5
    written(folder, "steady.json", '"steady"')
    soon(lambda: ask(server.url, "GET", "/steady").status == 200)
    number = 0
    while time.monotonic() < ends:
        written(folder, f"churn/{number % 10}.json", str(number))
        assert _json(ask(server.url, "GET", "/steady")) == "steady"
        number += 1


def _json(got: Got) -> Any:
    return got.json() if got.status == 200 else None
