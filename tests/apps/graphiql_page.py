"""GraphiQL as strawberry serves it, in Chromium: its scripts fit their digests, and it asks and subscribes."""

# /// script
# dependencies = ["strawberry-graphql==0.341.2", "starlette==0.50.0", "uvicorn[standard]==0.38.0", "playwright==1.65.2"]
#
# [tool.npm]
# react = "18.2.0"
# react-dom = "18.2.0"
# js-cookie = "3.0.5"
# graphiql = "3.8.3"
# "@graphiql/plugin-explorer" = "1.0.2"
# ///

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.apps.support import browsing, finish, serving, three_ways, while_recording

MODULES = Path(sys.prefix) / "node_modules"
EXPECTED = {
    "the page is there": "Strawberry GraphiQL",
    "a query": {"data": {"square": 49}},
    "the documentation, from the schema": ["query", "mutation", "subscription"],
    "errors in the console": [],
}
# The page makes up an id for it, which the answers repeat.
SUBSCRIBED = {"a subscription": {"data": {"count": 5}}, "errors in the console": []}


def backend() -> AbstractContextManager[str]:
    return serving(sys.executable, "-m", "tests.apps.backends.numbers_api", "PORT", MODULES)


def run(page: Any, query: str, last: str) -> Any:
    """What stands in the pane of results once it holds `last`."""
    page.locator(".graphiql-query-editor .CodeMirror").evaluate("(at, query) => at.CodeMirror.setValue(query)", query)
    # The editor tells the page what was typed after a pause; until then it would run what was there before.
    page.wait_for_function("query => (localStorage['graphiql:tabState'] || '').includes(query)", arg=query)
    page.click("button.graphiql-execute-button")
    page.locator(".result-window .CodeMirror-line", has_text=last).wait_for()
    return json.loads(page.locator(".result-window .CodeMirror").evaluate("at => at.CodeMirror.getValue()"))


def visit(origin: str) -> Iterator[tuple[str, Any]]:
    with browsing() as (page, errors):
        page.goto(f"{origin}/graphql")
        yield "the page is there", page.title()
        yield "a query", run(page, "{ square(of: 7) }", "square")
        page.click("[aria-label='Show Documentation Explorer']")
        kinds = page.locator(".graphiql-doc-explorer-root-type")
        kinds.first.wait_for()
        yield "the documentation, from the schema", [kind.strip() for kind in kinds.all_inner_texts()]
        yield "errors in the console", errors


def subscribe(origin: str) -> Iterator[tuple[str, Any]]:
    with browsing() as (page, errors):
        page.goto(f"{origin}/graphql")
        yield "a subscription", run(page, "subscription { count(upto: 5) }", "5")
        yield "errors in the console", errors


if __name__ == "__main__":
    three_ways(backend, visit, EXPECTED)
    while_recording(backend, subscribe, SUBSCRIBED)
    finish()
