"""Facts that go on from what is carried are those of the whole year, wherever the year is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.carried import KEPT, REACH, Carried, TooFarBack, joined
from rules.facts import NAMES, Facts, compute
from rules.matrix import Matrix
from tests.rules.test_facts import marks
from tests.rules.year import matrix_of

WINDOWS = ("absent_last_4", "excused_last_7", "unexcused_last_45", "tardies_last_7", "enrolled_last_45")


def part(matrix: Matrix, begin: int, end: int) -> Matrix:
    """Some of the days."""
    columns = slice(begin, end)
    first = max(matrix.first - begin, 0)
    return Matrix(matrix.students, matrix.days[columns], matrix.weights[:, columns], matrix.cells[:, columns], first)


def assert_same(one: Carried, other: Carried) -> None:
    for name in KEPT:
        assert one.facts[name].tolist() == other.facts[name].tolist(), name
    for name in ("row", "nth", "cells", "weights"):
        assert getattr(one.events, name).tolist() == getattr(other.events, name).tolist(), name


@st.composite
def cut_years(draw: st.DrawFn) -> tuple[Matrix, list[int]]:
    days = draw(st.integers(2, 60))
    students = draw(st.lists(st.text(marks, min_size=days, max_size=days), min_size=1, max_size=3))
    weights = draw(st.lists(st.sampled_from([1000, 1000, 500, 333, 0]), min_size=days, max_size=days))
    first = draw(st.integers(0, days - 2))
    cuts = draw(st.sets(st.integers(first + 1, days - 1), min_size=1, max_size=4))
    return matrix_of(*students, weights=weights, first=first), sorted(cuts)


def assert_goes_on(matrix: Matrix, cuts: list[int]) -> Facts:
    whole = compute(matrix)
    carried = compute(part(matrix, 0, cuts[0])).carried()
    for begin, end in zip(cuts, [*cuts[1:], len(matrix.days)], strict=True):
        later = compute(part(matrix, begin, end), carried)
        for name in (*NAMES, *WINDOWS):
            assert later.named(name).tolist() == whole.named(name)[:, begin:end].tolist(), name
        carried = later.carried()
    assert_same(carried, whole.carried())
    return later


@settings(max_examples=300, deadline=None)
@given(cut_years())
def test_a_year_in_parts_is_the_year(year: tuple[Matrix, list[int]]) -> None:
    assert_goes_on(*year)


@settings(max_examples=60, deadline=None)
@given(cut_years(), st.data())
def test_a_plan_goes_on_as_well(year: tuple[Matrix, list[int]], data: st.DataObject) -> None:
    matrix, cuts = year
    agreed = st.lists(st.sampled_from([-1, 1, 2]), min_size=len(matrix.days), max_size=len(matrix.days))
    plan = np.array([data.draw(agreed) for _ in matrix.students])
    whole = compute(matrix, plan=plan)
    carried = compute(part(matrix, 0, cuts[0]), plan=plan[:, : cuts[0]]).carried()
    later = compute(part(matrix, cuts[0], len(matrix.days)), carried, plan[:, cuts[0] :])
    for name in ("days_on_plan", "plan_changed", "absent_at_plan", "enrolled_at_plan"):
        assert later.named(name).tolist() == whole.named(name)[:, cuts[0] :].tolist(), name
    assert_same(later.carried(), whole.carried())


@settings(max_examples=60, deadline=None)
@given(st.text(marks, min_size=220, max_size=400), st.integers(0, 150), st.integers(1, 60))
def test_windows_reach_back_as_far_as_they_look(student: str, first: int, last: int) -> None:
    assert_goes_on(matrix_of(student, first=first), [len(student) - last])


def test_a_day_on_which_nothing_is_taught_changes_nothing() -> None:
    carried = compute(matrix_of("PAAP?A", "EEEEEE")).carried()
    assert_same(compute(matrix_of("..", ".."), carried).carried(), carried)


def test_some_students_are_carried_by_themselves() -> None:
    carried = compute(matrix_of("PAAPTA", "EEEEEE", "aPqTPP")).carried()
    assert_same(carried.of(np.array([2, 0])), compute(matrix_of("aPqTPP", "PAAPTA")).carried())
    assert_same(joined([carried.of(np.array([0])), carried.of(np.array([1, 2]))]), carried)


def test_a_longer_window_is_not_answered_from_what_is_carried() -> None:
    facts = compute(matrix_of("P"), compute(matrix_of("P")).carried())
    with pytest.raises(TooFarBack):
        facts.named(f"absent_last_{REACH + 1}")
