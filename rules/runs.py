"""Days in a row: how long each run is at the end of each day, and when it began."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.daily import Bools, Ints


def in_a_row(counts: Bools, breaks: Bools, before: NDArray[Any]) -> Ints:
    """[D, S] length of the run that goes on; days that neither count nor break leave it. `before` [S]: so far."""
    length, run = np.zeros(counts.shape, np.int32), before
    for number, here in enumerate(counts):
        run = np.where(breaks[number], 0, run + here)
        length[number] = run
    return length


def began_on(length: Ints, days: NDArray[np.int64], before: NDArray[Any]) -> Ints:
    """[D, S] the day on which the run that goes on began, since 1970; -1 for none. `before` [S]: of the one so far."""
    start, begun = np.full(length.shape, -1, np.int32), before
    for number, day in enumerate(days):
        begun = np.where(length[number] == 0, -1, np.where(begun < 0, day, begun))
        start[number] = begun
    return start


def ended_by(length: Ints, attended: Bools, before: NDArray[Any]) -> Ints:
    """[D, S] how long the run was that ended with this day of attendance; 0 on all others. `before` [S]: so far."""
    so_far = np.concatenate([before[None].astype(length.dtype), length[:-1]])
    return np.where(attended, so_far, 0)
