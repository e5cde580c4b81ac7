"""Is anything lost or late? What each check says in each state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import now, transaction
from ew_app.services.system import health, schedule
from ew_app.services.system.health import State
from models.attendance import SchoolDay
from models.base import db
from models.jobs import Beat, JobRun, Outbox
from models.org import CalendarDay, School
from models.queries import health as rows
from tests.web import world as named_world

JULY = date(2026, 7, 1)


@pytest.fixture
def schools(app: Flask) -> dict[str, School]:
    """The three schools; their only school day so far is 17 August 2026."""
    with transaction():
        return named_world.schools_and_students()[0]


def seen() -> dict[str, tuple[State, str]]:
    return {check.name: (check.state, check.sentence) for check in health.checks()}


def submitted(school: School, day: date) -> None:
    db.session.add(
        SchoolDay(school_id=school.id, day=day, status="submitted", feed="exception", rows=0, expected=2, absences=0)
    )


def waiting(**given: object) -> Outbox:
    row = {"job": "evaluate", "key": "touched", "args": [], "created_at": now(), "sent_at": now(), "attempts": 0}
    return Outbox(**(row | given))


def test_a_fresh_system_without_a_worker(app: Flask) -> None:
    checks = seen()
    down = [name for name, (state, _) in checks.items() if state is not State.OK]
    assert down == ["Worker", "Schedule"]
    assert checks["Worker"] == (State.DOWN, "It has never shown a sign of life.")
    assert all(check.mend for check in health.checks() if check.state is not State.OK)


def test_a_running_system_is_well(app: Flask) -> None:
    schedule.tick()
    schedule.sweep()
    assert {name for name, (state, _) in seen().items() if state is not State.OK} == set()
    assert health.ready()
    assert health.updates_late() == ""


def test_a_worker_that_fell_silent_is_missed(app: Flask) -> None:
    with transaction():
        db.session.add(Beat(part="worker", at=now() - timedelta(minutes=4), detail={}))
        db.session.add(Beat(part="schedule", at=now() - timedelta(minutes=4), detail={}))
    assert seen()["Worker"][0] is State.DOWN and "No sign of life since" in seen()["Worker"][1]
    assert seen()["Schedule"][0] is State.OK, "it ticks every five minutes"
    assert not health.ready()
    assert health.updates_late().startswith("Updates are late: nothing was worked out since")


def test_a_worker_busy_with_a_long_piece_counts_as_alive(app: Flask) -> None:
    with transaction():
        db.session.add(waiting(claimed_at=now()))
    assert seen()["Worker"][0] is State.OK


def test_work_that_waits_long_or_was_set_aside_is_said(app: Flask) -> None:
    with transaction():
        db.session.add(waiting(created_at=now() - timedelta(minutes=6)))
        db.session.add(waiting(key="7", quarantined_at=now(), error="The file is gone.", attempts=3))
    checks = seen()
    assert checks["Waiting work"][0] is State.LATE and checks["Waiting work"][1].startswith("1 piece waits")
    assert checks["Set aside"] == (State.LATE, "1 set aside for a person to look at.")
    assert [(work.job, work.attempts, work.error) for work in rows.set_aside()] == [
        ("evaluate", 3, "The file is gone.")
    ]


def test_a_nightly_run_that_did_not_happen_is_late(app: Flask) -> None:
    with transaction():
        db.session.add(JobRun(job="nightly", local_date=now().date() - timedelta(days=3), at=now()))
    assert seen()["Nightly run"][0] is State.LATE


def test_schools_are_late_by_their_own_school_days(app: Flask, schools: dict[str, School]) -> None:
    with transaction():
        submitted(schools["LIN"], named_world.START)
        for offset, kind in ((1, "instructional"), (2, "holiday"), (3, "instructional")):
            day = named_world.START + timedelta(days=offset)
            db.session.add(
                CalendarDay(school_id=schools["LIN"].id, calendar_key="", day=day, day_type=kind, weight=1000)
            )
        submitted(schools["CAR"], named_world.START)
    late = rows.late_schools(JULY, named_world.START + timedelta(days=4))
    assert [(one.name, one.last, one.days) for one in late] == [
        ("Lincoln", named_world.START, 2),
        ("Oak", None, 1),
    ]
    assert rows.late_schools(JULY, named_world.START) == [], "today is not late yet"


def test_a_school_that_never_sent_anything_is_late_however_long_ago(settings: Settings) -> None:
    app = create_app(replace(settings, today=named_world.START + timedelta(days=90)), screens=False)
    with app.app_context():
        with transaction():
            schools, _ = named_world.schools_and_students()
            submitted(schools["LIN"], named_world.START)
        assert seen()["Feeds"] == (State.LATE, "2 of 3 schools are late; Carver lacks 1 school day.")
        with transaction():
            submitted(schools["CAR"], named_world.START)
            submitted(schools["OAK"], named_world.START)
        assert seen()["Feeds"] == (State.OK, "No school day of this school year is missing from 3 schools.")
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def adrift(settings: Settings) -> Iterator[Flask]:
    """An application whose database and broker are both away."""
    away = replace(settings, database_url="postgresql://app@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    app = create_app(away, screens=False)
    with app.app_context():
        yield app


def test_without_database_and_broker_it_says_so_and_what_to_do(adrift: Flask) -> None:
    checks = health.checks()
    assert [(check.name, check.state) for check in checks] == [("Database", State.DOWN), ("Broker", State.DOWN)]
    assert "EW_DATABASE_URL" in checks[0].mend and "Nothing is lost" in checks[1].mend
    assert not health.ready()
