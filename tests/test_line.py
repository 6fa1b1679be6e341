"""Exchanges are taken in order, the large ones made ready beside."""

import asyncio
import threading
from collections.abc import Callable

from replaymock.line import Line


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.001)


def test_what_is_small_is_taken_at_once() -> None:
    taken: list[str] = []
    Line[str]().join(lambda: None, lambda ready: taken.append(f"small {ready}"))
    assert taken == ["small None"]


def test_who_comes_after_one_that_is_made_ready_is_taken_after_it() -> None:
    taken: list[str] = []
    go = threading.Event()

    async def run() -> None:
        line = Line[str]()
        line.join(lambda: lambda: str(go.wait(5)), lambda ready: taken.append(ready.result() if ready else "?"))
        line.join(lambda: None, lambda _: taken.append("small"))
        assert taken == []
        go.set()
        await until(lambda: len(taken) == 2)

    asyncio.run(run())
    assert taken == ["True", "small"]


def test_one_that_cannot_be_taken_holds_up_nobody() -> None:
    taken: list[str] = []
    told: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        line = Line[float]()
        line.join(lambda: lambda: 1 / 0, lambda ready: taken.append(str(ready and ready.result())))
        line.join(lambda: None, lambda _: taken.append("small"))
        await until(lambda: taken == ["small"])

    asyncio.run(run())
    assert [type(error) for error in told] == [ZeroDivisionError]


def test_at_the_end_everything_is_taken() -> None:
    taken: list[str] = []

    async def run() -> None:
        line = Line[str]()
        for name in "abc":
            line.join(lambda: lambda: "ready", lambda ready, name=name: taken.append(name))  # type: ignore[misc]
        line.settle()
        assert taken == ["a", "b", "c"]
        await asyncio.sleep(0)

    asyncio.run(run())
    assert taken == ["a", "b", "c"]
