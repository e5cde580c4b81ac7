"""Days with a reason, and spells of them, for as long as a window of school days holds them."""

from __future__ import annotations

import numpy as np
import pytest

from rules.reasons import FOREVER, Spans, windows

TAUGHT = np.array([10, 11, 12, 13, 14, 17, 18, 19, 20, 21])  # two weeks


def told(row: list[int], day: list[int], length: int = 3) -> tuple[list[list[int]], list[list[int]]]:
    days, spells = windows(np.array(row), np.array(day), TAUGHT, length)
    return days.counted(2, TAUGHT).tolist(), spells.counted(2, TAUGHT).tolist()


def test_a_day_counts_until_as_many_school_days_have_come() -> None:
    days, spells = told([0], [11])
    assert days == spells == [[0, 1, 1, 1, 0, 0, 0, 0, 0, 0], [0] * 10]


def test_a_weekend_does_not_end_a_spell() -> None:
    days, spells = told([1, 1], [14, 17])
    assert days[1] == [0, 0, 0, 0, 1, 2, 2, 1, 0, 0]
    assert spells[1] == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]


def test_a_day_in_between_does() -> None:
    assert told([0, 0, 1], [10, 12, 12])[1] == [[1, 1, 2, 1, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]]


def test_days_without_school_and_the_end_of_the_calendar() -> None:
    days, _ = windows(np.array([0, 0]), np.array([15, 21]), TAUGHT, 3)
    assert (days.since.tolist(), days.until.tolist()) == ([21], [FOREVER])


@pytest.mark.parametrize("taught", [TAUGHT, TAUGHT[:0]])
def test_nobody_ill_is_nothing(taught: np.ndarray) -> None:
    nobody = np.zeros(0, dtype=np.int64)
    days, spells = windows(nobody, nobody, taught, 40)
    assert isinstance(days, Spans)
    assert len(days.row) == len(spells.row) == 0
