"""Makes the file name of a cassette from a redacted request. The name is a label: the content of the file counts.

Names are deterministic. They consist of `[a-z0-9._-]` and the upper-case method, are legal and distinct on every file
system, and have at most 80 characters a part and 180 in all. A hash stands for what the readable part leaves out.
"""

import hashlib
import re
import unicodedata
from urllib.parse import unquote

from replaymock.cassettes.filenames import LIKE_A_SIDECAR, METHODS, NAME_LIMIT, SIDECAR_SUFFIX_LIMIT
from replaymock.matching import graphql
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.matcher import key_of
from replaymock.placeholders import REDACTED

PART_LIMIT = 80
HASH_DIGITS = 8
_LABEL_LIMIT = 28
_METHOD_LIMIT = 16


def cassette_name(request: CanonicalRequest, digits: int = HASH_DIGITS) -> str:
    """The name of a request's cassette, with `/` between folders. Pass more `digits` if the name is taken."""
    folders = [_folder_name(segment) for segment in request.path.split("/") if segment]
    method = _method_label(request.method)
    exact = method == request.method in METHODS and "/" + "/".join(folders) == request.path
    label = _label(request)
    hashed = "" if exact and not _has_more(request) and digits == HASH_DIGITS else _hash(request)[:digits]
    suffix = "-".join(part for part in (label, hashed) if part)
    file = f"{method}--{suffix}.json" if suffix else f"{method}.json"
    return _joined(folders, file) if hashed else _joined_or_hashed(folders, file, request)


def _joined_or_hashed(folders: list[str], file: str, request: CanonicalRequest) -> str:
    whole = "/".join([*folders, file])
    return whole if len(whole) <= NAME_LIMIT else cassette_name(request, HASH_DIGITS * 2)


def _joined(folders: list[str], file: str) -> str:
    available = NAME_LIMIT - SIDECAR_SUFFIX_LIMIT - len(file)
    parts: list[str] = []
    for folder in folders:
        if len(folder) + 1 > available:
            break
        parts.append(folder)
        available -= len(folder) + 1
    return "/".join([*parts, file])


def _has_more(request: CanonicalRequest) -> bool:
    return bool(request.query or request.headers or request.kind)


def _method_label(sent: str) -> str:
    """A method as the beginning of a file name. It distinguishes a cassette from a plain mock."""
    slug = _slug(sent).replace(".", "-").upper()[:_METHOD_LIMIT]
    return slug if "A" <= slug[:1] <= "Z" else f"X{slug}"


def _folder_name(segment: str) -> str:
    """A path segment as a folder name. The two are equal exactly if nothing was lost."""
    slug = _slug(unquote(segment))[:PART_LIMIT].strip(".-") or "_"
    if slug.split(".")[0] in _RESERVED or LIKE_A_SIDECAR.fullmatch(slug):
        slug = f"_{slug[: PART_LIMIT - 1]}"
    return slug[: -len(".json")] + "-json" if slug.endswith(".json") else slug


def _label(request: CanonicalRequest) -> str:
    if request.kind == "json":
        operation = graphql.operation_name(request.body)
        if operation:
            return _NOT_IN_LABEL.sub("-", operation)[:_LABEL_LIMIT].strip("-")
    opening = ["websocket"] if request.kind == "websocket" else []
    shown = [f"{name} {value or ''}" for name, value in request.query if not REDACTED.search(f"{name}{value}")]
    return _slug(" ".join(opening + shown)).replace(".", "-").replace("--", "-")[:_LABEL_LIMIT].strip("-_")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return _NOT_IN_SLUG.sub("-", plain)


def _hash(request: CanonicalRequest) -> str:
    return hashlib.sha256(repr(key_of(request)).encode("utf-8", "surrogatepass")).hexdigest()


_RESERVED = frozenset(
    ["con", "prn", "aux", "nul"] + [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]
)
_NOT_IN_SLUG = re.compile(r"[^a-z0-9._-]+")
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9_-]+")
