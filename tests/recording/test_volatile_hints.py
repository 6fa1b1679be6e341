"""What alone changed, and the rule under which it counts for nothing."""

import pytest

from replaymock.http.selectors import parse_selector
from replaymock.matching.rules import VOLATILE_KINDS
from replaymock.recording.volatile_hints import MOST_BYTES, MOST_FILES, VolatileHint, VolatileHints, volatile_selectors
from replaymock.redaction.known_secrets import KnownSecrets
from tests.support.factories import JSON, recorded

CLOCK = recorded(b'{"at":1,"n":{"it\'s":2}}', headers=(*JSON, ("etag", "1")))


@pytest.mark.parametrize(
    ("body", "etag", "told"),
    [
        (b'{"at":2,"n":{"it\'s":2}}', "1", ("json:$.at",)),
        (b'{"at":2,"n":{"it\'s":2}}', "2", ("header:etag", "json:$.at")),
        (b'{"at":2,"n":{"it\'s":3}}', "1", ("json:$.at", "json:$.n['it\\'s']")),
        (b'{"n":{"it\'s":2}}', "1", ("json:$.at",)),
        (b'{"at":{},"n":{"it\'s":2}}', "1", ()),
        (b'{"at":1,"n":[]}', "1", ()),
        (b'{"at": 1, "n": {"it\'s": 2}}', "1", ()),
        (b'{"at": 2, "n": {"it\'s": 2}}', "1", ()),
        (b'{"at":1,"n":{"it\'s":2},"a":1,"b":1,"c":1,"d":1,"e":1}', "1", ()),
        (b"[]", "1", ()),
        (b"broken", "1", ()),
    ],
)
def test_a_few_values_are_told_if_nothing_else_changed(body: bytes, etag: str, told: tuple[str, ...]) -> None:
    assert volatile_selectors(CLOCK, recorded(body, headers=(*JSON, ("etag", etag)))) == told


def test_what_is_volatile_already_and_what_moves_anyway_is_not_told_again() -> None:
    dates = [("last-modified", f"Sun, 0{day} Nov 2026 10:00:00 GMT") for day in (1, 2)]
    one, other = (recorded(b'{"at":%d,"n":%d}' % (n, n), headers=(*JSON, date)) for n, date in enumerate(dates))
    assert volatile_selectors(one, other, [parse_selector("json:$.at", VOLATILE_KINDS, "here")]) == ("json:$.n",)


def test_elements_are_told_together_and_another_status_or_text_never() -> None:
    one, other = recorded(b'[{"v":1},{"v":1}]'), recorded(b'[{"v":2},{"v":3}]')
    assert volatile_selectors(one, other) == ("json:$[*].v",)
    assert volatile_selectors(one, recorded(b'[{"v":2},{"v":3}]', status=201)) == ()
    assert volatile_selectors(recorded(b"a", headers=()), recorded(b"b", headers=())) == ()


def test_cassettes_that_changed_alike_are_told_together_the_most_first() -> None:
    proposals = VolatileHints()
    for file, name in (("a", "x"), ("b", "y"), ("c", "y"), ("b", "x")):
        one, other = (recorded(b'{"%s":%d}' % (name.encode(), number)) for number in (1, 2))
        proposals.changed(file, one, other, ())
    assert proposals.all(str) == [VolatileHint(("json:$.y",), ("b", "c")), VolatileHint(("json:$.x",), ("a",))]


def test_no_more_is_put_by_than_there_is_room_for() -> None:
    many, large = VolatileHints(), VolatileHints()
    one, other = recorded(b'{"at":1}'), recorded(b'{"at":2}')
    for number in range(MOST_FILES + 1):
        many.changed(f"{number}", one, other, ())
    assert len(many.all(str)[0].files) == MOST_FILES
    large.changed("large", recorded(b" " * MOST_BYTES), other, ())
    large.changed("small", one, other, ())
    assert large.all(str) == [VolatileHint(("json:$.at",), ("small",))]


def test_nothing_is_told_that_names_what_became_known_to_be_secret() -> None:
    proposals = VolatileHints()
    for name in ("Zx81kLmn22pQ", "at"):
        one, other = (recorded(b'{"%s":%d}' % (name.encode(), number)) for number in (1, 2))
        proposals.changed(name.lower(), one, other, ())
        proposals.changed(f"other-{name.lower()}", one, other, ())
    proposals.renamed("other-at")
    hide = KnownSecrets({"Zx81kLmn22pQ": "{{redacted:token}}"}).hide
    assert proposals.all(hide) == [VolatileHint(("json:$.at",), ("at",))]
