"""Invented networks, schools, households and children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ew_app.demo.names import COMMUNITIES, NETWORKS, SCHOOLS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

GRADES = ("K", *(str(grade) for grade in range(1, 13)))
LEVELS: dict[str, tuple[int, int]] = {"elementary": (0, 5), "middle": (6, 8), "high": (9, 12), "k-8": (0, 8)}
ROOM_SIZE = 24


@dataclass(frozen=True, slots=True)
class School:
    """`short` is what logins end in; `strain` multiplies how often its children are away (1 = average)."""

    key: str
    short: str
    name: str
    network: str
    network_name: str
    level: str
    size: float
    strain: float


@dataclass(frozen=True, slots=True)
class Children:
    """Columns, one value a child; `school` and `next_school` index the schools, days index the taught days."""

    key: list[str]
    first: list[str]
    last: list[str]
    community: Ints
    household: Ints
    school: Ints
    grade: Ints
    room: Ints
    route: Ints  # 0 = walks or is driven
    speaks_home: Flags
    interpreter: Flags
    english_learner: Flags
    iep: Flags
    section_504: Flags
    stls: Flags
    low_income: Flags
    enters: Ints  # first enrolled day
    leaves: Ints  # last enrolled day, -1 = stays
    moves: Ints  # first day at next_school, -1 = never
    next_school: Ints
    no_show: Flags

    def __len__(self) -> int:
        return len(self.key)


def build_schools(rng: np.random.Generator, networks: int, schools: int) -> list[School]:
    """Schools dealt to networks in turn; each network gets elementary, middle and high schools as far as it goes."""
    built = []
    for at in range(schools):
        network, place = at % networks, at // networks
        per_network = len(range(network, schools, networks))
        level = "k-8" if per_network < 3 else ("elementary", "middle", "high", "elementary")[place % 4]
        short = SCHOOLS[at % len(SCHOOLS)].lower() + (str(at // len(SCHOOLS) + 1) if at >= len(SCHOOLS) else "")
        kind = {"elementary": "Elementary", "middle": "Middle", "high": "High", "k-8": "Community"}[level]
        built.append(
            School(
                key=f"{610001 + 7 * at:06d}",
                short=short,
                name=f"{short.capitalize()} {kind} School",
                network=f"N{network + 1:02d}",
                network_name=f"{_network(network)} Network",
                level=level,
                size={"elementary": 1.0, "middle": 1.0, "high": 1.5, "k-8": 1.3}[level] * rng.uniform(0.75, 1.25),
                strain=float(np.interp((at * 0.618 + 0.45) % 1, [0, 1], [0.3, 1.25])),
            )
        )
    return built


def _network(at: int) -> str:
    return NETWORKS[at % len(NETWORKS)] + (f" {at // len(NETWORKS) + 1}" if at >= len(NETWORKS) else "")


def build_children(rng: np.random.Generator, schools: Sequence[School], count: int, days: int) -> Children:
    """`count` children in households; brothers and sisters live in one network and share name and language."""
    household = _households(rng, count)
    homes = int(household[-1]) + 1
    community = _pick(rng, [c.share for c in COMMUNITIES], homes)
    school = _schools_for(rng, schools, household, homes)
    low, high = (np.array([LEVELS[s.level][end] for s in schools])[school] for end in (0, 1))
    grade = rng.integers(low, high + 1)
    spoken = np.array([c.spoken for c in COMMUNITIES])[community]
    other = np.array([c.language != "English" for c in COMMUNITIES])[community]
    home_other = other & (rng.random(homes) < spoken)
    poor_home, stls_home = rng.random(homes) < 0.68, rng.random(homes) < 0.042
    enters, leaves, no_show = _stays(rng, count, days)
    moves, next_school = _moves(rng, schools, school, grade, stls_home[household], days)
    steady = (enters == 0) & (leaves < 0) & ~no_show
    moves[~steady] = -1
    return Children(
        key=[f"{number:08d}" for number in 10_000_019 + 13 * rng.permutation(count)],
        first=first_names(rng, community[household]),
        last=last_names(rng, community, household),
        community=community[household],
        household=household,
        school=school,
        grade=grade,
        room=homerooms(school, grade),
        route=np.where((grade <= 8) & (rng.random(homes)[household] < 0.38), rng.integers(1, 5, homes)[household], 0),
        speaks_home=home_other[household],
        interpreter=(home_other & (rng.random(homes) < 0.45))[household],
        english_learner=home_other[household] & (rng.random(count) < np.where(grade < 6, 0.55, 0.25)),
        iep=rng.random(count) < 0.14,
        section_504=rng.random(count) < 0.03,
        stls=stls_home[household],
        low_income=poor_home[household] | stls_home[household],
        enters=enters,
        leaves=leaves,
        moves=moves,
        next_school=next_school,
        no_show=no_show,
    )


def _teaches(school: School, grade: int) -> bool:
    low, high = LEVELS[school.level]
    return low <= grade <= high


def _households(rng: np.random.Generator, count: int) -> Ints:
    sizes = rng.choice([1, 2, 3, 4], size=count, p=[0.55, 0.29, 0.12, 0.04])
    return np.repeat(np.arange(count), sizes)[:count]


def _pick(rng: np.random.Generator, shares: Sequence[float], count: int) -> Ints:
    weights = np.array(shares) / sum(shares)
    return rng.choice(len(weights), size=count, p=weights)


def _schools_for(rng: np.random.Generator, schools: Sequence[School], household: Ints, homes: int) -> Ints:
    """A school for each child within the network of the household."""
    keys = sorted({school.network for school in schools})
    inside = [[at for at, school in enumerate(schools) if school.network == key] for key in keys]
    sizes = [[schools[at].size for at in places] for places in inside]
    network = _pick(rng, [sum(some) for some in sizes], homes)[household]
    chosen = np.zeros(len(household), dtype=np.int64)
    for at, places in enumerate(inside):
        mine = np.flatnonzero(network == at)
        chosen[mine] = np.array(places)[_pick(rng, sizes[at], len(mine))]
    return chosen


def homerooms(school: Ints, grade: Ints) -> Ints:
    """Homeroom number within school and grade: rooms of up to 24, children in the order of the list."""
    order = np.lexsort((grade, school))
    group = (school * 100 + grade)[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    rank = np.arange(len(group)) - np.repeat(starts, np.diff(np.r_[starts, len(group)]))
    rooms = np.empty(len(group), dtype=np.int64)
    rooms[order] = rank // ROOM_SIZE + 1
    return rooms


def _stays(rng: np.random.Generator, count: int, days: int) -> tuple[Ints, Ints, Flags]:
    """First and last enrolled day, and the children who never came and were taken off the roll."""
    chance = rng.random(count)
    late = (chance < 0.02) & (days > 10)
    enters = np.where(late, rng.integers(1, max(2, days * 2 // 3), count), 0)
    leaver = (chance > 0.985) & (days > 10)
    leaves = np.where(leaver, rng.integers(max(1, days // 4), max(2, days - 1), count), -1)
    no_show = (chance > 0.978) & (chance < 0.982) & (days > 15)
    leaves = np.where(no_show & (rng.random(count) < 0.5), 14, leaves)
    return enters, leaves, no_show


def _moves(
    rng: np.random.Generator, schools: Sequence[School], school: Ints, grade: Ints, stls: Flags, days: int
) -> tuple[Ints, Ints]:
    """The day on which a child changes school (-1 = never) and the school it goes to, which teaches its grade."""
    count = len(school)
    goes = (rng.random(count) < np.where(stls, 0.25, 0.012)) & (days > 12)
    day = rng.integers(5, max(6, days - 4), count)
    teaches = [[at for at, s in enumerate(schools) if _teaches(s, g)] for g in range(len(GRADES))]
    target = school.copy()
    for child in np.flatnonzero(goes):
        others = [at for at in teaches[grade[child]] if at != school[child]]
        target[child] = others[rng.integers(len(others))] if others else school[child]
    return np.where(target != school, day, -1), target


def first_names(rng: np.random.Generator, community: Ints) -> list[str]:
    """A first name for each child of these communities."""
    other = _pick(rng, [c.share for c in COMMUNITIES], len(community))
    chosen = np.where(rng.random(len(community)) < 0.12, other, community)
    numbers = rng.integers(0, 1 << 30, len(community))
    return [COMMUNITIES[c].first[n % len(COMMUNITIES[c].first)] for c, n in zip(chosen, numbers, strict=True)]


def last_names(rng: np.random.Generator, community: Ints, household: Ints) -> list[str]:
    """community: of each household; household: of each child, whose last name it has."""
    numbers = rng.integers(0, 1 << 30, (len(community), 2))
    double = rng.random(len(community)) < 0.06
    names = []
    for c, (one, two), both in zip(community, numbers, double, strict=True):
        last = COMMUNITIES[c].last
        first_part, second_part = last[one % len(last)], last[two % len(last)]
        names.append(f"{first_part}-{second_part}" if both and first_part != second_part else first_part)
    return [names[home] for home in household]
