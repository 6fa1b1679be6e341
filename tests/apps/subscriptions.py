"""The GraphQL client gql against a strawberry server: subscriptions on a WebSocket, queries and mutations on HTTP."""

# /// script
# dependencies = [
#   "gql[websockets,httpx]==4.4.0",
#   "strawberry-graphql==0.341.2",
#   "starlette==0.50.0",
#   "uvicorn==0.38.0",
# ]
# ///

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from tests.apps.support import finish, serving, three_ways

SQUARE = "query Square($of: Int!) { square(of: $of) }"
NOTES = "{ notes }"
NOTE = "mutation Note($text: String!) { note(text: $text) }"

EXPECTED = {
    "a subscription to its end": [1, 2, 3, 4, 5],
    "a query on the same connection": {"square": 49},
    "a second subscription": [1, 2],
    "a subscription that the client ends": [1, 2, 3],
    "a query after that": {"square": 64},
    "a mutation on the connection": {"note": "by socket"},
    "a wrong query": "Cannot query field 'cube' on type 'Query'.",
    "by HTTP, what was noted": {"notes": ["by socket"]},
    "a mutation by HTTP": {"note": "by HTTP"},
    "by HTTP, what was noted since": {"notes": ["by socket", "by HTTP"]},
    "in the older subprotocol": [1, 2, 3, 4],
}


def backend() -> AbstractContextManager[str]:
    return serving(sys.executable, "-m", "tests.apps.backends.numbers_api", "PORT")


async def values(session: Any, field: str, upto: int, count: int) -> list[int]:
    """The first so many values of a subscription, which is then given up."""
    wanted = gql(f"subscription Count($upto: Int!) {{ {field}(upto: $upto) }}")
    wanted.variable_values = {"upto": upto}
    seen: list[int] = []
    async for result in session.subscribe(wanted):
        seen.append(result[field])
        if len(seen) == count:
            break
    return seen


async def asked(session: Any, document: str, **variables: Any) -> Any:
    request = gql(document)
    request.variable_values = variables
    return await session.execute(request)


async def refusal(session: Any, document: str) -> str:
    """What the server says against a query."""
    try:
        await session.execute(gql(document))
    except TransportQueryError as error:
        return str(error.errors[0]["message"]) if error.errors else ""
    return "no error"


async def steps(origin: str) -> AsyncIterator[tuple[str, Any]]:
    socket = origin.replace("http://", "ws://") + "/graphql"
    newer = WebsocketsTransport(url=socket, subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL])
    async with Client(transport=newer) as session:
        yield "a subscription to its end", await values(session, "count", 5, count=9)
        yield "a query on the same connection", await asked(session, SQUARE, of=7)
        yield "a second subscription", await values(session, "count", 2, count=9)
        yield "a subscription that the client ends", await values(session, "countAndWait", 3, count=3)
        yield "a query after that", await asked(session, SQUARE, of=8)
        yield "a mutation on the connection", await asked(session, NOTE, text="by socket")
        yield "a wrong query", await refusal(session, "{ cube }")
    async with Client(transport=HTTPXAsyncTransport(url=f"{origin}/graphql")) as session:
        yield "by HTTP, what was noted", await asked(session, NOTES)
        yield "a mutation by HTTP", await asked(session, NOTE, text="by HTTP")
        yield "by HTTP, what was noted since", await asked(session, NOTES)
    older = WebsocketsTransport(url=socket, subprotocols=[WebsocketsTransport.APOLLO_SUBPROTOCOL])
    async with Client(transport=older) as session:
        yield "in the older subprotocol", await values(session, "count", 4, count=9)


def visit(origin: str) -> Iterator[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    async def all_steps() -> None:
        async for step in steps(origin):
            seen.append(step)  # noqa: PERF401 - one by one, so that what was seen before an error is kept

    try:
        asyncio.run(all_steps())
    finally:
        yield from seen


if __name__ == "__main__":
    three_ways(backend, visit, EXPECTED)
    finish()
