"""Upstream's origin, the token it is stored as, and the caller's that it becomes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.http import origin
from replaymock.http.origin import OriginRewriter, StreamingOriginRewriter, from_token

HTTPS = "https://api.example.com"
PORT = "http://backend:9000"
ORIGINS = OriginRewriter((HTTPS, PORT))
CALLER = "http://localhost:8081"

WHOLE = [
    (f"{HTTPS}/a", "{{origin}}/a"),
    (f'"{HTTPS}"', '"{{origin}}"'),
    (f"{HTTPS}:443/a", "{{origin}}/a"),
    (f"{PORT}/a", "{{origin}}/a"),
    ("HTTPS://API.example.COM/a", "{{origin}}/a"),
    (r"https:\/\/api.example.com\/a", r"{{origin}}\/a"),
    (f"see {HTTPS}. Then", "see {{origin}}. Then"),
    (f"{HTTPS}?a={HTTPS}", "{{origin}}?a={{origin}}"),
    (f"<{HTTPS}>", "<{{origin}}>"),
    (f"{HTTPS}:", "{{origin}}:"),
    (f"{HTTPS}&b", "{{origin}}&b"),
]
NOT = [
    f"{HTTPS}.evil.com/a",
    f"{HTTPS}mon/a",
    f"{HTTPS}:8443/a",
    f"{HTTPS}-x/a",
    f"{HTTPS}_x/a",
    f"{HTTPS}@evil.com/",
    f"{HTTPS}%2eevil.com/",
    f"{PORT}0/a",
    f"x{HTTPS}/a",
    "http://api.example.com/a",
    "http://backend/a",
    "//api.example.com/a",
]


@pytest.mark.parametrize(("text", "stored"), WHOLE)
def test_a_whole_origin_becomes_the_token(text: str, stored: str) -> None:
    assert ORIGINS.to_token(text.encode()).decode() == stored
    assert ORIGINS.header_to_token(text) == stored


@pytest.mark.parametrize("text", NOT)
def test_the_beginning_of_something_longer_is_left_alone(text: str) -> None:
    assert ORIGINS.to_token(text.encode()).decode() == text


@pytest.mark.parametrize(("text", "_stored"), WHOLE)
def test_serving_what_was_stored_is_rewriting_live(text: str, _stored: str) -> None:
    assert from_token(ORIGINS.to_token(text.encode()), CALLER) == ORIGINS.to_origin(text.encode(), CALLER)


pieces = st.lists(
    st.sampled_from(
        [
            HTTPS,
            PORT,
            r"https:\/\/api.example.com",
            r"http:\/\/backend:9000",
            "/a",
            r"\/b",
            ".",
            ":",
            "0",
            "@",
            "x",
            '"',
        ]
    )
    | st.sampled_from(["http", "https://", "https://api.exam", ":443", "-", " ", "é", "%41", "//", "\\"]),
    max_size=8,
)
texts = pieces.map("".join).map(str.encode)


@given(texts)
def test_what_was_stored_comes_back_to_its_own_origin(data: bytes) -> None:
    plain = OriginRewriter((HTTPS,))
    stored = plain.to_token(data)
    back = from_token(stored, HTTPS)
    assert (
        back.replace(b"\\/", b"/").lower() == data.replace(b":443", b"").replace(b"\\/", b"/").lower()
        or b":443" in data
    )


@given(texts)
def test_the_token_is_an_origin_to_nobody(data: bytes) -> None:
    stored = ORIGINS.to_token(data)
    assert ORIGINS.to_token(stored) == stored


@settings(max_examples=300)
@given(texts, st.lists(st.integers(1, 30), max_size=12))
def test_a_stream_in_any_pieces_is_rewritten_like_the_whole(data: bytes, sizes: list[int]) -> None:
    rewriter, out, rest = StreamingOriginRewriter(ORIGINS, CALLER), b"", data
    for size in sizes:
        out += rewriter.feed(rest[:size])
        rest = rest[size:]
    out += rewriter.feed(rest) + rewriter.finish()
    assert out == ORIGINS.to_origin(data, CALLER)


def test_a_stream_byte_by_byte_is_rewritten_like_the_whole() -> None:
    for text in [text for text, _ in WHOLE] + NOT:
        rewriter = StreamingOriginRewriter(ORIGINS, CALLER)
        out = b"".join(rewriter.feed(bytes([byte])) for byte in text.encode()) + rewriter.finish()
        assert out == ORIGINS.to_origin(text.encode(), CALLER)


def test_only_what_may_be_an_origin_is_held_back() -> None:
    rewriter = StreamingOriginRewriter(ORIGINS, CALLER)
    assert rewriter.feed(b"data: 1\n\n") == b"data: 1\n\n"
    assert rewriter.feed(b"data: http") == b"data: "
    assert rewriter.feed(b"er") == b"httper"


def test_without_origins_nothing_is_replaced_or_held_back() -> None:
    rewriter = StreamingOriginRewriter(OriginRewriter(()), CALLER)
    assert rewriter.feed(b"https://") + rewriter.finish() == b"https://"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a=b", "a=b"),
        ("a=b; Path=/; Secure; HttpOnly", "a=b; Path=/; HttpOnly"),
        ("a=b; Domain=.example.com; SameSite=None", "a=b"),
        ("a=b;secure;samesite=Lax", "a=b;samesite=Lax"),
        ("a=b; Partitioned; Max-Age=1", "a=b; Max-Age=1"),
        ("secure=1; Path=/", "secure=1; Path=/"),
        ("a=b; SameSite = none ; Domain", "a=b"),
    ],
)
def test_cookies_lose_what_a_plain_localhost_cannot_keep(sent: str, kept: str) -> None:
    assert origin.local_cookie(sent) == kept
    assert origin.local_cookies((("Set-Cookie", sent), ("X", sent))) == (("Set-Cookie", kept), ("X", sent))


def test_prefixed_cookies_are_told_of() -> None:
    headers = (("Set-Cookie", "__Host-a=1; Secure"), ("set-cookie", "b=2"), ("Set-Cookie", "__secure-c=3"))
    assert origin.prefixed_cookies(headers) == ["__Host-a", "__secure-c"]
