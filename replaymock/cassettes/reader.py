"""Reads cassette files strictly. A mistake is reported with its place, and nothing in a file is ever executed.

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
from replaymock.cassettes.diagnostics import FileFault, Place, at_path, locate, refuse_duplicates
from replaymock.cassettes.model import SWITCHING, VERSION, Cassette, CassetteRequest, RecordedResponse, Sidecar
from replaymock.cassettes.schema import FileCassette, FilePart, FileRequest, FileResponse
from replaymock.cassettes.writer import dump
from replaymock.errors import CassetteError
from replaymock.http import bodies, content_coding, event_stream, media_types
from replaymock.http.headers import HOP_BY_HOP, NEGOTIATED, STORABLE_VALUE, TOKEN, Headers, get, media_type
from replaymock.http.rendered import NO_CONTENT
from replaymock.http.status import standard_reason
from replaymock.http.uri import mapping_to_pairs
from replaymock.placeholders import ORIGIN

MOST_BYTES = 64 * 1024 * 1024
"""The size of the largest body that is loaded into memory when it is served."""

ANY_SIZE = 1 << 62

CHECK_ONLY = -1
"""A memory limit that loads no body: only whether the files can be read is checked."""

Fetch = Callable[[str, int], bytes | Sidecar]
"""Gives the bytes of a sibling file, or its path and size if it has more bytes than the limit.

OSError or ValueError with the reason.
"""


class SidecarLoader(Struct, frozen=True):
    """Loads the sidecars of a cassette. Those larger than `memory_limit` stay in their files if possible."""

    fetch: Fetch
    memory_limit: int = ANY_SIZE

    def load(self, name: str, layout: str | None) -> bytes:
        """Loads a body into memory. OSError or ValueError with the reason."""
        data = self.fetch(name, max(self.memory_limit, MOST_BYTES))
        if isinstance(data, Sidecar):
            raise ValueError(f"larger than {MOST_BYTES} bytes")  # noqa: TRY004 - its size is wrong, not its type
        return data if layout is None else bodies.apply_layout(data, layout)

    def load_body(self, name: str, response: FileResponse, headers: Headers) -> bytes | Sidecar:
        """Loads a body, or gives its file if it can stay there. OSError or ValueError with the reason."""
        if response.layout is not None:
            return self.load(name, response.layout)
        data = self.fetch(name, self.memory_limit)
        if not isinstance(data, Sidecar):
            return data
        if data.size == 0:
            return b""
        media = media_type(headers)
        if response.pauses or response.truncated or event_stream.is_stream(media):
            return data if self.memory_limit == CHECK_ONLY and data.size <= MOST_BYTES else self.load(name, None)
        may_hold_origin = response.rewrite and not response.encoded and media_types.is_rewritable(media)
        if may_hold_origin and data.size > MOST_BYTES:
            raise ValueError(f'larger than {MOST_BYTES} bytes, which takes "rewrite": false')
        if self.memory_limit == CHECK_ONLY or data.size > MOST_BYTES:
            return data
        coded = not response.encoded and bool(content_coding.parse(get(headers, "content-encoding")))
        if not may_hold_origin and not coded:
            return data
        body = self.load(name, None)
        return body if coded or ORIGIN.encode() in body else data


Loaded = TypeVar("Loaded", bytes, bytes | Sidecar)

JSON_TYPE = "application/json; charset=utf-8"


def load(file: str, data: bytes, sidecars: SidecarLoader) -> Cassette:
    """Reads the cassette in `data`. CassetteError for the first mistake, with its place."""
    try:
        content = _decode(file, data)
        try:
            refuse_duplicates(data, _json_bodies(content))
        except FileFault as fault:
            raise at_path(file, data, fault.place, fault.reason) from fault
        return _cassette(file, data, content, sidecars)
    except CassetteError as error:
        raise error.about(_request_in(data)) from error.__cause__


def checked_dump(cassette: Cassette, file: str) -> dict[str, bytes]:
    """Dumps a cassette, and checks that its files can be read again. CassetteError if not."""
    files = dump(cassette, file)
    _read_back(file, files)
    return files


def _read_back(file: str, files: dict[str, bytes]) -> Cassette:
    """Reads what `dump` has written, as `load` would. Repeated keys are not looked for: `dump` writes none."""

    def fetch(name: str, limit: int) -> bytes | Sidecar:
        body = files[name]
        return body if len(body) <= limit else Sidecar(name, len(body))

    data = files[next(reversed(files))]
    if len(data) > MOST_BYTES:
        raise CassetteError(file, 1, 1, f"larger than {MOST_BYTES} bytes")
    return _cassette(file, data, _decode(file, data), SidecarLoader(fetch, CHECK_ONLY))


def _decode(file: str, data: bytes) -> FileCassette:
    try:
        content = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise locate(file, data, error) from error
    if content.version > VERSION:
        reason = f"version {content.version} is newer than this replaymock reads ({VERSION}); upgrade replaymock"
        raise at_path(file, data, ("version",), reason)
    return content


def _cassette(file: str, data: bytes, content: FileCassette, sidecars: SidecarLoader) -> Cassette:
    try:
        request = _load_request(content.request)
        responses = tuple(
            _load_response(response, position, request.method, sidecars)
            for position, response in enumerate(content.responses)
        )
        request = _as_upgrade(request, responses)
    except FileFault as fault:
        raise at_path(file, data, fault.place, fault.reason) from fault
    return Cassette(request, responses)


def _request_in(data: bytes) -> CassetteRequest | None:
    """The request of a cassette, whatever else is wrong with the file; None if that cannot be read either."""
    try:
        text = data.decode("utf-8")
        start = _REQUEST.search(text)
        if start is None:
            return None
        _, end = json.JSONDecoder().raw_decode(text, start.end())
        content = msgspec.json.decode(text[start.end() : end], type=FileRequest)
        request = _load_request(content)
        is_complete = request.is_upgrade or not _MESSAGES.search(text, end)
        return request if is_complete else replace(request, headers=(*request.headers, _UPGRADE))
    except (ValueError, msgspec.MsgspecError, RecursionError, FileFault):
        return None


def plain_mock(path: str, data: bytes, file: str) -> Cassette:
    """The cassette that a plain JSON file stands for. The content is the body of a 200 at its path, byte for byte."""
    try:
        try:
            msgspec.json.decode(data)
        except msgspec.ValidationError:  # a number too large for a value here is JSON all the same
            msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise locate(file, data, error) from error
    recorded = RecordedResponse(200, "OK", (("content-type", JSON_TYPE),), data, rewrite=False)
    return Cassette(CassetteRequest("GET", path), (recorded,))


def _json_bodies(content: FileCassette) -> Iterator[bytes]:
    holders: list[FileRequest | FileResponse] = [content.request, *content.responses]
    return (bytes(holder.json) for holder in holders if isinstance(holder.json, msgspec.Raw))


def _load_request(content: FileRequest) -> CassetteRequest:
    place = ("request",)
    if not content.path.startswith("/"):
        raise FileFault((*place, "path"), f"path {content.path!r} must begin with /")
    for sign, advice in (("?", 'put what follows it into "query"'), ("#", "a fragment never reaches a server")):
        if sign in content.path:
            raise FileFault(
                (*place, "path"), f"path {content.path!r} holds a {sign}: {advice}, or write %{ord(sign):X}"
            )
    if not TOKEN.fullmatch(content.method):
        raise FileFault((*place, "method"), f"{content.method!r} is not a method")
    headers = _load_headers(content.headers, place, _ENDING_HERE)
    if get(headers, "upgrade", "websocket") != "websocket":
        raise FileFault((*place, "headers", "upgrade"), "the only upgrade there is here is websocket")
    body = _load_request_body(content, place)
    if body is not None and not get(headers, "content-type"):
        headers = (*headers, *_request_type(body))
    if isinstance(body, bodies.Text):
        _body_bytes(body, get(headers, "content-type"), (*place, "text"))
    query = None if content.query is msgspec.UNSET else mapping_to_pairs(content.query)
    return CassetteRequest(content.method, content.path, query, headers, body)


def _request_type(body: bodies.Body) -> Headers:
    match body:
        case bodies.Json():
            return (("content-type", "application/json"),)
        case bodies.Form():
            return (("content-type", media_types.FORM_TYPE),)
        case bodies.Multipart():
            return (("content-type", "multipart/form-data"),)
    return ()


def _load_request_body(content: FileRequest, place: Place) -> bodies.Body | None:
    form = _only_form(content, ("json", "text", "form", "multipart", "sha256"), place)
    if form == "form" and content.form is not msgspec.UNSET:
        return bodies.Form(mapping_to_pairs(content.form))
    if form == "multipart" and content.multipart is not msgspec.UNSET:
        parts = enumerate(content.multipart)
        return bodies.Multipart(tuple(_load_part(part, (*place, "multipart", position)) for position, part in parts))
    return _load_content(content, form, place)


def _load_part(content: FilePart, place: Place) -> bodies.Part:
    form = _only_form(content, ("json", "text", "sha256"), place)
    body = _load_content(content, form, place)
    if isinstance(body, bodies.Text):
        _body_bytes(body, content.content_type, (*place, "text"))
    return bodies.part(content.name, content.filename, content.content_type, body or bodies.Text(""))


def _load_content(
    content: FileRequest | FilePart | FileResponse, form: str, place: Place
) -> bodies.Json | bodies.Text | bodies.Digest | None:
    if form == "json" and isinstance(content.json, msgspec.Raw):
        value = msgspec.json.format(bytes(content.json), indent=-1)
        return bodies.Json(value, _checked_layout(content.layout, place))
    if form == "text" and content.text is not msgspec.UNSET:
        return bodies.Text(content.text)
    if form == "sha256" and not isinstance(content, FileResponse) and content.sha256 is not msgspec.UNSET:
        return bodies.Digest(content.sha256, content.bytes)
    return None


def _as_upgrade(request: CassetteRequest, responses: tuple[RecordedResponse, ...]) -> CassetteRequest:
    """The request of a WebSocket, if the responses are conversations. FileFault if only some are."""
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


def _load_socket(content: FileResponse, place: Place, sidecars: SidecarLoader) -> RecordedResponse:
    def sidecar(name: str, layout: str | None, at: Place) -> bytes:
        return _load_sidecar(lambda: sidecars.load(name, _optional_layout(layout, at)), name, at)

    if content.messages is msgspec.UNSET or content.status not in (200, SWITCHING):
        raise FileFault((*place, "status"), f"status {SWITCHING} goes with messages, and messages with no other status")
    if _only_form(content, ("messages", "json", "text", "events", "file"), place) and content.encoded:
        raise FileFault((*place, "encoded"), "messages have no content coding")
    return RecordedResponse(
        status=SWITCHING,
        reason=standard_reason(SWITCHING) if content.reason is msgspec.UNSET else content.reason,
        headers=_load_headers(content.headers, place, _FRAMING | NEGOTIATED),
        rewrite=content.rewrite,
        after=content.after,
        recorded_at=content.recorded_at,
        elapsed_ms=content.elapsed_ms,
        truncated=content.truncated,
        messages=websocket.load(content.messages, (*place, "messages"), sidecar),
    )


def _load_response(content: FileResponse, position: int, method: str, sidecars: SidecarLoader) -> RecordedResponse:
    place = ("responses", position)
    if content.messages is not msgspec.UNSET or content.status == SWITCHING:
        return _load_socket(content, place, sidecars)
    if not 200 <= content.status <= 999:  # noqa: PLR2004 - three digits, and 1xx is no final answer (RFC 9110 section 15)
        raise FileFault((*place, "status"), f"status {content.status} is not a final status code; use 200 to 999")
    framing = HOP_BY_HOP if method == "HEAD" else _FRAMING
    headers = _load_headers(content.headers, place, framing)
    form = _only_form(content, ("json", "text", "events", "file"), place)
    if not get(headers, "content-type"):
        headers = (*headers, *_response_type(content, form))
    reason = standard_reason(content.status) if content.reason is msgspec.UNSET else content.reason
    if not STORABLE_VALUE.fullmatch(reason):
        raise FileFault((*place, "reason"), f"reason {reason!r} holds characters a status line cannot")
    body, pauses = _load_response_body(content, form, headers, place, sidecars)
    if body and content.status in NO_CONTENT:
        raise FileFault((*place, form), f"an answer with status {content.status} has no body; leave {form!r} out")
    return RecordedResponse(
        status=content.status,
        reason=reason,
        headers=headers,
        body=b"" if isinstance(body, Sidecar) else body,
        rewrite=content.rewrite,
        encoded=content.encoded,
        after=content.after,
        pauses=pauses,
        truncated=content.truncated,
        recorded_at=content.recorded_at,
        elapsed_ms=content.elapsed_ms,
        sidecar=body if isinstance(body, Sidecar) else None,
    )


def _response_type(content: FileResponse, form: str) -> Headers:
    """The content type that a handwritten body implies. A recorded response without one had none."""
    if content.recorded_at:
        return ()
    if form == "json":
        return (("content-type", JSON_TYPE),)
    if form == "text":
        return (("content-type", "text/plain; charset=utf-8"),)
    if form == "events":
        return (("content-type", event_stream.SSE_TYPE),)
    if form == "file" and content.file is not msgspec.UNSET:
        return (("content-type", media_types.media_type_of(content.file.rpartition(".")[2].lower())),)
    return ()


def _load_response_body(
    content: FileResponse, form: str, headers: Headers, place: Place, sidecars: SidecarLoader
) -> tuple[bytes | Sidecar, event_stream.Pauses]:
    content_type = get(headers, "content-type")
    if content.events is not msgspec.UNSET:
        return _load_events(content.events, content.layout or "", content_type, place)
    pauses = tuple((pause.at, pause.ms) for pause in content.pauses)
    if form == "file" and content.file is not msgspec.UNSET:
        name, where = content.file, (*place, "file")
        _optional_layout(content.layout, where)
        return _load_sidecar(lambda: sidecars.load_body(name, content, headers), name, where), pauses
    body = _load_content(content, form, place)
    return b"" if body is None else _body_bytes(body, content_type, (*place, form)), pauses


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


def _body_bytes(body: bodies.Body, content_type: str, place: Place) -> bytes:
    try:
        return bodies.decode(body, content_type)
    except UnicodeError as error:
        raise FileFault(place, f"the text does not fit the charset of {content_type!r}: {error}") from error


def _load_sidecar(load: Callable[[], Loaded], name: str, place: Place) -> Loaded:
    try:
        return load()
    except OSError as error:
        raise FileFault(place, f"cannot read {name!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise FileFault(place, f"{name!r}: {error}") from error


def _optional_layout(layout: str | None, place: Place) -> str | None:
    return None if layout is None else _checked_layout(layout, place)


def _checked_layout(layout: str | None, place: Place) -> str:
    if layout is None:
        return "compact"
    try:
        bodies.apply_layout(b"0", layout or "compact")
    except ValueError as error:
        raise FileFault((*place, "layout"), str(error)) from error
    return layout or "compact"


def _load_headers(mapping: Any, place: Place, refused: frozenset[str]) -> Headers:
    headers = []
    for name, values in mapping.items():
        lower = name.lower()
        if not TOKEN.fullmatch(name):
            raise FileFault((*place, "headers", name), f"{name!r} is not a header name")
        if lower in refused:
            raise FileFault((*place, "headers", name), f"leave {name!r} out: framing is computed from the body")
        for value in values if isinstance(values, list) else (values,):
            if not STORABLE_VALUE.fullmatch(value):
                reason = f"the value of {name!r} holds a line break or a character outside latin-1"
                raise FileFault((*place, "headers", name), reason)
            if lower == "content-length" and not _DIGITS.fullmatch(value):
                raise FileFault((*place, "headers", name), f"content-length {value!r} is no number of bytes")
            headers.append((lower, value))
    return tuple(headers)


def _only_form(content: Any, forms: tuple[str, ...], place: Place) -> str:
    given = [form for form in forms if getattr(content, form) is not msgspec.UNSET]
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
