"""Movement between any two days, on districts that live through transfers, corrections and late files.

In every cell: then + came + moved in + new - went - moved out - left = now, and both ends are what the boards count.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.deciding import flagging
from ew_app.services.watching import movement
from ew_app.services.watching.movement import COLUMNS, GROUPS, Movement, Unit
from models.base import db
from models.org import School
from models.queries.boards import schools_in
from rules.access import Area
from rules.movement import Cell
from rules.tiers import Tier
from tests.services import letters

SCHOOLS = {"lincoln": "N1", "carver": "N1", "douglas": "N1", "oak": "N2", "rosa": "N2"}
DAILY = range(2)
DAYS = letters.weekdays(50)
STUDENTS = 45
Stood = dict[tuple[int, int], int]  # (student, school) -> tier

pytestmark = pytest.mark.usefixtures("app")


@dataclass
class District:
    """A small district that goes on from day to day; `happened` says what its children lived through."""

    chance: random.Random
    schools: dict[str, int] = field(default_factory=dict)
    through: dict[str, int] = field(default_factory=dict)  # school -> days it has sent
    happened: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        self.schools = {key: letters.school(key, network=network, days=60) for key, network in SCHOOLS.items()}
        self.through = dict.fromkeys(SCHOOLS, 0)
        for number in range(STUDENTS):
            self._lives(f"s{number:02}")

    def _lives(self, key: str) -> None:
        """Enrolments of one child, one behind the other; some come late, some leave, some are absent often."""
        at = 0 if self.chance.random() < 0.8 else self.chance.randrange(1, 35)
        school = self.chance.choice(list(SCHOOLS))
        while True:
            ends = self.chance.randrange(at + 1, 60)
            open_end = ends >= len(DAYS) or self.chance.random() < 0.3
            exit_day = None if open_end else DAYS[ends]
            student = letters.student(key, self.schools[school], entry=DAYS[at], exit=exit_day)
            self._is_absent(student, school, at)
            if exit_day is None:
                return
            if self.chance.random() < 0.25:
                self.happened["left"] += 1
                return
            at, before = min(ends + self.chance.choice((0, 1, 4)), len(DAYS) - 1), school
            school = self.chance.choice(list(SCHOOLS))
            self.happened["transfers"] += school != before
            if at >= len(DAYS) - 1 or DAYS[at] <= exit_day and school == before:
                return

    def _is_absent(self, student: int, school: str, since: int) -> None:
        often = self.chance.choice((0.0, 0.05, 0.15, 0.35))
        for day in DAYS[since:]:
            if self.chance.random() < often:
                letters.mark(student, self.schools[school], day, self.chance.choice("AAEH"))

    def goes_on(self) -> None:
        """Some schools send more days, some rows are corrected, and everybody is decided for."""
        for key in SCHOOLS:
            more = self.chance.choice((0, 3, 8, 15))
            letters.submit(self.schools[key], DAYS[self.through[key] : self.through[key] + more])
            self.through[key] = min(self.through[key] + more, len(DAYS))
        for _ in range(12):
            student, school = self.chance.choice(_enrolled())
            letters.mark(student, school, self.chance.choice(DAYS[:40]), self.chance.choice("APP"))
            self.happened["corrections"] += 1
        flagging.evaluate_all()


def _enrolled() -> list[tuple[int, int]]:
    rows = db.session.execute(text("SELECT student_id, school_id FROM stint ORDER BY id"))
    return [(student, school) for student, school in rows]


@pytest.mark.parametrize("seed", [*DAILY, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 40))])
def test_every_cell_adds_up_between_any_two_days(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    district = District(random.Random(seed))
    district.begin()
    seen: Counter[str] = Counter()
    groups = [*GROUPS.values(), (Tier.ONE,), (Tier.NONE,)]
    for _ in range(3):
        district.goes_on()
        pairs = [sorted(district.chance.sample(DAYS, 2)) for _ in range(10)]
        for before, now in [*pairs, (DAYS[0], DAYS[-1])]:
            for units in (by_school(), by_network(), by_school()[:1]):
                for tiers in (Tier, *district.chance.sample(groups, 1)):
                    seen.update(holds(movement.between(units, before, now, tuple(tiers)), units, tuple(tiers)))
    # In a few of the others nobody who changed schools is met between two counted days.
    moves = ("moved", "new", "left", "tier") if seed in DAILY else ("new", "left", "tier")
    assert all(seen[kind] for kind in moves), f"nothing that does not move proves anything: {dict(seen)}"
    with capsys.disabled():
        print(f"\nseed {seed}: {dict(seen)}; {dict(district.happened)}")


def test_a_standing_that_the_last_year_left_open_is_not_counted_again() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP"})["ana"]
    with transaction():
        last_year = {"student": ana, "school": lincoln, "since": date(2026, 3, 2)}
        db.session.execute(
            text("INSERT INTO standing VALUES (:student, :since, NULL, :school, '6', 2, false)"), last_year
        )
    flagging.evaluate_all()
    assert counted(lincoln, letters.weekdays(10)[9], tuple(Tier)) == 1
    told = movement.between(by_school(), letters.FIRST_DAY, letters.weekdays(10)[9], tuple(Tier))
    assert (told.total.then, told.total.now, told.total.new) == (1, 1, 0)


def test_two_days_of_different_school_years_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same school year"):
        movement.between([], date(2026, 6, 1), date(2026, 9, 1))


def holds(told: Movement, units: Sequence[Unit], tiers: Sequence[Tier]) -> Counter[str]:
    """Compare one movement with the counts of its two days and with everybody's standing, child by child."""
    schools = {school.id: place for place, unit in enumerate(units) for school in unit.schools}
    days = {school: pair for school in schools if (pair := compared(school, told.before, told.now))}
    lines = {line.key: line.cell for line in told.lines}
    assert set(lines) == {units[schools[school]].key for school in days}
    for unit in units:
        if unit.key in lines:
            inside = [school.id for school in unit.schools if school.id in days]
            ends(lines[unit.key], {school: days[school] for school in inside}, tiers)
    ends(told.total, days, tiers)
    sums(told, list(lines.values()))
    return child_by_child(told, {s: units[place].key for s, place in schools.items()}, days, tiers)


def ends(cell: Cell, days: dict[int, tuple[date, date]], tiers: Sequence[Tier]) -> None:
    """Both ends of a cell are what the boards count on those days."""
    assert cell.then == sum(counted(school, before, tiers) for school, (before, _) in days.items())
    assert cell.now == sum(counted(school, now, tiers) for school, (_, now) in days.items())
    assert min(cell.stayed, cell.came, cell.moved_in, cell.new, cell.went, cell.moved_out, cell.left) >= 0


def sums(told: Movement, lines: list[Cell]) -> None:
    """Lines add up to the whole, but for children who changed lines: they stand on two lines and not in the sum."""
    added = sum(lines, Cell())
    total = told.total
    assert (added.then, added.now, added.new, added.left) == (total.then, total.now, total.new, total.left)
    kept_in = added.moved_in - total.moved_in - (total.came - added.came)
    kept_out = added.moved_out - total.moved_out - (total.went - added.went)
    assert kept_in == kept_out >= 0
    assert kept_in <= told.between
    whole = sum((cell for _, cell in told.by_tier), Cell())
    assert (whole.then, whole.now) == (told.everyone.then, told.everyone.now)
    assert whole.came == whole.went, "who leaves one tier for another comes into that other"
    assert (whole.new, whole.left) == (told.everyone.new, told.everyone.left)
    assert (told.everyone.came, told.everyone.went) == (0, 0)


def child_by_child(
    told: Movement, unit_of: dict[int, str], days: dict[int, tuple[date, date]], tiers: Sequence[Tier]
) -> Counter[str]:
    """The same from the rows of each child, without SQL that knows about movement."""
    everywhere = {school.id: pair for school in all_schools() if (pair := compared(school.id, told.before, told.now))}
    then, now = (stood({school: pair[which] for school, pair in everywhere.items()}) for which in (0, 1))
    expected: Counter[tuple[str, str]] = Counter()
    seen: Counter[str] = Counter(cells=len(told.lines) + 1, movements=1)
    for source, goal in stepped(then, now):
        before, after = (unit_of.get(at[0]) if at else None for at in (source, goal))
        was, is_now = (bool(at and at[1] in tiers) for at in (source, goal))
        if before and before == after:
            if was != is_now:
                expected[before, "went" if was else "came"] += 1
                seen["tier"] += 1
            continue
        if before and was:
            expected[before, "left" if goal is None else "moved_out"] += 1
            seen["left" if goal is None else "moved"] += 1
        if after and is_now:
            expected[after, "new" if source is None else "moved_in"] += 1
            seen["new" if source is None else "moved"] += 1
    for line in told.lines:
        for name in ("came", "moved_in", "new", "went", "moved_out", "left"):
            assert getattr(line.cell, name) == expected[line.key, name], (line.key, name, told.before, told.now)
    return seen


def stepped(then: Stood, now: Stood) -> Iterator[tuple[tuple[int, int] | None, tuple[int, int] | None]]:
    """((school, tier), (school, tier)) of the two days for each child at each school; a school left is paired with one
    that was entered."""
    sides: dict[int, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
    for student, school in sorted(then.keys() | now.keys()):
        before, after = then.get((student, school)), now.get((student, school))
        if before is not None and after is not None:
            yield (school, before), (school, after)
        else:
            left, entered = sides.setdefault(student, ([], []))
            if before is not None:
                left.append((school, before))
            if after is not None:
                entered.append((school, after))
    for left, entered in sides.values():
        for n in range(max(len(left), len(entered))):
            yield (left[n] if n < len(left) else None), (entered[n] if n < len(entered) else None)


def stood(days: dict[int, date]) -> Stood:
    rows = db.session.execute(text("SELECT student_id, school_id, tier, since, until FROM standing"))
    return {
        (student, school): tier
        for student, school, tier, since, until in rows
        if school in days and since <= days[school] <= (until or date.max)
    }


def compared(school: int, before: date, now: date) -> tuple[date, date] | None:
    """The two days a school is looked at on."""
    days = sorted(db.session.scalars(text("SELECT DISTINCT day FROM tier_count WHERE school_id = :s"), {"s": school}))
    if not days or days[0] > now:
        return None
    return max((day for day in days if day <= before), default=days[0]), max(day for day in days if day <= now)


def counted(school: int, day: date, tiers: Sequence[Tier]) -> int:
    names = " + ".join(f'"{COLUMNS[tier]}"' for tier in tiers)
    asked = {"school": school, "day": day}
    found = text(f"SELECT coalesce(sum({names}), 0) FROM tier_count WHERE school_id = :school AND day = :day")
    return int(db.session.scalar(found, asked) or 0)


def all_schools() -> Sequence[School]:
    return schools_in(Area(district=True))


def by_school() -> list[Unit]:
    return [Unit(school.key, school.name, (school,)) for school in all_schools()]


def by_network() -> list[Unit]:
    return [
        Unit(key, key, tuple(school for school in all_schools() if school.network.key == key)) for key in ("N1", "N2")
    ]
