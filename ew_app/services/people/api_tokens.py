"""Tokens that people make for their scripts: shown once, kept as a hash, good until a day or until they are ended.

A token gives no right of its own. Whoever shows it is its person, with what that person may see at this moment; it
ends for good with the account, and with the last role that lets a script fetch anything.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select, update

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record, today
from ew_app.services.people import signing_in
from models.base import db
from models.staff import ApiToken, Person
from rules import access
from rules.access import Permission
from rules.words import check_words

PREFIX = "ewt_"  # so that a scanner for secrets knows one that got into a repository
LONGEST = timedelta(days=366)
MOST = 10  # at a time
LONGEST_NAME = 60
SEEN_EVERY = timedelta(minutes=1)
NO_SUCH = "There is no such token of yours."


@operation
def new(*, name: str, last_day: date, by: Actor) -> str:
    """A new token for a script of this person; it is shown this once. Raises NotAllowed, Refused, UnfitWords."""
    access.check(by.grants, Permission.USE_API)
    words = " ".join(name.split())
    if by.person_id is None:
        raise Refused("Only people who sign in have tokens.")
    if not words or len(words) > LONGEST_NAME:
        raise Refused(f"Say what the script is for, in at most {LONGEST_NAME} characters.")
    check_words(words)
    if not today() <= last_day <= today() + LONGEST:
        raise Refused("Give a last day from today on, within a year. A script can be given a new token then.")
    if len(standing(by)) >= MOST:
        raise Refused(f"You have {MOST} tokens. End one that is no longer needed.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        token_hash=_hash(token), person_id=by.person_id, name=words, hint=token[-4:], made_at=now(), last_day=last_day
    )
    db.session.add(row)
    db.session.flush()
    record("api_token_made", by=by, subject=f"api_token:{row.id}")
    return token


def standing(by: Actor) -> Sequence[ApiToken]:
    """This person's tokens that are taken today, the newest first."""
    mine = ApiToken.person_id == by.person_id, ApiToken.ended_at.is_(None), ApiToken.last_day >= today()
    return db.session.scalars(select(ApiToken).where(*mine).order_by(ApiToken.id.desc())).all()


@operation
def end(*, token_id: int, by: Actor) -> None:
    """Take a token no more from now on. Raises NotFound; ended twice is ended once."""
    row = db.session.get(ApiToken, token_id, with_for_update=True)
    if row is None or row.person_id != by.person_id:
        raise NotFound(NO_SUCH)
    if row.ended_at is None:
        row.ended_at = now()
        record("api_token_ended", by=by, subject=f"api_token:{row.id}")


def holder(token: str, *, ip: str, on_this_machine: bool) -> Actor | None:
    """Whose script shows this token; None where it is unknown, ended, past its day, or its person is shut out."""
    asked = select(ApiToken, Person).join(Person, Person.id == ApiToken.person_id)
    asked = asked.where(ApiToken.token_hash == _hash(token), ApiToken.ended_at.is_(None), ApiToken.last_day >= today())
    row, person = db.session.execute(asked).one_or_none() or (None, None)
    if row is None or person is None or (person.is_demo and not on_this_machine):
        return None
    by = signing_in.actor_of(person)
    if person.disabled_at is not None or not access.can(by.grants, Permission.USE_API):
        _lost(row.id, by)
        return None
    if row.used_at is None or now() - row.used_at > SEEN_EVERY or row.used_from != ip:
        _used(row.id, ip)
    return by


@operation
def _lost(token_id: int, by: Actor) -> None:
    """End a token whose person may no longer use one: a role that is given back later does not bring it back."""
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(ended_at=now()))
    record("api_token_ended", by=by, subject=f"api_token:{token_id}")


@operation
def _used(token_id: int, ip: str) -> None:
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now(), used_from=ip))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
