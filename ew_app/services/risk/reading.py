"""What lists and pages ask the serving model: an order within a tier, and students whom no rule has reached yet.

Empty, with the sentence that says why, while no model serves. It is asked for people who may read scores and for
students whom they reach; nothing of it goes into files, letters, network lists or mails.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, true

from ew_app.kernel import Actor, now, today
from ew_app.services.casework import reaching
from ew_app.services.risk import lives
from ew_app.services.risk.lives import Kind, State
from ew_app.services.risk.telling import Said, Teller
from models.people import Student
from models.queries import risk as rows
from models.queries import risk_places, scope
from models.risk import RiskAnswer
from rules import access
from rules.access import Area, FieldClass, Permission, Right
from rules.stints import school_year_start

LEAST_CHANCE = -847  # thousandths of a logit: three of ten
MOST = 10  # students of a school that are brought forward at once
LOOK = "look"  # the kind of task by which somebody is asked to look at a student
QUIET = timedelta(days=30)  # after an answer


@dataclass(frozen=True, slots=True)
class Ordered:
    """How it stands, and what is said of each student; `said` is empty unless a model serves."""

    state: State
    said: Mapping[int, Said] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """How it stands, for the head of the list."""
        return self.state.sentence


@dataclass(frozen=True, slots=True)
class Consider:
    """A student whom no rule has reached, and why the model would look."""

    student: Student
    said: Said


@dataclass(frozen=True, slots=True)
class Considered:
    """How it stands, and the students brought forward, the highest chance first."""

    state: State
    students: Sequence[Consider] = ()


def order_within_tier(students: Collection[int], viewer: Actor) -> Ordered:
    """What the serving model says of those of these students whom the viewer reaches; one statement for all.

    Of nobody where the viewer's roles do not read scores.
    """
    stands = lives.state()
    if not _told(stands, viewer) or not students:
        return Ordered(stands)
    assert stands.model is not None and stands.card is not None
    found = rows.scores_of(stands.model.id, list(students), reaching.students_of(viewer, Permission.SEE_RISK))
    teller = Teller(stands.card)
    return Ordered(stands, {score.student_id: teller.said(score) for score in found})


def consider(viewer: Actor, area: Area | None = None, most: int = MOST) -> Considered:
    """Students in no tier above 1, with no standing rule and without a case, whom the model brings forward.

    Of each school the `most` highest, nobody about whom somebody answered within a month. `area`: only these schools.
    """
    stands = lives.state()
    if not _told(stands, viewer):
        return Considered(stands)
    assert stands.model is not None and stands.card is not None
    reach = reaching.students_of(viewer, Permission.SEE_RISK)
    schools = true() if area is None else scope.schools(area)
    found = rows.not_reached(stands.model.id, reach, schools, LEAST_CHANCE, most, now() - QUIET)
    teller = Teller(stands.card)
    brought = [Consider(student, teller.said(score)) for score, student in found]
    return Considered(stands, [one for one in brought if one.said.logit is not None])


def _told(stands: State, viewer: Actor) -> bool:
    """Whether anything is said to this person now."""
    return stands.kind is Kind.SERVING and may_read(viewer)


def may_read(viewer: Actor) -> bool:
    """Whether any of their roles reads what a model says of a student."""
    may = access.can(viewer.grants, Permission.SEE_RISK)
    return may and access.right(viewer.grants, FieldClass.RISK).reaches(Right.READ)


# -- for lists and the way around ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordering:
    """How it stands, and what queries of lists order by within a tier: of a Student, of a Case; None: by nothing.

    The one definition of that order. Of whom nothing is said, the place goes by the absence rate (risk_places).
    """

    state: State
    of_student: ColumnElement[int | None] | None = None
    of_case: ColumnElement[int | None] | None = None


def ordering(viewer: Actor) -> Ordering | None:
    """What this viewer's lists may be ordered by; None for who reads no scores, and where there never was a model."""
    if not may_read(viewer) or (stands := lives.state()).kind is Kind.NONE:
        return None
    if not _told(stands, viewer):
        return Ordering(stands)
    assert stands.model is not None and stands.night is not None
    number, reach = stands.model.id, reaching.students_of(viewer, Permission.SEE_RISK)
    places = stands.night.figures.get("places", {})
    of_student, of_case = risk_places.of_student(number, reach, places), risk_places.of_case(number, reach, places)
    return Ordering(stands, of_student, of_case)


def is_at_work(viewer: Actor) -> bool:
    """Whether this viewer is to find the students whom a model brings forward in the rail; two statements at most.

    Who reads of the own caseload alone finds nobody there, as everybody on it has a case, until asked to look.
    """
    if not may_read(viewer) or not rows.works(school_year_start(today())):
        return False
    if access.scope_of(viewer.grants, Permission.SEE_RISK).whole:
        return True
    return viewer.person_id is not None and bool(rows.looks_of(viewer.person_id, LOOK))


def answered(viewer: Actor, stands: State) -> Sequence[tuple[RiskAnswer, Student]]:
    """What was answered within a month about students whom this viewer reaches, the latest first."""
    if not _told(stands, viewer):
        return ()
    assert stands.model is not None
    return rows.answered(stands.model.id, reaching.students_of(viewer, Permission.SEE_RISK), now() - QUIET)
