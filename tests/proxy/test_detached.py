"""Exchanges that outlive their clients."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from replaymock.http.messages import ResponseHead
from replaymock.http.rendered import RenderedResponse
from replaymock.proxy.detached import Detachable, Lingering
from tests.support.clients import Callers

HEAD = ResponseHead(206, "Partial Content", ())


class Gone(Callers):
    """A client that has gone: as on a closed connection, writing ends what writes."""

    async def write(self, data: bytes) -> None:
        raise asyncio.CancelledError


async def outlived(work: Callable[[Detachable], Awaitable[None]], out: Callers) -> None:
    """Starts an exchange, and has its client leave."""
    lingering = Lingering()
    running = asyncio.ensure_future(lingering.run(out, work))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await lingering.drain(5)


def test_an_exchange_goes_on_without_its_client_and_sends_nothing_more() -> None:
    out, done = Callers(), []

    async def work(client: Detachable) -> None:
        client.begin(HEAD, 4)
        await client.write(b"ab")
        await asyncio.sleep(0.05)
        await client.write(b"cd")
        client.finish()
        client.abort()
        client.answer(RenderedResponse(200, b""))
        client.send_whole(HEAD, 0, b"")
        client.begin(HEAD, 0)
        done.append(client.over)

    asyncio.run(outlived(work, out))
    assert (out.log, out.body, done) == (["begin"], b"ab", [True])


def test_an_answer_ends_once() -> None:
    async def run() -> list[str]:
        out = Callers()
        client = Detachable(out)
        client.send_whole(HEAD, 2, b"ab")
        client.finish()
        client.finish()
        client.abort()
        return out.log

    assert asyncio.run(run()) == ["begin", "finish"]


def test_a_client_that_is_gone_while_it_is_written_to_ends_nothing_but_its_answer() -> None:
    async def run() -> bool:
        client = Detachable(Gone())
        await client.write(b"a")
        await client.write(b"b")
        return client.over

    assert asyncio.run(run())


def test_what_is_cancelled_while_it_writes_is_cancelled() -> None:
    async def run() -> bool:
        out = Callers()
        never = asyncio.get_running_loop().create_future()
        out.write = lambda _data: never  # type: ignore[assignment,return-value,method-assign]
        client = Detachable(out)
        task = asyncio.ensure_future(client.write(b"a"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled() and not client.over

    assert asyncio.run(run())


@pytest.mark.parametrize("ends", ["finish", "abort", "leave"])
def test_what_goes_on_is_bounded_from_when_the_client_needs_it_no_more(ends: str) -> None:
    async def run() -> None:
        client = Detachable(Callers())
        client.seconds = 0.05
        async with client.waiting():
            await asyncio.sleep(0.1)
            getattr(client, ends)()
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        asyncio.run(run())


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_needs_its_client_ends_with_it(is_gone: bool) -> None:
    async def run() -> None:
        client = Detachable(Callers())
        async with client.waiting():
            if is_gone:
                client.leave()
                client.need()
            else:
                client.need()
                client.leave()
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_what_is_over_is_bounded_no_more() -> None:
    async def run() -> None:
        client = Detachable(Callers())
        async with client.waiting():
            pass
        client.leave()

    asyncio.run(run())


def test_at_the_end_it_is_waited_for_what_goes_on_and_then_it_is_given_up() -> None:
    async def run(seconds: float, hurry: asyncio.Event | None) -> list[str]:
        lingering, said = Lingering(), []

        async def work(_client: Detachable) -> None:
            try:
                await asyncio.sleep(0.1)
                said.append("done")
            except asyncio.CancelledError:
                said.append("given up")
                raise

        running = asyncio.ensure_future(lingering.run(Callers(), work))
        await asyncio.sleep(0.01)
        await lingering.drain(seconds, hurry)
        await asyncio.gather(running, return_exceptions=True)
        return said

    async def hurried() -> list[str]:
        hurry = asyncio.Event()
        hurry.set()
        return await run(5, hurry)

    assert asyncio.run(run(5, None)) == ["done"]
    assert asyncio.run(run(0.02, None)) == ["given up"]
    assert asyncio.run(hurried()) == ["given up"]


def test_a_fault_reaches_who_waits_for_the_exchange() -> None:
    async def work(_client: Detachable) -> None:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        asyncio.run(Lingering().run(Callers(), work))
