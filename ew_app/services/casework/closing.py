"""A case ends by a person, with an answer for every rule that opened it; and it can be taken up again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select

from ew_app.kernel import Actor, Refused, now, operation, record, today
from ew_app.services.casework import hand_over_rows, notes, reaching, tasks, visit_ends
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models import casebook
from models.base import db
from models.cases import Case, CaseEpisode, CaseReason
from models.queries.following import idle, looked_for, still_met
from rules import access
from rules.access import Permission
from rules.case_flow import Action, Status, move
from rules.routing import visible_rules
from rules.vocabulary import vocabulary


@operation
def close(
    case_number: int,
    *,
    by: Actor,
    reason: str,
    useful: Mapping[str, str],
    goals_reviewed: bool = False,
    family_told: bool = False,
    note: str = "",
    version: int | None = None,
) -> Case:
    """Close a case for a reason of the vocabulary. `useful`: rule -> yes, no or cannot_tell, for every live rule.

    Raises NotFound, NotAllowed, Refused, Conflict, IllegalMove, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    _check_reason(reason, goals_reviewed, family_told)
    case = held.case
    case.goals_reviewed, case.family_told = goals_reviewed, family_told
    if note.strip():
        notes.add(case, note, by)
    _end(case, reason, useful, by)
    return case


@operation
def close_of_arrived(case_numbers: Collection[int], *, by: Actor) -> int:
    """Close cases that looked for students who have come since; how many were still open.

    Whoever owns such a case may, whether or not they lead cases. Raises NotFound, NotAllowed, Refused.
    """
    closed = 0
    for number in case_numbers:
        held = reaching.case_at_hand(number, by, Permission.WORK_CASE, Permission.LOG_OUTREACH)
        case = held.case
        if case.owner_id != by.person_id:
            access.check(by.grants, Permission.WORK_CASE, held.place)
        if case.closed_on is None:
            _check_arrived(case)
            _end(case, "not_needed", {reason.rule: "cannot_tell" for reason in rules_to_answer(case)}, by)
            closed += 1
    return closed


@operation
def close_held_by_nothing(case_numbers: Collection[int], *, by: Actor) -> int:
    """Close cases of which every reason was taken back before anybody worked on them; how many were still open.

    Raises NotFound, NotAllowed, Refused.
    """
    closed = 0
    for number in case_numbers:
        case = reaching.case_at_hand(number, by, Permission.WORK_CASE).case
        if case.closed_on is not None:
            continue
        if not db.session.scalar(select(idle()).where(Case.id == case.id)):
            raise Refused(f"Something holds case {number} again, or somebody works on it. Nothing was closed.")
        _end(case, "corrected", {}, by)
        closed += 1
    return closed


def _check_arrived(case: Case) -> None:
    if case.kind != "did_not_arrive" or case.student_id in looked_for([case.student_id]):
        raise Refused(f"Case {case.number} is not only about an arrival, so it is closed with its questions answered.")


def _end(case: Case, reason: str, useful: Mapping[str, str], by: Actor) -> None:
    """What every closing does to a case in the open transaction."""
    status = move(Status(case.status), Action.CLOSE)
    _answer(case, useful)
    case.status, case.closed_on, case.close_reason = str(status), today(), reason
    case.paused_until, case.due, case.next_step = None, None, ""
    _end_episode(case)
    casebook.end_work([case.id], now(), by.login)
    visit_ends.of_cases([case.id], visit_ends.CLOSED, by)
    hand_over_rows.end_helps(case, by)
    why = vocabulary().label("close_reason", reason)
    record("case_closed", by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id, why=why)
    _ask_again(case)


def rules_to_answer(case: Case) -> list[CaseReason]:
    """The live reasons of the current episode, each of which is asked about at closing."""
    live = select(CaseReason).where(
        CaseReason.case_id == case.id, CaseReason.episode == case.episode, CaseReason.withdrawn_at.is_(None)
    )
    reasons = list(db.session.scalars(live.order_by(CaseReason.rule)))
    shown = visible_rules(reason.rule for reason in reasons)
    return [reason for reason in reasons if reason.rule in shown]


@operation
def reopen(case_number: int, *, by: Actor, why: str, version: int | None = None) -> Case:
    """Take a closed case up again as a new episode; the reasons that still stood come along.

    Raises NotFound, NotAllowed, Refused, Conflict, IllegalMove, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    case = held.case
    status = move(Status(case.status), Action.REOPEN)
    if not why.strip():
        raise Refused("Say in a sentence why the case is taken up again.")
    _check_no_other(case)
    standing = still_met(case.student_id)
    reasons = [reason for reason in rules_to_answer(case) if reason.rule in standing]
    case.status, case.episode = str(status), case.episode + 1
    case.closed_on = case.close_reason = None
    case.goals_reviewed = case.family_told = False
    case.opened_at, case.contact_due = now(), tasks.due_in(3, case.school_id)
    case.due, case.next_step = case.contact_due, "Contact the family again"
    db.session.add(CaseEpisode(case_id=case.id, episode=case.episode, opened=today(), opened_at=now()))
    for old in reasons:
        db.session.add(
            CaseReason(
                case_id=case.id, rule=old.rule, episode=case.episode, day=old.day, through=old.through,
                sentence=old.sentence, added_at=now(),
            )
        )  # fmt: skip
    notes.add(case, f"Taken up again: {why.strip()}", by)
    record(
        "case_reopened", by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id,
        episode=case.episode,
    )  # fmt: skip
    _ask_again(case)
    return case


def _check_reason(reason: str, goals_reviewed: bool, family_told: bool) -> None:
    if reason not in dict(vocabulary().closing_choices()):
        raise Refused("Choose why the case is closed. Nothing was changed yet.")
    asks = vocabulary().close_reasons[reason].asks_plan_review
    if asks and not (goals_reviewed and family_told):
        raise Refused("Before this reason: look at the goals of the plan, and tell the family. Then tick both.")


def _answer(case: Case, useful: Mapping[str, str]) -> None:
    """Keep for each rule whether its flag was useful; every live rule needs an answer."""
    reasons = rules_to_answer(case)
    open_ones = [reason.rule for reason in reasons if reason.rule not in useful]
    if open_ones:
        raise Refused(f"Say for each reason whether the flag was useful: {', '.join(open_ones)} is still open.")
    for reason in reasons:
        reason.useful = reaching.known("useful", useful[reason.rule])


def _end_episode(case: Case) -> None:
    key = {"case_id": case.id, "episode": case.episode}
    run = db.session.get(CaseEpisode, key) or CaseEpisode(**key, opened=case.opened, opened_at=case.opened_at)
    run.closed_on, run.close_reason, run.closed_at = case.closed_on, case.close_reason, now()
    db.session.add(run)


def _check_no_other(case: Case) -> None:
    other = select(Case.number).where(Case.student_id == case.student_id, Case.closed_on.is_(None))
    if (number := db.session.scalar(other)) is not None:
        raise Refused(f"Case {number} is open for this student. Go on with that one.")


def _ask_again(case: Case) -> None:
    """Whether a case is open decides how a tier is left: look at the student again from today."""
    touch([case.student_id], today())
    ask_for_evaluation()
