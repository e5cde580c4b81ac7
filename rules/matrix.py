"""A school year as a matrix, students x school days; and how two schools of one student become one row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules.cells import UNMAPPED, Cells, Excuse, Status

Days = NDArray[np.datetime64]


def stand_in(ascending: NDArray[np.int64], ids: NDArray[np.integer]) -> NDArray[np.bool_]:
    """[N] which of these ids stand in an ascending array; nothing is sorted, so few are found fast among many."""
    if not len(ascending):
        return np.zeros(len(ids), dtype=bool)
    found: NDArray[np.bool_] = ascending[np.minimum(np.searchsorted(ascending, ids), len(ascending) - 1)] == ids
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Rows are students (school scope: one per student and school); columns are school days, ascending."""

    students: NDArray[np.int64]  # [S]
    days: Days  # [D] datetime64[D]
    weights: NDArray[np.int32]  # [S, D] thousandths the day is worth on the calendar
    cells: Cells  # [S, D]
    first: int = 0  # the column where this school year starts; earlier columns are history
    schools: NDArray[np.int64] | None = None  # [S] at school scope

    def __post_init__(self) -> None:
        shape = (len(self.students), len(self.days))
        if self.cells.shape != shape or self.weights.shape != shape:
            raise ValueError(f"cells {self.cells.shape} and weights {self.weights.shape} must both be {shape}")
        if not 0 <= self.first <= len(self.days):
            raise ValueError(f"first column {self.first} lies outside the {len(self.days)} days")

    def column(self, day: object) -> int:
        """The last column on or before `day`; -1 when the matrix starts later."""
        return int(np.searchsorted(self.days, np.datetime64(str(day), "D"), side="right")) - 1

    def rows(self, chosen: NDArray[np.intp]) -> Matrix:
        """The same days for some of the rows."""
        schools = None if self.schools is None else self.schools[chosen]
        return Matrix(self.students[chosen], self.days, self.weights[chosen], self.cells[chosen], self.first, schools)

    def as_last_known(self) -> Matrix:
        """The matrix that tiers are decided on: a day whose code nobody has mapped yet stands as it stood before."""
        if not (c.status(self.cells) == Status.RECODED).any():
            return self
        known = c.as_last_known(self.cells)
        return Matrix(self.students, self.days, self.weights, known, self.first, self.schools)

    def with_a_cause(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Matrix:
        """The same days, but an absence in these cells has a cause: it is unexcused and unexplained no more."""
        cells, at = self.cells.copy(), (rows, columns)
        none_given = np.isin(c.excuse(cells[at]), (Excuse.UNEXCUSED, Excuse.UNKNOWN)) & (c.fraction(cells[at]) > 0)
        chosen = (rows[none_given], columns[none_given])
        told = cells[chosen]
        cells[chosen] = c.pack(c.fraction(told), c.status(told), Excuse.OTHER, c.tardy(told))
        return Matrix(self.students, self.days, self.weights, cells, self.first, self.schools)


def combine(by_school: Matrix) -> Matrix:
    """School-scope rows -> one row per student, in order of first appearance.

    A day counts once. Attended whole anywhere, it is attended. Missed somewhere, it is missed only as far as at
    every school where it was due: what one of them has not told yet is not known of the day. Between members the
    smaller fraction stands, the more excused on a tie, tardy if tardy at either.
    """
    _, first_row, group = np.unique(by_school.students, return_index=True, return_inverse=True)
    keep = np.sort(first_row)
    if len(keep) == len(by_school.students):
        return Matrix(by_school.students, by_school.days, by_school.weights, by_school.cells, by_school.first)
    joined = by_school.rows(keep)
    several = np.flatnonzero(np.bincount(group)[group] > 1)
    several = several[np.argsort(group[several], kind="stable")]
    starts = np.flatnonzero(np.diff(group[several], prepend=-1))
    target = np.searchsorted(keep, first_row[group[several[starts]]])
    weights, cells = _best_of(by_school.weights[several], by_school.cells[several], starts)
    joined.weights[target] = weights
    joined.cells[target] = cells
    return Matrix(joined.students, joined.days, joined.weights, joined.cells, joined.first)


_STATUS_RANK = np.zeros(8, dtype=np.int64)
_UNTOLD = (*UNMAPPED[::-1], Status.UNKNOWN_PERIODS, Status.UNKNOWN_ROW, Status.MISSING)
_FIRST = (*_UNTOLD, Status.MEMBER, Status.HELD_OUT, Status.OUT)
for _rank, _status in enumerate(_FIRST, start=1):
    _STATUS_RANK[_status] = _rank
_EXCUSE_RANK = np.zeros(4, dtype=np.int64)
_EXCUSE_RANK[[Excuse.EXCUSED, Excuse.OTHER, Excuse.UNKNOWN, Excuse.UNEXCUSED]] = 0, 1, 2, 3
_ROW_BITS = 20


def _best_of(weights: NDArray[np.int32], cells: Cells, starts: NDArray[np.intp]) -> tuple[NDArray[np.int32], Cells]:
    """Per group of rows and day the cell that stands: attended whole, else the smallest of status, fraction, excuse."""
    row, status, fraction = np.arange(len(cells)), c.status(cells), c.fraction(cells).astype(np.int64)
    certain = np.where((status == Status.MEMBER) & (fraction == 0), 0, _STATUS_RANK[status])
    rank = certain << 12 | fraction << 2 | _EXCUSE_RANK[c.excuse(cells)]
    best = np.minimum.reduceat(rank << _ROW_BITS | row[:, None], starts, axis=0) & ((1 << _ROW_BITS) - 1)
    day = np.arange(cells.shape[1])
    late = np.logical_or.reduceat(c.tardy(cells) & (c.status(cells) == Status.MEMBER), starts, axis=0)
    chosen = cells[best, day]
    member = c.status(chosen) == Status.MEMBER
    tardy = np.where(member, late, c.tardy(chosen))
    return weights[best, day], c.pack(c.fraction(chosen), c.status(chosen), c.excuse(chosen), tardy)
