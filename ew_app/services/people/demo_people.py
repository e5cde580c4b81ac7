"""One invented person per role, so that a demo can be seen through everybody's eyes. They sign in on loopback only."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from ew_app.demo import people as invented
from ew_app.kernel import OPERATOR, now, operation, record, today
from ew_app.services.people import passwords
from models.base import db
from models.org import Network, School
from models.people import Stint, Student
from models.staff import Grant, Person
from rules import roles
from rules.places import PlaceKind
from rules.roles import Permission, Reach, Role

PASSWORD = "demo"
NAMES = (
    "Alma Brooks", "Ben Carter", "Carla Nguyen", "Dana Whitfield", "Eli Romero", "Faye Lindqvist", "Grace Obi",
    "Hana Suzuki", "Ivan Petrov", "June Castillo", "Kofi Mensah", "Lena Hoffman", "Marcus Bell", "Nadia Rahman",
    "Omar Haddad", "Priya Shah", "Quinn Farrell", "Rosa Delgado", "Sam Okafor", "Tess Moreau", "Uma Patel",
    "Victor Lang",
)  # fmt: skip


@operation
def add() -> list[tuple[str, str, str]]:
    """Add the demo person of every role that has none yet; returns `logins()`. Needs a school to place them."""
    school = db.session.scalars(select(School).order_by(School.id).limit(1)).first()
    network = db.session.scalars(select(Network).order_by(Network.id).limit(1)).first()
    places = {PlaceKind.DISTRICT: "district"}
    if school and network:
        places |= {PlaceKind.NETWORK: f"network:{school.network.key}", PlaceKind.SCHOOL: f"school:{school.key}"}
    secret = passwords.hashed(PASSWORD)
    there = set(db.session.scalars(select(Person.login)))
    for role, name in zip(roles.assignable_roles(), NAMES, strict=False):
        place = next((places[kind] for kind in _nearest(role) if kind in places), None)
        if place and role.key not in there:
            _add(role, name, place, _homeroom(school) if role.reach is Reach.HOMEROOM else "", secret)
    db.session.flush()
    return logins()


def _nearest(role: Role) -> list[PlaceKind]:
    """Where a demo person of the role works best: at a school, else a network, else the district.

    Whoever brings in files does so for the whole district: the demo's file of today speaks of every school.
    """
    kinds = [kind for kind in (PlaceKind.SCHOOL, PlaceKind.NETWORK, PlaceKind.DISTRICT) if kind in role.places]
    return kinds[::-1] if Permission.IMPORT_ATTENDANCE in role.permissions else kinds


def _homeroom(school: School | None) -> str:
    """A homeroom of that school with students in it."""
    rooms = select(Student.homeroom).join(Stint).where(Student.homeroom != "")
    return db.session.scalar(rooms.where(Stint.school_id == (school.id if school else 0)).limit(1)) or ""


def _add(role: Role, name: str, place: str, homeroom: str, secret: str) -> None:
    person = Person(login=role.key, name=name, is_demo=True, password_hash=secret, created_at=now())
    person.email = invented.address(role.key)
    since = today() - timedelta(days=365)  # so that pages of earlier days open too
    person.grants = [
        Grant(role=role.key, place=place, homeroom=homeroom, starts=since, hours=invented.HOURS.get(role.key))
    ]
    db.session.add(person)
    db.session.flush()
    record("person_added", by=OPERATOR, subject=f"person:{person.id}")


def logins() -> list[tuple[str, str, str]]:
    """(login, password, who) of every demo person, as the sign-in page and `ew up` show them."""
    people = select(Person).where(Person.is_demo, Person.disabled_at.is_(None)).order_by(Person.id)
    return [
        (person.login, PASSWORD, f"{person.name}, {roles.role(person.grants[0].role).label}")
        for person in db.session.scalars(people)
        if person.grants
    ]
