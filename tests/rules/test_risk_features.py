"""What a model of risk looks at, from marks on."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts import compute
from rules.risk.cohort import belongs, has_label, is_chronic, later_chronic, least_days
from rules.risk.features import COLUMN, NAMES, UNKNOWN_GRADE, Features, Past, features, seen
from tests.rules.year import LETTERS, matrix_of

WORSE = {"P": "TqaeAEXU", "T": "aeAEXU", "q": "A", "e": "aE", "a": "A", "E": "A", "U": "A", "X": "A"}


def looked_at(
    *students: str, first: int = 0, schools: list[int] | None = None, past: Past | None = None, grade: int = 5
) -> Features:
    """The features of students from their marks, evening of the last day."""
    carried = compute(matrix_of(*students, first=first)).carried()
    size = len(students)
    places = np.array(schools or [1] * size)
    known = seen(carried, np.arange(size), places, np.full(size, grade), past or Past.none(size))
    return features(known)


def column(x: Features, name: str) -> list[float]:
    """One feature, nothing for what is not known."""
    return [round(float(value), 4) for value in x[:, COLUMN[name]]]


def test_a_student_of_thirty_days_in_features() -> None:
    x = looked_at("A" * 5 + "P" * 15 + "aTE" + "P" * 7, "P" * 30)
    assert x.dtype == np.float32 and x.shape == (2, len(NAMES))
    assert column(x, "absences") == [6.5, 0]
    assert column(x, "rate") == [round(6.5 / 30, 4), 0]
    assert column(x, "rate_last_20") == [0.075, 0]
    assert column(x, "unexcused_share") == [round(5.5 / 30, 4), 0]
    assert column(x, "marked_share") == [round(8 / 30, 4), 0]
    assert column(x, "school_rate") == [round(6.5 / 60, 4)] * 2


def test_last_year_is_no_part_of_this_year() -> None:
    history, year = "AAAAATTTTT", "AAPPPPPPPPPP"
    together, alone = looked_at(history + year, first=len(history)), looked_at(year)
    assert np.array_equal(together, alone, equal_nan=True)
    assert column(together, "marked_share") == [round(2 / 12, 4)]


def test_days_nobody_knows_are_on_neither_side() -> None:
    assert np.array_equal(looked_at("AP?M_HP.P"), looked_at("APPP"), equal_nan=True)


def test_an_earlier_year_counts_from_ten_days_on() -> None:
    def past(enrolled: int) -> Past:
        of = np.array([enrolled])
        return Past(of // 10, of, of // 20, of // 4, np.array([-1]), np.array([-1]))

    x = looked_at("PPPPPPPPPP", past=past(170_000))
    assert [column(x, name)[0] for name in ("last_year_rate", "last_year_late_rate", "has_last_year")] == [0.1, 0.2, 1]
    assert np.isnan(column(x, "year_before_rate")[0])
    few = looked_at("PPPPPPPPPP", past=past(9_000))
    assert column(few, "has_last_year") == [0] and np.isnan(few[0, COLUMN["last_year_rate"]])


def test_the_late_part_of_last_year_may_be_unknown_by_itself() -> None:
    x = looked_at("PPPP", past=Past(*(np.array([each]) for each in (17_000, 170_000, -1, -1, 0, 170_000))))
    assert np.isnan(x[0, COLUMN["last_year_late_rate"]]) and column(x, "has_last_year") == [1]
    assert column(x, "year_before_rate") == [0]


def test_each_school_has_its_own_rate_and_an_unknown_grade_is_not_known() -> None:
    x = looked_at("AAPP", "PPPP", "APPP", schools=[7, 7, 9], grade=UNKNOWN_GRADE)
    assert column(x, "school_rate") == [0.25, 0.25, 0.25]
    assert np.isnan(x[:, COLUMN["grade"]]).all()
    assert np.isnan(looked_at("....")[:, COLUMN["rate"]]).all()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("".join(LETTERS), min_size=26, max_size=26), min_size=2, max_size=4), st.data())
def test_a_mark_made_worse_lowers_no_attendance_feature(students: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 25))
    worse = data.draw(st.sampled_from(WORSE.get(students[0][at], students[0][at])))
    before = looked_at(*students)
    after = looked_at(students[0][:at] + worse + students[0][at + 1 :], *students[1:])
    assert np.array_equal(np.isnan(before), np.isnan(after))
    assert (np.nan_to_num(after) >= np.nan_to_num(before)).all()


def test_the_label_is_a_tenth_of_the_year_and_needs_ten_days() -> None:
    absent, enrolled = np.array([17_999, 18_000, 0, 900]), np.array([180_000, 180_000, 0, 9_000])
    assert is_chronic(absent, enrolled).tolist() == [False, True, False, True]
    assert has_label(enrolled).tolist() == [True, True, False, False]
    assert later_chronic(np.array([2_000]), np.array([20_000]), np.array([5_000]), np.array([60_000])).tolist() == [
        False
    ]


def test_who_is_scored() -> None:
    carried = compute(matrix_of("P" * 20, "." * 12 + "P" * 8, "M" * 20)).carried()
    known = seen(carried, np.array([4, 5, 6]), np.ones(3, int), np.ones(3, int), Past.none(3))
    assert belongs(known, 20, 20).tolist() == [True, False, False]
    assert belongs(known, 14, 20).tolist() == [True, True, False]
    assert belongs(known, 20, 20, excluded=[4]).tolist() == [False, False, False]
    assert not belongs(known, 20, 19).any()
    assert [least_days(day) for day in (10, 20, 40)] == [5, 10, 10]
