"""The placeholders of one recording."""

from replaymock.redaction.placeholders import PlaceholderAllocator


def test_what_was_added_to_a_copy_is_taken_over() -> None:
    number = PlaceholderAllocator()
    number("token", "a")
    copy = number.copy()
    assert [copy("token", "a"), copy("token", "hunter2abc")] == ["{{redacted:token}}", "{{redacted:token:2}}"]
    assert number.count == 1
    assert number.try_merge(copy)
    assert [number("token", "hunter2abc"), number("token", "c")] == ["{{redacted:token:2}}", "{{redacted:token:3}}"]
    assert number.secrets.hide("hunter2abc") == "{{redacted:token:2}}" and number.secrets.take_new()


def test_it_is_not_where_something_was_added_meanwhile() -> None:
    number = PlaceholderAllocator()
    copy = number.copy()
    copy("token", "a")
    number("token", "b")
    assert not number.try_merge(copy)
    assert number("token", "a") == "{{redacted:token:2}}"


def test_news_that_were_asked_for_meanwhile_are_no_news_again() -> None:
    number = PlaceholderAllocator()
    number("token", "hunter2abc")
    copy = number.copy()
    copy("token", "hunter3abc")
    assert list(number.secrets.take_new()) == ["hunter2abc"]
    assert number.try_merge(copy)
    assert list(number.secrets.take_new()) == ["hunter3abc"]
