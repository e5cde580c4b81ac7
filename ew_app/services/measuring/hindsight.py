"""Any day as it was known at any moment: what is asked inside reads the rows as they stood then.

Rosters, calendars, codes, marks, claims of school-days, policies and the work on cases all go back, each by the
moment it was loaded; a delivery that was taken back counts until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date, datetime, time

from ew_app.kernel import NotFound, Refused, apart, local, now, settings, today, told_as_of
from ew_app.services.measuring.policies import timeline
from models import rewound


def moment_of(said: str) -> datetime:
    """A moment as people write it: a date is the end of that day here, a time without a zone is local. Refused."""
    try:
        return end_of(date.fromisoformat(said))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise Refused(
            f"{said!r} is no moment. Give a date such as 2026-10-09, or a time such as 2026-10-09T16:30."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=settings().timezone)


def end_of(day: date) -> datetime:
    """The last moment of a day on the district's clock."""
    return datetime.combine(day, time.max, settings().timezone)


def check_come(as_of: date | None, moment: datetime | None = None) -> None:
    """Raises Refused for a day or a moment that has not come: what is asked of it would be another answer tomorrow."""
    if as_of and as_of > today():
        raise Refused("That day has not come yet. Give one of the past, or none for today.")
    if moment and moment > now() and local(moment).date() >= today():
        raise Refused("That moment has not come yet. Give one of the past, or none for what is known now.")


@contextmanager
def known_at(moment: datetime | None, student: str | None = None) -> Iterator[None]:
    """Let everything inside be answered from what was known at a moment; None is what is known now.

    With `student` (the district's key) only that student may be asked for, which is quick. NotFound: nobody knew
    the student then. What is read inside must be finished there.
    """
    if moment is None:
        yield
        return
    timeline()  # a fresh database starts with a policy, and nothing can be stored inside
    asked = None if student is None else _numbers(student)
    with apart(), _dated(moment):
        rewound.rewind(moment, asked)
        yield


def _numbers(student: str) -> list[int]:
    numbers = rewound.students_known_as(student)
    if not numbers:
        raise NotFound(f"There is no student {student}.")
    return numbers


def _dated(moment: datetime) -> AbstractContextManager[None]:
    """The day that it was, unless the date is fixed for a pilot or a demo."""
    return nullcontext() if settings().today else told_as_of(min(moment, now()))
