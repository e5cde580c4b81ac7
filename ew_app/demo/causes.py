"""Why invented children are away: each cause leaves the pattern in the marks that it leaves in a school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ew_app.demo.district import Children, Flags, Floats, Ints, School

Codes = NDArray[np.uint8]


class Code(IntEnum):
    """Attendance codes of the demo; CODE_NAMES has what the file says."""

    P = 0
    A = 1
    AE = 2
    AUHD = 3
    AEHD = 4
    T = 5
    SF = 6
    OSS = 7
    ISS = 8
    HB = 9
    UNKNOWN = 10


CODE_NAMES = ("P", "A", "AE", "AUHD", "AEHD", "T", "SF", "OSS", "ISS", "HB", "QX")


class Cause(IntEnum):
    """What lies behind an absence; REASONS has the words that a clerk may write beside an excused one."""

    NONE = 0
    NOW_AND_THEN = 1
    ILLNESS = 2
    CHRONIC_HEALTH = 3
    HOUSING = 4
    TRANSPORT = 5
    SLIDE = 6
    AVOIDANCE = 7
    NO_CONTACT = 8
    SCHOOL = 9
    CARE = 10
    WORK = 11
    TRAVEL = 12
    CRISIS = 13


REASONS = ("", "family emergency", "illness", "medical appointment", "family emergency", "bus did not come")
# By cause: what share is excused in the end, was only half a day, or turns out to have been a late arrival.
EXCUSED_SHARE = np.array([0, 0.42, 0.82, 0.85, 0.35, 0.5, 0.15, 0.45, 0.0, 0.0, 0.3, 0.1, 0.4, 0.6])
HALF_SHARE = np.array([0, 0.10, 0.02, 0.05, 0, 0, 0.05, 0.08, 0, 0, 0.12, 0.18, 0, 0])
LATE_BUS_SHARE = np.array([0, 0.01, 0, 0, 0, 0.2, 0, 0, 0, 0, 0.03, 0.02, 0, 0])


@dataclass(frozen=True, slots=True)
class Marks:
    """What differs from present, sorted by day: the first code entered and, from day `corrected` on, the final one."""

    child: Ints
    day: Ints
    first: Codes
    final: Codes
    cause: Codes
    corrected: Ints  # -1 = never

    def as_of(self, day: int) -> Codes:
        """The code that stands at the end of that day."""
        return np.where((self.corrected >= 0) & (self.corrected <= day), self.final, self.first)


def mark_days(rng: np.random.Generator, children: Children, schools: Sequence[School], days: Sequence[date]) -> Marks:
    """Marks of all children on all taught days, as finally known and as first entered."""
    year = _Year(rng, children, schools, days)
    for cause in (
        year.now_and_then,
        year.illness,
        year.chronic_health,
        year.slides,
        year.avoidance,
        year.housing,
        year.suspensions,
        year.homebound,
        year.no_contact,
        year.tardies,
        year.buses,
        year.field_trips,
    ):
        cause()
    return year.marks()


class _Year:
    """The matrix that the causes write into, one after another: children x days."""

    def __init__(
        self, rng: np.random.Generator, children: Children, schools: Sequence[School], days: Sequence[date]
    ) -> None:
        self.rng, self.children = rng, children
        self.count, self.length = len(children), len(days)
        self.code = np.zeros((self.count, self.length), dtype=np.uint8)
        self.cause = np.zeros_like(self.code)
        self.strain = np.array([school.strain for school in schools])[children.school]
        months = np.array([day.month for day in days])
        season = {8: 0.6, 9: 0.8, 10: 1.0, 11: 1.25, 12: 1.4, 1: 1.4, 2: 1.5, 3: 1.1, 4: 0.9, 5: 0.9, 6: 1.2}
        self.season = np.array([season[month] for month in months])
        self.weekday = np.array([day.weekday() for day in days])
        # Each child has at most one long story; most have none.
        self.story = rng.random(self.count)

    def some(self, low: float, high: float) -> Ints:
        """Children whose story lies between: more of them where a school is under strain."""
        return np.flatnonzero((self.story >= low) & (self.story < low + (high - low) * self.strain))

    def chance(self, share: Floats | float, rows: Ints | None = None) -> Flags:
        shape = (self.count if rows is None else len(rows), self.length)
        return self.rng.random(shape, dtype=np.float32) < share

    def put(self, away: Flags, cause: Cause, rows: Ints | None = None, code: Code = Code.A) -> None:
        """Mark these child-days, over what stood there."""
        at, day = np.nonzero(away)
        child = at if rows is None else rows[at]
        self.code[child, day] = code
        self.cause[child, day] = cause

    def runs(self, child: Ints, start: Ints, length: Ints, cause: Cause, code: Code = Code.A) -> None:
        """Mark a run of school days for each child."""
        for step in range(int(length.max(initial=0))):
            on = (step < length) & (start + step < self.length)
            self.code[child[on], start[on] + step] = code
            self.cause[child[on], start[on] + step] = cause

    def now_and_then(self) -> None:
        share = self.rng.gamma(3.0, 0.011, self.count) * self.strain
        edge = np.where((self.weekday == 0) | (self.weekday == 4), 1.25, 0.85)
        self.put(self.chance(np.minimum(share, 0.4)[:, None] * edge), Cause.NOW_AND_THEN)

    def illness(self) -> None:
        """Runs of 2-4 days, more in the cold months; and rooms in which it goes round."""
        proneness = self.rng.gamma(3.0, 0.0016, self.count)
        child, start = np.nonzero(self.chance(proneness[:, None] * self.season))
        self.runs(child, start, self.rng.integers(2, 5, len(child)), Cause.ILLNESS)
        rooms = self.children.school * 10_000 + self.children.grade * 100 + self.children.room
        for room in self.rng.choice(np.unique(rooms), size=max(1, self.count // 700)):
            inside = np.flatnonzero((rooms == room) & (self.rng.random(self.count) < 0.4))
            day = int(self.rng.integers(self.length // 2, self.length))
            start = day + self.rng.integers(0, 3, len(inside))
            self.runs(inside, start, self.rng.integers(2, 4, len(inside)), Cause.ILLNESS)

    def chronic_health(self) -> None:
        rows = self.some(0.00, 0.03)
        at, start = np.nonzero(self.chance(0.11, rows))
        self.runs(rows[at], start, self.rng.integers(2, 5, len(at)), Cause.CHRONIC_HEALTH)

    def slides(self) -> None:
        """A gradual increase from a good start."""
        rows = self.some(0.10, 0.13)
        ramp = np.linspace(0, 1, self.length) ** 1.5 * self.rng.uniform(0.6, 1.3, len(rows))[:, None]
        self.put(self.chance(ramp, rows), Cause.SLIDE, rows)

    def avoidance(self) -> None:
        """Mondays and Fridays, or one weekday with the class that hurts."""
        rows = self.some(0.20, 0.23)
        hard = self.rng.integers(0, 6, len(rows))[:, None]
        on = np.where(hard == 5, (self.weekday == 0) | (self.weekday == 4), self.weekday == hard)
        self.put(self.chance(np.where(on, 0.8, 0.12), rows), Cause.AVOIDANCE, rows)

    def housing(self) -> None:
        """Days lost around a move, and a hard time before and after it."""
        moved = np.flatnonzero(self.children.moves >= 0)
        length = self.rng.integers(2, 8, len(moved))
        start = np.maximum(self.children.moves[moved] - self.rng.integers(1, 4, len(moved)), 0)
        self.runs(moved, start, length, Cause.HOUSING)
        unsettled = np.flatnonzero(self.children.stls)
        self.put(self.chance(0.28, unsettled), Cause.HOUSING, unsettled)

    def suspensions(self) -> None:
        older = np.flatnonzero((self.children.grade >= 6) & (self.rng.random(self.count) < 0.02))
        start = self.rng.integers(0, self.length, len(older))
        inside = self.rng.random(len(older)) < 0.5
        for code, who in ((Code.ISS, inside), (Code.OSS, ~inside)):
            length = self.rng.integers(1, 4, int(who.sum()))
            self.runs(older[who], start[who], length, Cause.SCHOOL, code)

    def homebound(self) -> None:
        rows = self.some(0.30, 0.3015)
        start = self.rng.integers(self.length // 3, self.length, len(rows))
        self.runs(rows, start, self.rng.integers(8, 25, len(rows)), Cause.SCHOOL, Code.HB)

    def no_contact(self) -> None:
        """Runs of five days and more without a word, some still going on; and children who never arrived."""
        rows = self.some(0.40, 0.412)
        length = self.rng.integers(5, 26, len(rows))
        still = self.rng.random(len(rows)) < 0.5
        start = np.where(still, self.length - length, self.rng.integers(0, self.length, len(rows)))
        self.runs(rows, np.maximum(start, 0), length, Cause.NO_CONTACT)
        absent = np.flatnonzero(self.children.no_show)
        self.runs(absent, np.zeros_like(absent), np.full_like(absent, self.length), Cause.NO_CONTACT)

    def tardies(self) -> None:
        share = np.minimum(self.rng.gamma(0.7, 0.05, self.count) * self.strain, 0.6)
        self.put(self.chance(share[:, None]) & (self.code == Code.P), Cause.NONE, code=Code.T)

    def buses(self) -> None:
        """A route breaks down: most of its children come late or not at all that morning."""
        route = np.where(self.children.route > 0, self.children.school * 10 + self.children.route, 0)
        for broken in np.unique(route[route > 0]):
            riders = np.flatnonzero(route == broken)
            for day in self.rng.choice(self.length, size=min(2, self.length), replace=False):
                present = riders[self.code[riders, day] == Code.P]
                hit = self.rng.random(len(present))
                self.code[present[hit < 0.45], day] = Code.T
                self.code[present[hit > 0.70], day] = Code.A
                self.cause[present[hit > 0.70], day] = Cause.TRANSPORT

    def field_trips(self) -> None:
        rooms = self.children.school * 10_000 + self.children.grade * 100 + self.children.room
        chosen = self.rng.choice(np.unique(rooms), size=max(1, self.count // 300))
        for room, day in zip(chosen, self.rng.integers(0, self.length, len(chosen)), strict=True):
            inside = np.flatnonzero((rooms == room) & (self.code[:, day] == Code.P))
            self.code[inside, day] = Code.SF

    def marks(self) -> Marks:
        """The matrix as rows: who is enrolled, what was entered first, and what it became."""
        day_at = np.arange(self.length)
        leaves = np.where(self.children.leaves < 0, self.length, self.children.leaves)
        enrolled = (day_at >= self.children.enters[:, None]) & (day_at <= leaves[:, None])
        day, child = np.nonzero((self.code * enrolled).T)
        code, cause = self.code[child, day], self.cause[child, day]
        first, final, corrected = self._entered(code, cause, day)
        return Marks(child, day, first, final, cause, corrected)

    def _entered(self, code: Codes, cause: Codes, day: Ints) -> tuple[Codes, Codes, Ints]:
        """Every absence is unexcused until someone hears from home; some excuses come days later."""
        chance = self.rng.random((3, len(code)))
        absent = code == Code.A
        half = absent & (chance[0] < HALF_SHARE[cause])
        excused = absent & (chance[1] < EXCUSED_SHARE[cause])
        late_excuse = excused & (chance[2] < 0.55)
        was_late = absent & ~excused & (chance[2] < LATE_BUS_SHARE[cause])
        first = np.where(half, Code.AUHD, code).astype(np.uint8)
        final = np.where(excused, np.where(half, Code.AEHD, Code.AE), first).astype(np.uint8)
        final = np.where(was_late, Code.T, final).astype(np.uint8)
        first = np.where(excused & ~late_excuse, final, first).astype(np.uint8)
        lag = self.rng.integers(1, 7, len(code))
        return first, final, np.where(late_excuse | was_late, day + lag, -1)
