"""What the disk did not take is kept as far as there is room."""

from replaymock.storage.write_queue import FailedWrites
from tests.support.factories import a_cassette


def test_what_is_kept_is_taken_in_its_order_and_counted_until_then() -> None:
    unsaved = FailedWrites()
    for file in ("a", "b", "c", "a"):
        assert unsaved.keep(file, a_cassette(f"/{file}"), 1)
    assert len(unsaved) == 3
    assert list(unsaved.take(1)) == [("b", a_cassette("/b"))]
    unsaved.drop("nothing")
    assert [file for file, _ in unsaved.take()] == ["c", "a"]
    assert len(unsaved) == 0


def test_what_there_is_no_room_for_is_counted_until_it_is_written() -> None:
    unsaved = FailedWrites(budget=10)
    assert unsaved.keep("a", a_cassette(), 6)
    assert not unsaved.keep("b", a_cassette(), 6)
    assert not unsaved.keep("never", a_cassette(), float("inf"))
    assert len(unsaved) == 3
    assert [file for file, _ in unsaved.take()] == ["a"]
    assert unsaved.keep("b", a_cassette(), 6)
    unsaved.drop("never")
    assert len(unsaved) == 1
