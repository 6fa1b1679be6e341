"""What a file name means: a cassette, a sidecar of one, or a plain mock."""

import re


def is_cassette_name(name: str) -> bool:
    """Whether a file of this name (without folder) is a cassette rather than a plain mock."""
    match = _CASSETTE.fullmatch(name)
    return match is not None and (match.group(1) in METHODS or "--" in name)


def is_sidecar_name(name: str) -> bool:
    """Whether a file of this name (without folder) is the body of a cassette beside it."""
    return bool(_SIDECAR.fullmatch(name))


def cassette_of(file: str) -> str:
    """The cassette that a sidecar belongs to; any other file name is returned unchanged."""
    folder, slash, name = file.rpartition("/")
    return f"{folder}{slash}{_SIDECAR_ENDING.sub('', name)}.json" if is_sidecar_name(name) else file


def plain_mock_name(path: str) -> str:
    """The plain mock that would be served at a path; empty if there can be none, or should be none."""
    name = f"{path[1:]}.json"
    base = name.rpartition("/")[2]
    if not _PLAIN.fullmatch(path) or len(name) > NAME_LIMIT or is_cassette_name(base) or is_sidecar_name(base):
        return ""
    return name


def mock_path(name: str) -> str:
    """The path that a plain mock is served at."""
    return "/" + name.removesuffix(".json")


METHODS = frozenset(
    (
        "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK "
        "UNLOCK REPORT SEARCH MKCALENDAR ACL BIND REBIND UNBIND LINK UNLINK PURGE CHECKOUT MERGE"
    ).split()
)

SIDECAR_SUFFIX_LIMIT = 16

_CASSETTE = re.compile(r"([A-Z][A-Z0-9_-]*?)(?:--[^/]*)?\.json")

_SIDECAR_ENDING = re.compile(r"(?:\.[0-9]+)?(?:\.message-[0-9]+)?\.body\.[A-Za-z0-9]+\Z")

LIKE_A_SIDECAR = re.compile(r"[a-z][a-z0-9_-]*(?:--.*)?(?:\.[0-9]+)?(?:\.message-[0-9]+)?\.body\.[a-z0-9]+")

_SIDECAR = re.compile(r"[A-Z][A-Z0-9_-]*?(?:--[^/]*)?(?:\.[0-9]+)?(?:\.message-[0-9]+)?\.body\.[A-Za-z0-9]+")

NAME_LIMIT = 180

_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~\-][A-Za-z0-9._~\-]*)+")
