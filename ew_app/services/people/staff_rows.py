"""people.csv: who works where from when to when. Rows add and correct; nothing ends because it is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ew_app.kernel import SENTENCES, Actor, Refused, Told, operation, record_all
from ew_app.services.people import accounts, granting
from ew_app.services.people.terms import MOST_HOURS
from models.base import db
from models.queries import staff
from models.staff import Grant, Person
from rules import access
from rules.access import Permission, Place
from rules.routing_table import routing_table

Row = Mapping[str, Any]
DEPARTMENT_CONTACT = "department_contact"


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
def apply_people(rows: Sequence[Row], by: Actor) -> Loaded:
    """Rows with the keys of people.csv (login, name, role, place, from, to, homeroom, deputy, hours, department, email)
    and `line`.

    A new login gets no password: `ew user link` makes the link to choose one. `by` must be allowed to give each
    role at its place; a row beyond that is a problem, and the other rows go in.
    """
    loaded, named = Loaded(), _Named(rows, by)
    deputies: list[tuple[Grant, Row]] = []
    for row in rows:
        try:
            grant, outcome = named.take(row)
        except SENTENCES as refusal:
            loaded.problems.append(_problem(row, str(refusal), "place"))
            continue
        loaded.count(outcome)
        if row.get("deputy"):
            deputies.append((grant, row))
    named.store()
    for grant, row in deputies:  # after all rows: a deputy may stand further down
        if not named.name_deputy(grant, row["deputy"]):
            loaded.warnings.append(_problem(row, "Nobody has this login, so no deputy was set.", "deputy"))
    return loaded


class _Named:
    """Everybody whom the rows name: read at once, changed row by row in memory, stored at once."""

    def __init__(self, rows: Sequence[Row], by: Actor) -> None:
        self._by = by
        self._people = staff.by_login({login for row in rows for login in (row["login"], row.get("deputy")) if login})
        self._networks, self._network_of = staff.networks(), staff.networks_of_schools()
        self._added: list[Person] = []
        self._changed: list[tuple[str, Grant]] = []

    def take(self, row: Row) -> tuple[Grant, str]:
        """The grant of a row, and created, changed or unchanged. One of SENTENCES: the row changes nothing."""
        if row.get("to") and row["to"] < row["from"]:
            raise Refused("The last day is before the first.")
        person = self._people.get(row["login"])
        if person is None:
            return self._add(row), "created"
        before = len(self._changed)
        grant = self._grant(person, row)
        changed = _correct(person, grant, row) or len(self._changed) > before
        return grant, "changed" if changed else "unchanged"

    def store(self) -> None:
        """Write everything, with its events; whoever has another role now signs in anew."""
        db.session.add_all(self._added)
        db.session.flush()
        came = [Told("person_added", self._by, f"person:{person.id}") for person in self._added]
        record_all(came + [self._told(kind, grant) for kind, grant in self._changed])
        if self._changed:
            granting.ask_anew({grant.person_id for _, grant in self._changed})

    def name_deputy(self, grant: Grant, login: str) -> bool:
        """Let somebody stand in; False when nobody has that login."""
        deputy = self._people.get(login)
        if deputy is not None:
            grant.deputy_id = deputy.id
        return deputy is not None

    def _told(self, kind: str, grant: Grant) -> Told:
        about = {"role": grant.role, "place": grant.place}
        return Told(kind, self._by, f"person:{grant.person_id}", data=about)

    def _add(self, row: Row) -> Grant:
        """Somebody new, with the role of the row."""
        login, name = row["login"].strip(), row["name"].strip()
        accounts.check_new(login, name)
        person = accounts.newcomer(login, name)
        grant = self._grant(person, row)
        _correct(person, grant, row)
        self._people[row["login"]] = person
        self._added.append(person)
        return grant

    def _grant(self, person: Person, row: Row) -> Grant:
        """The grant of the row: the one there is, with its last day as the file says, or a new one."""
        place = granting.place_among(row["place"], self._network_of.get, self._networks.__contains__)
        there = next((grant for grant in person.grants if _is(grant, row, place)), None)
        if there is None:
            return self._give(person, row, place)
        access.check(self._by.grants, Permission.MANAGE_PEOPLE, place)
        last_day = row.get("to") or there.ends
        if there.ends != last_day:
            there.ends = last_day
            self._changed.append(("role_ended", there))
        return there

    def _give(self, person: Person, row: Row, place: Place) -> Grant:
        role, homeroom, starts = row["role"], row.get("homeroom") or "", row["from"]
        granting.check_giving(person.id, role, place, self._by)
        same = next((grant for grant in person.grants if granting.says(grant, role, place, homeroom, starts)), None)
        if same is not None:
            return same
        grant = Grant(role=role, place=str(place), homeroom=homeroom, starts=starts, ends=row.get("to"))
        person.grants.append(grant)
        self._changed.append(("role_given", grant))
        return grant


def _is(grant: Grant, row: Row, place: Place) -> bool:
    """Whether the row speaks of this grant."""
    wanted = (row["role"], str(place), row.get("homeroom") or "", row["from"])
    return (grant.role, grant.place, grant.homeroom, grant.starts) == wanted


def _correct(person: Person, grant: Grant, row: Row) -> bool:
    """Name, weekly hours, department and an address that was missing, as the file says. Whether that changed anything.

    An empty cell leaves what is there, and so does one that says nothing we know. Whoever chose an address keeps it.
    """
    hours = str(row.get("hours") or "").strip()
    stated = int(hours) if hours.isdigit() and int(hours) <= MOST_HOURS else grant.hours
    department = _department(grant.role, str(row.get("department") or "")) or grant.department or ""
    email = person.email or accounts.address(str(row.get("email") or ""))
    before = person.name, grant.hours, grant.department or "", person.email
    person.name, grant.hours, grant.department, person.email = row["name"], stated, department, email
    return before != (row["name"], stated, department, email)


def _department(role: str, named: str) -> str:
    """The key of the department that a contact answers for, by its key or its name; '' for every other role."""
    if role != DEPARTMENT_CONTACT:
        return ""
    known = routing_table().departments
    wanted = named.strip().casefold()
    return next((key for key, one in known.items() if wanted in (key, one.label.casefold())), "")


def _problem(row: Row, reason: str, column: str) -> Problem:
    return Problem(int(row.get("line", 0)), reason, column, str(row.get(column) or ""))
