"""The plan of a case: agreed with the student and the family, changed as versions, never written over.

Whoever saves says which version they had before them. When somebody else was faster, nothing is stored: both texts are
given back, and a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, Conflict, Refused, now, operation, record, today
from ew_app.services.casework import reaching, tasks
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.near import near
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models.base import db
from models.cases import Case, Task
from models.plans import Plan, PlanReview
from models.queries import plans as rows
from rules.access import Permission
from rules.case_flow import Action, Status, move
from rules.vocabulary import vocabulary
from rules.words import check_words

LONGEST_GOAL = 1000
LONGEST_HELPS = 280
LONGEST_STEP = 200
LOOK_AGAIN = 10  # school days
NEXT_STEP = "Look at how the plan goes"
MOST_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What was agreed. `most_absent` of `of_days`: the goal in numbers; both or neither."""

    goal: str
    most_absent: int | None = None
    of_days: int | None = None
    champion_id: int | None = None
    helps: str = ""
    family_agreed: str = "not_asked"
    next_step: str = ""
    review_on: date | None = None


class PlanChanged(Conflict):
    """Somebody saved another version in between; `theirs` is what stands now."""

    def __init__(self, theirs: Plan) -> None:
        super().__init__(
            f"{theirs.author} changed this plan while you were writing. Nothing was written over: what stands now is "
            "shown beside what you wrote. Keep one, or bring the two together."
        )
        self.theirs = theirs


@operation
def agree(case_number: int, agreed: Agreed, *, by: Actor, seen: int | None = None, once: str | None = None) -> Plan:
    """Agree a plan, or a new version of it. `seen`: the version that lay before the writer (0: none; None: not asked).

    The same `once`, or the same words again, write nothing. Raises NotFound, NotAllowed, Refused, PlanChanged,
    IllegalMove, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE)
    if once and (sent := _sent_before(once, by)):
        return sent
    before = rows.newest(held.case)
    status = move(Status(held.case.status), Action.PLAN)
    if before is not None and seen is not None and before.version != seen:
        raise PlanChanged(before)
    values = _checked(held, agreed, before)
    anew = is_due_anew(held.case, before)
    if before is not None and not anew and all(getattr(before, name) == value for name, value in values.items()):
        return before
    plan = _store(held.case, values, before, by, once)
    if anew:
        held.case.status = str(status)
        _begin(held.case, by)
    else:
        _tell(held.case, "plan_changed", by, version=plan.version)
    held.case.next_step, held.case.due = plan.next_step, plan.review_on
    return plan


def is_due_anew(case: Case, before: Plan | None) -> bool:
    """Whether the next version is a plan agreed anew: the first one, or one that a rule or a look at it asked for."""
    if before is None or _asked_for(case):
        return True
    last = next(iter(rows.reviews(case)), None)
    return last is not None and last.plan_id == before.id and vocabulary().decisions[last.decision].asks_anew


def _begin(case: Case, by: Actor) -> None:
    """From here on rules ask how this plan goes."""
    tasks.mark_done(_asked_for(case), by)
    _tell(case, "case_planned", by, day=today().isoformat())
    touch([case.student_id], today())
    ask_for_evaluation()


def _asked_for(case: Case) -> list[Task]:
    """Open tasks that ask for a plan."""
    return list(db.session.scalars(tasks.open_plain(case).where(Task.kind == "plan")))


def _checked(held: CaseAtHand, agreed: Agreed, before: Plan | None) -> dict[str, Any]:
    """The columns of a plan, once everything in it is fit. Raises Refused, UnfitWords."""
    goal, helps, step = agreed.goal.strip(), agreed.helps.strip(), agreed.next_step.strip() or NEXT_STEP
    if not goal:
        raise Refused("Write the goal of the plan, as you agreed it with the family.")
    for words, most in ((goal, LONGEST_GOAL), (helps, LONGEST_HELPS), (step, LONGEST_STEP)):
        if len(words) > most:
            raise Refused(f"Please keep “{words[:20]}…” under {most} characters.")
        check_words(words)
    _check_numbers(agreed)
    if agreed.champion_id is not None and agreed.champion_id not in near(held.place):
        raise Refused("Choose as champion someone of the school, its network or the district.")
    return {
        "goal": goal, "most_absent": agreed.most_absent, "of_days": agreed.of_days, "champion_id": agreed.champion_id,
        "helps": helps, "family_agreed": reaching.known("family_agreed", agreed.family_agreed), "next_step": step,
        "review_on": _review_day(held.case, agreed.review_on, before),
    }  # fmt: skip


def _check_numbers(agreed: Agreed) -> None:
    most, of_days = agreed.most_absent, agreed.of_days
    if (most is None) != (of_days is None):
        raise Refused("Say the goal in numbers with both: at most how many days away, in how many school days.")
    if most is not None and of_days is not None and not 0 <= most < of_days <= MOST_DAYS:
        raise Refused(f"The goal in numbers is fewer days away than school days, and at most {MOST_DAYS} of those.")


def _review_day(case: Case, chosen: date | None, before: Plan | None) -> date:
    """The day of the next look; one that stands already may have passed."""
    if chosen is None:
        return before.review_on if before else tasks.due_in(LOOK_AGAIN, case.school_id)
    if chosen < today() and not (before and chosen == before.review_on):
        raise Refused("The day of the next look has passed already. Choose today or a later day.")
    check_ahead(chosen)
    return chosen


def _store(case: Case, values: dict[str, Any], before: Plan | None, by: Actor, once: str | None) -> Plan:
    plan = Plan(
        case_id=case.id, episode=case.episode, version=before.version + 1 if before else 1, once=once,
        author_id=by.person_id, author=by.name, position=by.position, written_at=now(), **values,
    )  # fmt: skip
    db.session.add(plan)
    db.session.flush()
    return plan


def _sent_before(once: str, by: Actor) -> Plan | None:
    same: Plan | None = db.session.scalar(select(Plan).where(Plan.once == once, Plan.author_id == by.person_id))
    return same


# -- looking at how it goes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at a plan: the decision (a key of `plan_decision`), a few words, the day of the next look."""

    decision: str
    words: str = ""
    with_family: bool = False
    next_on: date | None = None


@operation
def review(case_number: int, look: Look, *, by: Actor, seen: int | None = None, once: str | None = None) -> PlanReview:
    """Decide how the plan goes on; every decision has a next day. The same `once` again returns the first.

    seen: the version of the plan that was looked at (None: not asked).
    Raises NotFound, NotAllowed, Refused, PlanChanged, IllegalMove, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE)
    case = held.case
    if once and (sent := _reviewed_before(once, by)):
        return sent
    decision = vocabulary().decisions[reaching.known("plan_decision", look.decision)]
    status = move(Status(case.status), Action.PLAN if decision.asks_anew else Action.MONITOR)
    plan = rows.newest(case)
    if plan is None:
        raise Refused("There is no plan yet to look at. Write the plan first.")
    if seen is not None and plan.version != seen:
        raise PlanChanged(plan)
    _check_look(case, look)
    made = PlanReview(
        case_id=case.id, episode=case.episode, plan_id=plan.id, decision=decision.key, words=look.words.strip(),
        with_family=look.with_family, next_on=look.next_on or tasks.due_in(decision.look_again, case.school_id),
        once=once, author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(made)
    case.status, case.next_step, case.due = str(status), decision.next_step, made.next_on
    _tell(case, "plan_reviewed", by, decision=decision.key)
    db.session.flush()
    return made


def _check_look(case: Case, look: Look) -> None:
    if len(look.words) > LONGEST_GOAL:
        raise Refused(f"Please keep this under {LONGEST_GOAL} characters.")
    check_words(look.words)
    if look.next_on is not None and look.next_on < today():
        raise Refused("The day of the next look has passed already. Choose today or a later day.")
    check_ahead(look.next_on)
    if look.decision == "exit" and (running := [one for one in rows.supports(case) if one.result is None]):
        raise Refused(
            "Before the plan ends, say of each support how it went: "
            f"{len(running)} {'is' if len(running) == 1 else 'are'} still running."
        )


def _reviewed_before(once: str, by: Actor) -> PlanReview | None:
    mine = select(PlanReview).where(PlanReview.once == once, PlanReview.author_id == by.person_id)
    same: PlanReview | None = db.session.scalar(mine)
    return same


def _tell(case: Case, kind: str, by: Actor, **data: Any) -> None:
    record(kind, by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id, **data)
