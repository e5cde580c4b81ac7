"""A reader who writes down everything that was in sight and solves for the rest: sums, tens, bands, days, places.

Numbers are whole and never below nothing. Each thing in sight is a sum of unknown numbers between two ends; a linear
program says how small and how large an unknown can be. One whole number left is a number that was told.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from rules.suppression import CLEAR, FEW, LEAST

Name = Hashable
NEARLY, MOST = 1e-6, 10_000.0
Sum = Mapping[Name, float]


class Reader:
    """What one person has seen."""

    def __init__(self) -> None:
        self.place: dict[Name, int] = {}
        self.exact: list[tuple[Sum, float]] = []
        self.between: list[tuple[Sum, float, float]] = []

    def _sum(self, names: Iterable[Name] | Sum) -> Sum:
        found = dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)
        for name in found:
            self.place.setdefault(name, len(self.place))
        return found

    def knows(self, names: Iterable[Name] | Sum, value: float) -> None:
        """These add up to exactly that."""
        self.exact.append((self._sum(names), float(value)))

    def sees(self, names: Iterable[Name] | Sum, shown: int | None, *, exact: bool = False, least: int = LEAST) -> None:
        """These add up to what is shown: in tens, FEW for less than CLEAR; None says nothing."""
        if shown is not None and exact:
            self.knows(names, shown)
        elif shown == FEW:
            self.between.append((self._sum(names), 0.0, float(CLEAR - 1)))
        elif shown is not None:
            self.between.append((self._sum(names), float(max(shown - 5, least)), float(shown + 4)))

    def recovers(self, truths: Mapping[frozenset[Name], int]) -> list[frozenset[Name]]:
        """Of these sums, with the number each has in truth, those of which only one number is left."""
        left = {cell: truth for cell, truth in truths.items() if all(name in self.place for name in cell)}
        for sign in (1.0, -1.0):  # all at once first: whoever can be something else is no number told
            self._sift(left, dict.fromkeys(left, sign))
        told = []
        for cell in list(left):
            if cell in left and not any(self._sift(left, {cell: sign}) for sign in (1.0, -1.0)):
                told.append(cell)
        return told

    def left_open(self, cell: frozenset[Name]) -> int:
        """How many numbers a sum may still be."""
        cost = np.zeros(len(self.place))
        cost[[self.place[name] for name in cell]] = 1.0
        ends = [linprog(sign * cost, bounds=(0, MOST), **self._program()).fun * sign for sign in (1.0, -1.0)]
        return int(np.floor(ends[1] + NEARLY) - np.ceil(ends[0] - NEARLY)) + 1

    def _sift(self, left: dict[frozenset[Name], int], aim: Mapping[frozenset[Name], float]) -> bool:
        """Solve towards an aim and drop what is another number there; whether anything was dropped."""
        if not aim:
            return False
        cost = np.zeros(len(self.place))
        for cell, sign in aim.items():
            for name in cell:
                cost[self.place[name]] += sign
        found = linprog(cost, bounds=(0, MOST), **self._program())
        assert found.status == 0, found.message
        values = {cell: sum(found.x[self.place[name]] for name in cell) for cell in left}
        gone = [cell for cell, truth in left.items() if abs(values[cell] - truth) >= 1 - NEARLY]
        for cell in gone:
            del left[cell]
        return bool(gone)

    def _program(self) -> dict[str, object]:
        above = [row for row, _, _ in self.between]
        ends = [high for _, _, high in self.between] + [-low for _, low, _ in self.between]
        both = self._matrix([*above, *({name: -value for name, value in row.items()} for row in above)])
        return {
            "A_eq": self._matrix([row for row, _ in self.exact]), "b_eq": [value for _, value in self.exact] or None,
            "A_ub": both, "b_ub": ends or None,
        }  # fmt: skip

    def _matrix(self, rows: list[Sum]) -> csr_array | None:
        entries = [(at, self.place[name], value) for at, row in enumerate(rows) for name, value in row.items()]
        if not entries:
            return None
        at, place, values = zip(*entries, strict=True)
        return csr_array((values, (at, place)), shape=(len(rows), len(self.place)))
