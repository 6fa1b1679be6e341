"""JSON Web Tokens made for a test."""

import base64

HEADER = '{"alg":"HS256","typ":"JWT"}'


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def a_token(claims: str, header: str = HEADER, signature: str = "c2ln-_") -> str:
    return f"{encoded(header)}.{encoded(claims)}.{signature}"


def claims_of(token: str) -> str:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
