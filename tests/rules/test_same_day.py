"""Of several rows of one file for one key, one stands."""

from __future__ import annotations

import numpy as np
import pytest

from rules.same_day import standing


@pytest.mark.parametrize(
    ("rows", "stands"),
    [
        ([(1, 0, 5), (2, 0, 5)], [True, True]),
        ([(1, 0, 5), (1, 0, 9)], [False, True]),  # the higher rank
        ([(1, 0, 5), (1, 0, 5)], [True, False]),  # the first of equals
        ([(1, 8, 9), (1, 12, 5)], [False, True]),  # the newest, when all are dated
        ([(1, 8, 9), (1, 0, 5)], [True, False]),  # one without a date: rank decides
        ([(1, 8, 5), (1, 8, 9)], [False, True]),  # equally new: rank decides
        ([(7, 0, 1), (1, 0, 1), (7, 0, 2), (1, 0, 0)], [False, True, True, False]),
        ([], []),
    ],
)
def test_which_row_stands(rows: list[tuple[int, int, int]], stands: list[bool]) -> None:
    """Rows of (key, modified, rank)."""
    key, modified, rank = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    assert standing(key, modified, rank).tolist() == stands
