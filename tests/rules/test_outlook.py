"""Days that can still be missed, against trying every number of them."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rules.outlook import last_day_under, still_to_miss

TENTH = Fraction(1, 10)


def test_a_year_of_180_days_ends_under_a_tenth_with_seventeen() -> None:
    assert still_to_miss(80_000, 10_000, 100_000, TENTH) == 7_999
    assert still_to_miss(80_000, 17_500, 100_000, TENTH) == 499
    assert still_to_miss(80_000, 18_000, 100_000, TENTH) == -1


def test_the_last_day_that_can_be_missed_with_all_before_it() -> None:
    assert last_day_under(2_500, [1000, 1000, 500, 1000]) == 2
    assert last_day_under(999, [1000, 1000]) == -1
    assert last_day_under(-1, []) == -1
    assert last_day_under(9_000, [1000, 1000]) == 1


@given(st.integers(0, 200), st.integers(0, 60), st.integers(0, 200), st.sampled_from([TENTH, Fraction(1, 20)]))
def test_one_more_day_is_too_many(enrolled: int, absent: int, ahead: int, line: Fraction) -> None:
    left = int(still_to_miss(enrolled * 1000, absent * 1000, ahead * 1000, line))
    whole = (enrolled + ahead) * 1000
    assert whole == 0 or Fraction(absent * 1000 + left, whole) < line <= Fraction(absent * 1000 + left + 1, whole)
