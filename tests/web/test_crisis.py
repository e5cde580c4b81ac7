"""The screens of a crisis: what is asked, what opens, what those who answer for it read, and what nobody else does."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Flask

from ew_app.kernel import transaction
from models.base import db
from models.crisis import CrisisOpening
from tests.web.casebook import keep_secret, person
from tests.web.conftest import SignInAs

WHY = "She fainted in the gym and the nurse is at the other school."
SECRET = "Look at transport, uniform and fees"
KEYS = re.compile(r'name="(csrf_token|once)" value="[^"]*"')
FORM = {"compartment": "stls", "reason": WHY, "sure": "1"}


def once(page: str) -> str:
    return page.partition('name="once" value="')[2].partition('"')[0]


def opened(sign_in: SignInAs, login: str = "principal", **form: str):
    browser = sign_in(login)
    key = once(browser.get("/students/001/crisis").text)
    return browser, browser.send("/students/001/crisis", {**FORM, "once": key, **form})


def filled(app: Flask, world: dict[str, int]) -> None:
    with app.app_context(), transaction():
        keep_secret(world["ana_case"], "stls", "B-HOUSING")


def test_a_principal_opens_reads_shuts_and_is_asked_afterwards(app, world, sign_in):
    filled(app, world)
    browser, answer = opened(sign_in)
    assert answer.status_code == 302
    where = answer.location
    inside = browser.get(where).text
    assert SECRET in inside and "Only for those who may read it." in inside and "Open to read until" in inside
    assert "Write a note" not in inside and "Ask for something" not in inside and "Add a support" not in inside
    assert "Temporary living situation, to read until" in browser.get("/students/001").text
    assert browser.send(f"{where}/shut").status_code == 302
    after = browser.get(where).text
    assert "It is shut again" in after and SECRET not in after
    assert "Temporary living situation, to read until" not in browser.get("/students/001").text

    told = sign_in("administrator")
    assert "opened a shut part of a student" in told.get("/news").text
    asked = told.get(where).text
    assert "Was it right to open this?" in asked and WHY in asked and "Ana Sample" in asked and SECRET not in asked
    assert "temporary living situation" in asked
    refused = told.send(f"{where}/answer", {"answer": "not_right"})
    assert refused.status_code == 422 and "what was not right" in refused.text
    assert told.send(f"{where}/answer", {"answer": "not_right", "words": "I was next door."}).status_code == 302
    assert "It was not right" in told.get("/crisis").text
    assert "I was next door." in browser.get(where).text


def test_after_an_hour_the_page_says_so_and_shows_nothing(app, world, sign_in):
    filled(app, world)
    browser, answer = opened(sign_in)
    with app.app_context(), transaction():
        for row in db.session.query(CrisisOpening):
            row.opened_at, row.ends_at = (at - timedelta(hours=1) for at in (row.opened_at, row.ends_at))
    page = browser.get(answer.location).text
    assert "The hour is over" in page and SECRET not in page


def test_whoever_keeps_the_records_reads_no_name_and_whoever_may_not_know_of_a_part_not_which(app, world, sign_in):
    _, answer = opened(sign_in, "social_worker", compartment="counseling")
    custodian = sign_in("records_custodian").get(answer.location).text
    assert "Student 001" in custodian and "Restricted: counseling" in custodian
    assert "Ana Sample" not in custodian, custodian[custodian.find("Ana Sample") - 300 :][:400]
    principal = sign_in("principal").get(answer.location).text
    assert "Ana Sample" in principal and "Restricted: counseling" not in principal and "shut to you too" in principal


def test_an_empty_part_says_so_only_inside_and_the_form_is_the_same_for_a_full_one(app, world, sign_in):
    browser = sign_in("principal")

    def form() -> str:
        page = browser.get("/students/001/crisis").text.partition('<div class="page-head">')[2]
        return KEYS.sub("", page).partition("Made in")[0]

    empty = form()
    _, answer = opened(sign_in)
    assert "Nothing is kept here for this student." in browser.get(answer.location).text
    browser.send(f"{answer.location}/shut")
    filled(app, world)
    assert form() == empty


def test_what_is_missing_is_said_and_nothing_opens(app, world, sign_in):
    for form, sentence in (
        ({"sure": ""}, "Tick that you must know"),
        ({"compartment": ""}, "Choose the part"),
        ({"reason": "now"}, "in a sentence why"),
        ({"compartment": "protected"}, "nothing here for you to open"),
        ({"compartment": "counseling"}, "nothing here for you to open"),
    ):
        _, answer = opened(sign_in, **form)
        assert answer.status_code == 422 and sentence in answer.text, form
    with app.app_context():
        mine = db.session.query(CrisisOpening).filter_by(person_id=person("principal").id)
        assert mine.count() == 0


def test_a_double_click_opens_once(app, world, sign_in):
    browser = sign_in("principal")
    key = once(browser.get("/students/001/crisis").text)
    answers = [browser.send("/students/001/crisis", {**FORM, "once": key}).location for _ in range(2)]
    assert answers[0] == answers[1]
