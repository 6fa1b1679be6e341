"""The claims of time in JSON Web Tokens, moved."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import jwt
from tests.support import strategies
from tests.support.growth import grows_in_proportion
from tests.support.tokens import a_token, claims_of


def later(digits: str) -> str:
    return str(int(digits) + 10)


def moved(text: str) -> str:
    return jwt.replace_times(text, later, lambda _now, _before: None)


def test_the_claims_of_time_move_and_the_rest_stays_byte_for_byte() -> None:
    claims = '{ "sub": "a\\u0041", "exp": 100, "n":1.10, "iat":50 ,"nbf": 50, "deep": {"exp": 7}, "name": "Zoë"}'
    token = moved(a_token(claims))
    assert token.split(".")[::2] == a_token(claims).split(".")[::2]
    assert claims_of(token) == claims.replace("100", "110").replace("50", "60")


@pytest.mark.parametrize("around", ["{}", "Bearer {}", '{{"token":"{}","x":1}}', "a={}; Path=/", "{}\n{}", "#t={}&b=1"])
def test_a_token_is_found_wherever_it_stands(around: str) -> None:
    token = a_token('{"exp":100}')
    assert moved(around.format(token, token)) == around.format(*[a_token('{"exp":110}')] * 2)


@pytest.mark.parametrize("signature", ["", "{{redacted:jwt}}", "{{redacted:access_token:2}}", "abc"])
def test_the_signature_may_be_hidden_or_absent(signature: str) -> None:
    assert moved(a_token('{"exp":100}', signature=signature)) == a_token('{"exp":110}', signature=signature)


@pytest.mark.parametrize(
    "text",
    [
        "plain. text",
        a_token('{"sub":"x"}'),
        a_token('["exp",1]'),
        a_token('{"exp":1'),
        "eyJhbGciOi.eyJleHAiOj.x",
        "x" + a_token('{"exp":100}'),
        a_token('{"exp":100}', header="[1,2,3]"),
    ],
)
def test_what_is_no_token_with_times_stays(text: str) -> None:
    assert moved(text) == text


def test_each_swap_is_told() -> None:
    swaps: list[tuple[str, str]] = []
    token = a_token('{"exp":100}')
    jwt.replace_times(f"Bearer {token}", later, lambda *pair: swaps.append(pair))
    assert swaps == [(a_token('{"exp":110}'), token)]


@given(st.dictionaries(strategies.texts, strategies.values), st.integers(0, 10**10), st.sampled_from([None, 2]))
def test_moving_there_and_back_is_the_token_that_was(claims: dict[str, Any], exp: int, indent: int | None) -> None:
    token = a_token(json.dumps({"exp": exp, **claims}, indent=indent))
    if not isinstance(claims.get("exp", 0), int) or {"iat", "nbf", "auth_time"} & set(claims):
        return
    there = moved(token)
    assert there != token
    assert jwt.replace_times(there, lambda digits: str(int(digits) - 10), lambda *_: None) == token


@given(st.text(st.sampled_from("eyJw.-_A{}:redact"), max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    assert moved(text) == text


def test_a_hidden_token_can_be_decoded_and_says_what_stands_for_it() -> None:
    token = a_token(json.dumps({"sub": "ann", "sid": "s3cret"}))
    hidden = jwt.without_signature(
        token, "{{redacted:jwt:2}}", lambda claims: claims.replace("s3cret", "{{redacted:sid}}")
    )
    assert hidden is not None
    assert json.loads(claims_of(hidden)) == {"sub": "ann", "sid": "{{redacted:sid}}"}
    assert jwt.is_hidden(hidden) and not jwt.is_hidden(token)
    assert jwt.as_placeholders(f"a {hidden} b {token}") == f"a {{{{redacted:jwt:2}}}} b {token}"
    assert jwt.replace_hidden(f'"{hidden}"', "X") == '"X"'


@pytest.mark.parametrize("token", ["eyJhIjox.eyJhIjox.x", "abc", "eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1NiJ9.x.y"])
def test_what_is_no_token_of_two_objects_is_not_hidden_as_one(token: str) -> None:
    assert jwt.without_signature(token, "{{redacted}}", str) is None


@pytest.mark.parametrize(("claims", "same"), [({"exp": 2, "iat": 3, "jti": "b"}, True), ({"sub": "bob"}, False)])
def test_two_tokens_are_the_same_but_for_what_changes_with_every_issue(claims: dict[str, object], same: bool) -> None:
    first, second = ({"sub": "ann", "exp": 1, "iat": 1, "jti": "a"} | more for more in ({}, claims))
    one, other = (
        jwt.without_signature(a_token(json.dumps(found)), "{{redacted:jwt}}", str) for found in (first, second)
    )
    assert (jwt.without_fresh_claims(f"t={one}", str) == jwt.without_fresh_claims(f"t={other}", str)) is same


@pytest.mark.parametrize("before", ["", "\\n", "%3D", "\\u003d", "x-", "Bearer "])
def test_a_hidden_token_is_found_in_text_of_any_kind(before: str) -> None:
    hidden = jwt.without_signature(a_token('{"sub":"x"}'), "{{redacted:jwt:2}}", str)
    assert jwt.replace_hidden(f"{before}{hidden}.", "X") == f"{before}X."
    assert jwt.as_placeholders(f"{before}{hidden}.") == f"{before}{{{{redacted:jwt:2}}}}."


@pytest.mark.parametrize("piece", ["eyJ", "eyJabcd.", "eyJabcd.eyJabcd.", jwt.MARK])
def test_text_is_searched_for_hidden_tokens_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: jwt.replace_hidden(text + jwt.MARK, "X"), piece)
