"""The way of one child: flagged, heard, helped, back at school; and what others see of her on the way.

Ana of Lincoln misses six of her first twenty-four days. Her mother tells the social worker that they had to move out;
the liaison for temporary living situations is asked for help and says yes, and nobody else learns of what. A card for
the bus is asked for, approved, issued, in her hand. In December the clerk's files say that Ana is there every day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from ew_app import outbox
from ew_app.config import Settings, load_settings
from ew_app.local import child
from ew_app.outbox import Job
from ew_app.services.people import demo_people
from ew_app.services.sources import lining_up
from models.base import db
from models.jobs import Outbox
from tests.browser import system as running_system
from tests.browser.conftest import PATIENCE, sign_in
from tests.browser.window import PHONE, WIDE, Watch, assert_fine
from tests.opened import on
from tests.services import lincoln_and_carver as district

SEPTEMBER, DECEMBER = date(2026, 9, 18), date(2026, 12, 11)
MISSED = ("08-19", "08-26", "09-01", "09-04", "09-10", "09-16")
SECRET = re.compile("housing|living situation|moved out|stls|ventra|temporary|liaison for students", re.IGNORECASE)
ASKED = "Please talk with the family this week; they know why."


@pytest.fixture(scope="module")
def lincoln(browser: Browser, new_database: Callable[[], str], redis_url: str, tmp_path_factory: Any) -> Settings:
    """Lincoln and Carver on 18 September, attendance in, and one person of every role at Lincoln."""
    ready = load_settings(
        {
            "EW_DATABASE_URL": new_database(),
            "EW_REDIS_URL": redis_url,
            "EW_DATA_DIR": str(tmp_path_factory.mktemp("child")),
            "EW_SECRET_KEY": "a key for tests only",
        }
    )
    ready = replace(ready, port=child.free_port(None), today=SEPTEMBER)
    with on(ready):
        district.build()
        demo_people.add()
        files = days_of(district.FIRST_DAY, SEPTEMBER, MISSED)
        assert district.load_files(files, accept_held=True)["status"] == "applied"
    return ready


def days_of(first: date, last: date, missed: tuple[str, ...]) -> dict[str, bytes]:
    """The files of every school day from first to last, with the days on which Ana was not there."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    taught = [day.strftime("%m-%d") for day in days if day.weekday() < 5 and day != district.LABOR_DAY]
    claims = [f"{school} {day}" for day in taught for school in ("lincoln", "carver")]
    rows = [f"ana lincoln {day} A" for day in missed] + [f"ben lincoln {taught[-1]} T"]
    return {"attendance.csv": district.csv(*rows), "covers.csv": district.covers(*claims)}


def work_off(settings: Settings) -> None:
    """Do what the page of the import has queued, as the worker does."""
    with on(settings):
        for row in db.session.scalars(select(Outbox).where(Outbox.job == Job.LOAD_BATCH, Outbox.done_at.is_(None))):
            assert outbox.perform(Job.LOAD_BATCH, row.id, lining_up.load)


class House:
    """The web server on one day, and a window for each person; `known` keeps who has signed in before."""

    def __init__(self, browser: Browser, address: str, known: dict[str, Any]) -> None:
        self._browser, self._address, self._known = browser, address, known
        self._contexts: list[Any] = []
        self.watches: list[Watch] = []

    def window(self, login: str, *, phone: bool = False) -> Page:
        size: Any = PHONE if phone else WIDE
        context = self._browser.new_context(
            base_url=self._address, viewport=size, has_touch=phone, reduced_motion="reduce",
            storage_state=self._known.get(login),
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        self.watches.append(Watch(context, self._address))
        page = context.new_page()
        if login not in self._known:
            sign_in(page, login)
            self._known[login] = context.storage_state()
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@contextmanager
def open_on(day: date, settings: Settings, browser: Browser, known: dict[str, Any]) -> Iterator[House]:
    settings = replace(settings, today=day)
    with running_system.service(settings, "web", "--workers", "1"):
        running_system.wait_for(f"{settings.address}/healthz")
        house = House(browser, settings.address, known)
        try:
            yield house
        finally:
            house.close()
        assert [wrong for watch in house.watches for wrong in watch.wrong] == []


def test_the_way_of_one_child(lincoln: Settings, browser: Browser) -> None:
    known: dict[str, Any] = {}
    with open_on(SEPTEMBER, lincoln, browser, known) as house:
        worker, liaison = house.window("social_worker"), house.window("stls_liaison")
        number = taken_from_the_flagged(worker)
        heard(house.window("social_worker", phone=True), number)
        cause_is_told(worker, number)
        asked_for_help(worker, number)
        accepted(liaison)
        card_in_hand(liaison)
        reported_back(liaison, worker, number)
        planned(worker, number)
        seen_by_others(house, number)
    with open_on(DECEMBER, lincoln, browser, known) as house:
        brought_in(house.window("attendance_clerk"), replace(lincoln, today=DECEMBER))
        worker = house.window("social_worker")
        recovered(worker, number)
        closed(worker, number)
        seen_by_others(house, number)


def taken_from_the_flagged(page: Page) -> int:
    """Newly flagged with a sentence; accepted with one press; the number of her case."""
    page.goto("/flagged")
    row = page.locator("tr", has_text="Ana Reyes")
    expect(row).to_contain_text("6 of 24 days")
    row.get_by_role("button", name=re.compile("Accept|Take it")).click()
    expect(page.get_by_role("status").filter(has_text="This case is yours now.")).to_be_visible()
    page.get_by_role("link", name="Ana Reyes").first.click()
    expect(page.locator(".next-step")).to_be_in_viewport()
    assert_fine(page)
    return int(re.findall(r"/cases/(\d+)", page.url)[0])


def heard(page: Page, number: int) -> None:
    """On the phone at the door: her mother is reached."""
    page.goto(f"/cases/{number}")
    page.get_by_role("link", name="Log a contact").tap()
    page.get_by_role("radio", name="Reached, agreed on a next step").tap()
    page.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()


def cause_is_told(page: Page, number: int) -> None:
    """What her mother said is kept where only some may read it, and the liaison is asked."""
    page.goto(f"/cases/{number}/causes")
    page.get_by_label("What gets in the way?").select_option("B-HOUSING")
    page.get_by_role("radio", name="A parent or caregiver").check()
    page.get_by_role("radio", name="They said so").check()
    page.locator("main form").get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="Only those who may open")).to_be_visible()
    page.goto(f"/cases/{number}/timeline")
    assert not SECRET.search(page.locator("main ol.timeline").inner_text())


def asked_for_help(page: Page, number: int) -> None:
    """A question to the liaison in neutral words; what they would see is shown before it is sent."""
    page.goto(f"/cases/{number}/help")
    choices = page.get_by_label("Who should help?")
    liaison = choices.locator("option", has_text="STLS liaison").first
    expect(liaison).not_to_contain_text("fits this case")  # what was told stays where it is
    choices.select_option(liaison.get_attribute("value"))
    page.get_by_label("In a sentence").fill(ASKED)
    page.get_by_role("button", name="See what they would see").click()
    expect(page.locator(".confirm")).to_contain_text("Nothing that is kept only for some goes along")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("status").filter(has_text="can say yes or no")).to_be_visible()


def accepted(page: Page) -> None:
    """The liaison finds the question on Today and says yes."""
    page.goto("/today")
    page.get_by_role("list", name="Asked of you").get_by_role("link", name="Ana Reyes").click()
    page.wait_for_url("**/asked/*")
    expect(page.locator("main")).to_contain_text(ASKED)
    page.get_by_role("button", name="Yes, I take it").click()
    expect(page.get_by_role("status").filter(has_text="You said yes.")).to_be_visible()


def card_in_hand(page: Page) -> None:
    """On the list of what was promised: asked for, approved, issued, in hand, each with its day and her name."""
    page.goto("/supports/stls?q=Ana")
    page.get_by_role("list", name="Students found").get_by_role("link", name="Ana Reyes").click()
    page.get_by_role("radio", name="Ventra card").check()
    page.get_by_label("Asked for on").fill("2026-09-15")
    page.get_by_role("button", name="Write it down").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Ventra card: asked for")
    for state, day in (("Approved", "2026-09-16"), ("Issued, on its way", "2026-09-17"), ("In hand", "2026-09-18")):
        page.get_by_role("radio", name=state).check()
        page.get_by_label("On", exact=True).fill(day)
        page.get_by_role("button", name="Save").click()
        expect(heading).to_have_text(f"Ventra card: {state[0].lower()}{state[1:]}")
    expect(page.locator("main")).to_contain_text("3 school days, until Fri 18 Sep, 1 of them missed")


def reported_back(liaison: Page, worker: Page, number: int) -> None:
    """The task of the list is done, and whoever asked reads that it is, without what it was."""
    liaison.goto("/supports/stls")
    liaison.get_by_role("list", name="Do first").get_by_role("button", name=re.compile("Mark done")).first.click()
    liaison.goto("/asked")
    liaison.get_by_role("link", name="Ana Reyes").first.click()
    liaison.get_by_label("What came of it?").fill("The family has what it asked for.")
    liaison.get_by_role("button", name="Done", exact=True).click()
    expect(liaison.get_by_role("status").filter(has_text="reads what you did")).to_be_visible()
    worker.goto(f"/cases/{number}/help")
    worker.get_by_role("link", name=ASKED).click()
    told = worker.locator("main")
    expect(told).to_contain_text("The family has what it asked for.")
    expect(told).not_to_contain_text("Ventra")


def planned(page: Page, number: int) -> None:
    """A small step agreed with the family; two of the first three steps are done, the third is not for this list."""
    page.goto(f"/cases/{number}/plan")
    page.get_by_role("link", name="Write the plan").click()
    page.get_by_label("The goal", exact=True).fill("Here four days of five until winter break.")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_role("status").filter(has_text="The plan stands.")).to_be_visible()
    page.goto(f"/cases/{number}")
    expect(page.locator(".checklist .is-done")).to_have_count(2)
    assert_fine(page)


def brought_in(page: Page, settings: Settings) -> None:
    """The clerk sends twelve weeks of files, looks at what they would do, and lets them in."""
    page.goto("/imports")
    files = days_of(SEPTEMBER + timedelta(days=3), DECEMBER, ()).items()
    page.get_by_label("Attendance file").set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    )
    page.get_by_role("button", name="Send and check").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Checking what the file would do")
    work_off(settings)
    expect(heading).to_contain_text("The one row can go in")
    page.get_by_role("button", name="Apply").click()
    work_off(settings)
    expect(heading).to_contain_text("is in")


def recovered(page: Page, number: int) -> None:
    """Twelve weeks later the days say so, and the plan is looked at with the family."""
    page.goto(f"/cases/{number}/attendance")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Absent 6 of (7|8)\d days"))
    assert_fine(page)
    page.goto(f"/cases/{number}/plan/look")
    page.locator("[name=decision][value=exit]").check(force=True)
    page.get_by_label("The family or the student was part of it").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Next look")).to_be_visible()


def closed(page: Page, number: int) -> None:
    """The plan was looked at with the family, and the case ends with its reason."""
    page.goto(f"/cases/{number}/close")
    page.get_by_role("radio", name="Attendance recovered").check()
    page.get_by_label("The goals were looked at").check()
    page.get_by_label("The family knows that it ends").check()
    for one in page.get_by_role("radio", name="Yes", exact=True).all():
        one.check()
    page.get_by_role("button", name="Close the case").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("attendance recovered")


def seen_by_others(house: House, number: int) -> None:
    """A clerk sees days, a network lead counts, a nurse days; none of them the case, its tier or why."""
    for login in ("attendance_clerk", "nurse"):
        page = house.window(login)
        page.goto("/students/ana")
        told = page.locator("main").inner_text()
        assert "Ana has missed 6 of" in told and "Tier" not in told and not SECRET.search(told), login
        answer = page.goto(f"/cases/{number}")
        assert answer and answer.status in (403, 404), login
    lead = house.window("network_lead")
    lead.goto("/networks")
    counted = lead.locator("main").inner_text()
    assert "Reyes" not in counted and not SECRET.search(counted)
    for path in ("/students/ana", f"/cases/{number}", f"/cases/{number}/restricted/stls"):
        answer = lead.goto(path)
        assert answer and answer.status in (403, 404), path
