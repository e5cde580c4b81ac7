"""A risk model from the calm page to work and off again: refused first, then let work by two people, stopped by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from ew_app.kernel import today, transaction
from ew_app.services.risk import scoring
from models.base import db
from models.risk import RiskAnswer, RiskModel, RiskNight, RiskScore, RiskStep
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine
from tests.services import risk_model, risk_report

PURPOSE = "To look first at those who need it most"


@pytest.fixture
def district(system: System) -> Iterator[System]:
    """The demo district as if it had no model, before and after; one that other tests look at is of an earlier year."""
    with system.inside(), transaction():
        others = {row.id: row.school_year for row in db.session.query(RiskModel)}
        db.session.query(RiskModel).update({"school_year": date(2020, 7, 1)})
    yield system
    with system.inside(), transaction():
        for table in (RiskStep, RiskNight, RiskScore, RiskAnswer):
            db.session.query(table).filter(table.model_id.not_in(list(others))).delete()
        db.session.query(RiskModel).filter(RiskModel.id.not_in(list(others))).delete()
        for number, year in others.items():
            db.session.get_one(RiskModel, number).school_year = year


def answer(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    assert_fine(page)


def test_from_the_first_button_to_the_last(open_window: Open, district: System) -> None:
    editor, lead = open_window("policy_editor"), open_window("student_support_lead", phone=True)
    editor.goto("/risk-model")
    answer(editor, "No risk model is in use")
    editor.get_by_role("button", name="Have a model made").click()
    answer(editor, "No risk model is in use: the last one was refused")
    expect(editor.get_by_role("row").filter(has_text="learn from")).to_be_visible()

    with district.inside():
        number = risk_model.trained()
        with transaction():
            db.session.get_one(RiskModel, number).report = risk_report.report()
    editor.reload()
    editor.get_by_label("What it is to be used for").fill("Because")
    editor.get_by_role("button", name="Put it on trial").click()
    expect(editor.get_by_role("alert")).to_contain_text("Write the purpose in a sentence")
    expect(editor.get_by_label("What it is to be used for")).to_have_value("Because")
    editor.get_by_label("What it is to be used for").fill(PURPOSE)
    editor.get_by_label("What it is to be used for").press("Tab")
    editor.keyboard.press("Enter")
    answer(editor, "A risk model is on trial, and nobody sees what it says")
    expect(editor.get_by_role("button", name="I agree that it works")).to_have_count(0)

    with district.inside():
        with transaction():
            db.session.get_one(RiskModel, number).stage_since = today() - timedelta(days=42)
        scoring.score()
    editor.reload()
    old_page = open_window("policy_editor")
    old_page.goto("/risk-model")
    for page in (editor, old_page):
        page.get_by_label("What it is to be used for").fill(PURPOSE)
        page.get_by_role("button", name="I agree that it works").click()
    expect(editor.get_by_text("Your agreement is kept.")).to_be_visible()
    expect(old_page.get_by_role("alert")).to_contain_text("You have agreed already. Somebody else")

    lead.goto("/risk-model")
    expect(lead.get_by_text("One more person has to agree")).to_be_visible()
    assert_fine(lead)
    lead.get_by_label("What it is to be used for").fill("So that nobody waits until the rate says it")
    lead.get_by_role("button", name="I agree that it works").click()
    answer(lead, "A risk model orders lists within each tier")
    expect(lead.get_by_label("Decisions about risk models").get_by_role("listitem")).to_have_count(4)
    lead.get_by_role("link", name="On past years").click()
    expect(lead.get_by_role("img", name=re.compile("Right of 10 places on the list"))).to_be_visible()
    assert_fine(lead)

    lead.goto("/risk-model")
    lead.get_by_label("Why").fill("Two schools have changed their codes")
    lead.get_by_role("button", name="Switch it off now").click()
    answer(lead, "No risk model is in use")
    expect(lead.get_by_text("Two schools have changed their codes")).to_be_visible()
    editor.reload()
    expect(editor.get_by_role("button", name="Put it on trial")).to_be_visible()
