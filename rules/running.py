"""Running totals day by day, and how much of one fell on a student's last attendance days."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.carried import REACH, Carried, TooFarBack
from rules.daily import Daily, Ints
from rules.matrix import Matrix


def running_total(amount: NDArray[Any], carried: NDArray[Any] | int = 0) -> Ints:
    """Totals down the days (axis 0), on top of what is carried."""
    total = np.empty(amount.shape, dtype=np.int32)
    so_far = np.zeros(amount.shape[1:], dtype=np.int32) + carried
    for day, today in enumerate(amount):
        so_far = so_far + today
        total[day] = so_far
    return total


class ByDay:
    """The matrix from one column on, a row a day, and when each number of attendance days was reached.

    `before` [S] attendance days came earlier; the carried facts count `skipped` [S] still earlier ones with them.
    """

    def __init__(self, matrix: Matrix, start: int, after: Carried | None, before: Ints, skipped: Ints) -> None:
        cells = np.ascontiguousarray(matrix.cells[:, start:].T)
        self.daily = Daily(cells, np.ascontiguousarray(matrix.weights[:, start:].T))
        self.count = running_total(self.daily.member, before)
        self._after, self._before, self._skipped = after, before, skipped
        self._row = np.arange(cells.shape[1])

    @cached_property
    def _reached(self) -> NDArray[np.int16]:
        """[n, student] -> number of days gone by when the student's n-th attendance day of these was over."""
        member = self.daily.member
        nth = self.count - self._before
        table = np.zeros((int(nth.max(initial=0)) + 1, member.shape[1]), dtype=np.int16)
        for day, today in enumerate(member):
            here = np.flatnonzero(today)
            table[nth[day, here], here] = day + 1
        return table

    def when_count_was(self, total: Ints, start: NDArray[Any], count: Ints) -> Ints:
        """The running `total`, `start` [S] before these days, as it stood when the count was `count`; not before."""
        days_gone = self._pick(self._reached, np.maximum(count - self._before, 0))
        return self._pick(np.concatenate([start[None].astype(total.dtype), total]), days_gone)

    def in_last(self, amount: str, total: Ints, days: int | Ints) -> Ints:
        """How much of a running `total` fell on the last `days` attendance days: the same for all, or each its own."""
        if self._after is None:
            return total - self.when_count_was(total, np.zeros_like(self._before), np.maximum(self.count - days, 0))
        if np.max(days, initial=0) > REACH:
            raise TooFarBack(f"{amount} in the last {days} days")
        start = self._after.facts[amount]
        begun = np.maximum(self.count - days, 0)
        found = total - self.when_count_was(total, start, begun)
        for today, earlier in enumerate(begun < self._before):
            if earlier.any():
                found[today] += np.where(earlier, self._after.since(amount, begun[today] + self._skipped), 0)
        return found

    def _pick(self, table: NDArray[Any], rows: NDArray[Any]) -> Ints:
        flat = rows.astype(np.intp) * table.shape[1] + self._row
        picked: Ints = np.take(table.ravel(), flat)
        return picked
