"""A cassette file read strictly: what is wrong is named with its place, and nothing in a file is ever executed.

`load(dump(cassette)) == cassette` for every cassette that recording can make.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from replaymock.cassettes import websocket
from replaymock.cassettes.diagnostics import FileFault, Place, at_path, locate, refuse_doubles
from replaymock.cassettes.model import SWITCHING, VERSION, Cassette, CassetteRequest, RecordedResponse, Sidecar
from replaymock.cassettes.schema import FileCassette, FilePart, FileRequest, FileResponse
from replaymock.cassettes.writer import dump
from replaymock.errors import CassetteError
from replaymock.http import bodies, content_coding, event_stream, media_types
from replaymock.http.headers import AGREED, HOP_BY_HOP, KEPT_VALUE, TOKEN, Headers, get, media_type
from replaymock.http.rendered import NO_CONTENT
from replaymock.http.status import standard_reason
from replaymock.http.uri import mapping_to_pairs
from replaymock.placeholders import ORIGIN

MOST_BYTES = 64 * 1024 * 1024
"""The largest body that is taken into memory when it is served."""

ANY_SIZE = 1 << 62

NONE = -1
"""As the most bytes to take into memory: only to see that the file could be read."""

Fetch = Callable[[str, int], bytes | Sidecar]
"""From the name of a sibling file to its bytes, or to where it is if it has more than so many.

OSError or ValueError with the reason.
"""


class SidecarLoader(Struct, frozen=True):
    """How the sidecars of a cassette are taken: by whom, and those of more than `held` bytes only if they must be."""

    fetch: Fetch
    held: int = ANY_SIZE

    def whole(self, name: str, layout: str | None) -> bytes:
        """A body that is taken into memory. OSError or ValueError with the reason."""
        data = self.fetch(name, max(self.held, MOST_BYTES))
        if isinstance(data, Sidecar):
            raise ValueError(f"larger than {MOST_BYTES} bytes")  # noqa: TRY004 - its size is wrong, not its type
        return data if layout is None else bodies.apply_layout(data, layout)

    def body(self, name: str, found: FileResponse, headers: Headers) -> bytes | Sidecar:
        """A body, in memory or where it is. OSError or ValueError with the reason."""
        if found.layout is not None:
            return self.whole(name, found.layout)
        data = self.fetch(name, self.held)
        if not isinstance(data, Sidecar):
            return data
        if data.size == 0:
            return b""
        media = media_type(headers)
        if found.pauses or found.truncated or event_stream.is_stream(media):
            return data if self.held == NONE and data.size <= MOST_BYTES else self.whole(name, None)
        may_hold_origin = found.rewrite and not found.encoded and media_types.is_rewritable(media)
        if may_hold_origin and data.size > MOST_BYTES:
            raise ValueError(f'larger than {MOST_BYTES} bytes, which takes "rewrite": false')
        if self.held == NONE or data.size > MOST_BYTES:
            return data
        coded = not found.encoded and bool(content_coding.parse(get(headers, "content-encoding")))
        if not may_hold_origin and not coded:
            return data
        taken = self.whole(name, None)
        return taken if coded or ORIGIN.encode() in taken else data


Loaded = TypeVar("Loaded", bytes, bytes | Sidecar)

JSON_TYPE = "application/json; charset=utf-8"


def load(file: str, data: bytes, sidecars: SidecarLoader) -> Cassette:
    """The cassette in `data`. CassetteError with the place of the first thing that is wrong."""
    try:
        found = _decoded(file, data)
        try:
            refuse_doubles(data, _json_bodies(found))
        except FileFault as fault:
            raise at_path(file, data, fault.place, fault.reason) from fault
        return _cassette(file, data, found, sidecars)
    except CassetteError as error:
        raise error.about(_request_in(data)) from error.__cause__


def spelled(cassette: Cassette, file: str) -> dict[str, bytes]:
    """The files of a cassette called `file`, as `dump` gives them. CassetteError if they could not be read again."""
    files = dump(cassette, file)
    _read_back(file, files)
    return files


def _read_back(file: str, files: dict[str, bytes]) -> Cassette:
    """The cassette in files as `dump` gives them, itself last, read as `load` would: no key in it is there twice."""

    def fetch(name: str, most: int) -> bytes | Sidecar:
        found = files[name]
        return found if len(found) <= most else Sidecar(name, len(found))

    data = files[next(reversed(files))]
    if len(data) > MOST_BYTES:
        raise CassetteError(file, 1, 1, f"larger than {MOST_BYTES} bytes")
    return _cassette(file, data, _decoded(file, data), SidecarLoader(fetch, NONE))


def _decoded(file: str, data: bytes) -> FileCassette:
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise locate(file, data, error) from error
    if found.version > VERSION:
        reason = f"version {found.version} is newer than this replaymock reads ({VERSION}); upgrade replaymock"
        raise at_path(file, data, ("version",), reason)
    return found


def _cassette(file: str, data: bytes, found: FileCassette, sidecars: SidecarLoader) -> Cassette:
    try:
        request = _load_request(found.request)
        responses = tuple(
            _load_response(response, position, request.method, sidecars)
            for position, response in enumerate(found.responses)
        )
        request = _as_upgrade(request, responses)
    except FileFault as fault:
        raise at_path(file, data, fault.place, fault.reason) from fault
    return Cassette(request, responses)


def _request_in(data: bytes) -> CassetteRequest | None:
    """What a cassette says of its request, whatever else is wrong with it; None where that cannot be read either."""
    try:
        text = data.decode("utf-8")
        start = _REQUEST.search(text)
        if start is None:
            return None
        _, end = json.JSONDecoder().raw_decode(text, start.end())
        found = msgspec.json.decode(text[start.end() : end], type=FileRequest)
        request = _load_request(found)
        says_so = request.is_upgrade or not _MESSAGES.search(text, end)
        return request if says_so else replace(request, headers=(*request.headers, _UPGRADE))
    except (ValueError, msgspec.MsgspecError, RecursionError, FileFault):
        return None


def plain_mock(path: str, data: bytes, file: str) -> Cassette:
    """The cassette that a plain JSON file stands for: its content, as it stands, is the 200 body at its path."""
    try:
        try:
            msgspec.json.decode(data)
        except msgspec.ValidationError:  # a number too large for a value here is JSON all the same
            msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise locate(file, data, error) from error
    recorded = RecordedResponse(200, "OK", (("content-type", JSON_TYPE),), data, rewrite=False)
    return Cassette(CassetteRequest("GET", path), (recorded,))


def _json_bodies(found: FileCassette) -> Iterator[bytes]:
    holders: list[FileRequest | FileResponse] = [found.request, *found.responses]
    return (bytes(holder.json) for holder in holders if isinstance(holder.json, msgspec.Raw))


def _load_request(found: FileRequest) -> CassetteRequest:
    place = ("request",)
    if not found.path.startswith("/"):
        raise FileFault((*place, "path"), f"path {found.path!r} must begin with /")
    for sign, advice in (("?", 'put what follows it into "query"'), ("#", "a fragment never reaches a server")):
        if sign in found.path:
            raise FileFault((*place, "path"), f"path {found.path!r} holds a {sign}: {advice}, or write %{ord(sign):X}")
    if not TOKEN.fullmatch(found.method):
        raise FileFault((*place, "method"), f"{found.method!r} is not a method")
    headers = _load_headers(found.headers, place, _ENDING_HERE)
    if get(headers, "upgrade", "websocket") != "websocket":
        raise FileFault((*place, "headers", "upgrade"), "the only upgrade there is here is websocket")
    body = _load_request_body(found, place)
    if body is not None and not get(headers, "content-type"):
        headers = (*headers, *_request_type(body))
    if isinstance(body, bodies.Text):
        _encoded(body, get(headers, "content-type"), (*place, "text"))
    query = None if found.query is msgspec.UNSET else mapping_to_pairs(found.query)
    return CassetteRequest(found.method, found.path, query, headers, body)


def _request_type(body: bodies.Body) -> Headers:
    match body:
        case bodies.Json():
            return (("content-type", "application/json"),)
        case bodies.Form():
            return (("content-type", media_types.FORM_TYPE),)
        case bodies.Multipart():
            return (("content-type", "multipart/form-data"),)
    return ()


def _load_request_body(found: FileRequest, place: Place) -> bodies.Body | None:
    form = _only_form(found, ("json", "text", "form", "multipart", "sha256"), place)
    if form == "form" and found.form is not msgspec.UNSET:
        return bodies.Form(mapping_to_pairs(found.form))
    if form == "multipart" and found.multipart is not msgspec.UNSET:
        parts = enumerate(found.multipart)
        return bodies.Multipart(tuple(_load_part(part, (*place, "multipart", position)) for position, part in parts))
    return _load_content(found, form, place)


def _load_part(found: FilePart, place: Place) -> bodies.Part:
    form = _only_form(found, ("json", "text", "sha256"), place)
    body = _load_content(found, form, place)
    if isinstance(body, bodies.Text):
        _encoded(body, found.content_type, (*place, "text"))
    return bodies.part(found.name, found.filename, found.content_type, body or bodies.Text(""))


def _load_content(
    found: FileRequest | FilePart | FileResponse, form: str, place: Place
) -> bodies.Json | bodies.Text | bodies.Digest | None:
    if form == "json" and isinstance(found.json, msgspec.Raw):
        value = msgspec.json.format(bytes(found.json), indent=-1)
        return bodies.Json(value, _checked_layout(found.layout, place))
    if form == "text" and found.text is not msgspec.UNSET:
        return bodies.Text(found.text)
    if form == "sha256" and not isinstance(found, FileResponse) and found.sha256 is not msgspec.UNSET:
        return bodies.Digest(found.sha256, found.bytes)
    return None


def _as_upgrade(request: CassetteRequest, responses: tuple[RecordedResponse, ...]) -> CassetteRequest:
    """The request as one for a WebSocket where its responses are conversations. Fault where only some are."""
    if not responses:
        raise FileFault(("responses",), "needs at least one response")
    sockets = [recorded.status == SWITCHING for recorded in responses]
    if (True in sockets and False in sockets) or (request.is_upgrade and True not in sockets):
        place = ("responses", sockets.index(False))
        raise FileFault(
            place, "a request for a WebSocket is answered by messages; put other answers into another cassette"
        )
    if True not in sockets:
        return request
    if request.method != "GET":
        raise FileFault(("request", "method"), "a WebSocket is asked for by GET")
    if request.body is not None:
        raise FileFault(("request",), "a request for a WebSocket has no body")
    return request if request.is_upgrade else replace(request, headers=(*request.headers, _UPGRADE))


def _load_socket(found: FileResponse, place: Place, sidecars: SidecarLoader) -> RecordedResponse:
    def sidecar(name: str, layout: str | None, at: Place) -> bytes:
        return _taken(lambda: sidecars.whole(name, _named_layout(layout, at)), name, at)

    if found.messages is msgspec.UNSET or found.status not in (200, SWITCHING):
        raise FileFault((*place, "status"), f"status {SWITCHING} goes with messages, and messages with no other status")
    if _only_form(found, ("messages", "json", "text", "events", "file"), place) and found.encoded:
        raise FileFault((*place, "encoded"), "messages have no content coding")
    return RecordedResponse(
        status=SWITCHING,
        reason=standard_reason(SWITCHING) if found.reason is msgspec.UNSET else found.reason,
        headers=_load_headers(found.headers, place, _FRAMING | AGREED),
        rewrite=found.rewrite,
        after=found.after,
        recorded_at=found.recorded_at,
        elapsed_ms=found.elapsed_ms,
        truncated=found.truncated,
        messages=websocket.load(found.messages, (*place, "messages"), sidecar),
    )


def _load_response(found: FileResponse, position: int, method: str, sidecars: SidecarLoader) -> RecordedResponse:
    place = ("responses", position)
    if found.messages is not msgspec.UNSET or found.status == SWITCHING:
        return _load_socket(found, place, sidecars)
    if not 200 <= found.status <= 999:  # noqa: PLR2004 - three digits, and 1xx is no final answer (RFC 9110 section 15)
        raise FileFault((*place, "status"), f"status {found.status} is not a final status code; use 200 to 999")
    framing = HOP_BY_HOP if method == "HEAD" else _FRAMING
    headers = _load_headers(found.headers, place, framing)
    form = _only_form(found, ("json", "text", "events", "file"), place)
    if not get(headers, "content-type"):
        headers = (*headers, *_response_type(found, form))
    reason = standard_reason(found.status) if found.reason is msgspec.UNSET else found.reason
    if not KEPT_VALUE.fullmatch(reason):
        raise FileFault((*place, "reason"), f"reason {reason!r} holds characters a status line cannot")
    body, pauses = _load_response_body(found, form, headers, place, sidecars)
    if body and found.status in NO_CONTENT:
        raise FileFault((*place, form), f"an answer with status {found.status} has no body; leave {form!r} out")
    return RecordedResponse(
        status=found.status,
        reason=reason,
        headers=headers,
        body=b"" if isinstance(body, Sidecar) else body,
        rewrite=found.rewrite,
        encoded=found.encoded,
        after=found.after,
        pauses=pauses,
        truncated=found.truncated,
        recorded_at=found.recorded_at,
        elapsed_ms=found.elapsed_ms,
        sidecar=body if isinstance(body, Sidecar) else None,
    )


def _response_type(found: FileResponse, form: str) -> Headers:
    """The content type that follows from a hand-written body; a recorded response without one had none."""
    if found.recorded_at:
        return ()
    if form == "json":
        return (("content-type", JSON_TYPE),)
    if form == "text":
        return (("content-type", "text/plain; charset=utf-8"),)
    if form == "events":
        return (("content-type", event_stream.SSE_TYPE),)
    if form == "file" and found.file is not msgspec.UNSET:
        return (("content-type", media_types.media_type_of(found.file.rpartition(".")[2].lower())),)
    return ()


def _load_response_body(
    found: FileResponse, form: str, headers: Headers, place: Place, sidecars: SidecarLoader
) -> tuple[bytes | Sidecar, event_stream.Pauses]:
    content_type = get(headers, "content-type")
    if found.events is not msgspec.UNSET:
        return _load_events(found.events, found.layout or "", content_type, place)
    pauses = tuple((pause.at, pause.ms) for pause in found.pauses)
    if form == "file" and found.file is not msgspec.UNSET:
        name, where = found.file, (*place, "file")
        _named_layout(found.layout, where)
        return _taken(lambda: sidecars.body(name, found, headers), name, where), pauses
    body = _load_content(found, form, place)
    return b"" if body is None else _encoded(body, content_type, (*place, form)), pauses


def _load_events(
    members: list[dict[str, msgspec.Raw]], layout: str, content_type: str, place: Place
) -> tuple[bytes, event_stream.Pauses]:
    media = content_type.partition(";")[0].strip().lower()
    if not event_stream.is_stream(media):
        kinds = ", ".join((event_stream.SSE_TYPE, *sorted(event_stream.JSON_LINES_TYPES)))
        raise FileFault((*place, "events"), f"{content_type} is no stream of events; use one of {kinds}")
    try:
        return event_stream.from_members(media, members, layout)
    except ValueError as error:
        raise FileFault((*place, "events"), str(error)) from error


def _encoded(body: bodies.Body, content_type: str, place: Place) -> bytes:
    try:
        return bodies.decode(body, content_type)
    except UnicodeError as error:
        raise FileFault(place, f"the text does not fit the charset of {content_type!r}: {error}") from error


def _taken(take: Callable[[], Loaded], name: str, place: Place) -> Loaded:
    try:
        return take()
    except OSError as error:
        raise FileFault(place, f"cannot read {name!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise FileFault(place, f"{name!r}: {error}") from error


def _named_layout(layout: str | None, place: Place) -> str | None:
    return None if layout is None else _checked_layout(layout, place)


def _checked_layout(layout: str | None, place: Place) -> str:
    if layout is None:
        return "compact"
    try:
        bodies.apply_layout(b"0", layout or "compact")
    except ValueError as error:
        raise FileFault((*place, "layout"), str(error)) from error
    return layout or "compact"


def _load_headers(found: Any, place: Place, refused: frozenset[str]) -> Headers:
    headers = []
    for name, values in found.items():
        lower = name.lower()
        if not TOKEN.fullmatch(name):
            raise FileFault((*place, "headers", name), f"{name!r} is not a header name")
        if lower in refused:
            raise FileFault((*place, "headers", name), f"leave {name!r} out: framing is computed from the body")
        for value in values if isinstance(values, list) else (values,):
            if not KEPT_VALUE.fullmatch(value):
                reason = f"the value of {name!r} holds a line break or a character outside latin-1"
                raise FileFault((*place, "headers", name), reason)
            if lower == "content-length" and not _DIGITS.fullmatch(value):
                raise FileFault((*place, "headers", name), f"content-length {value!r} is no number of bytes")
            headers.append((lower, value))
    return tuple(headers)


def _only_form(found: Any, forms: tuple[str, ...], place: Place) -> str:
    given = [form for form in forms if getattr(found, form) is not msgspec.UNSET]
    if len(given) > 1:
        raise FileFault((*place, given[1]), f"a body is one of {', '.join(forms)}; found {' and '.join(given)}")
    return given[0] if given else ""


_DECODER = msgspec.json.Decoder(FileCassette)
_REQUEST = re.compile(r'"request"\s*:\s*')
_MESSAGES = re.compile(r'"messages"\s*:\s*\[\s*\{\s*"from"')
_UPGRADE = ("upgrade", "websocket")
_ENDING_HERE = HOP_BY_HOP - {"upgrade"}
_FRAMING = HOP_BY_HOP | {"content-length"}
_DIGITS = re.compile(r"[0-9]+")
