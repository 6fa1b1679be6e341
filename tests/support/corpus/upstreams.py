"""Answers of bad backends as bytes, with what the caller sees of each and what is kept.

Seen is a status, with `cut` for a body that ends too early for its framing, or the code of a problem. Kept is the form
of the body in its cassette, `coded` where it stays in its content coding, `empty`, or nothing at all.
"""

import gzip
import zlib

import brotli
from backports import zstd

BAD = "502 upstream_unreachable"
NOTHING = ""
OK = "HTTP/1.1 200 OK"
TEXT = "Content-Type: text/plain"
TWO = f"{OK}|{TEXT}|Content-Length: 2"
CHUNKED = f"{OK}|{TEXT}|Transfer-Encoding: chunked"
BOMB = gzip.compress(bytes(64 << 20), 9, mtime=0)
MOST = 1 << 20
"""How much the recorder may decode of a body in these tests."""


def answer(head: str, body: bytes | str = b"") -> bytes:
    """A head with `|` for line breaks, and what follows its blank line."""
    sent = body.encode("latin-1") if isinstance(body, str) else body
    return head.replace("|", "\r\n").encode("latin-1") + b"\r\n\r\n" + sent


def coded(coding: str, body: bytes, media: str = TEXT) -> bytes:
    """An answer with a length, in a content coding or what claims to be one."""
    return answer(f"{OK}|{media}|Content-Encoding: {coding}|Content-Length: {len(body)}", body)


def squeezed(coding: str) -> bytes:
    """A bomb: 64 MiB that are small on their way."""
    match coding:
        case "br":
            return brotli.compress(bytes(64 << 20), quality=1)
        case "zstd":
            return zstd.compress(bytes(64 << 20))
        case "deflate":
            return zlib.compress(bytes(64 << 20), 9)
    return BOMB


UPSTREAMS: list[tuple[str, bytes, str, str]] = [
    # no HTTP/1
    ("nothing", b"", BAD, NOTHING),
    ("a line break", b"\r\n", BAD, NOTHING),
    ("HTTP/0.9", b"<html>hello</html>", BAD, NOTHING),
    ("HTTP/0.9 that looks like a head", b"hello: world\r\n\r\n", BAD, NOTHING),
    ("HTTP/2's settings", b"\0\0\x12\x04\0\0\0\0\0" + bytes(18), BAD, NOTHING),
    ("an alert of TLS", b"\x15\x03\x01\0\x02\x02\x46", BAD, NOTHING),
    ("another protocol", b"SSH-2.0-x\r\n\r\n", BAD, NOTHING),
    ("a request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", BAD, NOTHING),
    ("ICY", answer("ICY 200 OK", "x"), BAD, NOTHING),
    # status lines
    ("status 99", answer("HTTP/1.1 99 Odd"), BAD, NOTHING),
    ("status 099", answer("HTTP/1.1 099 Odd"), BAD, NOTHING),
    ("status 000", answer("HTTP/1.1 000 Odd"), BAD, NOTHING),
    ("status 1000", answer("HTTP/1.1 1000 Odd"), BAD, NOTHING),
    ("a status of letters", answer("HTTP/1.1 abc Odd"), BAD, NOTHING),
    ("a negative status", answer("HTTP/1.1 -200 Odd"), BAD, NOTHING),
    ("no status", answer("HTTP/1.1"), BAD, NOTHING),
    ("a status that is a reason", answer("HTTP/1.1 OK"), BAD, NOTHING),
    ("HTTP/2.0", answer("HTTP/2.0 200 OK|Content-Length: 2", "ok"), "200", "text"),
    ("HTTP/1.1 with a comma", answer("HTTP/1,1 200 OK|Content-Length: 2", "ok"), BAD, NOTHING),
    ("a cut status line", b"HTTP/1.1 20", BAD, NOTHING),
    ("status 999", answer(f"HTTP/1.1 999 Odd|{TEXT}|Content-Length: 2", "ok"), "999", "text"),
    ("status 600", answer(f"HTTP/1.1 600 Odd|{TEXT}|Content-Length: 2", "ok"), "600", "text"),
    ("no reason", answer(f"HTTP/1.1 200|{TEXT}|Content-Length: 2", "ok"), "200", "text"),
    ("a nul in the reason", answer(f"HTTP/1.1 200 O\0K|{TEXT}|Content-Length: 2", "ok"), BAD, NOTHING),
    ("a carriage return in the reason", answer(f"HTTP/1.1 200 O\rSet-Cookie: a=b|{TEXT}", "ok"), BAD, NOTHING),
    ("an escape in the reason", answer(f"HTTP/1.1 200 \x1b[31m|{TEXT}|Content-Length: 2", "ok"), "200", "text"),
    ("markup in the reason", answer(f"HTTP/1.1 200 <b>|{TEXT}|Content-Length: 2", "ok"), "200", "text"),
    ("a reason of 100 KiB", answer(f"HTTP/1.1 200 {'x' * 100_000}|{TEXT}|Content-Length: 2", "ok"), "200", "text"),
    # heads
    ("a header of 100 KiB", answer(f"{TWO}|X: {'x' * 100_000}", "ok"), "200", "text"),
    ("a header of 300 KiB", answer(f"{TWO}|X: {'x' * 300_000}", "ok"), BAD, NOTHING),
    ("a header without end", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 600_000, BAD, NOTHING),
    ("900 headers", answer(TWO + "|X: y" * 900, "ok"), "200", "text"),
    ("5,000 headers", answer(TWO + "|X: y" * 5000, "ok"), BAD, NOTHING),
    ("900 cookies", answer(TWO + "|Set-Cookie: a=b; Domain=x" * 900, "ok"), "200", "text"),
    ("a nul in a value", answer(f"{TWO}|X: a\0b", "ok"), BAD, NOTHING),
    ("a carriage return in a value", answer(f"{TWO}|X: a\rSet-Cookie: a=b", "ok"), BAD, NOTHING),
    ("an escape in a value", answer(f"{TWO}|X: \x1b[31m", "ok"), "200", "text"),
    ("a delete in a value", answer(f"{TWO}|X: \x7f", "ok"), "200", "text"),
    ("a line feed in a value", answer(f"{TWO}|X: a\nSet-Cookie: a=b", "ok"), "200", "text"),
    ("latin-1 in a value", answer(f"{TWO}|X: caf\xe9", "ok"), "200", "text"),
    ("a folded value", answer(f"{TWO}|X: a|  b", "ok"), "200", "text"),
    ("a folded first line", answer(f"{OK}| X: a", "ok"), BAD, NOTHING),
    ("a space before the colon", answer(f"{OK}|Content-Length : 2", "ok"), BAD, NOTHING),
    ("no colon", answer(f"{TWO}|nonsense", "ok"), BAD, NOTHING),
    ("no name", answer(f"{TWO}|: x", "ok"), BAD, NOTHING),
    ("a space in a name", answer(f"{TWO}|X Y: x", "ok"), BAD, NOTHING),
    ("a name in latin-1", answer(f"{TWO}|X\xe9: x", "ok"), BAD, NOTHING),
    ("a head that is cut", b"HTTP/1.1 200 OK\r\nContent-Le", BAD, NOTHING),
    ("our own headers", answer(f"{TWO}|Cache-Status: replaymock; hit|Replaymock-Cassette: ../x|Via: 1.1 x", "ok"), "200", "text"),
    ("a content type of nonsense", answer(f"{OK}|Content-Type: ////;;=;charset=|Content-Length: 2", "ok"), "200", "file"),
    ("a charset nobody knows", answer(f"{OK}|Content-Type: text/plain; charset=../../x|Content-Length: 2", "ok"), "200", "text"),
    ("a charset that runs code elsewhere", answer(f"{OK}|Content-Type: text/plain; charset=zlib|Content-Length: 2", "ok"), "200", "text"),
    ("two content types", answer(f"{TWO}|Content-Type: application/json", "ok"), "200", "text"),
    # interim answers
    ("100 before", answer("HTTP/1.1 100 Continue") + answer(TWO, "ok"), "200", "text"),
    ("twenty before", answer("HTTP/1.1 103 Hints|Link: x") * 20 + answer(TWO, "ok"), "200", "text"),
    ("1,000 before", answer("HTTP/1.1 103 Hints|Link: x") * 1000 + answer(TWO, "ok"), BAD, NOTHING),
    ("only interim ones", answer("HTTP/1.1 100 Continue"), BAD, NOTHING),
    ("another protocol unasked", answer("HTTP/1.1 101 Switching|Upgrade: x|Connection: Upgrade", "ok"), BAD, NOTHING),
    # lengths
    ("a longer length than body", answer(f"{OK}|{TEXT}|Content-Length: 10", "ok"), "200 cut", NOTHING),
    ("a longer length than JSON", answer(f"{OK}|Content-Type: application/json|Content-Length: 10", "{}"), "200 cut", NOTHING),
    ("a longer length than bytes", answer(f"{OK}|Content-Type: image/png|Content-Length: 10", "ok"), "200 cut", NOTHING),
    ("a shorter length than body", answer(TWO, "okHTTP/1.1 200 OK|Content-Length: 4||evil"), "200", "text"),
    ("a negative length", answer(f"{OK}|{TEXT}|Content-Length: -2", "ok"), BAD, NOTHING),
    ("a length with plus", answer(f"{OK}|{TEXT}|Content-Length: +2", "ok"), BAD, NOTHING),
    ("a length in hex", answer(f"{OK}|{TEXT}|Content-Length: 0x2", "ok"), BAD, NOTHING),
    ("an empty length", answer(f"{OK}|{TEXT}|Content-Length:", "ok"), BAD, NOTHING),
    ("a length of 5,000 digits", answer(f"{OK}|{TEXT}|Content-Length: {'9' * 5000}", "ok"), BAD, NOTHING),
    ("two lengths that differ", answer(f"{TWO}|Content-Length: 3", "ok"), BAD, NOTHING),
    ("two lengths in one", answer(f"{OK}|{TEXT}|Content-Length: 2, 3", "ok"), BAD, NOTHING),
    ("the same length twice", answer(f"{TWO}|Content-Length: 2", "ok"), "200", "text"),
    ("a length and chunks", answer(f"{CHUNKED}|Content-Length: 9", "2\r\nok\r\n0\r\n\r\n"), "200", "text"),
    ("a length on 204", answer("HTTP/1.1 204 No Content|Content-Length: 2", "ok"), "204", "empty"),
    ("a body on 304", answer("HTTP/1.1 304 Not Modified|Transfer-Encoding: chunked", "2\r\nok\r\n0\r\n\r\n"), "304", "empty"),
    ("an end that only the connection tells", answer(f"{OK}|{TEXT}", "ok"), "200", "text"),
    # chunks
    ("chunk extensions", answer(CHUNKED, '2;a=b;c="d"\r\nok\r\n0;e\r\n\r\n'), "200", "text"),
    ("trailers", answer(f"{CHUNKED}|Trailer: X", "2\r\nok\r\n0\r\nX: y\r\nSet-Cookie: a=b\r\n\r\n"), "200", "text"),
    ("a chunk size of letters", answer(CHUNKED, "zz\r\nok\r\n0\r\n\r\n"), "200 cut", NOTHING),
    ("a negative chunk size", answer(CHUNKED, "-2\r\nok\r\n0\r\n\r\n"), "200 cut", NOTHING),
    ("a chunk size with 0x", answer(CHUNKED, "0x2\r\nok\r\n0\r\n\r\n"), "200 cut", NOTHING),
    ("a chunk size past 64 bits", answer(CHUNKED, "1" + "0" * 16 + "\r\nok\r\n0\r\n\r\n"), "200 cut", NOTHING),
    ("a chunk longer than its size", answer(CHUNKED, "2\r\nokay\r\n0\r\n\r\n"), "200 cut", NOTHING),
    ("chunks that are cut", answer(CHUNKED, "5\r\nok"), "200 cut", NOTHING),
    ("chunks without a last one", answer(CHUNKED, "2\r\nok\r\n"), "200 cut", NOTHING),
    ("an unknown transfer coding", answer(f"{OK}|{TEXT}|Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), BAD, NOTHING),
    ("chunked twice", answer(f"{CHUNKED}|Transfer-Encoding: chunked", "2\r\nok\r\n0\r\n\r\n"), BAD, NOTHING),
    ("chunks in HTTP/1.0", answer(CHUNKED.replace("1.1", "1.0"), "2\r\nok\r\n0\r\n\r\n"), "200", "text"),
    # content codings
    ("gzip", coded("gzip", gzip.compress(b"ok", mtime=0)), "200", "text"),
    ("gzip in small capitals", coded("GZip", gzip.compress(b"ok", mtime=0)), "200", "text"),
    ("gzip that is none", coded("gzip", b"ok"), "200", "coded"),
    ("gzip that is cut", coded("gzip", gzip.compress(b"ok" * 99, mtime=0)[:-9]), "200", "coded"),
    ("gzip with a wrong sum", coded("gzip", gzip.compress(b"ok", mtime=0)[:-8] + b"12345678"), "200", "coded"),
    ("gzip and more", coded("gzip", gzip.compress(b"ok", mtime=0) + b"nonsense"), "200", "coded"),
    ("gzip in two members", coded("gzip", gzip.compress(b"o", mtime=0) + gzip.compress(b"k", mtime=0)), "200", "text"),
    ("gzip twice", coded("gzip, gzip", gzip.compress(gzip.compress(b"ok", mtime=0), mtime=0)), "200", "text"),
    ("gzip of nothing", coded("gzip", b""), "200", "empty"),
    ("raw deflate", coded("deflate", zlib.compress(b"ok")[2:-4]), "200", "text"),
    ("br that is none", coded("br", b"ok"), "200", "coded"),
    ("zstd that is none", coded("zstd", b"ok"), "200", "coded"),
    ("zstd that is cut", coded("zstd", zstd.compress(b"ok" * 99)[:-3]), "200", "coded"),
    ("a coding nobody knows", coded("lzma", b"ok"), "200", "coded"),
    ("twenty codings", coded(", ".join(["gzip"] * 20), b"ok"), "200", "coded"),
    ("5,000 codings", coded(", ".join(["gzip"] * 5_000), b"ok"), "200", "coded"),
    ("a bomb of gzip", coded("gzip", squeezed("gzip")), "200", NOTHING),
    ("a bomb of deflate", coded("deflate", squeezed("deflate")), "200", NOTHING),
    ("a bomb of br", coded("br", squeezed("br")), "200", NOTHING),
    ("a bomb of zstd", coded("zstd", squeezed("zstd")), "200", NOTHING),
    ("a bomb in a bomb", coded("gzip, gzip", gzip.compress(BOMB, 9, mtime=0)), "200", NOTHING),
    ("a bomb that is no text", coded("gzip", BOMB, "Content-Type: image/png"), "200", NOTHING),
    ("a bomb of JSON", coded("gzip", BOMB, "Content-Type: application/json"), "200", NOTHING),
    ("a bomb of events", coded("gzip", BOMB, "Content-Type: text/event-stream"), "200", NOTHING),
    ("a body over the limit", answer(f"{OK}|{TEXT}|Content-Length: {MOST + 1}", b"x" * (MOST + 1)), "200", NOTHING),
    # bodies
    ("JSON that is none", answer(f"{OK}|Content-Type: application/json|Content-Length: 1", "{"), "200", "text"),
    ("JSON of 100,000 levels", answer(f"{OK}|Content-Type: application/json|Content-Length: 200000", "[" * 100_000 + "]" * 100_000), "200", "file"),
    ("JSON with an endless number", answer(f"{OK}|Content-Type: application/json|Content-Length: 50000", "9" * 50_000), "200", "text"),
    ("JSON in another charset", answer(f"{OK}|Content-Type: application/json; charset=utf-16|Content-Length: 6", b"\xff\xfe{\0}\0"), "200", "text"),
    ("text that is not UTF-8", answer(f"{OK}|Content-Type: text/plain; charset=utf-8|Content-Length: 2", b"\xff\xfe"), "200", "file"),
    ("text with a nul", answer(TWO, "\0\r"), "200", "file"),
    ("a placeholder of ours", answer(f"{OK}|{TEXT}|Content-Length: 33", "{{origin}} {{redacted:password}} "), "200", "text"),
]  # fmt: skip
