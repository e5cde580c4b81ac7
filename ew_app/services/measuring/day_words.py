"""A day in words: how it counts, and where class periods tell of it, which of them and by what rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from ew_app.services.measuring.judging import Judged
from ew_app.services.measuring.timetables import Timetables
from models.queries import calendars, periods
from rules import cells as c
from rules.cells import WHOLE_DAY, Excuse, Status
from rules.tiers import days_text

NOT_READ: Final = "the row that came could not be read or may be another's; the day is not counted until it is clear"
_PLAIN = {
    Status.OUT: ("out", "not counted: not enrolled, or no school"),
    Status.MISSING: ("missing", "the school did not submit attendance"),
    Status.UNKNOWN_ROW: ("unknown", "no row came for this student"),
    Status.UNKNOWN_CODE: ("unknown", "the code is not known yet; the day is not counted"),
    Status.RECODED: ("unknown", "the code is not known yet; the day is not counted, and the tier stays as it was"),
    Status.UNKNOWN_PERIODS: (
        "unknown",
        "class periods were missed, and nobody has said what part of the day they are; the day is not counted",
    ),
    Status.HELD_OUT: ("homebound", "not counted: homebound, hospital or not in membership"),
}
_EXCUSES = {
    Excuse.OTHER: ("other", "half", ""),
    Excuse.EXCUSED: ("excused", "half-excused", ", excused"),
    Excuse.UNEXCUSED: ("unexcused", "half", ", unexcused"),
    Excuse.UNKNOWN: ("other", "half", ", the reason is not known"),
}


def state_of(cell: c.Cells) -> tuple[str, str]:
    """The strip's word for a day, and the day in words."""
    status = Status(int(c.status(cell)[0]))
    if status != Status.MEMBER:
        return _PLAIN[status]
    share, late = int(c.fraction(cell)[0]), bool(c.tardy(cell)[0])
    if share == 0:
        return ("tardy", "came late") if late else ("present", "present")
    whole, part, words = _EXCUSES[Excuse(int(c.excuse(cell)[0]))]
    if share == WHOLE_DAY:
        return whole, f"absent{words}"
    return part, f"absent {days_text(share)} of the day{words}{', came late' if late else ''}"


MISSES: Final = ("absence", "suspension_out")
_HALF_DAYS: Final = "{full} minutes there are a day, {half} are half of one"


class PeriodWords:
    """What the class periods of a student tell of days, as sentences."""

    def __init__(self, judged: Judged) -> None:
        self._judged = judged
        schools = sorted({int(school) for school in judged.year.stint_school})
        self._tables = Timetables(schools)
        self._answers = periods.answers()
        self._minutes = {school: numbers for school, *numbers in calendars.minutes(schools)}
        self._full = {
            (school, day) for school, day in periods.full_days(schools, judged.year.frame.start, judged.year.frame.day)
        }

    def of(self, day: date, column: int, marks: Sequence[Any]) -> str:
        """`; missed periods 1 and 3 (100 of 420 minutes by the timetable; ...)`; '' where no period tells of it."""
        told = [row for row in marks if row.period]
        missed = [row for row in told if row.kind in MISSES and row.fraction != 0]
        if not missed:
            return ""
        *most, last = sorted({row.period for row in missed}, key=lambda name: (len(name), name))
        names = f"{', '.join(most)} and {last}" if most else last
        word = "periods" if most else "period"
        by_them = not any(row.code and not row.period for row in marks)
        return f"; missed {word} {names}{self._counted(day, column, told, missed) if by_them else ''}"

    def _counted(self, day: date, column: int, told: Sequence[Any], missed: Sequence[Any]) -> str:
        cell = self._judged.matrix.cells[0, column : column + 1]
        if c.status(cell)[0] != Status.MEMBER:
            return ""
        school = missed[0].school_id
        full, half = self._minutes[school][1:] if school in self._minutes else (0, 0)
        how = self._how(day, column, told, missed)
        return f" ({how}; {_HALF_DAYS.format(full=full, half=half)})" if how else ""

    def _how(self, day: date, column: int, told: Sequence[Any], missed: Sequence[Any]) -> str:
        """The minutes or rows that were added up, and who says that they may be."""
        first = missed[0]
        stint = int(self._judged.year.stint_at[0, column])
        grade = self._judged.year.stint_grade[stint] if stint >= 0 else ""
        lengths = [self._tables.one(row.school_id, row.period, row.source_id, grade) for row in missed]
        due, listed = lengths[0][1], bool(lengths[0][2]) or (first.school_id, day) in self._full
        if all(length > 0 for length, _, _ in lengths) and not listed and due >= 0:
            gone = sum(_gone(length, row) for (length, _, _), row in zip(lengths, missed, strict=True))
            whole = due or self._minutes[first.school_id][0]
            return f"{gone} of {whole} minutes, {self._says(first, by_timetable=bool(due))}"
        if all(row.minutes is not None for row in missed):
            return f"{sum(row.minutes for row in missed)} minutes, as the file says"
        return f"{len(missed)} of {len(told)} that have a row, {self._listed(first, listed)}"

    def _says(self, row: Any, *, by_timetable: bool) -> str:
        answer = self._answers.get(row.source_id)
        if by_timetable or answer is None:
            return "by the timetable of the school"
        whose = f"with batch {answer.batch}" if answer.batch else "of its source"
        return f"{answer.said} for each period as was said {whose}"

    def _listed(self, row: Any, listed: bool) -> str:
        answer = self._answers.get(row.source_id)
        if answer is not None and answer.said == "rows":
            return "as was said " + (f"with batch {answer.batch}" if answer.batch else "of its source")
        return "as in a full feed" if listed else "as the file lists them"


def _gone(length: int, row: Any) -> int:
    """Minutes missed of a period."""
    if row.fraction is not None:
        return int(length * row.fraction // WHOLE_DAY)
    return length if row.minutes in (None, 999) else int(min(row.minutes, length))


def by_day(rows: Sequence[Any]) -> Mapping[date, list[Any]]:
    """Rows of marks by their day."""
    found: dict[date, list[Any]] = {}
    for row in rows:
        found.setdefault(row.day, []).append(row)
    return found
