"""How the last weeks went for some students, as small numbers that fit beside a name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring import policies
from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.years import year_of
from rules import cells as c
from rules.cells import WHOLE_DAY, Status
from rules.matrix import Matrix

WEEKS = 6
BREAK = 4  # weeks without school that may lie between those shown; where a longer break does, all days are read


def weekly_absence(students: Sequence[int], at: Frame | None = None, weeks: int = WEEKS) -> dict[int, list[int]]:
    """Student -> thousandths of days absent in each of the last `weeks` calendar weeks with school, oldest first.

    A student without any school day is left out.
    """
    if not students:
        return {}
    matrix = _last_weeks(np.array(sorted(students)), at or frame(), weeks)
    if not len(matrix.days):
        return {}
    member = c.status(matrix.cells) == Status.MEMBER
    absent = np.where(member, c.fraction(matrix.cells).astype(np.int64) * matrix.weights // WHOLE_DAY, 0)
    week = _week(matrix)
    sums = np.stack([absent[:, week == one].sum(axis=1) for one in np.unique(week)[-weeks:]], axis=1)
    return {int(student): row.tolist() for student, row in zip(matrix.students, sums, strict=True)}


def _last_weeks(students: NDArray[np.int64], at: Frame, weeks: int) -> Matrix:
    """Days among which the last weeks with school lie, whole weeks all."""
    enrolments, no_shows = Enrolments.read(students, at.since), policies.timeline().on(at.day).no_show_exit_codes
    monday = at.day - timedelta(days=at.day.weekday())
    sunday = monday - timedelta(weeks=weeks + BREAK - 1, days=1)
    matrix = year_of(enrolments, at, no_shows, after=sunday).by_student
    enough = len(np.unique(_week(matrix))) > weeks  # the Sunday stands for a week without school
    return matrix if enough else year_of(enrolments, at, no_shows).by_student


def _week(matrix: Matrix) -> NDArray[np.int64]:
    """The week of each day, as a number."""
    return (matrix.days.astype("datetime64[D]").astype(np.int64) + 3) // 7
