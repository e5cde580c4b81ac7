"""The tasks of a working day, wide and on a phone: each within its clicks, counted and printed.

Seven of the eight that are measured: a file with mistakes, a call, why somebody is flagged, the next step of a case,
help from a colleague, the team's meeting, the schools that need help. A batch of letters has no screen yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.hand import Hand
from tests.browser.system import System

pytestmark = pytest.mark.deep  # counted for the record; each of these ways is walked by another test as well

PHONE_OR_NOT = [pytest.param(False, id="wide"), pytest.param(True, id="phone")]
At = Callable[[str, str], Hand]


@pytest.fixture(params=PHONE_OR_NOT)
def at(open_window: Open, request: pytest.FixtureRequest) -> At:
    """A function: login, address -> a hand at that page."""

    def begin(login: str, path: str) -> Hand:
        page = open_window(login, phone=request.param)
        page.goto(path)
        return Hand(page)

    return begin


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], None]]:
    """Prints a line even where the test passes."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    yield say


def first_case(page: Page) -> str:
    """The address of the first case of the list on the page."""
    return page.locator("table.list tbody .row-link").first.get_attribute("href") or ""


def test_a_file_with_twelve_mistakes_goes_in(at: At, system: System, tmp_path: Path, say: Callable[..., None]) -> None:
    hand = at("attendance_clerk", "/today")
    page = hand.page
    page.goto("/imports")
    page.get_by_label("Attendance file").set_input_files(with_mistakes(system, tmp_path))
    hand.clicks += 2  # the button of the browser, and the file
    hand.click(page.get_by_role("button", name="Send and check"))
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("12 need you")
    expect(page.locator(".problem").filter(has_text="No student has this id.")).to_contain_text("8 rows")
    hand.click(page.get_by_role("button", name="Apply"))
    expect(heading).to_contain_text("rows are in")
    assert hand.clicks <= 4
    say(hand.told("bring in a file with 12 mistakes"))


def with_mistakes(system: System, folder: Path) -> Path:
    """Rows that are in already, of every school, and twelve that cannot go in."""
    parts = sorted((system.todays_files.parent / "parts").glob("*/attendance.csv"))
    header, *rows = parts[-1].read_text(encoding="utf-8").splitlines()
    school = rows[-1].split(",")[1]
    day = rows[-1].split(",")[2]
    nobody = [f"no-such-{folder.name}-{number},{school},{day},A,,," for number in range(8)]
    nowhere = [f"{rows[-1].split(',')[0]},no-school-{number},{day},A,,," for number in range(4)]
    path = folder / "attendance.csv"
    path.write_text("\n".join([header, *rows[-400:], *nobody, *nowhere, ""]), encoding="utf-8")
    return path


def test_a_call_is_kept_with_its_outcome_and_a_next_date(at: At, say: Callable[..., None]) -> None:
    hand = at("social_worker", "/caseload?view=mine")
    page = hand.page
    hand.click(page.locator("table.list tbody .row-link").first)
    hand.click(page.get_by_role("link", name="Log a contact"))
    hand.click(page.get_by_role("radio", name="Left a voicemail"))
    hand.click(page.get_by_role("button", name="Save"))
    saved = page.get_by_role("status").filter(has_text="The contact is saved.")
    expect(saved).to_contain_text("Next:")
    assert hand.clicks <= 4 and hand.keys == 0
    say(hand.told("from the caseload to a saved call"))


def test_why_somebody_is_flagged_is_read(at: At, say: Callable[..., None]) -> None:
    hand = at("social_worker", "/flagged?since=year")
    page = hand.page
    row = page.locator("table.list tbody tr").first
    expect(row).to_contain_text("days")
    expect(row).to_contain_text("since")
    hand.click(row.locator(".row-link"))
    expect(page.get_by_role("heading", name="Why", exact=True)).to_be_visible()
    assert hand.clicks == 1
    say(hand.told("find out why somebody is flagged"))


def test_the_next_step_of_a_case_is_one_click_away(at: At, say: Callable[..., None]) -> None:
    hand = at("social_worker", "/caseload?view=mine")
    page = hand.page
    hand.click(page.locator("table.list tbody .row-link").first)
    expect(page.locator(".next-step")).to_be_in_viewport()
    assert hand.clicks == 1
    say(hand.told("open a case and read its next step"))


def test_schools_that_need_help_are_read_without_a_click(at: At, say: Callable[..., None]) -> None:
    hand = at("network_lead", "/today")
    expect(hand.page.get_by_role("heading", level=1)).to_contain_text("help")
    assert hand.clicks == 0
    say(hand.told("read which schools need help"))


def test_a_colleague_is_asked_for_help(at: At, say: Callable[..., None]) -> None:
    hand = at("social_worker", "/caseload?view=mine")
    page = hand.page
    hand.click(page.locator("table.list tbody .row-link").nth(1))
    page.wait_for_url("**/cases/*")
    hand.click(page.get_by_role("link", name=re.compile(r"^Tasks")))
    hand.click(page.get_by_role("link", name="Ask for help, or hand it over"))
    colleagues = page.get_by_label("Who should help?").locator("option")
    hand.choose(page.get_by_label("Who should help?"), colleagues.nth(1).get_attribute("value") or "")
    hand.write(page.get_by_label("In a sentence"), "Please call the family this week.")
    hand.click(page.get_by_role("button", name="See what they would see"))
    hand.click(page.get_by_role("button", name="Send it"))
    expect(page.get_by_role("status").filter(has_text="can say yes or no")).to_be_visible()
    assert hand.clicks <= 8
    say(hand.told("ask a colleague for help, seeing what they would see"))
    page.get_by_role("link", name="Please call the family this week.").first.click()
    page.get_by_role("button", name="Take it back").click()  # the same question can be asked again


def test_a_meeting_is_ready_before_the_team_sits_down(
    at: At, request: pytest.FixtureRequest, say: Callable[..., None]
) -> None:
    hand = at("principal", "/caseload?view=all")
    page = hand.page
    wanted = page.locator("table.list tbody .row-link").nth(int("phone" in request.node.name))
    number = (wanted.get_attribute("href") or "").rpartition("/")[2]
    page.goto("/today")
    if page.get_by_text("Menu", exact=True).is_visible():
        hand.click(page.get_by_text("Menu", exact=True))
    hand.click(page.get_by_role("link", name="Meeting", exact=True).filter(visible=True))
    begin = page.get_by_role("button", name="Begin the meeting")
    hand.click(begin.or_(page.get_by_role("link", name="Open today's meeting")))
    page.wait_for_url(re.compile(r"/meeting/\d+$"))
    hand.choose(page.get_by_label("Add a student"), number)
    hand.click(page.get_by_role("button", name="Add", exact=True))
    hand.click(page.get_by_role("link", name="Walk the list"))
    expect(page.locator("main")).to_contain_text(re.compile(r"1 of \d+"))
    assert hand.clicks <= 8 and hand.keys == 0
    say(hand.told("have the meeting ready, and open its first student"))


def test_rows_are_walked_by_keys_once_somebody_turned_them_on(open_window: Open, say: Callable[..., None]) -> None:
    page = open_window("principal")
    page.goto("/caseload?view=all")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body"), "off until somebody turns them on"
    page.get_by_text("Keep this view, and keys").click()
    page.get_by_role("button", name="Turn keys on").click()
    expect(page.locator("form[data-keys]")).to_be_visible()
    page.wait_for_load_state("load")  # the script of the page has run
    hand = Hand(page)
    hand.press("j")
    expect(page.locator("tbody .row-link").first).to_be_focused()
    hand.press("x")
    expect(page.locator(".bulk-count")).to_have_text("1 student ticked")
    hand.press("j")
    hand.press("k")
    address = first_case(page)
    hand.press("Enter")
    page.wait_for_url(f"**{address}")
    assert hand.clicks == 0
    say(hand.told("from the list into a case by keys"))


def test_several_cases_are_given_and_taken_back(open_window: Open, say: Callable[..., None]) -> None:
    page = open_window("principal")
    page.goto("/caseload?view=all")
    hand = Hand(page)
    for number in range(2):
        hand.click(page.locator("tbody .pick input").nth(number))
    expect(page.locator(".bulk-count")).to_have_text("2 students ticked")
    page.get_by_label("Give them to").select_option(index=1)
    hand.clicks += 2
    hand.click(page.get_by_role("button", name="Give", exact=True))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Give 2 cases to")
    hand.click(page.get_by_role("button", name="Give 2 cases"))
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    hand.click(undo)
    expect(page.get_by_role("status").filter(has_text="Taken back: 2 cases")).to_be_visible()
    say(hand.told("give two cases away, and take them back"))
