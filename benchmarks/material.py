"""What is served: the same JSON bodies of about 1 KiB as recorded cassettes and as bare files."""

import hashlib
import json
from pathlib import Path

JSON = "application/json; charset=utf-8"
PATH = "/api/items/{n}"
ORDERS = "/api/orders"
# As it is sent and, key by key, as it is in the cassette: about 300 bytes.
ORDER = {
    "order": "{n}",
    "customer": {"id": 4711, "name": "Ada Example", "city": "Example upon Sea"},
    "lines": [{"article": f"A-{number}", "count": number, "price": 12.5} for number in range(1, 5)],
    "note": "please leave it with the neighbours",
}
_ITEM = {
    "id": "{n}",
    "name": "Item {n}",
    "price": 19.99,
    "tags": ["new", "sale", "example"],
    "stock": [{"city": city, "count": 12} for city in ("Berlin", "Lisbon", "Oslo")],
    "description": " ".join(["All that one could say of an item, and then some."] * 17),
}
_ORIGIN = "http://localhost:3000"
BROWSER = (
    ("Origin", _ORIGIN),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", f"{_ORIGIN}/items"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-CH-UA", "Chromium;v=142"),
    ("Sec-CH-UA-Platform", "Linux"),
)
"""`Origin` and ten headers that a browser sends with a fetch."""


def body(number: int) -> str:
    """The body of an item, compact."""
    return _COMPACT.replace("{n}", str(number))


def secrets(number: str) -> tuple[str, str]:
    """Header fields and JSON members with a cookie, a password and two tokens that no other number has."""
    value = hashlib.sha256(number.encode()).hexdigest()
    github = f"ghp_{value[:36]}"
    fields = f"Set-Cookie: sessionid={value[:32]}; Path=/; HttpOnly\r\n"
    return fields, f'"password":"pw-{value[:16]}","access_token":"{value[32:]}","note":"push with {github}",'


def sent_order() -> str:
    """The body of an order as a client sends it, `{n}` for its number."""
    return json.dumps(ORDER, separators=(",", ":"))


def cassettes(folder: Path, count: int) -> Path:
    """As `record` would have written them, each in a folder of its own."""
    text = _cassette({"method": "GET", "path": PATH})
    for number in range(count):
        home = folder / PATH.replace("{n}", str(number)).lstrip("/")
        home.mkdir(parents=True)
        (home / "GET.json").write_text(text.replace("{n}", str(number)))
    return folder


def orders(folder: Path, count: int) -> Path:
    """Cassettes of one path, told apart by the body that was sent."""
    text = _cassette({"method": "POST", "path": ORDERS, "headers": {"content-type": JSON}, "json": ORDER})
    home = folder / ORDERS.lstrip("/")
    home.mkdir(parents=True)
    for number in range(count):
        (home / f"POST--{number:08x}.json").write_text(text.replace("{n}", str(number)))
    return folder


def files(folder: Path, count: int) -> Path:
    """Bare bodies at their paths, without an ending."""
    home = folder / PATH.rpartition("/")[0].lstrip("/")
    home.mkdir(parents=True)
    for number in range(count):
        (home / str(number)).write_text(body(number))
    return folder


def _cassette(request: dict[str, object]) -> str:
    response = {
        "status": 200,
        "headers": {"content-type": JSON},
        "json": _ITEM,
        "recorded_at": "2026-11-22T13:00:00Z",
        "elapsed_ms": 41,
    }
    return json.dumps({"version": 1, "request": request, "responses": [response]}, indent=2) + "\n"


_COMPACT = json.dumps(_ITEM, separators=(",", ":"))
