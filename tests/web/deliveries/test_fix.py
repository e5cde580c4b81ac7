"""S05: what does not fit together, within reach; a code is explained once, with its effect in view."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.rosters import fixing
from ew_app.web.fix import COLUMNS
from models.audit import Event
from models.base import db
from models.cases import Outreach
from models.org import AbsenceCode
from models.people import Student
from models.queries.fixing import LISTS
from tests.web.conftest import let_in
from tests.web.importing import DAYS, TODAY, Clerk, once_of, rows_of, words
from tests.web.world import START

CODE = "/fix/code?code=AQ&school=LIN"
ABSENT = {"kind": "absence", "excused": "unexcused"}


@pytest.fixture
def unexplained(clerk: Clerk) -> None:
    """Ana has the unknown code AQ on every school day."""
    clerk.bring_in({"attendance.csv": rows_of(*(("001", "LIN", str(day), "AQ") for day in DAYS))})


def meanings(app: Flask) -> list[tuple[str, str, int]]:
    with app.app_context():
        found = select(AbsenceCode).where(AbsenceCode.code == "AQ")
        return [(row.kind, row.excused, row.absent_fraction) for row in db.session.scalars(found)]


def test_every_list_has_columns_and_opens(steward: Clerk) -> None:
    assert set(COLUMNS) == set(LISTS) == {check.key for check in fixing.CHECKS}
    for key in COLUMNS:
        assert steward.browser.get(f"/fix/{key}").status_code == 200, key


def test_a_number_that_failed_is_listed_until_somebody_is_reached_or_it_is_mended(app: Flask, clerk: Clerk) -> None:
    clerk.bring_in({}, nobody=[f"{school_id(app)}:{day}" for day in DAYS])
    with app.app_context():
        flagging.evaluate_touched()
    for key, outcome in (("001", "number_not_working"), ("002", "left_voicemail")):
        tried(app, key, outcome)
    page = words(clerk.browser.get("/fix/contact_failures").text)
    assert "Number does not work" in page and "Phone call" in page and "Left a voicemail" not in page
    assert "/students/001" in clerk.browser.get("/fix/contact_failures").text
    assert "All is well here" in words(let_in(app, "oak_clerk").get("/fix/contact_failures").text)
    tried(app, "001", "reached_agreed", minutes=1)
    assert "All is well here" in words(clerk.browser.get("/fix/contact_failures").text)


def tried(app: Flask, student: str, outcome: str, *, minutes: int = 0) -> None:
    """Somebody tried to call about a student of Lincoln."""
    with app.app_context(), transaction():
        number = db.session.scalars(select(Student.id).where(Student.key == student)).one()
        at = now() + timedelta(minutes=minutes)
        told = {"author_id": None, "author": "Clara", "position": "Attendance clerk", "written_at": at}
        reached = outcome == "reached_agreed"
        db.session.add(
            Outreach(student_id=number, on_day=TODAY, at=at, method="call", outcome=outcome, is_contact=reached, **told)
        )


def test_nothing_to_mend_says_so(app: Flask, clerk: Clerk) -> None:
    days = [f"{school_id(app)}:{day}" for day in DAYS]
    clerk.bring_in({}, nobody=days)
    missing = words(clerk.browser.get("/fix/late_schools").text)
    assert "Days missing before it" in missing and "Lincoln Fri 20 Nov 2026 0 1" in missing
    clerk.bring_in({}, nobody=[f"{school_id(app)}:{START}"])
    page = words(clerk.browser.get("/fix").text)
    assert "Every record fits together" in page and "Attendance codes nobody has explained: none" in page
    assert "All is well here" in words(clerk.browser.get("/fix/unknown_codes").text)


def school_id(app: Flask) -> int:
    from models.org import School

    with app.app_context():
        return int(db.session.scalar(select(School.id).where(School.key == "LIN")))


def test_each_list_says_what_it_is_when_it_matters_and_how_to_mend_it(clerk: Clerk, unexplained: None) -> None:
    page = words(clerk.browser.get("/fix").text)
    for check in fixing.CHECKS:
        assert check.title in page
    unknown = fixing.CHECKS[0]
    assert unknown.matters in page and unknown.remedy in page
    listed = words(clerk.browser.get("/fix/unknown_codes").text)
    assert f"AQ Lincoln {len(DAYS)} 1 Mon 26 Oct 2026 Fri 20 Nov 2026" in listed


def test_a_code_is_explained_after_a_look_at_the_effect(app: Flask, clerk: Clerk, unexplained: None) -> None:
    assert "What does AQ mean at Lincoln?" in words(clerk.browser.get(CODE).text)
    page = clerk.browser.send(CODE, ABSENT).text
    assert f"This would settle {len(DAYS)} marks of 1 student" in words(page)
    assert "1 student would enter Tier 3" in words(page) and meanings(app) == []
    saved = clerk.browser.send(CODE, {**ABSENT, "step": "save", "once": once_of(page)}, follow_redirects=True)
    assert "AQ now means: absent" in words(saved.text) and "none" in words(saved.text)
    assert meanings(app) == [("absence", "unexcused", 1000)]


def test_a_double_click_saves_once(app: Flask, clerk: Clerk, unexplained: None) -> None:
    save = {**ABSENT, "fraction": "0.5", "step": "save", "once": once_of(clerk.browser.send(CODE, ABSENT).text)}
    assert [clerk.browser.send(CODE, save).status_code for _ in range(2)] == [302, 302]
    assert meanings(app) == [("absence", "unexcused", 500)]
    with app.app_context():
        told = select(func.count()).select_from(Event).where(Event.kind == "code_mapped")
        assert db.session.scalar(told) == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose what the code says about the student"),
        ({"kind": "absence", "fraction": "2"}, "a number between 0 and 1"),
        ({"kind": "absence", "fraction": "half"}, "a number between 0 and 1"),
        ({"kind": "absence", "valid_from": "20.11.26"}, "is not a date"),
        ({"kind": "absence", "valid_from": "2026-11-20", "valid_to": "2026-11-01"}, "before its first day"),
        ({"kind": "absence", "step": "save", "once": "forged"}, "load the page and send it again"),
    ],
)
def test_a_meaning_that_cannot_be_is_refused(app: Flask, clerk: Clerk, form: dict[str, str], sentence: str) -> None:
    answer = clerk.browser.send(CODE, form)
    assert answer.status_code == 422 and sentence in words(answer.text)
    assert meanings(app) == []


def test_a_clerk_speaks_for_their_own_school_only(app: Flask, clerk: Clerk, steward: Clerk) -> None:
    assert clerk.browser.send("/fix/code?code=AQ&school=OAK", ABSENT).status_code == 404
    assert clerk.browser.send(CODE, {**ABSENT, "whole": "1"}).status_code == 404
    assert "at every school" not in clerk.browser.get(CODE).text
    assert "at every school" in steward.browser.get(CODE).text


def test_lists_stop_at_the_schools_of_the_reader(clerk: Clerk, steward: Clerk) -> None:
    rows = [("004", "OAK", str(day), "ZZ") for day in DAYS]
    steward.bring_in({"oak.csv": rows_of(*rows)})
    assert "ZZ" in steward.browser.get("/fix/unknown_codes").text
    assert "ZZ" not in clerk.browser.get("/fix/unknown_codes").text


CHILD = "/fix/same-child?one=001&other=002"


def test_two_ids_are_compared_said_to_be_one_child_and_parted_again(steward: Clerk) -> None:
    page = words(steward.browser.get(CHILD).text)
    assert "Are 001 and 002 the same child?" in page and "Ana Sample" in page and "Ben Sample" in page
    without = steward.browser.send(
        CHILD, {"step": "merge", "keep": "001", "once": once_of(steward.browser.get(CHILD).text)}
    )
    assert without.status_code == 422 and "how you know that this is one child" in words(without.text)
    said = {
        "step": "merge",
        "keep": "001",
        "reason": "The mother confirms it",
        "once": once_of(steward.browser.get(CHILD).text),
    }
    assert steward.browser.send(CHILD, said).status_code == 302
    page = words(steward.browser.get(CHILD).text)
    assert "001 and 002 are read as one child" in page and "The mother confirms it" in page
    assert "002 001 The mother confirms it" in words(steward.browser.get("/fix/same-child").text)
    assert (
        steward.browser.send(CHILD, {"step": "part", "once": once_of(steward.browser.get(CHILD).text)}).status_code
        == 302
    )
    assert "Are 001 and 002 the same child?" in words(steward.browser.get(CHILD).text)


def test_nobody_joins_children_beyond_their_own_schools(clerk: Clerk) -> None:
    assert clerk.browser.get("/fix/same-child?one=001&other=004").status_code == 404
    assert clerk.browser.get(CHILD).status_code == 200


def test_the_list_leads_to_the_comparison(app: Flask, clerk: Clerk) -> None:
    with app.app_context(), transaction():
        for student in db.session.scalars(select(Student).where(Student.key.in_(["001", "002"]))):
            student.first_name, student.birth_date = "Ana", DAYS[0].replace(year=2015)
    assert "one=001&amp;other=002" in clerk.browser.get("/fix/same_child").text


CODES_OF_POWERSCHOOL = (
    "ID,SchoolID,Att_Code,Description,Presence_Status_CD\n"
    "1,LIN,AB,Absent,Absent\n2,LIN,T,Tardy,Present\n3,LIN,,Present,Present\n4,LIN,P,Present,Present\n"
)


def test_codes_whose_excuse_or_lateness_an_export_does_not_tell_are_listed_until_somebody_says_it(
    app: Flask, steward: Clerk
) -> None:
    with app.app_context():
        files = {"attendance_code.csv": CODES_OF_POWERSCHOOL.encode()}
        ingest.load(ingest.receive(kind="roster", name="codes", files=files, by=OPERATOR, source="sis"))
    listed = words(steward.browser.get("/fix/unsaid_codes").text)
    assert "AB Absent Lincoln whether it is excused" in listed and "T Tardy Lincoln whether it is late" in listed
    assert "P Present" not in listed
    here = "/fix/code?code=T&school=LIN"
    page = words(steward.browser.get(here).text)
    assert "It counts as it stands below" in page and "neither as here nor as absent" not in page
    said = {"kind": "tardy", "excused": "unexcused", "title": "Tardy"}
    shown = steward.browser.send(here, said).text
    steward.browser.send(here, {**said, "step": "save", "once": once_of(shown)})
    listed = words(steward.browser.get("/fix/unsaid_codes").text)
    assert "whether it is late" not in listed and "whether it is excused" in listed


def test_an_empty_code_can_be_explained_like_any_other(steward: Clerk) -> None:
    steward.bring_in({"attendance.csv": rows_of(("001", "LIN", str(DAYS[0]), ""))})
    here = "/fix/code?code=&school=LIN"
    assert "What does an empty code mean at Lincoln?" in words(steward.browser.get(here).text)
    shown = steward.browser.send(here, {"kind": "present"}).text
    saved = steward.browser.send(
        here, {"kind": "present", "step": "save", "once": once_of(shown)}, follow_redirects=True
    )
    assert "An empty code now means: here" in words(saved.text)
    assert steward.browser.get("/fix/code").status_code == 422
