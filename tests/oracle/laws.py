"""What laws of states count, day by day and by hand: whom they speak of, in which window, in which unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.oracle.day import Cell
from tests.oracle.measures import UNTOLD, Oracle, together
from tests.oracle.membership import school_year_start

WITHOUT_EXCUSE = ("unexcused",)
OR_REASON = ("unexcused", "unknown")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a child: what is known of it; how many minutes were missed, whether that is all of it, and why."""

    date: date
    cell: Cell
    minutes: int
    whole: bool
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`amount` in thousandths of days or parts, or in minutes; is the law about the child; is its line reached."""

    amount: int
    asked: bool
    met: bool


def days_of(oracle: Oracle, student: str, start: date, end: date) -> list[Day]:
    """Every day from start to end on which the child was due somewhere and attendance is known."""
    found = []
    for number in range((end - start).days + 1):
        day = start + timedelta(days=number)
        schools = oracle.schools_of(student)
        cell = together([oracle.cell(student, school, day) for school in schools])
        if cell.status == "member":
            found.append(Day(day, cell, *_minutes(oracle, student, schools, day)))
    return found


def _minutes(oracle: Oracle, student: str, schools: list[str], day: date) -> tuple[int, bool, str]:
    """Minutes missed: the smallest share at any school, of the longest day the child was due for.

    Some minutes missed at one school say nothing while another that the child was due at has not told.
    """
    lengths, shares, told = [], [], True
    for key in schools:
        due = oracle.membership.due(student, key, day)
        if due is None:
            continue
        school = oracle.membership.roster.schools[key]
        lengths.append(due.minutes if due.minutes is not None else school.day_minutes * due.value // 1000)
        share = oracle.exact_share(student, key, day)
        told &= oracle.cell(student, key, day).status not in UNTOLD
        if share is not None:
            shares.append(share)
    least = min(shares, key=lambda share: (share[0], ("excused", "", "unknown", "unexcused").index(share[1])))
    if least[0] and not told:
        return 0, False, ""
    return -(-least[0] * max(lengths) // 1000), least[0] == 1000, least[1]


def answers(oracle: Oracle, student: str, as_of: date) -> dict[str, Answer]:
    """Each measure for one child on one day."""
    start = school_year_start(as_of)
    this_year = days_of(oracle, student, start, as_of)
    last_year = days_of(oracle, student, school_year_start(start - timedelta(days=1)), start - timedelta(days=1))
    age = _Age(oracle, student, as_of)
    month = [day for day in this_year if (day.date.year, day.date.month) == (as_of.year, as_of.month)]
    ninety = [day for day in last_year + this_year if day.date > as_of - timedelta(days=90)]
    four_weeks = [day for day in this_year if day.date > as_of - timedelta(days=28)]
    half_a_year = [day for day in this_year if day.date > months_before(as_of, 6)]
    days_180 = (last_year + this_year)[-180:]
    hours = sum(day.minutes for day in this_year if day.why in WITHOUT_EXCUSE)
    row = sum(day.minutes for day in _row(this_year))
    return {
        "FL_FIVE_IN_A_MONTH": age.answer(_days(month, OR_REASON), 5000, age.florida),
        "FL_TEN_IN_90_DAYS": age.answer(_days(ninety, OR_REASON), 10_000, age.florida),
        "TX_THREE_IN_FOUR_WEEKS": age.answer(_parts(four_weeks), 3000, age.texas),
        "TX_TEN_IN_SIX_MONTHS": age.answer(_parts(half_a_year), 10_000, age.texas),
        "OH_72_HOURS_IN_A_YEAR": age.answer(hours, 72 * 60, age.ohio),
        "OH_30_HOURS_IN_A_ROW": age.answer(row, 30 * 60, age.ohio),
        "IL_NINE_OF_180": age.answer(_days(days_180, WITHOUT_EXCUSE), 9000, age.illinois),
    }


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last day."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    after = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), after - timedelta(days=1))


def _days(some: list[Day], excuses: tuple[str, ...]) -> int:
    return sum(day.cell.absent for day in some if day.cell.excuse in excuses)


def _parts(some: list[Day]) -> int:
    """Each day with a part missed counts whole."""
    return 1000 * sum(day.cell.fraction > 0 and day.cell.excuse in WITHOUT_EXCUSE for day in some)


def _row(some: list[Day]) -> Iterator[Day]:
    """The whole days missed without an excuse at the end, one after the other."""
    for day in reversed(some):
        if not _whole(day):
            return
        yield day


def _whole(day: Day) -> bool:
    return day.whole and day.why in WITHOUT_EXCUSE


class _Age:
    """Whom each state's law speaks of on the day; nobody is left out for want of a birth date."""

    def __init__(self, oracle: Oracle, student: str, day: date) -> None:
        self.grade, self.born = oracle.membership.roster.people.get(student, ("", None))
        self.day = day

    def answer(self, amount: int, line: int, asks: Callable[[], bool]) -> Answer:
        asked = self.grade != "PK" and (self.born is None or asks())
        return Answer(amount, asked, asked and amount >= line)

    def _birthday(self, age: int) -> date:
        assert self.born is not None
        return date(self.born.year + age, self.born.month, self.born.day)

    def florida(self) -> bool:
        february = date(school_year_start(self.day).year + 1, 2, 1)
        return self._birthday(6) <= february and self.day < self._birthday(16)

    def illinois(self) -> bool:
        september = date(school_year_start(self.day).year, 9, 1)
        return self._birthday(6) <= september and self.day < self._birthday(17)

    def texas(self) -> bool:
        return self._birthday(6) <= self.day < self._birthday(19)

    def ohio(self) -> bool:
        return self._birthday(6) <= self.day < self._birthday(18)
