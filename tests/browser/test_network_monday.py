"""A network lead's Monday: five schools at a glance, one question, a review from its start to the printed minutes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.window import assert_fine


def test_a_monday_from_the_first_glance_to_the_minutes(open_window: Open) -> None:
    page = open_window("network_lead")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/today")
    schools = page.get_by_role("list", name="Schools that need help first").get_by_role("listitem")
    assert 1 <= schools.count() <= 5
    last = schools.last.bounding_box()
    assert last and last["y"] + last["height"] <= 800, "at a glance"
    schools.first.get_by_role("link").click()
    page.get_by_role("link", name="Ask this school").click()
    assert_fine(page)
    page.get_by_label("What do you ask?").fill("What do you need so that these families hear from you this week?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("no answer yet").first).to_be_visible()
    page.goto("/reviews")
    page.get_by_role("button", name="Start the review").first.click()
    assert_fine(page)
    page.get_by_role("link", name="Walk the list").click()
    assert_fine(page)
    page.get_by_label("Note").fill("The counselor post is open again")
    page.get_by_label("What is agreed").fill("Send somebody for two weeks")
    page.get_by_label("Who?").select_option(index=1)
    page.get_by_label("By which day?").fill("2027-01-15")
    page.get_by_role("button", name="Looked at").click()
    page.get_by_role("link", name="Review of").click()
    page.get_by_role("button", name="Close the review").click()
    expect(page.get_by_text("Send somebody for two weeks")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("The counselor post is open again")).to_be_visible()
    assert not page.locator("main button:visible").count()
    clerk = open_window("attendance_clerk")
    answer = clerk.goto("/reviews")
    assert answer and answer.status == 403
