"""What followed a support, beside what followed where none was given yet. Pure: days and groups in, numbers out.

Whoever gets a support is at a bad moment, and bad moments pass by themselves: before and after alone would praise
everything. So each student is set beside others who stood in the same tier, with about the same absence, in the same
week, and had no support yet. The difference is told with its range, and nothing is concluded from a range that holds
none, nor from few students.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rules.before_after import LEAST_KNOWN, UNKNOWN_OF, WHOLE_DAY, WINDOW
from rules.suppression import LEAST

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MONTH = 20  # school days; amounts are days away in so many
BANDS = (1.0, 2.0, 4.0)  # days away in a month before: under 5%, 10%, 20% of days, and more
SURE = 0.99  # one line of a page of thirty must not find by chance what is not there
STEP = 5  # percent to which a share of doses is told, so that two tables do not tell of one child


class Verdict(StrEnum):
    """What the difference says."""

    FEWER = "fewer"
    MORE = "more"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Spread:
    """Days away in a month: half of the students had at most `middle`, half of them between `low` and `high`."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """[N] students around a day: days away in a month before and since, and whom each may be set beside (`kind`)."""

    student: Ints
    kind: Ints
    before: Floats
    since: Floats

    @property
    def change(self) -> Floats:
        """Days a month more (above zero) or fewer since."""
        return self.since - self.before

    def only(self, chosen: Bools) -> Group:
        """Some of them."""
        return Group(self.student[chosen], self.kind[chosen], self.before[chosen], self.since[chosen])


@dataclass(frozen=True, slots=True)
class Difference:
    """How the change of `served` students differs from that of `others` like them, in days a month, and its range.

    Below zero: fewer days away. Without numbers where there were fewer than LEAST on either side.
    """

    served: int
    others: int
    days: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Nothing is said of a range that holds no difference."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return Verdict.CANNOT_TELL
        return Verdict.FEWER if self.high < 0 else Verdict.MORE


# -- before and since a day ------------------------------------------------------------------------------------------


def around(counted: Bools, known: Bools, absent: Ints, row: Ints, column: Ints) -> tuple[Floats, Floats]:
    """Days away in a month before and from column `column` [N] of row `row` [N]; NaN where it cannot be told.

    counted, known, absent: [S, D] whether the day is one of the student's school days, whether its attendance is
    known, and how much was missed (thousandths). Windows and what must be known of them are those of
    `before_after.around`: as many days on each side, up to WINDOW.
    """
    if not len(row):
        return np.zeros(0), np.zeros(0)
    nth = np.argsort(~counted, axis=1, kind="stable")  # the columns of the counted days, in order, come first
    total, seen, missed = (_before(values) for values in (counted, known & counted, np.where(known, absent, 0)))
    earlier = total[row, column]
    size = np.minimum(np.minimum(earlier, total[row, -1] - earlier), WINDOW)
    enough = size >= LEAST_KNOWN
    size = np.where(enough, size, 0)
    last = nth.shape[1] - 1
    first = np.where(enough, nth[row, np.minimum(earlier - size, last)], column)
    end = np.where(enough, nth[row, np.clip(earlier + size - 1, 0, last)] + 1, column)
    windows = []
    for begin, stop in ((first, column), (column, end)):
        days = seen[row, stop] - seen[row, begin]
        tells = enough & (days >= LEAST_KNOWN) & ((size - days) * UNKNOWN_OF <= size)
        away = (missed[row, stop] - missed[row, begin]) / WHOLE_DAY
        windows.append(np.where(tells, MONTH * away / np.maximum(days, 1), np.nan))
    both = np.isnan(windows[0]) | np.isnan(windows[1])
    return np.where(both, np.nan, windows[0]), np.where(both, np.nan, windows[1])


def _before(values: NDArray[np.generic]) -> Ints:
    """[S, D + 1] totals of the days before each column."""
    totals = np.zeros((values.shape[0], values.shape[1] + 1), dtype=np.int64)
    np.cumsum(values, axis=1, out=totals[:, 1:])
    return totals


def kind(week: Ints, tier: Ints, before: Floats) -> Ints:
    """[N] one number for each week, tier and band of absence before: equal for those who began alike."""
    band = np.digitize(np.nan_to_num(before), BANDS)
    return (week * 8 + tier + 1) * (len(BANDS) + 1) + band


def spread(values: Floats) -> Spread | None:
    """The middle and the middle half; None for fewer than LEAST."""
    if len(values) < LEAST:
        return None
    low, middle, high = np.percentile(values, (25, 50, 75)).round(1).tolist()
    return Spread(low, middle, high)


def share_given(given: int, planned: int) -> int | None:
    """Percent of the planned times that were given, to the nearest STEP; None where nothing was planned."""
    return None if not planned else STEP * round(100 * given / planned / STEP)


# -- beside those who had none yet -----------------------------------------------------------------------------------


def compare(served: Group, others: Group) -> Difference:
    """The change of those served, less the mean change of the others of the same kind.

    Only kinds with at least two others count. One student counts once on each side, in however many weeks they stand
    among the others. The range comes from how far students of one kind differ, by Student's t; nothing is drawn.
    """
    beside, count = np.unique(others.kind, return_counts=True)
    beside = beside[count >= 2]
    served = served.only(np.isin(served.kind, beside))
    others = others.only(np.isin(others.kind, np.unique(served.kind)))
    few = Difference(len(np.unique(served.student)), len(np.unique(others.student)))
    if min(few.served, few.others) < LEAST:
        return few
    kinds, at, weight = np.unique(others.kind, return_inverse=True, return_counts=True)
    mean = np.bincount(at, others.change) / weight
    place = np.searchsorted(kinds, served.kind)
    each = served.change - mean[place]
    days = float(each.mean())
    share = np.bincount(place, minlength=len(kinds)) / len(each)
    alone = _variance(served.student, (each - days) / len(each))
    # A mean of few lies close to each of them: what is left over is widened by as much, as HC2 does.
    left = (others.change - mean[at]) / np.sqrt(1 - 1 / weight[at])
    beside_them = _variance(others.student, left * (share / weight)[at])
    reach = _t(min(few.served, few.others) - 1) * float(np.sqrt(alone + beside_them))
    return Difference(few.served, few.others, days, days - reach, days + reach)


def _variance(student: Ints, parts: Floats) -> float:
    """Of a sum of parts that belong together student by student."""
    _, whose = np.unique(student, return_inverse=True)
    sums = np.bincount(whose, parts)
    return float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)


def _t(freedom: int) -> float:
    """Student's t that SURE of all draws stay within, for nine degrees of freedom or more (to a part in a thousand)."""
    z = NormalDist().inv_cdf((1 + SURE) / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
