"""The days of a matrix laid out for facts: this school year by day, on top of what is carried from earlier days."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.carried import Carried
from rules.daily import Ints
from rules.matrix import Matrix
from rules.running import ByDay, running_total

NO_DAY = ("streak_start",)  # days since 1970, -1 where there is none


class SchoolYear:
    """A matrix whose days follow on what is carried, and the ways in which facts add them up."""

    def __init__(self, matrix: Matrix, after: Carried | None = None, plan: NDArray[Any] | None = None) -> None:
        if after is not None and matrix.first:
            raise ValueError("days that follow on earlier ones are all of this school year")
        self.matrix, self._after, self._plan = matrix, after, plan

    def _before(self, name: str) -> NDArray[Any]:
        """[S] a fact at the end of the day before the first of these days."""
        if self._after is None:
            return np.full(len(self.matrix.students), -1 if name in NO_DAY else 0, dtype=np.int32)
        return self._after.facts[name]

    @cached_property
    def _year(self) -> ByDay:
        before = self._before("member_days")
        return ByDay(self.matrix, self.matrix.first, self._after, before, self._before("attendance_days") - before)

    @property
    def _both_years(self) -> ByDay:
        """Not kept: two years of many students are large."""
        before = self._before("attendance_days")
        if not self.matrix.first and np.array_equal(before, self._before("member_days")):
            return self._year
        return ByDay(self.matrix, 0, self._after, before, np.zeros_like(before))

    def _aligned(self, year: NDArray[Any]) -> NDArray[Any]:
        """Year columns [days, students] -> [students, days of the matrix], zero before the year."""
        if not self.matrix.first:
            return year.T
        whole = np.zeros((len(self.matrix.days), year.shape[1]), dtype=year.dtype)
        whole[self.matrix.first :] = year
        return whole.T

    @property
    def _dates(self) -> NDArray[np.int64]:
        """The days of the school year, since 1970."""
        return self.matrix.days[self.matrix.first :].astype(np.int64)

    def _year_of(self, fact: NDArray[Any]) -> NDArray[Any]:
        return fact.T[self.matrix.first :]

    def _to_date(self, amount: str) -> Ints:
        daily = getattr(self._year.daily, amount)
        return self._aligned(running_total(daily, self._before(amount)))

    def in_last(self, fact: str, days: int) -> Ints:
        """How much of a to-date fact fell on this year's last `days` member days; kept once asked."""
        kept: dict[tuple[str, int], Ints] = self.__dict__.setdefault("_windows", {})
        if (fact, days) not in kept:
            kept[fact, days] = self._aligned(self._year.in_last(fact, self._year_of(getattr(self, fact)), days))
        return kept[fact, days]
