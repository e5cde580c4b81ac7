"""Small counts kept back, so that no table tells about one child. Pure: counts in, counts or None out.

A count under LEAST is hidden. Because totals stay in sight, more is hidden beside it until what is hidden can
neither be worked out, by whoever knows that counts are never below nothing, nor stands, as a sum, for fewer than
LEAST. Shares close to none or all are told as a band, and numbers that can be compared between tables as tens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 10
HIDDEN = "kept back"
CLEAR = 15  # from here on tables in tens show a count: it may fall a little, and still be none under LEAST
FEW = 0  # stands in them for every count under CLEAR
Shown = tuple[int | None, ...]
Hidden = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of counts and the total of each row; None where a count is hidden."""

    rows: tuple[Shown, ...]
    totals: Shown


def suppress(counts: Sequence[Sequence[int]], beside: Sequence[Table] = (), *, margin: int = 0) -> Table:
    """Hide what is small in rows of counts whose column totals are known, and what would give it away.

    `beside`: tables of the same form about the same children; what is hidden there is hidden here too. `margin`: hide
    by so much more than LEAST, for counts that may still fall.
    """
    if not counts:
        return Table((), ())
    table = np.array(counts, dtype=np.int64)
    totals = table.sum(axis=1)
    hidden, small_rows = table < LEAST + margin, totals < LEAST + margin
    for other in beside:
        hidden |= _mask(other)
        small_rows |= _rows_mask(other)
    small_rows = _close(totals, small_rows)
    hidden[small_rows] = True
    while (more := _next(table, hidden, small_rows)) is not None:
        hidden[more] = True
    rows = tuple(_shown(row, kept_back) for row, kept_back in zip(table, hidden, strict=True))
    return Table(rows, _shown(totals, small_rows))


def _mask(table: Table) -> Hidden:
    return np.array([[count is None for count in row] for row in table.rows], dtype=np.bool_)


def _rows_mask(table: Table) -> Hidden:
    return np.array([total is None for total in table.totals], dtype=np.bool_)


def suppress_together(tables: Sequence[Sequence[Sequence[int]]], *, margin: int = 0) -> tuple[Table, ...]:
    """Several tables of the same form about the same children: what is hidden in one is hidden in all."""
    shown = tuple(suppress(counts, margin=margin) for counts in tables)
    while (again := tuple(suppress(counts, beside=shown, margin=margin) for counts in tables)) != shown:
        shown = again
    return shown


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
    for row, column in np.argwhere(_told(table, hidden, small_rows)):
        if not hidden[row].all():
            return int(row), _smallest(table[row], hidden[row])
        if not hidden[:, column].all():
            return _smallest(table[:, column], hidden[:, column]), int(column)
    return None


def _told(table: NDArray[np.int64], hidden: Hidden, small_rows: Hidden) -> Hidden:
    """[rows, columns] the hidden cells that the known totals, taken together, leave only one value for.

    A cell may be another number if its line makes up for it in other hidden cells, these in theirs, and so on back to
    where it began; a count of nothing cannot be less. Rows without a known total need no making up.
    """
    line = np.where(small_rows, -1, np.arange(len(table)))
    steps: dict[tuple[str, int], list[tuple[tuple[str, int], int, int]]] = {}
    for row, column in np.argwhere(hidden).tolist():
        steps.setdefault(("row", int(line[row])), []).append((("column", column), row, column))
        if table[row, column]:
            steps.setdefault(("column", column), []).append((("row", int(line[row])), row, column))
    told = np.zeros_like(hidden)
    for row, column in np.argwhere(hidden).tolist():
        here, there = ("row", int(line[row])), ("column", column)
        more = _leads(steps, there, here, (row, column))
        fewer = bool(table[row, column]) and _leads(steps, here, there, (row, column))
        told[row, column] = not (more or fewer)
    return told


Node = tuple[str, int]


def _leads(steps: dict[Node, list[tuple[Node, int, int]]], start: Node, end: Node, without: tuple[int, int]) -> bool:
    """Whether a chain of hidden cells, without this one, leads from one line to another."""
    seen, ahead = {start}, [start]
    while ahead:
        for node, row, column in steps.get(ahead.pop(), ()):
            if (row, column) == without:
                continue
            if node == end:
                return True
            if node not in seen:
                seen.add(node)
                ahead.append(node)
    return False


# -- words -----------------------------------------------------------------------------------------------------------

_BANDS = ((20, 20), (40, 10), (100, 5), (300, 2))  # up to so many children, shares within so many percent of an end


def share_words(part: int, whole: int) -> str:
    """A share as whole percent: `37%`; near none or all as a band such as `under 5%`, the wider the fewer there are.

    A band covers every count under LEAST, so that the share never tells which of them it is.
    """
    if whole < LEAST:
        return HIDDEN
    edge = max(next((percent for most, percent in _BANDS if whole <= most), 1), -(-100 * LEAST // whole))
    if 2 * edge > 100:
        return HIDDEN
    if 100 * part < edge * whole:
        return f"under {edge}%"
    if 100 * (whole - part) < edge * whole:
        return f"over {100 - edge}%"
    return f"{(200 * part + whole) // (2 * whole)}%"


def points_between(one: str, other: str) -> str:
    """How many points one share of `share_words` is above another: `+3`; kept back where either is told as a band."""
    shares = [words.removesuffix("%") for words in (one, other)]
    if not all(share.isdigit() for share in shares):
        return HIDDEN
    return f"{int(shares[0]) - int(shares[1]):+d}"


def count_words(count: int) -> str:
    """A count that stands alone, beside no total."""
    return f"{count:,}" if count >= LEAST else HIDDEN


def tens(count: int) -> int:
    """The count to the nearest ten."""
    return (count + 5) // 10 * 10


def tens_words(count: int | None) -> str:
    """A count in tens, so that two tables that differ by one child look alike."""
    return HIDDEN if count is None else f"about {tens(count):,}"


def told_words(told: int | None) -> str:
    """What a table in tens shows: `about 40`, `under 15`, `kept back`."""
    return f"under {CLEAR}" if told == FEW else tens_words(told)


def share_of_tens(part: int, rest: int, shown: Sequence[int | None]) -> str:
    """A share of counts that are told in tens, so that it tells no more than they do.

    `shown`: the two counts as a suppressed table has them. A small one makes a band; one that is hidden to keep
    another safe is kept back altogether.
    """
    if None not in shown:
        return share_words(tens(part), tens(part) + tens(rest))
    whole = tens(part + rest)
    if part >= LEAST and rest >= LEAST:
        return HIDDEN
    return share_words(0 if part < LEAST else whole, whole)
