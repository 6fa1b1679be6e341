"""Fresh credentials of any shape: random texts made from its pattern."""

import base64
import json
import random
import re._constants as codes
import re._parser as parser
from typing import Any

from replaymock.redaction.credential_scanner import CredentialPattern

LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def made(shape: CredentialPattern, source: random.Random) -> str:
    """A credential of a shape, with what its pattern asks to stand around it."""
    if shape.name == "jwt":
        return token(source)
    if shape.name == "basic":
        return "Basic " + base64.b64encode(f"ann:{word(source)}".encode()).decode()
    if shape.name == "pem":
        return pem(source)
    return _text(list(parser.parse(shape.pattern)), source)


def token(source: random.Random, **claims: Any) -> str:
    """A JSON Web Token that nobody signed."""
    parts = (
        {"alg": "HS256"},
        {"sub": "1234", "sid": word(source), "iat": source.randrange(10**9, 2 * 10**9), **claims},
    )
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*encoded, word(source, 43)])


def pem(source: random.Random, kind: str = "PRIVATE KEY", lines: int = 3) -> str:
    """A PEM block of a key that opens nothing."""
    key = "\n".join(base64.b64encode(source.randbytes(48)).decode() for _ in range(lines))
    return f"-----BEGIN {kind}-----\n{key}\n-----END {kind}-----"


def word(source: random.Random, length: int = 20) -> str:
    """Letters and digits, some of each."""
    return "aZ3" + "".join(source.choices(LETTERS, k=length - 3))


def _text(nodes: list[Any], source: random.Random) -> str:
    return "".join(_one(code, argument, source) for code, argument in nodes)


def _one(code: Any, argument: Any, source: random.Random) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.IN:
        return source.choice(_choices(argument))
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, high, inner = argument
        times = low + 12 if high is codes.MAXREPEAT or high > low + 12 else high
        return "".join(_text(list(inner), source) for _ in range(times))
    if code is codes.SUBPATTERN:
        return _text(list(argument[3]), source)
    if code is codes.BRANCH:
        return _text(list(argument[1][0]), source)
    return ""  # what only asserts


def _choices(members: list[Any]) -> str:
    found = ""
    for code, argument in members:
        if code is codes.NEGATE:
            return LETTERS
        if code is codes.LITERAL:
            # A separator at the end of a credential is none: marks stand for themselves only where nothing else does.
            found += chr(argument) if chr(argument).isalnum() or len(members) == 1 else ""
        elif code is codes.RANGE:
            found += "".join(map(chr, range(argument[0], argument[1] + 1)))
        else:
            found += LETTERS
    return found or "".join(chr(argument) for code, argument in members if code is codes.LITERAL)
