"""Secrets found again by their value."""

import re

import pytest

from replaymock.http.headers import Headers
from replaymock.redaction.known_secrets import KnownSecrets, is_distinctive
from tests.support.factories import JSON, a_request, a_response
from tests.support.growth import grows_in_proportion


@pytest.mark.parametrize(
    "value",
    ["hunter2abc", "9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", "s3cret/+=", "mXqeRTzKwPnsLb", "super-zebra42-token"],
)
def test_long_mixed_values_are_telling(value: str) -> None:
    assert is_distinctive(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "true",
        "1234",
        "12345678",
        "password1",
        "changeme",
        "2026-11-22",
        "1.10.2",
        "aaaa1111",
        "a b c d e f 1",
        "{{redacted}}",
        # What programs and texts say.
        "MixedCaseWord",
        "localStorage",
        "nextPageToken",
        "getElementById",
        "localStorage.getItem(",
        "e.secretKey",
        "this.state.accessToken",
        '"),g({secret:e.secret})}',
        'document.getElementById("a8f3c2d1e4b59607a8f3c2d1e4b59607")',
        "a=>a.b2&&c",
    ],
)
def test_short_common_and_plain_values_are_not(value: str) -> None:
    assert not is_distinctive(value)


@pytest.mark.parametrize(
    "value",
    [
        "aB3dE5gH" * 40,
        '{"id":"a8f3c2d1e4b59607a8f3c2d1e4b59607","v":1}',
        "2|1:0|10:1796000000|23:username-localhost-8888|" + "aB3dE5gH" * 30,
        'a "quoted" a8f3c2d1e4b59607a8f3c2d1e4b59607',
        "a8f3c2d1e4b59607a8f3c2d1e4b59607<admin>;1",
    ],
)
def test_what_nobody_would_have_written_is_telling_whatever_its_length_and_its_other_characters(value: str) -> None:
    assert is_distinctive(value)


CHANCE = "a8f3c2d1e4b59607a8f3c2d1e4b59607"
CODE = (("content-type", "text/javascript"),)
PAGE = (("content-type", "text/html; charset=utf-8"),)


@pytest.mark.parametrize(
    ("headers", "path", "body", "shown"),
    [
        (CODE, "", "set('hunter2abc', '{}')", "set('hunter2abc', '#')"),
        ((("content-type", "text/css"),), "", ".hunter2abc{{}} .{}", ".hunter2abc{{}} .#"),
        ((("content-type", "text/plain"),), "/a/app.mjs", "x='hunter2abc'", "x='hunter2abc'"),
        (JSON, "", '{{"a":"hunter2abc","b":"{}"}}', '{{"a":"#","b":"#"}}'),
        (PAGE, "", "<script>x='hunter2abc'</script><p>hunter2abc", "<script>x='hunter2abc'</script><p>#"),
        (PAGE, "", "<script>t='{}'</script>", "<script>t='#'</script>"),
        (PAGE, "", "<a onclick=\"go('hunter2abc')\">hunter2abc", "<a onclick=\"go('hunter2abc')\">#"),
        (
            PAGE,
            "",
            '<script type="application/json">["hunter2abc"]</script>',
            '<script type="application/json">["#"]</script>',
        ),
    ],
)
def test_in_code_only_what_nobody_would_have_written_is_hidden_by_its_value(
    headers: Headers, path: str, body: str, shown: str
) -> None:
    secrets = KnownSecrets({"hunter2abc": "#", CHANCE: "#"})
    response = secrets.response(a_response(headers=headers, body=body.format(CHANCE).encode()), path)
    assert response.body.decode() == shown.format()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("s%3AaB3dE5gH2345.jK7mN9pQ2468", '{"sid":"s:aB3dE5gH2345.jK7mN9pQ2468"}'),
        ("s%3AaB3dE5gH2345.jK7mN9pQ2468", "?sid=s%3aaB3dE5gH2345.jK7mN9pQ2468"),
        ("a8f3c2d1e4b59607&role=1", "<p>a8f3c2d1e4b59607&amp;role=1"),
        ('{"k":"a8f3c2d1e4b59607aa"}', '{"said":"{\\"k\\":\\"a8f3c2d1e4b59607aa\\"}"}'),
        ('{"k":"a8f3c2d1e4b59607aa"}', "?c=%7B%22k%22%3A%22a8f3c2d1e4b59607aa%22%7D"),
        ('{"k":"a8f3c2d1e4b59607aa"}', "<i data-c='{&quot;k&quot;:&quot;a8f3c2d1e4b59607aa&quot;}'>"),
        ("a8f3c2d1e4b59607 b", "c=a8f3c2d1e4b59607+b"),
    ],
)
def test_the_value_of_a_cookie_is_hidden_however_it_is_echoed(value: str, text: str) -> None:
    secrets = KnownSecrets()
    secrets.remember(value, "#")
    hidden = secrets.hide(text)
    assert "#" in hidden and "a8f3c2d1" not in hidden and "aB3dE5gH" not in hidden


def test_a_known_value_is_hidden_where_it_stands_on_its_own() -> None:
    secrets = KnownSecrets()
    secrets.remember("s3cret/word", "{{redacted:password}}")
    request = a_request(
        "POST", "/a/s3cret%2Fword?x=s3cret/word&y=s3cret/words", JSON, b'{"s3cret/word":["s3cret/word"]}'
    )
    redacted = secrets.request(request)
    assert redacted.target == "/a/{{redacted:password}}?x={{redacted:password}}&y=s3cret/words"
    assert redacted.body == b'{"{{redacted:password}}":["{{redacted:password}}"]}'
    response = secrets.response(a_response(headers=(("x-a", "is s3cret/word"),), body=b"s3cret/word"))
    assert (response.headers[0][1], response.body) == ("is {{redacted:password}}", b"{{redacted:password}}")
    cookie = secrets.request(a_request(headers=(("cookie", "a=s3cret%2Fword"),)))
    assert cookie.headers == (("cookie", "a={{redacted:password}}"),)
    typed = a_response(headers=(("content-type", "application/octet-stream"),), body=b"s3cret/word")
    assert secrets.response(typed).body == b"{{redacted:password}}"
    image = a_response(headers=(("content-type", "image/png"),), body=b"s3cret/word")
    assert secrets.response(image) == image


def test_only_so_many_values_are_known() -> None:
    secrets = KnownSecrets()
    for number in range(2000):
        secrets.remember(f"secret-number-{number}", "{{redacted}}")
    assert secrets.hide("secret-number-0 secret-number-1999") == "secret-number-0 {{redacted}}"


@pytest.mark.parametrize(
    "text",
    [
        "/a%2Fs3cret%2fword",
        "?next=%252Fx%253Fa%253Ds3cret%252Fword%2526",
        '{"a":"one\\ns3cret\\/word"}',
        '{"a":"\\u0026s3cret\\u002Fword"}',
        '{"a":"{\\"b\\":\\"s3cret\\\\/word\\"}"}',
    ],
)
def test_a_known_value_is_hidden_however_it_is_spelled(text: str) -> None:
    hidden = KnownSecrets({"s3cret/word": "{{redacted}}"}).hide(text)
    assert "{{redacted}}" in hidden and "s3cret" not in hidden


def test_a_secret_is_found_though_one_with_the_same_word_was_forgotten() -> None:
    secrets = KnownSecrets(most=1)
    for value in ("sk-Abcdef123456.old", "sk-Abcdef123456.new"):
        secrets.remember(value, "{{redacted}}")
    assert secrets.hide("sk-Abcdef123456.new sk-Abcdef123456.old") == "{{redacted}} sk-Abcdef123456.old"


def test_each_secret_is_news_once() -> None:
    secrets = KnownSecrets()
    for value in ("hunter2abc", "short", "hunter2abc", "x1y2z3ab"):
        secrets.remember(value, f"{{{{redacted:{value}}}}}")
    assert list(secrets.take_new()) == ["hunter2abc", "x1y2z3ab"]
    assert secrets.take_new() == {}


@pytest.mark.parametrize("value", ["hunter2abc", "p-!hunter2abc"])
@pytest.mark.parametrize("text", ["{}", "{} {}", "x{} {}x {}", "{}{} {}", '"{}",{}'])
def test_a_value_is_hidden_wherever_it_stands_on_its_own(value: str, text: str) -> None:
    secrets = KnownSecrets({value: "#"})
    expected = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", "#", text.replace("{}", value))
    assert secrets.hide(text.replace("{}", value)) == expected


def test_a_text_with_many_known_values_takes_no_longer_than_in_proportion_to_its_length() -> None:
    secrets = KnownSecrets({f"hunter{at}-abc": "#" for at in range(100)})
    assert grows_in_proportion(secrets.hide, "hunter7-abc hunter8-abcd ")
