"""The numbers of a student: at one school, or in the whole district."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.oracle.day import OUT, Cell, exact_share, known_day
from tests.oracle.deliveries import Standing
from tests.oracle.ledger import Ledger
from tests.oracle.membership import Membership, last_day, school_year_start

LINES = (("3", 5, 5000), ("2", 10, 3000), ("watch", 20, 0))
"""A tier, one day in how many from which on it holds, and the least absence it needs."""
ENOUGH = 20_000
"""Enrolled days before a rate is judged."""
UNKNOWN = ("unknown_code", "unknown_periods", "unknown_row")
UNTOLD = (*UNKNOWN, "missing")
SAYS = ("excused", "", "unknown", "unexcused")
"""Which reason stands where a day was missed alike at two schools."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Days in thousandths; tardies, missing and unknown days, streak and months are counts.

    `open_days` are missing or unknown: all present gives `tier_min`, all missed `tier_max`, by the rate alone.
    """

    enrolled: int
    absent: int
    excused: int
    unexcused: int
    federal: int
    tardies: int
    member_days: int
    missing: int
    unknown: int
    streak: int
    absent_last_10: int
    absent_last_20: int
    absent_last_30: int
    unexcused_last_20: int
    unexcused_last_180: int
    attendance_days_180: int
    absent_first_20: int
    months_started: int
    present_ever: bool
    band: str
    too_early: bool
    rate_tenths: int | None
    rate_tier: str
    open_days: int
    tier_min: str
    tier_max: str


class Oracle:
    """Everything that can be asked about one district on one day."""

    def __init__(self, standing: Standing, membership: Membership, today: date) -> None:
        self.standing, self.membership = standing, membership
        self.ledger = Ledger(standing, membership, today)
        self.cells: dict[tuple[str, str, date], Cell] = {}
        self.through = {school: self.ledger.data_through(school) for school in membership.roster.schools}

    def cell(self, student: str, school: str, day: date) -> Cell:
        """What is known of a student at one school on a day."""
        key = (student, school, day)
        if key not in self.cells:
            self.cells[key] = self._cell(*key)
        return self.cells[key]

    def _cell(self, student: str, school: str, day: date) -> Cell:
        due = self.membership.due(student, school, day)
        through = self.through[school]
        if due is None or through is None or day > through:
            return OUT
        if self.ledger.status(school, day) not in ("submitted", "partial"):
            return Cell("missing", due.value)
        where = self.membership.roster.schools[school]
        marks = self.standing.of_day(student, school, day, where.primary_source)
        if marks:
            return known_day(marks, self.membership.roster, where, due, self.ledger.full(school, day))
        return Cell("unknown_row", due.value) if self.ledger.full(school, day) else Cell("member", due.value)

    def exact_share(self, student: str, school: str, day: date) -> tuple[int, str] | None:
        """Thousandths of the day missed, minutes counted as they are, and the reason; None for no counted day."""
        cell, due = self.cell(student, school, day), self.membership.due(student, school, day)
        if cell.status != "member" or due is None:
            return None
        where = self.membership.roster.schools[school]
        marks = self.standing.of_day(student, school, day, where.primary_source)
        full = self.ledger.full(school, day)
        return exact_share(marks, self.membership.roster, where, due, full) if marks else (0, "")

    def schools_of(self, student: str) -> list[str]:
        return sorted({stint.school for stint in self.membership.of_student.get(student, ())})

    def days(self, student: str, schools: list[str], start: date, end: date) -> list[Cell]:
        """One cell a day from `start` to `end`, those of several schools put together."""
        stints = [s for s in self.membership.of_student.get(student, ()) if s.school in schools]
        found = []
        for number in range((end - start).days + 1):
            day = start + timedelta(days=number)
            here = {s.school for s in stints if s.entry <= day <= last_day(s)}
            found.append(together([self.cell(student, school, day) for school in sorted(here)]))
        return found

    def of_student(self, student: str, as_of: date) -> Measures:
        """In the whole district."""
        return self._measures(student, self.schools_of(student), as_of)

    def at_school(self, student: str, school: str, as_of: date) -> Measures:
        """On the days of one school."""
        return self._measures(student, [school], as_of)

    def _measures(self, student: str, schools: list[str], as_of: date) -> Measures:
        start = school_year_start(as_of)
        this_year = self.days(student, schools, start, as_of)
        year_before = self.days(student, schools, school_year_start(start - timedelta(days=1)), start)[:-1]
        return summed(this_year, year_before)


def together(cells: list[Cell]) -> Cell:
    """One day at several schools: it counts once, missed only as far as at every school; late at one is late.

    Where one has not told, only a day attended whole at another is known.
    """
    members = [cell for cell in cells if cell.status == "member"]
    told = all(cell.status not in UNTOLD for cell in cells)
    if members and (told or min(cell.fraction for cell in members) == 0):
        least = min(members, key=lambda cell: (cell.fraction, SAYS.index(cell.excuse)))
        return Cell(
            "member",
            max(cell.weight for cell in members),
            least.fraction,
            least.excuse,
            any(cell.tardy for cell in members),
        )
    for status in (*UNTOLD, "held_out"):
        for cell in cells:
            if cell.status == status:
                return cell
    return OUT


def streak(cells: list[Cell]) -> int:
    """Whole days missed one after the other up to the end; a day that does not count leaves the run as it is."""
    run = 0
    for cell in cells:
        if cell.status == "member":
            run = run + 1 if cell.fraction == 1000 else 0
        elif cell.status in UNKNOWN:
            run = 0
    return run


def band(absent: int, enrolled: int) -> str:
    if enrolled == 0:
        return "none"
    if 20 * absent < enrolled:
        return "satisfactory"
    if 10 * absent < enrolled:
        return "at_risk"
    return "moderate" if 5 * absent < enrolled else "severe"


def tier_by_rate(absent: int, enrolled: int) -> str:
    """By the three lines alone; under a line's least absence the next lower line is tried."""
    if enrolled == 0:
        return "none"
    for tier, one_in, least in LINES:
        if enrolled >= ENOUGH and one_in * absent >= enrolled and absent >= least:
            return tier
    return "1"


def summed(cells: list[Cell], year_before: list[Cell]) -> Measures:
    """Add up the days of the year; only the window of 180 looks into the year before."""
    members = [cell for cell in cells if cell.status == "member"]
    last_180 = ([cell for cell in year_before if cell.status == "member"] + members)[-180:]
    enrolled = sum(cell.weight for cell in members)
    absent = sum(cell.absent for cell in members)
    open_days = sum(cell.weight for cell in cells if cell.status in UNTOLD)

    def unexcused(some: list[Cell]) -> int:
        return sum(cell.absent for cell in some if cell.excuse == "unexcused")

    def missed(some: list[Cell]) -> int:
        return sum(cell.absent for cell in some)

    return Measures(
        enrolled=enrolled,
        absent=absent,
        excused=sum(cell.absent for cell in members if cell.excuse == "excused"),
        unexcused=unexcused(members),
        federal=sum(cell.weight for cell in members if cell.fraction >= 500),
        tardies=sum(cell.tardy for cell in members),
        member_days=len(members),
        missing=sum(cell.status == "missing" for cell in cells),
        unknown=sum(cell.status in UNKNOWN for cell in cells),
        streak=streak(cells),
        absent_last_10=missed(members[-10:]),
        absent_last_20=missed(members[-20:]),
        absent_last_30=missed(members[-30:]),
        unexcused_last_20=unexcused(members[-20:]),
        unexcused_last_180=unexcused(last_180),
        attendance_days_180=len(last_180),
        absent_first_20=missed(members[:20]),
        months_started=-(-len(members) // 20),
        present_ever=any(cell.fraction < 1000 for cell in members),
        band=band(absent, enrolled),
        too_early=enrolled < ENOUGH,
        rate_tenths=1000 * absent // enrolled if enrolled else None,
        rate_tier=tier_by_rate(absent, enrolled),
        open_days=open_days,
        tier_min=tier_by_rate(absent, enrolled + open_days),
        tier_max=tier_by_rate(absent + open_days, enrolled + open_days),
    )
