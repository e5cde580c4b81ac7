"""The day the product is for: today's file comes in, a case is worked, and the network sees its counts move."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, sign_in
from tests.browser.system import System
from tests.browser.window import assert_fine

MOST_TAPS = 4
TIERS = ("Tier 1", "Watch", "Tier 2", "Tier 3")


def test_a_day_from_the_file_to_the_family_to_the_network(open_window: Open, system: System) -> None:
    lead = open_window("network_lead")
    before = tier_counts(lead)
    entered, left = bring_in_today(open_window(), system)
    number = work_a_case(open_window("social_worker"))
    log_a_contact(open_window("social_worker", phone=True), number)
    record_a_cause(open_window("social_worker"), number)
    see_the_difference(lead, before, entered, left)


def bring_in_today(page: Page, system: System) -> tuple[int, int]:
    """The clerk's four steps; how many students enter and leave Tier 2 or 3 in the whole district by this file."""
    sign_in(page, "attendance_clerk")
    page.get_by_role("link", name="Import", exact=True).first.click()
    assert_fine(page)
    send(page, system.todays_files)
    expect(page.get_by_role("heading", level=1)).to_contain_text("rows can go in")
    expected = page.locator("section", has_text="What will happen").get_by_role("listitem").all_inner_texts()
    assert any("would enter Tier 2" in line for line in expected), expected
    assert any("would open" in line for line in expected), expected
    assert_fine(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("rows are in")
    changed = page.locator("section", has_text="What changed").get_by_role("listitem").all_inner_texts()
    assert changed == [in_the_past(line) for line in expected], "what was foretold is what happened"
    assert_fine(page)
    entered, left = (
        sum(int(line.split()[0]) for line in changed if f"{moved} Tier" in line) for moved in ("entered", "left")
    )
    return entered, left


def send(page: Page, folder: Path) -> None:
    page.get_by_label("Attendance file").set_input_files(sorted(folder.iterdir()))
    page.get_by_role("button", name="Send and check").click()


def in_the_past(line: str) -> str:
    return line.replace("would enter", "entered").replace("would leave", "left").replace("would open", "opened")


def work_a_case(page: Page) -> int:
    """The social worker finds her case from Today and reads why; its number."""
    page.goto("/today")
    assert_fine(page)
    page.get_by_role("link", name="See all of your caseload").click()
    page.locator("table.list tbody").get_by_role("link").first.click()
    page.wait_for_url("**/cases/*")
    why = page.locator("section", has=page.get_by_role("heading", name="Why", exact=True))
    expect(why).to_contain_text("Tier")
    expect(why).to_contain_text("Rule R")
    expect(why.locator(".strip")).to_be_visible()
    assert_fine(page)
    return int(page.url.rpartition("/")[2])


def log_a_contact(page: Page, number: int) -> None:
    """On a phone, from the case to the saved contact, counted in taps."""
    page.goto(f"/cases/{number}")
    taps = [
        page.get_by_role("link", name="Log a contact"),
        page.get_by_role("radio", name="Left a voicemail"),
        page.get_by_role("button", name="Save"),
    ]
    assert len(taps) <= MOST_TAPS
    for one in taps:
        expect(one).to_be_in_viewport()  # nothing is looked for by scrolling
        box = one.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, f"{box} is too small for a thumb"
        one.tap()
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()
    page.goto(f"/cases/{number}/timeline")
    expect(page.locator("main")).to_contain_text("voicemail")
    expect(page.locator("main")).to_contain_text("Eli Romero")
    assert_fine(page)


def record_a_cause(page: Page, number: int) -> None:
    page.goto(f"/cases/{number}")
    page.get_by_role("link", name="Add what you learned").click()
    page.get_by_label("What gets in the way?").select_option("B-TRANSPORT")
    page.get_by_role("radio", name="A parent or caregiver").check()
    page.get_by_role("radio", name="They said so").check()
    page.get_by_label("This is the main one").check()
    page.locator("main form").get_by_role("button").click()
    expect(page.locator("ul.causes")).to_contain_text("No dependable way to get here")
    expect(page.locator("ul.causes")).to_contain_text("the main one")
    assert_fine(page)


def see_the_difference(page: Page, before: Mapping[str, int], entered: int, left: int) -> None:
    """The lead's own page moved with the file, by no more than the file said, and her schools are through today."""
    after = tier_counts(page)
    assert after != before
    assert sum(after.values()) == sum(before.values()), "nobody joined or left a school today"
    moved = after["Tier 2"] + after["Tier 3"] - before["Tier 2"] - before["Tier 3"]
    assert -left <= moved <= entered, (before, after, entered, left)
    expect(page.locator("main")).to_contain_text("Through Fri 20 Nov")
    assert_fine(page)


def tier_counts(page: Page) -> dict[str, int]:
    """The sum line of the network board: students by tier."""
    page.goto("/networks")
    total = page.locator("table.tier-counts tr.is-total")
    return {tier: int(total.locator(f'td[data-label="{tier}"]').inner_text().split()[0]) for tier in TIERS}
