"""What the fuzzer looks at for a minute, looked at for a moment in every run of the tests."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds


@pytest.mark.parametrize("name", TARGETS)
def test_what_must_hold_of_any_bytes_holds_of_the_corpora(name: str) -> None:
    for seed in seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_what_must_hold_of_any_bytes_holds_of_some(name: str) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(list(seeds(name))), st.data())
    def holds(seed: bytes, data: st.DataObject) -> None:
        at, end = sorted((data.draw(st.integers(0, len(seed))), data.draw(st.integers(0, len(seed)))))
        TARGETS[name](seed[:at] + data.draw(st.binary(max_size=12)) + seed[end:])

    holds()
