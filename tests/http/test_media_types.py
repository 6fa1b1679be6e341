"""What a media type tells of its content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import media_types


@pytest.mark.parametrize(
    ("media_type", "json", "textual"),
    [
        ("application/json", True, True),
        ("application/problem+json", True, True),
        ("text/html", False, True),
        ("image/svg+xml", False, True),
        ("application/x-ndjson", False, True),
        ("multipart/form-data", False, True),
        ("", False, True),
        ("image/png", False, False),
        ("application/octet-stream", False, False),
        ("application/jsonish", False, False),
    ],
)
def test_a_type_is_json_or_text_or_neither(media_type: str, json: bool, textual: bool) -> None:
    assert (media_types.is_json(media_type), media_types.is_textual(media_type)) == (json, textual)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/javascript",
        "application/x-javascript",
        "text/javascript1.5",
        "application/typescript",
        "text/css",
        "image/svg+xml",
        "application/source-map",
    ],
)
def test_code_is_text_of_some_types(media_type: str) -> None:
    assert media_types.is_code(media_type) and media_types.is_textual(media_type)


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/html", "text/plain", "application/xml", "text/csv", ""]
)
def test_data_and_documents_are_no_code(media_type: str) -> None:
    assert not media_types.is_code(media_type)


@pytest.mark.parametrize(
    ("media_type", "body", "is_text"),
    [
        ("text/plain", b"\0", True),
        ("application/octet-stream", "é".encode(), True),
        ("application/octet-stream", b"a\0", False),
        ("application/octet-stream", b"\xff", False),
        ("image/png", b"a", False),
        ("video/mp2t", b"a", False),
    ],
)
def test_a_body_of_no_textual_type_is_text_if_it_reads_as_such(media_type: str, body: bytes, is_text: bool) -> None:
    assert media_types.is_text(media_type, body) is is_text


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/plain", "utf-8"),
        ("text/plain; charset=UTF-8", "utf-8"),
        ('text/plain; charset="latin-1"', "iso8859-1"),
        ("text/plain;Charset = shift_jis", "shift_jis"),
        ("text/plain; charset=nonsense", "utf-8"),
        ("text/plain; charset=hex", "utf-8"),
        ("text/plain; charset=undefined", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_a_charset_is_one_that_text_can_be_in(content_type: str, charset: str) -> None:
    assert media_types.charset(content_type) == charset


@given(st.text(max_size=30))
def test_any_charset_can_be_named(name: str) -> None:
    assert b"".decode(media_types.charset(f"text/plain; charset={name}")) == ""


@pytest.mark.parametrize(
    ("media_type", "extension"),
    [
        ("image/png", "png"),
        ("application/json", "json"),
        ("a/b+json", "json"),
        ("text/x-odd", "txt"),
        ("", "bin"),
        ("a/b", "bin"),
    ],
)
def test_a_sidecar_is_named_for_its_media_type(media_type: str, extension: str) -> None:
    assert media_types.extension(media_type) == extension


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [("png", "image/png"), ("json", "application/json"), ("odd", "application/octet-stream")],
)
def test_a_hand_written_sidecar_has_the_type_of_its_extension(extension: str, media_type: str) -> None:
    assert media_types.media_type_of(extension) == media_type
