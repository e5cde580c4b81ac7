"""Random pairs of views of small districts, as one and the same person may see them: no small number comes out.

The product's own functions tell: grades of a school (board, file, BI view and review alike), groups of schools,
networks and the district (page, file, review), goals of a group. The reader has every exact total besides: each
school's tiers on each day, and how many came into and went out of each between. With the guard off the same reader
gets plenty. Counts of work are attacked in test_counts_of_work.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from ew_app.services.watching import cuts, groups, kept
from ew_app.services.watching.kept import Counted, Kept, Shelf
from ew_app.web import goal_words
from models.cuts import ToldCut, ToldPart
from rules.goals import Point
from rules.overlaps import Seen
from rules.suppression import LEAST, Table
from tests.services.reader import Reader

Rng = np.random.Generator
Counts = NDArray[np.int64]
DAYS = (date(2026, 10, 1), date(2026, 10, 20), date(2026, 11, 2))  # told, corrected in the same month, the next month
VALUES = {"grade": ("6", "7", "8"), "english_learner": ("false", "true"), "race_ethnicity": ("A", "B", "C", "D")}
TIERS = groups.COLUMNS
RAW = {name: tier for tier, name in reversed(groups.COLUMN.items())}  # one tier that stands in each column


held_cuts: list[ToldCut] = []


@pytest.fixture(autouse=True)
def shelf_in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ToldPart]]:
    """What was told is kept in a list, so that thousands of districts need no database."""
    held: list[ToldPart] = []
    held_cuts.clear()

    def told(schools: str, day: date) -> list[ToldPart]:
        return sorted((one for one in held if one.schools == schools), key=lambda one: one.day)

    def others(by: str, day: date) -> tuple[list[Seen], list[Seen]]:
        parts_ = [(one.day, one.leaves, one.names, one) for one in held if one.by == by]
        own = [
            (one.day, kept.leaf(one.school_id, one.grades, one.counts), one.grades, one)
            for one in held_cuts
            if by == "grade"
        ]
        found = [
            (when, kept._seen(leaves, names, one.counts, one.shown, exact=isinstance(one, ToldCut)))
            for when, leaves, names, one in (*parts_, *own)
        ]
        return kept.by_month(found, day)

    def keep(schools: frozenset[int], by: str, day: date, counted: Counted, table: Table) -> Kept:
        shown = [[*row, total] for row, total in zip(table.rows, table.totals, strict=True)]
        counts = [list(row) for row in counted.counts]
        held.append(
            ToldPart(
                schools=kept._fingerprint(schools), leaves=counted.leaves, by=by, day=day, names=list(counted.names),
                columns=list(counted.columns), counts=counts, shown=shown,
            )
        )  # fmt: skip
        return Kept(day, counted, table)

    monkeypatch.setattr(kept, "_told", told)
    monkeypatch.setattr(kept, "_keep", keep)
    monkeypatch.setattr(kept, "others", others)
    monkeypatch.setattr(groups, "FEW", 0)
    yield held


# -- a district ------------------------------------------------------------------------------------------------------


@dataclass
class District:
    """Schools of networks; for each dimension counts [school, value, tier] on each of DAYS, and what moved between."""

    networks: tuple[int, ...]  # of each school
    stood: dict[str, list[Counts]] = field(default_factory=dict)
    came: dict[str, list[Counts]] = field(default_factory=dict)
    went: dict[str, list[Counts]] = field(default_factory=dict)

    def schools(self, place: str) -> tuple[int, ...]:
        kind, _, key = place.partition(":")
        every = range(len(self.networks))
        return tuple(
            n for n in every if kind == "district" or int(key) == (n if kind == "school" else self.networks[n])
        )

    @property
    def places(self) -> list[str]:
        networks = sorted(set(self.networks))
        return ["district", *(f"network:{n}" for n in networks), *(f"school:{n}" for n in range(len(self.networks)))]


def some_district(rng: Rng) -> District:
    """One or two networks of one to three schools; their children with a grade, a race, a language and a tier."""
    made = District(tuple(n for n in range(int(rng.integers(1, 3))) for _ in range(int(rng.integers(1, 4)))))
    for by in VALUES:
        made.stood[by], made.came[by], made.went[by] = [], [], []
    children: list[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]] = []
    for _ in made.networks:
        size = int(rng.choice([50, 90, 160, 300]))
        mix = rng.dirichlet(np.array([6.0, 2.0, 2.0, 0.2]) * rng.uniform(0.5, 3))
        traits = {by: rng.choice(len(v), size, p=rng.dirichlet(np.ones(len(v)) * 1.5)) for by, v in VALUES.items()}
        children.append((rng.choice(len(TIERS), size, p=mix), traits))
    _stand(made, children)
    for steps in (rng.choice([0, 1, 1, 2, 4]), rng.choice([0, 1, 2, 5, 15, 60])):
        before = [tiers.copy() for tiers, _ in children]
        for tiers, _ in children:
            who = rng.integers(0, len(tiers), int(steps))
            tiers[who] = rng.integers(0, len(TIERS), int(steps))
        _move(made, before, children)
        _stand(made, children)
    return made


def _table(tiers: NDArray[np.int64], trait: NDArray[np.int64], width: int) -> Counts:
    found = np.zeros((width, len(TIERS)), dtype=np.int64)
    np.add.at(found, (trait, tiers), 1)
    return found


def _stand(made: District, children: Sequence[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]]) -> None:
    for by, values in VALUES.items():
        made.stood[by].append(np.stack([_table(tiers, traits[by], len(values)) for tiers, traits in children]))


def _move(
    made: District, before: Sequence[NDArray[np.int64]],
    children: Sequence[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]],
) -> None:  # fmt: skip
    for by, values in VALUES.items():
        came, went = [], []
        for then, (now, traits) in zip(before, children, strict=True):
            moved = then != now
            came.append(_table(now[moved], traits[by][moved], len(values)))
            went.append(_table(then[moved], traits[by][moved], len(values)))
        made.came[by].append(np.stack(came))
        made.went[by].append(np.stack(went))


# -- what the product tells ------------------------------------------------------------------------------------------


@dataclass
class Sight:
    """One view: a table by `by` of a place on a day; `first`: what it shows for the first time is higher."""

    by: str
    place: str
    at: int
    rows: dict[str, tuple[int | None, ...]]  # value -> by tier, then all
    exact: bool
    least: int = LEAST


class Product:
    """Tells as the product does, and remembers as it does."""

    def __init__(self, district: District) -> None:
        self.district = district
        held_cuts.clear()

    def groups(self, by: str, place: str, at: int) -> Sight | None:
        """Groups of a place: its page, its file, and what a review of it keeps."""
        schools = self.district.schools(place)
        stood = self.district.stood[by][at]
        rows = [
            (by, school + 1, value, int(RAW[tier]), int(stood[school, row, column]))
            for school in schools
            for row, value in enumerate(VALUES[by])
            for column, tier in enumerate(TIERS)
            if stood[school, row, column]
        ]
        told = groups._table(by, Shelf([one + 1 for one in schools], DAYS[at]), lambda: rows)
        if told is None or told.day is None:
            return None
        known = {column: at for at, column in enumerate(told.columns)}
        labels = {groups._label(by, value): value for value in VALUES[by]}
        shown = {
            labels[name]: (*(row[known[tier]] if tier in known else 0 for tier in TIERS), total)
            for name, row, total in zip(told.names, told.rows, told.totals, strict=True)
        }
        return Sight(by, place, DAYS.index(told.day), shown, False)

    def grades(self, school: int, at: int) -> Sight | None:
        """The grades of a school: board, file, BI view, and the lines of its review."""
        held, day = [one for one in held_cuts if one.school_id == school + 1], DAYS[at]
        grades, counts = list(VALUES["grade"]), self.district.stood["grade"][at][school].tolist()
        if not held or held[-1].day.month != day.month:
            table = cuts._next(grades, counts, held[-1]) if held else cuts._first(counts)
            if table is not None:
                table = cuts._beside(school + 1, day, grades, counts, table)
                shown = [[*row, total] for row, total in zip(table.rows, table.totals, strict=True)]
                held.append(ToldCut(school_id=school + 1, day=day, grades=grades, counts=counts, shown=shown))
                held_cuts.append(held[-1])
        if not held:
            return None
        last = held[-1]
        rows = {grade: tuple(row) for grade, row in zip(last.grades, last.shown, strict=True)}
        return Sight("grade", f"school:{school}", DAYS.index(last.day), rows, True)

    def goal(self, by: str, place: str, at: int, rng: Rng) -> Sight | None:
        """A goal of a group: how many of it are in Tier 2 or 3, and how many are not."""
        row = int(rng.integers(len(VALUES[by])))
        found = self.district.stood[by][at][list(self.district.schools(place))].sum(axis=0)[row]
        part, whole = int(found[2]), int(found.sum())
        shown, all_ = goal_words._in_tens(Point(DAYS[at], part, whole))
        if not all_:
            return None
        return Sight(f"goal:{by}", place, at, {VALUES[by][row]: (None, None, shown, None, all_ - shown)}, False)


class Unmindful(Product):
    """The same pages without a guard: each day anew, exact, and only what is small itself kept back."""

    def groups(self, by: str, place: str, at: int) -> Sight | None:
        found = self.district.stood[by][at][list(self.district.schools(place))].sum(axis=0)
        rows = {
            value: tuple(None if n < LEAST else int(n) for n in (*found[row], found[row].sum()))
            for row, value in enumerate(VALUES[by])
        }
        return Sight(by, place, at, rows, True)

    def grades(self, school: int, at: int) -> Sight | None:
        return self.groups("grade", f"school:{school}", at)


# -- one reader, two views -------------------------------------------------------------------------------------------


def views_of(rng: Rng, district: District) -> list[str]:
    """The places whose pages one reader of counts may open: a school, a network with its schools, or all."""
    who = rng.integers(3)
    if who == 0:
        return district.places
    network = int(rng.choice(district.networks))
    schools = [f"school:{n}" for n in district.schools(f"network:{network}")]
    return [f"network:{network}", *schools] if who == 1 else [str(rng.choice(schools))]


def one_view(rng: Rng, product: Product, places: Sequence[str], at: int) -> Sight | None:
    place, kind = str(rng.choice(places)), rng.random()
    by = str(rng.choice(list(VALUES)))
    if kind < 0.15:
        return product.goal(by, place, at, rng)
    if place.startswith("school:") and (by == "grade" or kind < 0.4):
        return product.grades(int(place.partition(":")[2]), at)
    return product.groups(by, place, at)


def known_besides(reader: Reader, district: District, by: str, times: Sequence[int]) -> None:
    """The exact totals of every school on these days, and what came and went between them."""
    values = range(len(VALUES[by]))
    for school in range(len(district.networks)):
        for tier in range(len(TIERS)):
            for at in times:
                cells = [(by, school, value, tier, at) for value in values]
                reader.knows(cells, district.stood[by][at][school, :, tier].sum())
        if len(times) == 2:
            _between(reader, district, by, school, times[0], times[1])


def _between(reader: Reader, district: District, by: str, school: int, then: int, now: int) -> None:
    for tier in range(len(TIERS)):
        values = range(len(VALUES[by]))
        for way, moved in (("came", district.came), ("went", district.went)):
            total = sum(int(moved[by][step][school, :, tier].sum()) for step in range(then, now))
            reader.knows([(way, by, school, value, tier) for value in values], total)
        for value in values:
            cell = (by, school, value, tier)
            move = {("came", *cell): -1.0, ("went", *cell): 1.0}
            reader.knows({(*cell, now): 1.0, (*cell, then): -1.0} | move, 0)


def look(reader: Reader, district: District, sight: Sight) -> None:
    by = sight.by.removeprefix("goal:")
    schools = district.schools(sight.place)
    for value, shown in sight.rows.items():
        row = VALUES[by].index(value)
        for tier in range(len(TIERS)):
            cells = [(by, school, row, tier, sight.at) for school in schools]
            reader.sees(cells, shown[tier], exact=sight.exact or shown[tier] == 0)
        of = (0, 1, 3) if sight.by.startswith("goal:") else range(len(TIERS))
        everybody = [(by, school, row, tier, sight.at) for school in schools for tier in of]
        reader.sees(everybody, shown[-1], exact=sight.exact)


def small_numbers(district: District, sights: Sequence[Sight]) -> dict[frozenset[object], int]:
    """Every count under LEAST in the tables seen and in those of their schools, but in tiers that nobody is in."""
    found: dict[frozenset[object], int] = {}
    for sight in sights:
        by = sight.by.removeprefix("goal:")
        stood = district.stood[by][sight.at]
        for schools in [district.schools(sight.place), *((one,) for one in district.schools(sight.place))]:
            counts = stood[list(schools)].sum(axis=0)
            for row, tier in np.argwhere(counts < LEAST).tolist():
                if counts[:, tier].sum():
                    cell = frozenset((by, school, row, tier, sight.at) for school in schools)
                    found[cell] = int(counts[row, tier])
    return found


def attacked(seed: int, make: type[Product], held: list[ToldPart]) -> tuple[int, list[str]]:
    """One pair of views: how many small numbers were tried, and which were told."""
    rng = np.random.default_rng(seed)
    held.clear()
    district = some_district(rng)
    product, places = make(district), views_of(rng, district)
    at = sorted(int(one) for one in rng.integers(0, len(DAYS), 2))
    if rng.random() < 0.5:  # others looked before, so that there is something to look back at
        for place in places:
            for by in VALUES:
                product.groups(by, place, 0)
    pair = [one for one in (one_view(rng, product, places, day) for day in at) if one is not None]
    tried, told = solved(district, pair)
    return tried, [f"seed {seed}: {one}" for one in told]


def everything(seed: int, held: list[ToldPart]) -> tuple[int, list[str]]:
    """Every table of every place in two months, opened in any order, by one person who keeps them all."""
    rng = np.random.default_rng(seed)
    held.clear()
    district = some_district(rng)
    product, sights = Product(district), {}
    for at in (0, 2):
        for place in rng.permutation(district.places).tolist():
            for by in VALUES:
                school = int(place.partition(":")[2]) if place.startswith("school:") and by == "grade" else None
                sight = product.groups(by, place, at) if school is None else product.grades(school, at)
                if sight is not None:
                    sights[sight.by, sight.place, sight.at] = sight
    tried, told = solved(district, list(sights.values()))
    return tried, [f"seed {seed}: {one}" for one in told]


def solved(district: District, seen: Sequence[Sight]) -> tuple[int, list[str]]:
    """How many small numbers a reader of these tried, and which were told beyond what exact totals tell anyway."""
    tried, told = 0, []
    for by in sorted({one.by.removeprefix("goal:") for one in seen}):
        sights = [one for one in seen if one.by.removeprefix("goal:") == by]
        times = sorted({one.at for one in sights})
        reader, alone = Reader(), Reader()
        known_besides(reader, district, by, times)
        known_besides(alone, district, by, times)
        for sight in sights:
            look(reader, district, sight)
        small = small_numbers(district, sights)
        free = set(alone.recovers(small))
        small = {cell: truth for cell, truth in small.items() if cell not in free}
        found = reader.recovers(small)
        tried += len(small)
        views = [(one.by, one.place, one.at) for one in sights]
        told += [f"{views} {sorted(map(str, cell))} = {small[cell]}" for cell in found]
    return tried, told


@pytest.mark.parametrize("pairs", [60, pytest.param(2000, marks=pytest.mark.deep)])
def test_no_two_views_of_groups_tell_a_small_number(
    pairs: int, shelf_in_memory: list[ToldPart], capsys: pytest.CaptureFixture[str]
) -> None:
    tried, told = 0, []
    for seed in range(pairs):
        some, found = attacked(seed, Product, shelf_in_memory)
        tried, told = tried + some, told + found
    with capsys.disabled():
        print(f"\n{pairs} pairs of views of groups, {tried:,} small numbers tried, {len(told)} recovered")
    assert not told, "\n".join(told[:10])
    assert tried > 10 * pairs


@pytest.mark.parametrize("readers", [6, pytest.param(150, marks=pytest.mark.deep)])
def test_not_even_all_views_together_tell_one(
    readers: int, shelf_in_memory: list[ToldPart], capsys: pytest.CaptureFixture[str]
) -> None:
    tried, told = 0, []
    for seed in range(readers):
        some, found = everything(seed, shelf_in_memory)
        tried, told = tried + some, told + found
    with capsys.disabled():
        print(f"\n{readers} readers of everything, {tried:,} small numbers tried, {len(told)} recovered")
    assert not told, "\n".join(told[:10])


def test_without_the_guard_the_reader_gets_them(
    shelf_in_memory: list[ToldPart], capsys: pytest.CaptureFixture[str]
) -> None:
    tried, told = 0, []
    for seed in range(60):
        some, found = attacked(seed, Unmindful, shelf_in_memory)
        tried, told = tried + some, told + found
    with capsys.disabled():
        print(f"\nwithout the guard: {len(told)} of {tried:,} small numbers recovered from 60 pairs of views")
    assert len(told) > 60
