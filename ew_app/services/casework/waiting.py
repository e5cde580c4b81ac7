"""How long a student has waited for something: school days, and the days of school missed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ew_app.kernel import today
from ew_app.services.measuring.judging import Judged, judge
from models.promises import Promise
from models.queries import following
from rules.school_days import school_days_late


@dataclass(frozen=True, slots=True)
class Span:
    """A student of a school who waits from a day on, up to a day or (None) still, for what was due by a day."""

    student_id: int
    school_id: int
    since: date
    until: date | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """`days`: school days after the first; `late`: those after the day it was due; `missed`: days absent, in mils."""

    days: int
    late: int
    missed: int


def span_of(promise: Promise) -> Span:
    """How long the student of a promise has waited for it."""
    return Span(promise.student_id, promise.school_id, promise.asked_on, promise.settled_on, promise.due)


def waited(spans: Sequence[Span]) -> list[Waited]:
    """For each span; a day that has not come in yet was not missed. A constant number of statements."""
    if not spans:
        return []
    taught = following.school_days({span.school_id for span in spans}, min(span.since for span in spans))
    judged = judge([span.student_id for span in spans])
    return [_waited(span, taught.get(span.school_id, []), judged) for span in spans]


def days_late(spans: Sequence[Span]) -> list[int]:
    """For each span the school days past the day it was due; one statement."""
    if not spans:
        return []
    first = min((span.due or today() for span in spans), default=today())
    taught = following.school_days({span.school_id for span in spans}, first)
    return [_waited(span, taught.get(span.school_id, []), None).late for span in spans]


def _waited(span: Span, taught: Sequence[date], judged: Judged | None) -> Waited:
    until = span.until or today()
    return Waited(
        days=school_days_late(span.since, until, taught),
        late=school_days_late(span.due, until, taught) if span.due else 0,
        missed=_missed(judged, span) if judged else 0,
    )


def _missed(judged: Judged, span: Span) -> int:
    """Days absent of this school year from the first day of the span to its last."""
    row = int(np.searchsorted(judged.students, span.student_id))
    if row == len(judged.students) or judged.students[row] != span.student_id:
        return 0
    ends = _to_date(judged, row, span.until or today())
    return max(0, ends - _to_date(judged, row, span.since - timedelta(days=1)))


def _to_date(judged: Judged, row: int, day: date) -> int:
    """Thousandths of days absent in the school year up to the end of a day."""
    column = int(np.searchsorted(judged.matrix.days, np.datetime64(day), side="right")) - 1
    return int(judged.facts.absent[row, column]) if column >= judged.matrix.first else 0
