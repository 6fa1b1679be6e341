"""Every kind of secret in every place it may hide: none is in a file, and others of its kind find what was recorded."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from replaymock.cassettes.writer import dump
from replaymock.http.messages import Response
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy
from replaymock.redaction.credential_patterns import CREDENTIALS
from replaymock.redaction.placeholders import anonymous
from replaymock.redaction.redactor import Redactor
from replaymock.redaction.secret_names import SECRET_NAMES
from tests.support.credentials import LETTERS, made, word
from tests.support.hiding_places import (
    JSON,
    PLACES,
    Secret,
    views,
)
from tests.support.stored import HeldCassettes

NAMES = sorted(SECRET_NAMES)[::7]


def shaped(position: int, source: random.Random) -> Secret:
    shape = CREDENTIALS[position]
    usual, fresh = (made(shape, each) for each in (random.Random(position), source))
    stays, changes = (shape.expression.search(text) for text in (usual, fresh))
    assert stays and changes
    needle = changes.group(shape.secret)
    start, end = stays.span(shape.secret)
    text = usual[:start] + needle + usual[end:]
    return Secret("note", text, needle.rpartition(".")[2] if shape.name == "jwt" else needle)


def called(name: str, source: random.Random) -> Secret:
    value = word(source)
    return Secret(name, value, value)


KINDS: dict[str, Callable[[random.Random], Secret]] = {
    **{shape.name: (lambda source, at=at: shaped(at, source)) for at, shape in enumerate(CREDENTIALS)},  # type: ignore[misc]
    **{name: (lambda source, name=name: called(name, source)) for name in NAMES},  # type: ignore[misc]
}


def kinds_in(place: str) -> list[str]:
    """Every second kind, so that each is in eleven places."""
    return list(KINDS)[list(PLACES).index(place) % 2 :: 2]


def record(place: str, seed: int, cassettes: HeldCassettes) -> tuple[list[str], dict[str, bytes]]:
    """Every kind of secret in one place, each in a recording of its own: what must not be seen, and what is written."""
    source, kinds = random.Random(f"{place} {seed}"), kinds_in(place)
    secrets = [KINDS[kind](source) for kind in kinds]
    matcher, written = Matcher(), {}
    for kind, secret in zip(kinds, secrets, strict=True):
        told = PLACES[place](secret)
        request = replace(told.request, target=f"/{kind}{told.request.target}")
        built = CassetteBuilder(RecordingPolicy(), matcher, OriginRewriter(("http://b",))).build(
            Capture(replace(told, request=request)), cassettes
        )
        cassettes.put(built.file, built.cassette)
        files = dump(built.cassette, built.file) if built.is_changed else {}
        written |= {f"{built.file} {name}": data for name, data in files.items()}
        assert cassettes.index.find(matcher.canonical(request))
    return [secret.needle for secret in secrets], written


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_seen_in_any_place_and_fresh_ones_change_no_file(place: str) -> None:
    cassettes = HeldCassettes()
    needles, written = record(place, 1, cassettes)
    assert len(written) == len(kinds_in(place)) > 50
    seen = "\n".join(f"{file}\n{views(data)}" for file, data in written.items())
    assert [kind for kind, needle in zip(kinds_in(place), needles, strict=True) if needle in seen] == []
    assert record(place, 2, cassettes)[1] == {}


def harmless(source: random.Random) -> str:
    """A value that only looks like a secret."""
    digits = "0123456789abcdef"
    some = lambda letters, size: "".join(source.choices(letters, k=size))  # noqa: E731 - used on every line below
    upper = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return source.choice(
        [
            f"{some(digits, 8)}-{some(digits, 4)}-4{some(digits, 3)}-8{some(digits, 3)}-{some(digits, 12)}",
            some(digits, 40),
            some(digits, 64),
            f'W/"{some(digits, 32)}"',
            f"main.{some(digits, 8)}.chunk.css",
            f"index-{some(LETTERS, 8)}.js",
            "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + source.randbytes(300)).decode(),
            f"20{some('0123456789', 2)}-11-22T13:00:00.{some('0123456789', 3)}Z",
            f"v{source.randrange(99)}.{source.randrange(99)}.{source.randrange(99)}-rc.1+{some(digits, 7)}",
            "01" + some(upper, 24),
            f"ORD-{some('0123456789', 8)}-{some(upper, 6)}",
            f"sha512-{base64.b64encode(source.randbytes(64)).decode()}",
            f"https://cdn.example.com/{some(LETTERS, 22)}/a_{some(digits, 12)}.webp?v={some(digits, 20)}",
            "cus_" + some(LETTERS, 14),
            some(LETTERS, 21),
        ]
    )


def test_of_a_thousand_harmless_values_hardly_one_is_hidden() -> None:
    source, redactor = random.Random(7), Redactor()
    hidden = []
    for name in ("id", "etag", "ref", "src", "version"):
        for _ in range(200):
            value = harmless(source)
            body = json.dumps({name: value}).encode()
            response = Response(200, "OK", (("content-type", JSON), ("etag", '"x"'), ("x-ref", value)), body)
            if redactor.response(response, anonymous) != response:
                hidden.append(value)
    assert len(hidden) <= 10, hidden
