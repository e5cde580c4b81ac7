"""What befalls invented families: spells that begin and end on any day, in term or in the holidays, over years.

Each kind has its own ages, length and course, after what is known of the causes of absence: about one child in ten has
an ongoing illness such as asthma, and it comes in bad and good seasons; families without a settled home lose days and
move again; school avoidance begins most around the changes to middle and high school (Kieffer, Marinell and Neugebauer
2014: attendance of New York children falls, and differs, most in grade 8); jobs and drifting away belong to high school
(Whitney and Liu 2016: a jump at grade 9). Brothers and sisters share what happens to a home. In some spells somebody
helps after weeks or months and the days away become fewer; some of those fall back; many spells end by themselves, and
many do not. Nothing here looks at how often a child has been away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ew_app.demo.district import Floats, Ints
from ew_app.demo.homes import Homes, People

NEVER = 1 << 30
YEAR_DAYS = 365
YEARS_BEFORE = 5  # what began before the first year written and may still go on


class Kind(IntEnum):
    HOUSING = 0
    CAR = 1
    CRISIS = 2
    CARE = 3
    WORK = 4
    AVOIDANCE = 5
    DRIFT = 6
    FADING = 7  # the way out of a child that drops out
    HEALTH = 8  # an ongoing illness; a day's chance that an episode begins


OF_THE_HOME = (Kind.HOUSING, Kind.CAR, Kind.CRISIS)
HELPED = {Kind.HOUSING: 0.4, Kind.CAR: 0.5, Kind.CRISIS: 0.3, Kind.CARE: 0.3, Kind.WORK: 0.12}
HELPED |= {Kind.AVOIDANCE: 0.42, Kind.DRIFT: 0.25, Kind.FADING: 0.0, Kind.HEALTH: 0.25}
# Chance a year that it begins, by grade K..12.
AVOIDS = np.array([1.4, 1.1, 0.9, 0.9, 1.0, 1.5, 3.4, 3.0, 3.4, 4.0, 2.8, 2.0, 1.5]) / 100
DRIFTS = np.array([0, 0, 0, 0, 0, 0.3, 1.2, 2.2, 3.6, 8.0, 7.0, 6.5, 7.0]) / 100
WORKS = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0.8, 3.5, 8.0, 9.0]) / 100
CARES = np.array([0, 0, 0, 0, 0.8, 1.0, 1.6, 2.0, 2.4, 2.6, 2.6, 2.6, 2.4]) / 100


@dataclass(frozen=True, slots=True)
class Spells:
    """Columns, one value a spell; days are ordinals of dates. `peak`: a day's chance of being away once it is full."""

    kind: Ints
    who: Ints  # a home for the kinds of a home, else a child
    start: Ints
    end: Ints
    rise: Ints  # days until it is full
    peak: Floats
    weekday: Ints  # on which it is worst, -1 = any
    helped: Ints  # the day on which help begins, NEVER = none
    left: Floats  # what is left of it with help
    relapse: Ints

    def only(self, chosen: Ints) -> Spells:
        return Spells(*(getattr(self, name)[chosen] for name in Spells.__slots__))

    def within(self, first: int, last: int) -> Spells:
        """Those that touch these days."""
        return self.only(np.flatnonzero((self.start <= last) & (self.end >= first)))


def home_spells(rng: np.random.Generator, homes: Homes, august: Ints, pressure: float) -> Spells:
    """august: the ordinal of 1 August of each year written. pressure: 1 = as usual in a large city."""
    settled = np.where(homes.poor, 0.036, 0.006) * np.exp(0.7 * rng.normal(size=len(homes)) - 0.25)
    built = [
        _each_year(rng, Kind.HOUSING, settled * pressure, august, (45, 420), (0.06, 0.32), (1, 15)),
        _each_year(
            rng, Kind.CAR, np.where(homes.route > 0, 0.03, 0.06) * pressure, august, (10, 70), (0.06, 0.3), (1, 2)
        ),
        _each_year(rng, Kind.CRISIS, np.full(len(homes), 0.035), august, (15, 110), (0.08, 0.5), (1, 2)),
    ]
    again = built[0].only(np.flatnonzero(rng.random(len(built[0].who)) < 0.4))
    later = again.end + rng.integers(20, 500, len(again.who))
    length = rng.integers(30, 300, len(again.who))
    built.append(_spells(rng, Kind.HOUSING, again.who, later, length, (0.06, 0.32), (1, 15)))
    return _joined(built)


def child_spells(rng: np.random.Generator, homes: Homes, people: People, august: Ints, pressure: float) -> Spells:
    """What belongs to one child. A child that nobody knows yet lives too: who joins later brings what has begun."""
    poor, distance = homes.poor[people.home], np.exp(0.65 * people.distance - 0.2)
    eldest = np.r_[True, people.home[1:] != people.home[:-1]] & np.r_[people.home[1:] == people.home[:-1], False]
    every = np.ones(len(people))
    built = [
        _by_grade(rng, Kind.AVOIDANCE, AVOIDS, every * pressure, people, august, (40, 800), (0.08, 0.75), (15, 150)),
        _by_grade(rng, Kind.DRIFT, DRIFTS, distance * pressure, people, august, (150, 1500), (0.08, 0.75), (60, 450)),
        _by_grade(rng, Kind.WORK, WORKS, np.where(poor, 1.15, 0.7), people, august, (90, 900), (0.04, 0.28), (1, 60)),
        _by_grade(rng, Kind.CARE, CARES, eldest * (1.2 + poor), people, august, (20, 380), (0.05, 0.28), (1, 20)),
    ]
    ill = np.flatnonzero(rng.random(len(people)) < 0.11)
    start = august[0] + rng.integers(-12 * YEAR_DAYS, len(august) * YEAR_DAYS, len(ill))
    length = (rng.exponential(6.5 * YEAR_DAYS, len(ill)) + 200).astype(np.int64)
    built.append(_spells(rng, Kind.HEALTH, ill, start, length, (0.006, 0.09), (1, 2)))
    return _joined(built)


def fading(rng: np.random.Generator, who: Ints, last: Ints) -> Spells:
    """Months of coming less and less before the last day; some go from one day to the next."""
    length = np.where(rng.random(len(who)) < 0.2, rng.integers(3, 20, len(who)), rng.integers(40, 420, len(who)))
    return _spells(rng, Kind.FADING, who, last - length, length + 1, (0.4, 1.0), (2, 160))


def together(*parts: Spells) -> Spells:
    return _joined(list(parts))


def course(spells: Spells, days: Ints) -> Floats:
    """spells x days: the chance of a day, 0 before and after; days are ordinals of dates."""
    since = days[None, :] - spells.start[:, None]
    full = np.clip((since + 1) / spells.rise[:, None], 0, 1)
    helped = np.clip((days[None, :] - spells.helped[:, None]) / 30, 0, 1)
    relapsed = days[None, :] >= spells.relapse[:, None]
    help_left = np.where(relapsed, 0.85, 1 - helped * (1 - spells.left[:, None]))
    on = (since >= 0) & (days[None, :] <= spells.end[:, None])
    chance: Floats = (spells.peak[:, None] * full * help_left * on).astype(np.float32)
    return chance


def _each_year(
    rng: np.random.Generator,
    kind: Kind,
    chance: Floats,
    august: Ints,
    length: tuple[int, int],
    peak: tuple[float, float],
    rise: tuple[int, int],
) -> Spells:
    """Spells that begin with this chance a year, on any of its days; chance: one value for each who may have one."""
    first = august[0] - YEARS_BEFORE * YEAR_DAYS
    at, who = np.nonzero(rng.random((len(august) + YEARS_BEFORE, len(chance)), dtype=np.float32) < chance)
    start = first + at * YEAR_DAYS + rng.integers(0, YEAR_DAYS, len(who))
    return _spells(rng, kind, who, start, _long(rng, len(who), length), peak, rise)


def _by_grade(
    rng: np.random.Generator,
    kind: Kind,
    table: Floats,
    times: Floats,
    people: People,
    august: Ints,
    length: tuple[int, int],
    peak: tuple[float, float],
    rise: tuple[int, int],
) -> Spells:
    """Spells whose chance depends on the grade; more of them begin in autumn than in summer."""
    found: list[tuple[Ints, Ints]] = []
    for year in range(-YEARS_BEFORE, len(august)):
        grade = year - people.starts
        chance = np.where((grade >= 0) & (grade < len(table)), table[np.clip(grade, 0, len(table) - 1)], 0) * times
        who = np.flatnonzero(rng.random(len(people)) < chance)
        day = np.where(rng.random(len(who)) < 0.35, rng.integers(20, 110, len(who)), rng.integers(0, 365, len(who)))
        found.append((who, august[0] + year * YEAR_DAYS + day))
    who, start = (np.concatenate(column) for column in zip(*found, strict=True))
    return _spells(rng, kind, who, start, _long(rng, len(who), length), peak, rise)


def _long(rng: np.random.Generator, count: int, between: tuple[int, int]) -> Ints:
    """Lengths in days, many short and few long ones."""
    low, high = np.log(between[0]), np.log(between[1])
    return np.exp(rng.uniform(low, high, count)).astype(np.int64)


def _spells(
    rng: np.random.Generator,
    kind: Kind,
    who: Ints,
    start: Ints,
    length: Ints,
    peak: tuple[float, float],
    rise: tuple[int, int],
) -> Spells:
    count = len(who)
    weekly = 0.45 if kind in (Kind.AVOIDANCE, Kind.WORK, Kind.CARE) else 0.0
    lag = 20 + rng.exponential(100, count).astype(np.int64)
    helped = np.where(rng.random(count) < HELPED[kind], start + lag, NEVER)
    falls_back = (helped < NEVER) & (rng.random(count) < 0.3)
    return Spells(
        kind=np.full(count, int(kind)),
        who=who,
        start=start,
        end=start + length,
        rise=rng.integers(rise[0], rise[1], count),
        peak=np.exp(rng.uniform(np.log(peak[0]), np.log(peak[1]), count)),
        weekday=np.where(rng.random(count) < weekly, rng.integers(0, 5, count), -1),
        helped=helped,
        left=rng.uniform(0.05, 0.7, count),
        relapse=np.where(falls_back, helped + rng.integers(40, 250, count), NEVER),
    )


def _joined(parts: list[Spells]) -> Spells:
    return Spells(*(np.concatenate([getattr(part, name) for part in parts]) for name in Spells.__slots__))
