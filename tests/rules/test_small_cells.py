"""2,000 random pairs of views of one school: the attacker solves for every small count and gets none.

The guard is what the product does: a table by grade is told once a month, remembers the one before, and waits where
both together would tell. With the guard off the same attacker gets plenty.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rules.suppression import LEAST, Table, suppress, suppress_after
from tests.rules.attacker import Attacker, Between, Counts, View

MARGIN = 5
Rng = np.random.Generator
Guard = Callable[[Counts, Counts, Table], Table | None]


def some_school(rng: Rng) -> Counts:
    """[grades, tiers]: a school of 2 to 9 grades, small and large, with few children in the higher tiers."""
    grades, tiers = int(rng.integers(2, 10)), int(rng.integers(2, 6))
    if rng.random() < 0.5:  # close to the line, where a child more or less shows
        return rng.integers(LEAST - 3, LEAST + 8, size=(grades, tiers))
    sizes = rng.integers(3, int(rng.choice([25, 60, 150])), size=grades)
    shares = rng.dirichlet(np.array([6.0, 2.0, 1.5, 1.0, 0.3])[:tiers] * rng.uniform(0.3, 3), size=grades)
    counts = np.array([rng.multinomial(size, share) for size, share in zip(sizes, shares, strict=True)])
    if rng.random() < 0.3:  # the highest tier has nobody yet
        counts[:, -1] = 0
    return counts


def later(rng: Rng, then: Counts) -> tuple[Counts, Between]:
    """The same school some time after: a child or many changed tier, came new or left."""
    grades, tiers = then.shape
    stay, came, went = then.copy(), np.zeros_like(then), np.zeros_like(then)
    for _ in range(int(rng.choice([0, 1, 1, 2, 3, 8, 30]))):
        grade, tier = int(rng.integers(grades)), int(rng.integers(tiers))
        kind = rng.random()
        if kind < 0.85:
            to = int(rng.integers(tiers))
            if to != tier and stay[grade, tier]:
                stay[grade, tier] -= 1
                went[grade, tier] += 1
                came[grade, to] += 1
        elif kind < 0.92 and stay[grade, tier]:
            stay[grade, tier] -= 1
            went[grade, tier] += 1
        else:
            came[grade, tier] += 1
    return stay + came, Between(came, went)


def small(view: int, shown: View) -> list[tuple[int, int, int]]:
    """The hidden counts under LEAST that the whole school's totals do not tell by themselves (a tier of nobody)."""
    everybody = shown.counts.sum(axis=0)
    places = np.argwhere((shown.counts < LEAST) & (everybody > 0))
    return [(view, int(grade), int(tier)) for grade, tier in places]


def unmindful(now: Counts, then: Counts, told: Table) -> Table:
    """Each day by itself, as if nobody kept the table of the day before."""
    return suppress(now.tolist())


def mindful(now: Counts, then: Counts, told: Table) -> Table | None:
    return suppress_after(now.tolist(), then.tolist(), told)


def attacked(seed: int, guard: Guard, margin: int) -> tuple[int, int, bool]:
    """One pair of views: how many small cells were tried, how many were told, whether the later table was held back."""
    rng = np.random.default_rng(seed)
    then = some_school(rng)
    first = View(then, suppress(then.tolist(), margin=margin))
    now, between = later(rng, then)
    table = guard(now, then, first.table)
    if table is None:  # the page goes on showing the first; its totals of today and the movement stand beside it
        nothing = Table(tuple((None,) * now.shape[1] for _ in now), (None,) * len(now))
        second = View(now, nothing)
    else:
        second = View(now, table)
    cells = [*small(0, first), *(small(1, second) if table is not None else [])]
    found = Attacker((first, second), between).recovers(cells) if cells else []
    return len(cells), len(found), table is None


@pytest.mark.parametrize("pairs", [40, pytest.param(2000, marks=pytest.mark.deep)])
def test_no_pair_of_views_tells_a_small_count(pairs: int, capsys: pytest.CaptureFixture[str]) -> None:
    tried = told = held = 0
    for seed in range(pairs):
        cells, found, waits = attacked(seed, mindful, MARGIN)
        tried, told, held = tried + cells, told + found, held + waits
    with capsys.disabled():
        print(f"\n{pairs} pairs of views, {tried:,} small cells tried, {told} recovered; {held} later tables waited")
    assert told == 0
    assert tried > 5 * pairs and held < pairs / 2


def test_the_attacker_gets_them_where_nobody_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    """The same pairs, each day suppressed by itself."""
    told = sum(attacked(seed, unmindful, 0)[1] for seed in range(60))
    with capsys.disabled():
        print(f"\nwithout the guard: {told} small cells recovered from 60 pairs of views")
    assert told > 0


def test_a_count_that_was_in_sight_and_fell_is_the_reason_to_wait() -> None:
    """Ten in grade 1 stood in sight; a single child left that tier: nine, if the next table came."""
    then = np.array([[10, 30], [20, 40], [25, 40]])
    now = np.array([[9, 31], [20, 40], [25, 40]])
    first_table = suppress(then.tolist())
    assert None not in first_table.rows[0] and suppress(now.tolist()).rows[0][0] is None
    assert suppress_after(now.tolist(), then.tolist(), first_table) is None
