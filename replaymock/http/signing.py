"""Which headers a request's signature covers. If one of them changed, the backend would refuse the request."""

import re
from urllib.parse import unquote

from replaymock.http.headers import Headers, get, has


def signed_headers(headers: Headers, query: str = "") -> frozenset[str]:
    """The lower-case names that a signature covers, in these headers or in the query of a presigned URL.

    Understands HTTP Message Signatures (RFC 9421) and their drafts, AWS Signature Version 4 and schemes modelled on it,
    and Azure's shared key, which covers a fixed list.
    """
    lists = [*_LIST.findall(get(headers, "authorization")), *_LIST.findall(get(headers, "signature"))]
    lists += [unquote(text) for text in _PRESIGNED.findall(query)]
    lists += [get(headers, "x-ca-signature-headers").replace(",", " ")]
    names = {name for text in lists for name in _NAMES.findall(text.lower())}
    if has(headers, "signature-input"):
        inner = _INNER_LIST.findall(get(headers, "signature-input"))
        names.update(name.lower() for components in inner for name in _COMPONENT.findall(components))
    if _SHARED_KEY.match(get(headers, "authorization")):
        names |= _BY_SHARED_KEY
    return frozenset(names)


def is_presigned(query: str) -> bool:
    """Whether a query names the headers that its signature covers."""
    return "header" in query.lower() and _PRESIGNED.search(query) is not None


_LIST = re.compile(r"(?:headers|q-header-list)\s*=\s*\"?([^,&\"]*)", re.IGNORECASE)
_PRESIGNED = re.compile(
    r"(?:^|&)(?:x-[a-z]+-signedheaders|x-oss-additional-headers|q-header-list)=([^&]*)", re.IGNORECASE
)
_NAMES = re.compile(r"[^;\s]+")
_INNER_LIST = re.compile(r"\(([^()]*)\)")
_COMPONENT = re.compile(r"\"([^\"]*)\"")
_SHARED_KEY = re.compile(r"\s*SharedKey\s", re.IGNORECASE)
_BY_SHARED_KEY = frozenset(
    (
        "content-encoding content-language content-length content-md5 content-type date if-modified-since if-match "
        "if-none-match if-unmodified-since range"
    ).split()
)
