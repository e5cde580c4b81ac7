"""Two people who are not back, told by real workers: each colleague once, however often the work is delivered."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ew_app import outbox
from ew_app.config import Settings
from ew_app.kernel import now, transaction
from ew_app.outbox import Job
from ew_app.services.casework import visit_alarm
from models.base import db
from models.cases import Case
from models.org import School
from models.people import Student
from models.staff import Grant, Person
from models.visits import Visit
from tests.durability.machine import Machine, ask, wait_until
from tests.opened import on
from tests.services.mail_server import PASSWORD, USER, mail_server

TIMES = 40
DONE = "SELECT count(*) FROM outbox WHERE done_at IS NULL AND job IN ('visit_late', 'send_mail')"


def test_delivered_many_times_to_two_workers_everyone_is_told_once_by_one_e_mail(
    machine: Machine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(tmp_path) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("EW_SMTP_URL", f"smtp://{USER}@localhost:{box.port}")
        monkeypatch.setenv("EW_SMTP_PASSWORD", PASSWORD)
        with on(replace(settings, smtp_url="smtp://localhost:1")):
            _not_back()
            visit_alarm.look()
            ((number,),) = ask(settings, "SELECT id FROM outbox WHERE job = 'visit_late'")
            for _ in range(TIMES):
                outbox.send(Job.VISIT_LATE, number)
        with machine.working(settings), machine.working(settings):
            wait_until(lambda: ask(settings, DONE) == [(0,)], what="the alarm and its e-mails")
            time.sleep(1)  # for whatever would be sent once more
        told = sorted(str(letter["To"]) for letter in box.letters)
        assert told == ["paul@d.example", "principal.carver@example.org", "wanda@d.example"]
        assert not any("Elm" in str(letter) for letter in box.letters)
    notices = "SELECT count(*), count(DISTINCT person_id) FROM notice WHERE kind = 'visit_late'"
    assert ask(settings, notices) == [(3, 3)], "the school's own principal too"
    assert ask(settings, "SELECT count(*) FROM event WHERE kind = 'visit_late'") == [(1,)]
    assert ask(settings, "SELECT status, count(*)::int FROM mail GROUP BY 1 ORDER BY 1") == [("sent", 3)]


def _not_back() -> None:
    """A visit of two people who wanted to be back a minute ago, watched by Wanda, at Paul's school."""
    with transaction():
        school, student = db.session.query(School).first(), db.session.query(Student).first()
        assert school and student
        people = {name: _person(name, role, school) for name, role in PEOPLE}
        db.session.flush()
        case = Case(
            student_id=student.id, school_id=school.id, tier=2, department="x", owner_role="social_worker",
            opened=now().date(), opened_at=now(),
        )  # fmt: skip
        db.session.add(case)
        db.session.flush()
        db.session.add(
            Visit(
                case_id=case.id, student_id=student.id, school_id=school.id, day=now().date(), status="out",
                visitor_id=people["olga"].id, second_name="J. Lee", watcher_id=people["wanda"].id, planned_at=now(),
                address="14 Elm Street", out_at=now() - timedelta(hours=1), back_by=now() - timedelta(minutes=1),
            )
        )  # fmt: skip


PEOPLE = (("olga", "social_worker"), ("wanda", "nurse"), ("paul", "principal"))


def _person(name: str, role: str, school: School) -> Person:
    person = Person(login=name, name=name.title(), email=f"{name}@d.example", created_at=now())
    person.grants = [Grant(role=role, place=f"school:{school.key}", starts=now().date() - timedelta(days=400))]
    db.session.add(person)
    return person
