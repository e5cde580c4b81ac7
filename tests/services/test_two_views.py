"""Random pairs of views of small districts, as one and the same person may see them: no small number comes out.

The product's own functions tell: grades of a school (board, file, BI view and review alike), groups of schools,
networks and the district (page, file, review), goals of a group; month after month. The reader has every exact total
besides: each school's tiers on each day, and how many came into and went out of each between. Nearly all that is not
small is in sight all the same. With the guard off the same reader gets plenty. Counts of work are attacked in
test_counts_of_work.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from ew_app.services.watching import goal_groups, groups, kept, review_numbers
from ew_app.services.watching.kept import Counted, Kept, Shelf
from ew_app.services.watching.parts import Told
from models.cuts import ToldPart
from models.goals import Goal
from rules.overlaps import Seen
from rules.suppression import FEW, LEAST, Shown
from tests.services.reader import Reader

Rng = np.random.Generator
Counts = NDArray[np.int64]
DAYS = (date(2026, 10, 1), date(2026, 10, 20), date(2026, 11, 2), date(2026, 12, 1))  # the second: a correction
VALUES = {"grade": ("6", "7", "8"), "english_learner": ("false", "true"), "race_ethnicity": ("A", "B", "C", "D")}
SOME = 4  # small numbers of which it is asked how many they may still be
TIERS = groups.COLUMNS
RAW = {name: tier for tier, name in reversed(groups.COLUMN.items())}  # one tier that stands in each column


@pytest.fixture(autouse=True)
def shelf_in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ToldPart]]:
    """What was told is kept in a list, so that thousands of districts need no database."""
    held: list[ToldPart] = []

    def told(schools: Collection[str], day: date) -> list[ToldPart]:
        return sorted((one for one in held if one.schools in schools), key=lambda one: one.day)

    def others(by: str, schools: Collection[int], day: date) -> list[Seen]:
        return [kept._seen(one) for one in held if one.by == by]

    def keep(schools: frozenset[int], by: str, day: date, counted: Counted, shown: tuple[Shown, ...]) -> Kept:
        counts = [list(row) for row in counted.counts]
        held.append(
            ToldPart(
                schools=kept.fingerprint(schools), leaves=counted.leaves, by=by, day=day, names=list(counted.names),
                columns=list(counted.columns), counts=counts, shown=[list(row) for row in shown], exact=False,
            )
        )  # fmt: skip
        return Kept(day, counted, shown)

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


def some_district(rng: Rng, networks: Sequence[int] = (), sizes: Sequence[int] = (50, 90, 160, 300)) -> District:
    """Networks of so many schools, else one or two of one to three; children with a grade, a race and so on, a tier."""
    some = networks or [int(rng.integers(1, 4)) for _ in range(int(rng.integers(1, 3)))]
    made = District(tuple(n for n, schools in enumerate(some) for _ in range(schools)))
    for by in VALUES:
        made.stood[by], made.came[by], made.went[by] = [], [], []
    children: list[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]] = []
    for _ in made.networks:
        size = int(rng.choice(sizes))
        mix = rng.dirichlet(np.array([6.0, 2.0, 2.0, 0.2]) * rng.uniform(0.5, 3))
        traits = {by: rng.choice(len(v), size, p=rng.dirichlet(np.ones(len(v)) * 1.5)) for by, v in VALUES.items()}
        children.append((rng.choice(len(TIERS), size, p=mix), traits))
    _stand(made, children)
    for steps in (rng.choice([0, 1, 1, 2, 4]), *rng.choice([0, 1, 2, 5, 15, 60], 2)):
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
    exact: bool = False


class Product:
    """Tells as the product does, and remembers as it does."""

    def __init__(self, district: District) -> None:
        self.district = district

    def groups(self, by: str, place: str, at: int) -> Sight | None:
        """Groups of a place, and the grades of a school: page, file, BI view."""
        told = self.table(by, place, at)
        if told is None or told.day is None:
            return None
        known = {column: at for at, column in enumerate(told.columns)}
        labels = {groups._label(by, value): value for value in VALUES[by]}
        shown = {
            labels[name]: (*(row[known[tier]] if tier in known else 0 for tier in TIERS), total)
            for name, row, total in zip(told.names, told.rows, told.totals, strict=True)
        }
        return Sight(by, place, DAYS.index(told.day), shown)

    def table(self, by: str, place: str, at: int) -> Told | None:
        """What readers of counts get of a place on a day."""
        schools = self.district.schools(place)
        stood = self.district.stood[by][at]
        rows = [
            (by, school + 1, value, int(RAW[tier]), int(stood[school, row, column]))
            for school in schools
            for row, value in enumerate(VALUES[by])
            for column, tier in enumerate(TIERS)
            if stood[school, row, column]
        ]
        return groups._table(by, Shelf([one + 1 for one in schools], DAYS[at]), lambda: rows)

    def review(self, by: str, place: str, at: int) -> Sight | None:
        """The same as a review keeps it: how many of each group, and of them in Tier 2 or 3, in words."""
        table = self.table(by, place, at)
        if table is None:
            return None
        labels = {groups._label(by, value): value for value in VALUES[by]}
        rows = {labels[name]: (None, None, _heard(needing), None, _heard(students))
                for name, students, needing in review_numbers._lines(table)}  # fmt: skip
        return Sight(by, place, at, rows)

    def goals(self, by: str, place: str, at: int) -> Sight | None:
        """Goals of all groups of a place, of the month."""
        marks = kept.known([kept.fingerprint([one + 1 for one in self.district.schools(place)])], DAYS[at])
        for (_, kind), tables in marks.items():
            if kind == by:
                points = {value: goal_groups._point(Goal(subgroup=f"{by}:{goal_groups.YES_NO.get(value, value)}"),
                                                    tables[-1]) for value in VALUES[by]}  # fmt: skip
                rows = {value: (None, None, part or None, None, whole or None) for value, (_, part, whole) in
                        points.items()}  # fmt: skip
                return Sight(by, place, DAYS.index(tables[-1].day), rows)
        return None


def _heard(words: str) -> int | None:
    number = words.removeprefix("about ").replace(",", "")
    return {"kept back": None, "under 15": FEW, "none": None}[words] if words[0] in "kun" else int(number)


class Unmindful(Product):
    """The same pages without a guard: each day anew, exact, and only what is small itself kept back."""

    def groups(self, by: str, place: str, at: int) -> Sight | None:
        found = self.district.stood[by][at][list(self.district.schools(place))].sum(axis=0)
        rows = {
            value: tuple(None if n < LEAST else int(n) for n in (*found[row], found[row].sum()))
            for row, value in enumerate(VALUES[by])
        }
        return Sight(by, place, at, rows, True)


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
    place, by, kind = str(rng.choice(places)), str(rng.choice(list(VALUES))), rng.random()
    if kind < 0.3:
        product.groups(by, place, at)
        return product.goals(by, place, at) if kind < 0.15 else product.review(by, place, at)
    return product.groups(by, place, at)


def known_besides(reader: Reader, district: District, by: str, times: Sequence[int]) -> None:
    """The exact totals of every school on these days, and what came and went between them."""
    values = range(len(VALUES[by]))
    for school in range(len(district.networks)):
        for tier in range(len(TIERS)):
            for at in times:
                cells = [(by, school, value, tier, at) for value in values]
                reader.knows(cells, district.stood[by][at][school, :, tier].sum())
        for then, now in pairwise(times):
            _between(reader, district, by, school, then, now)


def _between(reader: Reader, district: District, by: str, school: int, then: int, now: int) -> None:
    for tier in range(len(TIERS)):
        values = range(len(VALUES[by]))
        for way, moved in (("came", district.came), ("went", district.went)):
            total = sum(int(moved[by][step][school, :, tier].sum()) for step in range(then, now))
            reader.knows([(way, now, by, school, value, tier) for value in values], total)
        for value in values:
            cell = (by, school, value, tier)
            move = {("came", now, *cell): -1.0, ("went", now, *cell): 1.0}
            reader.knows({(*cell, now): 1.0, (*cell, then): -1.0} | move, 0)


def look(reader: Reader, district: District, sight: Sight) -> None:
    by, schools, tiers = sight.by, district.schools(sight.place), range(len(TIERS))
    for value, shown in sight.rows.items():
        row = VALUES[by].index(value)
        for of, count in (*(((tier,), shown[tier]) for tier in tiers), (tiers, shown[-1])):
            reader.sees(
                [(by, school, row, tier, sight.at) for school in schools for tier in of], count, exact=sight.exact
            )


def small_numbers(district: District, sights: Sequence[Sight]) -> dict[frozenset[object], int]:
    """Every count under LEAST in the tables seen and in those of their schools, but in tiers that nobody is in."""
    found: dict[frozenset[object], int] = {}
    for by, place, at in {(one.by, one.place, one.at) for one in sights}:
        for schools in (district.schools(place), *((one,) for one in district.schools(place))):
            counts = district.stood[by][at][list(schools)].sum(axis=0)
            for row, tier in np.argwhere(counts < LEAST).tolist():
                if counts[:, tier].sum():
                    found[frozenset((by, school, row, tier, at) for school in schools)] = int(counts[row, tier])
            for row in np.flatnonzero(counts.sum(axis=1) < LEAST).tolist():
                cells = frozenset((by, school, row, tier, at) for school in schools for tier in range(len(TIERS)))
                found[cells] = int(counts[row].sum())
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


def everything(seed: int, held: list[ToldPart], left: list[int]) -> tuple[int, list[str]]:
    """Every table of every place in two months, opened in any order, by one person who keeps them all."""
    rng = np.random.default_rng(seed)
    held.clear()
    district = some_district(rng)
    product, sights = Product(district), []
    for at in (0, 2, 3):
        for place in rng.permutation(district.places).tolist():
            sights += [sight for by in VALUES if (sight := product.groups(by, place, at))]
            sights += [sight for by in VALUES if (sight := product.review(by, place, at))]
            sights += [sight for by in VALUES if (sight := product.goals(by, place, at))]
    tried, told = solved(district, sights, left)
    return tried, [f"seed {seed}: {one}" for one in told]


def in_sight(held: Sequence[ToldPart], *, single: bool) -> tuple[int, int]:
    """Of the counts of twenty and more of schools, or of networks and districts: how many are shown, of how many."""
    shown = [one is not None for part in held if (len(part.leaves) == 1) is single
             for row, line in zip(part.counts, part.shown, strict=True)
             for n, one in zip((*row, sum(row)), line, strict=True) if n >= 20]  # fmt: skip
    return sum(shown), len(shown)


def solved(district: District, seen: Sequence[Sight], left: list[int] | None = None) -> tuple[int, list[str]]:
    """How many small numbers a reader of these tried, and which were told beyond what exact totals tell anyway.

    `left` gets, of some of them, how many numbers each may still be.
    """
    tried, told = 0, []
    for by in sorted({one.by for one in seen}):
        sights = [one for one in seen if one.by == by]
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
        if left is not None:
            left += [reader.left_open(cell) for cell in list(small)[:: max(1, len(small) // SOME)]]
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
    tried, told, counted, left = 0, [], [], list[int]()
    for seed in range(readers):
        some, found = everything(seed, shelf_in_memory, left)
        tried, told = tried + some, told + found
        counted += [in_sight(shelf_in_memory, single=single) for single in (True, False)]
    shares = [sum(n for n, _ in some) / sum(n for _, n in some) for some in (counted[::2], counted[1::2])]
    with capsys.disabled():
        print(f"\n{readers} readers of everything, {tried:,} small numbers tried, {len(told)} recovered")
        print(f"{sum(n <= 2 for n in left)} of {len(left)} looked at closer may be one of two numbers only")
        print("in sight of counts of 20 and more: {:.1%} of schools, {:.1%} of networks and districts".format(*shares))
    assert not told, "\n".join(told[:10])
    assert min(shares) > 0.97


def test_in_a_city_nearly_everything_of_use_is_told(
    shelf_in_memory: list[ToldPart], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve schools as the demo has them, of six grades: every month anew, and nothing stays hidden for the year."""
    monkeypatch.setitem(VALUES, "grade", tuple("123456"))
    district = some_district(np.random.default_rng(1), (4, 4, 4), (180, 250, 350, 500))
    product = Product(district)
    for at in (0, 2, 3):
        for place in district.places:
            product.groups("grade", place, at)
            product.groups("race_ethnicity", place, at)
    (one, of), (more, all_) = (in_sight(shelf_in_memory, single=single) for single in (True, False))
    with capsys.disabled():
        print(f"\nin a city {one} of {of} counts of 20 and more are in sight at schools, {more} of {all_} above them")
    assert one > 0.97 * of and more > 0.97 * all_


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
