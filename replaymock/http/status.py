"""Status codes (RFC 9110 section 15): their reason phrases, and those that are not recorded unless asked for."""

from functools import lru_cache
from http import HTTPStatus

ERROR_STATUSES = frozenset((401, 403, 429, *range(500, 600)))


@lru_cache(maxsize=128)
def standard_reason(status: int) -> str:
    """The reason phrase of a status code (RFC 9110 section 15); empty for an unknown one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
