"""Links to choose a password, and the second factor taken off a lost phone.

A link is signed, good for a limited time, and dies with its first use: it carries a print of the password it
replaces. It proves who someone is, never the second factor.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ew_app.kernel import Actor, Refused, operation, record, settings
from ew_app.services.people import accounts, passwords, signing_in
from models.base import db
from models.staff import Person

GOOD_FOR = timedelta(days=3)
DEAD_LINK = "This link was used already or is too old. Ask the person who manages access for a new one."


@operation
def new_link(*, person_id: int, by: Actor) -> str:
    """An address where the person chooses a password, once. Show it to `by` and keep it nowhere."""
    person = accounts.whole_person(person_id, by, way_in=True)
    if person.is_demo:
        raise Refused("Demo people keep their demo password.")
    if by.person_id == person_id:
        raise Refused("Ask another person who manages access for your link.")
    record("link_made", by=by, subject=f"person:{person.id}")
    return f"{settings().address}/set-password/{_signer().dumps([person.id, _print(person)])}"


def of_link(token: str) -> Person:
    """Whose link this is. Raises Refused when it is forged, used or too old."""
    try:
        person_id, mark = _signer().loads(token, max_age=int(GOOD_FOR.total_seconds()))
    except (BadSignature, ValueError) as error:
        raise Refused(DEAD_LINK) from error
    person = db.session.get(Person, person_id)
    if person is None or person.disabled_at or mark != _print(person):
        raise Refused(DEAD_LINK)
    return person


@operation
def set_password(*, token: str, password: str) -> None:
    """Set the password the link is for, and end every session of the person. Raises Refused."""
    person_id = of_link(token).id
    db.session.get_one(Person, person_id, with_for_update=True, populate_existing=True)
    person = of_link(token)  # once more under the lock: two clicks at once use it once
    passwords.check_strength(password, person.login, person.name)
    person.password_hash = passwords.hashed(password)
    person.failed_logins, person.locked_until = 0, None
    signing_in.end_all([person.id])
    signing_in.end_tokens(person.id)
    record("password_set", by=signing_in.actor_of(person), subject=f"person:{person.id}")


@operation
def drop_second_factor(*, person_id: int, by: Actor, reason: str) -> None:
    """Forget the authenticator app of someone whose phone is gone; the next sign-in asks for a new one."""
    person = accounts.whole_person(person_id, by, way_in=True)
    if by.person_id == person_id:
        raise Refused("Ask another person who manages access to do this for you.")
    if not reason.strip():
        raise Refused("Say why, and how you made sure that it is really this person who asks.")
    person.totp_secret = None
    signing_in.end_all([person.id])
    signing_in.end_tokens(person.id)
    record("second_factor_dropped", by=by, subject=f"person:{person.id}", reason=reason.strip()[:500])


def _print(person: Person) -> str:
    """What changes as soon as the password does."""
    return hashlib.sha256(f"{person.id}:{person.password_hash}".encode()).hexdigest()[:16]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="set-password")
