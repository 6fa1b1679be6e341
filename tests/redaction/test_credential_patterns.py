"""The table of shapes: each finds what it is a shape of, and nothing else."""

import random

import pytest

from replaymock.redaction.credential_patterns import CONTEXTUAL, CREDENTIALS, PERSONAL_DATA
from replaymock.redaction.credential_scanner import CredentialPattern, CredentialScanner
from replaymock.redaction.placeholders import anonymous
from replaymock.redaction.redactor import KINDS
from replaymock.redaction.text import TextRedactor
from tests.support.credentials import made, pem
from tests.support.growth import grows_in_proportion

SAMPLES = {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "pem": pem(random.Random(3), "RSA PRIVATE KEY"),
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
    "telegram_bot_token": "123456789:AA" + "a1z" * 11,
    "discord_webhook": "https://discord.com/api/webhooks/123456789012345678/" + "a1B2" * 16,
    "vault_token": "hvs." + "a1B2" * 6,
    "databricks_token": "dapi" + "0a1b" * 8,
    "new_relic_key": "NRAK-" + "A1B" * 9,
    "linear_key": "lin_api_" + "a1B2" * 10,
    "azure_storage_key": "AccountName=x;AccountKey=" + "a1B2" * 12 + "==",
}


HIDER = TextRedactor({kind: [] for kind in KINDS}, {kind: [] for kind in KINDS})
TABLE = CredentialScanner(CREDENTIALS)


def test_names_are_unique_and_there_are_many() -> None:
    assert len({shape.name for shape in CREDENTIALS}) == len(CREDENTIALS) >= 100
    assert set(SAMPLES) <= {shape.name for shape in CREDENTIALS}


@pytest.mark.parametrize("shape", CREDENTIALS, ids=lambda shape: shape.name)
@pytest.mark.parametrize("filler", ["", "a sentence of words " * 40])
def test_each_shape_finds_its_credential_in_the_middle_of_a_text(shape: CredentialPattern, filler: str) -> None:
    for sample in (made(shape, random.Random(1)), SAMPLES.get(shape.name, "")):
        if sample:
            text = f'{filler} see "{sample}", please'
            match = shape.expression.search(text)
            assert match and (not shape.check or shape.check(match.group(shape.secret)))
            assert shape in TABLE.likely(text)
            assert match.group(shape.secret) not in HIDER.shapes(text, anonymous)


@pytest.mark.parametrize("name", ["discord_token", "azure_client_secret"])
@pytest.mark.parametrize("end", [". Keep it.", ".txt"])
def test_a_full_stop_after_a_credential_hides_nothing_of_it(name: str, end: str) -> None:
    shape = next(shape for shape in CREDENTIALS if shape.name == name)
    text = f"It is {made(shape, random.Random(1))}{end}"
    assert HIDER.shapes(text, anonymous) == f"It is {anonymous('', '')}{end}"


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
    assert HIDER.shapes(text, anonymous) == text


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("cards", "paid by 4111 1111 1111 1111 today", "paid by {{redacted}} today"),
        ("cards", "4012888888881881", "{{redacted}}"),
        ("cards", "order 4111111111111112, tracking 4000000000000000", None),
        ("cards", "9b2c4d6e-1f2a-4111-8111-411111111111", None),
        ("emails", "write to ann.lee+x@example.co.uk.", "write to {{redacted}}."),
        ("emails", "a @mention and pkg@1.2.3", None),
    ],
)
def test_personal_data_is_found_where_a_team_asks_for_it(kind: str, text: str, shown: str | None) -> None:
    none: dict[str, list[object]] = {kind: [] for kind in KINDS}
    assert TextRedactor(none, none, [PERSONAL_DATA[kind]]).shapes(text, anonymous) == (shown or text)  # type: ignore[arg-type]
    assert HIDER.shapes(text, anonymous) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("curl -s -u ann:tr0ub4dor https://h/", "tr0ub4dor"),
        ('curl --user "ann:tr0ub4dor"', "tr0ub4dor"),
        ("https://h/verify-email/AbCdEfGhIjKlMnOpQ123?x", "AbCdEfGhIjKlMnOpQ123"),
        (f"/invite/{'0a' * 16}", "0a" * 16),
        (f"base64url.bearer.authorization.k8s.io.{'a1_-' * 5}", "a1_-" * 5),
        ("docker run -u 1000:1000 x", ""),
        ("curl -u ann:$PASSWORD_1", ""),
        ("/verify/0b9a5f0e-93a5-4b0b-8a4e-7f0d3c1f2a55", ""),
        ("/verify/507f1f77bcf86cd799439011", ""),
        ("/token/ReadOnlyAccessTokenKind", ""),
    ],
)
def test_a_secret_of_any_form_is_told_by_what_stands_before_it(text: str, secret: str) -> None:
    secrets: list[str] = []
    for shape in CONTEXTUAL:
        shape.redact(text, lambda value: secrets.append(value) or value)
    assert "".join(secrets) == secret
    assert not secret or CredentialScanner(CONTEXTUAL).likely(text)


@pytest.mark.parametrize("piece", ["curl ", "-u ", "-u a:", "a", "/reset/", "/token/a", "0", "aA1"])
@pytest.mark.parametrize("shape", CONTEXTUAL, ids=lambda shape: shape.name)
def test_it_takes_no_longer_than_in_proportion(shape: CredentialPattern, piece: str) -> None:
    assert grows_in_proportion(lambda text: shape.redact(f"curl -u /reset/{text}", str.upper), piece)
