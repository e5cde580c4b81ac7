"""A day in words: how it counts, and where class periods tell of it, which of them and by what rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ew_app.services.measuring.in_class import InClass, Listener
from ew_app.services.measuring.judging import Judged
from ew_app.services.measuring.years import year_of
from models.queries import periods
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


_HALF_DAYS: Final = "{full} minutes there are a day, {half} are half of one"


class PeriodWords:
    """What the class periods of a student tell of days, as sentences; with the figures of the count itself."""

    def __init__(self, judged: Judged, names: Sequence[str]) -> None:
        """`names`: of the periods that this student's marks speak of."""
        self._said: dict[int, str] = {}  # column -> sentence
        listener = Listener(names)
        if names:
            at, policy = judged.year.frame, judged.policy
            year_of(judged.background.enrolments, at, policy.no_show_exit_codes, listener=listener)
        if listener.heard:
            self._answers, self._cells = periods.answers(), judged.matrix.cells[0]
            for place in range(len(listener.heard.starts)):
                self._hear(listener.heard, place)

    def of(self, column: int) -> str:
        """`; missed periods 1 and 3 (100 of 420 minutes by the timetable; ...)`; '' where no period tells of it."""
        return self._said.get(column, "")

    def _hear(self, told: InClass, place: int) -> None:
        until = told.starts[place + 1] if place + 1 < len(told.starts) else len(told.called)
        marks = range(told.starts[place], until)
        missed = [mark for mark in marks if told.parts.share[mark] > 0]
        if not missed:
            return
        *most, last = sorted((told.called[mark] for mark in missed), key=lambda name: (len(name), name))
        names = f"{', '.join(most)} and {last}" if most else last
        by_them = all(told.called[mark] for mark in marks) and told.parts.told[place]
        column = int(told.column[place])
        counted = by_them and c.status(self._cells[column : column + 1])[0] == Status.MEMBER
        how = f" ({self._how(told, place, marks, missed)}; {_lengths(told, place)})" if counted else ""
        self._said[column] = f"{self.of(column)}; missed {'periods' if most else 'period'} {names}{how}"

    def _how(self, told: InClass, place: int, marks: Sequence[int], missed: Sequence[int]) -> str:
        """The minutes or rows that were added up, and who says that they may be."""
        parts = told.parts
        counted = f"{days_text(int(parts.missed[place]))} of {parts.of_all[place]}"
        answer = self._answers.get(int(told.source[missed[0]]))
        as_said = f"as was said {f'with batch {answer.batch}' if answer.batch else 'of its source'}" if answer else ""
        if not parts.by_minutes[place]:
            listed = "as in a full feed" if np.asarray(told.known.listed)[place] else "as the file lists them"
            return f"{counted} that have a row, {as_said if answer and answer.said == 'rows' else listed}"
        if not all(told.marks.length[mark] >= 0 for mark in missed):
            return f"{counted} minutes, as the file says"
        if np.asarray(told.known.due)[place] > 0 or not answer:
            return f"{counted} minutes, by the timetable of the school"
        return f"{counted} minutes, {answer.said} for each period {as_said}"


def _lengths(told: InClass, place: int) -> str:
    """How many minutes are a day there, and half of one."""
    day, full, half = (
        int(np.broadcast_to(said, told.starts.shape)[place])
        for said in (told.of_day.day, told.of_day.full, told.of_day.half)
    )
    return _HALF_DAYS.format(full=min(full, day), half=min(half, day // 2))
