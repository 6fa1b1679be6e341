"""What a replay says on a WebSocket, and when."""

import pytest

from replaymock.http.websocket_messages import (
    CLIENT,
    CLOSE,
    SERVER,
    TEXT,
    ConversationPlayback,
    Message,
    is_allowed,
    truncate_reason,
    turns,
)


def said(text: str) -> Message:
    """A message from its sender's sign: `>` for the client, `<` for the server."""
    return Message(CLIENT if text[0] == ">" else SERVER, TEXT, text[1:].encode())


def a_play(*texts: str, can_repeat: bool = True) -> ConversationPlayback:
    def covers(recorded: Message, live: Message) -> bool:
        return recorded.data.endswith(b"#") and live.data.startswith(recorded.data[:-1])

    return ConversationPlayback(
        [said(text) for text in texts], lambda message: message.data, covers, can_repeat=can_repeat
    )


def heard(play: ConversationPlayback, text: str) -> list[str] | None:
    replies = play.receive(said(f">{text}"))
    return None if replies is None else [message.data.decode() for message in replies]


def test_what_was_said_unasked_comes_first() -> None:
    assert [message.data for message in a_play("<hello", "<news", ">x", "<y").begin()] == [b"hello", b"news"]


def test_an_answer_waits_for_its_question() -> None:
    play = a_play(">a", "<1", "<2", ">b", "<3")
    assert play.begin() == ()
    assert heard(play, "a") == ["1", "2"]
    assert heard(play, "b") == ["3"]


def test_questions_may_come_in_another_order() -> None:
    play = a_play(">a", "<1", ">b", "<2")
    assert heard(play, "b") == ["2"]
    assert heard(play, "a") == ["1"]


def test_a_question_with_something_hidden_is_known_by_the_rest_of_it() -> None:
    play = a_play(">a#", "<1", ">a#", "<2", ">b#", "<3")
    assert [heard(play, text) for text in ("ax", "b-", "ay", "az", "c")] == [["1"], ["3"], ["2"], ["2"], None]


def test_questions_asked_in_a_row_are_answered_once_all_of_them_have_come() -> None:
    play = a_play(">a", ">b", "<1", "<2")
    assert heard(play, "b") == []
    assert play.withheld_count() == 2
    assert heard(play, "a") == ["1", "2"]
    assert play.withheld_count() == 0


def test_equal_questions_get_their_answers_in_order_and_the_last_one_again() -> None:
    play = a_play(">ping", "<1", ">ping", "<2")
    assert [heard(play, "ping") for _ in range(4)] == [["1"], ["2"], ["2"], ["2"]]


def test_a_question_that_was_asked_in_a_row_is_not_answered_again() -> None:
    play = a_play(">a", ">b", "<1")
    assert [heard(play, text) for text in ("a", "b", "a")] == [[], ["1"], []]


def test_a_strict_play_answers_nothing_twice() -> None:
    play = a_play(">ping", "<1", can_repeat=False)
    assert [heard(play, "ping") for _ in range(2)] == [["1"], None]


def test_what_was_never_asked_has_no_answer() -> None:
    play = a_play(">a", "<1")
    assert heard(play, "b") is None
    assert [message.data for message in play.awaited()] == [b"a"]


def test_a_close_of_the_client_is_no_turn() -> None:
    both = turns([said(">a"), said("<1"), Message(CLIENT, CLOSE, b"", 1000)])
    assert [(len(turn.requests), len(turn.replies)) for turn in both] == [(0, 0), (1, 1)]


def test_the_codes_of_a_close_are_those_of_the_standard() -> None:
    codes = [1000, 1003, 1005, 1006, 1014, 3000, 4999]
    assert [code for code in (0, 999, 1004, 1015, 1016, 2999, 5000, *codes) if is_allowed(code)] == codes


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (b"x" * 123, b"x" * 123),
        (b"x" * 124, b"x" * 123),
        ("é".encode() * 62, "é".encode() * 61),
        (b"x" * 100 + b"{{redacted:password}} and more", b"x" * 100 + b"{{redacted:password}} a"),
        (b"x" * 110 + b"{{redacted:password}}", b"x" * 110),
    ],
)
def test_the_reason_of_a_close_ends_where_it_has_room_for_no_more(said: bytes, fits: bytes) -> None:
    assert truncate_reason(said) == fits
