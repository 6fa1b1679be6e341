"""Every cassette of the corpus in one folder: served, or refused with its place, and `check` says the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replaymock.app import App
from tests.support.corpus.cassettes import CASSETTES, SERVED, SPECIAL
from tests.support.inside import Told, put, running_app
from tests.support.running import ask, run

SECRET = "what lies beside the folder"
VERDICTS = [(name, verdict) for name, _, verdict in (*CASSETTES, *SPECIAL)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, each at a path of its own, its number; and a good one among them."""
    beside = tmp_path_factory.mktemp("hostile")
    for name in ("secret.txt", "secret.bin"):
        (beside / name).write_text(SECRET)
    for number in range(len(VERDICTS)):
        (beside / f"c/{number:04}").mkdir(parents=True)
    for number, (_, data, _) in enumerate(CASSETTES):
        (beside / f"c/{number:04}/GET.json").write_bytes(data.replace(b"/here", f"/{number:04}".encode()))
    for number, (_, make, _) in enumerate(SPECIAL, len(CASSETTES)):
        make(beside / f"c/{number:04}/GET.json")
    put(beside / "c", "z.json", {"good": 2})
    return beside / "c"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[App, Told]]:
    told = Told()
    with running_app(folder, told) as app:
        yield app, told


def said(message: str, number: int) -> str:
    """What is said of a file, behind its name."""
    return message.partition("/GET.json:")[2].replace(f"/{number:04}", "/here")


def test_each_is_served_or_refused_with_its_place_and_the_reason(served: tuple[App, Told]) -> None:
    app, _ = served
    wrong = {}
    for number, (name, verdict) in enumerate(VERDICTS):
        got = ask(app.url, "GET" if verdict else "HEAD", f"/{number:04}")
        detail = got.json()["detail"] if verdict else ""
        if got.status == 500 if verdict == SERVED else verdict not in said(detail, number) or got.status != 500:
            wrong[name] = (verdict, got.status, detail)
        assert SECRET.encode() not in got.body
    assert wrong == {}


def test_the_others_are_served(served: tuple[App, Told]) -> None:
    assert ask(served[0].url, "GET", "/z").json() == {"good": 2}


def test_check_says_the_same_as_the_log_of_a_replay(folder: Path, served: tuple[App, Told]) -> None:
    logged = [event["message"] for event in served[1].events("broken")]
    ended = run("check", str(folder))
    assert sorted(ended.stdout.splitlines()) == sorted(logged)
    assert ended.returncode == 1
    refused = [f"{number:04}" for number, (_, verdict) in enumerate(VERDICTS) if verdict != SERVED]
    assert sorted(Path(message.partition(":")[0]).parent.name for message in logged) == sorted(refused)
    assert SECRET not in ended.stdout + ended.stderr


def test_a_plain_mock_may_hold_a_number_of_any_length_but_no_half_character(tmp_path: Path) -> None:
    put(tmp_path, "good.json", {"good": 1})
    put(tmp_path, "digits.json", '{"a": ' + "9" * 5000 + "}")
    put(tmp_path, "half.json", '"\\ud800"')
    with running_app(tmp_path) as app:
        assert ask(app.url, "GET", "/good").json() == {"good": 1}
        assert ask(app.url, "GET", "/digits").body == b'{"a": ' + b"9" * 5000 + b"}"
        assert "half a character" in ask(app.url, "GET", "/half").json()["detail"]


def test_what_cannot_stand_in_a_target_means_its_encoded_form(tmp_path: Path) -> None:
    for number, path in enumerate(("/a b", "/a\r\nX: y", "/a\0", "/caf\xe9")):
        value = {"request": {"path": path}, "responses": [{"json": path}]}
        put(tmp_path, f"GET--{number}.json", value)
    with running_app(tmp_path) as app:
        answers = [ask(app.url, "GET", path).json() for path in ("/a%20b", "/a%0D%0AX:%20y", "/a%00", "/caf%C3%A9")]
    assert answers == ["/a b", "/a\r\nX: y", "/a\0", "/caf\xe9"]


def test_the_corpus_is_no_smaller_than_it_was_meant_to_be() -> None:
    assert len({name for name, _ in VERDICTS}) == len(VERDICTS) >= 140
    assert len({data for _, data, _ in CASSETTES}) == len(CASSETTES)
