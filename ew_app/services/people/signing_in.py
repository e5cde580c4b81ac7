"""Signing in: password, second factor, and the session rows that a cookie points to.

A refusal reads the same and takes the same time whether the login is unknown, wrong, resting or disabled.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import joinedload

from ew_app.kernel import Actor, Refused, audit, clock, now, operation, today
from ew_app.services.people import passwords, standing_in
from models.audit import AuditRow
from models.base import db
from models.notices import CalendarAddress
from models.staff import ApiToken, Person, SignIn
from rules import access
from rules.access import Grants, Place

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TO_PROVE = timedelta(minutes=10)  # between the password and the second factor
TRIES = 10
REST = timedelta(minutes=10)
MONTH = timedelta(days=30)
RESTING = "resting"  # in the audit: a try that was not looked at and does not count
SEEN_EVERY = timedelta(minutes=1)
CODE_SECONDS = 30

NO_MATCH = "The login and password do not belong together. After ten wrong tries there is a rest of ten minutes."
NO_CODE = "That code does not fit. Wait for the next one in your app and type it before it changes."
NO_ROLE = "You hold no role today. Ask the person who manages access at your school."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever holds a session: the actor, and what their next page may be."""

    actor: Actor
    is_demo: bool
    proved: bool  # both factors given
    enrolled: bool  # has a second factor
    list_keys: bool = False  # wants keys for the rows of lists


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh session: the token goes into the cookie and is stored nowhere."""

    token: str
    proved: bool
    last_time: datetime | None = None  # the sign-in before this one


def by_password(login: str, password: str, *, ip: str, on_this_machine: bool) -> Opened:
    """Open a session for whoever knows the password; demo people only on this machine. Raises Refused."""
    person = db.session.scalar(select(Person).where(Person.login == login.strip()))
    fits = passwords.matches(person.password_hash if person else None, password)
    if person is None or not _may_try(person, on_this_machine) or _rests(person, ip):
        fits = False
    if not fits or person is None:
        _note_failure(person, "sign_in_refused", ip)
        raise Refused(NO_MATCH)
    if not grants_today(person).held:
        raise Refused(NO_ROLE)
    return _open(person, password, ip)


def _may_try(person: Person, on_this_machine: bool) -> bool:
    return person.disabled_at is None and (on_this_machine or not person.is_demo)


def _rests(person: Person, ip: str) -> bool:
    """After too many wrong passwords from this address; or from anywhere, for an address that is new to the person.

    So nobody shuts a person out of where they work by typing wrong passwords elsewhere. Wrong codes count
    everywhere: whoever types them knows the password.
    """
    if _refused_lately(person, "sign_in_refused", ip) >= TRIES or _refused_lately(person, "code_refused") >= TRIES:
        return True
    resting = person.locked_until is not None and person.locked_until > now()
    return resting and not _is_known_at(person, ip)


def _refused_lately(person: Person, action: str, ip: str | None = None) -> int:
    """How often a try was counted against this person within the time of a rest."""
    counted = select(func.count()).where(
        AuditRow.at > clock() - REST, AuditRow.action == action, AuditRow.reason != RESTING,
        AuditRow.subject == f"person:{person.id}",
    )  # fmt: skip
    return db.session.scalar(counted if ip is None else counted.where(AuditRow.ip == ip)) or 0


def _is_known_at(person: Person, ip: str) -> bool:
    """Whether the person signed in from this address within a month, every factor given."""
    here = select(SignIn.id).where(SignIn.person_id == person.id, SignIn.ip == ip, SignIn.proved_at > now() - MONTH)
    return db.session.scalar(here.limit(1)) is not None


@operation
def _note_failure(person: Person | None, action: str, ip: str) -> None:
    """Count the failure in the row, under its lock, so that parallel tries are all counted."""
    by = Actor("unknown", "Unknown", "not signed in")
    if person is None:
        audit(action, by=by, subject="login:unknown")
        return
    db.session.refresh(
        person, ["failed_logins", "locked_until"], with_for_update=True
    )  # alone: a join cannot be locked
    if _rests(person, ip):
        audit(action, by=by, subject=f"person:{person.id}", reason=RESTING)
        return
    person.failed_logins += 1
    audit(action, by=by, subject=f"person:{person.id}")
    if person.failed_logins >= TRIES:
        person.failed_logins, person.locked_until = 0, now() + REST
        audit("login_rests", by=by, subject=f"person:{person.id}")


@operation
def _open(person: Person, password: str, ip: str) -> Opened:
    if person.password_hash and passwords.outdated(person.password_hash):
        person.password_hash = passwords.hashed(password)
    return _new_session(person, ip, proved=person.is_demo or not needs_second_factor(person))


def _new_session(person: Person, ip: str, proved: bool) -> Opened:
    """Add a session row with a new token. The count of failures starts anew only once all is proved."""
    token = secrets.token_urlsafe(32)
    last_time = _last_time(person.id)
    at = now()
    db.session.add(
        SignIn(
            token_hash=_hash(token),
            person_id=person.id,
            created_at=at,
            last_seen=at,
            proved_at=at if proved else None,
            ip=ip,
        )
    )
    if proved:
        person.failed_logins, person.locked_until = 0, None
        audit("signed_in", by=actor_of(person), subject=f"person:{person.id}")
    return Opened(token, proved, last_time)


def _last_time(person_id: int) -> datetime | None:
    return db.session.scalar(select(func.max(SignIn.proved_at)).where(SignIn.person_id == person_id))


def needs_second_factor(person: Person) -> bool:
    """One of today's roles asks for it, or the person has one anyway."""
    return person.totp_secret is not None or any(role.second_factor for _, role in grants_today(person))


def new_secret() -> str:
    """A secret for an authenticator app, in base32."""
    return pyotp.random_base32()


def app_link(login: str, secret: str) -> str:
    """What an authenticator app opens to take the secret in."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Early Warning")


def by_code(token: str, code: str, *, ip: str, offered: str | None = None) -> Opened:
    """Prove a waiting session with a six-digit code; the old token dies and a new one is given.

    `offered` is the secret shown at a first sign-in; it is kept once a code shows that the app has it.
    """
    row, person = _session(token) or (None, None)
    if row is None or person is None or row.proved_at is not None:
        raise Refused("That took too long. Start again with your login and password.")
    secret = person.totp_secret or offered
    may_try = _may_try(person, on_this_machine=True) and _refused_lately(person, "code_refused") < TRIES
    if not may_try or not secret or not _spend(person.id, secret, code):
        _note_failure(person, "code_refused", ip)
        raise Refused(NO_CODE)
    return _proved(row, person, secret, ip)


@operation
def _spend(person_id: int, secret: str, code: str) -> bool:
    """Use up a code: true once, for a step of time later than any used before."""
    step = _step_of(secret, code)
    if step is None:
        return False
    later = (Person.totp_last_step.is_(None)) | (Person.totp_last_step < step)
    spend = update(Person).where(Person.id == person_id, later).values(totp_last_step=step)
    return db.session.scalar(spend.returning(Person.id)) is not None


def _step_of(secret: str, code: str) -> int | None:
    """The step of time a code belongs to: this one or a neighbour."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    current = int(now().timestamp()) // CODE_SECONDS
    steps = (current, current - 1, current + 1)
    app = pyotp.TOTP(secret)
    return next((s for s in steps if secrets.compare_digest(app.generate_otp(s), digits)), None)


@operation
def _proved(row: SignIn, person: Person, secret: str, ip: str) -> Opened:
    row.ended_at = now()
    if person.totp_secret is None:
        person.totp_secret = secret
        audit("second_factor_added", by=actor_of(person), subject=f"person:{person.id}")
    return _new_session(person, ip, proved=True)


def visitor(token: str, *, on_this_machine: bool) -> Visitor | None:
    """Who holds this token now; None when it is unknown, ended, idle too long, too old, or shut out since."""
    row, person = _session(token) or (None, None)
    if row is None or person is None or person.disabled_at or (person.is_demo and not on_this_machine):
        return None
    who = Visitor(
        actor=actor_of(person),
        is_demo=person.is_demo,
        proved=row.proved_at is not None,
        enrolled=person.totp_secret is not None,
        list_keys=person.list_keys,
    )
    if now() - row.last_seen > SEEN_EVERY:
        _seen(row.id)
    return who if who.actor.grants.held else None


def _session(token: str) -> tuple[SignIn, Person] | None:
    """The live row of a token and its person: not ended, not idle, not too old."""
    at = now()
    waiting_too_long = (SignIn.proved_at.is_(None)) & (SignIn.created_at <= at - TO_PROVE)
    found = (
        db.session.execute(
            select(SignIn, Person)
            .join(Person, Person.id == SignIn.person_id)
            .options(joinedload(Person.grants))
            .where(SignIn.token_hash == _hash(token), SignIn.ended_at.is_(None))
            .where(SignIn.last_seen > at - IDLE, SignIn.created_at > at - LONGEST, ~waiting_too_long)
        )
        .unique()
        .one_or_none()
    )
    return None if found is None else (found[0], found[1])


@operation
def _seen(session_id: int) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == session_id).values(last_seen=now()))


@operation
def sign_out(token: str, *, by: Actor) -> None:
    """End this session; the token is worth nothing from now on."""
    ended = update(SignIn).where(SignIn.token_hash == _hash(token), SignIn.ended_at.is_(None))
    db.session.execute(ended.values(ended_at=now()))
    audit("signed_out", by=by, subject=f"person:{by.person_id}")


@operation
def end_tokens(person_id: int) -> None:
    """End the tokens of this person's scripts for good, and the address of their calendar."""
    db.session.execute(delete(CalendarAddress).where(CalendarAddress.person_id == person_id))
    live = update(ApiToken).where(ApiToken.person_id == person_id, ApiToken.ended_at.is_(None))
    db.session.execute(live.values(ended_at=now()))


@operation
def end_all(people: Collection[int]) -> int:
    """End every session of these people, at the next click of each; returns how many."""
    live = update(SignIn).where(SignIn.person_id.in_(people), SignIn.ended_at.is_(None))
    return len(db.session.scalars(live.values(ended_at=now()).returning(SignIn.id)).all())


def grants_today(person: Person) -> Grants:
    """What the person holds on the district's date."""
    return Grants.on(
        today(),
        (access.Grant(g.role, Place.parse(g.place), g.homeroom or None, g.starts, g.ends) for g in person.grants),
    )


def actor_of(person: Person) -> Actor:
    """The person as an actor, with today's grants, for whom they stand in, and the position under what they write."""
    held = replace(grants_today(person), standing_in=standing_in.of(person))
    positions = dict.fromkeys(role.position for _, role in held)
    return Actor(person.login, person.name, ", ".join(positions), person.id, held)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
