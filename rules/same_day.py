"""Several rows of one file for one student, school, day and period: which of them stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def standing(key: Ints, modified: Ints, rank: NDArray[np.integer]) -> NDArray[np.bool_]:
    """True for the one row of each key that stands; rows are in the order of the file.

    Where every row of a key says when it was modified (0: it does not), the newest stands; among equals and
    everywhere else the highest rank (`rules.day.precedence`), and the first of equal rows.
    """
    stands = np.ones(len(key), dtype=bool)
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    repeats = np.flatnonzero(ranked[1:] == ranked[:-1])
    if not len(repeats):
        return stands
    rows = order[np.isin(ranked, ranked[repeats])]
    stands[rows] = False
    stands[_winners(rows, key[rows], modified[rows], rank[rows])] = True
    return stands


def _winners(rows: NDArray[np.intp], key: Ints, modified: Ints, rank: NDArray[np.integer]) -> NDArray[np.intp]:
    """The row that stands of each key; `rows` are sorted by key."""
    starts = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
    sizes = np.diff(np.append(starts, len(key)))
    all_dated = np.repeat(np.minimum.reduceat(modified, starts) > 0, sizes)
    best = np.lexsort((-rows, rank, np.where(all_dated, modified, 0), key))
    last = np.append(starts[1:], len(key)) - 1
    return np.asarray(rows[best[last]], dtype=np.intp)
