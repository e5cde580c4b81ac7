"""Two schools of one student become one row; students with one school are left as they are."""

from __future__ import annotations

import numpy as np
import pytest

from rules.matrix import combine, stand_in
from tests.rules.year import LETTERS, cell_row, matrix_of

PAIRS = [
    ("P", "A", "P"),  # at one of two schools: the smaller fraction
    ("A", "a", "a"),
    ("A", "E", "E"),  # a tie keeps the more excused
    ("A", "X", "X"),
    ("X", "E", "E"),
    (".", "A", "A"),
    ("H", "A", "A"),
    ("?", "P", "P"),  # attended anywhere is attended
    ("M", "P", "P"),
    ("M", "T", "T"),
    ("M", "A", "M"),  # missed at one, and the other has not told yet
    ("_", "a", "_"),
    ("?", "A", "?"),
    ("?", "_", "?"),
    ("_", "M", "_"),
    ("M", "H", "M"),
    ("H", ".", "H"),
    (".", ".", "."),
    ("P", "T", "T"),  # tardy at one is tardy
    ("T", "P", "T"),
]


@pytest.mark.parametrize(("one", "other", "both"), PAIRS)
def test_what_stands_when_two_schools_have_the_day(one: str, other: str, both: str) -> None:
    for first, second in ((one, other), (other, one)):
        joined = combine(matrix_of(first, second, ids=[7, 7], schools=[1, 2]))
        assert joined.students.tolist() == [7]
        assert joined.cells.tolist() == [cell_row(both).tolist()]


def test_tardy_at_the_other_school_stays_when_the_smaller_fraction_is_elsewhere() -> None:
    joined = combine(matrix_of("T", "A", ids=[7, 7], schools=[1, 2]))
    assert joined.cells.tolist() == [cell_row("T").tolist()]


def test_the_weight_of_the_day_that_stands_is_kept() -> None:
    by_school = matrix_of("P.", ".A", ids=[7, 7], schools=[1, 2])
    by_school.weights[0] = [500, 0]
    by_school.weights[1] = [0, 250]
    assert combine(by_school).weights.tolist() == [[500, 250]]


def test_rows_keep_their_order_and_others_are_untouched() -> None:
    by_school = matrix_of("PA", "AA", "EP", ".P", ids=[9, 3, 9, 5], schools=[1, 1, 2, 2])
    joined = combine(by_school)
    assert joined.students.tolist() == [9, 3, 5]
    assert joined.cells.tolist() == [cell_row(row).tolist() for row in ("PP", "AA", ".P")]


def test_students_with_one_school_cost_nothing() -> None:
    by_school = matrix_of("PA", "AA", schools=[1, 2])
    assert combine(by_school).cells is by_school.cells


def test_every_letter_against_itself_is_itself() -> None:
    letters = "".join(LETTERS)
    joined = combine(matrix_of(letters, letters, letters, ids=[1, 1, 1], schools=[1, 2, 3]))
    assert joined.cells.tolist() == [cell_row(letters).tolist()]


def test_a_column_is_found_by_its_date() -> None:
    matrix = matrix_of("PPPPPP")
    assert matrix.column("2025-08-18") == 0
    assert matrix.column("2025-08-24") == 4  # a Sunday: the Friday before
    assert matrix.column("2025-08-17") == -1


def test_shapes_that_do_not_fit_are_refused() -> None:
    good = matrix_of("PP")
    with pytest.raises(ValueError, match="must both be"):
        type(good)(good.students, good.days[:1], good.weights, good.cells)


def test_few_are_found_among_many_in_any_order() -> None:
    among = np.array([2, 3, 5, 8, 13])
    assert stand_in(among, np.array([13, 1, 2, 2, 14, 4, 8])).tolist() == [True, False, True, True, False, False, True]
    assert stand_in(among, among[:0]).tolist() == []
    assert stand_in(among[:0], among).tolist() == [False] * 5
