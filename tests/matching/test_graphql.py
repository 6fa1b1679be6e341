"""GraphQL requests apart from how they are spelled."""

import functools
from typing import Any

import pytest

from replaymock.matching import graphql

QUERY = "query GetUser($id: ID!) { user(id: $id) { name } }"


@pytest.mark.parametrize(
    "query",
    [
        "query GetUser($id:ID!){user(id:$id){name}}",
        "query  GetUser ( $id : ID! ) {\n  user(id: $id), {\r\n\tname # the name\n  }\n}",
        "\ufeffquery GetUser($id: ID!) { user(id: $id) { name, } }",
        "# asked by the app\nquery GetUser($id: ID!) { user(id: $id) { name } }",
    ],
)
def test_white_space_commas_and_comments_do_not_count(query: str) -> None:
    assert graphql.normal_query(query) == graphql.normal_query(QUERY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ a(x: "b c") }', '{ a(x: "b  c") }'),
        ('{ a(x: "#") }', '{ a(x: "") }'),
        ('{ a(x: "a,b") }', '{ a(x: "ab") }'),
        ('{ a(x: """b\n c""") }', '{ a(x: """b c""") }'),
        ("{ ab }", "{ a b }"),
        ("{ a(x: 1.5) }", "{ a(x: 1 .5) }"),
    ],
)
def test_what_means_something_else_stays_different(one: str, other: str) -> None:
    assert graphql.normal_query(one) != graphql.normal_query(other)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"query": QUERY}, "GetUser"),
        ({"query": QUERY, "operationName": "Other"}, "Other"),
        ({"query": "{ a }"}, ""),
        ({"query": "query A { a } query B { b }"}, ""),
        ({"query": "mutation Login { login }"}, "Login"),
        ({"query": QUERY, "operationName": None}, "GetUser"),
        ({"query": QUERY, "operationName": 3}, ""),
        ([{"query": QUERY}, {"query": "{ a }"}], "GetUser"),
        ([], ""),
        ({"query": "shoes"}, ""),
        ("text", ""),
        ({"query": 3}, ""),
    ],
)
def test_an_operation_has_a_name(value: Any, name: str) -> None:
    assert graphql.operation_name(value) == name


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        ({"query": QUERY}, True),
        ({"query": "{ a }"}, True),
        ({"query": "mutation { a }"}, False),
        ({"query": "fragment F on A { b } mutation M { a }"}, False),
        ({"query": '{ a(x: "mutation {") } # mutation'}, True),
        ({"query": "{ a } mutation M { b }"}, False),
        ([{"query": QUERY}, {"query": "mutation { a }"}], False),
        ([{"query": QUERY}], True),
        ([], False),
        ([[{"query": QUERY}]], False),
        (functools.reduce(lambda inner, _: [inner], range(900), [1]), False),
        ({"a": 1}, False),
    ],
)
def test_a_mutation_is_not_a_read(value: Any, reads: bool) -> None:
    assert graphql.is_read(value) is reads


def test_variables_that_are_absent_null_or_empty_are_equal() -> None:
    spelled = [{"query": QUERY}, {"query": QUERY, "variables": None}, {"query": QUERY, "variables": {}}]
    assert len({repr(graphql.canonical(value)) for value in spelled}) == 1
    assert graphql.canonical({"query": QUERY, "variables": {"id": 1}}) != graphql.canonical(spelled[0])


def test_extensions_do_not_count_and_batches_are_compared_one_by_one() -> None:
    plain = {"query": QUERY}
    assert graphql.canonical([plain]) == graphql.canonical([{**plain, "extensions": {"trace": 1}}])


@pytest.mark.parametrize("value", [{"query": "shoes", "page": 1}, {"a": 1}, [1, "x"], 3, None, {"query": ""}])
def test_other_json_is_left_as_it_is(value: Any) -> None:
    assert graphql.canonical(value) == value


def test_a_long_query_is_read_in_no_time() -> None:
    assert graphql.is_read({"query": "{" + " a" * 20_000 + '(x: "' + "\\" * 20_000})


def test_a_search_that_is_no_graphql_is_compared_as_it_stands() -> None:
    for value in ({"query": "query planner", "page": 1}, {"query": "mutation rates"}):
        assert graphql.canonical(value) == value


def test_members_the_specification_does_not_know_still_count() -> None:
    first, second = ({"query": "{ name }", "page": page} for page in (1, 2))
    assert graphql.canonical(first) != graphql.canonical(second)
    traced = {"query": "{ name }", "extensions": {"trace": "8f"}}
    assert graphql.canonical(traced) == graphql.canonical({"query": "{name}"})


@pytest.mark.parametrize(
    "query",
    [
        'query { a(b: """' + '\\"""x' * 20_000,
        'query { a(b: """' + '\\"""x' * 20_000 + '""") }',
        'query { a(b: "' + "\\\\" * 20_000,
        "query { a }" + '"' * 60_001,
        "query { a }" + '""" ' * 20_000,
        "#" * 60_000 + "query { a }",
    ],
)
@pytest.mark.timeout(5)
def test_no_query_keeps_anybody_waiting(query: str) -> None:
    graphql.canonical({"query": query})
    graphql.is_read({"query": query})


@pytest.mark.parametrize("text", ['a \\""" b', 'ends "here"" ', "two\nlines", "a \\\\ b"])
def test_a_block_string_stays_as_it_is(text: str) -> None:
    query = f'query {{ a(b: """{text}""") }}'
    assert f'"""{text}"""' in graphql.normal_query(query)
