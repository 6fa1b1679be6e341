"""Most texts are known to hold no credential by a quick look."""

import random

import pytest

from replaymock.redaction.credential_patterns import CREDENTIALS, PERSONAL_DATA
from replaymock.redaction.credential_scanner import (
    CredentialScanner,
    candidate_runs,
    is_card_number,
    is_everyday,
    is_key_block,
    is_user_and_password,
)
from tests.support.credentials import made, pem

TABLE = CredentialScanner(CREDENTIALS)


@pytest.mark.parametrize("shape", CREDENTIALS, ids=lambda shape: shape.name)
def test_the_quick_look_passes_over_no_credential(shape: object) -> None:
    sample = next(made(known, random.Random(2)) for known in CREDENTIALS if known is shape)
    for text in (sample, f'{{"a": "{sample}"}}', "words and words " * 50 + sample):
        assert TABLE.may_be_in(candidate_runs(text))
        assert shape in TABLE.likely(text)
        assert not is_everyday(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("San Francisco", True),
        ("2026-11-22T13:00:00Z", True),
        ("9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", True),
        ("a=1", False),
        ("100%25", False),
        ("<b", False),
        ("a\\u0062", False),
        ("word " * 200, False),
    ],
)
def test_words_numbers_dates_and_ids_are_known_at_first_sight(text: str, is_one: bool) -> None:
    assert is_everyday(text) is is_one


@pytest.mark.parametrize(
    "text", ["", "short", "word " * 200, "9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e 2026-11-22T13:00:00Z " * 30]
)
def test_everyday_text_is_not_searched(text: str) -> None:
    assert not TABLE.may_be_in(candidate_runs(text))
    assert not [shape.name for shape in TABLE.likely(text) if shape.hints]


@pytest.mark.parametrize("around", ["", " word" * 200])
@pytest.mark.parametrize("digits", ["A" * 90, "4b1d" + "0" * 38])
def test_digits_are_no_credential_however_long_the_text(digits: str, around: str) -> None:
    text = digits + around
    assert all(shape.redact(text, lambda _found: "hidden") == text for shape in TABLE.likely(text))


@pytest.mark.parametrize("around", ["", " word" * 200])
def test_a_short_address_is_found_however_long_the_text(around: str) -> None:
    table = CredentialScanner((PERSONAL_DATA["emails"],))
    text = "ann@acme.org" + around
    assert table.may_be_in(table.searchable_part(text))
    assert [shape.redact(text, lambda _found: "hidden") for shape in table.likely(text)] == ["hidden" + around]


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        ("4111111111111111", True),
        ("4111-1111-1111-1111", True),
        ("4111111111111112", False),
        ("0000000000000000", False),
        ("1111111111111117", False),
    ],
)
def test_card_numbers_pass_the_check_of_their_digits(digits: str, is_one: bool) -> None:
    assert is_card_number(digits) is is_one


def test_basic_credentials_are_a_pair() -> None:
    assert is_user_and_password("YW5uOnB3") and not is_user_and_password("c3R1ZmY=") and not is_user_and_password("x")
    assert not is_user_and_password("cDrCgMOp")  # what a word says is no text


def hidden(text: str, *, is_code: bool = False) -> str:
    for shape in TABLE.likely(text):
        text = shape.redact(text, lambda _found: "#", is_code=is_code)
    return text


KEY = pem(random.Random(1))
LINE = KEY.split("\n")[1]


@pytest.mark.parametrize(
    "block",
    [
        KEY,
        KEY.replace("\n", "\r\n"),
        KEY.replace("\n", "\\n"),
        KEY.replace("\n", '\\n" +\n  "'),
        KEY.replace("\n", "',\n  '"),
        KEY.replace("\n", "\n    "),
        KEY.replace("\n", "\ndata: "),
        KEY.replace("\n", "&#10;"),
        KEY.replace("\n", "\\u000a").replace("/", "\\/"),
        KEY.replace("\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n", 1),
        KEY.replace("\n-----END", "\n=aB3d\n-----END").replace("PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
    ],
)
def test_a_whole_key_is_found_as_text_and_as_strings_of_programs(block: str) -> None:
    assert is_key_block(block)
    assert hidden(f"a = '{block}';") == hidden(f"a = '{block}';", is_code=True) == "a = '#';"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----",
        '"-----BEGIN PRIVATE KEY-----\\n"+k+"\\n-----END PRIVATE KEY-----"',
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC...\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n-----END PRIVATE KEY-----",
        KEY.replace("END PRIVATE", "END RSA PRIVATE"),
        KEY.removesuffix("-----END PRIVATE KEY-----"),
        KEY.replace("PRIVATE", "PUBLIC"),
        '-----BEGIN PRIVATE KEY-----"+btoa(someVeryLongNameOfAFunctionThatEncodes2)+"-----END PRIVATE KEY-----',
    ],
)
def test_a_block_that_is_cut_short_or_holds_no_key_is_none(text: str) -> None:
    assert hidden(text) == hidden(text, is_code=True) == text


FONT = "d09GMgABAAAAAA" + LINE * 3


@pytest.mark.parametrize(
    "credential", ["AKIAABCD1234ABCD1234", "A" * 22 + LINE.replace("/", "x").replace("+", "y") * 2]
)
@pytest.mark.parametrize("around", ["{}/{}", "{}+{}", "{}/{}/{}"])
def test_a_font_holds_no_credential_whatever_its_letters_are(credential: str, around: str) -> None:
    data = around.format(FONT, credential, FONT)
    assert hidden(f"src:url(data:font/woff2;base64,{data})", is_code=True).count("#") == 0
    assert hidden(f'{{"a":"data:font/woff2;base64,{data}"}}').count("#") == 0


def test_a_path_of_identifiers_hides_no_credential() -> None:
    for is_code in (True, False):
        assert hidden("https://h/api/v1/Organizations/3/keys/AKIAABCD1234ABCD1234/x", is_code=is_code).count("#") == 1
    assert hidden(f"/{LINE.replace('+', 'a')}/AKIAABCD1234ABCD1234").count("#") == 1


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "A" * 16,
        "ghp_" + "x" * 36,
        "A" * 22 + "BABIAYgBmANYA1gFQAdYDngAAAAMA8QFKAUcAtAE3AZUBJQFuAQ4BdABOAcMBYAFqAW",
        "eyePosition.eyeOffset.x",
    ],
)
def test_what_repeats_itself_or_is_a_name_is_no_credential(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://user:pass@h",
        "mongodb://user:password@localhost",
        "hvs.getNextIdentifierOfTheTokenStream",
        "Bearer authenticationSchemeIsMissing",
        "hf_someVeryLongNameOfAFunctionOrElse",
    ],
)
def test_in_code_an_example_or_a_name_is_no_credential(text: str) -> None:
    assert hidden(text, is_code=True) == text
