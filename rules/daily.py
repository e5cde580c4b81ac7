"""What a single day adds to each measure: the one place where a cell becomes an amount.

Amounts are thousandths of a school day, the rest are counts of days. Missing, unknown and held-out days are on
neither side.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules.cells import UNMAPPED, WHOLE_DAY, Cells, Excuse, Status

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

HALF_DAY = WHOLE_DAY // 2
PLAIN = int(c.pack(0, Status.MEMBER))  # attended, on time, nothing missed


class Daily:
    """Cells as amounts; every attribute has the shape of the cells and weights given."""

    def __init__(self, cells: Cells, weights: NDArray[np.integer]) -> None:
        self.status = c.status(cells)
        self.member = self.status == Status.MEMBER
        self.fraction = c.fraction(cells)
        self._late, self._excuse, self._weights = c.tardy(cells), c.excuse(cells), weights

    @cached_property
    def enrolled(self) -> Ints:
        """What a member day weighs."""
        return np.where(self.member, self._weights, 0).astype(np.int32, copy=False)

    @cached_property
    def absent(self) -> Ints:
        """Thousandths missed, every cause."""
        return self.fraction.astype(np.int32) * self.enrolled // WHOLE_DAY

    @property
    def excused(self) -> Ints:
        """Missed with a code that says excused."""
        return np.where(self._excuse == Excuse.EXCUSED, self.absent, 0)

    @cached_property
    def unexcused(self) -> Ints:
        """Missed with a code that says unexcused."""
        return np.where(self._excuse == Excuse.UNEXCUSED, self.absent, 0)

    @property
    def federal_absent(self) -> Ints:
        """The whole weight of a day missed by at least half."""
        return np.where(self.fraction >= HALF_DAY, self.enrolled, 0)

    @property
    def tardies(self) -> Bools:
        """Member days on which the student came late."""
        return np.asarray(self._late & self.member)

    @property
    def due_days(self) -> Bools:
        """School days on which the student was expected, whatever became of them."""
        return np.asarray(self.status != Status.OUT)

    @property
    def missing_days(self) -> Bools:
        """Enrolled school days that the school never submitted."""
        return np.asarray(self.status == Status.MISSING)

    @cached_property
    def unknown_codes(self) -> Bools:
        """Days with a code nobody has mapped."""
        return np.isin(self.status, UNMAPPED)

    @cached_property
    def unknown_days(self) -> Bools:
        """Those, days without a row in a full feed, and days of class periods that nobody can add up."""
        return np.isin(self.status, (Status.UNKNOWN_ROW, Status.UNKNOWN_PERIODS, *UNMAPPED))

    @property
    def undecided(self) -> Ints:
        """Weight of a missing or unknown day: what a late file may still turn either way."""
        return np.where(self.missing_days | self.unknown_days, self._weights, 0).astype(np.int32, copy=False)

    @property
    def short(self) -> Bools:
        """School days on which the student was expected for less than a whole day."""
        return np.asarray(self.due_days & (np.asarray(self._weights) < WHOLE_DAY))

    @property
    def unexplained(self) -> Ints:
        """Thousandths of the day itself that were missed while no reason for it was on record."""
        silent = self.member & ((self._excuse == Excuse.UNEXCUSED) | (self._excuse == Excuse.UNKNOWN))
        return np.where(silent, self.fraction, 0).astype(np.int32, copy=False)

    @property
    def full(self) -> Bools:
        """Member days missed whole."""
        return np.asarray(self.member & (self.fraction == WHOLE_DAY))

    @property
    def full_unexcused(self) -> Bools:
        """Member days missed whole with a code that says unexcused."""
        return np.asarray(self.full & (self._excuse == Excuse.UNEXCUSED))

    @property
    def attended(self) -> Bools:
        """Member days attended at least in part."""
        return np.asarray(self.member & (self.fraction < WHOLE_DAY))
