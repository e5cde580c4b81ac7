"""people.csv: who works where from when to when. Rows add and correct; nothing ends because it is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from ew_app.kernel import SENTENCES, Actor, Refused, operation
from ew_app.services.people import accounts, granting
from models.base import db
from models.staff import Grant, Person


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be taken; `column` is where to look."""

    line: int
    reason: str
    column: str
    value: str


@dataclass(slots=True)
class Loaded:
    """rows in = created + changed + unchanged + len(problems); `warnings` are rows that went in without a part."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


@operation
def apply_people(rows: Iterable[Mapping[str, Any]], by: Actor) -> Loaded:
    """Rows with the keys of people.csv (login, name, role, place, from, to, homeroom, deputy, hours) and `line`.

    A new login gets no password: `ew user link` makes the link to choose one. `by` must be allowed to give each
    role at its place; a row beyond that is a problem, and the other rows go in.
    """
    loaded = Loaded()
    deputies: list[tuple[Grant, Mapping[str, Any]]] = []
    for row in rows:
        try:
            with db.session.begin_nested():
                grant, outcome = _row(row, by)
        except SENTENCES as refusal:
            loaded.problems.append(_problem(row, str(refusal), "place"))
            continue
        loaded.count(outcome)
        if row.get("deputy"):
            deputies.append((grant, row))
    for grant, row in deputies:  # after all rows: a deputy may stand further down
        _name_deputy(grant, row, loaded)
    return loaded


def _row(row: Mapping[str, Any], by: Actor) -> tuple[Grant, str]:
    if row.get("to") and row["to"] < row["from"]:
        raise Refused("The last day is before the first.")
    person = db.session.scalar(select(Person).where(Person.login == row["login"]))
    if person is None:
        person = accounts.add_person(
            login=row["login"],
            name=row["name"],
            role=row["role"],
            place=row["place"],
            by=by,
            starts=row["from"],
            ends=row.get("to"),
            homeroom=row.get("homeroom") or "",
        )
        _correct(person, row)
        return _grant(person, row), "created"
    changed = _correct(person, row)
    before = {grant.id: grant.ends for grant in _grants(person.id)}
    grant = _given(person, row, by)
    if before.get(grant.id, ...) != grant.ends:
        changed = True
    return grant, "changed" if changed else "unchanged"


def _correct(person: Person, row: Mapping[str, Any]) -> bool:
    """Name and weekly hours as the file says; an empty cell leaves what is there."""
    hours = str(row.get("hours") or "").strip()
    wanted = {"name": row["name"], "hours_per_week": int(hours) if hours.isdigit() else person.hours_per_week}
    changed = any(getattr(person, key) != value for key, value in wanted.items())
    for key, value in wanted.items():
        setattr(person, key, value)
    return changed


def _given(person: Person, row: Mapping[str, Any], by: Actor) -> Grant:
    """The grant of this row: the one there is, with its last day as the file says, or a new one."""
    there = next((grant for grant in _grants(person.id) if _is(grant, row)), None)
    if there is None:
        return granting.give_role(
            person_id=person.id,
            role=row["role"],
            place=row["place"],
            by=by,
            starts=row["from"],
            ends=row.get("to"),
            homeroom=row.get("homeroom") or "",
        )
    return granting.set_last_day(there, row.get("to") or there.ends, by=by)


def _grant(person: Person, row: Mapping[str, Any]) -> Grant:
    return next(grant for grant in _grants(person.id) if _is(grant, row))


def _grants(person_id: int) -> list[Grant]:
    return list(db.session.scalars(select(Grant).where(Grant.person_id == person_id)))


def _is(grant: Grant, row: Mapping[str, Any]) -> bool:
    starts: date = row["from"]
    wanted = (row["role"], str(granting.known_place(row["place"])), row.get("homeroom") or "", starts)
    return (grant.role, grant.place, grant.homeroom, grant.starts) == wanted


def _name_deputy(grant: Grant, row: Mapping[str, Any], loaded: Loaded) -> None:
    deputy = db.session.scalar(select(Person.id).where(Person.login == row["deputy"]))
    if deputy is None:
        loaded.warnings.append(_problem(row, "Nobody has this login, so no deputy was set.", "deputy"))
    grant.deputy_id = deputy or grant.deputy_id


def _problem(row: Mapping[str, Any], reason: str, column: str) -> Problem:
    return Problem(int(row.get("line", 0)), reason, column, str(row.get(column) or ""))
