"""How good an ordering and how honest a chance is, with intervals; the same arithmetic for rule, rate and every model.

Each figure takes weights [B, S]: all ones for the figure itself, and for its interval how often each student was drawn
in each of B draws. A student is drawn once for all models and years (paired), so differences are judged as such. Rows
may come in any order: equal scores share their rank where that is meant (auc), and where a list has to end between
them, a seeded hash of the student's id decides, never the place of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.risk.cohort import Bools
from rules.risk.features import Floats, Ints
from rules.risk.models import chance

Weights = NDArray[Any]  # any numbers
DRAWS, LEAST_DRAWS = 200, 60
MANY = 100_000  # rows; beyond, a range is narrow enough to be told from fewer draws
BINS = 10
_AT_ONCE = 500_000  # numbers worked on at a time


def hashed(ids: Ints, seed: int) -> NDArray[np.uint64]:
    """[S] a number for each id that looks like chance and depends on nothing but id and seed (splitmix64)."""
    bits = np.asarray(ids).astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def enough_draws(rows: int) -> int:
    """How many draws so many rows need: fewer where there are so many that every range is narrow."""
    return max(LEAST_DRAWS, DRAWS * MANY // max(rows, MANY))


def draws(students: Ints, seed: int, count: int = DRAWS) -> NDArray[np.uint8]:
    """[B, S] how often each student is drawn (Poisson, one on average): all rows of one student together."""
    ids, place = np.unique(students, return_inverse=True)
    drawn = np.random.default_rng(seed).poisson(1.0, (count, len(ids))).astype(np.uint8)
    return np.asarray(drawn[:, place])


# -- an ordering -----------------------------------------------------------------------------------------------------


class Ranking:
    """Students by one score, highest first; asked for figures under any weights."""

    def __init__(self, scores: Floats, chronic: Bools, ties: NDArray[np.uint64]) -> None:
        self.order = np.lexsort((ties, -scores))
        self._chronic = chronic[self.order].astype(np.float32)
        ordered = scores[self.order]
        self._groups = np.flatnonzero(np.diff(ordered, prepend=np.inf) != 0)

    def auc(self, weights: Weights) -> Floats:
        """[B] the share of pairs of a chronically absent student and another who stand in that order; ties half."""
        return _in_blocks(self._auc, weights)

    def _auc(self, weights: Weights) -> Floats:
        if not len(self.order):
            return np.full(len(weights), np.nan)
        ours = weights[:, self.order]
        yes = np.add.reduceat(ours * self._chronic, self._groups, axis=1)
        no = np.add.reduceat(ours, self._groups, axis=1) - yes
        all_no = no.sum(axis=1, dtype=np.float64)
        below = all_no[:, None].astype(np.float32) - np.cumsum(no, axis=1) + no / 2
        return share(np.einsum("bg,bg->b", yes, below, dtype=np.float64), yes.sum(axis=1, dtype=np.float64) * all_no)

    def found(self, weights: Weights, size: Floats) -> Floats:
        """[B] how many chronically absent students stand on the first `size` [B] places."""
        return _in_blocks(self._found, weights, size)

    def _found(self, weights: Weights, size: Floats) -> Floats:
        if not len(self.order):
            return np.zeros(len(weights))
        ours = weights[:, self.order]
        before = np.cumsum(ours, axis=1) - ours  # counts: exact in 32 bits up to 16 million
        room = np.clip(size[:, None].astype(np.float32) - before, 0, ours)  # the last one may be let in in part
        return np.asarray(room @ self._chronic, dtype=np.float64)

    def first(self, size: int) -> NDArray[np.intp]:
        """The rows on the first places."""
        return self.order[:size]


def _in_blocks(figure: Callable[..., Floats], weights: Weights, *others: Floats) -> Floats:
    step = max(1, _AT_ONCE // max(weights.shape[1], 1))
    parts = [
        figure(weights[begin : begin + step].astype(np.float32), *(other[begin : begin + step] for other in others))
        for begin in range(0, len(weights), step)
    ]
    return np.concatenate(parts)


def share(part: Floats, whole: Floats) -> Floats:
    """Share by share; NaN where there is no whole."""
    share: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return share


# -- a chance --------------------------------------------------------------------------------------------------------


def brier(chances: Floats, chronic: Bools, weights: Weights) -> Floats:
    """[B] the mean squared distance between chance and what came."""
    wrong = (chances - chronic) ** 2
    sums = _in_blocks(lambda part: part.astype(np.float64) @ np.stack([wrong, np.ones_like(wrong)], axis=1), weights)
    return share(sums[:, 0], sums[:, 1])


@dataclass(frozen=True, slots=True)
class Bin:
    """Students of similar chance: how many, what was expected of them and what came."""

    students: int
    expected: float
    observed: float


def bins(chances: Floats, chronic: Bools, ties: NDArray[np.uint64], count: int = BINS) -> tuple[Bin, ...]:
    """Ten parts of equal size from the lowest chance to the highest."""
    parts = np.array_split(np.lexsort((ties, chances)), count)
    return tuple(
        Bin(len(rows), float(chances[rows].mean()), float(chronic[rows].mean())) for rows in parts if len(rows)
    )


def ece(parts: tuple[Bin, ...]) -> float:
    """How far chance and what came are apart in the mean of the bins."""
    students = sum(part.students for part in parts)
    return sum(part.students * abs(part.expected - part.observed) for part in parts) / max(students, 1)


def gap(chances: Floats, chronic: Bools) -> float:
    """Mean chance less the share that came: above nothing, too much was expected."""
    return float(chances.mean() - chronic.mean()) if len(chances) else float("nan")


def slope(logits: Floats, chronic: Bools) -> float:
    """By what the logits would have to be multiplied to fit what came: under 1 they were too bold. NaN if untold."""
    y = chronic.astype(np.float64)
    if not 0 < y.sum() < len(y) or np.ptp(logits) == 0:
        return float("nan")
    found, x = np.array([0.0, 1.0]), np.stack([np.ones(len(logits)), logits], axis=1)
    for _ in range(50):
        p = chance(x @ found)
        spread = np.maximum(p * (1 - p), 1e-12)
        step = np.linalg.solve((x * spread[:, None]).T @ x + 1e-9 * np.eye(2), x.T @ (y - p))
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(found[1])


# -- intervals, and lists ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and the range in which nineteen of twenty draws of students put it."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: Floats | float, drawn: Floats) -> Figure:
        """From the figure of all students [1] and those of the draws [B]."""
        told = drawn[np.isfinite(drawn)]
        low, high = np.quantile(told, [0.025, 0.975]).tolist() if len(told) else (float("nan"), float("nan"))
        return cls(float(np.ravel(value)[0]), low, high)


def jaccard(one: Ints, other: Ints) -> float:
    """The share of the students of either list that stand on both; 1 for two empty ones."""
    either = len(np.union1d(one, other))
    return len(np.intersect1d(one, other)) / either if either else 1.0
