"""Secrets whose own name does not say so."""

import pytest

from replaymock.redaction.json_context import oauth_parameters, query_names, secrets_named_by_siblings


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ('{"h":[{"name":"Authorization","value":"S"}]}', ("h", 0, "value"), "Authorization"),
        ('[{"value":"S","key":"api_key"}]', (0, "value"), "api_key"),
        ('{"k":"password","v":"S"}', ("v",), "password"),
        ('{"code":"S","redirect_uri":"/"}', ("code",), "code"),
        ('{"a":{"state":"S","client_id":"x"}}', ("a", "state"), "state"),
    ],
)
def test_a_member_is_named_by_the_one_beside_it(text: str, place: tuple[str | int, ...], name: str) -> None:
    assert secrets_named_by_siblings(text)[place] == name


@pytest.mark.parametrize("text", ['{"name":"Ann","value":"1"}', '{"code":"DE","state":"open"}', "[]", '{"name":1}'])
def test_other_members_are_not(text: str) -> None:
    assert secrets_named_by_siblings(text) == {}


def test_code_and_state_are_secret_beside_what_only_oauth_has() -> None:
    assert oauth_parameters(["code", "state", "grant_type"]) == {"code", "state"}
    assert oauth_parameters(["code", "state"]) == frozenset()
    assert query_names("https://h/cb?code=1&client_id=2#xy=3") == ["code", "client_id", "xy"]
