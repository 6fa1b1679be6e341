"""The tables of secret names and credential shapes."""

import pytest

from replaymock import secrets
from replaymock.secrets import NAME_HINT, SECRET_ENDINGS, SECRET_NAMES, SHAPES

SAMPLES = {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "url_password": "postgres://ann:hunter2@db/x",
    "bearer": "Bearer abcdefghijklmnop1234",
    "aws_access_key_id": "AKIA" + "ABCD1234" * 2,
    "github_token": "ghp_" + "a1B2" * 9,
    "github_pat": "github_pat_" + "a1B2_" * 6,
    "gitlab_token": "glpat-" + "a1B2" * 5,
    "slack_token": "xoxb-123456789012-abcdef",
    "slack_app_token": "xapp-1-A012345-6789",
    "slack_webhook": "https://hooks.slack.com/services/T000/B000/abcdefghijklmnop",
    "stripe_key": "sk_live_" + "a1B2" * 6,
    "stripe_webhook_secret": "whsec_" + "a1B2" * 6,
    "google_api_key": "AIza" + "a1B2_" * 7,
    "google_oauth_token": "ya29." + "a1B2" * 6,
    "google_oauth_secret": "GOCSPX-" + "a1B2" * 7,
    "anthropic_key": "sk-ant-" + "a1B2" * 6,
    "openai_key": "sk-proj-" + "a1B2" * 6,
    "npm_token": "npm_" + "a1B2" * 9,
    "pypi_token": "pypi-" + "a1B2" * 13,
    "sendgrid_key": "SG." + "a1B2" * 5 + "." + "a1B2" * 10,
    "twilio_key": "SK" + "0a1b" * 8,
    "mailgun_key": "key-" + "0a1b" * 8,
    "huggingface_token": "hf_" + "a1B2" * 8,
    "digitalocean_token": "dop_v1_" + "0a1b" * 16,
    "shopify_token": "shpat_" + "0a1b" * 8,
    "square_token": "sq0atp-" + "a1B2" * 6,
    "telegram_bot_token": "123456789:AA" + "a1B" * 11,
    "discord_webhook": "https://discord.com/api/webhooks/123456789012345678/" + "a1B2" * 16,
    "vault_token": "hvs." + "a1B2" * 6,
    "databricks_token": "dapi" + "0a1b" * 8,
    "new_relic_key": "NRAK-" + "A1B" * 9,
    "linear_key": "lin_api_" + "a1B2" * 10,
    "azure_storage_key": "AccountName=x;AccountKey=" + "a1B2" * 12 + "==",
}


def test_there_is_a_sample_of_every_shape() -> None:
    assert set(SAMPLES) == {shape.name for shape in SHAPES}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_shape_finds_its_credential_in_the_middle_of_a_text(shape: secrets.Shape) -> None:
    text = f'see "{SAMPLES[shape.name]}", please'
    match = shape.expression.search(text)
    assert match is not None
    assert shape.hint in match.group()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a plain sentence about tokens and keys",
        "9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e",
        "d41d8cd98f00b204e9800998ecf8427e",
        "https://example.com/a:b/c@d",
        "mailto:ann@example.com",
        "data:image/png;base64,iVBORw0KGgo=",
        "sk-button-primary",
        "task_live_status",
        "eyJ.eyJ.x",
        "monkey-patch",
    ],
)
def test_everyday_text_has_no_shape(text: str) -> None:
    assert not [shape.name for shape in SHAPES if shape.expression.search(text)]


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
    ],
)
def test_names_of_secrets_are_known_in_any_spelling(name: str) -> None:
    assert secrets.is_secret_name(name)
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
        "",
    ],
)
def test_harmless_names_are_let_be(name: str) -> None:
    assert not secrets.is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["JSESSIONID", "PHPSESSID", "connect.sid", "_app_session", "remember_me", "auth", "csrftoken"]
)
def test_cookies_that_log_somebody_in_are_secret(name: str) -> None:
    assert secrets.is_secret_cookie(name)


@pytest.mark.parametrize("name", ["theme", "lang", "_ga", "cart", "consent"])
def test_other_cookies_are_not(name: str) -> None:
    assert not secrets.is_secret_cookie(name)


@pytest.mark.parametrize("name", sorted(SECRET_NAMES) + list(SECRET_ENDINGS))
def test_no_secret_name_escapes_the_quick_look(name: str) -> None:
    assert NAME_HINT.search(name)
    assert secrets.may_name_secret(name.upper())


@pytest.mark.parametrize(
    ("name", "hides"),
    [("password", True), ("secrets", True), ("tokens", False), ("session", False), ("auth", False), ("page", False)],
)
def test_strong_names_hide_all_that_is_below_them(name: str, hides: bool) -> None:
    assert secrets.hides_below(name) is hides
