"""Two truths on transfer: a child's rate follows the child, and a school answers for its own days. Both are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ew_app.kernel import today
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.judging import judge
from ew_app.services.measuring.measures import rate_tiers_at
from ew_app.services.watching import movement, parts
from ew_app.services.watching.kept import Counted, Kept, Shelf
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import transfers as rows
from rules.stints import school_year_start
from rules.suppression import Shown, suppress_together
from rules.tiers import Tier


@dataclass(frozen=True, slots=True)
class TwoTruths:
    """Of the students who came from another school this year, how many have the rate of Tier 2 or 3.

    `all_days`: by all their days of the year; `own_days`: by their days at this school. One row: (that rate, a lower
    one). `students`: how many came by that day.
    """

    students: int
    day: date
    all_days: Told
    own_days: Told


TITLE, ROW, COLUMNS = "Change of school", ("Came from another school",), ("At the rate of Tier 2 or 3", "Lower")
NAMES = ("all_days", "own_days")


def two_truths(school: School, *, exact: bool) -> TwoTruths | None:
    """Both for one school as of its last counted day, or as they were told for the month; None before any day."""
    span = movement.span([school], today())
    day = span[1] if span and exact else parts.told_on([school.id], span[1]) if span else None
    if day is None:
        return None
    if exact:
        counts = _counts(school, day)
        told = parts.told_together(TITLE, ROW, COLUMNS, [[row] for row in counts], exact=True)
        return TwoTruths(sum(counts[0]), day, *told)
    held = Shelf([school.id], day).table("came", lambda _: _counted(school, day), _tell)
    return None if held is None else TwoTruths(sum(held.counted.counts[0]), held.day, *_of(held))


def _counts(school: School, day: date) -> list[tuple[int, int]]:
    """(at that rate, lower) by all their days and by those at this school, of who had come by a day."""
    students = rows.came_from_other_schools(school.id, school_year_start(day), day)
    judged = judge(np.array(students, dtype=np.int64), frame(day)) if students else None
    both = [] if judged is None else rate_tiers_at(judged, school.id)
    reached = [sum(tiers[which] >= Tier.TWO for tiers in both) for which in (0, 1)]
    return [(one, len(students) - one) for one in reached]


def _counted(school: School, day: date) -> Counted:
    return Counted(NAMES, COLUMNS, tuple(_counts(school, day)))


def _tell(counted: Counted) -> tuple[Shown, ...]:
    """What is kept back in one is kept back in the other."""
    one, other = suppress_together([[row] for row in counted.counts], margin=parts.MARGIN)
    tables = [parts.in_tens(table) for table in (one, other)]
    return tuple((*row, total) for table in tables for row, total in zip(table.rows, table.totals, strict=True))


def _of(held: Kept) -> tuple[Told, Told]:
    one, other = (Told(TITLE, ROW, COLUMNS, (row[:-1],), row[-1:], exact=False, day=held.day) for row in held.shown)
    return one, other


def last_meeting(school: School, before: date) -> date | None:
    """The day of the last meeting of a school's team that was closed before a day."""
    return rows.last_meeting(school.id, before)
