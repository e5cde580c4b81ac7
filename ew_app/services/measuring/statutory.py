"""What the law of the district's state counts of each student: told beside the tiers, decided by nobody.

Worked out when somebody asks, for the states that the policy names; the daily evaluation knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import NotFound
from ew_app.services.measuring import hindsight
from ew_app.services.measuring.enrolments import Enrolments, born
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import covered
from ew_app.services.measuring.policies import timeline
from ew_app.services.measuring.years import NOWHERE, Year, year_of
from models.queries import measuring as rows
from models.queries import naming, same_child
from models.queries.following import school_days
from rules import cells as c
from rules import statutes, windows
from rules.matrix import Matrix
from rules.statutes import Measure, of_state
from rules.tiers import days_text, rate_text
from rules.windows import Span, Unit

CHUNK = 20_000
# Minutes as they are, however few: these laws know no half-day rule, which all other days pass first.
EXACT = (Unit.HOURS, Unit.OCCASIONS, Unit.DAY_PARTS)
COLUMNS = (
    *("as_of", "state", "measure", "label", "value", "unit", "bound", "met", "since", "in_scope", "in_force"),
    *("incomplete", "estimated", "note", "unverified", "source", "url", "verified_on", "verified_against"),
)


def counts(
    as_of: date | None = None,
    *,
    student: str | None = None,
    states: Sequence[str] | None = None,
    known_at: datetime | None = None,
) -> Iterator[dict[str, str]]:
    """Rows of `ew statutes`: a row a student and measure, of the states that the policy names (or of these).

    Raises NotFound.
    """
    with hindsight.known_at(known_at, student):
        found = _counts(as_of, student, states)
        return found if known_at is None else iter(list(found))


def _counts(as_of: date | None, student: str | None, states: Sequence[str] | None) -> Iterator[dict[str, str]]:
    at = frame(as_of)
    policy = timeline().on(at.day)
    measures = policy.statutes if states is None else [one for state in states for one in of_state(state)]
    if not measures:
        return
    students = _asked(at, student)
    keys = naming.student_keys(students)
    for start in range(0, len(students), CHUNK):
        chunk = np.array(students[start : start + CHUNK], dtype=np.int64)
        enrolments = Enrolments.read(np.sort(chunk), at.since)
        year = year_of(enrolments, at, policy.no_show_exit_codes)
        exact = year_of(enrolments, at, policy.no_show_exit_codes, exact=True) if _asks_exactly(measures) else year
        if len(year.days) and len(year.by_student.students):
            for number, row in _told(year, exact, measures):
                yield {"student_id": keys[number], **row}


def _asked(at: Frame, student: str | None) -> list[int]:
    if student is None:
        return [int(found) for found in rows.students_between(at.start, at.day)]
    found = naming.student_id(student)
    if found is None:
        raise NotFound(f"There is no student {student}.")
    return [found]


def _asks_exactly(measures: Sequence[Measure]) -> bool:
    return any(measure.unit in EXACT for measure in measures)


def _parts(by_rule: Matrix, exact: Matrix) -> Matrix:
    """Where parts of days are counted: an absence however short, and lateness only where it makes half a day."""
    late = c.tardy(by_rule.cells) | c.tardy(exact.cells)
    return replace(by_rule, cells=np.where(late, by_rule.cells, exact.cells))


def _taught(year: Year) -> NDArray[np.bool_]:
    """[S, D] whether there was class that day at the school that each student went to then."""
    at = _school_then(year)
    schools = np.unique(at)
    days = school_days(schools.tolist(), year.frame.since)
    had = [np.isin(year.days, np.array(days.get(number, []), dtype="datetime64[D]")) for number in schools.tolist()]
    taught: NDArray[np.bool_] = np.array(had)[np.searchsorted(schools, at), np.arange(len(year.days))]
    return taught


def _school_then(year: Year) -> NDArray[np.int64]:
    """[S, D] each student's school of the day: outside enrolments the one before, and before the first that one."""
    here, days = year.stint_at >= 0, np.arange(len(year.days))
    before = np.maximum.accumulate(np.where(here, days, -1), axis=1)
    asked = np.where(before >= 0, before, here.argmax(axis=1)[:, None])
    stint = np.take_along_axis(year.stint_at, asked, axis=1)
    of_stint = np.append(year.stint_school, NOWHERE)
    return np.where(stint >= 0, of_stint[stint], year.school[:, None])


def _told(year: Year, exact: Year, measures: Sequence[Measure]) -> Iterator[tuple[int, dict[str, str]]]:
    """Every measure of every student at the end of the frame, student by student."""
    matrix = year.by_student
    estimated = _estimated(year) if any(measure.unit is Unit.HOURS for measure in measures) else None
    within = covered({measure.scope for measure in measures if measure.scope}, year, matrix, born(matrix.students))
    taught = _taught(year) if any(one.window.span is Span.SCHOOL_MONTH for one in measures) else None
    parts = _parts(matrix, exact.by_student)
    last, found = len(matrix.days) - 1, []
    for one in measures:
        laid = parts if one.unit is Unit.DAY_PARTS else exact.by_student if one.unit in EXACT else matrix
        inside = within[one.scope] if one.scope else None
        short = windows.incomplete(laid, one.window, last)
        found.append((one, *statutes.found(one, laid, exact.minutes, inside, taught), short))
    for row, number in enumerate(matrix.students.tolist()):
        for measure, counted, met, short in found:
            scoped = measure.scope is None or bool(within[measure.scope][row, last])
            guessed = measure.unit is Unit.HOURS and estimated is not None and bool(estimated[row])
            yield (
                number,
                {
                    "as_of": str(year.frame.as_of or year.frame.day),
                    "state": measure.state,
                    "measure": measure.key,
                    "label": measure.label,
                    "value": _text(measure.unit, int(counted.amount[row, last]), int(counted.days[row, last])),
                    "unit": str(measure.unit),
                    "bound": _bound(measure, year.frame.day),
                    "met": _yes(met[row, last]),
                    "since": _since(met[row], matrix.days),
                    "in_scope": _yes(scoped),
                    "in_force": _yes(measure.in_force(year.frame.day)),
                    "incomplete": _yes(short[row]),
                    "estimated": _yes(guessed),
                    "note": measure.note,
                    "unverified": measure.unverified,
                    "source": measure.source,
                    "url": measure.url,
                    "verified_on": str(measure.verified_on),
                    "verified_against": measure.verified_against,
                },
            )


def _estimated(year: Year) -> NDArray[np.bool_]:
    """[S] whose absences came at least once as days only, so that hours are the day's length times the share."""
    same, students = same_child.known(), year.by_student.students
    found = rows.told_by_days(same.ids_of(students), year.frame.start, year.frame.day)
    return np.isin(students, same.own(found))


def _text(unit: Unit, amount: int, days: int) -> str:
    """The amount as people write it: days, hours with up to three places, percent."""
    if unit is Unit.SHARE:
        return rate_text(days, amount)
    return days_text(amount * 1000 // 60) if unit is Unit.HOURS else days_text(amount)


def _bound(measure: Measure, day: date) -> str:
    words = {"at_least": "at least", "more_than": "more than", "below": "below"}
    scale, unit = (100, "%") if measure.unit is Unit.SHARE else (1, "")
    return " and ".join(f"{words[name]} {_number(value * scale)}{unit}" for name, value in measure.bounds(day).items())


def _number(value: Fraction) -> str:
    return days_text(int(value * 1000))


def _since(met: NDArray[np.bool_], days: Any) -> str:
    """The first day of the run on which the line is reached now."""
    if not met[-1]:
        return ""
    return str(days[len(met) - int(np.argmin(met[::-1])) if not met.all() else 0])


def _yes(value: Any) -> str:
    return "true" if value else "false"
