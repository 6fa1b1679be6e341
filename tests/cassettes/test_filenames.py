"""What the name of a file says."""

import pytest

from replaymock.cassettes import filenames
from replaymock.cassettes.filenames import cassette_of


@pytest.mark.parametrize(
    ("file", "is_cassette", "is_sidecar"),
    [
        ("GET.json", True, False),
        ("POST--9be2c1d0.json", True, False),
        ("X-OWN--9be2c1d0.json", True, False),
        ("GET--page-2-5f1c09ab.json", True, False),
        ("README.json", False, False),
        ("get.json", False, False),
        ("1.json", False, False),
        ("GET.body.png", False, True),
        ("GET.2.body.json", False, True),
        ("GET--a.body.bin", False, True),
        ("get.body.png", False, False),
        ("package.json", False, False),
    ],
)
def test_files_are_told_apart_by_name(file: str, is_cassette: bool, is_sidecar: bool) -> None:
    assert filenames.is_cassette_name(file) is is_cassette
    assert filenames.is_sidecar_name(file) is is_sidecar


@pytest.mark.parametrize(("file", "path"), [("api/1.json", "/api/1"), ("a.json", "/a"), ("a b.json", "/a b")])
def test_a_plain_mock_is_served_at_its_path(file: str, path: str) -> None:
    assert filenames.mock_path(file) == path


@pytest.mark.parametrize(
    ("file", "cassette"),
    [
        ("a/GET.body.png", "a/GET.json"),
        ("GET--page-2-5f1c09ab.12.body.json", "GET--page-2-5f1c09ab.json"),
        ("a/GET.2.message-3.body.bin", "a/GET.json"),
        ("a/GET.json", "a/GET.json"),
        ("a/logo.body.png", "a/logo.body.png"),
    ],
)
def test_a_sidecar_names_its_cassette(file: str, cassette: str) -> None:
    assert cassette_of(file) == cassette
