"""A real browser, pages on origins of their own, and a small shop as the backend behind the mock."""

import contextlib
import gzip
import json
import os
import queue
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
PAGES = Path(__file__).parents[1] / "e2e" / "pages"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names that are not the loopback's for the browser, and lead there all the same.
    "--host-resolver-rules=MAP *.example.test 127.0.0.1",
)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd"
    "0000000d4944415478da63382167034400090d02450d4c688a0000000049454e44ae426082"
)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Chromium with a profile of its own; where there is none the tests are skipped, but fail under CI."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _give_up("Playwright is not installed: pip install playwright")
    if not CHROMIUM.exists():
        _give_up(f"there is no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*SWITCHES])
        yield browser
        browser.close()


def _give_up(reason: str) -> None:
    import pytest  # here, as the checks with real applications drive the browser without it

    if os.environ.get("CI"):
        pytest.fail(f"the browser tests must run here, but {reason}")
    pytest.skip(f"no browser: {reason}")


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    """A server at work in a thread; its port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages() -> ThreadingHTTPServer:
    """Serves the test pages, under every name that leads here."""
    return ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(PAGES)))


class Shop(ThreadingHTTPServer):
    """A backend for `/NAME/…`, each name a shop of its own, that knows of one page only and of HTTPS."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shop)
        self.items: dict[str, list[str]] = {}
        self.seen: queue.Queue[str] = queue.Queue()
        self.requests: list[tuple[str, str, dict[str, str]]] = []


class _Pages(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return None


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together, as those of a quick backend do
    server: Shop

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the names http.server looks for

    def log_message(self, *_: object) -> None:
        return None

    def _serve(self) -> None:
        self.sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        _, self.shop, *rest = self.path.split("/")
        name = rest[0] if rest else ""
        route = getattr(self, f"_{self.command.lower()}_{name.partition('.')[0]}", None)
        if route is None:
            self._json(404, {"error": "no such thing"})
        else:
            route(*rest[1:])

    def _get_items(self, page: str = "1") -> None:
        items = self.server.items.setdefault(self.shop, ["pen"]) if page == "1" else ["page two"]
        following = f"http://{self.headers['Host']}/{self.shop}/items/2"
        headers = {"X-Total-Count": str(len(items)), "ETag": f'"{len(items)}"', "Link": f'<{following}>; rel="next"'}
        self._json(200, {"items": items, "next": following}, headers)

    def _put_items(self, _number: str) -> None:
        name = json.loads(self.sent)["name"]
        self.server.items[self.shop] = [name]
        allowed = self.headers["Authorization"] == "Bearer of-the-page"
        self._json(200, {"saved": name, "note": self.headers["X-Note"], "allowed": allowed})

    def _delete_items(self, _number: str) -> None:
        self.server.items[self.shop] = []
        self._answer(204, {}, b"")

    def _post_login(self) -> None:
        attributes = "Domain=shop.example.com; Path=/; Secure; HttpOnly; SameSite=None"
        cookies = [f"basket=7; {attributes}", f"session=a-secret-of-{self.shop}; {attributes}; Partitioned"]
        self._json(200, {"user": "ann"}, {"Set-Cookie": cookies})

    def _get_basket(self) -> None:
        self._json(200, {"basket": "full" if "basket=7" in (self.headers["Cookie"] or "") else "empty"})

    def _get_pixel(self) -> None:
        self._answer(200, {"Content-Type": "image/png"}, PIXEL)

    def _post_seen(self) -> None:
        self.server.seen.put(self.sent.decode())
        self._json(200, {"seen": self.sent.decode()})

    def _get_events(self) -> None:
        self._answer(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}, None)
        for number in ("1", "2", "3"):
            event = f"id: {number}\ndata: event {number}\n\n"
            self.wfile.write(f"{len(event):x}\r\n{event}\r\n".encode())
            self.wfile.flush()
            assert self.server.seen.get(timeout=10) == number
        self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, value: Any, headers: dict[str, Any] | None = None) -> None:
        body = gzip.compress(json.dumps(value, separators=(",", ":")).encode(), mtime=0)
        described = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._answer(status, {**described, **(headers or {})}, body)

    def _answer(self, status: int, headers: dict[str, Any], body: bytes | None) -> None:
        self.send_response(status)
        # What a backend says to the one page it knows would shut out every other.
        self.send_header("Access-Control-Allow-Origin", "https://shop.example.com")
        self.send_header("Access-Control-Expose-Headers", "X-Nothing")
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        if body is not None and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)
