"""S10 in the browser: two people write one plan at once, and a form that is sent twice writes once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from models.base import db
from models.cases import Case
from models.plans import Plan, PlanSupport
from models.staff import Person
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine

THEIRS, MINE = "Here on all Mondays, as her mother said", "Here four days of five, as she said herself"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def case(system: System) -> int:
    """The number of a case of the social worker for which a plan can be written."""
    with system.inside():
        worker = select(Person.id).where(Person.login == "social_worker").scalar_subquery()
        mine = select(Case.number).where(
            Case.owner_id == worker, Case.status.in_(("contacting", "planned", "monitoring"))
        )
        return db.session.scalars(mine.where(Case.closed_on.is_(None)).order_by(Case.number)).first() or 0


def rows_of(system: System, table: Any, number: int) -> int:
    """How many rows of a table stand in the database for this case."""
    with system.inside():
        of_case = select(func.count()).select_from(table).join(Case, Case.id == table.case_id)
        return db.session.scalar(of_case.where(Case.number == number)) or 0


def written(page: Page, number: int, goal: str) -> None:
    page.goto(f"/cases/{number}/plan/write")
    page.get_by_label("The goal", exact=True).fill(goal)


def test_two_people_write_one_plan_and_no_word_is_lost(open_window: Open, system: System, case: int) -> None:
    mine, theirs, before = open_window("social_worker"), open_window("principal"), rows_of(system, Plan, case)
    written(mine, case, MINE)
    written(theirs, case, THEIRS)
    theirs.get_by_role("button", name="Save the plan").click()
    theirs.wait_for_url(f"**/cases/{case}/plan")
    mine.get_by_role("button", name="Save the plan").click()
    expect(mine.locator("main")).to_contain_text("changed this plan while you were writing")
    expect(mine.locator("main")).to_contain_text(THEIRS)
    expect(mine.get_by_label("The goal", exact=True)).to_have_value(MINE)
    assert rows_of(system, Plan, case) == before + 1, "nothing was written over"
    assert_fine(mine)
    mine.get_by_role("button", name="Save the plan").click()
    mine.wait_for_url(f"**/cases/{case}/plan")
    expect(mine.locator("main")).to_contain_text(MINE)
    expect(mine.get_by_text(THEIRS)).to_have_count(1)  # kept among what the plan said before
    assert rows_of(system, Plan, case) == before + 2
    assert_fine(mine)


def test_a_support_sent_twice_is_one_support(open_window: Open, system: System, case: int) -> None:
    page, before = open_window("social_worker", javascript=False), rows_of(system, PlanSupport, case)
    page.goto(f"/cases/{case}/plan/supports/new")
    page.locator("#intervention-I12, #intervention-I11").first.check(force=True)
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Add it to the plan").dblclick()
    page.wait_for_url(f"**/cases/{case}/plan")
    page.reload()
    page.go_back()
    again = page.request.post(sent.value.url, data=sent.value.post_data, headers=FORM)
    assert again.ok and rows_of(system, PlanSupport, case) == before + 1


@pytest.mark.parametrize("path", ["/plan", "/plan/look", "/plan/family", "/supports-first"])
def test_the_pages_of_a_plan_can_be_used(open_window: Open, case: int, path: str) -> None:
    page = open_window("social_worker")
    answer = page.goto(f"/cases/{case}{path}")
    assert answer and answer.status == 200
    assert_fine(page)
