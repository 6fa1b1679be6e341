"""Whether a regular expression can take exponential time, in which Python's `re` cannot be stopped.

It can where a repeat fits the same text in two ways, as those of `(a+)+` and `(a|ab|b)*` do, and what follows fails.
Only that is looked for: an expression may still be slow in other ways.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from re import ASCII, DOTALL, IGNORECASE
from typing import Any

# Not public and without types, but as old as `re`. What it may yield one day that has no name here counts as harmless.
_parser: Any = importlib.import_module("re._parser")

Items = Sequence[tuple[Any, Any]]
"""A parsed expression: what stands one behind the other, each a kind and its value."""


def can_explode(expression: str, flags: int = 0) -> bool:
    """Whether some text makes the expression try more ways than can be tried. `re.error` where it is none."""
    parsed = _parser.parse(expression, flags)
    try:
        loops = _loops(list(parsed), parsed.state.flags, is_last=True)
        return any(_RepeatGraph(body, within).has_two_ways() for body, within in loops)
    except _ExpressionTooLarge:
        return False


def _loops(items: Items, flags: int, *, is_last: bool) -> Iterator[tuple[Items, int]]:
    """The bodies of outermost repeats with their flags, if what follows may fail, which nothing at the end can."""
    for number, (kind, value) in enumerate(items):
        ends = is_last and all(_may_be_nothing(item) for item in items[number + 1 :])
        name = str(kind)
        if name in _REPEATS and int(value[1]) >= _MUCH:
            if not ends:
                yield list(value[2]), flags
            continue
        # What stands in one of these is left only once all of it has fitted.
        is_closed = name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT", "ASSERT", "ASSERT_NOT")
        within = _within(value, flags) if name == "SUBPATTERN" else flags
        for body in _bodies(name, value):
            yield from _loops(body, within, is_last=ends or is_closed)


def _bodies(name: str, value: Any) -> list[Items]:
    match name:
        case "SUBPATTERN":
            return [list(value[3])]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [list(value[2])]
        case "BRANCH":
            return [list(branch) for branch in value[1]]
        case "GROUPREF_EXISTS":
            return [list(branch or ()) for branch in value[1:]]
        case "ATOMIC_GROUP":
            return [list(value)]
        case "ASSERT" | "ASSERT_NOT":
            return [list(value[1])]
    return []


def _may_be_nothing(item: tuple[Any, Any]) -> bool:
    """Whether this always fits, if need be without taking anything."""
    name, value = str(item[0]), item[1]
    if name in (*_REPEATS, "POSSESSIVE_REPEAT") and value[0] == 0:
        return True
    if name == "BRANCH":
        return any(all(map(_may_be_nothing, branch)) for branch in value[1])
    inner = name in ("SUBPATTERN", "ATOMIC_GROUP", *_REPEATS, "POSSESSIVE_REPEAT")
    return inner and all(map(_may_be_nothing, _bodies(name, value)[0]))


def _within(group: Any, flags: int) -> int:
    _, added, removed, _ = group
    return int((flags | added) & ~removed)


class _ExpressionTooLarge(Exception):
    """There is more to look at than is sensible."""


class _RepeatGraph:
    """A repeat as a graph: `_free` leads from a node to others without a character, `_taken` with one of a set.

    `_back` are the ends of repeats from which they begin again; none is passed twice without a character, as an
    iteration that takes nothing is the last.
    """

    def __init__(self, body: Items, flags: int) -> None:
        self._free: list[list[int]] = [[]]
        self._taken: dict[int, tuple[int, int]] = {}
        self._back: dict[int, int] = {}
        self._samples = sorted(set(_SAMPLES).union(_samples(body)))
        self._work = 0
        self._back[self._node(self._sequence(body, 0, flags))] = 0

    def has_two_ways(self) -> bool:
        """Whether the same characters lead from one place in the repeat back to it by two ways."""
        follow = {node: self._next(after) for node, (_, after) in self._taken.items()}
        if any(number > 1 for ways in follow.values() for number in ways.values()):
            return True
        waiting = [pair for ways in follow.values() for pair in product(ways, ways) if pair[0] < pair[1]]
        seen = set(waiting)
        while waiting:
            one, other = waiting.pop()
            if not self._taken[one][0] & self._taken[other][0]:
                continue
            for pair in product(follow[one], follow[other]):
                self._count()
                if pair[0] == pair[1]:
                    return True
                if pair not in seen:
                    seen.add(pair)
                    waiting.append(pair)
        return False

    def _next(self, start: int) -> dict[int, int]:
        """The characters that may come next, each with the number of ways to it that take nothing."""
        ways: dict[int, int] = {}
        waiting: list[tuple[int, frozenset[int]]] = [(start, frozenset())]
        while waiting:
            self._count()
            node, passed = waiting.pop()
            if node in self._taken:
                ways[node] = ways.get(node, 0) + 1
                continue
            waiting += [(each, passed) for each in self._free[node]]
            if node in self._back and node not in passed:
                waiting.append((self._back[node], passed | {node}))
        return ways

    def _count(self) -> None:
        self._work += 1
        if self._work > _MOST_WORK:
            raise _ExpressionTooLarge

    def _node(self, *before: int) -> int:
        self._count()
        self._free.append([])
        for node in before:
            self._free[node].append(len(self._free) - 1)
        return len(self._free) - 1

    def _sequence(self, items: Items, start: int, flags: int) -> int:
        for kind, value in items:
            start = self._item(str(kind), value, start, flags)
        return start

    def _item(self, name: str, value: Any, start: int, flags: int) -> int:
        """Adds what begins at a node; the node at which it ends."""
        if name in _CHARACTERS:
            begin, end = self._node(start), self._node()
            self._taken[begin] = self._set(name, value, flags), end
            return end
        if name in _REPEATS:
            return self._repeat(value, start, flags)
        if name == "SUBPATTERN":
            return self._sequence(value[3], start, _within(value, flags))
        if name in ("BRANCH", "GROUPREF_EXISTS"):
            return self._node(*(self._sequence(body, self._node(start), flags) for body in _bodies(name, value)))
        if name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT"):
            return self._at_once(name, value, start, flags)
        return self._node(start)  # a place, or what was there before

    def _at_once(self, name: str, value: Any, start: int, flags: int) -> int:
        """What is taken in one way, however long it is: here it is as good as one character."""
        begin, end = self._node(start), self._node()
        self._taken[begin] = self._all(_bodies(name, value)[0], flags), end
        return self._node(start, end) if _may_be_nothing((name, value)) else end

    def _all(self, items: Items, flags: int) -> int:
        samples = 0
        for kind, value in items:
            name = str(kind)
            samples |= self._set(name, value, flags) if name in _CHARACTERS else 0
            for body in _bodies(name, value):
                samples |= self._all(body, _within(value, flags) if name == "SUBPATTERN" else flags)
        return samples

    def _repeat(self, value: Any, start: int, flags: int) -> int:
        least, most, body = int(value[0]), int(value[1]), value[2]
        for _ in range(min(least, _MOST_COPIES)):
            start = self._sequence(body, start, flags)
        if most - least >= _MUCH:
            begin = self._node(start)
            again = self._node(self._sequence(body, begin, flags))
            self._back[again] = begin
            return self._node(start, again)
        ends = [start]
        for _ in range(most - least):
            ends.append(self._sequence(body, self._node(ends[-1]), flags))
        return self._node(*ends)

    def _set(self, name: str, value: Any, flags: int) -> int:
        """The samples that a character may be, as the bits of a number."""
        return sum(1 << at for at, sample in enumerate(self._samples) if _fits(name, value, sample, flags))


def _samples(items: Items) -> Iterator[str]:
    """Characters of each kind that is told apart: those named, and where a range begins and ends."""
    for kind, value in items:
        name = str(kind)
        if name in ("LITERAL", "NOT_LITERAL"):
            yield from _around(value, value)
        elif name == "IN":
            yield from _samples(value)
        elif name == "RANGE":
            yield from _around(*value)
        for body in _bodies(name, value):
            yield from _samples(body)


def _around(first: int, last: int) -> Iterator[str]:
    for code in (first - 1, first, last, last + 1):
        if 0 <= code < _CODES:
            yield from {chr(code), *(each for each in (chr(code).lower(), chr(code).upper()) if len(each) == 1)}


def _fits(name: str, value: Any, character: str, flags: int) -> bool:
    if flags & IGNORECASE and name in ("LITERAL", "NOT_LITERAL", "RANGE"):
        spellings = [each for each in {character, character.lower(), character.upper()} if len(each) == 1]
        every = all if name == "NOT_LITERAL" else any
        return every(_fits(name, value, each, flags & ~IGNORECASE) for each in spellings)
    match name:
        case "LITERAL":
            return bool(ord(character) == value)
        case "NOT_LITERAL":
            return bool(ord(character) != value)
        case "RANGE":
            return bool(value[0] <= ord(character) <= value[1])
        case "ANY":
            return character != "\n" or bool(flags & DOTALL)
        case "CATEGORY":
            return _is_of(str(value), character, flags)
    negated = bool(value) and str(value[0][0]) == "NEGATE"
    return any(_fits(str(kind), item, character, flags) for kind, item in value[negated:]) is not negated


def _is_of(category: str, character: str, flags: int) -> bool:
    holds = _CATEGORIES[category.rpartition("_")[2]](character) and not (flags & ASCII and not character.isascii())
    return holds is not ("NOT" in category)


_MUCH = 10
_MOST_COPIES = 40
_MOST_WORK = 200_000
_CODES = 0x110000
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
_CHARACTERS = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda character: character.isalnum() or character == "_",
}
# Of each category, and of none.
_SAMPLES = "aZ_0 \n!\u00e9\u0663\u00a0\u2014"
