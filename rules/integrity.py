"""Where the record itself raises a question: counts of a school or user far from what is usual elsewhere.

Method, in words: each count is x of n. What is usual is the share of all others. Schools differ for good reasons, so
the numbers of all schools say how widely such counts scatter (the widest tenth left out), and the chance of x or more
is the tail of a binomial number widened by that. Many schools are looked at together: of what is asked, at most a set
share is expected to come from chance (Benjamini and Hochberg). Small counts ask nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from rules.chances import kept_up_to, tail
from rules.suppression import LEAST, share_of_tens, suppress, tens_words

INTEGRITY_FILE = Path(__file__).parent / "policies" / "integrity.yaml"
_MOST_SPREAD = 25.0
Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is counted, with its question."""

    key: str
    label: str
    of: str
    by_user: bool
    asks: str
    reasons: str
    normal: str

    def question(self, where: str, x: int, n: int, usual: float) -> str:
        """The question about one school in tens, because few of a few would be children, and what may be behind it."""
        _, some, of = told(x, n)
        elsewhere = "fewer than 1" if usual * n < 0.5 else f"about {round(usual * n)}"
        asked = self.asks.format(where=where, x=some, n=of, usual=elsewhere)
        return f"{asked[0].upper()}{asked[1:]} {self.reasons}"


def told(x: int, n: int) -> tuple[str, str, str]:
    """(share, x, n) of x out of n as a reader of counts gets them: in tens, with what is small kept back."""
    pair = suppress([(x, n - x)])
    few, shown = f"fewer than {LEAST}", pair.rows[0][0]
    some = tens_words(shown) if shown is not None else "nearly all" if x >= LEAST else few
    return share_of_tens(x, n - x, pair.rows[0]), some, few if n < LEAST else tens_words(n)


@dataclass(frozen=True, slots=True)
class Asking:
    """Everything of integrity.yaml."""

    windows: tuple[int, ...]
    least: int
    least_times: float
    false_share: float
    after_days: int
    excuse_days: int
    cut_off: int
    return_days: int
    run_days: int
    run_least: int
    kinds: Mapping[str, Measure]


@cache
def asking() -> Asking:
    """The shipped limits, read once."""
    said: dict[str, Any] = yaml.safe_load(INTEGRITY_FILE.read_text(encoding="utf-8"))
    kinds = {key: Measure(key, **entry) for key, entry in said.pop("kinds").items()}
    return Asking(**{**said, "windows": tuple(said["windows"])}, kinds=kinds)


@dataclass(frozen=True, slots=True)
class Count(Generic[Place]):
    """x of n at a place."""

    place: Place
    x: int
    n: int


@dataclass(frozen=True, slots=True)
class Compared(Generic[Place]):
    """A count beside what is usual elsewhere (a share); asks: whether it is far enough out to ask."""

    place: Place
    x: int
    n: int
    usual: float
    chance: float
    asks: bool


def compared(counts: Sequence[Count[Place]], limits: Asking | None = None) -> list[Compared[Place]]:
    """Every count beside all the others, in their order."""
    limits = limits or asking()
    all_x, all_n = sum(one.x for one in counts), sum(one.n for one in counts)
    spread = _spread(counts, all_x, all_n)
    judged = []
    for one in counts:
        others = max(all_n - one.n, 0)
        usual = (all_x - one.x) / others if others else 0.0
        expected = max(usual, 0.5 / others) if others else 1.0
        far = one.x >= limits.least and one.x >= limits.least_times * expected * one.n
        judged.append((one, usual, tail(one.x, one.n, min(expected, 1.0), spread) if far else 1.0))
    limit = kept_up_to([chance for *_, chance in judged], len(judged), limits.false_share)
    return [Compared(one.place, one.x, one.n, usual, chance, chance <= limit) for one, usual, chance in judged]


def _spread(counts: Sequence[Count[Place]], all_x: int, all_n: int) -> float:
    """How many times wider than by pure chance these counts scatter; the widest tenth is left out."""
    if not all_n or not 0 < all_x < all_n:
        return 1.0
    share = all_x / all_n
    squares = sorted(
        min((one.x - one.n * share) ** 2 / (one.n * share * (1 - share)), _MOST_SPREAD) for one in counts if one.n
    )
    kept = squares[: max(1, len(squares) - max(1, len(squares) // 10))]
    return max(1.0, sum(kept) / len(kept))
