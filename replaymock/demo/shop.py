"""The shop behind the demo: its articles in SQLite in memory, its one customer and her tokens. No HTTP here."""

import hashlib
import hmac
import json
import secrets
import sqlite3
import struct
import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import Any

USER = "ada"
PASSWORD = "analytical-engine-1843"  # noqa: S105 - of a customer who exists for two seconds
TOKEN_SECONDS = 3600

_ARTICLES = (("Teapot", 2450), ("Mug", 890), ("Strainer", 425), ("Kettle", 3999), ("Tray", 1500))
_PICTURE_SIDE = 48


@dataclass(frozen=True, slots=True)
class Article:
    """An article on sale. The price is in cents."""

    id: int
    name: str
    price: int

    def to_json(self) -> dict[str, Any]:
        """The article as the members of a JSON object."""
        return asdict(self)


class Shop:
    """The articles of one shop, from its opening to `close`."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        # AUTOINCREMENT: the number of a deleted article is not given to the next one.
        self._database.execute("CREATE TABLE article (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, price INTEGER)")
        for name, price in _ARTICLES:
            self.add(name, price)

    def articles(self, page: int, limit: int) -> list[Article]:
        """One page of articles by number, the first page being 1."""
        rows = self._database.execute(
            "SELECT id, name, price FROM article ORDER BY id LIMIT ? OFFSET ?", (limit, (page - 1) * limit)
        )
        return [Article(*row) for row in rows]

    def count(self) -> int:
        """How many articles there are."""
        return int(self._database.execute("SELECT count(*) FROM article").fetchone()[0])

    def article(self, number: int) -> Article | None:
        """The article of this number."""
        row = self._database.execute("SELECT id, name, price FROM article WHERE id = ?", (number,)).fetchone()
        return Article(*row) if row else None

    def latest(self) -> int:
        """The number of the article added last."""
        return int(self._database.execute("SELECT max(id) FROM article").fetchone()[0] or 0)

    def add(self, name: str, price: int) -> Article:
        """Puts an article on sale."""
        number = self._database.execute("INSERT INTO article (name, price) VALUES (?, ?)", (name, price)).lastrowid
        return Article(int(number or 0), name, price)

    def remove(self, number: int) -> bool:
        """Takes an article off sale. True if there was one."""
        return self._database.execute("DELETE FROM article WHERE id = ?", (number,)).rowcount > 0

    def close(self) -> None:
        """Forgets everything."""
        self._database.close()


class Signer:
    """Issues and reads JSON Web Tokens under a key of its own, with HMAC SHA-256 (RFC 7519; RFC 7518 section 3.2)."""

    def __init__(self, seconds: int = TOKEN_SECONDS) -> None:
        self._key = secrets.token_bytes(32)
        self._seconds = seconds

    def token(self, user: str) -> str:
        """A token for a user, good for as many seconds as this signer gives."""
        now = int(time.time())
        claims = {"sub": user, "iat": now, "exp": now + self._seconds}
        signed = f"{_encoded(_compact({'alg': 'HS256', 'typ': 'JWT'}))}.{_encoded(_compact(claims))}"
        return f"{signed}.{self._signature(signed)}"

    def user(self, token: str) -> str | None:
        """The user of a token; None if this signer did not issue it, or it has expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = json.loads(_decoded(signed.partition(".")[2]))
        return str(claims["sub"]) if claims["exp"] > time.time() else None

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def picture(number: int) -> bytes:
    """A small picture of an article: a PNG in two colours that depend on its number."""
    side = _PICTURE_SIDE
    colors = bytes((37 * number % 256, 120, 200)), bytes((250, 246, 91 * number % 256))
    center = side / 2
    rows = [
        b"\0" + b"".join(colors[(x - center) ** 2 + (y - center) ** 2 < (side / 3) ** 2] for x in range(side))
        for y in range(side)
    ]
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
