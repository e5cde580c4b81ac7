"""Days with a reason that somebody gave: how many of them, and how many spells, lie in a window of school days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
FOREVER = 2_932_896  # 9999-12-31 as days since 1970


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Of a student (row), from the first day on which something counts to the day on which it counts no more."""

    row: Ints
    since: Ints
    until: Ints

    def then(self, others: Spans) -> Spans:
        """These and others."""
        return Spans(*(np.concatenate([getattr(self, name), getattr(others, name)]) for name in self.__slots__))

    def counted(self, rows: int, days: Ints) -> Ints:
        """[rows, D] how many of them lie over each of these days."""
        edges = np.zeros((rows, len(days) + 1), dtype=np.int64)
        np.add.at(edges, (self.row, np.searchsorted(days, self.since)), 1)
        np.add.at(edges, (self.row, np.searchsorted(days, np.maximum(self.since, self.until))), -1)
        return np.cumsum(edges, axis=1)[:, :-1]


NOTHING = Spans(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def windows(row: Ints, day: Ints, taught: Ints, length: int) -> tuple[Spans, Spans]:
    """(days, spells) with the reason, each for as long as a window of so many school days holds it.

    `row`, `day`: who gave the reason for which day, each pair once, in order; `taught`: the school days of all of them.
    Days on which nobody was taught do not count. A spell is a run of school days one right after the other.
    """
    nth = np.searchsorted(taught, day)
    real = taught[np.minimum(nth, len(taught) - 1)] == day if len(taught) else np.zeros(len(day), dtype=bool)
    row, day, nth = row[real], day[real], nth[real]
    ahead = np.append(taught, np.full(length, FOREVER))
    until = ahead[nth + length]
    begins = np.ones(len(row), dtype=bool)
    begins[1:] = (row[1:] != row[:-1]) | (nth[1:] != nth[:-1] + 1)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(row)) - 1
    if not len(row):
        return NOTHING, NOTHING
    return Spans(row, day, until), Spans(row[first], day[first], until[last])
