"""What is in flight at the end of a run is waited for."""

import asyncio

import pytest

from replaymock.draining import wait_while


@pytest.mark.parametrize(
    ("busy", "seconds", "hurried", "least", "most"),
    [(0.0, 5.0, False, 0.0, 0.5), (0.1, 5.0, False, 0.1, 1.0), (9.0, 0.1, False, 0.1, 1.0), (9.0, 5.0, True, 0.0, 0.5)],
)
def test_what_is_in_flight_is_waited_for_until_time_is_up_or_somebody_is_in_a_hurry(
    busy: float, seconds: float, hurried: bool, least: float, most: float
) -> None:
    async def story() -> float:
        now = asyncio.get_running_loop().time
        began, hurry = now(), asyncio.Event()
        if hurried:
            hurry.set()
        await wait_while(lambda: now() - began < busy, seconds, hurry)
        return now() - began

    assert least <= asyncio.run(story()) < most
