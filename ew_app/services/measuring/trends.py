"""How the last weeks went for some students, as small numbers that fit beside a name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ew_app.services.measuring import policies
from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.years import year_of
from rules import cells as c
from rules.cells import WHOLE_DAY, Status

WEEKS = 6


def weekly_absence(students: Sequence[int], at: Frame | None = None, weeks: int = WEEKS) -> dict[int, list[int]]:
    """Student -> thousandths of days absent in each of the last `weeks` calendar weeks with school, oldest first.

    A student without any school day is left out.
    """
    if not students:
        return {}
    at = at or frame()
    enrolments = Enrolments.read(np.array(sorted(students)), at.since)
    matrix = year_of(enrolments, at, policies.timeline().on(at.day).no_show_exit_codes).by_student
    if not len(matrix.days):
        return {}
    member = c.status(matrix.cells) == Status.MEMBER
    absent = np.where(member, c.fraction(matrix.cells).astype(np.int64) * matrix.weights // WHOLE_DAY, 0)
    monday = (matrix.days.astype("datetime64[D]").astype(np.int64) + 3) // 7
    shown = np.unique(monday)[-weeks:]
    sums = np.stack([absent[:, monday == week].sum(axis=1) for week in shown], axis=1)
    return {int(student): row.tolist() for student, row in zip(matrix.students, sums, strict=True)}
