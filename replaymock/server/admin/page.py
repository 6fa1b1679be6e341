"""The page about a run, for people, and its event stream. Its files are in `static/`, and are served as they are.

The page itself gets requests and cassettes from the other endpoints, and shows them as text.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from replaymock.http.headers import Headers
from replaymock.http.problem import problem
from replaymock.http.rendered import Delay, Detach, RenderedResponse, SendBody, SendHead, Step, frame, head
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.subscribers import EventSubscribers

FILES = {"": "index.html", **{f"page/{name}": name for name in ("style.css", "page.js", "icon.svg")}}
"""The files by the names of their endpoints."""

LOOK_SECONDS = 0.25
"""The time between two looks for new events."""

QUIET_SECONDS = 15.0
"""After how long without events a comment is sent, which shows whether the client is still there."""

# Not by importlib.resources, which costs every start 3 ms for who opens the page.
_STATIC = Path(__file__).with_name("static")
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def page(name: str, headers: Headers) -> RenderedResponse:
    """A file of the page, with these headers, but with a content policy of its own."""
    file = FILES[name]
    media_type = f"{_TYPES[file.rpartition('.')[2]]}; charset=utf-8"
    body = _STATIC.joinpath(file).read_bytes()
    others = tuple(pair for pair in headers if pair[0] != "Content-Security-Policy")
    own: Headers = (("Content-Type", media_type), ("Content-Security-Policy", _POLICY))
    return frame(200, "OK", (*own, *others), body)


def events(subscribers: EventSubscribers, journal: Journal, headers: Headers) -> RenderedResponse:
    """The events from now on, as a stream that ends when the client leaves."""
    if subscribers.is_full:
        return problem(503, "too_many_listeners", "too many are listening already", headers)
    return RenderedResponse(
        200,
        head(200, "OK", (("Content-Type", "text/event-stream"), *headers)),
        steps=_event_stream(subscribers, journal),
        is_streamed=True,
    )


def _event_stream(subscribers: EventSubscribers, journal: Journal) -> Iterator[Step]:
    with subscribers.subscribe(journal) as subscriber:
        yield from (SendHead(), Detach(), SendBody(b"retry: 1000\n\n"))
        quiet = 0.0
        while True:
            news = b"".join(
                b"event: %b\ndata: %b\n\n" % (event.name.encode(), msgspec.json.encode(event.to_json()))
                for event in subscriber.take_new()
            )
            quiet = 0.0 if news else quiet + LOOK_SECONDS
            if quiet >= QUIET_SECONDS:
                quiet, news = 0.0, b": nothing new\n\n"
            if news:
                yield SendBody(news)
            yield Delay(LOOK_SECONDS)
