"""A small district of several school years for tests of the risk model, made without regard to what a model looks at.

Each child has a household that lasts, a year that differs and a body that falls ill: absence comes in spells, late
arrivals come from the household, winters bring a wave. Nothing here knows a feature, a label or a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.risk.cohort import Cohort, is_chronic, later_chronic
from rules.risk.features import Past, Seen, features

DAYS = 170
Marks = NDArray[np.bool_]  # [S, DAYS]


@dataclass(frozen=True)
class Year:
    """One school year of S students."""

    absent: Marks
    unexcused: Marks
    late: Marks
    school: NDArray[np.int64]
    grade: NDArray[np.int64]


@dataclass(frozen=True)
class District:
    """The same students, year after year; a tenth of them come anew each year."""

    years: tuple[Year, ...]
    newcomers: NDArray[np.int64]  # [S] the year each came

    @cached_property
    def students(self) -> NDArray[np.int64]:
        return 1000 + np.arange(len(self.newcomers))

    def with_year(self, number: int, **parts: object) -> District:
        """One year told otherwise."""
        years = list(self.years)
        years[number] = replace(years[number], **parts)  # type: ignore[arg-type]
        return District(tuple(years), self.newcomers)

    def past(self, number: int) -> Past:
        """What is known of the two years before, on each row."""
        last, before = (self._totals(number - back, DAYS) for back in (1, 2))
        late = self._totals(number - 1, 44)
        return Past(*last, *late, *before)

    def _totals(self, number: int, days: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        nobody = np.full(len(self.newcomers), -1)
        if number < 0:
            return nobody, nobody
        here = self.newcomers <= number
        absent = self.years[number].absent[:, DAYS - days :].sum(axis=1) * 1000
        return np.where(here, absent, -1), np.where(here, days * 1000, -1)

    def seen(self, number: int, day: int, past: Past | None = None) -> Seen:
        """What is known on the evening of a taught day, of everybody, whether they have come yet or not."""
        year, old = self.years[number], past or self.past(number)
        upto, lately = slice(0, day), slice(max(day - 20, 0), day)
        absent = year.absent[:, upto].sum(axis=1) * 1000
        enrolled = np.full(len(absent), day * 1000)
        _, place = np.unique(year.school, return_inverse=True)
        return Seen(
            self.students, absent, enrolled,
            year.absent[:, lately].sum(axis=1) * 1000, np.full(len(absent), min(day, 20) * 1000),
            year.unexcused[:, upto].sum(axis=1) * 1000, (year.absent | year.late)[:, upto].sum(axis=1),
            np.full(len(absent), day), *(getattr(old, name) for name in Past.__slots__), year.school,
            np.bincount(place, absent)[place].astype(int), np.bincount(place, enrolled)[place].astype(int), year.grade,
        )  # fmt: skip

    def marked(self, number: int, day: int) -> dict[str, float]:
        """Shares of the kinds of marks so far."""
        year, here = self.years[number], self.newcomers <= number
        kinds = {"excused": year.absent & ~year.unexcused, "unexcused": year.unexcused, "tardy": year.late}
        return {name: float(marks[here, :day].mean()) for name, marks in kinds.items()}

    def cohort(self, number: int, day: int, past: Past | None = None) -> Cohort:
        """The students of a year on a taught day, and how it ended for them."""
        known = self.seen(number, day, past)
        end = self.years[number].absent.sum(axis=1) * 1000
        whole = np.full(len(end), DAYS * 1000)
        here = np.flatnonzero(self.newcomers <= number)
        odd = self.students % 3 == 0
        return Cohort(
            2022 + number, day, self.students, features(known), is_chronic(end, whole),
            later_chronic(known.absent, known.enrolled, end, whole), is_chronic(known.absent, known.enrolled),
            known.school, known.grade, {"every third": odd}, self.marked(number, day),
        ).of(here)  # fmt: skip


def district(seed: int = 1, students: int = 1000, years: int = 4, *, memory: float = 1.0) -> District:
    """`memory` 0: no child is like last year, and within a year like no other day either."""
    rng = np.random.default_rng(seed)
    household, body = rng.normal(0, 0.9 * memory, students), rng.normal(0, 0.5 * memory, students)
    school = rng.integers(1, 9, students)
    newcomers = np.where(rng.random(students) < 0.1 * (years - 1), rng.integers(0, years, students), 0)
    of_school, grade = rng.normal(0, 0.3 * memory, 9)[school], rng.integers(0, 9, students)
    found = []
    for number in range(years):
        mood = household + of_school + rng.normal(0, 0.45 * memory, students)
        found.append(_year(rng, mood, body, school, grade + number))
    return District(tuple(found), newcomers)


def _year(
    rng: np.random.Generator, mood: NDArray[np.float64], body: NDArray[np.float64], school: NDArray[np.int64],
    grade: NDArray[np.int64],
) -> Year:  # fmt: skip
    students = len(mood)
    winter = 0.5 * np.sin(np.pi * np.arange(DAYS) / DAYS) ** 2
    absent, ill = np.zeros((students, DAYS), bool), np.zeros(students, bool)
    unexcused = np.zeros_like(absent)
    for day in range(DAYS):
        ill = np.where(ill, rng.random(students) < 0.45, rng.random(students) < 0.016 * np.exp(body + winter[day]))
        away = rng.random(students) < 0.026 * np.exp(mood)
        absent[:, day], unexcused[:, day] = ill | away, away & ~ill
    late = ~absent & (rng.random((students, DAYS)) < np.clip(0.05 * np.exp(mood)[:, None], 0, 0.6))
    return Year(absent, unexcused, late, school, grade)
