"""S13: the workspaces of the compartments, the way of what was asked for, and who read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import now, today
from models.audit import AuditRow
from models.base import db
from models.cases import Outreach
from models.org import School
from models.people import Stint, Student, SupportFlag
from models.promises import Promise
from tests.web.casebook import case_of, committed, counting, open_case, person
from tests.web.conftest import Browser, SignInAs
from tests.web.test_case import fill
from tests.web.world import START

House = dict[str, int]


def main_part(page: str) -> str:
    return page.split("<main")[1].split("</main>")[0]


def heading(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.split("<h1")[1].split(">", 1)[1].split("</h1>")[0]).split())


def asked(world: House, browser: Browser, **form: str) -> Any:
    return fill(browser, f"/supports/stls/ask/{world['ben']}", **form)


def test_a_liaison_asks_follows_and_hands_over(app: Flask, world: House, sign_in: SignInAs) -> None:
    liaison = sign_in("stls_liaison")
    found = liaison.get("/supports/stls?q=Ben").text
    assert f"/supports/stls/ask/{world['ben']}" in found
    answer = asked(world, liaison, kind="uniform", what="Size 8")
    path = answer.location
    assert "Uniform: asked for" in heading(liaison.get(path).text)
    assert "Uniform" in liaison.get("/supports/stls").text and "Size 8" in liaison.get("/supports/stls").text
    page = fill(liaison, path, state="refused")
    assert page.status_code == 422 and "reason that was given" in page.text
    fill(liaison, path, state="issued")
    fill(liaison, path, state="in_hand")
    assert "Uniform: in hand" in heading(liaison.get(path).text)
    assert "Uniform: In hand" in liaison.get("/supports/stls").text.partition("Ended last")[2]


def test_a_form_sent_twice_counts_once(app: Flask, world: House, sign_in: SignInAs) -> None:
    liaison, path = sign_in("stls_liaison"), f"/supports/stls/ask/{world['ben']}"
    key = liaison.get(path).text.split('name="once" value="')[1].split('"')[0]
    for _ in range(2):
        liaison.send(path, {"once": key, "kind": "fees"})
    with app.app_context():
        assert len(db.session.scalars(select(Promise).where(Promise.kind == "fees")).all()) == 1


def test_whoever_may_not_read_finds_no_workspace_no_promise_and_no_way_to_ask(world: House, sign_in: SignInAs) -> None:
    """Whether or not there is anything, the answer is the same."""
    for login in ("principal", "counselor", "attendance_clerk", "nurse", "homeroom_teacher", "network_lead"):
        browser = sign_in(login)
        for path in ("/supports/stls", "/supports/stls/reads", f"/supports/stls/ask/{world['ben']}"):
            assert browser.get(path).status_code in (403, 404), (login, path)
        there = browser.get(f"/supports/promises/{world['stls_promise']}")
        nowhere = browser.get("/supports/promises/999999")
        assert there.status_code == nowhere.status_code
        assert without_ids(there.text) == without_ids(nowhere.text)
        assert "Supports</a>" not in browser.get("/today").text or login in ("counselor", "nurse")


def without_ids(page: str) -> str:
    return re.sub(r'Made in \d+ ms|value="[^"]*"|\b4\d\d, [0-9a-f]{16}', "", page)


def test_who_read_what_is_told_to_those_who_may_read_it(app: Flask, world: House, sign_in: SignInAs) -> None:
    liaison = sign_in("stls_liaison")
    for _ in range(2):
        liaison.get("/supports/stls")
    liaison.get(f"/supports/promises/{world['stls_promise']}")
    page = main_part(liaison.get("/supports/stls/reads").text)
    assert page.count("Ben Sample") == 2 and "seen in a list" in page and "works with the student" in page
    with app.app_context():
        read = select(AuditRow.action).where(AuditRow.student_id == world["ben"]).order_by(AuditRow.id)
        assert db.session.scalars(read).all() == ["compartment_listed", "compartment_opened"]


def test_a_task_of_the_compartment_is_done_from_the_workspace(world: House, sign_in: SignInAs) -> None:
    liaison = sign_in("stls_liaison")
    assert "past the day set for it" in heading(liaison.get("/supports/stls").text)
    liaison.send(f"/supports/stls/tasks/{world['stls_task']}/done")
    assert (
        "Look at transport, uniform and fees"
        not in main_part(liaison.get("/supports/stls").text).split("Done:")[-1][80:]
    )


def test_whom_the_roster_names_and_nobody_has_asked_for_stands_there(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    with app.app_context():
        db.session.add(SupportFlag(student_id=world["ana"], key="stls", compartment="stls"))
        db.session.commit()
    assert "Ana Sample" in sign_in("stls_liaison").get("/supports/stls").text.partition("Nothing asked for yet")[2]


@pytest.mark.parametrize("login, compartment", [("nurse", "health"), ("case_manager", "iep_504")])
def test_an_empty_workspace_says_so_and_what_comes_next(sign_in: SignInAs, login: str, compartment: str) -> None:
    browser = sign_in(login)
    assert browser.get("/supports").location == f"/supports/{compartment}"
    page = browser.get(f"/supports/{compartment}").text
    assert heading(page) in ("Nobody waits for a plan", "Nothing waits here")
    assert ("Ask for something" in page) is (login == "nurse")


def test_a_counselor_sees_what_the_year_still_allows_and_logs_a_conference(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
        case, me = case_of(number), person("counselor")
        db.session.add(
            Outreach(case_id=case.id, student_id=case.student_id, on_day=today(), at=now(), method="conference",
                     outcome="reached_agreed", is_contact=True, author=me.name, position="x", written_at=now())
        )  # fmt: skip
        db.session.commit()
    browser = sign_in("counselor")
    page = main_part(browser.get("/supports/counseling").text)
    assert "Student One" in page and "On track for the year" in page
    link = page.split(f'href="/cases/{number}/outreach')[1].split('"')[0].replace("&amp;", "&")
    form = browser.get(f"/cases/{number}/outreach{link}").text
    assert re.search(r'value="conference" checked', form)


def test_a_sheet_on_rights_is_there_for_everybody_and_speaks_of_nobody(sign_in: SignInAs) -> None:
    for login in ("attendance_clerk", "homeroom_teacher", "partner", "stls_liaison"):
        page = main_part(sign_in(login).get("/rights-sheet").text)
        assert "your child keeps the school" in page and "42 U.S.C. 11431" in page
        assert "Ana" not in page and "Ben" not in page


def test_the_workspace_asks_as_often_for_one_student_as_for_twelve(app: Flask, world: House, sign_in: SignInAs) -> None:
    liaison = sign_in("stls_liaison")
    liaison.get("/supports/stls")
    with app.app_context(), counting() as few:
        liaison.get("/supports/stls")
    with app.app_context():
        many_more()
    liaison.get("/supports/stls")
    with app.app_context(), counting() as more:
        assert liaison.get("/supports/stls").text.count("Supply") == 12
    assert len(more) == len(few)


def many_more() -> None:
    school = db.session.scalars(select(School).where(School.key == "LIN")).one()
    for number in range(12):
        student = Student(key=f"P{number}", first_name="Pupil", last_name=f"No {number:02d}", grade="2")
        student.stints = [Stint(school=school, entry_date=START)]
        db.session.add(student)
        db.session.flush()
        db.session.add(
            Promise(student_id=student.id, school_id=school.id, compartment="stls", kind="supplies", what="Supply",
                    asked_on=today(), due=today(), author="x", position="x", written_at=now())
        )  # fmt: skip
    db.session.commit()
