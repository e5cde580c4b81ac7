"""How long a student has waited for something: school days, and the days of school missed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ew_app.kernel import day_text, today
from ew_app.services.measuring.judging import Judged, judge
from models.promises import Promise
from models.queries import following
from models.queries import promises as rows
from rules.school_days import school_days_late


@dataclass(frozen=True, slots=True)
class Span:
    """A student of a school who waits from a day on, up to a day or (None) still, for what was due by a day.

    earlier: stretches (since, until) in which they had waited for it before; it was in hand between them.
    """

    student_id: int
    school_id: int
    since: date
    until: date | None = None
    due: date | None = None
    earlier: tuple[tuple[date, date], ...] = ()

    @property
    def stretches(self) -> tuple[tuple[date, date], ...]:
        """Every stretch, up to today where it goes on."""
        return (*self.earlier, (self.since, self.until or today()))

    @property
    def first(self) -> date:
        return self.stretches[0][0]


@dataclass(frozen=True, slots=True)
class Waited:
    """`days`: school days after the first; `late`: those after the day it was due; `missed`: days absent, in mils."""

    days: int
    late: int
    missed: int


def spans_of(promises: Sequence[Promise]) -> list[Span]:
    """For each promise how long its student has waited, without the days on which it was in hand; one statement."""
    found = rows.stretches([promise.id for promise in promises]) if promises else {}
    return [_span(promise, found.get(promise.id, [])) for promise in promises]


def _span(promise: Promise, stretches: Sequence[tuple[date, date | None]]) -> Span:
    *earlier, (since, until) = _joined(stretches) or [(promise.asked_on, promise.settled_on)]
    ended = tuple((begins, ends) for begins, ends in earlier if ends is not None)
    return Span(promise.student_id, promise.school_id, since, until, promise.due, ended)


def _joined(stretches: Sequence[tuple[date, date | None]]) -> list[tuple[date, date | None]]:
    """Stretches of which one begins on the day the other ends are one: no day lies between them."""
    found: list[tuple[date, date | None]] = []
    for since, until in stretches:
        if found and found[-1][1] == since:
            found[-1] = found[-1][0], until
        else:
            found.append((since, until))
    return found


def since_words(span: Span) -> str:
    """Since when: Mon 9 Nov; what was taken up again: Mon 9 Nov, again Tue 24 Nov."""
    return ", again ".join(day_text(since) for since, _ in span.stretches)


def waited(spans: Sequence[Span]) -> list[Waited]:
    """For each span; a day that has not come in yet was not missed. A constant number of statements."""
    if not spans:
        return []
    taught = following.school_days({span.school_id for span in spans}, min(span.first for span in spans))
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
    return Waited(
        days=sum(school_days_late(since, until, taught) for since, until in span.stretches),
        late=school_days_late(span.due, span.until or today(), taught) if span.due else 0,
        missed=_missed(judged, span) if judged else 0,
    )


def _missed(judged: Judged, span: Span) -> int:
    """Days absent of this school year from the first day of each stretch to its last."""
    row = int(np.searchsorted(judged.students, span.student_id))
    if row == len(judged.students) or judged.students[row] != span.student_id:
        return 0
    return sum(
        max(0, _to_date(judged, row, until) - _to_date(judged, row, since - timedelta(days=1)))
        for since, until in span.stretches
    )


def _to_date(judged: Judged, row: int, day: date) -> int:
    """Thousandths of days absent in the school year up to the end of a day."""
    column = int(np.searchsorted(judged.matrix.days, np.datetime64(day), side="right")) - 1
    return int(judged.facts.absent[row, column]) if column >= judged.matrix.first else 0
