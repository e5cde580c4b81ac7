"""How much of a school year can still be missed before it ends on the wrong side of a line, and until when."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


def still_to_miss(enrolled: ArrayLike, absent: ArrayLike, ahead: ArrayLike, line: Fraction) -> Ints:
    """Thousandths of days that may still be missed so that the year ends under the line; negative: too many already.

    `enrolled` and `absent` to date, `ahead` the school days that are left, all in thousandths.
    """
    whole = np.asarray(enrolled, np.int64) + np.asarray(ahead, np.int64)
    most = (whole * line.numerator - 1) // line.denominator
    found: Ints = most - np.asarray(absent, np.int64)
    return found


def last_day_under(left: int, weights: ArrayLike) -> int:
    """Place of the last school day ahead that may be missed with all before it; -1 for none.

    Whoever stays away up to that day and comes on every later one ends the year under the line, and nobody after it.
    """
    return int(np.searchsorted(np.cumsum(np.asarray(weights, np.int64)), left, side="right")) - 1
