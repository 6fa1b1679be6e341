"""The tables of secret names."""

import pytest

from replaymock.redaction import secret_names
from replaymock.redaction.secret_names import NAME_HINT, SECRET_ENDINGS, SECRET_NAMES


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "apiKey",
        "api-key",
        "API_KEY",
        "access_token",
        "accessToken",
        "user_password",
        "X-Api-Key",
        "client_secret",
        "Authorization",
        "Proxy-Authorization",
        "X-CSRF-Token",
        "refreshToken",
        "sessionId",
        "cvv",
        "jwt",
        "passwordConfirmation",
        "password_confirmation",
        "newPassword1",
        "password2",
        "password_hash",
        "api_key_v2",
        "secretValue",
        "tokenValue",
        "accessKeyId",
        "bearer",
        "twoFactorCode",
        "recoveryCodes",
        "auth_header",
        "user[password]",
        "card[cvc]",
        "user[pin][]",
    ],
)
def test_names_of_secrets_are_known_in_any_spelling(name: str) -> None:
    assert secret_names.is_secret_name(name)
    assert NAME_HINT.search(name)


@pytest.mark.parametrize(
    "name",
    [
        "page",
        "id",
        "nextPageToken",
        "next_token",
        "keyboard",
        "passenger",
        "author",
        "secretary",
        "key",
        "max_tokens",
        "next_page_token",
        "token_type",
        "tokenizer",
        "passwordless",
        "primary_key",
        "public_key",
        "keyword",
        "oauth2",
        "sha256",
        "pin[name]",
        "{{redacted:github_token:2}}",
        "",
    ],
)
def test_harmless_names_are_let_be(name: str) -> None:
    assert not secret_names.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "JSESSIONID",
        "PHPSESSID",
        "connect.sid",
        "_app_session",
        "laravel_session",
        "remember_me",
        "remember_web_59ba36",
        "auth",
        "csrftoken",
        "_app_xsrf",
        "XSRF-TOKEN",
        "antiforgery",
        ".AspNetCore.Cookies",
        ".AspNetCore.Antiforgery.a1b2",
        "ASP.NET_SessionId",
        "__Host-session",
        "__Secure-next-auth.session-token.0",
        "appSession.1",
        "KEYCLOAK_IDENTITY",
    ],
)
def test_cookies_that_log_somebody_in_are_secret(name: str) -> None:
    assert secret_names.is_secret_cookie(name)


@pytest.mark.parametrize("name", ["theme", "lang", "_ga", "cart", "consent", "hostname", "wp-settings-1"])
def test_other_cookies_are_not(name: str) -> None:
    assert not secret_names.is_secret_cookie(name)


@pytest.mark.parametrize("name", sorted(SECRET_NAMES) + list(SECRET_ENDINGS))
def test_no_secret_name_escapes_the_quick_look(name: str) -> None:
    assert NAME_HINT.search(name)
    assert secret_names.may_name_secret(name.upper())


@pytest.mark.parametrize(
    ("name", "hides"),
    [("password", True), ("secrets", True), ("tokens", False), ("session", False), ("auth", False), ("page", False)],
)
def test_strong_names_hide_all_that_is_below_them(name: str, hides: bool) -> None:
    assert secret_names.hides_subtree(name) is hides


@pytest.mark.parametrize("name", ["password", "userPassword", "API Key", "access code", "api_key_v2", "user[token]"])
def test_a_long_text_is_known_to_hold_a_name_by_its_words(name: str) -> None:
    text = '{"title": "a thing", "id": "9b2c4d6e"} ' * 100
    assert not secret_names.may_name_secret(text)
    assert secret_names.may_name_secret(f'{text}{{"{name}": 1}}{text}')


@pytest.mark.parametrize("mark", ["", "-", " ", "[", "]", "!", "2", "_v2_", "\u00e4"])
def test_a_name_is_known_however_long_the_text_or_in_none(mark: str) -> None:
    text = '{"title": "a thing", "id": "9b2c4d6e"} ' * 20
    for name in SECRET_NAMES:
        spelled = [name[:at] + mark + name[at:] for at in range(1, len(name) + 1)]
        secret = [spelling for spelling in spelled if secret_names.is_secret_name(spelling)]
        assert [spelling for spelling in secret if not secret_names.may_name_secret(f"{text} {spelling}=")] == []
        assert [spelling for spelling in secret if not secret_names.may_name_secret(spelling)] == []


def test_a_name_with_a_long_number_is_looked_at_once() -> None:
    """Else a name of forty characters would keep a recorder busy for days."""
    assert not secret_names.is_secret_name("id" + "1234567890" * 8 + "x")
    assert secret_names.is_secret_name("password" + "1234567890" * 8)
    assert not secret_names.is_secret_name("a" + "confirm" * 10_000 + "x")


def test_texts_for_people_are_known_by_what_stands_above_them() -> None:
    assert secret_names.is_ui_text_container(["locale", "en", "login"]) and secret_names.is_ui_text_container(
        ["fieldErrors"]
    )
    assert not secret_names.is_ui_text_container(["user", "login"])


@pytest.mark.parametrize(
    ("name", "value"), [("password", "Passwort"), ("user_passwd", "Password"), ("token", "Tokens")]
)
def test_a_word_that_begins_as_the_name_does_is_a_label(name: str, value: str) -> None:
    assert secret_names.is_label(name, value)
    assert not secret_names.is_label(name, value + "1") and not secret_names.is_label(name, "Schlüssel")


@pytest.mark.parametrize("value", ["en-GB", "de_AT", "dark", "1", "true", "1.0"])
def test_a_setting_in_a_cookie_is_no_secret(value: str) -> None:
    assert secret_names.is_setting_cookie(value)


@pytest.mark.parametrize("value", ["abc12", "1234", "abcdefghi", "a|b", '{"a":1}', "en-GB-x1", ""])
def test_what_may_name_a_session_in_a_cookie_may_be_one(value: str) -> None:
    assert not secret_names.is_setting_cookie(value)


@pytest.mark.timeout(5)
def test_a_name_of_any_length_is_judged_at_once() -> None:
    assert not secret_names.is_secret_name("[12]" * 30_000 + "x")
    assert secret_names.is_secret_name("user" * 100 + "[password][0]")
