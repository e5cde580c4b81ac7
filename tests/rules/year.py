"""School days written as letters, for tests: one string per student, one letter per school day."""

from __future__ import annotations

import datetime as dt

import numpy as np

from rules import cells as c
from rules.cells import Cells, Excuse, Status
from rules.matrix import Matrix

# letter -> fraction missed, status, excuse, tardy
LETTERS: dict[str, tuple[int, Status, Excuse, bool]] = {
    "P": (0, Status.MEMBER, Excuse.OTHER, False),
    "A": (1000, Status.MEMBER, Excuse.UNEXCUSED, False),
    "E": (1000, Status.MEMBER, Excuse.EXCUSED, False),
    "X": (1000, Status.MEMBER, Excuse.OTHER, False),
    "U": (1000, Status.MEMBER, Excuse.UNKNOWN, False),
    "a": (500, Status.MEMBER, Excuse.UNEXCUSED, False),
    "e": (500, Status.MEMBER, Excuse.EXCUSED, False),
    "q": (250, Status.MEMBER, Excuse.OTHER, False),
    "T": (0, Status.MEMBER, Excuse.OTHER, True),
    "H": (0, Status.HELD_OUT, Excuse.OTHER, False),
    "M": (0, Status.MISSING, Excuse.OTHER, False),
    "?": (0, Status.UNKNOWN_CODE, Excuse.OTHER, False),
    "_": (0, Status.UNKNOWN_ROW, Excuse.OTHER, False),
    ".": (0, Status.OUT, Excuse.OTHER, False),
}
FIRST_DAY = dt.date(2025, 8, 18)


def cell_row(letters: str) -> Cells:
    """The cells of one student."""
    parts = [LETTERS[letter] for letter in letters]
    return c.pack(*(np.array(part) for part in zip(*parts, strict=True))) if parts else np.zeros(0, np.uint16)


def weekdays(count: int, start: dt.date = FIRST_DAY) -> np.ndarray:
    """`count` weekdays from `start` on."""
    return np.busday_offset(np.datetime64(start), np.arange(count), roll="forward")


def matrix_of(
    *students: str, weights: list[int] | None = None, first: int = 0, schools: list[int] | None = None,
    ids: list[int] | None = None,
) -> Matrix:  # fmt: skip
    """A matrix from rows of letters; spaces are for the eye."""
    rows = [student.replace(" ", "") for student in students]
    days = weekdays(len(rows[0]))
    worth = np.broadcast_to(np.array(weights or [1000] * len(days), dtype=np.int32), (len(rows), len(days))).copy()
    keys = np.array(ids or range(1, len(rows) + 1), dtype=np.int64)
    places = None if schools is None else np.array(schools, dtype=np.int64)
    return Matrix(keys, days, worth, np.stack([cell_row(row) for row in rows]), first, places)
