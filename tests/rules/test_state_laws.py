"""Every state's measures against one plain function a state, on invented histories of two school years."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from rules import cells, statutes, windows
from rules.cells import Excuse, Status
from rules.matrix import Matrix
from rules.windows import STATES, Unit
from tests.oracle import state_laws
from tests.oracle.state_laws import Child, SchoolDay

LAST_YEAR, THIS_YEAR = (date(2024, 8, 12), date(2025, 6, 6)), (date(2025, 8, 11), date(2026, 6, 5))
GRADES = ("PK", "TK", "K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")
SHARES = (1000, 1000, 1000, 500, 250, 79, 76)
LENGTH = 390
A_FEW = 20


class History:
    """A few children of one school over two years: as the product's matrix, and as plain lists."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = Random(seed)
        every = [LAST_YEAR[0] + timedelta(days=n) for n in range((THIS_YEAR[1] - LAST_YEAR[0]).days + 1)]
        weekdays = [day for day in every if day.weekday() < 5 and not LAST_YEAR[1] < day < THIS_YEAR[0]]
        weeks_off = {chance.randrange(60) for _ in range(5)}
        taught = [day for day in weekdays if (day - LAST_YEAR[0]).days // 7 not in weeks_off]
        self.days = [day for day in taught if chance.random() > 0.03]
        self.first = sum(day < THIS_YEAR[0] for day in self.days)
        self.worth = [chance.choice([1000] * 9 + [500]) for _ in self.days]
        self.length = [chance.choice([LENGTH] * 4 + [240]) for _ in self.days]
        self.grades = [chance.choice([*GRADES, "PK", "PK", "", "1"]) for _ in range(A_FEW)]
        self.born = [self._born(grade) for grade in self.grades]
        self.rows = [self._row(number) for number in range(A_FEW)]

    def _born(self, grade: str) -> date | None:
        """Around the usual age of the grade; now and then any age at all, or none that is known."""
        if self._chance.random() < 0.1:
            return None
        if self._chance.random() < 0.3 or grade not in GRADES:
            grade = self._chance.choice(GRADES)
        usual = 2025 - 4 - max(GRADES.index(grade) - 1, 0)
        return date(usual - self._chance.randrange(-2, 4), 1, 1) + timedelta(days=self._chance.randrange(366))

    def _row(self, number: int) -> list[tuple[int, Status, Excuse]]:
        """Share missed, kind of day and reason, day by day; who misses much, misses runs of days."""
        chance, often = self._chance, [0.02, 0.06, 0.12, 0.3, 0.97][number % 5]
        entry = 0 if number % 3 else chance.randrange(len(self.days))
        row, run = [], 0
        for place in range(len(self.days)):
            if place < entry:
                row.append((0, Status.OUT, Excuse.OTHER))
            elif chance.random() < 0.04:
                row.append((0, chance.choice([Status.HELD_OUT, Status.MISSING, Status.UNKNOWN_ROW]), Excuse.OTHER))
            elif run or chance.random() < often:
                run = run - 1 if run else chance.choice([0, 0, 0, 1, 4, 8])
                why = chance.choice([Excuse.UNEXCUSED] * 5 + [Excuse.UNKNOWN, Excuse.EXCUSED, Excuse.OTHER])
                row.append((1000 if run else chance.choice(SHARES), Status.MEMBER, why))
            else:
                row.append((0, Status.MEMBER, Excuse.OTHER))
        return row

    def matrix(self) -> Matrix:
        parts = np.array([[list(map(int, day)) for day in row] for row in self.rows])
        packed = cells.pack(parts[:, :, 0], parts[:, :, 1], parts[:, :, 2])
        weights = np.tile(np.array(self.worth, dtype=np.int32), (A_FEW, 1))
        days = np.array(self.days, dtype="datetime64[D]")
        return Matrix(np.arange(A_FEW), days, weights, packed, self.first)

    def child(self, number: int) -> Child:
        names = {value: name for name, value in STATES.items()}
        days = tuple(
            SchoolDay(
                day,
                Fraction(worth, 1000),
                Fraction(share, 1000),
                names[why],
                -(-share * length // 1000),
                names[why],
                share == 1000,
            )  # fmt: skip
            for day, worth, length, (share, status, why) in zip(
                self.days, self.worth, self.length, self.rows[number], strict=True
            )
            if status is Status.MEMBER
        )
        taught = tuple(self.days[self.first :])
        return Child(days, date(2025, 7, 1), taught, self.grades[number], self.born[number])

    def asked(self) -> list[int]:
        """Columns of this year to compare on: the first, the last, those about a change of a law, and some others."""
        change = sum(day < date(2025, 9, 30) for day in self.days)
        some = self._chance.sample(range(self.first, len(self.days)), 4)
        return sorted({self.first, change - 1, change, len(self.days) - 1, *some})


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 60))])
def test_each_state_counts_as_its_plain_function_does(seed: int) -> None:
    history = History(seed)
    matrix, asked = history.matrix(), history.asked()
    minutes = np.tile(np.array(history.length), (A_FEW, 1))
    born = np.array([born or "NaT" for born in history.born], dtype="datetime64[D]")
    grade_at = np.tile(np.arange(A_FEW)[:, None], (1, len(history.days)))
    children = [history.child(number) for number in range(A_FEW)]
    wrong, reached = [], 0
    for state, plain in state_laws.STATES.items():
        told = [{col: plain(child, history.days[col]) for col in asked} for child in children]
        for measure in statutes.of_state(state):
            scope = measure.scope
            inside = scope.covers(born, history.grades, grade_at, matrix.days) if scope else None
            counted, met = statutes.found(measure, matrix, minutes, inside)
            scale = 60 if measure.unit is Unit.HOURS else 1000
            for number in range(A_FEW):
                for col in asked:
                    right = told[number][col][measure.key]
                    about = inside is None or bool(inside[number, col])
                    said = (Fraction(int(counted.amount[number, col]), scale), bool(met[number, col]), about)
                    reached += right.reached
                    if said != (right.amount, right.reached, right.about):
                        wrong.append(f"{measure.key} child {number} on {history.days[col]}: {said}, plain {right}")
    assert not wrong, "\n".join(wrong[:10])
    assert reached > 200


def test_there_is_a_plain_function_for_every_measure() -> None:
    child = History(0).child(0)
    for state in statutes.states():
        answers = state_laws.STATES[state](child, THIS_YEAR[1])
        assert answers.keys() == {measure.key for measure in statutes.of_state(state)}


EVERY = [measure for state in statutes.states() for measure in statutes.of_state(state)]


@pytest.mark.parametrize("measure", EVERY, ids=lambda measure: measure.key)
def test_a_line_is_reached_from_its_first_day_and_to_its_last(measure: statutes.Measure) -> None:
    """Somebody who misses every day: reached on a day only where the law stood, and then as soon as it does."""
    edge = measure.effective_to + timedelta(days=1) if measure.effective_to else measure.effective_from
    days = [edge + timedelta(days=n) for n in range(-60, 60)]
    letter = (1000, Status.MEMBER, Excuse.UNEXCUSED)
    row = cells.pack(*(np.array([[part] * len(days)]) for part in letter))
    row[0, 0] = cells.pack(0, Status.MEMBER)
    matrix = Matrix(np.array([1]), np.array(days, dtype="datetime64[D]"), np.full(row.shape, 1000, np.int32), row)
    counted, met = statutes.found(measure, matrix, np.full(row.shape, LENGTH), None)
    part = windows.met(counted, measure.unit, least_days=measure.least_days, **measure.bounds(edge))
    stood = np.array([measure.in_force(day) for day in days])
    assert stood.tolist() == ([True] * 60 + [False] * 60 if measure.effective_to else [False] * 60 + [True] * 60)
    assert np.array_equal(met[0], part[0] & stood)
    assert part[0].any() or measure.below is not None
