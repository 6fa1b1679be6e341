"""Requests that open a WebSocket."""

from replaymock.http.messages import Request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


GOOD: dict[str, str] = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def opening(method: str = "GET", **changed: str) -> Request:
    """A good request, but for headers changed, or left out where they are empty."""
    headers = {**GOOD, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return Request(method, "/ws", tuple((name, value) for name, value in headers.items() if value))
