"""Whom a count counts: the students of each school as of its own last counted school day.

One place for every figure that adds students up: boards read it from the stored counts of days, files, the API and
the command line from here, and a school that is behind is the same number in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

import numpy as np

from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import Judged, judge
from models.queries import calendars, measuring, naming

CHUNK = 20_000


def everybody(
    at: Frame, schools: Collection[int] | None = None, *, on_the_day: bool = False
) -> Iterator[tuple[Judged, list[int]]]:
    """(students, rows of those who count), once for each school that counts them; `schools`: at these alone.

    Schools that are current are looked at together, the others for each last day on which some of them were counted.
    One that sent nothing this year stands as of the day asked; `on_the_day`: so do all, with whoever is enrolled then.
    """
    if on_the_day:
        yield from _at_schools(at, naming.places() if schools is None else schools, schools)
        return
    days = calendars.last_school_days({school: day for school in at.shown if (day := at.data_through(school))})
    behind: dict[date, list[int]] = {}
    for school, day in days.items():
        if at.start <= day < at.day and (schools is None or school in schools):
            behind.setdefault(day, []).append(school)
    late = {school for some in behind.values() for school in some}
    current = [school for school in (naming.places() if schools is None else schools) if school not in late]
    if current:
        yield from _at_schools(at, current, None if schools is None and not late else current)
    for day, some in sorted(behind.items()):
        yield from _at_schools(frame(day), some, some)


def _at_schools(at: Frame, inside: Collection[int], read: Collection[int] | None) -> Iterator[tuple[Judged, list[int]]]:
    """Who was enrolled on the frame's day at one of the schools; `read`: whose students are looked at, None for all."""
    asked = np.fromiter(inside, dtype=np.int64)
    for judged in judged_in_turn(measuring.students_between(at.start, at.day, read).tolist(), at):
        here = judged.year.enrolled_now & np.isin(judged.year.school, asked)
        yield judged, np.flatnonzero(here).tolist()


def judged_in_turn(students: list[int], at: Frame) -> Iterator[Judged]:
    """These students, some thousands at a time, without those of whom nothing can be judged."""
    return (judged for chunk in chunks(students) if (judged := judge(chunk, at)) is not None)


def chunks(students: list[int]) -> Iterator[list[int]]:
    """Students in the numbers that are judged at once."""
    return (students[start : start + CHUNK] for start in range(0, len(students), CHUNK))
