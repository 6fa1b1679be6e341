"""Cassette files as bytes, with what must become of each: served, or refused with a place and a reason.

`/here` stands for the path at which a file is asked for.
"""

import os
from collections.abc import Callable
from pathlib import Path

SERVED = ""
DEEP = 100_000
BIG = 200 << 20

Row = tuple[str, bytes, str]


def around(request: str = "", response: str = '"json": 1', before: str = "") -> bytes:
    """A cassette with these members in its request and its response."""
    more = f", {request}" if request else ""
    return f'{before}{{"request": {{"path": "/here"{more}}}, "responses": [{{{response}}}]}}'.encode()


def answering(members: str) -> bytes:
    """A cassette with these members in its response."""
    return around(response=members)


def headed(name: str, value: str = '"x"') -> bytes:
    """A cassette with this header, in JSON, in its response."""
    return answering(f'"headers": {{"{name}": {value}}}, "json": 1')


# Name, file, and the place and the reason, or `SERVED`.
CASSETTES: list[Row] = [
    # what is well, however odd
    ("a plain one", around(), SERVED),
    ("version 1", around(before="").replace(b"{", b'{"version": 1, ', 1), SERVED),
    ("a method", around('"method": "GET"'), SERVED),
    ("lines that end as on Windows", around().replace(b", ", b",\r\n"), SERVED),
    ("a number past 64 bits", answering('"json": 123456789012345678901234567890.10e5'), SERVED),
    ("half a surrogate pair", answering('"json": "\\ud800"'), "1:1: holds half a character"),
    ("a key twice in its body", answering('"json": {"a": 1, "a": 2}'), SERVED),
    ("markers of a merge inside a string", answering('"text": "<<<<<<< HEAD\\n=======\\n"'), SERVED),
    ("a script", answering('"text": "<script>alert(1)</script>", "headers": {"content-type": "text/html"}'), SERVED),
    ("what runs elsewhere", answering('"json": {"$(id)": "`id`", "!!python/object/apply:os.system": ["id"], "{{7*7}}": "${jndi:x}"}'), SERVED),
    ("a control in a header", headed("x", '"\\u001b[31m"'), SERVED),
    ("latin-1 in a header", headed("x", '"caf\\u00e9"'), SERVED),
    ("an empty header", headed("x", '""'), SERVED),
    ("a header in a list", headed("set-cookie", '["a=1", "b=2"]'), SERVED),
    ("a header in an empty list", headed("x", "[]"), SERVED),
    ("status 999", answering('"status": 999'), SERVED),
    ("no body", answering('"status": 200'), SERVED),
    # no JSON
    ("nothing", b"", "1:1: not JSON"),
    ("white space", b" \n\n ", "1:1: not JSON"),
    ("a nul", b"\0", "1:1: not JSON"),
    ("a file of nul", bytes(5000), "1:1: not JSON"),
    ("half a file", around()[:40], "1:41: not JSON: the file ends too early"),
    ("two files", around() + around(), "1:60: not JSON"),
    ("a comma too many", around().replace(b"]}", b"],}"), "1:59: not JSON"),
    ("a comment", b"// here\n" + around(), "1:1: not JSON"),
    ("quotes of one stroke", around().replace(b'"', b"'"), "1:2: not JSON"),
    ("not a number", answering('"json": NaN'), "1:55: not JSON: invalid character"),
    ("infinity", answering('"json": Infinity'), "1:55: not JSON"),
    ("a number that begins with nothing", answering('"json": 01'), "1:56: not JSON"),
    ("a line break in a string", answering('"text": "a\nb"'), "1:57: not JSON"),
    ("YAML", b"request:\n  path: /here\n", "1:1: not JSON"),
    ("YAML that would run", b"!!python/object/apply:os.system ['id']\n", "1:1: not JSON"),
    ("a pickle", b"\x80\x04cos\nsystem\n(S'id'\ntR.", "1:1: not JSON"),
    ("gzip", b"\x1f\x8b\x08\0\0\0\0\0", "1:1: not JSON"),
    ("a mark of UTF-8's byte order", b"\xef\xbb\xbf" + around(), "1:1: not JSON: the file begins with a byte order mark"),
    ("UTF-16", around().decode().encode("utf-16"), "1:1: not JSON: the file begins with a byte order mark"),
    ("bytes that are no UTF-8", answering('"text": "caf') + b"\xe9" + b'"}]}', "1:62: not valid UTF-8"),
    ("UTF-8 too long", answering('"text": "X"').replace(b"X", b"\xc0\xaf"), "1:56: not valid UTF-8"),
    ("half a pair of surrogates in UTF-8", answering('"text": "X"').replace(b"X", b"\xed\xa0\x80"), "1:56: not valid UTF-8"),
    ("a conflict of a merge", b"<<<<<<< HEAD\n" + around() + b"\n=======\n" + around() + b"\n>>>>>>> x\n", "1:1: a merge conflict"),
    ("a conflict in the middle", around().replace(b', "responses"', b',\n<<<<<<< HEAD\n"responses"'), "2:1: a merge conflict"),
    ("a pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "1:1: not JSON"),
    # deep and wide
    ("lists without end", b"[" * DEEP, "1:1: nested too deeply"),
    ("a body of many levels", answering(f'"json": {"[" * DEEP}{"]" * DEEP}'), "1:1: nested too deeply"),
    ("objects of many levels", answering(f'"json": {chr(123) + chr(34) * 2 + ":"}' * 1 + '{"":' * DEEP), "1:1: nested too deeply"),
    ("an unknown field of many levels", around(before="").replace(b"{", b'{"x": ' + b"[" * DEEP + b"]" * DEEP + b", ", 1), "1:1: nested too deeply"),
    ("a number of a million digits", answering(f'"json": {"9" * 1_000_000}'), SERVED),
    ("a status of a million digits", answering(f'"status": {"9" * 1_000_000}'), "1:57: responses[0].status: integer value out of range"),
    ("2,000 responses", b'{"request": {"path": "/here"}, "responses": [' + b"{}," * 1_999 + b"{}]}", SERVED),
    ("90 headers", answering(f'"headers": {{{",".join(chr(34) + f"x{n}" + chr(34) + ":" + chr(34) * 2 for n in range(90))}}}, "json": 1'), SERVED),
    # the wrong kind
    ("a list", b"[]", "1:1: Expected `object`"),
    ("a string", b'"x"', "1:1: Expected `object`"),
    ("null", b"null", "1:1: Expected `object`"),
    ("an empty object", b"{}", "1:1: Object missing required field `request`"),
    ("no responses", b'{"request": {"path": "/here"}}', "1:22: Object missing required field `responses`"),
    ("responses of nothing", b'{"request": {"path": "/here"}, "responses": []}', "1:22: needs at least one response"),
    ("responses that are an object", b'{"request": {"path": "/here"}, "responses": {}}', "1:22: responses: expected `array`"),
    ("a response that is null", b'{"request": {"path": "/here"}, "responses": [null]}', "1:46: responses[0]: expected `object`"),
    ("no request", b'{"responses": [{}]}', "1:1: Object missing required field `request`"),
    ("no path", b'{"request": {}, "responses": [{}]}', "1:1: request: object missing required field `path`"),
    ("a newer version", around().replace(b"{", b'{"version": 2, ', 1), "1:13: version 2 is newer"),
    ("version 0", around().replace(b"{", b'{"version": 0, ', 1), "1:13: version: expected `int` >= 1"),
    ("a version in quotes", around().replace(b"{", b'{"version": "1", ', 1), "1:13: version: expected `int`"),
    ("an unknown field", around().replace(b"{", b'{"versoin": 1, ', 1), "1:13: unknown field 'versoin'; did you mean 'version'?"),
    ("an unknown field of the request", around('"methd": "GET"'), "1:40: unknown field 'methd'"),
    ("an unknown field of the response", answering('"staus": 200'), "1:56: unknown field 'staus'; did you mean 'status'?"),
    ("a field of the object of all", answering('"__proto__": {"x": 1}'), "1:66: unknown field '__proto__'"),
    ("a key twice", around().replace(b'"/here"', b'"/other", "path": "/here"'), "1:22: 'path' is written twice here"),
    ("a response's key twice", answering('"status": 200, "status": 201'), "1:57: 'status' is written twice here"),
    ("responses twice", around().replace(b"}]}", b'}], "responses": [{}]}'), "1:55: 'responses' is written twice here"),
    # the request
    ("a path without slash", around().replace(b"/here", b"here"), "1:22: path 'here' must begin with /"),
    ("a path that is a URL", around().replace(b"/here", b"http://x/here"), "1:22: path 'http"),
    ("a path with a query", around().replace(b"/here", b"/here?a=b"), "1:22: path '/here?a=b' holds a ?"),
    ("a path with a fragment", around().replace(b"/here", b"/here#a"), "1:22: path '/here#a' holds a #"),
    ("a method with a space", around('"method": "A B"'), "1:41: 'A B' is not a method"),
    ("a method with a line break", around('"method": "GET\\r\\n"'), "1:41: 'GET\\r\\n' is not a method"),
    ("an empty method", around('"method": ""'), "1:41: '' is not a method"),
    ("a query that is a text", around('"query": "a=b"'), "1:40: request.query: expected `object`"),
    ("a number in a query", around('"query": {"a": 1}'), "1:46: 'a': values in query are strings"),
    ("two bodies in a request", around('"json": 1, "text": "x"'), "1:50: a body is one of json"),
    ("a digest that is none", around('"sha256": "xyz", "bytes": 1'), "1:41: request.sha256: expected `str` matching regex '^[0-9a-f]{64}$'"),
    ("a negative size", around(f'"sha256": "{"0" * 64}", "bytes": -1'), "1:118: request.bytes: expected `int` >= 0"),
    ("another upgrade", around('"headers": {"upgrade": "h2c"}'), "1:54: the only upgrade there is here is websocket"),
    # the status line and the headers
    ("status 0", answering('"status": 0'), "1:57: status 0 is not a final status code"),
    ("status 99", answering('"status": 99'), "1:57: status 99 is not a final"),
    ("status 100", answering('"status": 100'), "1:57: status 100 is not a final"),
    ("status 1000", answering('"status": 1000'), "1:57: status 1000 is not a final"),
    ("a negative status", answering('"status": -200'), "1:57: status -200 is not a final"),
    ("a status with a point", answering('"status": 200.5'), "1:57: responses[0].status: expected `int`"),
    ("a status in quotes", answering('"status": "200"'), "1:57: responses[0].status: expected `int`"),
    ("a line break in the reason", answering('"reason": "OK\\r\\nSet-Cookie: a=b"'), "1:57: reason"),
    ("a nul in the reason", answering('"reason": "O\\u0000K"'), "1:57: reason"),
    ("a reason past latin-1", answering('"reason": "\\u0101"'), "1:57: reason"),
    ("a line break in a header", headed("x", '"a\\r\\nSet-Cookie: a=b"'), "1:64: the value of 'x' holds a line break or a character outside latin-1"),
    ("a line feed in a header", headed("x", '"a\\nb"'), "1:64: the value of 'x' holds a line break or a character outside latin-1"),
    ("a carriage return in a header", headed("x", '"a\\rb"'), "1:64: the value of 'x' holds a line break or a character outside latin-1"),
    ("a line break in a list of headers", headed("x", '["a", "b\\r\\nc"]'), "1:65: the value of 'x' holds a line break or a character outside latin-1"),
    ("a nul in a header", headed("x", '"a\\u0000b"'), "1:64: the value of 'x' holds a line break or a character outside latin-1"),
    ("a header past latin-1", headed("x", '"\\u0101"'), "1:64: the value of 'x' holds a line break or a character outside latin-1"),
    ("a line break in a name", headed("x\\r\\ny"), "1:69: 'x\\r\\ny' is not a header name"),
    ("a colon in a name", headed("x:"), "1:65: 'x"),
    ("a space in a name", headed("x y"), "1:66: 'x y' is not a header name"),
    ("an empty name", headed(""), "1:63: '' is not a header name"),
    ("a header that is a number", headed("x", "1"), "1:64: 'x': values in headers are strings"),
    ("a header that is null", headed("x", "null"), "1:64: 'x': values in headers are strings"),
    ("a length", headed("Content-Length", '"3"'), "1:77: leave 'Content-Length' out"),
    ("a transfer coding", headed("transfer-encoding", '"chunked"'), "1:80: leave 'transfer-encoding' out"),
    ("a connection", headed("Connection", '"close"'), "1:73: leave 'Connection' out"),
    ("keep-alive", headed("keep-alive", '"timeout=5"'), "1:73: leave 'keep-alive' out"),
    ("an upgrade", headed("upgrade", '"h2c"'), "1:70: leave 'upgrade' out"),
    ("a trailer", headed("trailer", '"x"'), "1:70: leave 'trailer' out"),
    # bodies
    ("two bodies", answering('"json": 1, "text": "x"'), "1:66: a body is one of json"),
    ("a body with 204", answering('"status": 204, "json": 1'), "1:70: an answer with status 204 has no body"),
    ("a body with 304", answering('"status": 304, "text": "x"'), "1:70: an answer with status 304 has no body"),
    ("a text that is a number", answering('"text": 1'), "1:55: responses[0].text: expected `str`"),
    ("a layout nobody knows", answering('"json": 1, "layout": "wide"'), "1:68: unknown layout 'wide'"),
    ("a layout of a million", answering('"json": [1], "layout": "indent-1000000"'), "1:70: unknown layout 'indent-1000000'"),
    ("a charset that does not fit", answering('"text": "\\u0101", "headers": {"content-type": "text/plain; charset=latin-1"}'), "1:55: the text does not fit the charset of 'text/plain"),
    ("a pause before the beginning", answering('"text": "x", "pauses": [{"at": -1, "ms": 1}]'), "1:78: responses[0].pauses[0].at: expected `int` >= 0"),
    ("a negative pause", answering('"text": "x", "pauses": [{"at": 0, "ms": -1}]'), "1:87: responses[0].pauses[0].ms: expected `int` >= 0"),
    ("a body that is not there", answering('"file": "none.png"'), "1:55: cannot read 'none.png'"),
    ("a body in the folder above", answering('"file": "../../secret.txt"'), "1:55: '../../secret.txt': lies outside the cassette folder"),
    ("a body in a folder above, by Windows", answering('"file": "..\\\\..\\\\secret.txt"'), "1:55: cannot read '..\\\\..\\\\secret.txt'"),
    ("a body at the root", answering('"file": "/etc/passwd"'), "1:55: '/etc/passwd': lies outside the cassette folder"),
    ("a body on a drive", answering('"file": "C:\\\\secret.txt"'), "1:55: cannot read 'C"),
    ("a body by a URL", answering('"file": "file:///etc/passwd"'), "1:55: cannot read 'file"),
    ("a body of a device", answering('"file": "/dev/zero"'), "1:55: '/dev/zero': lies outside the cassette folder"),
    ("a body of a process", answering('"file": "/proc/self/environ"'), "1:55: '/proc/self/environ': lies outside the cassette folder"),
    ("a body that is a folder", answering('"file": "."'), "1:55: '.'"),
    ("a body that is the folder above", answering('"file": ".."'), "1:55: '..'"),
    ("a body without name", answering('"file": ""'), "1:55: ''"),
    ("a body with a nul in its name", answering('"file": "a\\u0000b"'), "1:55: 'a\\x00b'"),
    ("a body with half a surrogate in its name", answering('"file": "\\ud800"'), "1:1: holds half a character"),
    ("a body of 5,000 letters", answering(f'"file": "{"x" * 5000}"'), "1:55: cannot read 'xxxxxxxxxxxxxxxxxxxxx"),
    # events and messages
    ("events of no stream", answering('"events": [{"data": 1}], "headers": {"content-type": "text/html"}'), "1:67: text/html is no stream of events"),
    ("an event that is a number", answering('"events": [1]'), "1:58: responses[0].events[0]: expected `object`"),
    ("an unknown member of an event", answering('"events": [{"dta": 1}]'), "1:66: 'dta' of an event is a string"),
    ("a line break in the name of an event", answering('"events": [{"event": "a\\nb", "data": 1}]'), SERVED),
    ("a line break in the id of an event", answering('"events": [{"id": "a\\rb", "data": 1}]'), SERVED),
    ("a negative delay", answering('"events": [{"data": 1, "delay_ms": -1}]'), "1:67: 'delay_ms' is -1"),
    ("a delay in words", answering('"events": [{"data": 1, "delay_ms": "soon"}]'), "1:67: 'delay_ms' of an event is a number"),
    ("messages with status 200 and a body", answering('"messages": [], "text": "x"'), "1:71: a body is one of messages"),
    ("messages with status 404", answering('"messages": [], "status": 404'), "1:73: status 101 goes with messages"),
    ("status 101 without messages", answering('"status": 101'), "1:57: status 101 goes with messages"),
    ("messages to a POST", around('"method": "POST"', '"messages": []'), "1:41: a WebSocket is asked for by GET"),
    ("a message from nobody", answering('"messages": [{"from": "proxy", "text": "x"}]'), "1:69: responses[0].messages[0].from: invalid enum value 'proxy'"),
    ("a message of nothing", answering('"messages": [{"from": "server"}]'), "1:69: a message is one of json"),
    ("a message of two", answering('"messages": [{"from": "server", "text": "x", "json": 1}]'), "1:69: a message is one of json"),
    ("base64 that is none", answering('"messages": [{"from": "server", "base64": "!!!!"}]'), "1:89: not base64"),
    ("a close with a code that may not be", answering('"messages": [{"from": "server", "close": 5}]'), "1:88: 5 is no code a close can have"),
    ("a word after the close", answering('"messages": [{"from": "server", "close": 1000}, {"from": "server", "text": "x"}]'), "1:88: nothing is said after a close"),
    ("a reason past its length", answering(f'"messages": [{{"from": "server", "close": 1000, "reason": "{"x" * 200}"}}]'), "1:104: the reason of a close has no more than 123 bytes"),
    ("a message from outside", answering('"messages": [{"from": "server", "file": "../../secret.bin"}]'), "1:87: '../../secret.bin': lies outside the cassette folder"),
]  # fmt: skip


def _sparse(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(BIG)


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _link(target: str) -> Callable[[Path], None]:
    return lambda place: place.symlink_to(target)


def _body(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A cassette whose body is a sibling that is made like this."""

    def both(place: Path) -> None:
        make(place.with_name("body.bin"))
        place.write_bytes(answering('"file": "body.bin"').replace(b"/here", f"/{place.parent.name}".encode()))

    return both


# What is no ordinary file, made at a place in the folder beside which `secret.txt` lies; and what is said of it.
SPECIAL: list[tuple[str, Callable[[Path], None], str]] = [
    ("200 MiB", _sparse, "1:1: larger than 67108864 bytes"),
    ("a pipe", _pipe, "1:1: not a regular file"),
    ("a device", _link("/dev/zero"), "1:1: leads outside the cassette folder"),
    ("a link to nothing", _link("nothing"), "1:1: cannot be read"),
    ("a link to itself", _link("GET.json"), "1:1: cannot be read"),
    ("a link to another file", _link("/etc/passwd"), "1:1: leads outside the cassette folder"),
    ("a body of 200 MiB", _body(_sparse), SERVED),
    ("a body that is a pipe", _body(_pipe), "1:55: 'body.bin': not a regular file"),
    ("a body that is a device", _body(_link("/dev/zero")), "1:55: 'body.bin': lies outside the cassette folder"),
    (
        "a body that leads outside",
        _body(_link("../../secret.txt")),
        "1:55: 'body.bin': lies outside the cassette folder",
    ),
    ("a body that leads to a folder", _body(_link("..")), "1:55: 'body.bin'"),
    ("a body that leads to itself", _body(_link("body.bin")), "1:55: 'body.bin'"),
]
