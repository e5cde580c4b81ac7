"""Whoever wants to know a small count: takes two views, every total and every movement, and solves for it.

Knows what a signed-in reader can know: the exact totals of the whole school by tier on both days, how many children
came into and went out of each tier between them, and every cell in sight. Unknown is what is hidden, and which grade
the movements belong to. A linear program bounds each hidden cell; one whole number left is a cell that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from rules.suppression import Table

Counts = NDArray[np.int64]
NEARLY = 1e-6


@dataclass(frozen=True)
class View:
    """One table in sight, and the counts it was made of, which only the judge may look at."""

    counts: Counts  # [grades, tiers]
    table: Table


@dataclass(frozen=True)
class Between:
    """What went on between two days: by grade for the judge; the attacker sums it over grades."""

    came: Counts  # [grades, tiers]
    went: Counts


class Attacker:
    """Bounds the cells of one view, or of two with what went on between them."""

    def __init__(self, views: Sequence[View], between: Between | None = None) -> None:
        self.shape = views[0].counts.shape
        self.views = views
        self.size = views[0].counts.size
        blocks = len(views) + (2 if between else 0)
        self.rows: list[tuple[dict[int, float], float]] = []
        self.bounds: list[tuple[float, float | None]] = [(0, None)] * (self.size * blocks)
        for place, view in enumerate(views):
            self._see(place, view)
        if between:
            self._follow(between)

    def _at(self, block: int, grade: int, tier: int) -> int:
        return block * self.size + grade * self.shape[1] + tier

    def _see(self, block: int, view: View) -> None:
        grades, tiers = self.shape
        for tier in range(tiers):
            self.rows.append(
                ({self._at(block, grade, tier): 1.0 for grade in range(grades)}, float(view.counts[:, tier].sum()))
            )
        for grade, (shown, total) in enumerate(zip(view.table.rows, view.table.totals, strict=True)):
            if total is not None:
                self.rows.append(({self._at(block, grade, tier): 1.0 for tier in range(tiers)}, float(total)))
            for tier, count in enumerate(shown):
                if count is not None:
                    self.bounds[self._at(block, grade, tier)] = (count, count)

    def _follow(self, between: Between) -> None:
        """now = then + came - went in every cell; came and went add up to what the page says of each tier."""
        grades, tiers = self.shape
        for tier in range(tiers):
            for block, moved in ((2, between.came), (3, between.went)):
                cells = {self._at(block, grade, tier): 1.0 for grade in range(grades)}
                self.rows.append((cells, float(moved[:, tier].sum())))
            for grade in range(grades):
                then, now, came, went = (self._at(block, grade, tier) for block in range(4))
                self.rows.append(({now: 1.0, then: -1.0, came: -1.0, went: 1.0}, 0.0))

    def recovers(self, cells: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Of these cells (view, grade, tier) those of which only one whole number is left."""
        left = {self._at(*cell): cell for cell in cells}
        truth = {place: float(self.views[cell[0]].counts[cell[1], cell[2]]) for place, cell in left.items()}
        for sign in (1.0, -1.0):  # many at once first: whoever differs from the truth is no secret told
            self._sift(left, truth, dict.fromkeys(left, sign))
        found = []
        for place in list(left):
            if place in left and not any(self._sift(left, truth, {place: sign}) for sign in (1.0, -1.0)):
                found.append(left[place])
        return found

    def _sift(self, left: dict[int, tuple[int, int, int]], truth: dict[int, float], aim: dict[int, float]) -> bool:
        """Solve towards an aim, and drop whatever can be at least one away from the truth; whether the aim's did."""
        if not left:
            return True
        cost = np.zeros(len(self.bounds))
        cost[list(aim)] = list(aim.values())
        found = linprog(cost, A_eq=self._matrix, b_eq=[value for _, value in self.rows], bounds=self._bounded())
        if found.status == 3:  # without an end
            for place in aim:
                left.pop(place, None)
            return True
        assert found.status == 0, found.message
        before = len(left)
        for place in [place for place in left if abs(found.x[place] - truth[place]) >= 1 - NEARLY]:
            del left[place]
        return len(left) < before

    def _bounded(self) -> list[tuple[float, float | None]]:
        return [(low, 10_000.0 if high is None else high) for low, high in self.bounds]

    @cached_property
    def _matrix(self) -> csr_array:
        places = [(row, place, value) for row, (cells, _) in enumerate(self.rows) for place, value in cells.items()]
        rows, columns, values = zip(*places, strict=True)
        return csr_array((values, (rows, columns)), shape=(len(self.rows), len(self.bounds)))
