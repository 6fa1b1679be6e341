"""Content codings in steps, within a bound."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import content_coding
from replaymock.http.content_coding import CodingError

NAMES = ["gzip", "x-gzip", "deflate", "br", "zstd"]
CHAINS = [[name] for name in NAMES] + [["gzip", "br"], ["br", "gzip"], ["zstd", "deflate", "gzip"], []]
LIMIT = 1 << 20

chains = st.sampled_from(CHAINS)
pieces = st.lists(st.binary(max_size=200), max_size=6)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(st.binary(max_size=2000), chains)
def test_what_is_encoded_decodes(data: bytes, names: list[str]) -> None:
    assert content_coding.decode(content_coding.encode(data, names), names, LIMIT) == data


@given(st.binary(max_size=400), chains, st.integers(1, 50))
def test_decoding_in_any_chunks_equals_the_whole(data: bytes, names: list[str], size: int) -> None:
    decoder = content_coding.decoder(names, LIMIT)
    out = b"".join(decoder.feed(piece) for piece in cut(content_coding.encode(data, names), size))
    assert out + decoder.finish() == data


@given(pieces, st.sampled_from([chain for chain in CHAINS if chain]))
def test_encoding_in_pieces_gives_each_piece_at_once(data: list[bytes], names: list[str]) -> None:
    encoder, decoder = content_coding.encoder(names), content_coding.decoder(names, LIMIT)
    for piece in data:
        assert decoder.feed(encoder.feed(piece)) == piece
    assert decoder.feed(encoder.finish()) + decoder.finish() == b""


def test_encoding_gives_the_same_bytes_on_every_run() -> None:
    assert [content_coding.encode(b"abc" * 99, [name]) for name in NAMES] == [
        content_coding.encode(b"abc" * 99, [name]) for name in NAMES
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_cut_short_is_an_error(name: str) -> None:
    whole = content_coding.encode(bytes(range(256)) * 8, [name])
    with pytest.raises(CodingError):
        content_coding.decode(whole[:-9], [name], LIMIT)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_in_the_coding_is_an_error(name: str) -> None:
    with pytest.raises(CodingError):
        content_coding.decode(b"certainly not compressed", [name], LIMIT)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_body_decodes_to_nothing(name: str) -> None:
    assert content_coding.decode(b"", [name], LIMIT) == b""


@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_stops_at_the_limit(name: str) -> None:
    bomb = content_coding.encode(bytes(50_000_000), [name])
    with pytest.raises(CodingError, match="limit"):
        content_coding.decode(bomb, [name], 100_000)


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_limit_is_allowed(name: str) -> None:
    assert content_coding.decode(content_coding.encode(bytes(5000), [name]), [name], 5000) == bytes(5000)
    with pytest.raises(CodingError):
        content_coding.decode(content_coding.encode(bytes(5001), [name]), [name], 5000)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_raw_deflate_is_understood_in_any_chunks(size: int) -> None:
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    raw = squeezer.compress(b"hello " * 50) + squeezer.flush()
    decoder = content_coding.decoder(["deflate"], LIMIT)
    assert b"".join(map(decoder.feed, cut(raw, size))) + decoder.finish() == b"hello " * 50


@pytest.mark.parametrize(("name", "make"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_concatenated_members_are_one_body(name: str, make: Callable[[bytes], bytes], size: int) -> None:
    decoder = content_coding.decoder([name], LIMIT)
    out = b"".join(map(decoder.feed, cut(make(b"one ") + make(b"two"), size)))
    assert out + decoder.finish() == b"one two"


def test_brotli_that_holds_output_back_is_read_to_its_end() -> None:
    data = bytes(range(256)) * 4000
    assert content_coding.decode(brotli.compress(data), ["br"], 2_000_000) == data


@pytest.mark.parametrize(
    ("value", "names"), [("", []), ("identity", []), ("gzip", ["gzip"]), ("GZip, br", ["gzip", "br"]), ("foo", ["foo"])]
)
def test_a_content_encoding_names_codings_in_order(value: str, names: list[str]) -> None:
    assert content_coding.parse(value) == names
    assert content_coding.is_supported(names) is ("foo" not in names)


@pytest.mark.parametrize(
    ("accept", "names", "accepted"),
    [
        ("gzip, br", ["gzip"], True),
        ("gzip;q=0", ["gzip"], False),
        ("gzip; q=0.5", ["gzip"], True),
        ("*", ["br"], True),
        ("*;q=0, br", ["br"], True),
        ("gzip;q=x", ["gzip"], False),
        ("", ["gzip"], False),
        ("gzip", ["gzip", "br"], False),
        ("", [], True),
    ],
)
def test_a_coding_is_accepted_by_name_and_weight(accept: str, names: list[str], accepted: bool) -> None:
    assert content_coding.is_accepted(accept, names) is accepted


@pytest.mark.parametrize(
    ("accept", "cut_to"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
        ("gzip, sdch;q=1", "gzip"),
        ("compress", "identity"),
        ("br;q=0.5", "br;q=0.5"),
    ],
)
def test_codings_unknown_here_are_not_asked_for(accept: str, cut_to: str) -> None:
    assert content_coding.restrict_to_supported(accept) == cut_to


@pytest.mark.parametrize("names", [[name] for name in NAMES] + [["gzip", "br"], ["zstd", "gzip"]])
def test_however_much_there_is_inside_it_comes_out_in_small_pieces(names: list[str]) -> None:
    steps = content_coding.decoder(names, 1 << 40).steps(content_coding.encode(bytes(8 << 20), names))
    sizes = [len(piece) for piece in steps]
    assert max(sizes) <= 1 << 17
    assert sum(sizes) == 8 << 20


def test_no_more_codings_than_usual_are_undone() -> None:
    assert content_coding.is_supported(["gzip"] * content_coding.MOST_CODINGS)
    assert not content_coding.is_supported(["gzip"] * (content_coding.MOST_CODINGS + 1))


def test_more_than_the_limit_is_told_from_damage() -> None:
    with pytest.raises(content_coding.TooLarge):
        content_coding.decode(content_coding.encode(bytes(LIMIT + 1), ["gzip"]), ["gzip"], LIMIT)
