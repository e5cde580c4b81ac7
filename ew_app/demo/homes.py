"""Invented families over several years: what stays the same about a home and its children while the years go by.

More are drawn than ever live in the district; those who arrive later are taken from what is left. The years are
counted from the first one written (0); a child's `starts` is the year in which it is in kindergarten, long past or
still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ew_app.demo.district import Flags, Floats, Ints, School
from ew_app.demo.names import COMMUNITIES

GRADE_COUNT = 13
OLDEST_START = -18  # homes whose first child has left school may still have younger ones there


@dataclass(frozen=True, slots=True)
class Homes:
    """Columns, one value a home. Traits are normal with variance 1; more of one is less attendance."""

    community: Ints
    poor: Flags
    other_language: Flags
    interpreter: Flags
    network: Ints
    zone: Floats  # 0..1: where in its network it lives, which says its schools
    route: Ints  # of the school bus, 0 = walks or is driven
    ease: Floats  # how readily a child stays at home
    sickness: Floats
    silence: Floats  # how seldom it writes an excuse
    rush: Floats  # how hard its mornings are
    travels: Flags  # goes far away for weeks in some years

    def __len__(self) -> int:
        return len(self.community)


@dataclass(frozen=True, slots=True)
class People:
    """Columns, one value a child."""

    home: Ints
    starts: Ints
    ease: Floats
    sickness: Floats
    rush: Floats
    distance: Floats  # how little school means to it once it is older
    conduct: Floats
    stray: Flags  # goes to another school than the neighbours

    def __len__(self) -> int:
        return len(self.home)


def draw_homes(rng: np.random.Generator, schools: Sequence[School], count: int) -> Homes:
    """`count` homes, spread over the networks by the size of their schools."""
    shares = np.array([place.share for place in COMMUNITIES])
    community = rng.choice(len(shares), size=count, p=shares / shares.sum())
    spoken = np.array([place.spoken for place in COMMUNITIES])[community]
    foreign = np.array([place.language != "English" for place in COMMUNITIES])[community]
    other = foreign & (rng.random(count) < spoken)
    networks = sorted({school.network for school in schools})
    sizes = np.array([sum(s.size for s in schools if s.network == key) for key in networks])
    poor = rng.random(count) < 0.68
    return Homes(
        community=community,
        poor=poor,
        other_language=other,
        interpreter=other & (rng.random(count) < 0.45),
        network=rng.choice(len(networks), size=count, p=sizes / sizes.sum()),
        zone=rng.random(count),
        route=np.where(rng.random(count) < 0.38, rng.integers(1, 5, count), 0),
        ease=rng.normal(size=count) + 0.35 * poor,
        sickness=rng.normal(size=count),
        silence=rng.normal(size=count) + 0.4 * poor,
        rush=rng.normal(size=count) + 0.3 * poor,
        travels=rng.random(count) < np.where(other, 0.16, 0.03),
    )


def draw_people(rng: np.random.Generator, homes: int, years: int) -> People:
    """One to four children a home, one to four years apart; brothers and sisters are neighbours in the list."""
    size = rng.choice([1, 2, 3, 4], size=homes, p=[0.45, 0.33, 0.16, 0.06])
    home = np.repeat(np.arange(homes), size)
    count = len(home)
    first = np.flatnonzero(np.r_[True, home[1:] != home[:-1]])
    gaps = rng.choice([1, 2, 3, 4], size=count, p=[0.22, 0.36, 0.27, 0.15])
    gaps[first] = 0
    passed = np.cumsum(gaps)
    eldest = rng.integers(OLDEST_START, years, homes)
    return People(
        home=home,
        starts=eldest[home] + passed - passed[first][home],
        ease=rng.normal(size=count),
        sickness=rng.normal(size=count),
        rush=rng.normal(size=count),
        distance=rng.normal(size=count),
        conduct=rng.normal(size=count),
        stray=rng.random(count) < 0.13,
    )
