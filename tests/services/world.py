"""One named district for tests: two schools of a network and one outside it, their people, a few students.

Findings and standings are written as evaluation would leave them, so a test says only what matters to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from ew_app.kernel import Actor, now, transaction
from ew_app.services.measuring import policies
from ew_app.services.people import standing_in
from models.base import db
from models.org import CalendarDay, Network, School
from models.people import Stint, Student
from models.staff import Grant, Person
from models.tiers import Finding, StudentStatus, TierChange
from rules import access, roles
from rules.places import Place

TODAY = date(2026, 11, 16)  # a Monday
YEAR_BEGAN = date(2026, 8, 17)

PEOPLE = (
    ("clara", "Clara Ortiz", "attendance_clerk", "school:LIN"),
    ("cora", "Cora Bell", "counselor", "school:LIN"),
    ("wanda", "Wanda Price", "social_worker", "network:N1"),
    ("nia", "Nia Okoro", "nurse", "network:N1"),
    ("lea", "Lea Fox", "stls_liaison", "school:LIN"),
    ("paul", "Paul Adler", "principal", "school:LIN"),
    ("tara", "Tara Stone", "homeroom_teacher", "school:LIN"),
    ("dora", "Dora West", "counselor", "school:DOU"),
    ("otto", "Otto Lang", "principal", "school:DOU"),
    ("zoe", "Zoe Park", "network_lead", "network:N1"),
)


@dataclass
class World:
    """Names of the district by key: `schools["LIN"]`, `people["cora"]`, `students["ana"]` are ids."""

    schools: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    students: dict[str, int] = field(default_factory=dict)

    def actor(self, login: str) -> Actor:
        """A person as they would act today."""
        person = db.session.get_one(Person, self.people[login])
        held = [
            access.Grant(g.role, _with_network(g.place), g.homeroom or None, g.starts, g.ends) for g in person.grants
        ]
        grants = replace(access.Grants.on(TODAY, held), standing_in=standing_in.of(person))
        return Actor(login, person.name, roles.role(person.grants[0].role).position, person.id, grants)

    def add_student(self, name: str, school: str = "LIN", *, homeroom: str = "") -> int:
        """A student enrolled since the year began, standing in Tier 1."""
        with transaction():
            names = {"key": f"S-{name}", "first_name": name.title(), "last_name": "Rivera"}
            student = Student(**names, grade="7", homeroom=homeroom)
            db.session.add(student)
            db.session.flush()
            db.session.add(Stint(student_id=student.id, school_id=self.schools[school], entry_date=YEAR_BEGAN))
            db.session.add(_status(student.id, self.schools[school]))
        self.students[name] = student.id
        return student.id

    def stands(self, name: str, tier: int, **more: Any) -> None:
        """Set how a student stands now: tier -1 none, 0 Tier 1, 1 watch, 2, 3."""
        with transaction():
            status = db.session.get_one(StudentStatus, self.students[name])
            for column, value in {"tier": tier, **more}.items():
                setattr(status, column, value)

    def finds(
        self, name: str, rule: str, since: date = TODAY - timedelta(days=5), *, compartment: str | None = None,
        policy: str = "",
    ) -> int:  # fmt: skip
        """A finding that stands for a student, made by the policy in force or another; returns its id."""
        with transaction():
            row = Finding(
                student_id=self.students[name], rule=rule, since=since, compartment=compartment, numbers={},
                sentence=f"{rule} since {since}.", policy_version=policy or in_force(), recorded_at=now(),
            )  # fmt: skip
            db.session.add(row)
        return row.id

    def steps(self, name: str, tier: int, day: date) -> None:
        """A step of the tier on a day, as the list of newly flagged students shows it."""
        self.stands(name, tier, tier_since=day)
        with transaction():
            db.session.add(
                TierChange(
                    student_id=self.students[name], day=day, before=0, after=tier, rules=["R07"],
                    sentence="Absent 6 of 50 days (12.0%).", policy_version="p", recorded_at=now(),
                )
            )  # fmt: skip

    def corrects(self, finding: int, *, again_since: date | None = None, until: date | None = None) -> None:
        """A correction withdraws a finding; with a day it stands anew from there, perhaps until another."""
        with transaction():
            row = db.session.get_one(Finding, finding)
            row.withdrawn_at = now()
            name = next(key for key, number in self.students.items() if number == row.student_id)
            rule = row.rule
        if again_since:
            again = self.finds(name, rule, again_since)
            with transaction():
                db.session.get_one(Finding, again).until = until

    def give(self, login: str, name: str, role: str, place: str, **more: Any) -> int:
        """A person with one role."""
        with transaction():
            person = Person(login=login, name=name, created_at=now())
            person.grants = [Grant(role=role, place=place, starts=YEAR_BEGAN, **more)]
            db.session.add(person)
        self.people[login] = person.id
        return person.id

    def end(self, login: str, last_day: date = TODAY - timedelta(days=1)) -> None:
        """End what a person holds."""
        with transaction():
            for grant in db.session.get_one(Person, self.people[login]).grants:
                grant.ends = last_day

    def away(self, login: str, *, deputy: str | None = None) -> None:
        """Someone is away today, and perhaps names who stands in."""
        with transaction():
            for grant in db.session.get_one(Person, self.people[login]).grants:
                grant.away_from, grant.away_until = TODAY, TODAY + timedelta(days=2)
                grant.deputy_id = self.people[deputy] if deputy else None


def build() -> World:
    """The district, committed to the database of the open application."""
    world = World()
    with transaction():
        north, south = Network(key="N1", name="North"), Network(key="N2", name="South")
        named = {"LIN": ("Lincoln", north), "DOU": ("Douglas", north), "ROS": ("Rosa Parks", south)}
        found = {key: School(key=key, name=name, network=network) for key, (name, network) in named.items()}
        db.session.add_all(found.values())
        db.session.flush()
        world.schools = {key: school.id for key, school in found.items()}
        for number in world.schools.values():
            db.session.add_all(
                CalendarDay(school_id=number, day=day, day_type="instructional") for day in school_days()
            )
    for login, name, role, place in PEOPLE:
        world.give(login, name, role, place, **({"homeroom": "7A"} if role == "homeroom_teacher" else {}))
    world.add_student("ana", homeroom="7A")
    world.add_student("ben", homeroom="7B")
    world.add_student("dan", "DOU")
    return world


def in_force() -> str:
    """The version of the policy of these days."""
    return policies.timeline().on(TODAY).version


def school_days() -> list[date]:
    """Every weekday from August to June, but for the week of Thanksgiving."""
    days = [YEAR_BEGAN + timedelta(days=n) for n in range(300)]
    holidays = {date(2026, 11, 23) + timedelta(days=n) for n in range(5)}
    return [day for day in days if day.weekday() < 5 and day not in holidays]


def rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples."""
    with transaction():
        return [tuple(row) for row in db.session.execute(text(query), parameters)]


def everything(*, outside_compartments: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of work, to compare before and after."""
    where = "WHERE compartment IS NULL" if outside_compartments else ""
    plain = {table: rows(f"SELECT * FROM {table} ORDER BY id") for table in ("support_case", "case_reason", "outreach")}
    shut = {table: rows(f"SELECT * FROM {table} {where} ORDER BY id") for table in ("task", "cause", "note", "event")}
    return plain | shut


def _with_network(place: str) -> Place:
    parsed = Place.parse(place)
    return Place.of_school(parsed.key, "N2" if parsed.key == "ROS" else "N1") if parsed.key in SCHOOLS else parsed


SCHOOLS = ("LIN", "DOU", "ROS")


def _status(student: int, school: int) -> StudentStatus:
    return StudentStatus(
        student_id=student, school_id=school, grade="7", enrolled_now=True, data_through=TODAY - timedelta(days=3),
        enrolled=50_000, absent=6_000, excused=1_000, unexcused=5_000, federal_absent=6_000, tardies=0, missing_days=0,
        unknown_days=0, streak_now=0, absent_last_20=2_000, enrolled_last_20=20_000, rate_tier=0, too_early=False,
        tier=0, tier_min=0, tier_max=0, tier_since=None, rules=[], policy_version="p",
    )  # fmt: skip
