"""What only a recorder needs."""

import asyncio

from replaymock.config.settings import Settings
from replaymock.proxy.routes import parse_upstream
from replaymock.wiring import build_record_stack, build_replay_stack


def test_an_added_credential_is_never_stored_with_or_without_its_scheme() -> None:
    async def made() -> tuple[str, ...]:
        settings = Settings(
            upstreams=(parse_upstream("http://backend"),),
            mode="all",
            headers=(
                ("Authorization", "Bearer of-the-team"),
                ("X-Short", "yes"),
                ("X-Other", "Basic YW5uOnRyMHViNGRvcg=="),
            ),
        )
        replay = build_replay_stack(settings, lambda _event: None, wants_requests=False)
        stack = build_record_stack(settings, replay)
        await stack.upstreams.aclose()
        return stack.recorder.builder.policy.never_stored

    assert asyncio.run(made()) == (
        "Bearer of-the-team",
        "of-the-team",
        "Basic YW5uOnRyMHViNGRvcg==",
        "YW5uOnRyMHViNGRvcg==",
        "tr0ub4dor",
    )
