"""Paths that stand for others: which they fit, and which goes first."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from replaymock.cassettes import path_templates
from replaymock.http import uri
from tests.support import strategies


@pytest.mark.parametrize(
    ("path", "is_template"),
    [("/a", False), ("/{id}", True), ("/a/**", True), ("/a/*", True), ("/{{redacted:jwt}}/a", False), ("/a{", True)],
)
def test_braces_and_stars_make_a_template(path: str, is_template: bool) -> None:
    assert path_templates.is_template(path) is is_template


@given(strategies.paths)
def test_a_recorded_path_is_never_a_template_and_means_the_same(path: str) -> None:
    literal = uri.literal_path(path)
    assert not path_templates.is_template(literal)
    assert uri.normal_path(literal).replace("%2A", "*") == uri.normal_path(
        path.replace("{", "%7B").replace("}", "%7D")
    ).replace("%2A", "*")


PATTERNS = [
    ("/users/{id}", "/users/7", True),
    ("/users/{id}", "/users/", False),
    ("/users/{id}", "/users/7/x", False),
    ("/files/**", "/files", True),
    ("/files/**", "/files/", True),
    ("/files/**", "/files/a/b", True),
    ("/files/**", "/filesystem", False),
    ("/**/end", "/a/b/end", True),
    ("/a/*.json", "/a/x.json", True),
    ("/a/*.json", "/a/x/y.json", False),
    ("/a.b", "/axb", False),
    ("/é/{x}", "/%C3%A9/1", True),
    ("/**", "/", True),
    ("/v{n}/items", "/v2/items", True),
    ("/a/{id}", "/a/x\n", True),
    ("/x/{{redacted:jwt}}/{id}", "/x/%7B%7Bredacted%7D%7D/3", True),
]


@pytest.mark.parametrize(("template", "path", "fits"), PATTERNS)
def test_a_template_stands_for_paths(template: str, path: str, fits: bool) -> None:
    assert bool(path_templates.compile_template(template).match(path)) is fits


def plainly(template: str) -> re.Pattern[str]:
    """What a template means, as an expression that may take for ever."""
    meaning = {"/**": "(?:/.*)?", "**": ".*", "*": "[^/]+"}
    pieces = re.split(r"(/\*\*\Z|\*\*|\*|\{[^{}/]*\})", template)
    parts = [meaning.get(piece) or ("[^/]+" if piece.startswith("{") else re.escape(piece)) for piece in pieces]
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


@given(
    template=st.lists(st.sampled_from(["a", "b", "-", "/", "*", "**", "{x}", "a/", "-b", "/**"]), max_size=9).map(
        "".join
    ),
    path=st.text(alphabet="ab-/", max_size=14),
)
def test_a_template_fits_what_it_means_however_its_wildcards_stand(template: str, path: str) -> None:
    assume("***" not in template)
    assert bool(path_templates.compile_template(template).match(path)) is bool(plainly(template).match(path))


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/u/{a}-{b}-{c}-{d}.json", "/u/" + "-" * 20_000),
        ("/{a}{b}{c}{d}{e}{f}{g}{h}x", "/" + "a" * 20_000),
        ("/*a*a*a*a*a*a*b", "/" + "a" * 20_000),
        ("/**/a/**/a/**/a/**/b", "/a" * 10_000),
        ("/**a{x}a**a{x}a**b", "/" + "a" * 20_000),
        ("/**{a}b{c}c", "/" + "ab" * 20_000),
        ("/**/{a}-{b}/**/{c}.{d}", "/" + "-" * 20_000),
        ("/{a}.{b}.{c}/{d}.{e}.{f}", "/" + "." * 10_000 + "/" + "." * 10_000 + "/"),
    ],
)
@pytest.mark.timeout(5)
def test_a_path_that_nearly_fits_keeps_nobody_waiting(template: str, path: str) -> None:
    assert not path_templates.compile_template(template).match(path)


def test_longer_templates_come_first() -> None:
    templates = ["/**", "/users/**", "/users/{id}", "/users/{id}/orders"]
    assert sorted(templates, key=path_templates.specificity) == [
        "/users/{id}/orders",
        "/users/{id}",
        "/users/**",
        "/**",
    ]
