"""What is said where a login holds for a connection."""

import pytest

from replaymock.http.challenges import is_challenge, is_challenge_step, is_login, without_tokens
from replaymock.http.headers import Headers
from tests.support.growth import grows_in_proportion


@pytest.mark.parametrize(
    ("name", "value", "spoken"),
    [
        ("Authorization", "NTLM TlRMTVNTUAAB", True),
        ("authorization", "negotiate YIIabc==", True),
        ("AUTHORIZATION", "KERBEROS abc", True),
        ("Authorization", " NTLM", True),
        ("Authorization", "Negotiate\tabc", True),
        ("Proxy-Authorization", "NTLM abc", True),
        ("Authorization", "Basic TlRMTQ==", False),
        ("Authorization", "Bearer NTLM", False),
        ("Authorization", "NTLMv2 abc", False),
        ("X-Authorization", "NTLM abc", False),
        ("Authentications", "NTLM abc", False),
    ],
)
def test_a_request_logs_in_on_its_connection_by_the_scheme_it_uses(name: str, value: str, spoken: bool) -> None:
    assert is_login((("Host", "x"), (name, value))) == spoken


OFFERS: list[tuple[list[str], bool, bool]] = [
    (["NTLM"], True, False),
    (["ntlm TlRMTVNTUAAC"], True, True),
    (["Negotiate"], True, False),
    (["Negotiate oYG=="], True, True),
    (["Kerberos"], True, False),
    (["Negotiate, NTLM"], True, False),
    (['Basic realm="a", NTLM'], True, False),
    (['Basic realm="a"', "Negotiate"], True, False),
    (['NTLM , Basic realm="a"'], True, False),
    (['Digest realm="a", nonce="b", NTLM abc'], True, True),
    (['Negotiate abc, Basic realm="a"'], True, True),
    (["NTLM opaque:token"], True, True),
    (['Negotiate realm="a"'], True, False),
    (["Basic"], False, False),
    (['Basic realm="x, NTLM"'], False, False),
    (['Basic realm="a\\", NTLM abc"'], False, False),
    (["Bearer NTLM"], False, False),
    (["NTLMv2"], False, False),
    (["X-NTLM abc"], False, False),
    ([], False, False),
]


@pytest.mark.parametrize(("values", "offered", "step"), OFFERS)
def test_an_answer_offers_it_or_goes_on_with_it_beside_whatever_else(
    values: list[str], offered: bool, step: bool
) -> None:
    headers: Headers = tuple(("WWW-Authenticate", value) for value in values)
    assert (is_challenge(401, headers), is_challenge_step(headers)) == (offered, step)
    assert not is_challenge(200, headers)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("NTLM abc==", "NTLM #"),
        ("negotiate  abc , NTLM, Kerberos x", "negotiate  # , NTLM, Kerberos #"),
        ('Basic realm="a b", Negotiate abc', 'Basic realm="a b", Negotiate #'),
        ("NTLM", "NTLM"),
        ('Bearer realm="a", error="invalid_token"', 'Bearer realm="a", error="invalid_token"'),
    ],
)
def test_only_its_tokens_are_replaced(value: str, shown: str) -> None:
    assert without_tokens(value, lambda _token: "#") == shown


@pytest.mark.parametrize("piece", [",", " ", "NTLM ", ",NTLM a", '"', '"\\', "NTLM a b", ", ", "a"])
def test_challenges_take_no_longer_than_in_proportion_to_their_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: is_challenge(401, (("WWW-Authenticate", text),)), piece)
    assert grows_in_proportion(lambda text: without_tokens(f"NTLM {text}", str.upper), piece)
