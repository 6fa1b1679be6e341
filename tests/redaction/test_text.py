"""Secrets are found in texts of every kind, whatever their value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http.selectors import Selector
from replaymock.redaction.gitleaks.expressions import compiled
from replaymock.redaction.gitleaks.rules import GitleaksRule
from replaymock.redaction.placeholders import anonymous
from replaymock.redaction.redactor import KINDS
from replaymock.redaction.text import TextRedactor
from tests.support import strategies
from tests.support.growth import grows_in_proportion
from tests.support.redacting import HIDER, named

JWT = strategies.SECRETS[1]
# A hidden token can still be decoded: its signature says `{{redacted:jwt}}`.
HIDDEN = JWT.replace("c2lnbmF0dXJl", "e3tyZWRhY3RlZDpqd3R9fQ")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/reset/{JWT.replace('.', '%2E')}/x", f"/reset/{HIDDEN}/x"),
        ("/proxy/https%3A%2F%2Fu%3AS%40h", "/proxy/https%3A%2F%2Fu%3A{{redacted:url_password}}%40h"),
        ("/proxy/https://u:S@h/x", "/proxy/https://u:{{redacted:url_password}}@h/x"),
        ("/x;access_token=S/y", "/x;access_token={{redacted:access_token}}/y"),
        ("/x;v=1;jsessionid=S", "/x;v=1;jsessionid={{redacted:jsessionid}}"),
        ("/a%20b;v=1/%FF", "/a%20b;v=1/%FF"),
        ('/2;password=S&a=S;c=]"', "/2;password={{redacted:password}};c=%5D%22"),
    ],
)
def test_paths_are_searched_segment_by_segment(path: str, shown: str) -> None:
    assert HIDER.path(path, named) == shown
    assert HIDER.path(shown, named) == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (JWT, HIDDEN),
        (strategies.SECRETS[2] + "=", "{{redacted:github_token}}="),
        ("filter=%7B%22password%22%3A%22S%22%7D", "filter=%7B%22password%22%3A%22{{redacted:password}}%22%7D"),
        ("a=1;token=S", "a=1%3Btoken%3D{{redacted:token}}"),
        ("%2570assword=S", "%2570assword={{redacted:_2570assword}}"),
        ("next=%2Fx%3Ftoken%3Dab!S", "next=%2Fx%3Ftoken%3D{{redacted:token}}"),
        ("a&b=", "a&b="),
        # The redirect of OAuth, and a country with a state in it; SAML's way to come back.
        (
            "code=AbCdEf1234567890&state=xyz12345",
            "code={{redacted:code}}&state={{redacted:state}}",
        ),
        ("code=US&state=CA", "code=US&state=CA"),
        ("client_id=a&code_challenge=S", "client_id=a&code_challenge={{redacted:code_challenge}}"),
        ("SAMLRequest=S&RelayState=S", "SAMLRequest={{redacted:samlrequest}}&RelayState={{redacted:relaystate}}"),
    ],
)
def test_queries_are_searched_in_names_values_and_bare_items(query: str, shown: str) -> None:
    label = named if "2570" not in query else lambda name, _value: "{{redacted:" + name.replace("%", "_") + "}}"
    assert HIDER.urlencoded(query, "query", label) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password":{"value":"S","n":12}}', '{"password":{"value":"{{redacted:password}}","n":0}}'),
        ('{"secrets":[{"a":"S"}]}', '{"secrets":[{"a":"{{redacted:secrets}}"}]}'),
        # What describes a field, says something to people, counts, or chooses is no secret.
        ('{"password":{"type":"string","minLength":8}}', '{"password":{"type":"string","minLength":8}}'),
        (
            '{"apiKey":{"type":"apiKey","name":"X","in":"header"}}',
            '{"apiKey":{"type":"apiKey","name":"X","in":"header"}}',
        ),
        ('{"errors":{"password":["is too short"]}}', '{"errors":{"password":["is too short"]}}'),
        ('{"usage":{"tokens":19},"pass":3,"auth":"basic"}', '{"usage":{"tokens":19},"pass":3,"auth":"basic"}'),
        ('{"tokens":{"color":{"value":"#fff"}}}', '{"tokens":{"color":{"value":"#fff"}}}'),
        ('{"paginationToken":"S","deltaToken":"S"}', '{"paginationToken":"S","deltaToken":"S"}'),
        # What only says the name again, and the name of a package, is none.
        ('{"password":"Password","pin":"Forgot PIN?"}', '{"password":"Password","pin":"Forgot PIN?"}'),
        ('{"password":"Enter your password","x-key":"S"}', '{"password":"Enter your password","x-key":"S"}'),
        ('{"password":"My Secret Password"}', '{"password":"{{redacted:password}}"}'),
        ('{"token":"Ünïcödé pass"}', '{"token":"{{redacted:token}}"}'),
        ('{"token":"super-secret-token"}', '{"token":"{{redacted:token}}"}'),
        ('{"password":"MySecretPassword"}', '{"password":"{{redacted:password}}"}'),
        ('{"password":"my secret password"}', '{"password":"{{redacted:password}}"}'),
        ('{"password":"Schlüssel"}', '{"password":"{{redacted:password}}"}'),
        ('{"session":"string","token":"${TOKEN_1}"}', '{"session":"string","token":"${TOKEN_1}"}'),
        ('{"password":"********"}', '{"password":"********"}'),
        ('{"pwd":"/home/ann/x","a":{"pwd":"/S"}}', '{"pwd":"/home/ann/x","a":{"pwd":"{{redacted:pwd}}"}}'),
        ('{"passwords":{"type":"array","minItems":1}}', '{"passwords":{"type":"array","minItems":1}}'),
        ('{"password":"Password1"}', '{"password":"{{redacted:password}}"}'),
        ('{"jsonwebtoken":"^9.0.2"}', '{"jsonwebtoken":"^9.0.2"}'),
        ('{"paths":{"/auth/token":{"get":"x"}}}', '{"paths":{"/auth/token":{"get":"x"}}}'),
        ('{"appid":"com.acme","appId":7}', '{"appid":"com.acme","appId":7}'),
        (f'{{"appid":"{"ab" * 16}"}}', '{"appid":"{{redacted:appid}}"}'),
        ('{"pin":83918264,"password":"S"}', '{"pin":0,"password":"{{redacted:password}}"}'),
        (
            '{"token":{"value":"S","type":"bearer","expires_in":60}}',
            '{"token":{"value":"{{redacted:token}}","type":"bearer","expires_in":60}}',
        ),
        ('{"session":{"user":"ann","token":"S"}}', '{"session":{"user":"ann","token":"{{redacted:token}}"}}'),
        (f'{{"{JWT}":1}}', '{"{{redacted:jwt}}":1}'),
        (
            '{"user_code":"S","device_code":"S"}',
            '{"user_code":"{{redacted:user_code}}","device_code":"{{redacted:device_code}}"}',
        ),
        ('{"rawHeaders":["Cookie","S","A","S"]}', '{"rawHeaders":["Cookie","{{redacted:cookie}}","A","S"]}'),
        ('{"headers":[["x-api-key","S"],["a","S"]]}', '{"headers":[["x-api-key","{{redacted:x-api-key}}"],["a","S"]]}'),
        ('{"required":["password","token"]}', '{"required":["password","token"]}'),
        ('{"p\\u0061sswd":"S"}', '{"p\\u0061sswd":"{{redacted:passwd}}"}'),
        (
            '{"headers":[{"name":"Authorization","value":"S"},{"name":"Accept","value":"*"}]}',
            '{"headers":[{"name":"Authorization","value":"{{redacted:authorization}}"},{"name":"Accept","value":"*"}]}',
        ),
    ],
)
def test_json_is_searched_below_secret_names_in_keys_and_in_lists_of_fields(text: str, shown: str) -> None:
    assert HIDER.json(text, named) == shown
    assert HIDER.json(shown, named) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"pin":83918264}\n{"pin":1}\n', '{"pin":0}\n{"pin":0}\n'),
        ('{"token":"a\\"S"}\n', '{"token":"{{redacted:token}}"}\n'),
        ('event: x\ndata: {"token":"a\\"S"}\n\n', 'event: x\ndata: {"token":"{{redacted:token}}"}\n\n'),
        ('{"password":"a\\"S",}', '{"password":"{{redacted:password}}",}'),
        ('{"pin":123,}', '{"pin":0,}'),
        (
            'mutation { login(user: "a", password: "S") }',
            'mutation { login(user: "a", password: "{{redacted:password}}") }',
        ),
        ("x = {accessToken:'S', page:'1'}", "x = {accessToken:'{{redacted:accesstoken}}', page:'1'}"),
        (
            "<a><s:password>S</s:password><n>1</n></a>",
            "<a><s:password>{{redacted:s:password}}</s:password><n>1</n></a>",
        ),
        ('<input value="S" name="csrf_token">', '<input value="{{redacted:csrf_token}}" name="csrf_token">'),
        ('<meta name="csrf-token" content="S">', '<meta name="csrf-token" content="{{redacted:csrf-token}}">'),
        ('<input type="submit" name="auth" value="Go">', '<input type="submit" name="auth" value="Go">'),
        ('<a href="/" accesskey="p" data-token="">', '<a href="/" accesskey="p" data-token="">'),
        ('<button name="pin" value="Go">', '<button name="pin" value="Go">'),
        (
            '<input name="code" value="S"><input name=session_state value=S>',
            '<input name="code" value="{{redacted:code}}"><input name=session_state value={{redacted:session_state}}>',
        ),
        ("x = {Authorization: 'Bearer ' + a}", "x = {Authorization: 'Bearer ' + a}"),
        (
            "<Token a='oasis-200401-wss-wssecurity'/><w:Nonce>S</w:Nonce>",
            "<Token a='oasis-200401-wss-wssecurity'/><w:Nonce>{{redacted:w:nonce}}</w:Nonce>",
        ),
        ("<a><w:Nonce>S</w:Nonce></a>", "<a><w:Nonce>S</w:Nonce></a>"),
        ("https://h/d?user_code=BCDF-GHJK", "https://h/d?user_code={{redacted:user_code}}"),
        ("https://h/d?user_code=ann", "https://h/d?user_code=ann"),
        ("https://h/cb?token=ab!:,S&x=1", "https://h/cb?token={{redacted:token}}&x=1"),
        ("access_token=S&token_type=bearer", "access_token={{redacted:access_token}}&token_type=bearer"),
        ("/a?x=/b?token=S", "/a?x=/b?token={{redacted:token}}"),
        ("a secret: nobody knows", "a secret: nobody knows"),
    ],
)
def test_loose_text_is_searched_for_what_is_in_it(text: str, shown: str) -> None:
    assert HIDER.free_text(text, named) == shown
    assert HIDER.free_text(shown, named) == shown


def test_a_parameter_with_a_placeholder_is_spelled_as_one_in_which_a_secret_is_hidden() -> None:
    secret = strategies.SECRETS[2]
    assert HIDER.free_text(f"/x?a=b%20{secret}", anonymous) == HIDER.free_text("/x?a=b%20{{redacted}}", anonymous)


@pytest.mark.parametrize("around", ["a?{}=hunter2", '{{"{}": "hunter2"}}', 'x = {{{}: "hunter2"}}'])
def test_a_name_that_holds_a_secret_is_told_by_no_placeholder(around: str) -> None:
    assert "{{redacted:value}}" in HIDER.free_text(around.format(f"{strategies.SECRETS[2]}-password"), named)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_json_in_json_strings_is_json(depth: int) -> None:
    value = {"pin": 73918264, "password": 'ab"S', "page": 3}
    hidden = {"pin": 0, "password": "{{redacted}}", "page": 3}
    for _ in range(depth):
        value, hidden = {"d": json.dumps(value)}, {"d": json.dumps(hidden)}
    assert json.loads(HIDER.json(json.dumps(value), anonymous)) == hidden


VALUES = st.text(st.characters(codec="ascii", exclude_characters="{}"), min_size=1).filter(str.strip)


@given(VALUES, VALUES)
def test_what_a_secret_says_does_not_show_in_the_text_around_it(one: str, other: str) -> None:
    def hidden(value: str) -> list[str]:
        nested = json.dumps({"d": json.dumps({"password": value})})
        return [HIDER.json(nested, anonymous), HIDER.free_text(f"data: {json.dumps({'token': value})}\n\n", anonymous)]

    assert hidden(one) == hidden(other)


HOSTILE = ["?aa=", "&token=", "%3Faa=", '"token":"', '\\"a', "token: '", "<input name=", "<token>", ";a=", "A", "a+"]
HOSTILE += [
    "://a:",
    "\\",
    "a@b.c ",
    "{",
    '{"',
    "%25",
    "eyJ",
    "eyJa.",
    "-----BEGIN ",
    "Basic aaaaaaaa",
    "data: {",
    "a\n",
    "aA1+",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_longer_than_in_proportion_to_its_length(piece: str) -> None:
    """A request held up by an expression holds up everybody's."""

    def search(text: str) -> None:
        HIDER.value(text, anonymous)
        HIDER.free_text(f"<password {text} token>", anonymous)
        HIDER.urlencoded(f"a={text}", "query", anonymous)
        HIDER.path(f"/a;{text}", anonymous)
        HIDER.json(json.dumps({"password": "S", "text": text}), anonymous)

    assert grows_in_proportion(search, piece)


def test_an_address_that_only_looks_like_one_with_a_password_stays() -> None:
    for text in (
        "http://localhost:3000?email=a@b.c",
        "/blog/sk-ako-vybrat-topanky-na-zimu",
        "sk-learn-tutorial-for-beginners",
    ):
        assert HIDER.free_text(text, anonymous) == text


def test_what_a_team_adds_may_fit_its_own_name() -> None:
    added = {kind: [Selector("value", "val[a-z]+")] if kind == "value" else [] for kind in KINDS}
    rule = GitleaksRule("acme-key", compiled(r"acme-\w+"))
    hider = TextRedactor(added, {kind: [] for kind in KINDS}, rules=[rule])
    assert hider.free_text("acme-1234 valid", named) == "{{redacted:acme-key}} {{redacted:value}}"
    assert hider.free_text("acme-1234 valid", anonymous) == "{{redacted}} {{redacted}}"


@pytest.mark.parametrize("text", ['{"gate":"z8x7c6v5b4n1"}', '{"gate":81726354}', '[{"a":{"gate" : "z8x7c6v5b4n1"}}]'])
def test_json_is_shown_to_a_teams_rules_as_other_texts_are(text: str) -> None:
    none = {kind: [] for kind in KINDS}
    for expression in (r"gate=(\w+)", r"gate: (\w+)", r'"gate": "(\w+)"'):
        hider = TextRedactor(none, none, rules=[GitleaksRule("gate", compiled(expression), ("gate",))])
        assert hider.json(text, named) in (text.replace("z8x7c6v5b4n1", "{{redacted:gate}}"), '{"gate":0}')
        assert hider.json(text, named) != text
