"""A first day: nothing is loaded, and every page says what comes first instead of that all is well."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import delete

from ew_app.config import Settings
from ew_app.kernel import now, transaction
from models.attendance import SchoolDay
from models.base import db
from models.cases import Case, Task
from models.org import CalendarDay, School
from models.staff import Grant, Person
from tests.web.conftest import Browser, SignInAs, let_in

WEEKDAY = date(2026, 11, 20)
ALL_CLEAR = re.compile(
    r"Attendance is in|fits together|is well|are well|No school needs|Nothing is lost|Nothing is due"
)
PAGES = {
    "data_steward": ("/today", "/fix", "/imports", "/health"),
    "attendance_clerk": ("/today", "/fix", "/imports"),
    "system_admin": ("/today", "/district", "/networks", "/schools", "/health"),
    "policy_editor": ("/today", "/district"),
    "nurse": ("/today",),
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, today=WEEKDAY)


def first_person(app: Flask, role: str) -> Browser:
    """Somebody of that role for the whole district, in an installation that holds nobody else."""
    with app.app_context(), transaction():
        person = Person(login=role, name="First", created_at=now(), email="", is_demo=False)
        person.grants = [Grant(role=role, place="district", homeroom="", starts=date(2020, 1, 1))]
        db.session.add(person)
    return let_in(app, role)


def said(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    main = unescape(answer.text).split("<main")[1].split("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


@pytest.mark.parametrize("role", PAGES)
def test_an_empty_installation_is_never_all_clear(app: Flask, role: str) -> None:
    browser = first_person(app, role)
    for path in PAGES[role]:
        text = said(browser, path)
        assert not ALL_CLEAR.search(text), (path, text)
        assert "No school is known here yet" in text or "No schools are known yet" in text or "roster" in text, path


def test_whoever_loads_rosters_is_led_there_and_others_read_whom_to_ask(app: Flask) -> None:
    steward = said(first_person(app, "data_steward"), "/today")
    assert "Begin with the roster" in steward
    assert "Load the roster" in steward
    assert "data steward" in said(first_person(app, "nurse"), "/today")
    assert "Give somebody a role" in said(first_person(app, "system_admin"), "/today")


@pytest.mark.parametrize("login", ["attendance_clerk", "social_worker", "principal", "nurse"])
def test_before_the_first_attendance_nobody_reads_that_nothing_is_due(
    app: Flask, sign_in: SignInAs, login: str
) -> None:
    with app.app_context(), transaction():
        db.session.execute(delete(SchoolDay))
        db.session.query(Case).update({"closed_on": WEEKDAY})
    text = said(sign_in(login), "/today")
    assert text.startswith('id="main" tabindex="-1"> No attendance has come in yet') or "No attendance has come" in text
    assert "Nothing is due" not in text


def test_attendance_of_an_earlier_year_is_not_called_in(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context(), transaction():
        db.session.query(Case).update({"closed_on": WEEKDAY})
        db.session.execute(delete(CalendarDay))
        db.session.execute(delete(Task).where(Task.student_id.is_(None)))  # days that were asked for are no school days
        for one in db.session.query(School):
            said_of = {"feed": "exception", "rows": 0, "expected": 0}
            db.session.add(SchoolDay(school_id=one.id, day=date(2022, 5, 27), status="submitted", **said_of))
    text = said(sign_in("oak_clerk"), "/today")
    assert "Nothing of this school year has come in yet What you see is as of Fri 27 May 2022." in text
    assert "Attendance is in" not in text
