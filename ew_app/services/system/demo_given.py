"""Supports in the demo's plans, given since October: enough of each that what followed can be told, or cannot.

The mentors are lucky: they get students who came more often afterwards, because the invented year was written before
anybody helped and could not show a difference otherwise. All other supports go to whoever is next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from random import Random
from typing import Any, Final

from sqlalchemy import insert, text

from ew_app.kernel import Actor, now, told_as_of, transaction
from ew_app.services.casework import supporting
from ew_app.services.casework.supporting import Offer
from ew_app.services.people import signing_in
from ew_app.services.system.demo_staff import moment
from models.base import db
from models.plans import SupportGiven
from models.staff import Person
from rules import access
from rules.access import Permission

BEGAN: Final = 30  # the school day of the year on which they begin, and so many before and since are looked at
AROUND: Final = 20
MENTOR: Final = "I12"
# support, students, times planned, share of them given, what came of it
GIVEN: Final = (
    (MENTOR, 54, 12, 0.8, "met"),
    ("I14", 48, 6, 0.6, "partly"),
    ("I13", 18, 12, 0.35, "not_met"),
    ("I04", 6, 3, 0.7, ""),
)

_OPEN = """
    SELECT c.number, c.owner_id, count(m.day) FILTER (WHERE m.day < :day) AS before,
           count(m.day) FILTER (WHERE m.day >= :day) AS since
    FROM support_case c
    LEFT JOIN mark m ON m.student_id = c.student_id AND m.code IN ('A', 'AE') AND m.day BETWEEN :first AND :last
    WHERE c.closed_on IS NULL AND c.status IN ('contacting', 'planned') AND c.opened <= :day AND c.kind = 'attendance'
      AND c.owner_id IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class _Open:
    """A case: its owner, and how many days were missed before and since."""

    number: int
    owner: int
    before: int
    since: int


def give(days: Sequence[date], seed: int) -> None:
    """Offer, give and end them; `days`: the school days so far. Fewer school days: none."""
    if len(days) < BEGAN + AROUND + 1:
        return
    asked = {"day": days[BEGAN], "first": days[BEGAN - AROUND], "last": days[BEGAN + AROUND - 1]}
    found: Any = db.session.execute(text(_OPEN), asked)
    waiting = [_Open(*row) for row in found]
    Random(seed).shuffle(waiting)
    waiting.sort(key=lambda case: case.since * 2 >= case.before)  # the lucky ones first; the order stays otherwise
    lucky = sum(case.since * 2 < case.before for case in waiting)
    queues = {True: _willing(waiting[:lucky]), False: _willing(waiting[lucky:])}
    rng, gives = Random(seed), []
    with told_as_of(moment(days[BEGAN], 15)), transaction():
        for key, students, times, share, result in GIVEN:
            last = days[BEGAN + AROUND - 1]
            for number, by in islice(queues[key == MENTOR], students):
                offer = Offer(intervention=key, owner_id=by.person_id, starts=days[BEGAN], planned_end=last,
                              dose_planned=times, family_agreed="yes")  # fmt: skip
                support = supporting.offer(number, offer, by=by)
                on = sorted(rng.sample(days[BEGAN : BEGAN + AROUND], round(times * share)))
                gives += [_given(support.id, day, by) for day in on]
                if result:
                    support.result, support.ended_on = result, last
        if gives:
            db.session.execute(insert(SupportGiven), gives)


def _willing(cases: Sequence[_Open]) -> Iterator[tuple[int, Actor]]:
    """Cases whose owner may offer a support, each once."""
    actors: dict[int, Actor] = {}
    for case in cases:
        if case.owner not in actors:
            actors[case.owner] = signing_in.actor_of(db.session.get_one(Person, case.owner))
        if access.can(actors[case.owner].grants, Permission.WORK_CASE):
            yield case.number, actors[case.owner]


def _given(support: int, day: date, by: Actor) -> dict[str, Any]:
    signed = {"author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now()}
    return {"support_id": support, "on_day": day, "note": "", **signed}
