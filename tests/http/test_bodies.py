"""Bodies in readable forms, used only where they give the same bytes back."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.http import bodies
from replaymock.http.bodies import Binary, Digest, Form, Json, Multipart, Text
from tests.support import strategies

TYPES = [
    "",
    "application/json",
    "application/json; charset=utf-8",
    "application/problem+json",
    "text/json; charset=latin-1",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html; charset=ISO-8859-1",
    "text/plain; charset=utf-16",
    "text/plain; charset=shift_jis",
    "text/plain; charset=utf-7",
    "text/plain; charset=utf-8-sig",
    "text/plain; charset=hex",
    "text/plain; charset=undefined",
    "text/plain; charset=nonsense",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=edge",
    'multipart/mixed; boundary="a b"',
    "multipart/form-data",
    "application/octet-stream",
    "image/png",
    "application/xml",
    "nonsense",
    ";;;",
]
content_types = st.sampled_from(TYPES)
contents = st.one_of(
    st.binary(max_size=60),
    strategies.json_bodies,
    strategies.forms,
    strategies.multiparts(),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.characters(codec="utf-16"), max_size=20).map(lambda text: text.encode("utf-16")),
)


@settings(max_examples=300)
@given(content_types, contents)
def test_a_body_gives_its_bytes_back(content_type: str, data: bytes) -> None:
    assert bodies.decode(bodies.encode(content_type, data), content_type) == data


@settings(max_examples=200)
@given(content_types, contents)
def test_a_kept_body_is_readable_or_a_digest(content_type: str, data: bytes) -> None:
    kept = bodies.stored_form(content_type, data)
    assert not isinstance(kept, Binary)
    if isinstance(kept, Digest):
        assert (kept.sha256, kept.size) == (bodies.digest(data), len(data))


# JSON as it is found in the wild: any tokens, with any white space between them.
json_tokens = st.sampled_from(
    ["1.10", "1e5", "-0", "12345678901234567890", "0.0", '"\\u00e9\\/"', '"é"', "true", "null", '""']
)
spaces = st.sampled_from(["", "", " ", "\n", "  ", "\n    ", "\t", "\r\n"])


@st.composite
def wild_json(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["token", "list", "object"])) if depth else "token"
    if kind == "token":
        return draw(json_tokens)
    members = draw(st.lists(wild_json(depth=depth - 1), max_size=3))
    if kind == "object":
        members = [
            draw(st.sampled_from(['"a"', '"b"', '"a"'])) + draw(spaces) + ":" + draw(spaces) + member
            for member in members
        ]
    opened, closed = ("{", "}") if kind == "object" else ("[", "]")
    return opened + draw(spaces) + ("," + draw(spaces)).join(members) + draw(spaces) + closed


@settings(max_examples=200)
@given(wild_json(), spaces)
def test_json_comes_back_byte_for_byte_or_is_text(text: str, end: str) -> None:
    data = (text + end).encode()
    body = bodies.encode("application/json", data)
    assert isinstance(body, (Json, Text))
    assert bodies.decode(body, "application/json") == data


@given(wild_json())
def test_json_in_a_usual_layout_is_json_with_its_tokens(text: str) -> None:
    for indent in (-1, 0, 1, 2, 4, 8):
        data = msgspec.json.format(text.encode(), indent=indent)
        for body in (bodies.encode("application/json", data), bodies.encode("application/json", data + b"\n")):
            assert isinstance(body, Json)
            assert body.value == msgspec.json.format(text.encode(), indent=-1)


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        (b'{"a":1,"b":[1,2]}', "compact"),
        (b'{"a":1}\n', "compact+newline"),
        (b'{"a": 1, "b": [1, 2]}', "spaced"),
        (b'{\n  "a": 1\n}', "indent-2"),
        (b'{\n    "a": 1\n}\n', "indent-4+newline"),
        (b"[]", "compact"),
    ],
)
def test_a_layout_names_the_white_space(data: bytes, layout: str) -> None:
    assert bodies.encode("application/json", data) == Json(msgspec.json.format(data, indent=-1), layout)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a" : 1}',
        b'{"a":1}\r\n',
        b'{\n\t"a": 1\n}',
        b'{ "a":1}',
        b"{'a':1}",
        b"{",
        b"NaN",
        b'\xef\xbb\xbf{"a":1}',
        b" 1",
    ],
)
def test_json_with_other_white_space_or_none_at_all_is_text(data: bytes) -> None:
    assert isinstance(bodies.encode("application/json", data), Text)


@pytest.mark.parametrize(
    "layout", ["indent-0", "indent-100", "indent-x", "wide", "compact+crlf", "", "compact+newline+newline"]
)
def test_an_unknown_layout_is_refused(layout: str) -> None:
    with pytest.raises(ValueError, match="layout"):
        bodies.apply_layout(b"{}", layout)


def test_deep_json_is_text_and_deep_or_not_raises_nothing() -> None:
    for depth in (100, 900, 1100, 100_000):
        data = b"[" * depth + b"]" * depth
        assert bodies.decode(bodies.encode("application/json", data), "application/json") == data


@pytest.mark.parametrize(
    ("content_type", "data", "form"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=x+y", Form((("a", "1"), ("b", "x y")))),
        ("application/x-www-form-urlencoded", b"a=1&b=x%20y", Text("a=1&b=x%20y")),
        ("application/x-www-form-urlencoded", b"a=1&b=2&a=3", Text("a=1&b=2&a=3")),
        ("application/x-www-form-urlencoded", b"", Text("")),
        ("text/plain; charset=latin-1", b"caf\xe9", Text("café")),
        ("text/plain", b"caf\xe9", Binary(b"caf\xe9")),
        ("text/plain", b"a\x00b", Binary(b"a\x00b")),
        ("image/png", b"text", Binary(b"text")),
        ("", b"text", Text("text")),
        ("text/plain", b"a\tb\r\n\x1b[0m", Text("a\tb\r\n\x1b[0m")),
    ],
)
def test_the_content_type_decides_the_form(content_type: str, data: bytes, form: bodies.Body) -> None:
    assert bodies.encode(content_type, data) == form


PARTS = (
    b'--edge\r\nContent-Disposition: form-data; name="title"\r\n\r\nHello\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89P\r\n"
    b'--edge\r\nContent-Disposition: form-data; name="meta"\r\n'
    b'Content-Type: application/json\r\n\r\n{"a":1}\r\n--edge--\r\n'
)


def test_a_multipart_body_is_read_part_by_part() -> None:
    body = bodies.encode("multipart/form-data; boundary=edge", PARTS)
    assert isinstance(body, Multipart)
    assert [(part.name, part.filename, part.content_type, part.body) for part in body.parts] == [
        ("title", None, "", Text("Hello")),
        ("file", "a.png", "image/png", Binary(b"\x89P")),
        ("meta", None, "application/json", Json(b'{"a":1}')),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"--edge--\r\n", PARTS[:-2], b"x" + PARTS, PARTS.replace(b"\r\n\r\n", b"\n\n"), PARTS + b"trailer"],
)
def test_a_multipart_body_with_odd_framing_is_kept_whole(data: bytes) -> None:
    body = bodies.encode("multipart/form-data; boundary=edge", data)
    assert not isinstance(body, Multipart)
    assert bodies.decode(body, "multipart/form-data; boundary=edge") == data


def test_a_digest_forgets_ordinals_and_has_no_bytes() -> None:
    assert bodies.digest(b"a {{redacted:token}}") == bodies.digest(b"a {{redacted:token:2}}") != bodies.digest(b"a")
    with pytest.raises(ValueError, match="digest"):
        bodies.decode(Digest("00", 1), "text/plain")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize(("depth", "is_json"), [(300, True), (500, True), (700, False), (900, False)])
def test_json_is_shown_as_such_as_deep_as_it_can_be_read_whatever_else_is_under_way(
    opening: bytes, depth: int, is_json: bool
) -> None:
    data = opening * depth + b"1" + (b"]" if opening == b"[" else b"}") * depth
    assert isinstance(bodies.encode("application/json", data), bodies.Json) is is_json


def test_few_brackets_cannot_be_deep() -> None:
    assert isinstance(bodies.encode("application/json", b"[[1],[2]]"), bodies.Json)
    wide = b"[" + b"[]," * 5000 + b"[]]"
    assert isinstance(bodies.encode("application/json", wide), bodies.Json)
