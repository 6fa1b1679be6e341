"""Secrets become placeholders, the same way before the disk and before the key."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.http import content_coding, jwt
from replaymock.http.headers import Headers
from replaymock.http.messages import Request, Response
from replaymock.http.selectors import parse_selector
from replaymock.matching.matcher import Matcher
from replaymock.redaction.placeholders import PlaceholderAllocator, anonymous
from replaymock.redaction.redactor import KINDS, RedactionRules, Redactor, decode_request, normalize_placeholders
from tests.support import strategies
from tests.support.factories import JSON, a_request, a_response
from tests.support.growth import grows_in_proportion

REDACTOR = Redactor()
JWT = strategies.SECRETS[1]
# A hidden token can still be decoded: its signature says `{{redacted:jwt}}`.
HIDDEN = JWT.replace("c2lnbmF0dXJl", "e3tyZWRhY3RlZDpqd3R9fQ")
HTML: Headers = (("content-type", "text/html"),)
EVENTS: Headers = (("content-type", "text/event-stream"),)
# `{"password":"hunter2","of":"ann"}`, and the same without it.
ENCODED = "eyJwYXNzd29yZCI6Imh1bnRlcjIiLCJvZiI6ImFubiJ9"
ENCODED_HIDDEN = "eyJwYXNzd29yZCI6Int7cmVkYWN0ZWR9fSIsIm9mIjoiYW5uIn0"
SCRIPT: Headers = (("content-type", "text/javascript"),)


def named(name: str, _value: str) -> str:
    return "{{redacted:" + name.lower() + "}}"


def rules(add: tuple[str, ...] = (), keep: tuple[str, ...] = ()) -> Redactor:
    return Redactor(
        RedactionRules(
            tuple(parse_selector(text, KINDS, "here") for text in add),
            tuple(parse_selector(text, KINDS, "here") for text in keep),
        )
    )


@settings(max_examples=200)
@given(strategies.requests())
def test_redacting_a_request_twice_is_redacting_it_once(request: Request) -> None:
    once = REDACTOR.request(request, PlaceholderAllocator())
    assert REDACTOR.request(once, PlaceholderAllocator()) == once
    assert REDACTOR.request(once, anonymous) == once


@settings(max_examples=200)
@given(strategies.contents, strategies.secrets)
def test_redacting_a_response_twice_is_redacting_it_once(content: tuple[Headers, bytes], secret: str) -> None:
    headers = (*content[0], ("Set-Cookie", f"session={secret}; Path=/"), ("Location", f"/a?token={secret}&page=2"))
    once = REDACTOR.response(Response(200, "OK", headers, content[1]), PlaceholderAllocator())
    assert REDACTOR.response(once, PlaceholderAllocator()) == once


@pytest.mark.parametrize(
    ("target", "media", "body"),
    [
        # A placeholder's name must not have a text looked at more closely than the secret did.
        (f"/pard={strategies.SECRETS[3]}%&a={strategies.SECRETS[3]}", "", b""),
        (f"/pa%ssword=x&a={strategies.SECRETS[5]}", "", b""),
        (f'/2;password={{{{redacted}}}}&a=s3;c=]"{strategies.SECRETS[5]}', "", b""),
        # A name that is a credential itself names none.
        (f"/?{strategies.SECRETS[5]}password={{{{redacted}}}}{strategies.SECRETS[5]}", "", b""),
        ("/", "application/x-www-form-urlencoded", f'{{"tok\xeaen": "S", "a": ["{JWT}"]}}'.encode("latin-1")),
        ("/", "application/json", f'{{"to ken": "S", "a": "{JWT}"}}'.encode()),
        ("/", "text/event-stream", f'{{"a": ["{strategies.SECRETS[5]}xpassword={strategies.SECRETS[5]}"]}}'.encode()),
    ],
)
def test_what_was_hidden_matches_as_it_did_and_is_not_hidden_again(target: str, media: str, body: bytes) -> None:
    request = a_request("POST", target, (("content-type", media),), body)
    for label in (PlaceholderAllocator(), anonymous):
        once = REDACTOR.request(request, label)
        assert Matcher().key(once) == Matcher().key(request)
        assert REDACTOR.request(once, PlaceholderAllocator()) == once


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("location", "password=S1<;a=b<;c"),
        ("location", 'password=S,b=S1&`=x{l",password=S'),
        ("location", "password=a;password=b;c"),
        ("location", f'token:"{{{{{strategies.SECRETS[3]}}}}}"'),
        ("location", f'token:"{{{{redacted:{strategies.SECRETS[3]}}}}}"'),
        ("location", 'token:"Token: Bearer abcdefghijklmnopqrst"'),
        ("cookie", "a=a=b%passwd=a"),
        ("cookie", f'passwd=""{strategies.SECRETS[3]}'),
    ],
)
def test_what_was_hidden_in_a_header_is_not_hidden_again(name: str, value: str) -> None:
    once = REDACTOR.headers(((name, value),), PlaceholderAllocator())
    assert REDACTOR.headers(once, PlaceholderAllocator()) == once != ((name, value),)


def test_no_placeholder_is_named_after_a_name_that_is_a_credential_in_small_letters() -> None:
    once = REDACTOR.headers((("location", "Xoxb-a1b2c3d4password=S"),), PlaceholderAllocator())
    assert once == (("location", "Xoxb-a1b2c3d4password={{redacted:value}}"),)


def test_a_reason_that_says_a_placeholder_is_kept_alike() -> None:
    once = REDACTOR.response(Response(200, "a=={{redacted:\xa0}}%2a", (), b""), PlaceholderAllocator())
    assert REDACTOR.response(once, PlaceholderAllocator()) == once


@settings(max_examples=200)
@given(strategies.requests())
def test_nothing_shaped_like_a_credential_is_left(request: Request) -> None:
    redacted = REDACTOR.request(replace(request, headers=(*request.headers, ("X-Note", JWT))), anonymous)
    if not (redacted.headers and redacted.headers[0][1] == "application/octet-stream"):
        assert not [secret for secret in strategies.SECRETS[1:] if secret.encode() in redacted.body]
    assert not [
        secret for secret in strategies.SECRETS[1:] if secret in redacted.target or secret in str(redacted.headers)
    ]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a?token=x&page=2", "/a?token={{redacted:token}}&page=2"),
        ("/a?api%5Fkey=x", "/a?api_key={{redacted:api_key}}"),
        ("/a?token=", "/a?token="),
        ("/a?token", "/a?token"),
        ("/a?page=%7B%7Bredacted%3Atoken%7D%7D", "/a?page={{redacted:token}}"),
        (f"/a/{JWT}/b", "/a/{{redacted:jwt}}/b"),
        (f"/a?x={JWT}", "/a?x={{redacted:jwt}}"),
        ("/a?next=%2Fb%3Ftoken%3Dx%26page%3D2", "/a?next=%2Fb%3Ftoken%3D{{redacted:token}}%26page%3D2"),
        ("/a?u=http%3A%2F%2Fann%3Apw%40h", "/a?u=http%3A%2F%2Fann%3A{{redacted:url_password}}%40h"),
        ("/a?page=2&sort=%2Bname", "/a?page=2&sort=%2Bname"),
    ],
)
def test_targets(target: str, shown: str) -> None:
    assert REDACTOR.request(a_request(target=target), named).target == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer abc", "Bearer {{redacted:authorization}}"),
        ("Authorization", "abc", "{{redacted:authorization}}"),
        ("X-Api-Key", "abc def", "{{redacted:x-api-key}}"),
        ("Cookie", "theme=dark; sid=abc", "theme=dark; sid={{redacted:sid}}"),
        ("Set-Cookie", "session=abc; Path=/; HttpOnly", "session={{redacted:session}}; Path=/; HttpOnly"),
        ("Set-Cookie", "tx=AbCdEfGh12345678; HttpOnly", "tx={{redacted:tx}}; HttpOnly"),
        ("Set-Cookie", "tx=AbCdEfGh12345678; Path=/", "tx=AbCdEfGh12345678; Path=/"),
        ("Set-Cookie", "locale=en-GB; HttpOnly", "locale=en-GB; HttpOnly"),
        ("Set-Cookie", f"tx={'aB3dE5gH' * 60}; HttpOnly", "tx={{redacted:tx}}; HttpOnly"),
        ("Set-Cookie", 'tx={"a":"b|c"}; httponly', "tx={{redacted:tx}}; httponly"),
        ("Set-Cookie", "tx=2|1:0|10:179|ann|; HttpOnly", "tx={{redacted:tx}}; HttpOnly"),
        ("Set-Cookie", "tx=abc12; HttpOnly", "tx={{redacted:tx}}; HttpOnly"),
        ("Set-Cookie", 'auth="a;b|c"; Path=/', 'auth="{{redacted:auth}}"; Path=/'),
        ("Set-Cookie", 'auth="a"b2; Path=/', "auth={{redacted:auth}}; Path=/"),
        ("Cookie", 'a=1; sid="x y"; b=2', 'a=1; sid="{{redacted:sid}}"; b=2'),
        (
            "Set-Cookie",
            "remember_web_59ba36=x1; Path=/",
            "remember_web_59ba36={{redacted:remember_web_59ba36}}; Path=/",
        ),
        # A cookie that is deleted says nothing of a session.
        ("Set-Cookie", "session=; Path=/; HttpOnly", "session=; Path=/; HttpOnly"),
        ("Set-Cookie", 'session=""; HttpOnly', 'session=""; HttpOnly'),
        ("Set-Cookie", "session=deleted; Path=/", "session=deleted; Path=/"),
        ("Set-Cookie", "session=gone; Max-Age=0", "session=gone; Max-Age=0"),
        (
            "Set-Cookie",
            "session=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "session=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ),
        ("Set-Cookie", "sid=x; expires=Thu, 01-Jan-70 00:00:01 GMT", "sid=x; expires=Thu, 01-Jan-70 00:00:01 GMT"),
        ("Set-Cookie", "session=hunter2abc; Max-Age=0", "session={{redacted:session}}; Max-Age=0"),
        ("Set-Cookie", "session=gone; Max-Age=09", "session={{redacted:session}}; Max-Age=09"),
        ("Set-Cookie", f"theme={JWT}; Path=/", f"theme={HIDDEN}; Path=/"),
        (
            "Location",
            "/cb?code_verifier=abc&state=1",
            "/cb?code_verifier={{redacted:code_verifier}}&state={{redacted:state}}",
        ),
        ("Location", "/cb#access_token=abc&x=1", "/cb#access_token={{redacted:access_token}}&x=1"),
        ("Set-Cookie", f"state={ENCODED}; Path=/", f"state={ENCODED_HIDDEN}; Path=/"),
        (
            "Content-Disposition",
            "attachment; filename*=UTF-8''https%3A%2F%2Fu%3AS%40h",
            "attachment; filename*=UTF-8''https%3A%2F%2Fu%3A{{redacted:url_password}}%40h",
        ),
        ("Location", "password=S&a=S", "password={{redacted:password}}&a=S"),
        ("Www-Authenticate", 'Basic a="b", token=a&b', 'Basic a="b", token={{redacted:token}}'),
        (
            "WWW-Authenticate",
            'Digest realm="a", nonce="S", opaque="S"',
            'Digest realm="a", nonce="{{redacted:nonce}}", opaque="{{redacted:opaque}}"',
        ),
        ("X-Note", 'nonce="S"', 'nonce="S"'),
        ("X-Note", f"see {JWT}.", f"see {HIDDEN}."),
        ("Etag", '"abc"', '"abc"'),
    ],
)
def test_headers(name: str, value: str, shown: str) -> None:
    assert REDACTOR.headers(((name, value),), named) == ((name, shown),)


@pytest.mark.parametrize(
    ("headers", "body", "shown"),
    [
        (JSON, '{"token": "abc", "page": 1.10}', '{"token": "{{redacted:token}}", "page": 1.10}'),
        (JSON, '{"tokens":["a","b"]}', '{"tokens":["{{redacted:tokens}}","{{redacted:tokens}}"]}'),
        (JSON, '{"pin":1234,"otp":null,"secret":true}', '{"pin":0,"otp":null,"secret":true}'),
        (JSON, '{"a":"x","a":"y","password":"z"}', '{"a":"x","a":"y","password":"{{redacted:password}}"}'),
        (JSON, '{"nextPageToken":"abc"}', '{"nextPageToken":"abc"}'),
        (JSON, f'{{"x":["{JWT}"]}}', f'{{"x":["{HIDDEN}"]}}'),
        (JSON, '{"t":"\\u0065yJhbGciOiJI.eyJzdWIiOiIxMjM0In0.c2ln"}', '{"t":"{{redacted:jwt}}"}'),
        (JSON, '{"url":"https://a/?token=abc"}', '{"url":"https://a/?token={{redacted:token}}"}'),
        (JSON, '{"raw":"{\\"token\\":\\"abc\\"}"}', '{"raw":"{\\"token\\":\\"{{redacted:token}}\\"}"}'),
        (JSON, '{"token":"abc"', '{"token":"{{redacted:token}}"'),
        (HTML, '<a href="/x?token=abc&amp;p=1">', '<a href="/x?token={{redacted:token}}&amp;p=1">'),
        (HTML, '<script>{"token": "abc"}</script>', '<script>{"token": "{{redacted:token}}"}</script>'),
        (SCRIPT, 'const a = {"token": "abc"}', 'const a = {"token": "abc"}'),
        (SCRIPT, f'const a = "{JWT}"', f'const a = "{HIDDEN}"'),
    ],
)
def test_bodies(headers: Headers, body: str, shown: str) -> None:
    redacted = REDACTOR.response(a_response(headers=headers, body=body.encode()), named)
    assert redacted.body.decode() == shown


@pytest.mark.parametrize(
    ("headers", "path", "body"),
    [
        ((("content-type", "text/plain"),), "/a.mjs", '{x:1};const a={"token": "abc"}'),
        ((("content-type", "application/octet-stream"),), "/a.ts", "let password = 'abc123'"),
        ((), "/a.css", "/* token: 'S' */"),
        ((("content-type", "image/svg+xml"),), "/", '<svg token="S"/>'),
        (JSON, "/", '{"version":3,"sources":["a"],"token":"S","mappings":"AAAA"}'),
        (HTML, "/", "<script>var a={token:'abc'}</script>"),
        (HTML, "/", "<a onclick=\"login({token: 'abc'})\">"),
        (JSON, "/locales/de.json", '{"password":"Kennwort"}'),
        (JSON, "/", '{"login":{"passwd":"Passwort","bearer":"bearer authentication","pin":"Your PIN"}}'),
    ],
)
def test_in_code_and_in_texts_a_name_tells_of_no_secret(headers: Headers, path: str, body: str) -> None:
    response = a_response(headers=headers, body=body.encode())
    assert REDACTOR.response(response, named, path) == response


@pytest.mark.parametrize("path", ["/", "/locales/de.json"])
def test_a_secret_below_messages_or_in_a_file_of_texts_is_hidden(path: str) -> None:
    body = b'{"message":{"token":"bk3RNwTe3H0:CI2kHHwgIpoDKCIZvvDMEx"}}'
    assert REDACTOR.response(a_response(body=body), named, path).body == b'{"message":{"token":"{{redacted:token}}"}}'


def test_a_file_in_a_form_is_searched_for_shapes_and_a_secret_field_is_hidden() -> None:
    body = (
        f'--edge\r\nContent-Disposition: form-data; name="password"\r\n\r\nabc\r\n'
        f'--edge\r\nContent-Disposition: form-data; name="f"; filename="token.txt"\r\n\r\nkey {JWT}\r\n--edge--\r\n'
    )
    redacted = REDACTOR.request(a_request("POST", "/", strategies.MULTIPART_TYPE, body.encode()), named).body.decode()
    assert redacted == body.replace("abc", "{{redacted:password}}").replace(JWT, "{{redacted:jwt}}")


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-8-sig", "shift_jis", "utf-7", "hex", "undefined"])
@given(data=st.binary(max_size=30))
def test_a_body_without_secrets_keeps_its_bytes_in_any_charset(charset: str, data: bytes) -> None:
    response = a_response(headers=(("content-type", f"text/plain; charset={charset}"),), body=data)
    assert REDACTOR.response(response, named).body == data


@pytest.mark.parametrize(
    ("selector", "target", "shown"),
    [
        ("query:customer", "/a?customer=7", "/a?customer={{redacted:customer}}"),
        ("query:CUSTOMER", "/a?customer=7", "/a?customer={{redacted:customer}}"),
        ("value:cust_[0-9]+", "/a/cust_12?x=cust_34", "/a/{{redacted:value}}?x={{redacted:value}}"),
    ],
)
def test_a_team_can_add_to_the_tables(selector: str, target: str, shown: str) -> None:
    assert rules(add=(selector,)).request(a_request(target=target), named).target == shown


def test_a_team_can_add_json_paths_headers_and_cookies() -> None:
    redactor = rules(add=("json:$.user.email", "header:x-user", "cookie:visit", "form:ssn"))
    headers = (*JSON, ("X-User", "ann"), ("Set-Cookie", "visit=1"))
    redacted = redactor.response(a_response(headers=headers, body=b'{"user":{"email":"a@b"},"email":"c@d"}'), named)
    assert redacted.body == b'{"user":{"email":"{{redacted:email}}"},"email":"c@d"}'
    assert redacted.headers[1:] == (("X-User", "{{redacted:x-user}}"), ("Set-Cookie", "visit={{redacted:visit}}"))
    form = redactor.request(a_request("POST", "/", strategies.FORM_TYPE, b"ssn=1&a=2"), named)
    assert form.body == b"ssn={{redacted:ssn}}&a=2"


@pytest.mark.parametrize("selector", ["query:token", "value:.*", "value:ab."])
def test_a_team_can_exempt_from_the_tables(selector: str) -> None:
    assert rules(keep=(selector,)).request(a_request(target="/a?token=abc"), named).target == "/a?token=abc"


def test_a_json_path_can_be_exempt() -> None:
    redactor = rules(keep=("json:$.csrf.token",))
    redacted = redactor.response(a_response(body=b'{"csrf":{"token":"a"},"token":"b"}'), named)
    assert redacted.body == b'{"csrf":{"token":"a"},"token":"{{redacted:token}}"}'


def test_placeholders_are_numbered_by_name_and_the_same_for_the_same_value() -> None:
    number = PlaceholderAllocator()
    assert [number("token", "a"), number("token", "b"), number("key", "c"), number("other", "a")] == [
        "{{redacted:token}}",
        "{{redacted:token:2}}",
        "{{redacted:key}}",
        "{{redacted:token}}",
    ]
    assert number.count == 3


@given(st.text(max_size=10), st.text(max_size=10))
def test_a_placeholder_has_a_legal_name_whatever_the_field_is_called(name: str, value: str) -> None:
    assert normalize_placeholders(PlaceholderAllocator()(name, value)) == "{{redacted}}"


def test_names_are_forgotten_for_comparing() -> None:
    assert (
        normalize_placeholders("a {{redacted:x:2}} {{redacted}} {{other}}") == "a {{redacted}} {{redacted}} {{other}}"
    )


@given(strategies.json_bodies)
def test_json_stays_json_with_its_other_tokens(body: bytes) -> None:
    redacted = REDACTOR.response(a_response(body=body), anonymous).body
    assert type(json.loads(redacted)) is type(json.loads(body))


def test_a_json_path_that_was_added_holds_for_a_body_without_any_other_secret() -> None:
    redacted = rules(add=("json:$.name",)).response(a_response(body=b'{"name":"Ann","n":1}'), named)
    assert redacted.body == b'{"name":"{{redacted:name}}","n":1}'


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Bearer abcdefgh12345678",
        f"see {strategies.SECRETS[2]}",
        "Bearer {{redacted}}",
        "x" * 300,
        "",
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "Authorization", "X-Note", "Set-Cookie"])
def test_a_header_is_hidden_alike_however_often_it_was_seen(name: str, value: str) -> None:
    used = Redactor()
    headers = ((name, value), ("X-Other", value))
    for _ in range(3):
        assert used.headers(headers, PlaceholderAllocator()) == Redactor().headers(headers, PlaceholderAllocator())
        assert used.headers(headers, anonymous) == Redactor().headers(headers, anonymous)


@pytest.mark.parametrize("piece", [" ", "a=", 'a="', ";", "; a", ",a=", "a=&a", "eyJabcd"])
@pytest.mark.parametrize("name", ["Cookie", "Set-Cookie", "Location"])
def test_no_header_takes_longer_than_in_proportion_to_its_length(name: str, piece: str) -> None:
    assert grows_in_proportion(lambda text: REDACTOR.headers(((name, text),), anonymous), piece)


@pytest.mark.parametrize("media", ["application/x-amz-json-1.1", "application/jwt", "application/vnd.of-somebody"])
def test_text_of_any_type_is_searched(media: str) -> None:
    redacted = REDACTOR.response(a_response(headers=(("content-type", media),), body=JWT.encode()), named)
    assert redacted.body.decode() == HIDDEN


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_compressed_request_is_the_one_it_decodes_to(coding: str) -> None:
    body = b'{"token":"abc","page":2}'
    request = a_request("POST", "/", (*JSON, ("Content-Encoding", coding)), content_coding.encode(body, [coding]))
    assert REDACTOR.request(request, named) == REDACTOR.request(a_request("POST", "/", JSON, body), named)
    broken = replace(request, body=b"no such thing")
    assert decode_request(broken) is broken
    assert decode_request(a_request("POST", "/", (("Content-Encoding", "rot13"),), b"x")).body == b"x"


def test_a_token_in_a_response_can_still_be_decoded_and_one_in_a_request_is_hidden_whole() -> None:
    body = f'{{"access_token":"{JWT}"}}'.encode()
    redacted = REDACTOR.response(a_response(body=body), PlaceholderAllocator())
    assert jwt.as_placeholders(redacted.body.decode()) == '{"access_token":"{{redacted:access_token}}"}'
    assert redacted.body.startswith(b'{"access_token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.')
    assert REDACTOR.request(a_request("POST", "/", JSON, body), PlaceholderAllocator()).body == (
        b'{"access_token":"{{redacted:access_token}}"}'
    )
    assert REDACTOR.response(redacted, PlaceholderAllocator()) == redacted
    assert REDACTOR.response(redacted, anonymous).body == b'{"access_token":"{{redacted}}"}'


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"d":"eyJwYXNzd29yZCI6ICJodW50ZXIyIn0="}', b'{"password": "{{redacted}}"}'),
        ('{"d":"eyJvdHAiOiAiOTE1NjMxIn0="}', b'{"otp": "{{redacted}}"}'),
        ('{"d":"data:application/json;base64,eyJwYXNzd29yZCI6ICJodW50ZXIyIn0="}', b'{"password": "{{redacted}}"}'),
    ],
)
def test_secrets_in_base64_are_hidden_there(body: str, shown: bytes) -> None:
    redacted = REDACTOR.response(a_response(body=body.encode()), PlaceholderAllocator())
    assert base64.b64encode(shown) in redacted.body


@pytest.mark.parametrize(
    ("headers", "body", "shown"),
    [
        (HTML, '<div data-api-key="S" id="x">', '<div data-api-key="{{redacted:api-key}}" id="x">'),
        (HTML, '<add key="ApiKey" value="S"/>', '<add key="ApiKey" value="{{redacted:apikey}}"/>'),
        (HTML, '<user password="S"/>', '<user password="{{redacted:password}}"/>'),
        (JSON, '{"u":"https%3A%2F%2Fh%2F%3Ftoken%3DS"}', '{"u":"https%3A%2F%2Fh%2F%3Ftoken%3D{{redacted:token}}"}'),
        (
            JSON,
            '{"u":"/a?u=/b%3Fu%3Dhttps%253A%252F%252Fh%252F%253Ftoken%253DS"}',
            '{"u":"/a?u=%2Fb%3Fu%3Dhttps%253A%252F%252Fh%252F%253Ftoken%253D{{redacted:token}}"}',
        ),
        (
            HTML,
            '<p data-page="{&quot;pin&quot;:&quot;S&quot;}">',
            '<p data-page="{&quot;pin&quot;:&quot;{{redacted:pin}}&quot;}">',
        ),
        (HTML, "<input value=S name='csrf'>", "<input value={{redacted:csrf}} name='csrf'>"),
        (HTML, "<input name=csrf value='S'>", "<input name=csrf value='{{redacted:csrf}}'>"),
        (HTML, '<a href="data:,%22pin%22%3A%22S%22">', '<a href="data:,%22pin%22%3A%22{{redacted:pin}}%22">'),
        (EVENTS, 'data: {\ndata: "token": "S"}\n\n', 'data: {\ndata: "token": "{{redacted:token}}"}\n\n'),
        (SCRIPT, '/**/cb({"token":"S"});', '/**/cb({"token":"{{redacted:token}}"});'),
        (JSON, '{"code":"S","redirect_uri":"/"}', '{"code":"{{redacted:code}}","redirect_uri":"/"}'),
        (JSON, '{"code":"DE","state":"open"}', '{"code":"DE","state":"open"}'),
        (JSON, '{"fieldErrors":{"password":"too short"}}', '{"fieldErrors":{"password":"too short"}}'),
        ((("content-type", "text/csv"),), "id,api_key\n1,S\n", "id,api_key\n1,{{redacted:api_key}}\n"),
        (HTML, "<p>password = 'hunter2'", "<p>password = '{{redacted:password}}'"),
    ],
)
def test_hiding_places(headers: Headers, body: str, shown: str) -> None:
    assert REDACTOR.response(a_response(headers=headers, body=body.encode()), named).body.decode() == shown


def test_personal_data_is_hidden_where_a_team_asks_for_it_and_a_number_stays_one() -> None:
    redactor = Redactor(RedactionRules(kinds=("cards", "emails")))
    body = b'{"by":"ann@example.com","card":4111111111111111,"text":"4111 1111 1111 1111","id":4111111111111112}'
    redacted = redactor.response(a_response(body=body), named).body
    assert redacted == b'{"by":"{{redacted:email}}","card":0,"text":"{{redacted:card_number}}","id":4111111111111112}'
    assert REDACTOR.response(a_response(body=body), named).body == body


@pytest.mark.parametrize("headers", [(), (("content-type", "application/x-www-form-urlencoded"),)])
def test_a_binary_body_is_left_alone_though_it_claims_to_be_none(headers: Headers) -> None:
    body = b"\x89PNG\0password=hunter2&token=abc"
    assert Redactor().request(Request("POST", "/a", headers, body), PlaceholderAllocator()).body == body


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("NTLM TlRMTVNTUAACAAAA", "NTLM {{redacted:www-authenticate}}"),
        ("negotiate oYG2MIGz==", "negotiate {{redacted:www-authenticate}}"),
        ("Kerberos YIIF, NTLM", "Kerberos {{redacted:www-authenticate}}, NTLM"),
        ('Basic realm="a", Negotiate oYG2', 'Basic realm="a", Negotiate {{redacted:www-authenticate}}'),
        ("Negotiate", "Negotiate"),
        ('Basic realm="NTLM abc"', 'Basic realm="NTLM abc"'),
    ],
)
def test_the_tokens_of_a_login_on_a_connection_are_hidden(value: str, stored: str) -> None:
    numbering = PlaceholderAllocator()
    redacted = Redactor().headers((("WWW-Authenticate", value),), numbering)
    assert redacted == (("WWW-Authenticate", stored),)
    assert Redactor().headers(redacted, numbering) == redacted
