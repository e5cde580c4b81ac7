"""Whose records each role lists: the one scope function, against the named world."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.people import accounts, granting
from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Stint, Student
from models.queries import scope
from rules.access import Permission, scope_of
from rules.roles import assignable_roles
from tests.web import world as named_world

ON = named_world.START + timedelta(days=30)
ALL = {"Ana", "Ben", "Cleo", "Dora"}
LINCOLN = {"Ana", "Ben"}

STUDENTS = {
    "attendance_clerk": LINCOLN,
    "homeroom_teacher": {"Ana"},
    "counselor": {"Ana"},
    "carver_counselor": {"Cleo"},
    "oak_clerk": {"Dora"},
    "psychologist": set(),
    "social_worker": LINCOLN,
    "nurse": LINCOLN,
    "stls_liaison": LINCOLN,
    "protected_reasons_person": LINCOLN,
    "case_manager": LINCOLN,
    "principal": LINCOLN,
    "administrator": LINCOLN,
    "network_lead": set(),
    "network_reengagement_contact": set(),
    "district_analyst": set(),
    "department_contact": set(),
    "partner": set(),
    "system_admin": set(),
    "data_steward": LINCOLN,
    "status_coordinator": LINCOLN,
    "policy_editor": set(),
    "records_custodian": set(),
    "student_support_lead": set(),
}
CASES = {  # by student; who has no right to others' cases sees their own only
    "counselor": {"Ana"},
    "carver_counselor": {"Cleo"},
    "social_worker": {"Ana"},
    "principal": {"Ana"},
    "administrator": {"Ana"},
}


@pytest.fixture
def numbers(app: Flask) -> dict[str, int]:
    with app.app_context():
        return named_world.build()


def students(login: str, permission: Permission = Permission.SEE_STUDENT, on: date = ON) -> set[str]:
    person = accounts.acting_as(login)
    allowed = scope.students(scope_of(person.grants, permission), person.person_id, on)
    return set(db.session.scalars(select(Student.first_name).where(allowed)))


def cases(login: str) -> set[str]:
    person = accounts.acting_as(login)
    allowed = scope.cases(scope_of(person.grants, Permission.SEE_CASE), person.person_id, ON)
    rows = select(Student.first_name).join(Case, Case.student_id == Student.id)
    return set(db.session.scalars(rows.where(allowed)))


def test_every_role_stands_in_the_table() -> None:
    assert set(STUDENTS) - {"carver_counselor", "oak_clerk"} == {role.key for role in assignable_roles()}


def test_each_role_lists_its_own_students_and_no_others(app: Flask, numbers: dict[str, int]) -> None:
    with app.app_context():
        assert {login: students(login) for login in STUDENTS} == STUDENTS


def test_each_role_lists_its_own_cases_and_no_others(app: Flask, numbers: dict[str, int]) -> None:
    with app.app_context():
        assert {login: found for login in STUDENTS if (found := cases(login))} == CASES


def test_places_add_up(app: Flask, numbers: dict[str, int]) -> None:
    with app.app_context():
        number = numbers["nurse"]
        granting.give_role(person_id=number, role="nurse", place="school:OAK", by=OPERATOR)
        assert students("nurse") == {"Ana", "Ben", "Dora"}
        granting.give_role(person_id=number, role="nurse", place="network:N", by=OPERATOR)
        assert students("nurse") == ALL
        granting.give_role(person_id=numbers["oak_clerk"], role="data_steward", place="district", by=OPERATOR)
        assert students("oak_clerk") == ALL


def test_a_student_who_left_stays_with_the_last_school_until_another_takes_them_in(
    app: Flask, numbers: dict[str, int]
) -> None:
    with app.app_context():
        with transaction():
            db.session.query(Stint).filter_by(student_id=numbers["ben"]).one().exit_date = ON - timedelta(days=5)
        assert students("principal") == LINCOLN and students("oak_clerk") == {"Dora"}
        with transaction():
            oak = db.session.query(School).filter_by(key="OAK").one()
            db.session.add(Stint(student_id=numbers["ben"], school_id=oak.id, entry_date=ON - timedelta(days=2)))
        assert students("principal") == {"Ana"} and students("oak_clerk") == {"Ben", "Dora"}
        assert students("principal", on=ON - timedelta(days=6)) == LINCOLN


def test_a_task_opens_its_student_and_its_case_while_it_is_open(app: Flask, numbers: dict[str, int]) -> None:
    with app.app_context():
        with transaction():
            case = db.session.query(Case).filter_by(number=numbers["ana_case"]).one()
            task = Task(
                case_id=case.id,
                student_id=case.student_id,
                school_id=case.school_id,
                kind="ride",
                period="",
                title="Arrange a ride",
                department="Transportation",
                owner_role="nurse",
                owner_id=numbers["nurse"],
                created_at=now(),
                status="open",
                note="",
            )
            db.session.add(task)
        assert cases("nurse") == {"Ana"}
        with transaction():
            db.session.query(Task).filter_by(kind="ride").one().status = "done"
        assert cases("nurse") == set()


def test_a_compartment_task_is_listed_for_its_owner_and_its_readers_only(app: Flask, numbers: dict[str, int]) -> None:
    with app.app_context():
        with transaction():
            case = db.session.query(Case).filter_by(number=numbers["ana_case"]).one()
            db.session.add(
                Task(
                    case_id=case.id,
                    student_id=case.student_id,
                    school_id=case.school_id,
                    kind="eye_test",
                    period="",
                    title="Eye test",
                    compartment="health",
                    department="Health",
                    owner_role="nurse",
                    owner_id=numbers["nurse"],
                    created_at=now(),
                    status="open",
                    note="",
                )
            )
        principal = accounts.acting_as("principal")
        reach = scope_of(principal.grants, Permission.SEE_CASE)
        eye_tests = select(Task).where(Task.kind == "eye_test")
        assert not db.session.scalars(eye_tests.where(scope.tasks(reach, principal.person_id))).all()
        assert db.session.scalars(eye_tests.where(scope.tasks(reach, principal.person_id, ["health"]))).all()
        assert db.session.scalars(eye_tests.where(scope.tasks(reach, numbers["nurse"]))).all()
