"""One student, one school, one day: what is known and how much of it was missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from tests.oracle.codes import ABSENT, EXCUSES, HELD_OUT, meaning
from tests.oracle.rows import CalendarDay, Code, Roster, Row, School

WHOLE_DAY = 999


@dataclass(frozen=True, slots=True)
class Cell:
    """`status`: out, missing, unknown_row, unknown_code, unknown_periods, held_out or member.

    `fraction` of the day in thousandths.
    """

    status: str
    weight: int = 0
    fraction: int = 0
    excuse: str = ""
    tardy: bool = False

    @property
    def absent(self) -> int:
        return self.weight * self.fraction // 1000


OUT = Cell("out")


def half_day_rule(missed: Fraction, school: School, day: CalendarDay) -> int:
    """0, 500 or 1000 by the minutes a student was there."""
    length = day.minutes if day.minutes is not None else school.day_minutes
    there = max(length - missed, Fraction(0))
    if there >= min(school.min_full, length):
        return 0
    return 500 if there >= min(Fraction(school.min_half), Fraction(length, 2)) else 1000


def by_minutes(minutes: int, school: School, day: CalendarDay) -> int:
    length = day.minutes if day.minutes is not None else school.day_minutes
    return half_day_rule(Fraction(length if minutes == WHOLE_DAY else minutes), school, day)


def there(code: Code) -> bool:
    """In school, or away with it. A remote code worth a part of a day says that nobody joined."""
    return code.kind == "present" or elsewhere(code)


def elsewhere(code: Code) -> bool:
    """With the school and not in class."""
    return code.kind in ("school_function", "suspension_in") or (code.kind == "remote" and not code.fraction)


def part(row: Row, code: Code) -> int:
    """Thousandths missed by the row's own fraction or its code; nothing by a code of presence."""
    if there(code):
        return 0
    return row.fraction if row.fraction is not None else code.fraction


Told = list[tuple[Row, Code]]


@dataclass(frozen=True, slots=True)
class Periods:
    """The rows of the class periods of a day: those with a known answer, and the others (unknown or held out)."""

    known: Told
    others: list[Row]
    every_one_has_a_row: bool

    def share(self, school: School) -> Fraction | None:
        """How much of the day was missed; None where nobody knows."""
        missed = [(row, Fraction(part(row, code), 1000)) for row, code in self.known if part(row, code)]
        if not missed:
            return Fraction(0)
        taken = self.every_one_has_a_row or self.attended_beside({row.first for row, _ in missed})
        minutes = dict(school.periods)
        fits = sum(minutes.values()) <= school.day_minutes
        if minutes and (fits or taken):
            left = sum(minutes.values()) - sum(minutes[row.period] for row in self.others)
            if self.every_one_has_a_row or not fits:
                left = sum(minutes[row.period] for row, _ in self.known)
            return sum((share * minutes[row.period] for row, share in missed), Fraction(0)) / left
        return sum((share for _, share in missed), Fraction(0)) / len(self.known) if taken else None

    def attended_beside(self, deliveries: set[int]) -> bool:
        """An attended period that one of these told of first, as attended, shows that it lists every period."""
        return any(code.kind == "present" and row.first in deliveries and not row.else_ for row, code in self.known)


def periods_of(marks: dict[str, Row], roster: Roster, school: School, full: bool) -> Periods:
    """The periods of a day that count."""
    idle = [period for period, minutes in school.periods if not minutes]
    rows = [row for period, row in marks.items() if period and period not in idle]
    told = [(row, code) for row in rows if (code := meaning(roster, row)) is not None]
    known = [(row, code) for row, code in told if code.kind not in HELD_OUT]
    return Periods(known, [row for row in rows if row not in [one for one, _ in known]], full)


def bucket(code: Code) -> str:
    """excused, unexcused, unknown, or blank for what is none. A suspension is never without a known reason."""
    if code.excused == "excused":
        return "excused"
    return code.excused if code.excused in ("unexcused", "unknown") and code.kind != "suspension_out" else ""


def exact_share(marks: dict[str, Row], roster: Roster, school: School, day: CalendarDay, full: bool) -> tuple[int, str]:
    """Thousandths of the day missed by minutes and periods as they are, without the half-day rule; and why."""
    cell = known_day(marks, roster, school, day, full)
    whole = marks.get("")
    length = day.minutes if day.minutes is not None else school.day_minutes
    says_much = whole is not None and (whole.fraction is not None or whole.minutes is not None)
    code = meaning(roster, whole) if whole is not None else None
    if whole is not None and whole.fraction is None and whole.minutes is not None:
        missed = length if whole.minutes == WHOLE_DAY else min(whole.minutes, length)
        missed = 0 if code and there(code) else missed
        return 1000 * missed // length, bucket(code) if code and missed else ""
    periods = periods_of(marks, roster, school, full)
    share = periods.share(school)
    if not says_much and periods.known and share is not None and not (code and elsewhere(code)):
        return 1000 * share.numerator // share.denominator, _why(whole, periods.known, roster)
    return cell.fraction, cell.excuse


def _why(whole: Row | None, known: Told, roster: Roster) -> str:
    """The reason of a day told by periods, the whole-day row's where that names an absence."""
    code = meaning(roster, whole) if whole is not None and whole.code else None
    if code is not None and code.kind in ABSENT:
        return bucket(code)
    return _heaviest(known)


def _heaviest(known: Told) -> str:
    missed = [code for row, code in known if part(row, code) > 0]
    heaviest = min(missed, key=lambda code: EXCUSES.index(code.excused), default=None)
    return bucket(heaviest) if heaviest else ""


def known_day(marks: dict[str, Row], roster: Roster, school: School, day: CalendarDay, full: bool) -> Cell:
    """The cell of a day with at least one mark. `full`: the feed has a row for whatever there is."""
    whole = marks.get("")
    periods = periods_of(marks, roster, school, full)
    if whole is not None and not whole.code and any(marks):
        whole = None
    if whole is None:
        return _period_day(periods, roster, school, day)
    code = meaning(roster, whole)
    if code is None:
        return Cell("unknown_code", day.value)
    if code.kind in HELD_OUT:
        return Cell("held_out", day.value)
    unclear = code.kind in ABSENT and periods.share(school) is None
    says_much = whole.fraction is not None or whole.minutes is not None
    if says_much or not periods.known or elsewhere(code) or unclear:
        missed = part(whole, code)
        if whole.fraction is None and whole.minutes is not None and not there(code):
            missed = by_minutes(whole.minutes, school, day)
        return Cell("member", day.value, missed, bucket(code), code.kind == "tardy")
    by_period = _period_day(periods, roster, school, day)
    if by_period.status != "member":
        return by_period
    excuse = bucket(code) if code.kind in ABSENT else by_period.excuse
    return replace(by_period, excuse=excuse, tardy=by_period.tardy or code.kind == "tardy")


def _period_day(periods: Periods, roster: Roster, school: School, day: CalendarDay) -> Cell:
    if not periods.known and not periods.others:
        return Cell("unknown_row", day.value) if periods.every_one_has_a_row else Cell("member", day.value)
    if not periods.known:
        held_out = all(meaning(roster, row) is not None for row in periods.others)
        return Cell("held_out" if held_out else "unknown_code", day.value)
    share = periods.share(school)
    if share is None:
        return Cell("unknown_periods", day.value)
    length = day.minutes if day.minutes is not None else school.day_minutes
    missed = half_day_rule(share * length, school, day)
    late = any(code.kind == "tardy" for _, code in periods.known)
    return Cell("member", day.value, missed, _heaviest(periods.known), late)
