"""Redacts requests and responses, before they are stored and before they are matched.

Recording (placeholders from a `PlaceholderAllocator`) and matching (`anonymous`) use the same functions, so that a
stored request still matches. `secret_names` and `credential_patterns` have the tables; `text` searches texts.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from msgspec import Struct

from replaymock.http import bodies, challenges, content_coding, jwt, media_types
from replaymock.http.headers import Headers, get, media_type, without
from replaymock.http.messages import Request, Response
from replaymock.http.selectors import Selector
from replaymock.http.uri import encode_segment, readable
from replaymock.placeholders import REDACTED
from replaymock.redaction import code, loose_text
from replaymock.redaction.credential_patterns import PERSONAL_DATA
from replaymock.redaction.gitleaks.rules import GitleaksRule
from replaymock.redaction.known_secrets import is_distinctive
from replaymock.redaction.placeholders import (
    ANONYMOUS,
    PlaceholderFactory,
    anonymous,
    opaque_jwts,
)
from replaymock.redaction.secret_names import is_secret_cookie, is_secret_name, is_setting_cookie
from replaymock.redaction.text import TextRedactor
from replaymock.redaction.wording import is_translation_path

KINDS = ("header", "cookie", "query", "form", "json", "value")


def normalize_placeholders(text: str) -> str:
    """Replaces every placeholder by the anonymous one."""
    text = jwt.replace_hidden(text, ANONYMOUS)
    return REDACTED.sub(ANONYMOUS, text) if "{{redacted" in text else text


def shorten_target(redacted_target: str) -> str:
    """Shortens a redacted request target for logs and pages."""
    return redacted_target if len(redacted_target) <= _SHOWN else redacted_target[: _SHOWN - 1] + "…"


def decode_request(request: Request) -> Request:
    """Decodes the body of a request. Returned unchanged if its coding is unknown or broken, or decodes to too much."""
    names = content_coding.parse(get(request.headers, "content-encoding")) if request.body else []
    if not names or not content_coding.is_supported(names):
        return request
    try:
        body = content_coding.decode(request.body, names, _MOST_DECODED)
    except content_coding.CodingError:
        return request
    return replace(request, headers=without(request.headers, ("content-encoding",)), body=body)


class RedactionRules(Struct, frozen=True):
    """A team's own rules.

    `add` and `rules` are added to the tables; `keep` are exempt from them. `kinds` are the kinds of personal data to
    hide.
    """

    add: tuple[Selector, ...] = ()
    keep: tuple[Selector, ...] = ()
    kinds: tuple[str, ...] = ()
    rules: tuple[GitleaksRule, ...] = ()


class Redactor:
    """Applies the tables and a team's rules to messages."""

    def __init__(self, rules: RedactionRules | None = None) -> None:
        rules = rules or RedactionRules()
        self._texts = TextRedactor(
            _by_kind(rules.add),
            _by_kind(rules.keep),
            [PERSONAL_DATA[kind] for kind in dict.fromkeys(rules.kinds)],
            rules.rules,
        )
        self._has_no_secret_cached = lru_cache(_HEADERS_REMEMBERED)(self._has_no_secret)

    def request(self, request: Request, label: PlaceholderFactory) -> Request:
        """The request with its body decoded and its secrets replaced."""
        request = decode_request(request)
        label = opaque_jwts(label)
        path, question, query = request.target.partition("?")
        return Request(
            request.method,
            self._texts.path(path, label) + question + self._texts.urlencoded(query, "query", label),
            self.headers(request.headers, label),
            self._body(request.headers, request.body, label),
        )

    def response(self, response: Response, label: PlaceholderFactory, path: str = "") -> Response:
        """The response with its secrets replaced. Its body must be decoded. `path` is that of the request."""
        return replace(
            response,
            reason=normalize_placeholders(self._texts.free_text(normalize_placeholders(response.reason), label)),
            headers=self.headers(response.headers, label),
            body=self._body(response.headers, response.body, label, path),
        )

    def message(self, data: bytes, label: PlaceholderFactory, *, is_text: bool) -> bytes:
        """A WebSocket message with its secrets replaced. Binary messages are searched only if they are text as well."""
        is_json = is_text and data.lstrip()[:1] in (b"{", b"[")
        textual = "application/json" if is_json else "text/plain"
        return self._body((("content-type", textual if is_text else "application/octet-stream"),), data, label)

    def headers(self, headers: Headers, label: PlaceholderFactory) -> Headers:
        """The headers with secret values, cookies and parameters replaced."""
        return tuple(
            pair if self._is_clean(*pair) else (pair[0], self._header(pair[0].lower(), pair[1], label))
            for pair in headers
        )

    def shown(self, target: str) -> str:
        """A request target for logs and pages. `WITHHELD` if searching it for secrets fails."""
        try:
            return shorten_target(self.request(Request("GET", target), anonymous).target)
        except Exception:
            return WITHHELD

    def text(self, text: str, label: PlaceholderFactory) -> str:
        """Replaces the credentials in any text, as recognised by their shape."""
        return self._texts.shapes(text, label)

    def _is_clean(self, name: str, value: str) -> bool:
        """Whether a header contains no secret. The answer is remembered: most messages have the same headers."""
        looks = self._has_no_secret_cached if len(value) <= _LONGEST_REMEMBERED else self._has_no_secret
        return looks(name, value)

    def _has_no_secret(self, name: str, value: str) -> bool:
        return self._header(name.lower(), value, anonymous) == value

    def _header(self, name: str, value: str, label: PlaceholderFactory) -> str:
        if name == "cookie":
            return _COOKIE.sub(lambda match: self._cookie(match.group(), label), value)
        if name == "set-cookie":
            return self._set_cookie(value, label)
        if self._texts.is_secret("header", name, is_secret_name):
            scheme, space, credentials = value.partition(" ")
            if space and "authorization" in name:
                return scheme + space + self._texts.hide(credentials, name, label)
            return self._texts.hide(value, name, label)
        if name == "www-authenticate":
            value = challenges.without_tokens(value, lambda token: self._texts.hide(token, name, label))
        redacted = _HEADER_PARAMETER.sub(lambda match: self._header_parameter(match, name, label), value)
        return self._texts.beside(name, self._texts.value(redacted, label), label)

    def _header_parameter(self, match: re.Match[str], header: str, label: PlaceholderFactory) -> str:
        before, name, between, value = match.groups()
        is_of_digest = header.endswith("-authenticate") and name in ("nonce", "opaque")
        if not (is_of_digest or is_secret_name(name)):
            return match.group()
        return before + name + between + self._texts.hide(value, name, label)

    def _set_cookie(self, value: str, label: PlaceholderFactory) -> str:
        pair = _COOKIE.match(value)
        end = pair.end() if pair else 0
        content, attributes = value[:end].partition("=")[2], value[end:]
        if _is_deletion(content, attributes):
            hidden = value[:end]
        else:
            hidden = self._cookie(value[:end], label, is_for_server="httponly" in attributes.lower())
        return hidden + self._texts.free_text(attributes, label)

    def _cookie(self, pair: str, label: PlaceholderFactory, *, is_for_server: bool = False) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            return self._texts.value(pair, label)
        is_opaque = is_for_server and not is_setting_cookie(value)
        if self._texts.is_secret("cookie", name.strip(), lambda name: is_opaque or is_secret_cookie(name)):
            quote = '"' if len(value) > 1 and value[0] == value[-1] == '"' else ""
            inner = value[len(quote) : len(value) - len(quote)]
            return f"{name}={quote}{self._texts.hide(inner, name.strip(), label)}{quote}"
        decoded = readable(value) if "%" in value else value
        hidden = self._texts.beside(name.strip(), self._texts.value(decoded, label), label)
        if hidden == decoded:
            return pair
        # An escape in the placeholder would be decoded the next time, though the original value had none.
        return name + equals + (hidden if decoded == value and "%" not in hidden else encode_segment(hidden))

    def _body(self, headers: Headers, body: bytes, label: PlaceholderFactory, path: str = "") -> bytes:
        if not body:
            return body
        content_type = get(headers, "content-type")
        media = media_type(headers)
        if media in _OFTEN_WRONG and b"\0" in body[:_BEGINNING]:
            return body
        if media == media_types.FORM_TYPE and body.lstrip()[:1] not in (b"{", b"["):
            return self._texts.urlencoded(body.decode("latin-1"), "form", label).encode("latin-1")
        if media.startswith("multipart/"):
            redacted = self._multipart(content_type, body, label)
            if redacted is not None:
                return redacted
        if not media_types.is_text(media, body):
            return body
        codec, text = _read(media_types.charset(content_type), body)
        if codec.startswith("utf-16"):
            # Ordinals can be removed from placeholders later only if these are ASCII.
            number = label
            label = lambda name, value: normalize_placeholders(number(name, value))  # noqa: E731 - a def shadows just the same
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        redacted_text = mark + self._text(text[len(mark) :], media, path, body, label)
        return body if redacted_text == text else redacted_text.encode(codec, "replace")

    def _text(self, text: str, media: str, path: str, body: bytes, label: PlaceholderFactory) -> str:
        """Searches the text of a body according to its type."""
        if code.is_code(media, path, body):
            return self._texts.source(text, label, is_of_texts=is_translation_path(path))
        if media_types.is_json(media):
            return self._texts.json(text, label, is_of_texts=is_translation_path(path))
        if media == "text/event-stream":
            return self._texts.events(text, label)
        if media in media_types.TABLES:
            text = loose_text.redact_table(
                text,
                lambda name: self._texts.is_secret("json", name, is_secret_name),
                lambda name, value: self._texts.hide(value, name, label),
            )
        return self._texts.value(text, label)

    def _multipart(self, content_type: str, body: bytes, label: PlaceholderFactory) -> bytes | None:
        """Redacts the parts of a multipart body one by one, and keeps what is around them; None if it has no parts."""
        before, core, after = bodies.multipart_core(content_type, body)
        parsed = bodies.encode(content_type, core)
        if not isinstance(parsed, bodies.Multipart):
            return None
        parts = tuple(self._part(part, label) for part in parsed.parts)
        redacted = bodies.decode(bodies.Multipart(parts), content_type)
        return before + redacted.removesuffix(b"\r\n") + after

    def _part(self, part: bodies.Part, label: PlaceholderFactory) -> bodies.Part:
        if isinstance(part.body, bodies.Digest):
            return part
        content = bodies.decode(part.body, part.content_type or "text/plain")
        name, is_file = part.name, part.filename is not None
        # The name and file name of a part are in the key of a request, so their placeholders have no ordinals.
        hidden_heads = ((key, normalize_placeholders(self._texts.shapes(value, label))) for key, value in part.headers)
        part = replace(part, headers=tuple(hidden_heads))
        if not is_file and self._texts.is_secret("form", name, is_secret_name):
            value = content.decode(media_types.charset(part.content_type), "replace")
            hidden = self._texts.hide(value, name, label)
            return part if hidden == value else replace(part, body=bodies.Text(hidden))
        if isinstance(part.body, bodies.Binary):
            return part
        if not is_file:
            charset = media_types.charset(part.content_type)
            value = content.decode(charset, "replace")
            redacted_value = self._texts.beside(name, value, label)
            content = content if redacted_value == value else redacted_value.encode(charset, "replace")
        media = part.content_type or "text/plain"
        redacted = self._body((("content-type", media),), content, label, part.filename or "")
        changed = bodies.encode(media, redacted)
        return replace(part, body=changed if isinstance(changed, (bodies.Json, bodies.Text)) else part.body)


def _is_deletion(value: str, attributes: str) -> bool:
    """Whether a cookie is being deleted, so that its value does not belong to a session."""
    value = value.strip('"')
    return value.lower() in _DELETED or (not is_distinctive(value) and _EXPIRED.search(attributes.lower()) is not None)


def _by_kind(selectors: Iterable[Selector]) -> dict[str, list[Selector]]:
    grouped: dict[str, list[Selector]] = {kind: [] for kind in KINDS}
    for selector in selectors:
        grouped[selector.kind].append(selector)
    return grouped


def _read(charset: str, body: bytes) -> tuple[str, str]:
    """The text of a body, and a codec that restores the same bytes. A byte order mark is part of the text.

    A body that does not fit its charset is read as latin-1.
    """
    if charset in ("utf-16", "utf-16-le", "utf-16-be"):
        marked = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(body[:2])
        charset = marked or ("utf-16-be" if charset == "utf-16-be" else "utf-16-le")
    elif charset == "utf-8-sig":
        charset = "utf-8"
    try:
        return charset, body.decode(charset)
    except UnicodeError:
        return "latin-1", body.decode("latin-1")


WITHHELD = "/…"
_SHOWN = 300
_MOST_DECODED = 64 * 1024 * 1024
_HEADERS_REMEMBERED = 1024
_LONGEST_REMEMBERED = 256
# What clients send without knowing the type: none, or what `curl --data-binary` claims. With a NUL at its beginning
# such a body is binary, and searching megabytes of it would block everything.
_OFTEN_WRONG = ("", media_types.FORM_TYPE)
_BEGINNING = 4096
_COOKIE = re.compile(r'[^=;"\s][^=;"]*+="[^"]*+"(?=\s*(?:;|\Z))|[^;\s][^;]*+')
_DELETED = frozenset(("", "deleted", "delete", "null", "undefined"))
# A server deletes a cookie by a date in the past (RFC 6265 section 3.1), mostly the beginning of an epoch.
_EXPIRED = re.compile(r"max-age=[\"\s]*(?:0+(?![0-9])|-)|expires=[^;]*(?:\b(?:19[0-9]|20[01])[0-9]\b|-7[0-9]\b)")
# Up to the next parameter of a header or a URL.
_HEADER_PARAMETER = re.compile(
    r"""([;,]\s*|^|\s)([A-Za-z0-9_.\-]{2,64})(="?)([^;,"\s(&](?:[^;,"\s&]|&(?![A-Za-z0-9_.\-]{1,64}=))*+)"""
)


def redact_url(url: str) -> str:
    """A URL for messages. It may contain a password."""
    return Redactor().headers((("location", url),), anonymous)[0][1]
