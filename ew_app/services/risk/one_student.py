"""What stands on the page of one student: what the model says, who answered it, whether it is to leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ew_app.kernel import Actor
from ew_app.services.casework import reaching
from ew_app.services.risk import answers, reading
from ew_app.services.risk.lives import Kind, State
from ew_app.services.risk.telling import Said
from models.queries import risk as rows
from models.queries import same_child
from models.risk import RiskAnswer, RiskExcluded
from rules.access import Permission


@dataclass(frozen=True, slots=True)
class OneStudent:
    """`said` is empty unless a model serves and this viewer may read it; `answers`: the latest first."""

    state: State
    said: Said | None
    left_out: RiskExcluded | None
    answers: Sequence[RiskAnswer]
    may_leave_out: bool


def told(student_id: int, viewer: Actor) -> OneStudent | None:
    """What this viewer may read; None beyond their reach, and where the district never asked for a model."""
    if not reading.may_read(viewer):
        return None
    left_out, found = answers.standing_exclusion(student_id), reading.order_within_tier([student_id], viewer)
    if found.state.kind is Kind.NONE and left_out is None:
        return None  # as everywhere before anybody asked for a model
    if not rows.within(student_id, reaching.students_of(viewer, Permission.SEE_RISK)):
        return None
    return OneStudent(
        found.state,
        found.said.get(student_id),
        left_out,
        rows.answers_of(same_child.ids_of(student_id)),
        rows.within(student_id, reaching.students_of(viewer, Permission.EXCLUDE_FROM_RISK)),
    )
