"""Import and the page of a source while something is fetched: they follow by themselves, and keep what one is doing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, update

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.sources import keeping
from ew_app.services.sources.keeping import Wanted
from models.base import db
from models.org import Source
from models.pulls import Pull
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine


@pytest.fixture
def source(system: System) -> Iterator[int]:
    """A source that is being looked at, for as long as the test does not say otherwise."""
    with system.inside():
        number = keeping.add("Harbor", Wanted("folder", location={"folder": "harbor"}), by=OPERATOR)
        with transaction():
            db.session.add(Pull(source_id=number, asked_at=now(), asked_by="schedule", started_at=now(), ended=""))
    yield number
    with system.inside(), transaction():
        db.session.execute(delete(Pull).where(Pull.source_id == number))
        db.session.execute(delete(Source).where(Source.id == number))


def ends(system: System, source: int) -> None:
    """The look comes to its end."""
    with system.inside(), transaction():
        ended = {"ended_at": now(), "ended": "nothing", "sentence": "Nothing new."}
        db.session.execute(update(Pull).where(Pull.source_id == source).values(ended))


def polls(page: Page, box: str) -> bool:
    return page.locator(f"#{box}").get_attribute("data-poll") is not None


def test_the_page_of_a_source_says_by_itself_that_the_look_is_over(
    open_window: Open, system: System, source: int
) -> None:
    page = open_window("system_admin")
    page.goto(f"/sources/{source}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbor is being looked at")
    assert_fine(page)
    ends(system, source)
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbor is well")
    assert not polls(page, "source")


def test_import_says_what_is_being_fetched_and_keeps_the_form_and_the_focus(
    open_window: Open, system: System, source: int
) -> None:
    page = open_window("data_steward")
    page.goto("/imports")
    notice = page.locator(".notice", has_text="Being fetched now: Harbor.")
    expect(notice).to_be_visible()
    assert_fine(page)
    page.get_by_label("Attendance file").set_input_files(
        [{"name": "mine.csv", "mimeType": "text/csv", "buffer": b"student_id,school_id,date,code\n"}]
    )
    held = page.get_by_role("link", name="attendance.csv").first
    held.focus()
    ends(system, source)
    expect(notice).to_have_count(0)
    assert not polls(page, "coming")
    assert page.get_by_label("Attendance file").evaluate("box => box.files.length") == 1, "the chosen file stays"
    assert page.evaluate("document.activeElement.textContent").startswith("attendance.csv"), "and so does the focus"
