"""Responses as bytes on the wire: bodies and heads that are fine, and ones that are not."""

from replaymock.proxy.client.response_parser import MAX_FIELDS, MAX_INTERIM

OK = b"HTTP/1.1 200 OK\r\n"


HI = OK + b"Content-Length: 2\r\n"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


HEADS: dict[bytes, tuple[int, str, tuple[tuple[str, str], ...]]] = {
    OK + b"\r\n": (200, "OK", ()),
    b"HTTP/1.1 200 \r\n\r\n": (200, "", ()),
    b"HTTP/1.1 404\r\n\r\n": (404, "", ()),
    b"HTTP/1.0 999 Odd  \xff  One \r\n\r\n": (999, "Odd  \xff  One ", ()),
    OK + b"X-A: 1\r\nx-a:2\r\nX-A: \t 3 \t\r\n\r\n": (200, "OK", (("X-A", "1"), ("x-a", "2"), ("X-A", "3"))),
    OK + b"A:\r\nB: \xe9 \x01 \x80\r\n\r\n": (200, "OK", (("A", ""), ("B", "\xe9 \x01 \x80"))),
    b"HTTP/1.1 200 OK\nA: b: c\n\n": (200, "OK", (("A", "b: c"),)),
    OK + b"A: one\r\n \ttwo\r\nB: 3\r\n\r\n": (200, "OK", (("A", "one two"), ("B", "3"))),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"\r\n": (200, "OK", ()),
    OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n": (200, "OK", (("Upgrade", "h2c"), ("Connection", "Upgrade"))),
}


BODIES: list[tuple[bytes, bytes, bool]] = [
    (HI + b"\r\nhi", b"hi", True),
    (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    (HI + b"Connection: x, Close\r\n\r\nhi", b"hi", False),
    (HI.replace(b"1.1", b"1.0") + b"\r\nhi", b"hi", False),
    (HI.replace(b"1.1", b"1.0") + b"Connection: Keep-Alive\r\n\r\nhi", b"hi", True),
    (HI + b"content-length: 2\r\n\r\nhi", b"hi", True),
    (OK + b"Content-Length: 2, 2\r\n\r\nhi", b"hi", True),
    (HI + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nhey\r\n0\r\n\r\n", b"hey", True),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", b"hi", True),
    (CHUNKED + b'2;a=b;c="d"\r\nhi\r\n003 \r\nyou\r\n0;e\r\nTrailer: x\r\nTrailer: y\r\n\r\n', b"hiyou", True),
    (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", True),
    (b"HTTP/1.1 204 None\r\nContent-Length: 7\r\n\r\n", b"", True),
    (b"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True),
    (HI + b"\r\nhi" + HI + b"\r\nno", b"hi", False),
    (HI + b"\r\nhi\r\n", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + HI + b"\r\nno", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\nH", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\nx", b"hi", False),
    (b"HTTP/1.1 204 None\r\n\r\nbody", b"", False),
]


WRONG: dict[bytes, str] = {
    b"SSH-2.0-OpenSSH_9.2\r\n": "no HTTP/1 response",
    b"\x15\x03\x01\x00\x02": "no HTTP/1 response",
    b"\r\n" + HI + b"\r\n": "no HTTP/1 response",
    b"HTTP/1.1 20 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 2000 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 200 O\0K\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1  200 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n": "switches protocols",
    OK + b" folded\r\n\r\n": "no header",
    OK + b"no colon\r\n\r\n": "no header",
    OK + b"Name : x\r\n\r\n": "no header",
    OK + b": x\r\n\r\n": "no header",
    OK + b"A: b\0c\r\n\r\n": "no header",
    OK + b"A: b\rSet-Cookie: c\r\n\r\n": "no header",
    OK + b"Content-Length: +2\r\n\r\n": "no length",
    OK + b"Content-Length: \r\n\r\n": "no length",
    OK + b"Content-Length: \xb2\r\n\r\n": "no length",
    OK + b"Content-Length: 2, 3\r\n\r\n": "no length",
    HI + b"Content-Length: 3\r\n\r\n": "no length",
    OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n": "no length",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n": "gzip, chunked is not understood",
    CHUNKED + b"zz\r\n": "chunks are damaged",
    CHUNKED + b"-2\r\nhi\r\n": "chunks are damaged",
    CHUNKED + b"2\nhi\r\n": "chunks are damaged",
    CHUNKED + b"2\r\nhiX\r\n": "chunks are damaged",
    CHUNKED + b"f" * 20 + b"\r\n": "chunks are damaged",
    b"HTTP/1.1 100 Go on\r\n\r\n" * (MAX_INTERIM + 1): "interim answers",
    OK + b"A: b\r\n" * (MAX_FIELDS + 1) + b"\r\n": "more than",
}
