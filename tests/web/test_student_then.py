"""The student page's look back: what was known of a day when it ended beside what is known of it now."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete

from ew_app.config import Settings
from ew_app.kernel import settings as kept
from ew_app.kernel import told_as_of, transaction
from models.base import db
from models.org import AbsenceCode, CalendarDay
from models.queries import boards as rows
from tests.services.lincoln_and_carver import load
from tests.web.conftest import SignInAs

START = date(2026, 8, 17)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """It is Friday 9 October."""
    return replace(settings, today=date(2026, 10, 9))


@pytest.fixture
def corrected(app: Flask, world: dict[str, int]) -> None:
    """Ana missed three days of September's start without an excuse; six days later a note explains one."""
    with app.app_context():
        with transaction():
            db.session.execute(delete(CalendarDay))
            school = rows.school("LIN")
            assert school is not None
            days = [day for n in range(54) if (day := START + timedelta(days=n)).weekday() < 5]
            db.session.add_all(
                CalendarDay(school_id=school.id, calendar_key="", day=day, day_type="instructional") for day in days
            )
            for code, title, excused in (("A", "Absent", "unexcused"), ("E", "Excused absence", "excused")):
                db.session.add(
                    AbsenceCode(code=code, title=title, kind="absence", absent_fraction=1000, excused=excused)
                )
        with told_as_of(datetime(2026, 9, 4, 18, tzinfo=kept().timezone)):
            load(*(f"001 LIN {day} A" for day in ("09-01", "09-02", "09-04")))
        with told_as_of(datetime(2026, 9, 10, 18, tzinfo=kept().timezone)):
            load("001 LIN 09-02 E")


def back(page: str) -> str:
    """The section, without tags and repeated blanks."""
    section = page.split('id="looked-back"', 1)[1].split("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section)).strip()


def test_both_truths_stand_side_by_side_with_the_file_that_changed_them(sign_in: SignInAs, corrected: None) -> None:
    told = back(sign_in("principal").get("/students/001?known=2026-09-04").text)
    assert "As known at the end of Fri 4 Sep 2026 and now" in told
    assert "Excused 0 1" in told and "Unexcused 3 2" in told
    assert "Days absent" not in told and "Share absent" not in told, "what is the same is left out"
    assert re.search(
        r"Wed 2 Sep absent, unexcused absent, excused Excused absence, attendance.csv \(batch \d+\), line 2", told
    )
    assert re.search(r"attendance \(batch \d+\), Thu 10 Sep: 1 day sent by the school, 1 mark", told)


def test_a_day_that_nothing_has_changed_since_says_so(sign_in: SignInAs, corrected: None) -> None:
    told = back(sign_in("principal").get("/students/001?known=2026-09-10").text)
    assert "Nothing has changed since Thu 10 Sep 2026" in told


def test_before_the_file_came_nothing_was_known(sign_in: SignInAs, corrected: None) -> None:
    told = back(sign_in("principal").get("/students/001?known=2026-09-02").text)
    assert "Days absent 0 2" in told and "nothing was known of this day absent, unexcused" in told


def test_what_is_decided_stays_with_those_who_may_read_it(sign_in: SignInAs, corrected: None) -> None:
    assert "Tier" in back(sign_in("principal").get("/students/001?known=2026-09-02").text)
    told = back(sign_in("nurse").get("/students/001?known=2026-09-02").text)
    assert "Days absent 0 2" in told
    assert "Tier" not in told, told


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [("soon", "Choose a date, such as 2026-10-09."), ("2026-10-10", "Choose a day that has come already.")],
)
def test_a_day_that_cannot_be_told_is_a_sentence(sign_in: SignInAs, corrected: None, asked: str, sentence: str) -> None:
    assert sentence in back(sign_in("principal").get(f"/students/001?known={asked}").text)
