"""People and what they are granted: added, given roles with dates, disabled. History is kept, access ends at once."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select

from ew_app.kernel import OPERATOR, WORKER, Actor, NotFound, Refused, audit, now, operation, record, today
from ew_app.services.people import granting, signing_in
from models.base import db
from models.staff import Person
from rules import access, roles
from rules.access import Permission, Place

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,}")
LONGEST_LOGIN = 100
RESERVED = {OPERATOR.login, WORKER.login}


@operation
def add_person(
    *,
    login: str,
    name: str,
    role: str,
    place: str,
    by: Actor,
    starts: date | None = None,
    ends: date | None = None,
    homeroom: str = "",
) -> Person:
    """A new person with a first role and no password yet: hand them the link of `credentials.new_link`."""
    login, name = login.strip(), name.strip()
    check_new(login, name)
    if db.session.scalar(select(Person.id).where(Person.login == login)) is not None:
        raise Refused(f"The login {login} is taken. Look the person up under People and give them a role.")
    person = newcomer(login, name)
    db.session.add(person)
    db.session.flush()
    record("person_added", by=by, subject=f"person:{person.id}")
    granting.give_role(person_id=person.id, role=role, place=place, by=by, starts=starts, ends=ends, homeroom=homeroom)
    return person


def newcomer(login: str, name: str) -> Person:
    """Somebody without a role or a password."""
    return Person(login=login, name=name, created_at=now(), failed_logins=0, is_demo=False, email="")


def address(text: str) -> str:
    """An e-mail address as it is kept; '' for what is none."""
    return text.strip() if ADDRESS.fullmatch(text.strip()) else ""


def check_new(login: str, name: str) -> None:
    """Refused where it is no login, or nobody's name."""
    if not login or len(login) > LONGEST_LOGIN or any(letter.isspace() for letter in login) or login in RESERVED:
        raise Refused("Give a login without spaces, such as the first part of the e-mail address.")
    if not name:
        raise Refused("Give the person's name as it should stand under what they write.")


@operation
def disable(*, person_id: int, by: Actor, reason: str = "") -> Person:
    """Shut a person out at their next click. Cases and notes keep their name."""
    person = whole_person(person_id, by)
    if by.person_id == person_id:
        raise Refused("Nobody disables themselves. Ask another person who manages access.")
    if person.disabled_at is None:
        person.disabled_at = now()
        signing_in.end_tokens(person_id)
        granting.access_changed(person_id, "person_disabled", by, reason=reason)
    return person


@operation
def enable(*, person_id: int, by: Actor) -> Person:
    """Let a disabled person in again, with the roles that still hold."""
    person = whole_person(person_id, by)
    if person.disabled_at is not None:
        person.disabled_at, person.failed_logins, person.locked_until = None, 0, None
        granting.access_changed(person_id, "person_enabled", by)
    return person


@operation
def sign_out_everywhere(*, person_id: int, by: Actor) -> None:
    """End every session and token of a person, as when a phone or a laptop is lost."""
    person = whole_person(person_id, by)
    signing_in.end_tokens(person.id)
    granting.access_changed(person.id, "signed_out_everywhere", by)


def whole_person(person_id: int, by: Actor, *, way_in: bool = False) -> Person:
    """A person all of whose places `by` manages, locked for the change. Raises NotFound, NotAllowed.

    way_in: what is changed could let `by` in under this person's name, so restricted roles ask for more.
    """
    person: Person | None = db.session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotFound("There is no such person.")
    held = [grant for grant in person.grants if grant.ends is None or grant.ends >= today()]
    for grant in held or person.grants:  # without a role now, they are managed where they last had one
        access.check(by.grants, Permission.MANAGE_PEOPLE, granting.place_of(grant))
        if way_in and roles.role(grant.role).entrusted:
            access.check(by.grants, Permission.ENTRUST, granting.place_of(grant))
    if not person.grants:
        access.check(by.grants, Permission.MANAGE_PEOPLE, Place.district())
    return person


def find(login: str) -> Person:
    """The person with that login. Raises NotFound."""
    person: Person | None = db.session.scalar(select(Person).where(Person.login == login.strip()))
    if person is None:
        raise NotFound(f"Nobody has the login {login!r}. `ew user list` shows who has one.")
    return person


def acting_as(login: str) -> Actor:
    """Who acts under a login, as `--as NAME` and the sender of a file do. Raises NotFound, Refused."""
    for nobody in (OPERATOR, WORKER):
        if login == nobody.login:
            return nobody
    person = find(login)
    if person.disabled_at is not None:
        raise Refused(f"{person.login} is disabled and may do nothing.")
    return signing_in.actor_of(person)


@operation
def note_refusal(*, by: Actor, page: str) -> None:
    """Remember that someone asked for a page their role does not open."""
    audit("page_refused", by=by, subject=f"page:{page}")


def assignable() -> tuple[roles.Role, ...]:
    """The roles that can be given to people, for `ew user roles` and the form."""
    return roles.assignable_roles()
