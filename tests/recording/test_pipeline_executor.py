"""What is done in a line is done in order, what takes long beside."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from replaymock.recording.pipeline import SerialExecutor, Steps
from tests.support.executing import until


def steps(done: list[Any], name: str, *works: Callable[[], Any]) -> Steps:
    """One that has these pieces of work done, and says its name and what came of them."""
    found = [name]
    for work in works:
        found += [(yield work)]
    done.append(tuple(found))


def test_what_has_no_work_for_the_thread_is_done_at_once() -> None:
    done: list[Any] = []
    SerialExecutor().run(steps(done, "small"))
    assert done == [("small",)]


def test_who_comes_after_one_that_is_under_way_is_done_after_it() -> None:
    done: list[Any] = []
    go = threading.Event()

    async def run() -> None:
        executor = SerialExecutor()
        executor.run(steps(done, "large", lambda: go.wait(5), threading.current_thread))
        executor.run(steps(done, "small"))
        assert done == []
        go.set()
        await until(lambda: len(done) == 2)

    asyncio.run(run())
    assert [one[:2] for one in done] == [("large", True), ("small",)]
    assert done[0][2] is not threading.current_thread()


def test_one_that_fails_holds_up_nobody() -> None:
    done: list[Any] = []
    told: list[object] = []

    def broken() -> Steps:
        yield from ()
        raise KeyError

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        executor = SerialExecutor()
        for one in (steps(done, "large", lambda: 1 / 0), steps(done, "a"), steps(done, "b")):
            executor.run(one)
        await until(lambda: len(done) == 2)
        with pytest.raises(KeyError):
            executor.run(broken())
        executor.run(steps(done, "c"))

    asyncio.run(run())
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert done == [("a",), ("b",), ("c",)]


def test_at_the_end_everything_is_done() -> None:
    done: list[Any] = []

    async def run() -> None:
        executor = SerialExecutor()
        for name in "abc":
            executor.run(steps(done, name, lambda: 1, lambda: 2))
        executor.settle()
        assert done == [("a", 1, 2), ("b", 1, 2), ("c", 1, 2)]
        await asyncio.sleep(0)

    asyncio.run(run())
    assert len(done) == 3
