"""Who is told about a hand-over: whoever is asked, and whoever asked once there is an answer."""

from __future__ import annotations

from collections.abc import Collection

from ew_app.kernel import Actor
from ew_app.services.casework.staffing import Staff
from ew_app.services.people import standing_in
from ew_app.services.people.telling import tell
from models.hand_overs import HandOver
from rules.handing_over import Answer, Kind, State
from rules.roles import Permission, role

ASKED = {
    Kind.REFER: "help_asked",
    Kind.TRANSFER: "handover_asked",
    Kind.REQUEST: "case_wanted",
    Kind.SCHOOL_CHANGE: "handover_asked",
}
ANSWERED = {Answer.ACCEPT: "answer_yes", Answer.DECLINE: "answer_no", Answer.FINISH: "reported_back"}


def asked(row: HandOver, by: Actor) -> None:
    """Tell whoever is asked, or whoever has to write first. A case that was given is told of as given."""
    if row.state == State.TO_WRITE:
        _tell("handover_to_write", _with_deputies(row.from_id, row.from_role), row, by)
    elif row.kind != Kind.ASSIGN:
        _tell(ASKED[Kind(row.kind)], receivers(row), row, by)


def answered(row: HandOver, answer: Answer, by: Actor, *, was: State) -> None:
    """Tell the other side. A request that is granted is told of by the case itself."""
    match answer:
        case Answer.WRITE if was is State.TO_WRITE:
            asked(row, by)
        case Answer.TAKE_BACK:
            _tell("asking_withdrawn", receivers(row) if was is not State.TO_WRITE else [row.from_id], row, by)
            if row.kind == Kind.REQUEST:
                _tell("asking_settled", [row.from_id], row, by)
        case Answer.ACCEPT if row.kind == Kind.REQUEST:
            pass
        case Answer.ACCEPT | Answer.DECLINE | Answer.FINISH:
            _tell(ANSWERED[answer], [row.from_id], row, by)


def waits(row: HandOver, school_days: int) -> None:
    """Remind whoever has to answer or to write, once."""
    people = _with_deputies(row.from_id, row.from_role) if row.state == State.TO_WRITE else receivers(row)
    tell("handover_waits", people, once=f"hand-over/{row.id}/waits", hand_over_id=row.id, days=school_days)


def receivers(row: HandOver) -> Collection[int | None]:
    """Whoever is asked: one person with whoever stands in for them, or all who hold the role there today; nobody in it,
    who works on cases there."""
    if row.to_id is not None:
        return _with_deputies(row.to_id, row.to_role)
    staff = Staff({row.school_id})
    fit = staff.there(row.school_id, row.to_role, row.department)
    if fit or row.kind != Kind.SCHOOL_CHANGE:
        return fit
    here = [holder for holder in staff.everybody(row.school_id) if holder.active(staff.on)]
    return {holder.person_id for holder in here if Permission.WORK_CASE in role(holder.role).permissions}


def _with_deputies(person: int | None, role: str) -> set[int | None]:
    return {person, *standing_in.deputies([person]).get((person or 0, role), ())}


def _tell(kind: str, people: Collection[int | None], row: HandOver, by: Actor) -> None:
    tell(kind, people, once=f"hand-over/{row.id}/{kind}", by=by, hand_over_id=row.id)
