"""What the demo's liaison and nurse have asked for: some of it in hand, some late, one refused, one lost on its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import select

from ew_app.kernel import Actor, today
from ew_app.services.casework import promises
from ew_app.services.casework.promises import Wanted
from ew_app.services.people import signing_in
from models.base import db
from models.queries import promises as rows
from models.staff import Person
from rules import access
from rules.access import FieldClass
from rules.roles import OPENS
from rules.stints import school_year_start

# who, compartment, for the nth student whom the roster names or (health) of the school: kind, for whom, school days
# ago, what, and each further state with its school days ago and a word on it
Told = tuple[str, FieldClass, int, str, str, int, str, tuple[tuple[str, int, str], ...]]
TOLD: Final[tuple[Told, ...]] = (
    ("stls_liaison", FieldClass.STLS, 0, "ventra", "student", 9, "", (("approved", 8, ""), ("in_hand", 6, ""))),
    ("stls_liaison", FieldClass.STLS, 0, "uniform", "student", 9, "Size 12", (("approved", 7, ""),)),
    ("stls_liaison", FieldClass.STLS, 1, "ventra", "student", 5, "", (("issued", 3, "Sent with the morning mail."),)),
    ("stls_liaison", FieldClass.STLS, 1, "ventra", "caregiver", 5, "", ()),
    ("stls_liaison", FieldClass.STLS, 2, "fees", "student", 12, "", (("refused", 2, "No form came with it."),)),
    ("stls_liaison", FieldClass.STLS, 2, "supplies", "student", 1, "Backpack", ()),
    ("nurse", FieldClass.HEALTH, 0, "asthma_plan", "student", 8, "", (("approved", 6, ""),)),
    ("nurse", FieldClass.HEALTH, 1, "immunization", "student", 4, "", ()),
    ("nurse", FieldClass.HEALTH, 2, "offer_504", "student", 10, "", (("approved", 7, ""), ("in_hand", 3, ""))),
)


def ask(taught: Sequence[date]) -> None:
    """Tell it up to now; `taught`: the school days so far, today the last."""
    for login, compartment, nth, kind, whom, ago, what, states in TOLD:
        person = db.session.scalar(select(Person).where(Person.login == login, Person.is_demo))
        by = signing_in.actor_of(person) if person else None
        student = _student(by, compartment, nth) if by else None
        if by is None or student is None:
            continue
        wanted = Wanted(kind=kind, for_whom=whom, what=what, asked_on=taught[-1 - ago])
        promise = promises.ask(student, wanted, by=by)
        for state, days_ago, note in states:
            promises.move(promise.id, state, by=by, on_day=taught[-1 - days_ago], note=note)


def _student(by: Actor, compartment: FieldClass, nth: int) -> int | None:
    """The nth student by name whom the roster names for the compartment, or whom its rules find."""
    reach = access.scope_of(by.grants, OPENS[compartment])
    since = school_year_start(today()).replace(year=today().year + 2)  # nothing was asked since then: all of them
    named, _ = rows.nothing_asked(compartment, reach, by.person_id, today(), since, limit=nth + 1)
    found = named or [one.student for one in rows.findings(compartment, reach, by.person_id, today(), limit=nth + 1)]
    found = found or list(rows.search(reach, by.person_id, today(), "a", limit=nth + 1))
    return found[min(nth, len(found) - 1)].id if found else None
