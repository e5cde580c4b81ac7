"""How long a school day is, and how much of it was missed by the minutes somebody was there: none, half, or all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rules.cells import WHOLE_DAY

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DayLength:
    """Minutes of a school day and of enough presence; each a number, or one value per day resolved."""

    day: ArrayLike = 420
    full: ArrayLike = 300
    half: ArrayLike = 150
    proportional: ArrayLike = False


def half_day_rule(missed: ArrayLike, parts: ArrayLike, length: DayLength) -> Ints:
    """Thousandths absent when `missed`/`parts` minutes of the day were missed; exact, without division.

    The minutes asked for never exceed the day itself (full) or half of it (half).
    """
    day, parts = np.asarray(length.day, dtype=np.int64), np.asarray(parts, dtype=np.int64)
    gone = np.clip(np.asarray(missed, dtype=np.int64), 0, day * parts)
    attended = day * parts - gone
    enough = attended >= np.minimum(length.full, day) * parts
    half = 2 * attended >= np.minimum(2 * np.asarray(length.half), day) * parts
    stepped = np.where(enough, 0, np.where(half, WHOLE_DAY // 2, WHOLE_DAY))
    exact = WHOLE_DAY * gone // np.maximum(day * parts, 1)
    return np.where(length.proportional, exact, stepped)
