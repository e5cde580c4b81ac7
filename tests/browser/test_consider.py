"""A counselor's lists without a risk model, and with one off, on trial, refused and at work; the reasons it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from ew_app.kernel import transaction
from ew_app.services.people import accounts
from models.base import db
from models.cases import Case
from models.people import Student
from models.risk import RiskScore
from models.tiers import StudentStatus
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine, contrast_troubles
from tests.services import risk_model, risk_staff

AGREE = ("policy_editor", "student_support_lead")
SECTION = "What earlier years suggest"


@dataclass
class Model:
    """The model of the running system, put into a state from behind the screens."""

    system: System

    def off(self) -> None:
        with self.system.inside():
            risk_staff.nothing()
            risk_model.trained()

    def on_trial(self) -> None:
        with self.system.inside():
            risk_staff.nothing()
            risk_staff.on_trial(AGREE)

    def refused(self) -> None:
        with self.system.inside():
            risk_staff.nothing()
            risk_staff.not_good_enough()

    def at_work(self) -> str:
        """The name of a student at the social worker's school whom no rule has reached and whom it brings forward."""
        with self.system.inside():
            risk_staff.nothing()
            number = risk_staff.at_work(AGREE)
            ours = db.session.scalar(select(Case.school_id).where(Case.owner_id == accounts.find("counselor").id))
            theirs = select(Case.id).where(Case.student_id == Student.id).exists()
            wanted = select(Student).join(StudentStatus, StudentStatus.student_id == Student.id)
            quiet = (
                StudentStatus.school_id == ours,
                StudentStatus.tier < 1,
                StudentStatus.rules == [],
                StudentStatus.enrolled_now,
                ~theirs,
            )
            found = db.session.scalars(wanted.where(*quiet).order_by(Student.id)).first()
            assert found
            with transaction():
                most = {"logit": 900, "range_key": "7"}
                here = RiskScore.model_id == number, RiskScore.student_id == found.id
                db.session.execute(update(RiskScore).where(*here).values(**most))
            return found.name


@pytest.fixture
def model(system: System) -> Iterator[Model]:
    """None yet, and none afterwards."""
    yield Model(system)
    with system.inside():
        risk_staff.nothing()


def order_of(page: Page) -> list[str]:
    return page.locator("main .row-link").all_inner_texts()


def test_a_counselors_lists_with_the_model_off_in_shadow_refused_and_on(open_window: Open, model: Model) -> None:
    page = open_window("counselor")
    page.goto("/flagged?since=year")
    usual = order_of(page)
    expect(page.locator("main")).not_to_contain_text("model")
    for state, sentence in (
        (model.off, "nobody has let it work"),
        (model.on_trial, "Nobody sees what it says"),
        (model.refused, risk_staff.WHY),
    ):
        state()
        page.goto("/flagged?since=year")
        expect(page.locator(".hint", has_text=sentence)).to_be_visible()
        assert order_of(page) == usual
        expect(page.get_by_role("link", name="Consider")).to_have_count(0)
    assert_fine(page)
    model.at_work()
    page.goto("/flagged?since=year")
    expect(page.locator(".hint", has_text="Ordered by a model within each tier")).to_be_visible()
    assert sorted(order_of(page)) == sorted(usual) and len(usual) > 2
    tiers = page.locator("td[data-label=Tier]").all_inner_texts()
    assert tiers == sorted(tiers, key=lambda tier: ("Tier 3" not in tier, "Tier 2" not in tier))
    assert_fine(page)
    page.goto("/caseload")
    page.get_by_role("link", name="Order it so").click()
    expect(page.locator(".hint", has_text="Rules alone decide who is in which tier")).to_be_visible()
    assert_fine(page)


def test_the_reasons_can_be_read_answered_and_passed_on(open_window: Open, model: Model) -> None:
    name = model.at_work()
    worker = open_window("social_worker")
    worker.goto("/consider")
    expect(worker.locator("tbody th", has_text=name)).to_be_visible()
    assert_fine(worker)
    assert contrast_of(worker) == []
    worker.get_by_role("link", name=f"Answer about {name}").click()
    expect(worker.get_by_label("What is wrong?")).to_be_hidden()
    worker.get_by_role("radio", name="Somebody has a look").check()
    worker.get_by_label("Who has a look?").select_option(label=counselor(worker))
    assert_fine(worker)
    worker.get_by_role("button", name="Save the answer").click()
    expect(worker.get_by_text("You can still take it back.")).to_be_visible()
    page = open_window("counselor")
    page.goto("/consider")
    expect(page.get_by_role("heading", level=1)).to_have_text("You were asked to look at 1 student")
    assert_fine(page)
    page.locator("main").get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", name=SECTION)).to_be_visible()
    expect(page.locator("#earlier-years")).to_contain_text("of 10 had missed a tenth of the year or more")
    assert_fine(page)
    assert contrast_of(page) == []
    page.emulate_media(media="print")
    expect(page.locator("#earlier-years")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Undo").click()
    page.goto("/consider")
    expect(page.get_by_role("heading", level=1)).to_have_text("You were asked to look at 1 student")


def counselor(page: Page) -> str:
    """The first counselor among those who may be asked."""
    offered = page.get_by_label("Who has a look?").locator("option").all_inner_texts()
    return next(words for words in offered if "school counselor" in words)


def contrast_of(page: Page) -> list[str]:
    page.emulate_media(color_scheme="dark")
    found = contrast_troubles(page)
    page.emulate_media(color_scheme="light")
    return found
