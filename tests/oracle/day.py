"""One student, one school, one day: what is known and how much of it was missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from tests.oracle.codes import ABSENT, EXCUSES, HELD_OUT, meaning
from tests.oracle.rows import CalendarDay, Code, Roster, Row, School

WHOLE_DAY = 999


@dataclass(frozen=True, slots=True)
class Cell:
    """`status`: out, missing, unknown_row, unknown_code, held_out or member; `fraction` of the day in thousandths."""

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


def by_periods(known: list[tuple[Row, Code]], school: School, day: CalendarDay) -> int:
    """The share of the periods with a known answer that was missed, of the day's length."""
    length = day.minutes if day.minutes is not None else school.day_minutes
    missed = sum(part(row, code) for row, code in known)
    return half_day_rule(Fraction(missed * length, 1000 * len(known)), school, day)


def bucket(code: Code) -> str:
    """excused, unexcused, unknown, or blank for what is none. A suspension is never without a known reason."""
    if code.excused == "excused":
        return "excused"
    return code.excused if code.excused in ("unexcused", "unknown") and code.kind != "suspension_out" else ""


def exact_share(marks: dict[str, Row], roster: Roster, school: School, day: CalendarDay) -> tuple[int, str]:
    """Thousandths of the day missed by minutes and periods as they are, without the half-day rule; and why."""
    cell = known_day(marks, roster, school, day)
    whole = marks.get("")
    length = day.minutes if day.minutes is not None else school.day_minutes
    says_much = whole is not None and (whole.fraction is not None or whole.minutes is not None)
    periods = [(row, code) for period, row in marks.items() if period and (code := meaning(roster, row)) is not None]
    known = [(row, code) for row, code in periods if code.kind not in HELD_OUT]
    if whole is not None and whole.fraction is None and whole.minutes is not None:
        missed = length if whole.minutes == WHOLE_DAY else min(whole.minutes, length)
        code = meaning(roster, whole)
        missed = 0 if code and there(code) else missed
        return 1000 * missed // length, bucket(code) if code and missed else ""
    away = meaning(roster, whole) if whole is not None else None
    if not says_much and known and not (away and elsewhere(away)):
        missed = sum(part(row, code) for row, code in known)
        return missed // len(known), _why(whole, known, roster)
    return cell.fraction, cell.excuse


def _why(whole: Row | None, known: list[tuple[Row, Code]], roster: Roster) -> str:
    """The reason of a day told by periods, the whole-day row's where that names an absence."""
    code = meaning(roster, whole) if whole is not None and whole.code else None
    if code is not None and code.kind in ABSENT:
        return bucket(code)
    missed = [code for row, code in known if part(row, code) > 0]
    heaviest = min(missed, key=lambda code: EXCUSES.index(code.excused), default=None)
    return bucket(heaviest) if heaviest else ""


def known_day(marks: dict[str, Row], roster: Roster, school: School, day: CalendarDay) -> Cell:
    """The cell of a day with at least one mark."""
    whole = marks.get("")
    periods = [row for period, row in marks.items() if period]
    if whole is not None and not whole.code and periods:
        whole = None
    mapped = [(row, code) for row in periods if (code := meaning(roster, row)) is not None]
    known = [(row, code) for row, code in mapped if code.kind not in HELD_OUT]
    if whole is None:
        if not known:
            return Cell("held_out" if len(mapped) == len(periods) else "unknown_code", day.value)
        return _period_day(known, school, day)
    code = meaning(roster, whole)
    if code is None:
        return Cell("unknown_code", day.value)
    if code.kind in HELD_OUT:
        return Cell("held_out", day.value)
    if whole.fraction is not None or whole.minutes is not None or not known or elsewhere(code):
        missed = part(whole, code)
        if whole.fraction is None and whole.minutes is not None and not there(code):
            missed = by_minutes(whole.minutes, school, day)
        return Cell("member", day.value, missed, bucket(code), code.kind == "tardy")
    by_period = _period_day(known, school, day)
    excuse = bucket(code) if code.kind in ABSENT else by_period.excuse
    return replace(by_period, excuse=excuse, tardy=by_period.tardy or code.kind == "tardy")


def _period_day(known: list[tuple[Row, Code]], school: School, day: CalendarDay) -> Cell:
    missed = [code for row, code in known if part(row, code) > 0]
    heaviest = min(missed, key=lambda code: EXCUSES.index(code.excused), default=None)
    return Cell(
        "member",
        day.value,
        by_periods(known, school, day),
        bucket(heaviest) if heaviest else "",
        any(code.kind == "tardy" for _, code in known),
    )
