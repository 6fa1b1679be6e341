"""What must hold for any bytes: of a cassette file, of a request's name, of what is redacted. Each target takes bytes."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator

from replaymock.cassettes.filenames import NAME_LIMIT, is_cassette_name
from replaymock.cassettes.reader import SidecarLoader, load, plain_mock
from replaymock.cassettes.writer import dump
from replaymock.errors import CassetteError, RequestRefused
from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request, Response
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import PART_LIMIT, cassette_name
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import Redactor
from replaymock.replay.renderer import RenderOptions, renderers
from replaymock.server.access import validate_request
from tests.support.corpus.cassettes import CASSETTES
from tests.support.corpus.requests import HOSTILE, LEGAL
from tests.support.corpus.upstreams import UPSTREAMS
from tests.support.inside import an_entry
from tests.support.strategies import SECRETS

MATCHER = Matcher()
REDACTOR = Redactor()
NOTHING_BESIDE = SidecarLoader(lambda _name, _most: _refuse())
ALLOWED = re.compile(r"[a-zA-Z0-9._-]+")
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=e",
    "text/plain; charset=utf-8",
    "text/html; charset=utf-16",
    "text/event-stream",
    "application/x-ndjson",
    "application/octet-stream",
    "",
)


def loader(data: bytes) -> None:
    """A file is refused with its place, or is a cassette that can be found, served and written again."""
    try:
        plain_mock("/a", data, "a.json")
    except CassetteError as error:
        assert re.match(r"a\.json:[0-9]+:[0-9]+: .", str(error)), str(error)
    try:
        cassette = load("GET.json", data, NOTHING_BESIDE)
    except CassetteError as error:
        assert re.match(r"GET\.json:[0-9]+:[0-9]+: .", str(error)), str(error)
        return
    renderers(an_entry(cassette), cassette.responses, RenderOptions(CorsPolicy()))
    files = dump(cassette, "GET.json")
    again = load("GET.json", files["GET.json"], SidecarLoader(lambda name, _most: files[name]))
    assert again.request == cassette.request
    assert [recorded.body for recorded in again.responses] == [recorded.body for recorded in cassette.responses]


def namer(data: bytes) -> None:
    """A request that is served has a name inside the folder that every disk takes, and that no other key shares."""
    method, _, target = data.decode("latin-1").partition(" ")
    request = Request(method, target)
    try:
        validate_request(request, "HTTP/1.0")
    except RequestRefused:
        return
    canonical = MATCHER.canonical(request)
    name = cassette_name(canonical)
    assert len(name) <= NAME_LIMIT
    for part in name.split("/"):
        assert ALLOWED.fullmatch(part), name
        assert len(part) <= PART_LIMIT, name
        assert not RESERVED.fullmatch(part), name
        assert part.strip(".") == part, name
    assert is_cassette_name(name.rpartition("/")[2]), name
    other = Request(method.swapcase(), target.swapcase())
    if MATCHER.key(other) != MATCHER.key(request):
        assert _folded(cassette_name(MATCHER.canonical(other))) != _folded(name), name


def redactor(data: bytes) -> None:
    """Redacting ends, whatever it is given and of its own work too; what is hidden matches as it did; JSON stays JSON."""
    kind = (("content-type", TYPES[data[0] % len(TYPES)]),) if data else ()
    head, _, body = data[1:].partition(b"\n")
    text = "".join(character for character in head.decode("latin-1") if character not in "\r\0")
    request = Request(
        "POST",
        "/" + "".join(text.split()).encode("ascii", "ignore").decode(),
        (*kind, ("x", text), ("cookie", text)),
        body,
    )
    hidden = REDACTOR.request(request, PlaceholderAllocator())
    assert REDACTOR.request(hidden, PlaceholderAllocator()) == hidden, hidden
    assert MATCHER.key(hidden) == MATCHER.key(request), hidden
    answer = Response(200, text, (*kind, ("set-cookie", text), ("location", text)), body)
    once = REDACTOR.response(answer, PlaceholderAllocator())
    assert REDACTOR.response(once, PlaceholderAllocator()) == once, once
    if kind and kind[0][1] == TYPES[0] and _is_json(body):
        assert _is_json(once.body), once.body


def seeds(name: str) -> Iterator[bytes]:
    """What a fuzzer begins with."""
    if name == "loader":
        yield from (data for _, data, _ in CASSETTES if len(data) < 4096)
    if name == "namer":
        for _, data, _ in (*HOSTILE, *LEGAL):
            yield data.partition(b"\r\n")[0].rpartition(b" ")[0][:4096]
    if name == "redactor":
        for at, (_, data, *_) in enumerate(UPSTREAMS):
            yield bytes([at % len(TYPES)]) + data.partition(b"\r\n\r\n")[2][:4096]
        for at, secret in enumerate(SECRETS):
            text = f'password={secret}&a={secret}\n{{"token": "{secret}", "a": ["{secret}"]}}'
            yield bytes([at % len(TYPES)]) + text.encode()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse() -> bytes:
    raise FileNotFoundError(2, "No such file or directory")


TARGETS: dict[str, Callable[[bytes], None]] = {"loader": loader, "namer": namer, "redactor": redactor}
