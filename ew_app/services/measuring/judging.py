"""What the policy says about a set of students, day by day: facts, findings and tiers, held in memory.

Commands, screens and the evaluation all ask here, so a number shown is the number decided by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring import policies
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.laying import Ints
from ew_app.services.measuring.years import Year, year_of
from models.queries import measuring as rows
from rules import facts as measures
from rules.cells import Status, status
from rules.facts import Facts
from rules.findings import Inputs
from rules.policy import PolicyInForce
from rules.replay import Replay, replay
from rules.tiers import Current, current
from rules.timeline import Timeline

STLS = "stls"


@dataclass(frozen=True)
class Judged:
    """A school year of some students with everything derived from it; rows are `year.by_student.students`."""

    year: Year
    timeline: Timeline
    facts: Facts
    deciding: Facts  # what tiers rest on: the same, but a day with an unmapped code stands as it was known before
    inputs: Inputs
    replay: Replay

    @property
    def students(self) -> Ints:
        """Student ids by row."""
        return self.year.by_student.students

    @property
    def last(self) -> int:
        """The last column; every student's own data-through day is folded into it."""
        return len(self.year.by_student.days) - 1

    @cached_property
    def policy(self) -> PolicyInForce:
        """The policy of the frame's day."""
        return self.timeline.on(self.year.frame.day)

    @cached_property
    def standing(self) -> Current:
        """How each student stands at the end."""
        return current(self.facts, self.replay.tier, self.policy, self.last)


def judge(students: Sequence[int] | Ints, at: Frame | None = None) -> Judged | None:
    """Everything about these students up to the frame's day; None when no school day is known for any."""
    at = at or frame()
    timeline = policies.timeline()
    year = year_of(students, at, timeline.on(at.day).no_show_exit_codes)
    if not len(year.by_student.days) or not len(year.by_student.students):
        return None
    facts = measures.compute(year.by_student)
    stood = year.by_student.as_last_known()
    deciding = facts if stood is year.by_student else measures.compute(stood)
    inputs = _inputs(year)
    return Judged(year, timeline, facts, deciding, inputs, replay(deciding, timeline, inputs))


def _inputs(year: Year) -> Inputs:
    students = year.by_student.students
    absent, enrolled = _prior(year, students)
    opened, owned = _cases(year, students)
    return Inputs(
        prior_absent=absent,
        prior_enrolled=enrolled,
        stls=np.isin(students, rows.with_flag(students.tolist(), STLS)) if rows.feeds_flag(STLS) else None,
        last_contact=_contacts(year, students),
        case_open=opened,
        barrier_owned=owned,
        last_enrolled=_last_enrolled(year),
        waits_from=_waits_from(year),
    )


def _waits_from(year: Year) -> NDArray[np.int64] | None:
    """[S] the first column on which a tier waits because a code nobody has mapped replaced what was known."""
    students, days = year.by_student.students, len(year.by_student.days)
    row = np.searchsorted(students, year.recoded.student)
    stands = status(year.by_student.cells[row, year.recoded.column]) == Status.RECODED
    if not stands.any():
        return None
    waits = np.full(len(students), days, dtype=np.int64)
    np.minimum.at(waits, row[stands], year.recoded.waits_from[stands])
    return waits


def _prior(year: Year, students: Ints) -> tuple[Ints, Ints]:
    """Last year's totals; -1 where the roster has none."""
    found = rows.prior_year(students.tolist(), year.frame.start)
    absent, enrolled = np.full(len(students), -1), np.full(len(students), -1)
    where = np.searchsorted(students, found["student"])
    absent[where], enrolled[where] = found["absent"], found["enrolled"]
    return absent, enrolled


def _contacts(year: Year, students: Ints) -> NDArray[np.int32]:
    """[S, D] the last column on or before each day on which somebody was reached, -1 for none."""
    days = year.by_student.days
    reached = np.full((len(students), len(days)), -1, dtype=np.int32)
    found = rows.contacts(students.tolist(), year.frame.since)
    column = np.searchsorted(days, found["day"].astype("datetime64[D]"))
    inside = column < len(days)
    row = np.searchsorted(students, found["student"][inside])
    reached[row, column[inside]] = column[inside]
    return np.maximum.accumulate(reached, axis=1)


def _cases(year: Year, students: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[S, D] whether a case was open that day, and whether its barrier had a named owner."""
    days = year.by_student.days.astype(np.int64)
    shape = (len(students), len(days))
    opened, owned = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    found = rows.case_spans(students.tolist())
    for row, start, end, owner in zip(
        np.searchsorted(students, found["student"]),
        found["opened"],
        found["closed"],
        found["owned"],
        strict=True,
    ):
        opened[row] |= (days >= start) & (days < end)
        owned[row] |= (days >= max(start, owner)) & (days < end)
    return opened, owned


def _last_enrolled(year: Year) -> NDArray[np.int32]:
    """The last enrolled column of students who have left; -1 for those who are here."""
    here = year.stint_at >= 0
    last = here.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1)
    return np.where(year.enrolled_now | ~here.any(axis=1), -1, last).astype(np.int32)
