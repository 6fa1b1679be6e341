"""A GraphQL API by strawberry, and its GraphiQL page: `python -m tests.apps.backends.numbers_api PORT [NODE_MODULES]`.

The page names its scripts at a network of delivery; here they come from a folder, and still have to fit their digests.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

NOTES: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def notes(self) -> list[str]:
        return NOTES

    @strawberry.field
    def square(self, of: int) -> int:
        return of * of


@strawberry.type
class Mutation:
    @strawberry.mutation
    def note(self, text: str) -> str:
        NOTES.append(text)
        return text


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, upto: int) -> AsyncIterator[int]:
        for number in range(1, upto + 1):
            yield number

    @strawberry.subscription
    async def count_and_wait(self, upto: int) -> AsyncIterator[int]:
        """Does not end by itself."""
        for number in range(1, upto + 1):
            yield number
        await asyncio.Event().wait()


class Api(GraphQL):  # type: ignore[type-arg]
    @property
    def graphql_ide_html(self) -> str:
        return super().graphql_ide_html.replace("https://unpkg.com/", "/npm/")


def package(request: Request) -> FileResponse:
    """A file of a package, whatever version is asked for: what does not fit is refused by the browser."""
    path = re.sub(r"(?<=.)@[0-9.]+", "", request.path_params["path"])
    return FileResponse(Path(sys.argv[2]) / path)


def main() -> None:
    api = Api(strawberry.Schema(Query, Mutation, Subscription))
    routes = [Route("/npm/{path:path}", package), Route("/graphql", api), WebSocketRoute("/graphql", api)]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
