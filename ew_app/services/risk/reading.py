"""What lists and pages ask the serving model: an order within a tier, and students whom no rule has reached yet.

Empty, with the sentence that says why, while no model serves. It is asked for people who may read scores and for
students whom they reach; nothing of it goes into files, letters, network lists or mails.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import true

from ew_app.kernel import Actor, now
from ew_app.services.casework import reaching
from ew_app.services.risk import lives
from ew_app.services.risk.lives import Kind, State
from ew_app.services.risk.telling import Said, Teller
from models.people import Student
from models.queries import risk as rows
from models.queries import scope
from rules import access
from rules.access import Area, FieldClass, Permission, Right

LEAST_CHANCE = -847  # thousandths of a logit: three of ten
MOST = 10  # students of a school that are brought forward at once
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

    def key(self, student_id: int) -> tuple[int, int]:
        """To sort students of one tier by: the highest chance first, then whoever nothing is said of."""
        said = self.said.get(student_id)
        return (1, 0) if said is None or said.logit is None else (0, -said.logit)


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
    """Students in no tier above 1 and without a case whom the model brings forward: of each school the `most` highest.

    `area`: only of these schools. Nobody about whom somebody answered within a month.
    """
    stands = lives.state()
    if not _told(stands, viewer):
        return Considered(stands)
    assert stands.model is not None and stands.card is not None
    reach = reaching.students_of(viewer, Permission.SEE_RISK)
    schools = true() if area is None else scope.schools(area)
    found = rows.not_reached(stands.model.id, reach, schools, LEAST_CHANCE, most, now() - QUIET)
    teller = Teller(stands.card)
    return Considered(stands, [Consider(student, teller.said(score)) for score, student in found])


def _told(stands: State, viewer: Actor) -> bool:
    """Whether anything is said to this person now."""
    may = access.can(viewer.grants, Permission.SEE_RISK)
    return stands.kind is Kind.SERVING and may and access.right(viewer.grants, FieldClass.RISK).reaches(Right.READ)
