"""What was made of requests that come again is remembered, within bounds."""

import pytest

from replaymock.matching import request_memo
from replaymock.matching.request_memo import RequestMemo
from tests.support.factories import JSON, a_request


def memo_of(*targets: str) -> RequestMemo[str]:
    memo: RequestMemo[str] = RequestMemo(4, uses_headers=False)
    for target in targets:
        name = memo.key(a_request("GET", target))
        assert name is not None
        memo.put(name, target)
    return memo


def test_a_request_is_known_by_its_method_target_and_body_with_its_type() -> None:
    memo = memo_of("/a")
    same, other = memo.key(a_request("GET", "/a", (("X-Own", "1"),))), memo.key(a_request("HEAD", "/a"))
    assert same is not None and other is not None
    assert (memo.get(same), memo.get(other)) == ("/a", None)
    assert memo.key(a_request("POST", "/a", JSON, b"{}")) != memo.key(a_request("POST", "/a", (), b"{}"))


def test_what_is_large_or_depends_on_headers_is_not_remembered() -> None:
    assert memo_of().key(a_request("POST", "/a", JSON, b"12345")) is None
    assert RequestMemo[str](4, uses_headers=True).key(a_request("GET", "/a")) is None


@pytest.mark.parametrize("bound", ["MOST_REQUESTS", "MOST_BYTES"])
def test_past_its_bounds_it_begins_anew(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_memo, bound, 2 if bound == "MOST_REQUESTS" else 5)
    memo = memo_of("/a", "/b", "/c")
    names = [memo.key(a_request("GET", target)) for target in ("/a", "/b", "/c")]
    assert [memo.get(name) for name in names if name] == [None, None, "/c"]
