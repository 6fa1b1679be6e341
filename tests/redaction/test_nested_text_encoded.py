"""InterfaceTexts inside base64."""

import base64
import os

import pytest

from replaymock.redaction import nested_text

SECRET = b'{"password": "hunter2", "a": "\xc3\xbc?>"}'


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("keeps_padding", [True, False])
def test_a_text_in_base64_is_changed_in_its_own_alphabet(padding: int, encode: object, keeps_padding: bool) -> None:
    assert callable(encode)
    inner = SECRET + b" " * padding
    run, changed = (encode(text).decode() for text in (inner, inner.replace(b"hunter2", b"X")))
    if not keeps_padding:
        run, changed = run.rstrip("="), changed.rstrip("=")
    found = nested_text.replace_base64(f"data:a/b;base64,{run} end", lambda text: text.replace("hunter2", "X"))
    assert found.rstrip("= end") == f"data:a/b;base64,{changed} end".rstrip("= end")
    assert nested_text.may_hold(f'"{run}"')


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_base64_in_lines_comes_back_in_lines(end: str) -> None:
    inner = SECRET + b"x" * 100
    lines, changed = (
        end.join(run[at : at + 60] for at in range(0, len(run), 60))
        for run in (base64.b64encode(text).decode() for text in (inner, inner.replace(b"hunter2", b"X")))
    )
    assert nested_text.replace_base64(lines, lambda text: text.replace("hunter2", "X")) == changed
    assert nested_text.replace_base64(lines, lambda text: text) == lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see x%3Dhunter2, and 5%25 more", "see x%3DX, and 5%25 more"),
        ("/a%20b?x=%22hunter2%22&y=%e4", "/a%20b?x=%22X%22&y=%e4"),
        ("u%253Dhunter2", "u%253DX"),
        ("hunter2 100%", "hunter2 100%"),
    ],
)
def test_what_is_percent_encoded_is_changed_word_by_word(text: str, shown: str) -> None:
    assert nested_text.replace_percent(text, lambda found: found.replace("hunter2", "X")) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api/v1/users/list/of/all/things",
        "a" * 19,
        base64.b64encode(bytes(range(60))).decode(),
        base64.b64encode(os.urandom(900)).decode(),
    ],
)
def test_what_is_no_text_is_let_be(text: str) -> None:
    assert nested_text.replace_base64(text, lambda _text: "changed") == text
    assert not nested_text.may_hold(text)


def test_base64_that_is_not_changed_stays_to_the_letter() -> None:
    run = base64.b64encode(SECRET).decode()
    assert nested_text.replace_base64(run, lambda text: text) == run
