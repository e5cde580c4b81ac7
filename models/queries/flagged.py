"""Students who have newly come into a tier, why, and what has been done already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from models.base import db
from models.cases import Case, Outreach
from models.lists import FlagAnswer
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.queries.worklists import Owner, Page, last_contact, open_days
from models.tiers import StudentStatus, TierChange


@dataclass(frozen=True, slots=True)
class FlaggedLine:
    """A student in a tier since a day, with the sentence that says why. Days in mils.

    low, high: between which tiers the student can stand while `open_days` are missing or not understood.
    """

    student_id: int
    student_key: str
    first_name: str
    last_name: str
    grade: str
    school_id: int
    school: str
    tier: int
    since: date
    sentence: str
    rules: list[str]
    enrolled: int
    absent: int
    absent_last_20: int
    enrolled_last_20: int
    contacts: int
    last_contact: date | None
    case_number: int | None
    case_status: str | None
    owner_id: int | None
    owner: str | None
    low: int | None
    high: int | None
    open_days: int


RULES_LOOKED_AT = 6  # of those that a student meets; the others decide no order
SORTS: dict[str, Any] = {
    "name": Student.last_name,
    "tier": StudentStatus.tier,
    "since": StudentStatus.tier_since,
    "absent": StudentStatus.absent,
    "contact": last_contact(Student.id),
}


def schools_of(reach: Reach) -> list[tuple[int, str]]:
    """(number, name) of the schools at which a person sees who is flagged, by name."""
    here = or_(*(scope.schools(area) for area in (reach.whole, reach.caseload, reach.own)))
    found = db.session.execute(select(School.id, School.name).where(here).order_by(School.name))
    return [(number, name) for number, name in found]


def flagged(
    reach: Reach,
    person_id: int | None,
    on: date,
    *,
    since: date,
    school: int | None = None,
    tier: int | None = None,
    without_case: bool = False,
    unowned: bool = False,
    set_aside: bool = False,
    urgent: Sequence[str] = (),
    sort: str = "rule",
    descending: bool = False,
    page: int = 1,
    size: int = 25,
    model: ColumnElement[int | None] | None = None,
) -> Page:
    """Enrolled students within reach who came up into Watch, Tier 2 or Tier 3 on `since` or later.

    A step down is good news and no flag.

    `sort`: a key of SORTS; by default the highest tier comes first, and in it the rule that asks soonest (`urgent`, the
    first asks first). `set_aside`: those whose flag somebody has answered, who are left out otherwise.
    `without_case`: nobody works on them yet; `unowned`: a case is open and nobody has it.
    `model`: with sort="model", by what students of one tier are put in order, the highest first.
    """
    found = _raised(since, scope.students(reach, person_id, on)).where(_answered() if set_aside else ~_answered())
    if school is not None:
        found = found.where(StudentStatus.school_id == school)
    if tier is not None:
        found = found.where(StudentStatus.tier == tier)
    if without_case:
        found = found.where(~_case())
    if unowned:
        found = found.where(_case(Case.owner_id.is_(None)))
    order = list(_order(sort, descending, urgent, model if sort == "model" else None))
    here = found.order_by(*order).offset((page - 1) * size).limit(size).cte("here")
    rows = db.session.execute(
        _lines().add_columns(here.c.total).join(here, here.c.id == Student.id).order_by(*order)
    ).all()
    total = rows[0][-1] if rows else (db.session.scalar(select(func.count()).select_from(found.subquery())) or 0)
    return Page([FlaggedLine(*row[:-1]) for row in rows], total)


def _raised(since: date, within: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """(student, how many in all) of the enrolled students who came up into a tier above 1 on `since` or later.

    Who of them is within reach is found before anything else is read of them.
    """
    above = StudentStatus.tier >= literal_column("1")  # word for word what the index of raised students holds
    enrolled = StudentStatus.enrolled_now, above, StudentStatus.tier_since >= since
    raised = select(StudentStatus.student_id).where(*enrolled).cte("raised").prefix_with("MATERIALIZED")
    near = select(Student.id).join(raised, raised.c.student_id == Student.id).where(within)
    here = near.cte("near").prefix_with("MATERIALIZED")
    return (
        select(Student.id, func.count().over().label("total"))
        .join(here, here.c.id == Student.id)
        .join(StudentStatus, StudentStatus.student_id == Student.id)
        .outerjoin(TierChange, _step())
        .where(func.coalesce(TierChange.after > TierChange.before, True))
    )


def _step() -> ColumnElement[bool]:
    """The step by which a student came to stand where they stand."""
    day = TierChange.day == StudentStatus.tier_since
    return and_(TierChange.student_id == Student.id, day, TierChange.withdrawn_at.is_(None))


def _case(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    """The student has an open case, of which more may be asked."""
    return exists().where(Case.student_id == Student.id, Case.closed_on.is_(None), *more)


def one(reach: Reach, person_id: int | None, on: date, student_id: int) -> FlaggedLine | None:
    """How one student within reach stands on the list, whether or not the flag is answered."""
    wanted = _lines().where(scope.students(reach, person_id, on), Student.id == student_id)
    row = db.session.execute(wanted).first()
    return FlaggedLine(*row) if row else None


def _answered() -> ColumnElement[bool]:
    """Somebody has answered this very step up."""
    return exists().where(FlagAnswer.student_id == Student.id, FlagAnswer.since == StudentStatus.tier_since)


def _order(
    sort: str, descending: bool, urgent: Sequence[str], model: ColumnElement[int | None] | None
) -> Iterator[ColumnElement[Any]]:
    """By a column or, without one, by tier and the most urgent rule; among equals the newest first.

    A model comes after the tier and never before it.
    """
    if sort in SORTS:
        yield SORTS[sort].desc().nulls_last() if descending else SORTS[sort].asc().nulls_last()
    yield StudentStatus.tier.desc()
    if model is not None:
        yield model.desc().nulls_last()
    if sort not in SORTS and urgent:
        places = [func.array_position(literal(list(urgent), ARRAY(TEXT)), rule) for rule in _rules()]
        yield func.least(*places).asc().nulls_last()
    yield StudentStatus.tier_since.desc()
    yield Student.last_name.asc()
    yield Student.id.asc()


def _rules() -> Iterator[ColumnElement[Any]]:
    """The first few of the rules that a student meets."""
    return (StudentStatus.rules[number] for number in range(1, RULES_LOOKED_AT + 1))


@cache
def _lines() -> Select[*tuple[Any, ...]]:
    """Everyone enrolled in a tier above 1, with the step that brought them there and the open case."""
    contacts = select(func.count()).where(Outreach.student_id == Student.id, Outreach.is_contact)
    return (
        select(
            Student.id, Student.key, Student.first_name, Student.last_name, StudentStatus.grade,
            StudentStatus.school_id, School.name, StudentStatus.tier, StudentStatus.tier_since,
            func.coalesce(TierChange.sentence, ""), StudentStatus.rules, StudentStatus.enrolled, StudentStatus.absent,
            StudentStatus.absent_last_20, StudentStatus.enrolled_last_20,
            contacts.correlate(Student).scalar_subquery(), last_contact(Student.id),
            Case.number, Case.status, Case.owner_id, Owner.name, StudentStatus.tier_min, StudentStatus.tier_max,
            open_days(),
        )
        .join(StudentStatus, StudentStatus.student_id == Student.id)
        .join(School, School.id == StudentStatus.school_id)
        .outerjoin(Case, and_(Case.student_id == Student.id, Case.closed_on.is_(None)))
        .outerjoin(Owner, Owner.id == Case.owner_id)
        .outerjoin(TierChange, _step())
        .where(StudentStatus.enrolled_now, StudentStatus.tier >= 1)
    )  # fmt: skip
