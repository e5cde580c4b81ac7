"""A school whose day is missing: its file waits, its students' tiers are a range, and it ends when the file is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from ew_app.kernel import OPERATOR, today, transaction
from ew_app.services.deliveries import ingest, late_days, waiting
from ew_app.services.people import passwords
from models.base import db
from models.staff import Grant, Person
from tests.browser.conftest import PASSWORD, Open, sign_in
from tests.browser.system import System
from tests.browser.window import assert_fine

YESTERDAY = "Thu 19 Nov"


@dataclass(frozen=True)
class Late:
    """The demo's late school, who was asked to look at its file, and the task that asks for the day."""

    key: str
    name: str
    clerk: str
    task: int


@pytest.fixture
def late(system: System) -> Late:
    with system.inside():
        late_days.follow()
        found = db.session.execute(
            text("""
                SELECT s.key, s.name, p.login, t.id FROM task t JOIN school s ON s.id = t.school_id
                JOIN person p ON p.id = t.owner_id WHERE t.kind = 'feed' AND t.student_id IS NULL
            """)
        ).one()
        with transaction():
            clerk = db.session.query(Person).filter_by(login=found.login).one()
            clerk.password_hash, clerk.is_demo = passwords.hashed(PASSWORD), True
        return Late(*found)


@pytest.fixture
def helper(system: System, late: Late) -> Iterator[str]:
    """The social worker of the demo, who works at this school too meanwhile."""
    with system.inside(), transaction():
        person = db.session.query(Person).filter_by(login="social_worker").one()
        person.grants.append(Grant(role="social_worker", place=f"school:{late.key}", starts=person.grants[0].starts))
    yield "social_worker"
    with system.inside(), transaction():
        db.session.query(Grant).filter_by(role="social_worker", place=f"school:{late.key}").delete()


def test_its_students_stand_in_a_range_and_the_page_says_what_that_means(
    open_window: Open, system: System, late: Late, helper: str
) -> None:
    page = open_window(helper)
    page.goto(f"/students/{student_of(system, late)}")
    expect(page.locator(".page-head")).to_contain_text(
        f"{late.name.removesuffix(' School')} has sent a file that waits to be looked at"
    )
    key = one_between_tiers(system, late)
    page.goto(f"/students/{key}")
    expect(page.locator(".identity .tier-range")).to_have_text("– Tier 2 to Tier 3 · 1 day missing")
    told = page.locator(".notice", has_text="Still open")
    expect(told).to_contain_text("1 school day has not come in from the school. Nothing is guessed")
    expect(told).to_contain_text("stands somewhere from Tier 2 to Tier 3. The school is asked, not the family.")
    assert_fine(page)
    page.goto("/flagged?since=year&tier=3")
    row = page.locator("tr", has=page.locator(".tier-range"))
    expect(row.first.locator(".tier-range")).to_have_text("– Tier 2 to Tier 3 · 1 day missing")
    expect(page.locator(".freshness")).to_contain_text(
        f"1 earlier day of {late.name.removesuffix(' School')} is missing"
    )
    assert_fine(page)


def test_its_file_waits_for_whoever_may_let_it_in_and_the_task_ends_with_it(open_window: Open, late: Late) -> None:
    page = open_window()
    sign_in(page, late.clerk)
    page.goto("/today")
    asked = page.get_by_role("list", name="Attendance that has not come in").get_by_role("listitem")
    expect(asked.first).to_contain_text(YESTERDAY)
    expect(asked.first).to_contain_text(
        "is held until somebody has looked at it. 1 school day late. It is asked of you."
    )
    assert_fine(page)
    asked.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"the attendance of {YESTERDAY} is")
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.locator("li.entry").first).to_contain_text("A file came and is held. Asked to look at it")
    expect(page.locator("li.entry", has_text="Asked of")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("It need not be sent again")
    assert_fine(page)
    let_in_the_held_file(page, late)
    see_the_task_end(page, late)
    expect(page.locator("li.entry").first).to_contain_text("The day came in")
    assert_fine(page)
    page.goto("/today")
    expect(page.locator("main")).to_contain_text("Everything is in through the last school day.")
    expect(page.get_by_role("heading", name="Attendance that has not come in")).to_have_count(0)


# -- what is looked at, and what happens ------------------------------------------------------------------------


def student_of(system: System, late: Late) -> str:
    """Any student of the school."""
    return _student(system, late, "n.enrolled_now")


def one_between_tiers(system: System, late: Late) -> str:
    """The school sends today but not yesterday; then the key of a student whom yesterday may move."""
    someone = student_of(system, late)
    with system.inside():
        rows = f"student_id,school_id,date,code\n{someone},{late.key},{today()},A\n"
        files = {"attendance.csv": rows.encode(), "covers.csv": f"school_id,date\n{late.key},{today()}\n".encode()}
        batch = ingest.receive(kind="attendance", name="today.csv", files=files, by=OPERATOR, accept_held=True)
        waiting.for_batch(batch, lambda percent, step: None)
    return _student(system, late, "n.tier_min = 2 AND n.tier_max = 3")


def _student(system: System, late: Late, where: str) -> str:
    with system.inside():
        found = db.session.scalars(
            text(f"""
                SELECT p.key FROM student_status n JOIN student p ON p.id = n.student_id
                JOIN school s ON s.id = n.school_id WHERE s.key = :school AND {where} ORDER BY p.key
            """),
            {"school": late.key},
        )
        return str(found.first())


def see_the_task_end(page: Page, late: Late) -> None:
    """The task ends in a job of its own, behind the file: whoever looks again sees it."""
    ended = page.get_by_role("heading", level=1, name="is asked for no longer")
    for _ in range(120):
        page.goto(f"/late/{late.task}")
        if ended.count():
            return
        page.wait_for_timeout(500)
    expect(ended).to_be_visible()


def let_in_the_held_file(page: Page, late: Late) -> None:
    """The school has sent the day by itself; the file waits because it speaks of one school only."""
    page.goto(f"/late/{late.task}")
    page.get_by_role("link", name="Look at the file").click()
    page.get_by_label("Why is it right after all?").fill("We send our own file.")
    page.get_by_role("button", name="Let it in anyway").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"(row is|rows are) in"))
