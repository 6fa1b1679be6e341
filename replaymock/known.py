"""Secrets that were seen under a secret name, found again wherever else they stand, by their value.

Only values that nothing else is likely to say are looked for: long enough, and of letters and digits.
"""

import re
from dataclasses import replace
from urllib.parse import quote

from replaymock import mediatypes
from replaymock.exchange import Request, Response
from replaymock.headers import media_type
from replaymock.secrets import is_secret_name


class KnownValues:
    """The latest few hundred secrets of a recording, each with its placeholder. `learned` counts those there were."""

    def __init__(self) -> None:
        self.learned = 0
        self._placeholders: dict[str, str] = {}

    def remember(self, value: str, placeholder: str) -> None:
        """Takes note of a secret, if its value is telling."""
        if not is_telling(value):
            return
        self.learned += value not in self._placeholders
        self._placeholders[value] = placeholder
        if not _IN_URLS.fullmatch(value):
            self._placeholders[quote(value, safe="")] = placeholder
        while len(self._placeholders) > _MOST:
            del self._placeholders[next(iter(self._placeholders))]

    def hide(self, text: str) -> str:
        """Text in which each known value that stands on its own is its placeholder."""
        for value, placeholder in self._placeholders.items():
            if value in text:
                whole = rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
                text = re.sub(whole, lambda _match, by=placeholder: by, text)  # type: ignore[misc]
        return text

    def request(self, request: Request) -> Request:
        """The request without known values in its target and its body."""
        target, body = self.hide(request.target), self.body(request.body, media_type(request.headers))
        return (
            request if (target, body) == (request.target, request.body) else replace(request, target=target, body=body)
        )

    def response(self, response: Response) -> Response:
        """The response without known values in its headers and its body."""
        if not self._placeholders:
            return response
        headers = tuple((name, self.hide(value)) for name, value in response.headers)
        return replace(response, headers=headers, body=self.body(response.body, media_type(response.headers)))

    def body(self, body: bytes, media: str) -> bytes:
        """A body of text without known values; they are ASCII, so its charset makes no difference."""
        if not body or not self._placeholders or not mediatypes.is_textual(media):
            return body
        text = body.decode("latin-1")
        found = self.hide(text)
        return body if found == text else found.encode("latin-1")


def is_telling(value: str) -> bool:
    """Whether a value is unlikely to be said by anything but the one who knows the secret."""
    if not _SPELLED.fullmatch(value) or is_secret_name(value) or len(set(value)) < _FEWEST_LETTERS:
        return False
    has_digits, has_letters = _DIGIT.search(value) is not None, _LETTER.search(value) is not None
    mixed = value not in (value.lower(), value.upper(), value.capitalize())
    return has_letters and (has_digits or mixed) and not _DATE.match(value)


LONGEST = 256
"""How many characters a telling value has at most."""

_MOST = 256
_FEWEST_LETTERS = 5
_SPELLED = re.compile(rf"[A-Za-z0-9!#$%&()*+,\-./:;=?@\[\]^_|~]{{8,{LONGEST}}}")
_IN_URLS = re.compile(r"[A-Za-z0-9_.~\-]+")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|v?[0-9]+(?:\.[0-9]+)+")
