"""From the caseload to a saved call with its outcome and next date in four taps; the call list; one write each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select

from ew_app.kernel import today
from models.base import db
from models.cases import Outreach
from models.org import School
from models.people import Student
from models.queries.absent import Away
from rules.access import Area, Scope
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.test_case import FORM
from tests.browser.window import assert_fine

MOST_TAPS = 4
CALL_LIST, OUTREACH = "/absent", "/outreach"
SHOWN = 14  # days back for which the call list can be asked
SIZES = pytest.mark.parametrize("phone", [False, True], ids=["wide", "360 px"])


def written(system: System) -> int:
    with system.inside():
        return db.session.scalar(select(func.count()).select_from(Outreach)) or 0


def newest(system: System) -> Outreach:
    with system.inside():
        return db.session.scalars(select(Outreach).order_by(Outreach.id.desc()).limit(1)).one()


@pytest.fixture
def call_list(system: System) -> str:
    """The call list of the newest day before today with families to call.

    Without a day the list is about the last one that came in: after another test has sent a row of today that is
    today, with one family or none.
    """
    with system.inside():
        schools = db.session.scalars(select(School.id)).all()
        for back in range(1, SHOWN + 1):
            day = today() - timedelta(days=back)
            to_call, _ = Away(Scope(whole=Area(district=True)), None, today(), schools, day).counts()
            if to_call:
                return f"{CALL_LIST}?day={day}"
    pytest.fail(f"The demo has nobody to call about the last {SHOWN} days.")


@SIZES
def test_from_the_caseload_to_a_saved_call_with_its_next_date_in_four_taps(
    open_window: Open, system: System, phone: bool
) -> None:
    page, before, taps = open_window("social_worker", phone=phone), written(system), 0
    page.goto("/caseload?view=mine")
    steps = [
        page.locator("table.list tbody").get_by_role("link").first,
        page.get_by_role("link", name="Log a contact"),
        page.get_by_role("radio", name="Left a voicemail"),
        page.get_by_role("button", name="Save"),
    ]
    for one in steps:
        one.scroll_into_view_if_needed()
        one.tap() if phone else one.click()
        taps += 1
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()
    assert taps <= MOST_TAPS
    assert written(system) == before + 1
    made = newest(system)
    assert (made.method, made.outcome) == ("call", "left_voicemail")
    assert made.next_date is not None and made.next_date > made.on_day


def row(page: Page) -> Locator:
    return page.locator("li.call").first


@SIZES
def test_a_clerk_calls_down_the_list_with_one_tap_a_call(
    open_window: Open, system: System, call_list: str, phone: bool
) -> None:
    page, before = open_window("attendance_clerk", phone=phone), written(system)
    page.goto(call_list)
    expect(page.get_by_role("heading", level=1)).to_contain_text("to call")
    assert "Tier" not in page.locator("main").inner_text()
    called = row(page).get_by_role("link").first.inner_text()
    press(row(page).get_by_role("button", name="No answer"), phone)
    expect(page.get_by_role("status").filter(has_text="Saved: no answer.")).to_be_visible()
    press(row(page).locator("summary"), phone)
    press(row(page).get_by_role("button", name="Not well"), phone)
    expect(page.get_by_role("status").filter(has_text="Saved: reached, not well.")).to_be_visible()
    assert written(system) == before + 2
    with system.inside():
        name = db.session.get_one(Student, newest(system).student_id).name
    assert name == called, "the list keeps its order, so the same family was first again"
    assert_fine(page)


def press(one: Locator, phone: bool) -> None:
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    assert box and (not phone or box["height"] >= 44), f"{box} is too small for a thumb"
    one.tap() if phone else one.click()


@pytest.mark.parametrize(
    "path", [pytest.param(CALL_LIST, id="call list"), pytest.param(OUTREACH, id="outreach", marks=pytest.mark.deep)]
)
def test_double_click_back_refresh_and_a_slow_network_write_once(
    open_window: Open, system: System, call_list: str, path: str
) -> None:
    login = "attendance_clerk" if path == CALL_LIST else "social_worker"
    page, before = open_window(login), written(system)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow_down = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow_down)
    page.goto(call_list if path == CALL_LIST else path)
    if path == CALL_LIST:
        button = row(page).get_by_role("button", name="Voicemail")
    else:
        page.locator("ul.do-list").get_by_role("link").first.click()
        page.get_by_role("radio", name="No answer").check()
        button = page.get_by_role("button", name="Save")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        button.dblclick()
    expect(page.get_by_role("status").filter(has_text="aved").first).to_be_visible()
    assert written(system) == before + 1, "a double click is one contact"
    page.reload()
    assert written(system) == before + 1, "loading the page again writes nothing"
    again = page.request.post(sent.value.url, data=sent.value.post_data, headers=FORM)
    assert again.ok and written(system) == before + 1, (
        "the same form once more, as after going back, is the same contact"
    )
    page.go_back()
    assert written(system) == before + 1, "going back writes nothing"
