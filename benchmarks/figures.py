"""From what tools print to what people read: samples of load, medians, ratios, tables, and the part of a page."""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NONE = "–"
BEGIN = "<!-- measured: begin, by scripts/bench --write -->"
END = "<!-- measured: end -->"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a round of load saw: answers, answers a second, latency in milliseconds, the load's share of its core."""

    count: int
    rate: float
    p50: float
    p99: float
    busy: float = 0.0


def parse_wrk(out: str) -> Sample:
    """What `wrk --latency` printed. RuntimeError if an answer was no 2xx or 3xx, or a socket failed."""
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(out)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", out)
    count = re.search(r"(\d+) requests in ", out)
    shares = {
        share: float(number) * _MILLISECONDS[unit]
        for share, number, unit in re.findall(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s|m)\s*$", out, re.MULTILINE)
    }
    if not rate or not count or len(shares) != len(_SHARES):
        raise RuntimeError(f"this is not what wrk prints: {out}")
    if count.group(1) == "0":
        raise RuntimeError("nothing was answered")
    return Sample(int(count.group(1)), float(rate.group(1)), *(shares[share] for share in _SHARES))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, so that what the machine did in a round falls on both."""
    return [one / other for one, other in zip(ours, theirs, strict=False) if other]


def middle(values: Sequence[float | None], form: str = ",.0f") -> str:
    """The median, or a dash where there is nothing."""
    known = [value for value in values if value is not None]
    return format(statistics.median(known), form) if known else NONE


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """The median, and the smallest and the largest."""
    if not values:
        return NONE
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    names = list(head)
    lines = [names, ["---", *("---:" for _ in names[1:])], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replace_part(page: str, part: str) -> str:
    """The page with what is between its markers replaced. ValueError if it has not exactly one of each."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page needs one line {BEGIN} and, below it, one line {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{part.strip()}\n\n{END}{rest.partition(END)[2]}"


_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_SHARES = ("50", "99")
