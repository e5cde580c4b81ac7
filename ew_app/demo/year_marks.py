"""The marks of one school year of an invented district, from what befalls its children and what the year is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ew_app.demo import lives
from ew_app.demo.causes import EXCUSED_SHARE, HALF_SHARE, LATE_BUS_SHARE, Cause, Code, Codes, Marks
from ew_app.demo.cohorts import Roll
from ew_app.demo.district import Flags, Floats, Ints
from ew_app.demo.homes import Homes, People
from ew_app.demo.lives import Kind, Spells
from ew_app.demo.seasons import BY_GRADE, ILL_BY_GRADE, Season
from ew_app.demo.ties import Ties

CAUSE_OF = {
    Kind.HOUSING: Cause.HOUSING,
    Kind.CAR: Cause.TRANSPORT,
    Kind.CRISIS: Cause.CRISIS,
    Kind.CARE: Cause.CARE,
    Kind.WORK: Cause.WORK,
    Kind.AVOIDANCE: Cause.AVOIDANCE,
    Kind.DRIFT: Cause.SLIDE,
    Kind.FADING: Cause.SLIDE,
}
LATE_WITH = {Kind.CAR: 0.3, Kind.WORK: 0.12, Kind.HOUSING: 0.1}
NEW_START = 35  # school days in which avoidance and drifting come back after the summer
DAYS_ILL = np.array([0.34, 0.31, 0.19, 0.1, 0.06])


@dataclass(frozen=True, slots=True)
class World:
    """What the years share. ease: years x homes, as it drifts; habit and sickness: times the usual chance."""

    homes: Homes
    people: People
    ease: Floats
    of_home: Spells
    of_child: Spells
    habit: float
    sickness: float
    ties: Ties


def year_marks(rng: np.random.Generator, world: World, roll: Roll, season: Season, year: int, rooms: Ints) -> Marks:
    """rooms: a number for the homeroom of each child of the roll. year: counted from the first one written."""
    marked = _Marked(rng, world, roll, season, rooms)
    marked.stays_at_home(world.ease[year])
    marked.travels()
    marked.illness()
    marked.spells()
    marked.moves()
    marked.no_word()
    marked.suspensions()
    marked.late()
    marked.trips()
    return marked.marks()


class _Marked:
    """children x days, that the causes write into one after another."""

    def __init__(self, rng: np.random.Generator, world: World, roll: Roll, season: Season, rooms: Ints) -> None:
        self.rng, self.world, self.roll, self.season, self.rooms = rng, world, roll, season, rooms
        self.home = world.people.home[roll.child]
        self.count, self.length = len(roll), len(season.days)
        self.code = np.zeros((self.count, self.length), dtype=np.uint8)
        self.cause = np.zeros_like(self.code)
        self.more_late = np.zeros((self.count, self.length), dtype=np.float32)
        self.climate = season.climate[roll.school]
        self.teen = np.clip((roll.grade - 5) / 5, 0, 1)
        self.readily = np.zeros(self.count)  # how readily each stays at home this year

    def stays_at_home(self, ease: Floats) -> None:
        """A family's ease, a child's own, and once it is older how little school means to it; good terms and bad."""
        people, child, ties = self.world.people, self.roll.child, self.world.ties
        log = ties.home * ease[self.home] + ties.child * people.ease[child]
        log = log + ties.grown * self.teen * people.distance[child]
        self.readily = log - 0.5 + ties.year * self.rng.normal(size=self.count)
        times = np.exp(self.readily) * BY_GRADE[self.roll.grade] * self.climate
        chance = self.world.habit * times[:, None] * self._terms(self.count, ties.weeks) * self.season.usual
        self.put(self.rng.random(chance.shape, dtype=np.float32) < np.minimum(chance, 0.55), Cause.NOW_AND_THEN)

    def travels(self) -> None:
        """Weeks far away in some years, most around the winter holidays; all children of the home together."""
        goes = self.world.homes.travels & (self.rng.random(len(self.world.homes)) < 0.45)
        winter = np.flatnonzero(np.array([day.month in (12, 1) for day in self.season.days]))
        anywhere = self.rng.integers(0, self.length, len(goes))
        around = self.rng.choice(winter, len(goes)) if len(winter) else anywhere
        start = np.where(self.rng.random(len(goes)) < 0.65, around, anywhere)
        length = self.rng.integers(4, 15, len(goes))
        rows = np.flatnonzero(goes[self.home])
        self.runs(rows, start[self.home[rows]], length[self.home[rows]], Cause.TRAVEL)

    def illness(self) -> None:
        """Runs of a few days, in waves by week and school, caught by brothers and sisters."""
        homes, people, child = self.world.homes, self.world.people, self.roll.child
        prone = np.exp(0.45 * homes.sickness[self.home] + 0.45 * people.sickness[child] - 0.2)
        prone *= self.world.sickness * ILL_BY_GRADE[self.roll.grade]
        wave = self.season.outbreak[:, self.season.week] * self.season.illness
        begins = self.rng.random(self.code.shape, dtype=np.float32) < prone[:, None] * wave[self.roll.school]
        child_at, start = np.nonzero(begins)
        self.runs(child_at, start, self._days_ill(len(start)), Cause.ILLNESS)
        order = np.argsort(self.home, kind="stable")
        for step in (-1, 1):  # the neighbours in the list of homes are brothers and sisters
            place = np.empty(self.count, dtype=np.int64)
            place[order] = np.roll(order, step)
            other = place[child_at]
            catches = (self.home[other] == self.home[child_at]) & (self.rng.random(len(start)) < 0.25)
            day = start[catches] + self.rng.integers(1, 5, int(catches.sum()))
            self.runs(other[catches], day, self._days_ill(len(day)), Cause.ILLNESS)

    def spells(self) -> None:
        first, last = int(self.season.ordinals[0]), int(self.season.ordinals[-1])
        homes, children = self.world.of_home.within(first, last), self.world.of_child.within(first, last)
        row_of = np.full(len(self.world.people), -1)
        row_of[self.roll.child] = np.arange(self.count)
        for kind in Kind:
            mine = homes if kind in lives.OF_THE_HOME else children
            mine = mine.only(np.flatnonzero(mine.kind == kind))
            if kind not in lives.OF_THE_HOME:
                rows = row_of[mine.who]
                mine, rows = mine.only(np.flatnonzero(rows >= 0)), rows[rows >= 0]
                same = np.arange(len(rows))
            else:
                mine, rows, same = self._with_children(mine)
            if len(rows):
                self._spell(kind, mine, rows, same)

    def _with_children(self, spells: Spells) -> tuple[Spells, Ints, Ints]:
        """A row for each child of the homes concerned, and the number of its spell."""
        order = np.argsort(self.home, kind="stable")
        start = np.searchsorted(self.home[order], spells.who, side="left")
        count = np.searchsorted(self.home[order], spells.who, side="right") - start
        same = np.repeat(np.arange(len(count)), count)
        nth = np.arange(len(same)) - np.repeat(np.cumsum(count) - count, count)
        return spells.only(same), order[start[same] + nth], same

    def _spell(self, kind: Kind, spells: Spells, rows: Ints, same: Ints) -> None:
        chance = lives.course(spells, self.season.ordinals) * self._terms(len(rows), 0.45)
        weekly = spells.weekday[:, None] >= 0
        on = self.season.weekday[None, :] == spells.weekday[:, None]
        chance *= np.where(weekly, np.where(on, 2.2, 0.6), 1.0)
        if kind == Kind.HEALTH:
            return self._episodes(chance, rows)
        if kind in (Kind.AVOIDANCE, Kind.DRIFT):
            before = spells.start < self.season.ordinals[0]
            back = np.minimum(1.0, 0.4 + 0.6 * np.arange(self.length) / NEW_START)
            chance *= np.where(before[:, None], back[None, :], 1.0)
        draw = self.rng.random(chance.shape, dtype=np.float32)
        if kind in lives.OF_THE_HOME:
            shared = self.rng.random((int(same.max()) + 1, self.length), dtype=np.float32)[same]
            draw = np.where(self.rng.random((len(rows), 1)) < 0.65, shared, draw)
        self.put(draw < np.minimum(chance, 0.97), CAUSE_OF[kind], rows)
        if kind in LATE_WITH:
            np.add.at(self.more_late, rows, (chance > 0) * np.float32(LATE_WITH[kind]))
        return None

    def _episodes(self, chance: Floats, rows: Ints) -> None:
        """An ongoing illness: worse in its own months, with a long stay away now and then."""
        kind = self.rng.integers(0, 3, len(rows))[:, None]
        month = np.array([day.month for day in self.season.days])[None, :]
        chance = chance * np.exp(0.4 * self.rng.normal(size=(len(rows), 1)) - 0.08)  # a good year or a bad one
        autumn, winter = np.isin(month, (9, 10, 4, 5)), np.isin(month, (12, 1, 2))
        at, start = np.nonzero(
            self.rng.random(chance.shape) < chance * np.where((kind == 0) & autumn | (kind == 1) & winter, 2.0, 0.8)
        )
        long = np.where(self.rng.random(len(at)) < 0.05, self.rng.integers(6, 16, len(at)), 0)
        self.runs(rows[at], start, np.maximum(long, self.rng.integers(1, 5, len(at))), Cause.CHRONIC_HEALTH)
        stays = np.flatnonzero(self.rng.random(len(rows)) < 0.02)
        day = self.rng.integers(0, self.length, len(stays))
        self.runs(rows[stays], day, self.rng.integers(8, 30, len(stays)), Cause.SCHOOL, Code.HB)

    def moves(self) -> None:
        """Days lost before a change of school."""
        moved = np.flatnonzero(self.roll.moves >= 0)
        length = self.rng.integers(0, 6, len(moved))
        self.runs(moved, np.maximum(self.roll.moves[moved] - length, 0), length, Cause.HOUSING)

    def no_word(self) -> None:
        """Runs without a word, for reasons that no file knows, and children who never arrived."""
        chance = 0.005 * np.exp(0.6 * self.teen * self.world.people.distance[self.roll.child])
        rows = np.flatnonzero(self.rng.random(self.count) < chance * self.length / 178)
        start = self.rng.integers(0, self.length, len(rows))
        self.runs(rows, start, self.rng.integers(5, 26, len(rows)), Cause.NO_CONTACT)
        never = np.flatnonzero(self.roll.no_show)
        self.runs(never, np.zeros_like(never), np.full_like(never, self.length), Cause.NO_CONTACT)

    def suspensions(self) -> None:
        """Some children several times a year, more of them in schools with a hard climate."""
        usual = np.where(self.roll.grade >= 6, 0.045, 0.006) * self.climate * self.length / 178
        times = self.rng.poisson(usual * np.exp(1.0 * self.world.people.conduct[self.roll.child] - 0.5))
        rows = np.repeat(np.arange(self.count), times)
        start, inside = self.rng.integers(0, self.length, len(rows)), self.rng.random(len(rows)) < 0.45
        length = self.rng.integers(1, 5, len(rows))
        for code, who in ((Code.ISS, inside), (Code.OSS, ~inside)):
            self.runs(rows[who], start[who], length[who], Cause.SCHOOL, code)

    def late(self) -> None:
        """Late arrivals of hard mornings, of bad ways and of bus routes; where the bus fails some stay at home."""
        homes, people, child = self.world.homes, self.world.people, self.roll.child
        rush = 0.7 * homes.rush[self.home] + 0.6 * people.rush[child] + 0.25 * self.rng.normal(size=self.count)
        rush = rush + self.world.ties.mornings * self.readily
        usual = 0.03 * np.exp(rush - 0.4) * np.where(self.roll.grade >= 9, 1.8, 1.0) * self.climate
        rides = np.where(self.roll.grade <= 8, homes.route[self.home], 0)
        morning = np.minimum(usual[:, None] * np.where(self.season.snow, 2.5, 1.0), 0.6)
        late = morning + self.more_late + self.season.bus_late[self.roll.school, rides]
        draw = self.rng.random((2, *self.code.shape), dtype=np.float32)
        self.put((draw[0] < self.season.bus_away[self.roll.school, rides]) & (self.code == Code.P), Cause.TRANSPORT)
        self.put((draw[1] < late) & (self.code == Code.P), Cause.NONE, code=Code.T)

    def trips(self) -> None:
        chosen = self.rng.choice(np.unique(self.rooms), size=max(1, self.count * self.length // 20_000))
        for room, day in zip(chosen, self.rng.integers(0, self.length, len(chosen)), strict=True):
            inside = np.flatnonzero((self.rooms == room) & (self.code[:, day] == Code.P))
            self.code[inside, day] = Code.SF

    def put(self, away: Flags, cause: Cause, rows: Ints | None = None, code: Code = Code.A) -> None:
        at, day = np.nonzero(away)
        child = at if rows is None else rows[at]
        self.code[child, day], self.cause[child, day] = code, cause

    def runs(self, child: Ints, start: Ints, length: Ints, cause: Cause, code: Code = Code.A) -> None:
        for step in range(int(length.max(initial=0))):
            on = (step < length) & (start + step < self.length)
            self.code[child[on], start[on] + step], self.cause[child[on], start[on] + step] = code, cause

    def _terms(self, rows: int, spread: float) -> Floats:
        """rows x days: better and worse stretches of some weeks, about 1 on average."""
        stretch = (self.season.ordinals - self.season.ordinals[0]) // 45
        noise = spread * self.rng.normal(size=(rows, int(stretch[-1]) + 1)) - spread**2 / 2
        terms: Floats = np.exp(noise)[:, stretch]
        return terms

    def _days_ill(self, count: int) -> Ints:
        return 1 + self.rng.choice(len(DAYS_ILL), size=count, p=DAYS_ILL)

    def marks(self) -> Marks:
        """The matrix as rows: who is enrolled, what was entered first, and what it became."""
        day_at = np.arange(self.length)
        leaves = np.where(self.roll.leaves < 0, self.length, self.roll.leaves)
        enrolled = (day_at >= self.roll.enters[:, None]) & (day_at <= leaves[:, None])
        day, child = np.nonzero((self.code * enrolled).T)
        code, cause = self.code[child, day], self.cause[child, day]
        first, final, corrected = self._entered(code, cause, child, day)
        return Marks(child, day, first, final, cause, corrected)

    def _entered(self, code: Codes, cause: Codes, child: Ints, day: Ints) -> tuple[Codes, Codes, Ints]:
        """Unexcused until someone hears from home, which some homes see to more than others; a few marks were wrong."""
        chance = self.rng.random((4, len(code)))
        absent = code == Code.A
        half = absent & (chance[0] < HALF_SHARE[cause])
        share = np.clip(EXCUSED_SHARE[cause], 0.001, 0.999)
        lean = np.log(share / (1 - share)) - 0.8 * self.world.homes.silence[self.home[child]] + 0.2
        lean = lean - 0.4 * (self.roll.grade[child] >= 9)
        excused = absent & (share > 0.001) & (chance[1] < 1 / (1 + np.exp(-lean)))
        late_excuse = excused & (chance[2] < 0.55)
        was_late = absent & ~excused & (chance[2] < LATE_BUS_SHARE[cause])
        was_here = absent & ~excused & ~was_late & (chance[3] < 0.012)
        first = np.where(half, Code.AUHD, code).astype(np.uint8)
        final = np.where(excused, np.where(half, Code.AEHD, Code.AE), first).astype(np.uint8)
        final = np.where(was_late, Code.T, np.where(was_here, Code.P, final)).astype(np.uint8)
        first = np.where(excused & ~late_excuse, final, first).astype(np.uint8)
        lag = np.minimum(self.rng.geometric(0.3, len(code)), 25)
        return first, final, np.where(late_excuse | was_late | was_here, day + lag, -1)
