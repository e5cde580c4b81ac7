"""Small counts kept back, so that no table tells about one child. Pure: counts in, counts or None out.

A count under LEAST is hidden. Because totals stay in sight, more is hidden beside it until what is hidden can
neither be worked out nor stands, as a sum, for fewer than LEAST.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 10
Shown = tuple[int | None, ...]
Hidden = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of counts and the total of each row; None where a count is hidden."""

    rows: tuple[Shown, ...]
    totals: Shown


def suppress(counts: Sequence[Sequence[int]]) -> Table:
    """Hide what is small in rows of counts whose column totals are known, and what would give it away."""
    if not counts:
        return Table((), ())
    table = np.array(counts, dtype=np.int64)
    totals = table.sum(axis=1)
    small_rows = _close(totals, totals < LEAST)
    hidden = table < LEAST
    hidden[small_rows] = True
    while (more := _next(table, hidden, small_rows)) is not None:
        hidden[more] = True
    rows = tuple(_shown(row, kept_back) for row, kept_back in zip(table, hidden, strict=True))
    return Table(rows, _shown(totals, small_rows))


def _shown(counts: NDArray[np.int64], hidden: Hidden) -> Shown:
    return tuple(None if gone else int(count) for count, gone in zip(counts, hidden, strict=True))


def _close(line: NDArray[np.int64], hidden: Hidden) -> Hidden:
    """One line of counts with a known total: hide the smallest left until the hidden ones are safe together."""
    hidden = hidden.copy()
    while _open(line, hidden):
        hidden[_smallest(line, hidden)] = True
    return hidden


def _open(line: NDArray[np.int64], hidden: Hidden) -> bool:
    """Whether subtracting the shown counts from the total tells one count, or one small sum."""
    alone = hidden.sum() == 1 or (hidden.any() and line[hidden].sum() < LEAST)
    return bool(alone and not hidden.all())


def _smallest(line: NDArray[np.int64], hidden: Hidden) -> int:
    """The place of the smallest count that is still shown."""
    return int(np.argmin(np.where(hidden, np.iinfo(np.int64).max, line)))


def _next(table: NDArray[np.int64], hidden: Hidden, small_rows: Hidden) -> tuple[int, int] | None:
    """One more cell to hide, or None when every line is safe and no hidden count can be worked out."""
    for row in np.flatnonzero(~small_rows):
        if _open(table[row], hidden[row]):
            return int(row), _smallest(table[row], hidden[row])
    for column in range(table.shape[1]):
        if _open(table[:, column], hidden[:, column]):
            return _smallest(table[:, column], hidden[:, column]), column
    for row, column in np.argwhere(_told(hidden, small_rows)):
        if not hidden[row].all():
            return int(row), _smallest(table[row], hidden[row])
        if not hidden[:, column].all():
            return _smallest(table[:, column], hidden[:, column]), int(column)
    return None


def _told(hidden: Hidden, small_rows: Hidden) -> Hidden:
    """[rows, columns] the hidden cells that the known totals, taken together, leave only one value for."""
    told = np.zeros_like(hidden)
    cells = np.argwhere(hidden)
    if not len(cells):
        return told
    by_row = [(cells[:, 0] == row) for row in np.flatnonzero(~small_rows)]
    by_column = [(cells[:, 1] == column) for column in range(hidden.shape[1])]
    known = np.array(by_row + by_column, dtype=float)
    projection = np.diag(np.linalg.pinv(known) @ known)
    told[tuple(cells[projection > 1 - 1e-9].T)] = True
    return told
