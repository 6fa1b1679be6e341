"""What only a recorder needs."""

import asyncio

from replaymock.config.settings import Settings
from replaymock.http.cors import CorsPolicy
from replaymock.matching.matcher import Matcher
from replaymock.proxy.routes import parse_upstream
from replaymock.wiring import build_record_stack
from tests.support.stored import HeldCassettes


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
        stack = build_record_stack(
            settings,
            Matcher(),
            CorsPolicy(),
            HeldCassettes(),
            lambda _event: None,
            lambda _served: None,
        )
        await stack.upstreams.aclose()
        return stack.recorder.builder.policy.never_stored

    assert asyncio.run(made()) == (
        "Bearer of-the-team",
        "of-the-team",
        "Basic YW5uOnRyMHViNGRvcg==",
        "YW5uOnRyMHViNGRvcg==",
        "tr0ub4dor",
    )
