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
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import transfers as rows
from rules.stints import school_year_start
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


def two_truths(school: School, *, exact: bool) -> TwoTruths | None:
    """Both for one school as of its last counted day, or of the day as of which parts are told; None before any."""
    span = movement.span([school], today())
    day = span[1] if span and exact else parts.told_on([school.id], span[1]) if span else None
    if day is None:
        return None
    students = rows.came_from_other_schools(school.id, school_year_start(day), day)
    judged = judge(np.array(students, dtype=np.int64), frame(day)) if students else None
    both = [] if judged is None else rate_tiers_at(judged, school.id)
    all_days, own_days = (sum(tiers[which] >= Tier.TWO for tiers in both) for which in (0, 1))
    tables = [[[reached, len(students) - reached]] for reached in (all_days, own_days)]
    words = ["Came from another school"], ["At the rate of Tier 2 or 3", "Lower"]
    return TwoTruths(len(students), day, *parts.told_together("Change of school", *words, tables, exact=exact))


def last_meeting(school: School, before: date) -> date | None:
    """The day of the last meeting of a school's team that was closed before a day."""
    return rows.last_meeting(school.id, before)
