"""The public summary: whoever adds and subtracts its tens, shares and bands on all levels gets no small number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import linprog

from ew_app.services.watching import public
from ew_app.services.watching.public import Line
from models.org import Network, School
from rules.suppression import HIDDEN, LEAST, tens

Rng = np.random.Generator
Row = tuple[list[float], float, float]  # what is added up, its least and its most


def some_district(rng: Rng) -> tuple[list[School], dict[str, Counter[str]]]:
    """One to three networks of one to five schools, many of them small, few or nearly all chronically absent."""
    schools, found = [], {}
    for network in range(int(rng.integers(1, 4))):
        place = Network(key=f"N{network}", name=f"Network {network}")
        for at in range(int(rng.integers(1, 6))):
            key = f"{network}-{at}"
            schools.append(School(key=key, name=f"School {key}", network=place))
            found[key] = Counter(
                moderate=int(rng.integers(0, int(rng.choice([12, 40, 300])))),
                satisfactory=int(rng.integers(0, int(rng.choice([12, 80, 600])))),
            )
    return schools, found


def in_sight(line: Line, pair: tuple[int, int], which: list[list[int]]) -> Iterator[Row]:
    """What one line says of the numbers that add up to it: [chronically absent, the others] of each school in it."""

    def about(number: int, of: list[int]) -> Row:
        return [float(one) for one in of], tens(number) - 5, tens(number) + 4

    both = [one + other for one, other in zip(*which, strict=True)]
    if line.students != HIDDEN:
        yield about(sum(pair), both)
    said = line.chronically_absent
    if said.startswith("under"):
        yield [float(one) for one in which[0]], 0, max(LEAST - 1, tens(pair[0]) + 4)
    elif said.startswith("over"):
        yield [float(one) for one in which[1]], 0, max(LEAST - 1, tens(pair[1]) + 4)
    elif said != HIDDEN:
        yield from (about(number, of) for number, of in zip(pair, which, strict=True))


def recovered(schools: list[School], found: dict[str, Counter[str]]) -> tuple[int, int]:
    """How many small numbers there are, and of how many a single value is left."""
    pairs = [public._pair(found[one.key]) for one in schools]
    rows: list[Row] = []
    for line in public._lines(schools, found):
        inside = [line.network in ("", one.network.name) and line.school in ("", one.name) for one in schools]
        pair = public._sum([one for one, here in zip(pairs, inside, strict=True) if here])
        which = [[int(here and side == at) for here in inside for at in (0, 1)] for side in (0, 1)]
        rows += in_sight(line, pair, which)
    small = [(place, side) for place, pair in enumerate(pairs) for side in (0, 1) if pair[side] < LEAST]
    return len(small), sum(_told(2 * place + side, len(schools), rows) for place, side in small)


def _told(cell: int, schools: int, rows: list[Row]) -> bool:
    aim = np.zeros(2 * schools)
    aim[cell] = 1
    above = [row for row, _, _ in rows] + [[-one for one in row] for row, _, _ in rows]
    most = [high for _, _, high in rows] + [-low for _, low, _ in rows]
    ends = []
    for sign in (1, -1):
        found = linprog(sign * aim, A_ub=above or None, b_ub=most or None, bounds=(0, 10_000))
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
    return bool(np.ceil(ends[0] - 1e-6) >= np.floor(ends[1] + 1e-6))


@pytest.mark.parametrize("tables", [150, pytest.param(2000, marks=pytest.mark.deep)])
def test_no_public_table_tells_a_small_number(tables: int, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(7)
    tried = told = 0
    for _ in range(tables):
        some, gone = recovered(*some_district(rng))
        tried, told = tried + some, told + gone
    with capsys.disabled():
        print(f"\n{tables} public tables, {tried:,} small numbers tried, {told} recovered")
    assert told == 0 and tried > tables


def test_the_attacker_gets_one_where_numbers_are_exact() -> None:
    """Two schools and their exact sum, one of them in sight."""
    rows: list[Row] = [([1, 0, 1, 0], 47, 47), ([0, 0, 1, 0], 40, 40)]
    assert _told(0, 2, rows)
