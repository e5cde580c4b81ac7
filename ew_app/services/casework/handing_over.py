"""Asking somebody for help with a case, to take it over, or for the case itself. The other side says yes or no.

Whoever is asked must be entitled to what they would see; somebody from outside only with the family's consent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select

from ew_app.kernel import Actor, Conflict, NotFound, Refused, day_text, local, operation, today
from ew_app.services.casework import hand_over_rows, reaching, tasks
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.staffing import place_of
from models.base import db
from models.cases import Case
from models.hand_overs import HandOver
from models.notices import Notice
from models.org import School
from models.queries import case_page, scope
from models.queries import hand_overs as rows
from models.staff import Grant, Person
from rules import access, handing_over, roles
from rules.access import Area, FieldClass, NotAllowed, Permission, Place, Right
from rules.case_flow import Action, Status, move
from rules.handing_over import Kind
from rules.roles import Role
from rules.routing_table import Seat, routing_table
from rules.vocabulary import vocabulary

MAY_ASK = (Permission.WORK_CASE, Permission.LOG_OUTREACH)
NO_HAND_OVER = "There is no such question, or it is not one of yours."
DAYS_TO_HELP = 5
FIRST_TO_SAY_YES = "Whoever says yes first"
ONE_BY_ONE = ("department_contact", "partner")  # each of a department or an organisation of their own


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who may be asked: a person in a role, or (0) whoever in it says yes first.

    `suggested`: the routing table names the role for this case.
    """

    person_id: int
    name: str
    role: Role
    department: str
    suggested: bool

    @property
    def key(self) -> str:
        """How a form names them."""
        return f"{self.person_id}:{self.role.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of whom: `to` is Receiver.key. agreed_by, agreed_on: who of the family said yes, and when."""

    to: str
    asked: str
    due: date | None = None
    agreed_by: str = ""
    agreed_on: date | None = None


@operation
def refer(case_number: int, wanted: Wanted, *, by: Actor, once: str | None = None) -> HandOver:
    """Ask somebody to help; the owner stays. The same `once` again returns the first.

    Raises NotFound, NotAllowed, Refused, IllegalMove, UnfitWords.
    """
    held = asking(case_number, by)
    if first := _sent_before(once, by):
        return first
    move(Status(held.case.status), Action.REFER)
    found = _receiver(held, wanted, by)
    if not handing_over.may_help(found.role):
        raise Refused(f"A {found.role.label} does no tasks here. Choose somebody else.")
    return _send(held, Kind.REFER, wanted, found, by, once)


@operation
def transfer(case_number: int, wanted: Wanted, *, by: Actor, once: str | None = None) -> HandOver:
    """Ask somebody to take the case over; the owner moves when they say yes. Raises as `refer`, and Conflict."""
    held = asking(case_number, by)
    if first := _sent_before(once, by):
        return first
    move(Status(held.case.status), Action.ASSIGN)
    found = _receiver(held, wanted, by)
    if not handing_over.may_own(found.role):
        raise Refused(f"A {found.role.label} cannot own a case. Ask them for help instead.")
    if found.person_id == held.case.owner_id:
        raise Refused(f"{found.name} owns this case already.")
    return _send(held, Kind.TRANSFER, wanted, found, by, once)


@operation
def ask_for_case(case_number: int, *, by: Actor, why: str, once: str | None = None) -> HandOver:
    """Ask the owner of a case for it. Raises NotFound, NotAllowed, Refused, Conflict, IllegalMove, UnfitWords."""
    held = reaching.case_at_hand(case_number, by, Permission.SEE_CASE)
    if first := _sent_before(once, by):
        return first
    case = held.case
    move(Status(case.status), Action.ASSIGN)
    if case.owner_id is None or case.owner_id == by.person_id:
        raise Refused("Nobody else owns this case. Take it, or leave it as it is.")
    if not why.strip():
        raise Refused("Say in a few words why you ask for this case.")
    if not any(handing_over.may_own(held_role) for _, held_role in by.grants.at(held.place)):
        raise NotAllowed("Your role cannot own a case here.")
    return hand_over_rows.begin(
        case, Kind.REQUEST, by, to_id=case.owner_id, to_role=case.owner_role, asked=hand_over_rows.fit(why), once=once
    )


def asking(case_number: int, by: Actor) -> CaseAtHand:
    """A case about which this person may ask others: they work on it, or it is theirs. NotFound, NotAllowed."""
    held = reaching.case_at_hand(case_number, by, *MAY_ASK)
    if not access.right(by.grants, FieldClass.CASE, held.place, own=held.own).reaches(Right.WRITE):
        raise NotAllowed("Your role does not let you ask others about this case. Tell its owner instead.")
    return held


# -- who may be asked ----------------------------------------------------------------------------------------


def receivers(case: Case, place: Place, by: Actor) -> list[Receiver]:
    """Everybody who may be asked about a case, whom the routing table suggests first."""
    wanted = suggested(case)
    return sorted(
        _able(place, by, wanted), key=lambda one: (not one.suggested, one.role.label, one.name, one.person_id)
    )


def suggested(case: Case) -> list[Seat]:
    """The seats that the routing table names as helpers, for the known causes and for the tier."""
    table = routing_table()
    codes = [cause.code for cause in case_page.causes(case) if cause.ended_at is None]
    entries = [table.triggers[code] for code in codes if code in table.triggers]
    tier = table.tiers.get("3" if case.tier >= 3 else "2")
    seats = [seat for entry in entries for seat in (entry.seat, *entry.helpers)]
    return list(dict.fromkeys([*seats, *(tier.helpers if tier else ())]))


def _able(place: Place, by: Actor, wanted: Sequence[Seat]) -> Iterator[Receiver]:
    places = [str(place), str(Place.district())] + ([str(Place.of_network(place.network))] if place.network else [])
    holds = Grant.starts <= today(), or_(Grant.ends.is_(None), Grant.ends >= today())
    found = select(Person.id, Person.name, Grant.role, Grant.department).join(Grant, Grant.person_id == Person.id)
    found = found.where(Grant.place.in_(places), Person.disabled_at.is_(None), *holds).order_by(Grant.id)
    seen: set[tuple[int, str]] = set()
    for person, name, key, department in db.session.execute(found):
        held = roles.role(key)
        if person == by.person_id or (person, key) in seen or not handing_over.may_help(held):
            continue
        seen.add((person, key))
        fits = any(seat.role == key and (not department or seat.department in (None, department)) for seat in wanted)
        yield Receiver(person, name, held, department, fits)
    several = [key for key, many in Counter(key for _, key in seen).items() if many > 1 and key not in ONE_BY_ONE]
    for key in several:
        yield Receiver(0, FIRST_TO_SAY_YES, roles.role(key), "", any(seat.role == key for seat in wanted))


def _receiver(held: CaseAtHand, wanted: Wanted, by: Actor) -> Receiver:
    """Whom the form names, if they may be asked. Raises Refused."""
    able = {one.key: one for one in _able(held.place, by, ())}
    if wanted.to not in able:
        raise Refused("Choose somebody who works at this school, its network or the district.")
    found = able[wanted.to]
    if handing_over.asks_for_consent(found.role):
        _check_consent(wanted)
    return found


def _check_consent(wanted: Wanted) -> None:
    """A partner is from outside the district: the family must have agreed, and somebody says who and when."""
    if wanted.agreed_by not in vocabulary().labels["said_by"] or wanted.agreed_on is None:
        raise Refused("A partner is asked only with the family's consent. Say who agreed, and on which day.")
    if wanted.agreed_on > today():
        raise Refused("The day on which the family agreed lies ahead. Ask them first.")


def _send(held: CaseAtHand, kind: Kind, wanted: Wanted, found: Receiver, by: Actor, once: str | None) -> HandOver:
    if not wanted.asked.strip():
        raise Refused("Say in a sentence what you ask for.")
    if wanted.due is not None and wanted.due < today():
        raise Refused("The day has passed already. Choose today or a later day.")
    check_ahead(wanted.due)
    _check_asked_already(held.case, kind, found)
    consent = handing_over.asks_for_consent(found.role)
    return hand_over_rows.begin(
        held.case, kind, by, to_id=found.person_id or None, to_role=found.role.key, department=found.department,
        asked=hand_over_rows.fit(wanted.asked), due=wanted.due or tasks.due_in(DAYS_TO_HELP, held.case.school_id),
        agreed_by=wanted.agreed_by if consent else None, agreed_on=wanted.agreed_on if consent else None, once=once,
    )  # fmt: skip


def _check_asked_already(case: Case, kind: Kind, found: Receiver) -> None:
    if kind is Kind.TRANSFER and rows.open_of(case.id, ("transfer", "school_change")):
        raise Conflict("Somebody has been asked to take this case over already. Take that back first.")
    if kind is Kind.REFER and any(
        line.to_id == (found.person_id or None)
        and line.to_role == found.role.key
        and line.kind == "refer"
        and line.state == "sent"
        for line in rows.of_case(case.id)
    ):
        raise Conflict(f"{found.name} has been asked already and has not answered yet.")


def _sent_before(once: str | None, by: Actor) -> HandOver | None:
    if not once:
        return None
    same = select(HandOver).where(HandOver.once == once, HandOver.from_id == by.person_id)
    first: HandOver | None = db.session.scalar(same)
    return first


# -- which are within reach ----------------------------------------------------------------------------------


def addressed_to(by: Actor) -> ColumnElement[bool]:
    """Condition on HandOver: sent to this person, or to everybody in a role they hold there, or to somebody for whom
    they stand in."""
    areas = by.grants.areas()
    seats = [(_within(area), key) for key, area in areas.items() if handing_over.may_help(roles.role(key))]
    seats += [(_within(one.area), one.role) for one in by.grants.standing_in]
    cases = [_within(area) for key, area in areas.items() if Permission.WORK_CASE in roles.role(key).permissions]
    lent = [(one.person_id, _within(one.area), one.role) for one in by.grants.standing_in]
    return rows.addressed(by.person_id or 0, seats, cases, lent)


def asked_of(by: Actor) -> list[rows.Line]:
    """What waits for this person, and for those for whom they stand in."""
    return rows.asked_of(by.person_id or 0, addressed_to(by), [one.person_id for one in by.grants.standing_in])


def sent_by(by: Actor) -> ColumnElement[bool]:
    """Condition on HandOver: asked by this person, or by somebody for whom they stand in."""
    return HandOver.from_id.in_([by.person_id, *(one.person_id for one in by.grants.standing_in)])


def stands_for(by: Actor, person: int | None) -> bool:
    """Whether this is somebody's own, or that of somebody for whom they stand in today."""
    return person is not None and person in (by.person_id, *(one.person_id for one in by.grants.standing_in))


def _within(area: Area) -> rows.Schools:
    return None if area.district else scope.school_ids(area)


def within_reach(by: Actor) -> ColumnElement[bool]:
    """Condition on HandOver: addressed to this person, sent by them, or about a case they work on; or to or by somebody
    for whom they stand in."""
    about = HandOver.case_id.in_(select(Case.id).where(reaching.cases_of(by, Permission.WORK_CASE)))
    return or_(addressed_to(by), sent_by(by), about)


def check_not_answered(number: int, by: Actor) -> None:
    """Raises Conflict for somebody who was asked with others, once one of them has answered: by whom, when, what."""
    was_asked = exists().where(Notice.hand_over_id == HandOver.id, Notice.person_id == by.person_id)
    answered = HandOver.id == number, HandOver.answered_at.is_not(None), was_asked
    row = db.session.execute(
        select(HandOver, Person.name).outerjoin(Person, Person.id == HandOver.to_id).where(*answered)
    ).one_or_none()
    if row is None:
        return
    said = "no" if row.HandOver.state == "declined" else "yes"
    at = local(row.HandOver.answered_at)
    who = row.name or "A colleague"
    raise Conflict(
        f"{who} answered this on {day_text(at.date())} at {at:%H:%M} and said {said}. Nothing is left to do."
    )


def at_hand(number: int, by: Actor) -> tuple[HandOver, Case, Place]:
    """A hand-over within reach with its case, both locked, the case first. Raises NotFound."""
    reach = HandOver.id == number, within_reach(by)
    case_id = db.session.scalar(select(HandOver.case_id).where(*reach)) if by.person_id else None
    if case_id is None:
        check_not_answered(number, by)
        raise NotFound(NO_HAND_OVER)
    fresh = {"populate_existing": True}
    case = db.session.get_one(Case, case_id, with_for_update=True, execution_options=fresh)
    row = db.session.get_one(HandOver, number, with_for_update=True, execution_options=fresh)
    return row, case, place_of(db.session.get_one(School, row.school_id))
