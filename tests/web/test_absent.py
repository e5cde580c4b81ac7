"""S04: whom to call about a day, one press for what came of it, and nothing of tiers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import today, transaction
from models.attendance import Batch, Mark, SchoolDay
from models.base import db
from models.cases import Outreach
from models.org import AbsenceCode, School
from models.people import Contact, Stint, Student
from tests.web.casebook import counting
from tests.web.conftest import Browser, SignInAs

House = dict[str, int]
SENTENCES = re.compile(r"Tier|tier|Flag|flagged|Watch|R\d\d|risk")
CHANCE = re.compile(r'value="[^"]*"')  # of forms: tokens, in which any letters may follow each other


@pytest.fixture
def day(app: Flask, world: House) -> date:
    """Ana was away all day without a reason, Ben with one; Cleo of another school too. Each has a number."""
    with app.app_context(), transaction():
        codes = [
            AbsenceCode(code="A", kind="absence", absent_fraction=1000, excused="unexcused"),
            AbsenceCode(code="AE", kind="absence", absent_fraction=1000, excused="excused"),
        ]
        db.session.add_all(codes)
        db.session.flush()
        for name, code in (("ana", "A"), ("ben", "AE"), ("cleo", "A")):
            away(world[name], code)
            phone = f"312-555-01{world[name]:02d}"
            db.session.add(Contact(student_id=world[name], name="M. Sample", relation="Mother", phone=phone))
        return today()


def away(student: int, code: str, on: date | None = None) -> None:
    school = db.session.scalars(select(School).join(School.network).where(School.key == where(student))).one()
    day, batch = on or today(), db.session.scalars(select(Batch)).first()
    assert batch
    said: dict[str, Any] = {"source_id": batch.source_id, "batch_id": batch.id, "line": 2, "code": code}
    db.session.add(Mark(school_id=school.id, student_id=student, day=day, **said))
    if db.session.get(SchoolDay, (school.id, day)) is None:
        counts = {"rows": 1, "expected": 2, "absences": 1}
        db.session.add(SchoolDay(school_id=school.id, day=day, status="submitted", feed="exception", **counts))
        db.session.flush()


def where(student: int) -> str:
    key = db.session.get_one(Student, student).key
    return {"001": "LIN", "002": "LIN", "003": "CAR", "004": "OAK"}.get(key, "LIN")


def press(browser: Browser, student: int, **form: str) -> Any:
    page = browser.get("/absent").text
    part = page.partition(f'action="/absent/{student}"')[2]
    once = part.split('name="once" value="')[1].split('"')[0]
    day = part.split('name="day" value="')[1].split('"')[0]
    return browser.send(f"/absent/{student}", {"once": once, "day": day, "back": "/absent", **form})


def entries(app: Flask) -> list[Outreach]:
    with app.app_context():
        return list(db.session.scalars(select(Outreach).where(Outreach.author_id > 0).order_by(Outreach.id)))


def test_whoever_is_away_without_a_reason_is_called_and_nobody_else(day: date, world: House, sign_in: SignInAs) -> None:
    page = sign_in("attendance_clerk").get("/absent").text
    assert "1 family to call about today" in page
    assert "Ana Sample" in page and "Away all day." in page and f"tel:312-555-01{world['ana']:02d}" in page
    assert "Ben Sample" not in page and "Cleo" not in page
    settled = sign_in("attendance_clerk").get("/absent?view=settled").text
    assert "Ben Sample" in settled and "The attendance record has the reason." in settled


def test_nothing_of_tiers_or_rules_stands_on_the_list(day: date, sign_in: SignInAs) -> None:
    browser = sign_in("attendance_clerk")
    for path in ("/absent", "/absent?view=settled", "/absent/never-came"):
        shown = browser.get(path).text.partition("<main")[2].partition("</main>")[0]
        assert SENTENCES.findall(CHANCE.sub("", shown)) == []


def test_one_press_is_one_call_and_a_voicemail_keeps_the_family_on_the_list(
    app: Flask, day: date, world: House, sign_in: SignInAs
) -> None:
    browser = sign_in("attendance_clerk")
    assert press(browser, world["ana"], outcome="left_voicemail").location == "/absent"
    (entry,) = entries(app)
    assert (entry.method, entry.outcome, entry.is_contact, entry.about_day) == ("call", "left_voicemail", False, day)
    page = browser.get("/absent").text
    assert "Ana Sample" in page and "left a voicemail, Person attendance_clerk." in page


def test_a_reason_that_was_told_settles_the_day(app: Flask, day: date, world: House, sign_in: SignInAs) -> None:
    browser = sign_in("attendance_clerk")
    press(browser, world["ana"], told="appointment")
    (entry,) = entries(app)
    assert (entry.outcome, entry.told, entry.is_contact) == ("reason_told", "appointment", True)
    assert "Every absence of today is explained" in browser.get("/absent").text
    assert "reached, an appointment" in browser.get("/absent?view=settled").text


def test_the_same_press_sent_again_is_the_same_call(app: Flask, day: date, world: House, sign_in: SignInAs) -> None:
    browser = sign_in("attendance_clerk")
    page = browser.get("/absent").text
    once = page.split(f'action="/absent/{world["ana"]}"')[1].split('name="once" value="')[1].split('"')[0]
    form = {"once": once, "day": day.isoformat(), "outcome": "no_answer"}
    for _ in range(3):
        assert browser.send(f"/absent/{world['ana']}", form).status_code == 302
    assert len(entries(app)) == 1


@pytest.mark.parametrize(
    "form", [{}, {"outcome": "reached_agreed"}, {"told": "secret"}, {"day": "2199-01-01", "outcome": "no_answer"}]
)
def test_what_cannot_be_is_said_and_not_saved(
    app: Flask, day: date, world: House, sign_in: SignInAs, form: dict[str, str]
) -> None:
    browser = sign_in("attendance_clerk")
    press(browser, world["ana"], **form)
    assert entries(app) == []
    assert "Nothing was saved" in (said := browser.get("/absent").text) or "Choose one of" in said or "ahead" in said


def test_a_teacher_sees_the_own_homeroom_and_no_address(day: date, sign_in: SignInAs) -> None:
    page = sign_in("homeroom_teacher").get("/absent").text
    assert "Ana Sample" in page and "312-555" in page
    assert "Cleo" not in page


def test_a_school_whose_day_has_not_come_in_is_named_and_nobody_is_guessed(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    page = sign_in("oak_clerk").get("/absent").text
    assert "No attendance has come in" in page or "has not come in for Oak" in page
    with app.app_context(), transaction():
        db.session.add(AbsenceCode(code="A", kind="absence", absent_fraction=1000, excused="unexcused"))
        away(world["dora"], "A", today() - timedelta(days=1))
    page = sign_in("oak_clerk").get("/absent").text
    assert "1 family to call about" in page and "Dora Sample" in page


def test_the_list_is_a_constant_number_of_statements(app: Flask, day: date, world: House, sign_in: SignInAs) -> None:
    browser = sign_in("attendance_clerk")
    browser.get("/absent")
    with app.app_context(), counting() as few:
        browser.get("/absent")
    with app.app_context(), transaction():
        for number in range(20):
            one = Student(key=f"X{number}", first_name="Extra", last_name=str(number), grade="4", homeroom="4A")
            school = db.session.scalars(select(School).join(School.network).where(School.key == "LIN")).one()
            one.stints = [Stint(school=school, entry_date=date(2026, 8, 17))]
            db.session.add(one)
            db.session.flush()
            away(one.id, "A")
    with app.app_context(), counting() as many:
        assert "21 families to call" in browser.get("/absent").text
    assert len(many) <= len(few)
