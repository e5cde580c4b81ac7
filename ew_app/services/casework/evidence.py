"""Supports before any sanction: what the record holds before a step that a law or the district counts as one.

The product takes no such step. It shows what was offered, by whom and when, and what is missing; only a whole record
can be printed for a step, and every print is in the audit. Nothing of a compartment, and no note, is ever in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.kernel import Actor, Refused, audit, operation, record, today
from ew_app.services.casework import reaching, searching, tasks
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.searching import Search
from ew_app.services.casework.staffing import Staff
from ew_app.services.measuring import why
from ew_app.services.measuring.caused_days import Caused
from models.cases import Cause, Outreach
from models.plans import PlanSupport, SupportGiven
from models.queries import case_page, plans
from models.queries import duty as rows
from rules.access import Permission
from rules.duty_of_care import LegalStep, Missing, Record, duty, missing
from rules.interventions import catalogue
from rules.routing import tasks_for
from rules.vocabulary import Reaches, vocabulary

MAY = Permission.WORK_CASE
ASKS_LEGAL = "withdrawal_question"
DECLINED = "U-DECLINED"


@dataclass(frozen=True, slots=True)
class Pack:
    """The record of one student as far as it may be taken out of the case. `through`: the last day that is known."""

    case: CaseAtHand
    as_of: date
    through: date | None
    supports: tuple[tuple[PlanSupport, tuple[SupportGiven, ...]], ...]
    contacts: tuple[Outreach, ...]
    causes: tuple[Cause, ...]
    caused: Caused
    enrolled: str
    search: Search | None
    counts: Record
    days_in_a_row: int  # as everybody may know them; the gate leaves out more, and tells nobody how many

    def lacks(self, step: LegalStep) -> list[Missing]:
        """What is missing before this step; nothing when the record is whole."""
        return missing(step, self.counts)


def look(case_number: int, *, by: Actor) -> Pack:
    """The record as it stands. Raises NotFound, NotAllowed."""
    held = reaching.case_at_hand(case_number, by, MAY, lock=False)
    case = held.case
    told = why.glance(case.student.key)
    since = rows.first_opened(case)
    supports = [one for one in plans.supports(case) if not _limited(one)]
    given = plans.given(supports)
    causes = [one for one in case_page.causes(case) if not vocabulary().causes[one.code].limited]
    contacts = [one for one in case_page.outreach(case.student_id) if one.on_day >= since]
    search = searching.search_of(case)
    made = [(one, tuple(reversed(given.get(one.id, [])))) for one in supports]
    return Pack(
        case=held, as_of=today(), through=told.days[-1].day if told.days else None, supports=tuple(made),
        contacts=tuple(reversed(contacts)), causes=tuple(causes), caused=told.caused,
        enrolled=str(told.measures.get("enrolled_days", "")), search=search,
        counts=_counts(held, made, contacts, causes, why.days_without_cause(case.student.key), search, since),
        days_in_a_row=told.without_cause,
    )  # fmt: skip


@operation
def ask(case_number: int, step_key: str, *, by: Actor) -> tuple[Pack, list[Missing]]:
    """Ask about a legal step: what is missing, or nothing, and then Legal is asked to look before anybody goes on.

    Raises NotFound, NotAllowed, Refused.
    """
    step = step_of(step_key)
    pack = look(case_number, by=by)
    lacks = pack.lacks(step)
    case = pack.case.case
    record(
        "legal_step_asked", by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id,
        step=step.key, lacks=[one.need for one in lacks],
    )  # fmt: skip
    if not lacks:
        _ask_legal(pack.case, step)
    return pack, lacks


def who_is_asked(pack: Pack, step_key: str) -> str:
    """The role that has the question about a step; '' where none is open."""
    return rows.legal_asked(pack.case.case.student_id, _about(pack.case, step_of(step_key)))


@operation
def take_out(case_number: int, step_key: str, *, by: Actor) -> tuple[Pack, LegalStep]:
    """The pack of a whole record, to be printed; every time stands in the audit. Refused while something is missing."""
    step = step_of(step_key)
    pack = look(case_number, by=by)
    if lacks := pack.lacks(step):
        raise Refused(f"The record is not whole yet: {len(lacks)} of what the law asks for first is missing.")
    case = pack.case.case
    audit(
        "evidence_taken_out", by=by, subject=f"case:{case.number}", student_id=case.student_id, reason=step.label
    )  # fmt: skip
    return pack, step


def step_of(key: str) -> LegalStep:
    """The step with this key. Refused for any other word."""
    if key not in duty().steps:
        raise Refused("Choose what is being thought about.")
    return duty().steps[key]


def _counts(
    held: CaseAtHand,
    supports: Sequence[tuple[PlanSupport, Sequence[SupportGiven]]],
    contacts: Sequence[Outreach],
    causes: Sequence[Cause],
    days_in_a_row: int,
    search: Search | None,
    since: date,
) -> Record:
    """How much of each need stands in the record."""
    attempts, ways = rows.attempts(held.case.student_id, since)
    reached = {vocabulary().outcomes[one.outcome].reaches for one in contacts}
    said_by = {one.said_by for one in causes}
    return {
        "supports": len(supports),
        "supports_answered": sum(bool(given) or one.family_agreed != "not_asked" for one, given in supports),
        "attempts": attempts,
        "ways": ways,
        "student_heard": int("student" in said_by or Reaches.STUDENT in reached),
        "family_heard": int("caregiver" in said_by or Reaches.FAMILY in reached),
        "staff_heard": int("staff" in said_by),
        "cause": sum(vocabulary().causes[one.code].known or one.code == DECLINED for one in causes),
        "days_in_a_row": days_in_a_row,
        "searched": int(_is_exhausted(search, [one for one, _ in supports])),
    }


def _is_exhausted(search: Search | None, supports: Sequence[PlanSupport]) -> bool:
    """The whole list was walked in vain, or the student was found and every support has ended or was declined."""
    if search is None or not search.whole:
        return False
    return search.found is None or all(one.result is not None or one.family_agreed == "no" for one in supports)


def _limited(support: PlanSupport) -> bool:
    """Whether it is for a cause that does not leave the case."""
    for_cause = support.cause is not None and vocabulary().causes[support.cause].limited
    return for_cause or catalogue()[support.intervention].limited


def _about(held: CaseAtHand, step: LegalStep) -> str:
    return f"legal/{held.case.number}/{held.case.episode}/{step.key}/"


def _ask_legal(held: CaseAtHand, step: LegalStep) -> None:
    """For each step by itself, and anew once an earlier answer is given; while one is open it is the one."""
    case = held.case
    about = _about(held, step)
    staff = Staff([case.school_id])
    near = staff.near(case.school_id, case.student.homeroom)
    for planned in tasks_for(ASKS_LEGAL, staff.place(case.school_id), near, on=staff.on, loads=staff.loads):
        before = [one for one in rows.asked_before(case.student_id, planned.kind) if one[1].startswith(about)]
        if not any(status == "open" for *_, status in before):
            due = tasks.due_in(planned.due_days, case.school_id)
            tasks.ask_beside(planned, case=case, period=f"{about}{len(before) + 1}/{ASKS_LEGAL}", due=due)
