"""Whether a value reads like words, and not like a secret."""

import random
import string
import uuid

import pytest

from replaymock.redaction.wording import (
    InterfaceTexts,
    is_code_fragment,
    is_interface_text,
    is_message,
    is_random_looking,
    is_readable,
    is_translation_path,
)

ALPHABETS = [string.ascii_letters + string.digits, string.ascii_lowercase + string.digits, "0123456789abcdef"]


@pytest.mark.parametrize(
    "value",
    [
        "nextPageToken",
        "getElementById",
        "MixedCaseWord",
        "super-zebra42-token",
        "toJSON",
        "sha256Digest",
        "sha256DigestOfUtf8ToBase64Url",
    ],
)
def test_names_are_readable(value: str) -> None:
    assert is_readable(value) and not is_random_looking(value)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_nearly_all_random_values_are_made_by_chance_and_hardly_one_is_readable(alphabet: str) -> None:
    source = random.Random(4)
    values = ["".join(source.choices(alphabet, k=24)) for _ in range(500)]
    assert sum(map(is_random_looking, values)) >= 490
    assert is_random_looking(str(uuid.UUID(int=source.getrandbits(128))))


@pytest.mark.parametrize(
    "value",
    [
        "1234567890123456",
        "a8f3c2d1",
        "2026-11-22T13:00:00Z",
        "x(a8f3c2d1e4b59607a8f3)",
        "the one of a8f3c2d1e4b59607 that was here before all",
    ],
)
def test_numbers_short_values_calls_and_sentences_are_not(value: str) -> None:
    assert not is_random_looking(value)


@pytest.mark.parametrize(
    "value", ["localStorage.getItem(", "e.secret", '"),', "a=>b", "x===y", "this.$refs.token2", "a,", "[a:"]
)
def test_a_fragment_of_code_is_known_by_its_punctuation(value: str) -> None:
    assert is_code_fragment(value)


@pytest.mark.parametrize("value", ["hunter2abc", "s3cret/+=", "p-!hunter2abc", "aB3dE5.jK7mN9", "ann@acme"])
def test_a_password_is_none(value: str) -> None:
    assert not is_code_fragment(value)


@pytest.mark.parametrize(
    "value",
    [
        "Password",
        "Passwort (mind. 12 Zeichen)",
        "Schlüssel",
        "Mot de passe oublié ?",
        "密码",
        "パスワードを入力してください",
        "Пароль",
        "At least 8 characters, e.g. A-Z, 0-9",
        "Use 2FA with SHA-256",
        "Hello {{name}}, <b>reset</b> it: https://a.example/reset/aB3dE5gH2345",
        "invalid_token",
        "%{count} tokens",
        "&laquo; Token",
    ],
)
def test_what_an_interface_says_reads_as_text(value: str) -> None:
    assert is_interface_text(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1234",
        "hunter2-x",
        "a8f3c2d1e4",
        "kQzRbTwXyLm",
        "sk_live_aB3dE5gH2345",
        "your key: a8f3c2d1e4",
        "{{redacted:token}}",
    ],
)
def test_a_secret_does_not(value: str) -> None:
    assert not is_interface_text(value)


def test_a_message_may_speak_of_a_pattern_and_a_secret_is_none() -> None:
    assert is_message("must match ^[a-zA-Z0-9]{8,}$") and is_message("invalid_token")
    assert not is_message("bk3RNwTe3H0:CI2kHHwgIpoDKCIZvvDMExUd") and not is_message(
        "not a8f3c2d1e4b59607a8f3c2d1e4b59607"
    )


def texts(*strings: str, is_known: bool = False) -> InterfaceTexts:
    return InterfaceTexts(lambda: strings, is_known=is_known)


SAID = ("Sign in", "Sign out", "Cancel", "Forgot it?", "User name", "Stay signed in", "Please wait", "Kennwort")


def test_in_a_document_of_texts_each_that_reads_like_one_is_one() -> None:
    assert texts(*SAID).contains("password", "Kennwort")
    assert texts("x", is_known=True).contains("password", "Kennwort")
    assert not texts(*SAID).contains("password", "kennwort")
    assert texts("Bearer", "bearer authentication", "Go on").contains("bearer", "bearer authentication")


def test_a_value_in_a_document_of_data_is_none() -> None:
    assert not texts(*SAID[:4], "Kennwort").contains(
        "password", "Kennwort"
    )  # of few, one that does not speak of its name
    assert not texts(*SAID, "0", "a@b.example", "0").contains("password", "Kennwort")
    assert not texts(*SAID, is_known=True).contains("password", "hunter2-x")


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/locales/de/login.json", True),
        ("/i18n/login", True),
        ("/en.json", True),
        ("/assets/messages.de_AT.json?v=2", True),
        ("/app_de.arb", True),
        ("/zh-Hant-TW.json", True),
        ("/static/translations.json", True),
        ("/api/me", False),
        ("/api/users.json", False),
        ("/en", False),
        ("/", False),
    ],
)
def test_a_file_of_texts_is_known_by_its_path(path: str, is_one: bool) -> None:
    assert is_translation_path(path) is is_one
