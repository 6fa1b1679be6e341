"""Places in which a secret may stand, and ways to ask for them."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape, quoteattr

from replaymock.http import content_coding
from replaymock.http.headers import Headers
from replaymock.http.messages import Exchange, Request, Response


@dataclass(frozen=True)
class Secret:
    """A secret as it is spelled, the name it is given, and what of it must not be seen."""

    name: str
    text: str
    needle: str


def asking(target: str, media: str = "", body: str | bytes = b"", *more: tuple[str, str]) -> Exchange:
    data = body.encode() if isinstance(body, str) else body
    headers = (("Content-Type", media), *more) if media else ()
    return exchange(Request("POST" if data else "GET", target, headers, data), Response(200, "OK", (), b"ok"))


def saying(path: str, media: str, body: str | bytes, *more: tuple[str, str]) -> Exchange:
    data = body.encode() if isinstance(body, str) else body
    headers: Headers = (("Content-Type", media), *more)
    return exchange(Request("GET", path), Response(200, "OK", headers, data))


def exchange(request: Request, response: Response) -> Exchange:
    return Exchange(request, response, "2026-11-22T13:00:00Z", 1)


JSON, FORM, HTML = "application/json", "application/x-www-form-urlencoded", "text/html"


EDGE = "multipart/form-data; boundary=edge"


def obj(secret: Secret) -> str:
    return json.dumps({"id": 7, secret.name: secret.text})


def escaped(secret: Secret) -> str:
    letters = "".join(f"\\u{ord(letter):04x}" for letter in secret.text)
    return f'{{"{secret.name}":"{letters}"}}'


PLACES: dict[str, Callable[[Secret], Exchange]] = {
    "query": lambda s: asking(f"/q?{s.name}={quote(s.text, safe='')}&page=2"),
    "link in a query": lambda s: asking(f"/q?next={quote(f'/x?{s.name}={quote(s.text, safe=str())}', safe='')}"),
    "form": lambda s: asking("/f", FORM, f"a=1&{s.name}={quote(s.text, safe='')}"),
    "JSON request": lambda s: asking("/j", JSON, obj(s)),
    "gzip request": lambda s: asking(
        "/g", JSON, content_coding.encode(obj(s).encode(), ["gzip"]), ("Content-Encoding", "gzip")
    ),
    "multipart": lambda s: asking(
        "/m", EDGE, f'--edge\r\nContent-Disposition: form-data; name="{s.name}"\r\n\r\n{s.text}\r\n--edge--\r\n'
    ),
    "GraphQL": lambda s: asking("/graphql", JSON, json.dumps({"query": "{ a }", "variables": {s.name: s.text}})),
    "JSON": lambda s: saying("/1", JSON, obj(s)),
    "JSON in JSON": lambda s: saying("/2", JSON, json.dumps({"raw": obj(s)})),
    "brotli": lambda s: saying("/3", JSON, content_coding.encode(obj(s).encode(), ["br"]), ("Content-Encoding", "br")),
    "zstd": lambda s: saying(
        "/4", JSON, content_coding.encode(obj(s).encode(), ["zstd"]), ("Content-Encoding", "zstd")
    ),
    "base64": lambda s: saying("/5", JSON, json.dumps({"data": base64.b64encode(obj(s).encode()).decode()})),
    "escapes": lambda s: saying("/6", JSON, escaped(s)),
    "SSE": lambda s: saying("/7", "text/event-stream", f"event: a\ndata: {obj(s)}\n\n"),
    "NDJSON": lambda s: saying("/8", "application/x-ndjson", f'{{"id":1}}\n{obj(s)}\n'),
    "XML": lambda s: saying("/9", "application/xml", f"<a><{s.name}>{escape(s.text)}</{s.name}></a>"),
    "attribute": lambda s: saying("/10", HTML, f"<p data-{s.name}={quoteattr(s.text)}>x</p>"),
    "input": lambda s: saying("/11", HTML, f'<input name="{s.name}" value={quoteattr(s.text)}>'),
    "Location": lambda s: saying("/12", JSON, "{}", ("Location", f"/cb?{s.name}={quote(s.text, safe='')}#x")),
    "cookie": lambda s: saying("/13", JSON, "{}", ("Set-Cookie", f"{s.name}={quote(s.text, safe='')}; Path=/")),
    "problem": lambda s: saying("/14", "application/problem+json", json.dumps({"detail": "bad", s.name: s.text})),
    "list of fields": lambda s: saying("/15", JSON, json.dumps([{"value": s.text, "name": s.name}])),
}


def views(data: bytes) -> str:
    """What a curious reader may see in a file: its text, and that decoded."""
    text = data.decode("utf-8", "replace")
    found = [text, unquote(text), unquote(unquote(text)), text.replace('\\"', '"').replace("\\\\", "\\")]
    for run in re.findall(r"[A-Za-z0-9+/_\-]{16,}={0,2}", text):
        try:
            decoded = base64.b64decode(
                run.rstrip("=").translate(str.maketrans("-_", "+/")) + "=" * (-len(run.rstrip("=")) % 4)
            )
        except binascii.Error:
            continue
        found.append(decoded.decode("utf-8", "replace"))
    return "\n".join(found)
