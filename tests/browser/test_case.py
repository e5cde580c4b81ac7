"""Working a case without a mouse, without JavaScript, on paper, and twice by mistake."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from models.base import db
from models.cases import Case, Outreach
from tests.browser.conftest import PASSWORD, Open
from tests.browser.system import System
from tests.browser.window import assert_fine


@pytest.fixture
def case(open_window: Open) -> int:
    """The number of an open case of the social worker, the first of her caseload."""
    page = open_window("social_worker")
    page.goto("/caseload?view=mine")
    page.locator("table.list tbody").get_by_role("link").first.click()
    page.wait_for_url("**/cases/*")
    return int(page.url.rpartition("/")[2])


def contacts(system: System, number: int) -> int:
    """How many contacts stand in the database for the student of this case."""
    with system.inside():
        student = select(Case.student_id).where(Case.number == number).scalar_subquery()
        return db.session.scalar(select(func.count()).where(Outreach.student_id == student)) or 0


def test_a_contact_is_logged_with_the_keyboard_alone(open_window: Open, system: System, case: int) -> None:
    page, before = open_window("social_worker"), contacts(system, case)
    page.goto(f"/cases/{case}/outreach")
    tab_to(page, "#method-call")  # a phone call is chosen already
    tab_to(page, "[name=outcome]")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=outcome]:checked")).to_have_count(1)
    tab_to(page, "details.more-fields summary")
    page.keyboard.press("Enter")
    tab_to(page, "#note")
    page.keyboard.type("Grandmother answers after four.")
    tab_to(page, ".action-bar button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()
    assert contacts(system, case) == before + 1


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until that element, or one of them, has the focus and shows it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("chosen => document.activeElement.matches(chosen)", selector):
            assert page.evaluate(SHOWS_FOCUS), f"{selector} does not show that it has the focus"
            return
    raise AssertionError(f"the keyboard does not reach {selector} in {most} steps")


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SHOWS_FOCUS = """() => {
  const here = document.activeElement;
  const near = [here, here.nextElementSibling, here.parentElement].filter(Boolean);
  return near.some((one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
  });
}"""


def test_without_javascript_a_person_signs_in_opens_a_case_and_logs_a_contact(
    open_window: Open, system: System, case: int
) -> None:
    page, before = open_window(javascript=False), contacts(system, case)
    page.goto(f"/cases/{case}")
    page.get_by_label("Login").fill("social_worker")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/cases/{case}")
    page.get_by_role("link", name="Log a contact").click()
    page.get_by_role("radio", name="No answer").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()
    page.goto(f"/cases/{case}/timeline")
    expect(page.get_by_role("list", name="What happened")).to_contain_text("Phone call: no answer")
    assert contacts(system, case) == before + 1


def test_a_form_that_is_sent_twice_writes_once(open_window: Open, system: System, case: int) -> None:
    page, before = open_window("social_worker", javascript=False), contacts(system, case)
    page.goto(f"/cases/{case}/outreach")
    page.get_by_role("radio", name="No answer").check()
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Save").dblclick()
    page.wait_for_url(f"**/cases/{case}")
    assert contacts(system, case) == before + 1, "a double click is one contact"
    page.reload()
    assert contacts(system, case) == before + 1, "loading the page again writes nothing"
    again = page.request.post(sent.value.url, data=sent.value.post_data, headers=FORM)
    assert again.ok and again.url.endswith(f"/cases/{case}")
    assert contacts(system, case) == before + 1, "the same form sent once more is the same contact"


def test_a_contact_without_an_outcome_is_asked_for_it_and_loses_nothing(open_window: Open, case: int) -> None:
    page = open_window("social_worker")
    page.goto(f"/cases/{case}/outreach")
    page.locator("details.more-fields summary").click()
    page.get_by_label("Note", exact=True).fill("Kept though the rest was missing.")
    page.get_by_role("button", name="Save").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_visible()
    expect(summary).to_contain_text("Choose what happened.")
    expect(page.get_by_label("Note", exact=True)).to_have_value("Kept though the rest was missing.")
    assert_fine(page)


@pytest.mark.parametrize("path", ["/cases/{case}", "/cases/{case}/timeline", "/students/{student}"])
def test_a_printed_case_has_neither_navigation_nor_what_is_only_for_some(
    open_window: Open, system: System, case: int, path: str
) -> None:
    with system.inside():
        student = db.session.scalars(select(Case).where(Case.number == case)).one().student.key
    page = open_window("social_worker")
    page.goto(path.format(case=case, student=student))
    page.emulate_media(media="print")
    assert_on_paper(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize(
    "login, path", [("principal", "/schools"), ("network_lead", "/networks"), ("district_analyst", "/district")]
)
def test_a_printed_board_has_its_counts_and_no_navigation(open_window: Open, login: str, path: str) -> None:
    page = open_window(login)
    page.goto(path)
    page.emulate_media(media="print")
    assert_on_paper(page)
    expect(page.locator("table.tier-counts").first).to_be_visible()


HIDDEN = ".rail, .topbar, .skip, .foot, .banners, .restricted, .page-actions, .page-filters, .no-print, button, .btn"


def assert_on_paper(page: Page) -> None:
    shown: Any = page.locator(HIDDEN).evaluate_all(
        "all => all.filter((one) => one.checkVisibility({visibilityProperty: true})).map((one) => one.outerHTML)"
    )
    assert shown == []
    page.set_viewport_size({"width": 718, "height": 1000})  # letter paper inside its margins
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 718, f"{width} px do not fit on the sheet"
