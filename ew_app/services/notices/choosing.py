"""How a person wants to be told by e-mail: where to, how often, at which hour, and what not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Refused, operation, record
from ew_app.services.people import accounts
from models.base import db
from models.notices import HOW_OFTEN, MailChoice
from models.staff import Person
from rules.notices import notices

HOURS = range(5, 19)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One person's e-mails. weekday: 0 Monday to 4 Friday, of weekly ones. left_out: keys of groups."""

    address: str = ""
    how_often: str = "daily"
    hour: int = 7
    weekday: int = 0
    left_out: tuple[str, ...] = ()


def choice_of(person_id: int) -> Choice:
    """What a person chose, or what holds for whoever has not chosen."""
    person, row = db.session.get_one(Person, person_id), db.session.get(MailChoice, person_id)
    if row is None:
        return Choice(address=person.email)
    return Choice(
        address=person.email,
        how_often=row.how_often,
        hour=row.hour,
        weekday=row.weekday,
        left_out=tuple(row.left_out),
    )


@operation
def choose(chosen: Choice, *, by: Actor) -> None:
    """Keep one's own choice. Refused for what cannot be meant."""
    if by.person_id is None:
        raise Refused("Only people who sign in get e-mails.")
    _check(chosen)
    person = db.session.get_one(Person, by.person_id)
    if person.email != chosen.address:
        person.email = chosen.address
        record("mail_address_changed", by=by, subject=f"person:{person.id}")
    values = {
        "how_often": chosen.how_often, "hour": chosen.hour, "weekday": chosen.weekday,
        "left_out": [key for key, _ in notices().choices() if key in chosen.left_out],
    }  # fmt: skip
    row = insert(MailChoice).values(person_id=person.id, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=[MailChoice.person_id], set_=values))
    db.session.expire_all()


def _check(chosen: Choice) -> None:
    if chosen.how_often not in HOW_OFTEN:
        raise Refused("Choose how often: every school day, once a week, or never.")
    if chosen.hour not in HOURS:
        raise Refused(f"Choose an hour from {HOURS[0]} to {HOURS[-1]}.")
    if chosen.weekday not in range(5):
        raise Refused("Choose a day from Monday to Friday.")
    if chosen.address and accounts.address(chosen.address) != chosen.address:
        raise Refused("That is no e-mail address. Write it like name@district.org, or leave it empty.")
