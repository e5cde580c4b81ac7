"""S09: a contact is two choices and a press; nothing typed is lost, and nothing counts twice."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from models.base import db
from models.cases import Cause, Outreach
from tests.web.casebook import case_of
from tests.web.conftest import Browser, SignInAs

House = dict[str, int]


def key_of(page: str) -> str:
    return page.split('name="once" value="')[1].split('"')[0]


def log(browser: Browser, number: int, **form: str) -> Any:
    path = f"/cases/{number}/outreach"
    return browser.send(path, {"once": key_of(browser.get(path).text), **form})


def entries(app: Flask) -> list[Outreach]:
    with app.app_context():
        return list(db.session.scalars(select(Outreach).where(Outreach.author_id > 0).order_by(Outreach.id)))


def test_two_choices_are_enough_and_lead_back_to_where_one_came_from(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    browser, number = sign_in("counselor"), world["ana_case"]
    page = browser.get(f"/cases/{number}/outreach?back=/today").text
    assert 'value="call" checked' in page
    form = {"once": key_of(page), "back": "/today", "method": "call", "outcome": "reached_agreed"}
    answer = browser.send(f"/cases/{number}/outreach", form)
    assert answer.location == "/today"
    assert "The contact is saved." in browser.get("/today").text
    (entry,) = entries(app)
    assert (entry.method, entry.outcome, entry.is_contact, entry.author) == (
        "call", "reached_agreed", True, "Person counselor",
    )  # fmt: skip
    with app.app_context():
        assert case_of(number).status == "contacting"


def test_the_same_form_sent_twice_is_one_contact(app: Flask, world: House, sign_in: SignInAs) -> None:
    browser, path = sign_in("counselor"), f"/cases/{world['ana_case']}/outreach"
    form = {"once": key_of(browser.get(path).text), "method": "call", "outcome": "no_answer"}
    for _ in range(2):
        assert browser.send(path, form).status_code == 302
    assert len(entries(app)) == 1


def test_a_form_without_its_key_is_not_taken(app: Flask, world: House, sign_in: SignInAs) -> None:
    answer = sign_in("counselor").send(
        f"/cases/{world['ana_case']}/outreach", {"method": "call", "outcome": "no_answer", "note": "Bus 12 was cut."}
    )
    assert answer.status_code == 422
    assert "Bus 12 was cut." in answer.text
    assert entries(app) == []


def test_what_was_typed_stays_when_something_is_missing(app: Flask, world: House, sign_in: SignInAs) -> None:
    answer = log(
        sign_in("counselor"), world["ana_case"], method="visit", note="Card left at the door.", next_date="2020-13-45"
    )
    assert answer.status_code == 422
    assert "Choose what happened." in answer.text
    assert "is not a date" in answer.text
    assert "Card left at the door." in answer.text
    assert 'value="visit" checked' in answer.text
    assert '<details class="more-fields" open>' in answer.text
    assert entries(app) == []


def test_an_outcome_must_fit_the_way(app: Flask, world: House, sign_in: SignInAs) -> None:
    answer = log(sign_in("counselor"), world["ana_case"], method="text", outcome="visited_spoke")
    assert "Choose an outcome that fits" in answer.text
    assert entries(app) == []


def test_unfit_words_are_refused_with_advice_and_not_repeated_elsewhere(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    answer = log(
        sign_in("counselor"), world["ana_case"], method="call", outcome="no_answer", note="They are undocumented"
    )
    assert answer.status_code == 422
    assert "Please leave out anything about immigration" in answer.text
    assert entries(app) == []


def test_a_cause_is_noted_on_the_way_or_neither_is_kept(app: Flask, world: House, sign_in: SignInAs) -> None:
    browser, number = sign_in("counselor"), world["ana_case"]
    form = {"method": "call", "outcome": "reached_agreed", "with_whom": "caregiver"}
    log(browser, number, cause="B-TECH", **form)
    with app.app_context():
        said = db.session.scalars(select(Cause.said_by).where(Cause.code == "B-TECH")).all()
    assert said == ["caregiver"]
    assert log(browser, number, cause="B-HLTH-CHRON", **form).status_code == 422
    assert len(entries(app)) == 1


def test_nobody_is_sent_to_another_site(world: House, sign_in: SignInAs) -> None:
    answer = log(
        sign_in("counselor"), world["ana_case"], method="call", outcome="no_answer", back="https://elsewhere.example/"
    )
    assert answer.location == "/"


def test_the_list_to_choose_from_holds_only_what_is_within_reach(world: House, sign_in: SignInAs) -> None:
    page = sign_in("counselor").get("/outreach").text
    assert "Ana Sample" in page
    assert "Cleo" not in page
    assert "Dora" not in page
    assert "goes by that name" in sign_in("counselor").get("/outreach?q=Dora").text


def test_a_clerk_logs_a_call_for_a_student_without_a_case(app: Flask, world: House, sign_in: SignInAs) -> None:
    browser, path = sign_in("attendance_clerk"), f"/outreach/{world['ben']}"
    page = browser.get(path).text
    assert "What happened with Ben Sample?" in page
    browser.send(path, {"once": key_of(page), "method": "call", "outcome": "left_voicemail"})
    (entry,) = entries(app)
    assert entry.case_id is None
    assert not entry.is_contact
    assert browser.get(f"/outreach/{world['dora']}").status_code == 404
