"""A cassette without what became known to be secret, and which files to look for that in."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, CassetteRequest
from replaymock.cassettes.reader import checked_dump
from replaymock.cassettes.writer import dump
from replaymock.http import bodies
from replaymock.http.websocket_messages import Message
from replaymock.recording.late_redaction import LateRedactor
from replaymock.redaction.known_secrets import is_distinctive
from tests.support.factories import JSON, a_cassette, recorded

SECRET, MASK = "Zx81kL/mn22pQ", "{{redacted:token}}"
SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: text.replace("/", "\\/"),
    lambda text: text.replace("+", "\\u002B"),
]
HINDSIGHT = LateRedactor({SECRET: MASK})


def asked(body: bodies.Body) -> Cassette:
    return Cassette(CassetteRequest("POST", "/a", None, (), body), (recorded(),))


@pytest.mark.parametrize(
    "cassette",
    [
        a_cassette(f"/users/{SECRET.replace('/', '%2F')}"),
        Cassette(CassetteRequest("GET", "/a", (("q", SECRET), ("r", None))), (recorded(),)),
        asked(bodies.Json(json.dumps({"a": [SECRET]}).encode())),
        asked(bodies.Text(f"<a>{SECRET}</a>")),
        asked(bodies.Form((("a", SECRET),))),
        asked(bodies.Multipart((bodies.part("a", None, "", bodies.Text(SECRET)),))),
        asked(bodies.Multipart((bodies.part("a", "a.txt", "", bodies.Text(SECRET)),))),
        a_cassette("/a", recorded(headers=(*JSON, ("x-a", f"is {SECRET}")))),
        a_cassette("/a", recorded(json.dumps({"a": f"first\n{SECRET}"}).replace("/", "\\/").encode())),
        a_cassette("/a", recorded(), recorded(after=f"POST /users/{SECRET} x2")),
        a_cassette("/a", recorded(b"", status=101, messages=(Message("server", "text", SECRET.encode()),))),
    ],
)
def test_a_secret_is_hidden_wherever_a_cassette_holds_it(cassette: Cassette) -> None:
    before, hidden = dump(cassette, "GET.json"), HINDSIGHT.cassette(cassette)
    assert any(HINDSIGHT.may_be_in(data) for data in before.values())
    assert "kL" not in str(dump(hidden, "GET.json")) and HINDSIGHT.cassette(hidden) == hidden


def test_the_reason_of_a_close_has_room_for_what_hides_a_secret() -> None:
    reason = Message("server", "close", b" ".join([SECRET.encode()] * 8), 4000)
    socket = Cassette(CassetteRequest("GET", "/ws"), (recorded(b"", status=101, headers=(), messages=(reason,)),))
    [hidden] = HINDSIGHT.cassette(socket).responses[0].messages
    assert hidden.data == b" ".join([MASK.encode()] * 6) + b" "
    assert checked_dump(HINDSIGHT.cassette(socket), "GET.json")


@pytest.mark.parametrize(
    "cassette",
    [
        a_cassette("/a", recorded(b"let hunter2abc", headers=(("content-type", "text/javascript"),))),
        a_cassette("/a.mjs", recorded(b"let hunter2abc", headers=(("content-type", "text/plain"),))),
        a_cassette("/a.css", recorded(b".hunter2abc{}", headers=())),
        a_cassette("/a", recorded(b"<script>hunter2abc()</script>", headers=(("content-type", "text/html"),))),
        a_cassette("/a", recorded(b'<b onclick="hunter2abc()">', headers=(("content-type", "text/html"),))),
    ],
)
def test_code_is_not_written_anew_for_what_may_be_a_name_in_it(cassette: Cassette) -> None:
    assert LateRedactor({"hunter2abc": MASK}).cassette(cassette) == cassette
    chance = "a8f3c2d1e4b59607a8f3c2d1"
    body = cassette.responses[0].body.replace(b"hunter2abc", chance.encode())
    said = Cassette(cassette.request, (replace(cassette.responses[0], body=body),))
    found = LateRedactor({chance: MASK}).cassette(said)
    assert MASK.encode() in found.responses[0].body


def test_a_cassette_without_a_secret_stays_as_it_is() -> None:
    cassette = a_cassette("/Zx81kL/mn22pQs", recorded(b'{"a":"Zx81kL"}'))
    assert HINDSIGHT.cassette(cassette) == cassette
    image = a_cassette("/a", recorded(SECRET.encode(), headers=(("content-type", "image/png"),)))
    assert HINDSIGHT.cassette(image) == image
    assert not HINDSIGHT.may_be_in(b'{"a":"Zx81kLmn22pQ"}')


@given(st.text("abcXYZ0189%/+=.-_~", min_size=8, max_size=24).filter(is_distinctive), st.data())
def test_a_file_that_holds_a_secret_in_any_spelling_is_looked_at(secret: str, data: st.DataObject) -> None:
    spelled = data.draw(st.sampled_from(SPELLINGS))(secret)
    text = data.draw(st.sampled_from(["", "a ", "%", "%2F", "one\\n", "=", "\\u0026"])) + spelled
    redactor = LateRedactor({secret: MASK, "another1secret": MASK})
    assert redactor.may_be_in(f"{text} and more".encode())
    assert redactor.hide(f"{text} and more") != f"{text} and more"


def test_pauses_are_where_they_were_though_the_body_is_longer() -> None:
    stream = (("content-type", "text/event-stream"),)
    events = f"data: {SECRET}\n\ndata: 2\n\n".encode()
    for headers, body, at, moved in (
        (stream, events, events.index(b"data: 2"), len(f"data: {MASK}\n\n")),
        (JSON, f'["{SECRET}"]'.encode(), 3, 3),
    ):
        (found,) = HINDSIGHT.cassette(a_cassette("/a", recorded(body, headers=headers, pauses=((at, 70),)))).responses
        assert found.pauses == ((moved, 70),)


def test_a_binary_message_is_let_be() -> None:
    message = Message("server", "binary", SECRET.encode())
    cassette = a_cassette("/a", recorded(b"", status=101, messages=(message, replace(message, kind="text"))))
    first, second = HINDSIGHT.cassette(cassette).responses[0].messages
    assert (first.data, second.data) == (SECRET.encode(), MASK.encode())
