"""What is code, and where code stands in a page."""

import json

import pytest

from replaymock.redaction import code
from tests.support.growth import grows_in_proportion

MAP = json.dumps({"version": 3, "sources": ["a.js"], "sourcesContent": ["x"], "mappings": "AAAA"})


@pytest.mark.parametrize(
    ("media", "path", "body"),
    [
        ("text/javascript", "/app", "x"),
        ("application/x-javascript", "/app", "x"),
        ("text/ecmascript", "/app", "x"),
        ("application/typescript", "/app", "x"),
        ("text/css", "/app", "x"),
        ("image/svg+xml", "/app", "<svg/>"),
        ("", "/app.js", "x"),
        ("text/plain", "/lib/app.mjs?v=2", "x"),
        ("application/octet-stream", "/APP.TSX", "x"),
        ("application/xml", "/logo.svg", "<svg/>"),
        ("text/plain", "/module.wat;v=1", "(module)"),
        ("application/json", "/app.js.map", MAP),
        ("application/json", "/source", MAP),
        ("text/plain", "/app.css.map", ")]}'\n" + MAP),
        ("application/json", "/app.js", "let x"),
    ],
)
def test_code_is_known_by_its_type_by_its_path_or_as_a_source_map(media: str, path: str, body: str) -> None:
    assert code.is_code(media, path, body.encode())


@pytest.mark.parametrize(
    ("media", "path", "body"),
    [
        ("application/json", "/app.js", '{"token":"S"}'),
        ("text/javascript", "/api/login", ' {"token":"S"}'),
        ("text/html", "/app.js", "<!doctype html>"),
        ("application/x-www-form-urlencoded", "/app.js", "a=b"),
        ("multipart/form-data; boundary=a", "/app.js", "--a"),
        ("text/plain", "/app.json", "x"),
        ("text/plain", "/js", "x"),
        ("application/json", "/index", '{"mappings":{"version":3},"sources":[]}'),
        ("text/event-stream", "/a.js", "data: x"),
    ],
)
def test_what_is_data_is_no_code_whatever_its_type_or_its_path_says(media: str, path: str, body: str) -> None:
    assert not code.is_code(media, path, body.encode())


def marked(text: str) -> str:
    """A page with its pieces in capitals, in brackets by their kind."""
    return code.replace_around(text, lambda said: f"[code {said}]", lambda said: f"[data {said}]", str.upper)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>a<script>b</script>c", "<P>A<SCRIPT>[code b]</SCRIPT>C"),
        ("<SCRIPT type='module' >b</SCRIPT\n>c", "<SCRIPT TYPE='MODULE' >[code b]</SCRIPT\n>C"),
        ("<style media=all>b</style>c", "<STYLE MEDIA=ALL>[code b]</STYLE>C"),
        (
            '<script type="application/ld+json">{"a":1}</script>',
            '<SCRIPT TYPE="APPLICATION/LD+JSON">[data {"a":1}]</SCRIPT>',
        ),
        (
            '<script data-type="x" type=application/json>{{a}}</script>',
            '<SCRIPT DATA-TYPE="X" TYPE=APPLICATION/JSON>[data {{a}}]</SCRIPT>',
        ),
        ('<script type="text/x-init">{"a":1}</script>', '<SCRIPT TYPE="TEXT/X-INIT">[data {"a":1}]</SCRIPT>'),
        ("<script>a<b</script><p>c<script src=x></script>d", "<SCRIPT>[code a<b]</SCRIPT><P>C<SCRIPT SRC=X></SCRIPT>D"),
        ('<script type="text/html"><b>c</b></script>', '<SCRIPT TYPE="TEXT/HTML"><B>C</B></SCRIPT>'),
        (
            '<script id="a" type="text/x-handlebars-template"><b></script>',
            '<SCRIPT ID="A" TYPE="TEXT/X-HANDLEBARS-TEMPLATE"><B></SCRIPT>',
        ),
        ('<a onclick="b" href="c">d', '<A ONCLICK="[code b]" HREF="C">D'),
        ("<a href='javascript:b' style='c'>d", "<A HREF='JAVASCRIPT:[code b]' STYLE='[code c]'>D"),
        ('<a @click.stop="b" :d="c" x-data="{e}">', '<A @CLICK.STOP="[code b]" :D="[code c]" X-DATA="[code {e}]">'),
        ("a<script>b", "A<SCRIPT>[code b]"),
        ("<scripts>a</scripts>", "<SCRIPTS>A</SCRIPTS>"),
        ("a \ue000<script>b</script>", "A \ue000<SCRIPT>[code b]</SCRIPT>"),
        ("", ""),
    ],
)
def test_the_code_of_a_page_is_told_from_its_data_and_its_markup(text: str, shown: str) -> None:
    assert marked(text) == shown


def test_a_page_that_loses_a_mark_is_changed_piece_by_piece() -> None:
    found = code.replace_around("a<script>b</script>c", str.upper, str.upper, lambda rest: rest[:1])
    assert found == "aB<"


@pytest.mark.parametrize(
    "piece",
    [
        "<script ",
        "<script>",
        "<style>{",
        ' onload="',
        " onload='a",
        "='javascript:",
        "<script type=a>[",
        ' @a="',
        " (a",
        "<a style",
    ],
)
def test_no_page_takes_longer_than_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(marked, piece)
