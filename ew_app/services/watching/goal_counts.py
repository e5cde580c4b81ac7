"""What each school brings to a goal, week by week: counted every night from the days as they stand now.

A school is one piece of work, so that a goal of the whole district is never one long one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import operation, today
from ew_app.outbox import Job, enqueue
from ew_app.services.measuring.judging import judge
from ew_app.services.watching import groups, telling
from models.org import School
from models.queries import boards
from models.queries import goals as rows
from rules.access import Area, Place
from rules.goals import ENOUGH_DAYS, Measure
from rules.stints import school_year_start

FRIDAY = 4
DAY = 1000  # thousandths
Part = tuple[date, int, int]


@operation
def ask_for_all() -> int:
    """Ask for the count of every goal that holds, school by school; asked twice is once. Returns how many."""
    asked = 0
    for thread, place in rows.every_goal():
        asked += ask_for(thread, place)
    return asked


def ask_for(thread: str, place: str) -> int:
    """Ask for the count of one goal in the open transaction."""
    inside = schools_of(place)
    for school in inside:
        enqueue(Job.COUNT_GOAL, thread, school.id)
    return len(inside)


def schools_of(place: str) -> Sequence[School]:
    """The schools that a place's goal counts."""
    return boards.schools_in(Area().with_place(Place.parse(place)))


@operation
def count(thread: str, school_id: int) -> None:
    """Count what one school brings to a goal, from the year's first Friday until its place was last counted.

    Counted twice is once. Each day is told as boards tell it: of a school that is behind as of its last counted day.
    """
    found = rows.versions(thread)
    if not found or found[0].ended:
        return
    goal, on = found[0], today()
    measure, start = Measure(goal.measure), school_year_start(on)
    inside = [school.id for school in schools_of(goal.place)]
    if goal.subgroup:  # told with its place for the month, and never counted by itself
        if len(inside) <= telling.AT_ONCE:  # those of larger places are told at night, after those of their schools
            groups.told(inside, on, [goal.subgroup.partition(":")[0]])
        return
    last = on if measure is Measure.IN_TIME else boards.newest_counted(inside, on)
    days = _weeks(start, last) if last and last >= start else [on]
    counted = {day: one.day for (_, day), one in boards.counted_on([school_id], days, start).items()}
    rows.put_parts(thread, school_id, _parts(measure, school_id, days, counted))
    rows.keep_base(thread, inside)


def _weeks(start: date, last: date) -> list[date]:
    """Every Friday of the school year before the last day, and that day."""
    first = start + timedelta(days=(FRIDAY - start.weekday()) % 7)
    fridays = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)] if last >= first else []
    return sorted({*fridays, last})


def _parts(measure: Measure, school: int, days: list[date], counted: Mapping[date, date]) -> list[Part]:
    if measure is Measure.IN_TIME:
        return rows.in_time(school, days)
    known = [day for day in days if day in counted]
    stood = rows.stood(school, counted[known[0]]) if known else []
    if not stood:
        return [(day, 0, 0) for day in days]
    student = np.array([one[0] for one in stood], dtype=np.int64)
    first, last = (np.array([one[n] for one in stood], dtype="datetime64[D]") for n in (1, 2))
    tier = np.array([one[3] for one in stood], dtype=np.int64)
    as_of = [counted[day] for day in known]
    there = [(first <= day) & (last >= day) for day in np.array(as_of, dtype="datetime64[D]")]
    if measure is Measure.TIERS:
        told = [(int((tier[here] >= 2).sum()), int(here.sum())) for here in there]
    else:
        told = _of_days(measure, student, as_of, there)
    part = dict(zip(known, told, strict=True))
    return [(day, *part.get(day, (0, 0))) for day in days]


def _of_days(
    measure: Measure, student: NDArray[np.int64], days: list[date], there: list[NDArray[np.bool_]]
) -> list[tuple[int, int]]:
    """Of the days that were attended, by whoever belonged there on each day: this school year, wherever they were."""
    judged = judge(np.unique(student))
    if judged is None:
        return [(0, 0)] * len(days)
    row = np.searchsorted(judged.students, student)
    known = (row < len(judged.students)) & (
        np.take(judged.students, np.minimum(row, len(judged.students) - 1)) == student
    )
    parts = []
    for day, here in zip(days, there, strict=True):
        column = int(np.searchsorted(judged.matrix.days, np.datetime64(day), side="right")) - 1
        who = row[here & known]
        if column < 0 or not len(who):
            parts.append((0, 0))
            continue
        enrolled = judged.facts.enrolled[who, column].astype(np.int64)
        absent = judged.facts.absent[who, column].astype(np.int64)
        if measure is Measure.ATTENDANCE:
            parts.append((int((enrolled - absent).sum()), int(enrolled.sum())))
        else:
            enough = enrolled >= ENOUGH_DAYS * DAY
            parts.append((int((10 * absent[enough] >= enrolled[enough]).sum()), int(enough.sum())))
    return parts
