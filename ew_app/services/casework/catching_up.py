"""Cases of many students brought in step with what was decided, where one who cannot be holds up nobody else.

Whoever is left is a piece of work of their own: it is tried again, then set aside, where the page of checks tells of
it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ew_app.alone import in_parts
from ew_app.kernel import WORKER
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import cases

WHAT = "cases of student"


def follow(students: Sequence[int]) -> int:
    """Follow all of them, in the open transaction; returns cases opened, like `cases.follow`."""
    return in_parts(WHAT, students, _follow, otherwise=lambda student: enqueue(Job.FOLLOW, student))


def follow_left(student: int) -> None:
    """The queued job: one who was left."""
    cases.follow([student], by=WORKER)


def _follow(students: Sequence[int]) -> int:
    return cases.follow(students, by=WORKER)
