"""A district over several school years, the last one running.

Written from what is known of real districts and from nothing that reads these files: no rate below was chosen to make a
child's later absence easy or hard to tell. What the years must be like, and where that is from:

- How many: a large city after 2021 has 30 to 40 in 100 children chronically absent (Chicago 45 in 2022, 40 in 2023, by
  the state's report); `chronic` says another number, so that districts differ.
- How much of it stays: chronic absence is strongly persistent from year to year in children and in schools (Bauer, Liu,
  Schanzenbach and Shambaugh, Hamilton Project 2018), early absence goes on (Ehrlich and others, Chicago 2014: who was
  chronically absent in preschool was five times as often so in grade 2), and yet most change: six different courses
  from preschool to grade 3 (Wei 2024), falls that differ most in grade 8 (Kieffer and others 2014). Correlations of a
  child's shares of two consecutive years of about a half to seven tenths answer to that; see tests/test_demo_years.py.
- Brothers and sisters: what reaches one child of a home reaches the others (Rogers and Feller 2018).

Each part draws from a stream of its own, so that one more year or cause leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from ew_app.demo import lives
from ew_app.demo.attendance_files import AttendanceFiles
from ew_app.demo.causes import Code
from ew_app.demo.cohorts import Roll, rolls
from ew_app.demo.district import Children, Flags, Floats, Ints, School, first_names, homerooms, last_names
from ew_app.demo.homes import draw_homes, draw_people
from ew_app.demo.lives import Kind, Spells
from ew_app.demo.school_year import SchoolYear
from ew_app.demo.seasons import seasons
from ew_app.demo.ties import USUAL, Ties
from ew_app.demo.year_marks import World, year_marks

CHRONIC: Final = 35
FEWEST, MOST = 5, 60  # in 100; what `chronic` may be
# (children in 100 chronically absent in an ordinary year, times the trouble that gives so many), found by trying.
PRESSURE: Final = ((5, 0.16), (10, 0.36), (14, 0.5), (20, 0.69), (30, 1.0), (39, 1.3), (49, 1.7), (60, 2.15))
SCHOOL_YEAR = 320  # days from 1 August
REISSUED = 0.0007  # children a year whose record was made anew under another id


@dataclass(frozen=True, slots=True)
class ManyYears:
    """files: one a school year, oldest first, the last one running. everyone: all who were ever on a roll.

    stays: of each year its children under the ids that hold, and why the stay of each one ended with the year.
    """

    files: list[AttendanceFiles]
    everyone: Children
    starts: Ints  # calendar year in which each of everyone was to begin kindergarten
    changed: list[tuple[str, str]]  # (id that holds, former id)
    stays: list[tuple[Children, dict[str, str]]]


def many_years(
    seed: int,
    schools: Sequence[School],
    days: Sequence[date],
    years: int,
    students: int,
    feed: str,
    chronic: int,
    ties: Ties = USUAL,
) -> ManyYears:
    """days: the school days of the running year that are over. chronic: children in 100 in an ordinary year."""
    drawn = _Drawn(seed, schools, days, years, students, chronic, ties)
    return drawn.written(feed)


class _Drawn:
    def __init__(
        self,
        seed: int,
        schools: Sequence[School],
        days: Sequence[date],
        years: int,
        students: int,
        chronic: int,
        ties: Ties,
    ) -> None:
        self.seed, self.schools, self.days = seed, schools, days
        running = SchoolYear(days[0].year if days[0].month >= 8 else days[0].year - 1)
        self.years = [SchoolYear(running.year - back) for back in range(years - 1, -1, -1)]
        pressure = float(np.interp(chronic, [share for share, _ in PRESSURE], [times for _, times in PRESSURE]))
        self.homes = draw_homes(self._stream(1), schools, 3 * students + 60)
        self.people = draw_people(self._stream(2), len(self.homes), years)
        august = np.array([date(year.year, 8, 1).toordinal() for year in self.years])
        trouble = pressure * ties.trouble
        of_home = lives.home_spells(self._stream(3), self.homes, august, trouble)
        self.unsettled = _by_year(of_home, august, days[-1].toordinal(), len(self.homes))
        lengths = [*(len(year.school_days) for year in self.years[:-1]), len(days)]
        self.rolls = rolls(self._stream(4), self.homes, self.people, schools, self.unsettled, lengths, students)
        of_child = lives.child_spells(self._stream(5), self.homes, self.people, august, trouble)
        self.world = World(
            homes=self.homes,
            people=self.people,
            ease=_drifting(self._stream(6), self.homes.ease, years, ties),
            of_home=of_home,
            of_child=lives.together(of_child, self._fading()),
            habit=0.0365 * pressure * ties.habit,
            sickness=0.0062 * pressure**0.3 * ties.sickness,
            ties=ties,
        )
        self.seasons = seasons(self._stream(8), schools, self.years, days)

    def _stream(self, part: int, year: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, part, year])

    def _fading(self) -> Spells:
        """The way out of those who drop out."""
        who, last = [], []
        taught = [*(year.school_days for year in self.years[:-1]), self.days]
        for roll, days in zip(self.rolls, taught, strict=True):
            rows = np.flatnonzero(roll.drops_out)
            who.append(roll.child[rows])
            ordinals = np.array([day.toordinal() for day in days])
            last.append(ordinals[roll.leaves[rows]])
        return lives.fading(self._stream(7), np.concatenate(who), np.concatenate(last))

    def written(self, feed: str) -> ManyYears:
        ever = np.unique(np.concatenate([roll.child for roll in self.rolls]))
        key, former, since = self._ids(ever)
        names = self._names()
        files, stays = [], []
        for year, (roll, season) in enumerate(zip(self.rolls, self.seasons, strict=True)):
            rooms = homerooms(roll.school, roll.grade)
            numbers = roll.school * 10_000 + roll.grade * 100 + rooms
            marks = year_marks(self._stream(9, year), self.world, roll, season, year, numbers)
            keys = [former[at] if year < since[at] else key[at] for at in roll.child.tolist()]
            children = self._children(roll, keys, names, self._flags(), rooms, year)
            running = year == len(self.rolls) - 1
            files.append(
                AttendanceFiles(children, self.schools, season.days, marks, feed, running=running, unsent=season.unsent)
            )
            holding = [key[at] for at in roll.child.tolist()]
            stays.append((replace(children, key=holding), dict(zip(holding, self._exits(year), strict=True))))
        return ManyYears(
            files=files,
            everyone=self._everyone(ever, key, names),
            starts=self.years[0].year + self.people.starts[ever],
            changed=[(key[at], former[at]) for at in ever.tolist() if former[at] != key[at]],
            stays=stays,
        )

    def _ids(self, ever: Ints) -> tuple[list[str], list[str], Ints]:
        """The id of each child now, the one it had before, and the year from which it has the one now."""
        rng, count = self._stream(10), len(self.people)
        numbers = 10_000_019 + 13 * rng.permutation(2 * count)
        key = [f"{number:08d}" for number in numbers[:count]]
        first, last = np.full(count, len(self.rolls)), np.full(count, -1)
        for year, roll in enumerate(self.rolls):
            first[roll.child] = np.minimum(first[roll.child], year)
            last[roll.child] = year
        long = ever[last[ever] > first[ever]]
        wanted = min(len(long), max(1, round(REISSUED * len(long) * len(self.rolls))))
        again = rng.choice(long, size=wanted, replace=False) if wanted else long
        since = np.zeros(count, dtype=np.int64)
        since[again] = rng.integers(first[again] + 1, last[again] + 1)
        former = list(key)
        for at in again.tolist():
            former[at] = f"{numbers[count + at]:08d}"
        return key, former, since

    def _names(self) -> tuple[list[str], list[str]]:
        rng = self._stream(11)
        community = self.homes.community[self.people.home]
        return first_names(rng, community), last_names(rng, self.homes.community, self.people.home)

    def _flags(self) -> tuple[Flags, Flags, Flags]:
        """Has an individual plan (IEP), a 504 plan, learns English: of everyone, for good."""
        rng, count = self._stream(12), len(self.people)
        ill = np.zeros(count, dtype=bool)
        known = self.world.of_child.within(0, self.days[-1].toordinal())
        ill[known.who[known.kind == Kind.HEALTH]] = True
        learns = self.homes.other_language[self.people.home] & (rng.random(count) < 0.45)
        return rng.random(count) < 0.14, rng.random(count) < np.where(ill, 0.1, 0.02), learns

    def _children(
        self,
        roll: Roll,
        keys: list[str],
        names: tuple[list[str], list[str]],
        flags: tuple[Flags, Flags, Flags],
        rooms: Ints,
        year: int,
    ) -> Children:
        who, home = roll.child.tolist(), self.people.home[roll.child]
        iep, section_504, learns = flags
        stls = self.unsettled[year][home]
        return Children(
            key=keys,
            first=[names[0][at] for at in who],
            last=[names[1][at] for at in who],
            community=self.homes.community[home],
            household=home,
            school=roll.school,
            grade=roll.grade,
            room=rooms,
            route=np.where(roll.grade <= 8, self.homes.route[home], 0),
            speaks_home=self.homes.other_language[home],
            interpreter=self.homes.interpreter[home],
            english_learner=learns[roll.child],
            iep=iep[roll.child],
            section_504=section_504[roll.child],
            stls=stls,
            low_income=self.homes.poor[home] | stls,
            enters=roll.enters,
            leaves=roll.leaves,
            moves=roll.moves,
            next_school=roll.next_school,
            no_show=roll.no_show,
        )

    def _everyone(self, ever: Ints, key: list[str], names: tuple[list[str], list[str]]) -> Children:
        """As a roster tells them today: those who have left with their last grade and no room or route."""
        last = {at: year for year, roll in enumerate(self.rolls) for at in roll.child.tolist()}
        place = [{at: row for row, at in enumerate(roll.child.tolist())} for roll in self.rolls]
        grade = np.array([self.rolls[last[at]].grade[place[last[at]][at]] for at in ever.tolist()])
        now = np.array([last[at] == len(self.rolls) - 1 for at in ever.tolist()])
        running = self.rolls[-1]
        school, rooms = np.zeros(len(ever), dtype=np.int64), np.zeros(len(ever), dtype=np.int64)
        row = np.array([place[-1].get(at, 0) for at in ever.tolist()])
        rooms[now] = homerooms(running.school, running.grade)[row[now]]
        school[now] = running.school[row[now]]
        nothing = np.full(len(ever), -1)
        roll = Roll(
            child=ever,
            grade=grade,
            school=school,
            enters=nothing,
            leaves=nothing,
            moves=nothing,
            next_school=school,
            no_show=~now,
            drops_out=~now,
        )
        keys = [key[at] for at in ever.tolist()]
        children = self._children(roll, keys, names, self._flags(), rooms, len(self.rolls) - 1)
        return replace(children, route=np.where(now, children.route, 0), stls=children.stls & now)

    def _exits(self, year: int) -> list[str]:
        roll = self.rolls[year]
        if year == len(self.rolls) - 1:
            return [""] * len(roll)
        again = np.isin(roll.child, self.rolls[year + 1].child)
        through = roll.grade == 12
        return [str(word) for word in np.where(again, "Year end", np.where(through, "Graduated", "Left district"))]


def totals(files: AttendanceFiles) -> Iterator[tuple[int, float, float]]:
    """(days enrolled, days absent, of these unexcused) of each child of a year, as finally known."""
    marks, count = files.marks, len(files.children)
    full = np.bincount(marks.child, np.isin(marks.final, (Code.A, Code.AE, Code.OSS)), count)
    half = np.bincount(marks.child, np.isin(marks.final, (Code.AUHD, Code.AEHD)), count)
    half_bare = np.bincount(marks.child, marks.final == Code.AUHD, count)
    bare = np.bincount(marks.child, marks.final == Code.A, count) + half_bare / 2
    yield from zip(files.enrolled_days().tolist(), (full + half / 2).tolist(), bare.tolist(), strict=True)


def _by_year(spells: Spells, august: Ints, today: int, homes: int) -> Flags:
    """years x homes: had no settled home at some time of that school year, as far as it is over."""
    found = np.zeros((len(august), homes), dtype=bool)
    housing = spells.only(np.flatnonzero(spells.kind == Kind.HOUSING))
    for year, first in enumerate(august.tolist()):
        found[year, housing.within(first, min(first + SCHOOL_YEAR, today)).who] = True
    return found


def _drifting(rng: np.random.Generator, ease: Floats, years: int, ties: Ties) -> Floats:
    """years x homes: a family's ease, mostly as last year, in some homes quite another one after a change."""
    found = [ease]
    for _ in range(years - 1):
        drifted = ties.stays * found[-1] + ties.wanders * rng.normal(size=len(ease))
        found.append(np.where(rng.random(len(ease)) < ties.changes, rng.normal(size=len(ease)) + 0.2, drifted))
    return np.array(found)
