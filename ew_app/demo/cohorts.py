"""Who is on the roll in each of several school years: cohorts come in and go out, families arrive, move and leave.

The rates are those of a large city: about a tenth of the children changes school or leaves within a year beside the
steps between levels (de la Torre and Gwynne, Changing Schools, Chicago 2009, where it was more), families without a
settled home several times as often, and the roll shrinks a little each year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ew_app.demo.district import LEVELS, Flags, Floats, Ints, School
from ew_app.demo.homes import GRADE_COUNT, Homes, People

SHRINKS = 1.012  # by which the roll of a year is larger than that of the next
WHOLE_YEAR = 178
STAYS_DOWN = np.array([0.02, 0.02, 0.008, 0.008, 0.004, 0.004, 0.004, 0.004, 0.006, 0.06, 0.035, 0.03, 0.05])
LEAVES_SCHOOL = np.array([0.0] * 8 + [0.004, 0.018, 0.022, 0.026, 0.024])
GONE_AFTER_EIGHTH = 0.05


@dataclass(frozen=True, slots=True)
class Roll:
    """One school year, one value a child that was on its roll; days index the school days of that year."""

    child: Ints
    grade: Ints
    school: Ints
    enters: Ints
    leaves: Ints  # last enrolled day, -1 = to the end
    moves: Ints  # first day at next_school, -1 = never
    next_school: Ints
    no_show: Flags
    drops_out: Flags

    def __len__(self) -> int:
        return len(self.child)


def rolls(
    rng: np.random.Generator,
    homes: Homes,
    people: People,
    schools: Sequence[School],
    unsettled: Flags,
    lengths: Sequence[int],
    students: int,
) -> list[Roll]:
    """A roll a year, oldest first; the last one has `students` children.

    unsettled: years x homes, whether the home lost its place to live in that year. lengths: school days of each year.
    """
    town = _Town(rng, homes, people, schools)
    return [
        town.year(unsettled[year], length, round(students * SHRINKS ** (len(lengths) - 1 - year)), year == 0)
        for year, length in enumerate(lengths)
    ]


class _Town:
    """Who lives here now; a year at a time."""

    def __init__(self, rng: np.random.Generator, homes: Homes, people: People, schools: Sequence[School]) -> None:
        self.rng, self.homes, self.people, self.schools = rng, homes, people, schools
        self.grade = -people.starts
        self.school = np.full(len(people), -1)
        self.done = np.zeros(len(people), dtype=bool)
        self.here, self.away = np.zeros(len(homes), dtype=bool), np.zeros(len(homes), dtype=bool)
        self.fresh = np.ones(len(homes), dtype=bool)
        self.zone = homes.zone.copy()
        self.teaches = np.array([[LEVELS[s.level][0] <= g <= LEVELS[s.level][1] for g in range(13)] for s in schools])
        self.taught: Flags = np.any(self.teaches, axis=0)

    def year(self, unsettled: Flags, length: int, wanted: int, first: bool) -> Roll:
        if not first:
            self._summer(unsettled)
        known = self.here.copy()
        self._fill(wanted)
        child = self._present()
        self._place(child, unsettled)
        roll = self._within(child, ~known[self.people.home[child]], unsettled, length, first)
        self.school[roll.child] = np.where(roll.moves >= 0, roll.next_school, roll.school)
        gone = roll.leaves >= 0
        self.done[roll.child[gone & (roll.drops_out | roll.no_show)]] = True
        self._depart(np.unique(self.people.home[roll.child[gone & ~roll.drops_out & ~roll.no_show]]))
        return roll

    def _present(self) -> Ints:
        within: Flags = (self.grade >= 0) & (self.grade < GRADE_COUNT) & ~self.done
        within = within & self.taught[np.clip(self.grade, 0, GRADE_COUNT - 1)]
        return np.flatnonzero(within & self.here[self.people.home])

    def _depart(self, homes: Ints) -> None:
        self.here[homes], self.away[homes] = False, True

    def _summer(self, unsettled: Flags) -> None:
        """A year older, but for those who stay down; families leave, and some come back."""
        now = self._present()
        chance = STAYS_DOWN[self.grade[now]] * np.exp(0.5 * self.people.distance[now] - 0.125)
        self.grade += 1
        self.grade[now[self.rng.random(len(now)) < chance]] -= 1
        elsewhere = (self.grade == 9) & (self.rng.random(len(self.grade)) < GONE_AFTER_EIGHTH)
        self.done |= elsewhere & (self.school >= 0) | (self.grade >= GRADE_COUNT)
        chances = self.rng.random((2, len(self.here)))
        back = self.away & (chances[1] < 0.10)
        self._depart(np.flatnonzero(self.here & (chances[0] < np.where(unsettled, 0.11, 0.042))))
        self.here |= back
        self.away &= ~back

    def _fill(self, wanted: int) -> None:
        """New families until the roll is as long as it should be; where it is too long, the last ones go elsewhere."""
        inside: Flags = (self.grade >= 0) & (self.grade < GRADE_COUNT) & ~self.done
        inside = inside & self.taught[np.clip(self.grade, 0, GRADE_COUNT - 1)]
        bring = np.bincount(self.people.home[inside], minlength=len(self.here))
        missing = wanted - int(bring[self.here].sum())
        for home in np.flatnonzero(self.fresh & ~self.here & (bring > 0)):
            if missing <= 0:
                break
            self.here[home], self.fresh[home] = True, False
            missing -= bring[home]
        if missing < 0:
            self.done[self.rng.permutation(self._present())[:-missing]] = True

    def _place(self, child: Ints, unsettled: Flags) -> None:
        """The school of last year where it teaches the grade; else the one of the neighbourhood, or another."""
        home, grade = self.people.home[child], self.grade[child]
        moved = self.rng.random(len(self.here)) < np.where(unsettled, 0.22, 0.05)
        self.zone[moved] = self.rng.random(int(moved.sum()))
        fits = (self.school[child] >= 0) & self.teaches[self.school[child], grade]
        changes = moved[home] & (self.rng.random(len(child)) < np.where(grade < 9, 0.6, 0.25))
        chosen = self._near(home, grade, self.zone[home], self.people.stray[child])
        self.school[child] = np.where(fits & ~changes, self.school[child], chosen)

    def _near(self, home: Ints, grade: Ints, zone: Floats, stray: Flags) -> Ints:
        """A school for each child: by zone among those of its network that teach the grade; strays go anywhere."""
        found = np.zeros(len(home), dtype=np.int64)
        keys = sorted({school.network for school in self.schools})
        for network, key in enumerate(keys):
            for year in range(GRADE_COUNT):
                everywhere = [at for at in range(len(self.schools)) if self.teaches[at, year]]
                inside = [at for at in everywhere if self.schools[at].network == key] or everywhere
                for places, away in ((inside, False), (everywhere, True)):
                    who = np.flatnonzero((self.homes.network[home] == network) & (grade == year) & (stray == away))
                    if len(who):
                        sizes = np.cumsum([self.schools[at].size for at in places])
                        at = np.searchsorted(sizes / sizes[-1], zone[who], side="right")
                        found[who] = np.array(places)[np.minimum(at, len(places) - 1)]
        return found

    def _within(self, child: Ints, new: Flags, unsettled: Flags, length: int, first: bool) -> Roll:
        """What happens between the first school day and the last one."""
        rng, home, grade = self.rng, self.people.home[child], self.grade[child]
        homes, count, share = len(self.here), len(child), length / WHOLE_YEAR
        day = rng.integers(min(5, length - 2), length - 1, homes)
        late_home = rng.random(homes) < (0.02 if first else 0.24) * min(1.0, share * 1.5)
        late = new & late_home[home] & (length > 10)
        enters = np.where(late, rng.integers(1, max(2, length * 2 // 3), homes)[home], 0)
        goes = (rng.random(homes) < np.where(unsettled, 0.055, 0.016) * share)[home] & (length > 10)
        chance = LEAVES_SCHOOL[grade] * np.exp(0.8 * self.people.distance[child] - 0.32) * share
        drops_out = (rng.random(count) < chance) & ~goes & (length > 10)
        last = np.where(goes, day[home], rng.integers(min(9, length - 2), length - 1, count))
        leaves = np.where((goes | drops_out) & (last > enters), last, -1)
        no_show = (
            (rng.random(count) < np.where((new & (not first)) | (grade == 9), 0.008, 0.001))
            & (leaves < 0)
            & (length > 15)
        )
        no_show &= ~late
        drops_out &= (leaves >= 0) & ~no_show
        leaves = np.where(no_show & (rng.random(count) < (0.5 if length < WHOLE_YEAR // 2 else 1.0)), 14, leaves)
        stirs = (rng.random(homes) < np.where(unsettled, 0.40, 0.04) * share) & (length > 12)
        zone = np.where(stirs, rng.random(homes), self.zone)
        self.zone = zone
        elsewhere = self._near(home, grade, zone[home], self.people.stray[child])
        school = self.school[child]
        moves = stirs[home] & (rng.random(count) < np.where(grade < 9, 0.65, 0.2)) & (elsewhere != school)
        moves &= (leaves < 0) & (enters == 0) & ~no_show
        return Roll(
            child=child,
            grade=grade,
            school=school,
            enters=enters,
            leaves=leaves,
            moves=np.where(moves, day[home], -1),
            next_school=np.where(moves, elsewhere, school),
            no_show=no_show,
            drops_out=drops_out,
        )
