"""Findings as spans: from the day on which a rule was met to the day on which that was over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.daily import Bools


@dataclass(frozen=True, slots=True)
class Span:
    """A finding from its first column to the column on which it was cleared; -1 while it is active."""

    row: int
    rule: str
    since: int
    until: int


def spans_of(key: str, active: Bools) -> list[Span]:
    """The runs of True in each row of [S, D], where a rule is active."""
    edges = np.diff(active.astype(np.int8), axis=1, prepend=np.int8(0))
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    until = {(row, nth): col for row, nth, col in _numbered(ends)}
    return [Span(row, key, col, until.get((row, nth), -1)) for row, nth, col in _numbered(begins)]


def _numbered(edges: NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """(row, how many edges of that row came before, column)."""
    row_before, nth = -1, 0
    for row, col in edges.tolist():
        nth = nth + 1 if row == row_before else 0
        row_before = row
        yield row, nth, col
