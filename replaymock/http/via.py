"""The name this server goes by in `Via` (RFC 9110 section 7.6.3): how it is made, known again and forgotten.

It ends in a tag that is another one in each run, so that a run knows the requests that have come back to it.
"""

import re

TAG_BYTES = 4


def via(tag: str) -> str:
    """What a run with this tag, `TAG_BYTES` in hexadecimal digits, adds to `Via`."""
    return f"1.1 replaymock-{tag}"


def is_from_a_run(value: str) -> bool:
    """Whether a value of `Via` names any run of this server."""
    return _NAME.search(value) is not None


def without_tags(body: bytes) -> bytes:
    """A body in which no name of a run tells it from another run."""
    return _IN_BODY.sub(_UNTAGGED, body) if _UNTAGGED in body else body


_TAG = f"[0-9a-f]{{{2 * TAG_BYTES}}}"
_NAME = re.compile(rf"\breplaymock-{_TAG}\b")
_UNTAGGED = b"1.1 replaymock"
_IN_BODY = re.compile(rf"1\.1 replaymock-{_TAG}(?![0-9A-Za-z])".encode())
