"""The pages of contact repair, of a contact put right, and of a school's ladder; the form that says what to know."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import transaction
from models.base import db
from models.cases import Outreach
from models.outreach import NotedContact, OutreachBefore
from models.people import Contact
from tests.web.casebook import case_of, committed, open_case
from tests.web.conftest import Browser, SignInAs
from tests.web.test_outreach import key_of, log

House = dict[str, int]
PHONE = "312-555-0100"


def told(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.fixture
def family(app: Flask, world: House) -> House:
    """Ana of Lincoln and Cleo of Carver have one mother, Ben is nobody's brother."""
    with app.app_context(), transaction():
        for name in ("ana", "cleo"):
            contact = Contact(student_id=world[name], name="M. Sample", relation="Mother", phone=PHONE)
            db.session.add(contact)
        db.session.add(Contact(student_id=world["ben"], name="B. Other", relation="Father", phone="773-555-0111"))
    return world


# -- the form ------------------------------------------------------------------------------------------------


def test_a_try_that_reached_nobody_sets_the_next_way_and_its_day(app: Flask, family: House, sign_in: SignInAs) -> None:
    browser, number = sign_in("counselor"), family["ana_case"]
    assert 'value="ladder" checked' in browser.get(f"/cases/{number}/outreach").text
    log(browser, number, method="call", outcome="left_voicemail", when="ladder")
    with app.app_context():
        case = case_of(number)
        assert case.next_step == "Try again: Text message" and case.due is not None
    page = told(browser.get(f"/cases/{number}/contacts").text)
    assert "1 try by 1 way, and nobody reached." in page
    assert "2 more tries and 1 other way are needed" in page


def test_a_sibling_out_of_reach_is_nowhere_on_the_page_and_one_within_can_be_ticked(
    app: Flask, family: House, sign_in: SignInAs
) -> None:
    number = family["ana_case"]
    assert "Cleo" not in sign_in("counselor").get(f"/cases/{number}/outreach").text
    with app.app_context(), transaction():
        db.session.add(Contact(student_id=family["ben"], name="M. Sample", relation="Mother", phone="(312) 555 0100"))
    clerk, path = sign_in("attendance_clerk"), f"/outreach/{family['ana']}"
    page = clerk.get(path).text
    assert f'name="also" value="{family["ben"]}"' in page and "Cleo" not in page
    form = {"once": key_of(page), "method": "call", "outcome": "no_answer", "also": str(family["ben"])}
    for _ in range(2):
        clerk.send(path, form | {"note": "Only about Ana."})
    with app.app_context():
        made = db.session.scalars(select(Outreach).where(Outreach.author_id > 0).order_by(Outreach.id)).all()
    assert [(one.student_id, one.note) for one in made] == [(family["ana"], "Only about Ana."), (family["ben"], "")]


def test_a_call_just_made_about_a_sibling_out_of_reach_tells_nothing_of_the_sibling(
    app: Flask, family: House, sign_in: SignInAs
) -> None:
    carver = sign_in("carver_counselor")
    log(carver, family["cleo_case"], method="call", outcome="reached_agreed", note="Secret of Cleo")
    page = told(sign_in("counselor").get(f"/cases/{family['ana_case']}/outreach").text)
    assert "This family was called 1 minute ago." in page
    assert not re.search("Cleo|Carver|Secret|carver_counselor|agreed on a next step,", page)


# -- repair --------------------------------------------------------------------------------------------------


def send(browser: Browser, path: str, page: str, **form: Any) -> Any:
    return browser.send(path, {"once": key_of(page), **form})


def test_a_number_that_fails_is_marked_everywhere_and_mended_by_the_clerk(
    app: Flask, family: House, sign_in: SignInAs
) -> None:
    browser = sign_in("counselor")
    log(browser, family["ana_case"], method="call", outcome="number_not_working", used=PHONE)
    assert "Number does not work" in told(browser.get(f"/cases/{family['ana_case']}/contacts").text)
    clerk, path = sign_in("attendance_clerk"), f"/contacts/{family['ana']}"
    page = clerk.get(path).text
    assert "1 number of this family fails" in page and "student system" in page
    assert send(clerk, f"{path}/numbers", page, name="Aunt", phone="773").status_code == 422
    assert send(clerk, f"{path}/numbers", clerk.get(path).text, name="Aunt", phone="773-555-0199").status_code == 302
    page = told(clerk.get(path).text)
    assert "773-555-0199" in page and "not in the student system yet" in page
    assert "773-555-0199" in browser.get(f"/cases/{family['ana_case']}/outreach").text
    send(clerk, f"{path}/mended", clerk.get(path).text)
    assert "It is mended" not in clerk.get(path).text
    with app.app_context():
        noted = db.session.scalars(select(NotedContact)).one()
    send(clerk, f"{path}/forget", clerk.get(path).text, noted=str(noted.id))
    assert "773-555-0199" not in clerk.get(path).text


# -- a contact put right -------------------------------------------------------------------------------------


def test_a_contact_is_put_right_and_struck_and_stays_readable(app: Flask, family: House, sign_in: SignInAs) -> None:
    browser, number = sign_in("counselor"), family["ana_case"]
    log(browser, number, method="call", outcome="no_answer", note="Rang twice.")
    with app.app_context():
        one = db.session.scalars(select(Outreach).where(Outreach.author_id > 0)).one().id
    path = f"/contacts-made/{one}"
    assert path in browser.get(f"/cases/{number}/timeline").text
    page = browser.get(path).text
    right = {"version": "1", "method": "call", "outcome": "reached_agreed", "note": "She called back."}
    assert send(browser, path, page, **right).status_code == 302
    shown = told(browser.get(path).text)
    assert "She called back." in shown and "Rang twice." in shown and "put it right" in shown
    late = send(browser, path, page, **right | {"note": "From the old page."})
    assert late.status_code == 422 and "Nothing was saved" in late.text and "From the old page." in late.text
    assert send(browser, f"{path}/strike", page, why="").status_code == 422
    assert send(browser, f"{path}/strike", page, why="Another Ana").status_code == 302
    shown = told(browser.get(path).text)
    assert "A contact that was struck" in shown and "Another Ana" in shown and "She called back." in shown
    assert "A contact was struck" in browser.get(f"/cases/{number}/timeline").text
    with app.app_context():
        assert [one.ended for one in db.session.scalars(select(OutreachBefore).order_by(OutreachBefore.id))] == [
            "changed", "struck",
        ]  # fmt: skip


# -- the ladder ----------------------------------------------------------------------------------------------


def test_a_school_sets_its_own_ladder_on_a_page_and_goes_back(app: Flask, world: House, sign_in: SignInAs) -> None:
    browser, path = sign_in("principal"), "/schools/LIN/ladder"
    page = browser.get(path).text
    assert "The district's order holds here." in page.replace("&#39;", "'")
    steps = ("visit", "call", "letter_mail")
    form = {f"{name}_{tier}_{n}": value for tier in "23" for n, way in enumerate(steps)
            for name, value in (("day", str(n)), ("method", way), ("hint", ""))}  # fmt: skip
    wrong = send(browser, path, page, **form | {"method_2_1": "visit", "method_2_2": "visit"})
    assert wrong.status_code == 422 and "2 different ways" in wrong.text
    assert send(browser, path, page, **form).status_code == 302
    assert "own order, set by Person principal" in browser.get(path).text
    with app.app_context():
        number = committed(open_case, "X1")
    assert "Home visit" in told(sign_in("counselor").get(f"/cases/{number}/contacts").text)
    send(browser, path, browser.get(path).text, district="1")
    assert "order holds here." in browser.get(path).text
