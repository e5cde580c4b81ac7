"""Facts against the slow, obvious way: one student, one day after another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.cells import Excuse, Status
from rules.facts import NAMES, Facts, compute
from tests.rules.year import LETTERS, matrix_of, weekdays

RUN = "AEXU"  # whole days missed
IN_A_ROW = {"unexplained_run": "AUau", "unexplained_streak": "AU", "unexcused_streak": "A"}
DAYS = weekdays(260)


@dataclass
class Day:
    """One member day as a person would note it."""

    weight: int
    missed: int
    excuse: Excuse
    fraction: int
    tardy: bool
    this_year: bool


@dataclass
class Diary:
    """Everything noted so far for one student."""

    days: list[Day] = field(default_factory=list)
    due: int = 0
    missing: int = 0
    unknown: int = 0
    codes: int = 0
    undecided: int = 0
    known: int = 0  # member days before the first that is missing or unknown
    run: list[int] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(IN_A_ROW, 0))
    returned: int = 0
    due_days: list[tuple[int, int, bool]] = field(default_factory=list)  # day, missed, whether it is a short one

    def note(self, letter: str, weight: int, column: int, first: int) -> None:
        day = int(DAYS[column].astype(int))
        fraction, status, excuse, tardy = LETTERS[letter]
        this_year = column >= first
        if status is Status.MEMBER:
            self.days.append(Day(weight, fraction * weight // 1000, excuse, fraction, tardy, this_year))
        if not this_year:
            return
        open_day = letter in "M_?"
        self.due += letter != "."
        self.missing += letter == "M"
        self.unknown += letter in "_?"
        self.codes += letter == "?"
        self.undecided += weight if open_day else 0
        self.known += status is Status.MEMBER and not self.missing and not self.unknown
        missed = fraction * weight // 1000 if status is Status.MEMBER else 0
        if letter != ".":
            self.due_days.append((day, missed, weight < 1000))
        self.returned = len(self.run) if status is Status.MEMBER and fraction < 1000 else 0
        for name, counted in IN_A_ROW.items():
            self.rows[name] = self.rows[name] + 1 if letter in counted else self.rows[name] * (letter in "HM.")
        if letter in RUN:
            self.run.append(day)
        elif letter not in "HM.":
            self.run.clear()

    def facts(self) -> dict[str, int]:
        year = [day for day in self.days if day.this_year]
        found = dict(
            enrolled=sum(day.weight for day in year), absent=_missed(year), member_days=len(year),
            excused=_missed(year, Excuse.EXCUSED), unexcused=_missed(year, Excuse.UNEXCUSED),
            federal_absent=sum(day.weight for day in year if day.fraction >= 500),
            tardies=sum(day.tardy for day in year), due_days=self.due,
            missing_days=self.missing, unknown_days=self.unknown,
            unknown_codes=self.codes, undecided=self.undecided, months_started=(len(year) + 19) // 20,
            streak=len(self.run), streak_start=self.run[0] if self.run else -1,
            present_ever=any(day.fraction < 1000 for day in year), absent_first_20=_missed(year[:20]),
            unexcused_last_180=_missed(self.days[-180:], Excuse.UNEXCUSED),
            attendance_days_180=len(self.days[-180:]),
            absent_this_month=_missed(year[(len(year) - 1) // 20 * 20 :]) if year else 0,
            returned_after=self.returned,
            **dict.fromkeys(("enrolled_at_plan", "absent_at_plan", "days_on_plan", "plan_changed"), 0),  # no plan here
            **self.rows,
            **self._patterns(),
        )  # fmt: skip
        found["days_not_arrived"] = 0 if found["present_ever"] else self.known
        found["absent_last_20"] = _missed(year[-20:])
        found["enrolled_last_20"] = sum(day.weight for day in year[-20:])
        return found

    def _patterns(self) -> dict[str, int]:
        """Absence by weekday, and beside breaks as far as they are known by now."""
        by_day = [sum(missed for day, missed, _ in self.due_days if (day + 3) % 7 == n) for n in range(5)]
        beside = 0
        for nth, (day, missed, short) in enumerate(self.due_days):
            before, after = self.due_days[:nth][-1:], self.due_days[nth + 1 :][:1]
            near = short or (day + 3) % 7 == 4
            near |= any(other[2] or abs(other[0] - day) > 1 for other in (*before, *after))
            beside += missed if near else 0
        kind = 7 if beside > max(by_day) else by_day.index(max(by_day))
        return {"absent_in_pattern": max(*by_day, beside), "pattern": kind}


def _missed(days: list[Day], excuse: Excuse | None = None) -> int:
    return sum(day.missed for day in days if excuse is None or day.excuse is excuse)


school_days = st.integers(1, 70)
marks = st.sampled_from("PPPPPAAAEXUaeqTHM?_.")


@st.composite
def years(draw: st.DrawFn) -> tuple[list[str], list[int], int]:
    days = draw(school_days)
    students = draw(st.lists(st.text(marks, min_size=days, max_size=days), min_size=1, max_size=3))
    weights = draw(st.lists(st.sampled_from([1000, 1000, 1000, 500, 333, 0]), min_size=days, max_size=days))
    return students, weights, draw(st.integers(0, days))


@settings(max_examples=300, deadline=None)
@given(years())
def test_facts_are_what_a_diary_says(year: tuple[list[str], list[int], int]) -> None:
    students, weights, first = year
    facts = compute(matrix_of(*students, weights=weights, first=first))
    for row, student in enumerate(students):
        diary = Diary()
        for column, letter in enumerate(student):
            diary.note(letter, weights[column], column, first)
            if column < first:
                continue
            expected = diary.facts()
            assert set(expected) == set(NAMES)
            assert {name: int(getattr(facts, name)[row, column]) for name in NAMES} == expected


@settings(max_examples=100, deadline=None)
@given(st.text(marks, min_size=150, max_size=260), st.integers(0, 149))
def test_the_truancy_window_reaches_into_last_year(student: str, first: int) -> None:
    facts = compute(matrix_of(student, first=first))
    diary = Diary()
    for column, letter in enumerate(student):
        diary.note(letter, 1000, column, first)
    assert facts.unexcused_last_180[0, -1] == diary.facts()["unexcused_last_180"]
    assert facts.attendance_days_180[0, -1] == diary.facts()["attendance_days_180"]


def test_columns_before_the_school_year_are_zero() -> None:
    facts = compute(matrix_of("AAAAPA", first=3))
    assert facts.absent.tolist() == [[0, 0, 0, 1000, 1000, 2000]]
    fourth, last = DAYS[[3, 5]].astype(int).tolist()
    assert facts.streak_start.tolist() == [[-1, -1, -1, fourth, -1, last]]


@pytest.mark.parametrize(
    ("days", "run"),
    [
        ("AAA", 3),
        ("AAHA", 3),
        ("AAMA", 3),
        ("AA.A", 3),
        ("AAPA", 1),
        ("AAaA", 1),
        ("AA?A", 1),
        ("AA_A", 1),
        ("AAT", 0),
    ],
)
def test_what_counts_and_what_breaks_a_run(days: str, run: int) -> None:
    assert compute(matrix_of(days)).streak[0, -1] == run


def test_any_window_has_a_name() -> None:
    facts = compute(matrix_of("APPPA"))
    assert facts.named("absent_last_4")[0, -1] == 1000
    assert facts.named("tardies_last_4")[0, -1] == 0
    assert facts.named("absent_last_20") is facts.absent_last_20
    with pytest.raises(KeyError):
        facts.named("absent_last_0")


def test_an_empty_year_has_facts() -> None:
    facts = Facts(matrix_of("PPP", first=3))
    assert facts.absent.tolist() == [[0, 0, 0]]
    assert facts.unexcused_last_180.dtype == np.int32
