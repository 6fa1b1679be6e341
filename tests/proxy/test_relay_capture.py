"""A copy of a body that passes through."""

from replaymock.proxy.relay import BodyCapture


def added(kept: BodyCapture, *pieces: tuple[bytes, float]) -> BodyCapture:
    for piece, now in pieces:
        kept.add(piece, now)
    return kept


def test_a_body_within_the_limit_is_kept_whole() -> None:
    kept = added(BodyCapture(4), (b"ab", 1.0), (b"cd", 2.0))
    assert (kept.whole, kept.data, kept.size) == (True, b"abcd", 4)


def test_of_a_larger_body_nothing_is_kept_or_its_beginning() -> None:
    for beginning, data in ((False, b""), (True, b"abcd")):
        kept = added(BodyCapture(4, beginning=beginning), (b"abc", 1.0), (b"def", 2.0), (b"g", 3.0))
        assert (kept.whole, kept.data, kept.size) == (False, data, 7)
        assert bool(kept.arrivals) == beginning


def test_what_is_kept_may_be_looked_at_while_more_is_coming() -> None:
    kept = BodyCapture(10)
    assert kept.data == b""
    for piece, all_of_it in ((b"ab", b"ab"), (b"c", b"abc"), (b"d", b"abcd")):
        kept.add(piece, 1.0)
        assert kept.data == all_of_it
        assert kept.data is kept.data


def test_pieces_that_come_together_have_arrived_at_one_moment() -> None:
    kept = added(BodyCapture(9), (b"a", 1.0), (b"b", 1.0001), (b"c", 1.5))
    assert kept.arrivals == [(2, 1.0), (3, 1.5)]
