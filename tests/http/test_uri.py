"""Paths and queries in the form they are compared in, and path patterns."""

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from replaymock.http import uri
from tests.support import strategies


@pytest.mark.parametrize(
    ("sent", "compared"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a%2fb", "/a%2Fb"),
        ("/%7euser/%41", "/~user/A"),
        ("//x", "//x"),
        ("/x/", "/x/"),
        ("/a/../b", "/a/../b"),
        ("/é", "/%C3%A9"),
        ("/Ã©", "/%C3%A9"),
        ("/日本", "/%E6%97%A5%E6%9C%AC"),
        ("/\xff", "/%C3%BF"),
        ("/a b", "/a%20b"),
        ("/100%", "/100%"),
        ('/"<>', '/"<>'),
        ("/x/{{redacted:jwt:2}}/y", "/x/%7B%7Bredacted%7D%7D/y"),
        ("/x/%7B%7Bredacted%3Ajwt%7D%7D", "/x/%7B%7Bredacted%7D%7D"),
    ],
)
def test_paths_differ_only_where_their_bytes_mean_something_else(sent: str, compared: str) -> None:
    assert uri.normal_path(sent) == compared


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6).map(lambda text: quote(text, safe="")), max_size=4))
def test_a_compared_path_is_compared_as_itself(segments: list[str]) -> None:
    path = uri.normal_path("/" + "/".join(segments))
    assert uri.normal_path(path) == path


@given(st.binary(max_size=12))
def test_a_path_is_compared_alike_however_it_is_escaped(data: bytes) -> None:
    assume(b"%" not in data)
    escaped = "/" + "".join(f"%{byte:02x}" for byte in data)
    assert uri.normal_path(escaped) == uri.normal_path("/" + quote(data, safe=""))


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", ()),
        ("a", (("a", None),)),
        ("a=", (("a", ""),)),
        ("a&a=&=b", (("a", None), ("a", ""), ("", "b"))),
        ("a=b=c", (("a", "b=c"),)),
        ("a+b=c%20d", (("a b", "c d"),)),
        ("&&a=1&", (("a", "1"),)),
        ("a=%FF", (("a", "%FF"),)),
        ("a=%2541", (("a", "%2541"),)),
        ("a=100%", (("a", "100%"),)),
        ("a=é", (("a", "é"),)),
        ("a=Ã©", (("a", "é"),)),
    ],
)
def test_queries_are_read_into_pairs(query: str, pairs: uri.Pairs) -> None:
    assert uri.parse_query(query) == pairs


@given(st.lists(st.tuples(st.binary(max_size=8), st.none() | st.binary(max_size=8)), max_size=4))
def test_readable_pairs_encode_and_parse_back(raw: list[tuple[bytes, bytes | None]]) -> None:
    sent = "&".join(
        quote(name, safe="") + ("" if value is None else "=" + quote(value, safe="")) for name, value in raw
    )
    pairs = uri.parse_query(sent)
    assert uri.parse_query("&".join(uri.encode_pair(*pair) for pair in pairs)) == pairs


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_different_bytes_are_different_when_readable(one: bytes, other: bytes) -> None:
    assert (uri.readable(quote(one)) == uri.readable(quote(other))) is (one == other)


@given(st.text(max_size=12).filter(lambda text: text.isprintable()))
def test_readable_text_is_readable_as_itself(text: str) -> None:
    readable = uri.readable(text)
    assert uri.readable(readable) == readable


@given(strategies.queries)
def test_grouped_pairs_come_back_by_name(query: str) -> None:
    pairs = tuple(sorted(uri.parse_query(query), key=lambda pair: pair[0]))
    assert uri.mapping_to_pairs(uri.pairs_to_mapping(pairs)) == pairs
