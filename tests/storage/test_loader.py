"""Cassette files as they are read, and what tells whether they are still the same."""

import os
import socket
from pathlib import Path

import pytest

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.reader import CHECK_ONLY
from replaymock.errors import CassetteError
from replaymock.storage.loader import CassetteLoader
from tests.support.inside import put, simple


def test_a_file_and_its_sidecars_are_the_same_until_one_of_them_changes(tmp_path: Path) -> None:
    put(tmp_path, "a/GET.json", {"request": {"path": "/a"}, "responses": [{"file": "x.txt"}, {"file": "y.txt"}]})
    for name in ("x.txt", "y.txt"):
        put(tmp_path, f"a/{name}", name)
    files = CassetteLoader(tmp_path)
    signature, found = files.read("a/GET.json", CHECK_ONLY)
    assert isinstance(found, Cassette)
    assert files.signature("a/GET.json", ["x.txt", "y.txt"]) == signature
    put(tmp_path, "a/y.txt", "other")
    assert files.signature("a/GET.json", ["x.txt", "y.txt"]) != signature


def test_a_sidecar_that_is_not_there_yet_is_part_of_what_a_file_is_like(tmp_path: Path) -> None:
    put(tmp_path, "GET.json", {"request": {"path": "/a"}, "responses": [{"file": "x.txt"}]})
    files = CassetteLoader(tmp_path)
    signature, found = files.read("GET.json", CHECK_ONLY)
    assert isinstance(found, CassetteError)
    assert files.signature("GET.json", ["x.txt"]) == signature
    put(tmp_path, "x.txt", "x")
    assert files.signature("GET.json", ["x.txt"]) != signature


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "x.json"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.fspath(place))
    _, found = CassetteLoader(tmp_path).read("x.json", CHECK_ONLY)
    assert str(found) == f"{tmp_path}/x.json:1:1: not a regular file"


def test_a_file_is_shown_with_its_folder_as_it_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "a/x.json", simple("/x", 1))
    assert CassetteLoader(Path()).shown("a/x.json") == "a/x.json"
    assert CassetteLoader(Path("./a/")).shown("x.json\n") == "a/x.json\\n"
    assert CassetteLoader(Path()).shown("\u202enosj.x") == "\\u202enosj.x"
