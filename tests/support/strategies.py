"""What arbitrary messages are made of, for tests that hold for all of them."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from replaymock.http.messages import Request

SECRETS = (
    "s3cr3t-value",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "ghp_" + "a1B2" * 9,
    "AKIA" + "ABCD1234" * 2,
    "xoxb-123456789012-abcdef",
    "sk_test_" + "4eC39HqL" * 3,
)

secrets = st.sampled_from(SECRETS)
texts = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=12)
names = st.sampled_from(["page", "tag", "q", "a b", "ü", "token", "api_key", "password", "x[0]", "sort.by", "~t"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts | secrets
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | texts, inner, max_size=4),
    max_leaves=8,
)
json_bodies = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(),
    values,
    st.sampled_from([None, 1, 2, 4]),
    st.booleans(),
)
hostile_segments = st.sampled_from(
    [
        "..",
        ".",
        "",
        "%2e%2e",
        "%2F",
        "CON",
        "aux.json",
        "nul",
        "COM1.txt",
        "a:b",
        "a*b",
        "x" * 300,
        "é",
        "e%CC%81",
        "Ä",
        "GET.json",
        "get.body.png",
        "a.",
        ".git",
        "~",
        "%00",
        "%0A",
        "\\..\\..",
        "ﬁ",
        "İ",
        "ß",
        "{id}",
        "**",
        "%",
        "%zz",
    ]
)
segments = (
    hostile_segments | texts.map(lambda text: quote(text, safe="")) | st.sampled_from(["items", "users", *SECRETS[1:]])
)
paths = st.lists(segments, max_size=5).map(lambda found: "/" + "/".join(found))


def urlencoded(pairs: list[tuple[str, str | None]]) -> str:
    """Pairs as most clients send them."""
    return "&".join(
        quote(name, safe="") + ("" if value is None else "=" + quote(value, safe="")) for name, value in pairs
    )


pairs = st.lists(st.tuples(names | texts, st.none() | texts | secrets), max_size=4)
queries = pairs.map(urlencoded)
forms = pairs.map(lambda found: urlencoded(found).encode())


@st.composite
def multiparts(draw: st.DrawFn) -> bytes:
    """A `multipart/form-data` body with the boundary `edge`."""
    out = b""
    for name, value in draw(
        st.lists(st.tuples(st.sampled_from(["a", "token", "file"]), texts | secrets), min_size=1, max_size=3)
    ):
        filename = '; filename="f.txt"' if name == "file" else ""
        out += f'--edge\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n{value}\r\n'.encode()
    return out + b"--edge--\r\n"


JSON_TYPE = (("Content-Type", "application/json"),)
FORM_TYPE = (("Content-Type", "application/x-www-form-urlencoded"),)
MULTIPART_TYPE = (("Content-Type", "multipart/form-data; boundary=edge"),)
TEXT_TYPE = (("Content-Type", "text/plain; charset=utf-8"),)
BINARY_TYPE = (("Content-Type", "application/octet-stream"),)

contents = st.one_of(
    st.just(((), b"")),
    json_bodies.map(lambda body: (JSON_TYPE, body)),
    forms.map(lambda body: (FORM_TYPE, body)),
    multiparts().map(lambda body: (MULTIPART_TYPE, body)),
    texts.map(lambda text: (TEXT_TYPE, text.encode())),
    st.binary(max_size=40).map(lambda body: (BINARY_TYPE, body)),
    st.binary(max_size=40).map(lambda body: (JSON_TYPE, body)),
    st.binary(max_size=40).map(lambda body: (FORM_TYPE, body)),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request a client can send through the server's checks."""
    path, query = draw(paths), draw(queries)
    headers, body = draw(contents)
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "QUERY", "x-own", "get", "1", "a.b", "!~", "A--B"]))
    target = path.encode("utf-8").decode("latin-1") + (f"?{query}" if query else "")
    return Request(method, target, headers, body)
