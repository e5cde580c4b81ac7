"""Where a case stands on its school's ladder: what was tried, which way comes next, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ew_app.kernel import Actor, Refused, now, operation, record, today
from ew_app.services.casework.reaching import place_of_school
from models.base import db
from models.cases import Case, CaseEpisode, Outreach
from models.org import School
from models.outreach import SchoolLadder
from models.queries import following, household
from rules import access, ladder
from rules.access import Permission
from rules.ladder import Ladder, Step, manners
from rules.school_days import add_school_days
from rules.vocabulary import vocabulary

MAY_CHANGE = Permission.SET_LADDER
TRY = "Try again: "
TRIED_ALL = "Every way was tried. Decide with the team how to find the family"


@dataclass(frozen=True, slots=True)
class Climb:
    """A case on the ladder: `next` is the way to come, `due` its day; `tries` and `ways` count since the opening.

    reached: the last day on which the family was spoken with; touch: by when they hear from us again after it;
    again: the first day on which to try once more.
    """

    steps: tuple[Step, ...]
    next: Step | None
    due: date
    tries: int
    ways: int
    reached: date | None
    touch: date | None
    again: date

    @property
    def enough(self) -> bool:
        """Whether it may be said that this family cannot be reached."""
        return self.reached is None and manners().enough(self.tries, self.ways)

    @property
    def words(self) -> str:
        """What comes next, as the case shows it."""
        return TRY + self.next.rung.words if self.next else TRIED_ALL


def of_school(school_id: int) -> Ladder:
    """The ladder of a school, or the district's."""
    own = db.session.get(SchoolLadder, school_id)
    return ladder.parse(own.rungs) if own else ladder.district_ladder()


def climb(case: Case) -> Climb:
    """What was tried since the case was opened, on the ladder of its school and tier."""
    opened = begun(case)
    made = household.tries_since(case.student_id, opened)
    reached = next((one.on_day for one in reversed(made) if _reached_family(one)), None)
    tries = [(one.on_day, one.method) for one in made if _counts(one)]
    days = following.school_days([case.school_id], opened).get(case.school_id, [])
    stopped = household.stopped(household.children([case.student_id]).get(case.student_id, [case.student_id]))
    steps = ladder.climb(
        of_school(case.school_id).of(case.tier), tries, opened=opened, days=days, stopped=sorted(stopped)
    )
    coming = ladder.next_step(steps)
    touch = add_school_days(reached, manners().touch_every, days) if reached else None
    ways = len({method for _, method in tries})
    due, again = _due(coming, tries, days), _due(None, tries, days)
    return Climb(tuple(steps), coming, due, len(tries), ways, reached, touch, again)


def begun(case: Case) -> date:
    """The first day of this run of the case."""
    run = db.session.get(CaseEpisode, (case.id, case.episode))
    return run.opened if run else case.opened


def _counts(one: Outreach) -> bool:
    """A try of ours by a person; a machine's message and what came to us are none."""
    return one.direction == "out" and vocabulary().is_attempt(one.method) and not _reached_family(one)


def _reached_family(one: Outreach) -> bool:
    return vocabulary().outcomes[one.outcome].reached_family


def _due(coming: Step | None, tries: Sequence[tuple[date, str]], days: Sequence[date]) -> date:
    """The day of the next rung; after a try of today the next school day at the soonest, and never a day gone by."""
    soonest = today()
    if tries and tries[-1][0] >= today():
        soonest = add_school_days(today(), 1, days)
    return max(soonest, coming.due) if coming else soonest


@operation
def change(school_id: int, rungs: Mapping[str, Sequence[Mapping[str, Any]]] | None, *, by: Actor) -> Ladder:
    """Give a school a ladder of its own, or the district's again (None). Raises NotAllowed, Refused."""
    school = db.session.get_one(School, school_id)
    access.check(by.grants, MAY_CHANGE, place_of_school(school_id))
    own = db.session.get(SchoolLadder, school_id)
    if rungs is None:
        if own is not None:
            db.session.delete(own)
            record("ladder_changed", by=by, subject=f"school:{school.key}", to="district")
        return ladder.district_ladder()
    try:
        wanted = ladder.parse(rungs)
    except ValueError as error:
        raise Refused(str(error)) from error
    if own is None:
        own = SchoolLadder(school_id=school_id)
        db.session.add(own)
    own.rungs, own.changed_at, own.changed_by = wanted.plain(), now(), by.name
    record("ladder_changed", by=by, subject=f"school:{school.key}", to=wanted.plain())
    return wanted
