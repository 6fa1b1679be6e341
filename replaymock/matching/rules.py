"""The matching rules of a configuration: what is ignored, and what takes part, in the requests of some paths."""

from msgspec import Struct

from replaymock.http.selectors import Selector

IGNORE_KINDS = ("query", "header", "form", "json", "body", "trailing-slash")
VOLATILE_KINDS = ("header", "json", "value")


class MatchRule(Struct, frozen=True):
    """What to ignore, and which headers take part, for the requests whose path a glob matches.

    `volatile` is what says nothing in their answers.
    """

    path: str = "/**"
    method: str = ""
    ignore: tuple[Selector, ...] = ()
    headers: tuple[str, ...] = ()
    volatile: tuple[Selector, ...] = ()
