"""Places of faults, and keys that are written twice."""

import pytest

from replaymock.cassettes.diagnostics import FileFault, at_path, refuse_duplicates
from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.writer import dump
from replaymock.http.bodies import Text
from tests.support.factories import recorded


def test_a_place_is_told_as_line_and_column_in_bytes() -> None:
    error = at_path("x.json", '{"é": 1,\n "b": [1, 2]}'.encode(), ("b", 1), "wrong")
    assert str(error) == "x.json:2:11: wrong"


def test_a_place_that_is_not_there_is_the_nearest_above_it() -> None:
    assert str(at_path("x.json", b'{"a": {"b": 1}}', ("a", "c"), "wrong")) == "x.json:1:13: wrong"
    assert str(at_path("x.json", b"[", ("a",), "wrong")) == "x.json:1:1: wrong"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "b": 2, "a": 3}', ("a",)),
        ('{"a": [{"b": 1}, {"b": 1, "b": 1}]}', ("a", 1, "b")),
        ('{"a": {"b": {}, "b": []}}', ("a", "b")),
    ],
)
def test_a_key_that_is_written_twice_is_found_at_any_depth(text: str, place: tuple[str | int, ...]) -> None:
    with pytest.raises(FileFault, match="is written twice") as caught:
        refuse_duplicates(text.encode(), ())
    assert caught.value.place == place


@pytest.mark.parametrize("text", ['{"json": {"a": 1, "a": 2}}', '[["a", 1], ["a", 2]]', "{", "[" * 3000 + "]" * 3000])
def test_json_bodies_and_what_is_no_object_have_no_keys_of_ours(text: str) -> None:
    refuse_duplicates(text.encode(), ())


def test_a_long_body_hides_no_key_that_is_written_twice() -> None:
    body = b'["' + b"x" * 300 + b'"]'
    with pytest.raises(FileFault, match="'a' is written twice"):
        refuse_duplicates(b'{"json": %b, "a": 1, "a": 2}' % body, [body])


RECORDED = dump(
    Cassette(
        CassetteRequest("POST", "/x", (("a", "1"), ("b", None)), (("content-type", "text/plain"),), Text("x")),
        (
            recorded(b'{"a":1,"a":[{"b":2}]}'),
            RecordedResponse(
                201, "Made", (("content-type", "text/plain"), ("x", "1")), b"x", rewrite=False, after="POST /y"
            ),
        ),
    ),
    "POST.json",
)["POST.json"].splitlines(keepends=True)


@pytest.mark.parametrize("line", [at for at, line in enumerate(RECORDED) if line.rstrip().endswith(b'",')])
def test_any_line_of_a_recorded_cassette_that_is_there_twice_is_found(line: int) -> None:
    refuse_duplicates(b"".join(RECORDED), ())
    with pytest.raises(FileFault, match="is written twice"):
        refuse_duplicates(b"".join([*RECORDED[: line + 1], *RECORDED[line:]]), ())


def test_a_fault_quotes_no_credential() -> None:
    token = "ghp_" + "a1B2" * 9
    assert (
        at_path("a", b"{}", (), f"path {token!r} must begin with /").reason == "path '{{redacted}}' must begin with /"
    )
