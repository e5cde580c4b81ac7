"""No table of counts gives a small one away, whoever can add and subtract."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.suppression import (
    HIDDEN,
    LEAST,
    Table,
    share_of_tens,
    share_words,
    suppress,
    suppress_together,
    tens,
    tens_words,
)

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


@settings(max_examples=80, deadline=None)
@given(
    st.integers(2, 3).flatmap(
        lambda width: st.lists(st.lists(st.integers(0, 25), min_size=width, max_size=width), min_size=1, max_size=3)
    )
)
def test_a_hidden_count_can_be_two_things_at_least(counts: list[list[int]]) -> None:
    """Another table of counts, none below nothing, gives the same totals and shown cells: for every hidden cell."""
    table = suppress(counts)
    hidden = [(r, c) for r, row in enumerate(table.rows) for c, shown in enumerate(row) if shown is None]
    moved = set()
    for steps in product((-1, 0, 1), repeat=len(hidden)):
        change = dict(zip(hidden, steps, strict=True))
        if all(counts[r][c] + step >= 0 for (r, c), step in change.items()) and _same_totals(table, change):
            moved |= {cell for cell, step in change.items() if step}
    everything = all(shown is None for row in table.rows for shown in row)
    assert moved == set(hidden) or everything


def _same_totals(table: Table, change: dict[tuple[int, int], int]) -> bool:
    rows = [sum(step for (r, _), step in change.items() if r == row) for row in range(len(table.rows))]
    columns = [sum(step for (_, c), step in change.items() if c == col) for col in range(len(table.rows[0]))]
    known = [moved for moved, total in zip(rows, table.totals, strict=True) if total is not None]
    return not any(known) and not any(columns)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=8, max_size=8), min_size=1, max_size=5))
def test_two_tables_about_the_same_children_hide_alike(pairs: list[list[int]]) -> None:
    """What is hidden under one policy is hidden under the other, and each alone is still safe."""
    one, other = [row[:4] for row in pairs], [row[4:] for row in pairs]
    first, second = suppress_together([one, other])
    for row, beside in zip((*first.rows, first.totals), (*second.rows, second.totals), strict=True):
        assert [count is None for count in row] == [count is None for count in beside]
    assert suppress(one, beside=[first]) == first


def test_a_count_of_nothing_does_not_hide_its_neighbour() -> None:
    """12 beside a hidden 0 is as good as told where nothing else can be more: a third count goes too."""
    table = suppress([[12, 0, 30], [40, 50, 60]])
    assert table.rows[0].count(None) >= 2
    assert table.rows[1].count(None) >= 2


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (4, 9, HIDDEN),
        (9, 18, HIDDEN),
        (0, 20, "under 50%"),
        (9, 30, "under 34%"),
        (11, 30, "37%"),
        (30, 30, "over 66%"),
        (9, 170, "under 6%"),
        (165, 170, "over 94%"),
        (50, 100, "50%"),
        (0, 5000, "under 1%"),
        (5000, 5000, "over 99%"),
    ],
)
def test_shares_near_an_end_are_bands(part: int, whole: int, words: str) -> None:
    assert share_words(part, whole) == words


def test_counts_that_can_be_compared_are_told_in_tens() -> None:
    assert [tens_words(count) for count in (10, 14, 15, 104, None)] == [
        "about 10", "about 10", "about 20", "about 100", HIDDEN,
    ]  # fmt: skip


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_share_never_tells_which_small_count_it_is(part: int, rest: int) -> None:
    """Whatever small number they are, few look alike, at either end."""
    whole = part + rest
    if part < LEAST:
        assert share_words(part, whole) == share_words(0, whole)
    if rest < LEAST:
        assert share_words(part, whole) == share_words(whole, whole)


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_share_of_tens_tells_no_more_than_the_tens(part: int, rest: int) -> None:
    """Two trials that differ by one child who stays within the same tens look alike."""
    shown = [count if count >= LEAST else None for count in (part, rest)]
    told = share_of_tens(part, rest, shown)
    if None not in shown:
        assert told == share_of_tens(tens(part), tens(rest), shown)
        assert share_of_tens(part, rest, [None, rest]) == HIDDEN  # kept back for the sake of another group
    elif part < LEAST <= rest:
        assert told == share_of_tens(0, tens(part + rest), [None, rest])  # which small number it is, nobody knows
