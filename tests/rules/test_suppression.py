"""No table of counts gives a small one away, whoever can add and subtract."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.suppression import LEAST, Table, suppress

tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=1, max_size=6)
)


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert suppress([[10, 20], [30, 40]]) == Table(((10, 20), (30, 40)), (30, 70))


def test_a_single_small_count_takes_three_others_with_it() -> None:
    table = suppress([[40, 9, 50], [30, 20, 50], [30, 25, 50]])
    assert table.rows == ((None, None, 50), (None, None, 50), (30, 25, 50))
    assert table.totals == (99, 100, 105)


def test_a_grade_of_fewer_than_ten_hides_its_size_and_that_of_one_more() -> None:
    table = suppress([[3, 2], [20, 15], [30, 40]])
    assert table.totals == (None, None, 70)
    assert table.rows[:2] == ((None, None), (None, None))


def test_small_counts_that_add_up_to_a_small_sum_hide_one_more() -> None:
    """4 + 3 hidden beside 50 and a total of 57 would say: seven."""
    row = suppress([[50, 4, 3, 30], [50, 40, 30, 30]]).rows[0]
    assert row.count(None) == 3


def test_no_rows_is_no_table() -> None:
    assert suppress([]) == Table((), ())


@settings(deadline=None)
@given(tables)
def test_every_small_count_is_hidden(counts: list[list[int]]) -> None:
    table = suppress(counts)
    assert all(shown is None or shown >= LEAST for row in (*table.rows, table.totals) for shown in row)
    for row, shown in zip(counts, table.rows, strict=True):
        assert all(one in (None, count) for count, one in zip(row, shown, strict=True))


@settings(deadline=None)
@given(tables)
def test_no_line_of_a_known_total_hides_one_count_or_a_small_sum(counts: list[list[int]]) -> None:
    table = suppress(counts)
    rows = zip(counts, table.rows, table.totals, strict=True)
    lines = [(count, shown) for count, shown, total in rows if total is not None]
    lines += list(zip(zip(*counts, strict=True), zip(*table.rows, strict=True), strict=True))
    for line, shown in lines:
        hidden = [count for count, one in zip(line, shown, strict=True) if one is None]
        everything = len(hidden) == len(line)
        assert not hidden or everything or (len(hidden) > 1 and sum(hidden) >= LEAST)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 14), min_size=3, max_size=3), min_size=3, max_size=3))
def test_a_hidden_count_can_be_two_things_at_least(counts: list[list[int]]) -> None:
    """Taking the arithmetic alone: a change of hidden cells that leaves every known total as it is touches each."""
    table = suppress(counts)
    hidden = [(r, c) for r, row in enumerate(table.rows) for c, shown in enumerate(row) if shown is None]
    if not hidden or all(shown is None for row in table.rows for shown in row):
        return
    moved = set()
    for steps in product((-1, 0, 1), repeat=len(hidden)):
        change = dict(zip(hidden, steps, strict=True))
        rows_hold = all(
            sum(step for (r, _), step in change.items() if r == row) == 0
            for row in range(3)
            if table.totals[row] is not None
        )
        if rows_hold and all(sum(step for (_, c), step in change.items() if c == col) == 0 for col in range(3)):
            moved |= {cell for cell, step in change.items() if step}
    assert moved == set(hidden)
