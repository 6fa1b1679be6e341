"""The opening handshake: what is refused, and what is agreed on."""

import pytest

from replaymock.errors import RequestRefused
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.http.websocket_handshake import (
    OFFER,
    DeflateParameters,
    accept,
    client_headers,
    format_extension,
    negotiate_deflate,
    parse_accepted_extension,
    protocols,
    switching_head,
    validate_handshake,
)
from tests.support.handshakes import KEY, opening


def extensions(value: str) -> Headers:
    return (("Sec-WebSocket-Extensions", value),)


def test_a_good_request_is_taken() -> None:
    validate_handshake(opening(), "HTTP/1.1")


@pytest.mark.parametrize(
    ("request_", "version", "status"),
    [
        (opening("POST"), "HTTP/1.1", 400),
        (opening(), "HTTP/1.0", 400),
        (opening(Connection="keep-alive"), "HTTP/1.1", 400),
        (opening(Content_Length="3"), "HTTP/1.1", 400),
        (opening(Transfer_Encoding="chunked"), "HTTP/1.1", 400),
        (opening(Sec_WebSocket_Version="8"), "HTTP/1.1", 426),
        (opening(Sec_WebSocket_Version=""), "HTTP/1.1", 426),
        (opening(Sec_WebSocket_Version="13, 8"), "HTTP/1.1", 426),
        (opening(Sec_WebSocket_Key=""), "HTTP/1.1", 400),
        (opening(Sec_WebSocket_Key="c2hvcnQ="), "HTTP/1.1", 400),
        (opening(Sec_WebSocket_Key=KEY[:-2]), "HTTP/1.1", 400),
        (opening(Sec_WebSocket_Key=f"{KEY[:-3]}!=="), "HTTP/1.1", 400),
        (opening(Sec_WebSocket_Protocol="a, b c"), "HTTP/1.1", 400),
    ],
)
def test_a_request_that_is_not_as_the_standard_wants_it_is_refused(
    request_: Request, version: str, status: int
) -> None:
    with pytest.raises(RequestRefused) as refused:
        validate_handshake(request_, version)
    assert refused.value.status == status


def test_the_key_is_answered_as_in_the_example_of_the_standard() -> None:
    assert accept(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ("", None),
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"),
        ('permessage-deflate; server_max_window_bits="12"', "permessage-deflate; server_max_window_bits=12"),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=abc", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; unknown", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
        ("x-webkit-deflate-frame", None),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"),
    ],
)
def test_the_first_offer_of_compression_that_can_be_kept_is_agreed_to(offer: str, expected: str | None) -> None:
    parameters = negotiate_deflate(extensions(offer))
    assert (format_extension(parameters) if parameters else None) == expected


def test_a_server_that_chooses_what_was_not_offered_is_not_believed() -> None:
    assert parse_accepted_extension(()) is None
    assert parse_accepted_extension(extensions("permessage-deflate; client_max_window_bits=12")) == DeflateParameters(
        client_max_window_bits=12
    )
    with pytest.raises(ValueError, match="not offered"):
        parse_accepted_extension(extensions("permessage-bzip"))


def test_the_head_of_the_answer_says_what_was_agreed_on() -> None:
    head = switching_head(opening(), "chat", DeflateParameters(), (("X-Own", "1"),)).decode()
    assert head.startswith("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    assert "\r\nSec-WebSocket-Protocol: chat\r\n" in head
    assert "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n" in head
    assert head.endswith("\r\nX-Own: 1\r\n\r\n")


def test_the_request_upstream_offers_compression_only_when_told() -> None:
    given = (("Host", "backend"),)
    offered = dict(client_headers(given, KEY, ["a", "b"], compress=True))
    assert offered["Sec-WebSocket-Extensions"] == OFFER
    assert offered["Sec-WebSocket-Protocol"] == "a, b"
    assert not {"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} & set(
        dict(client_headers(given, KEY, [], compress=False))
    )


def test_offered_subprotocols_keep_their_case() -> None:
    headers = (("Sec-WebSocket-Protocol", "graphql-transport-ws, V2.Chat"), ("sec-websocket-protocol", "x"))
    assert protocols(headers) == ["graphql-transport-ws", "V2.Chat", "x"]
