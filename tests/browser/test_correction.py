"""A correction, as people live through it: six days later, days without an excuse become excused.

Days without an excuse fall and the days absent stay; the case says what was taken back and goes on; nothing is
closed, opened or asked for a second time; a look back shows what was known then beside what is known now. The draft of
a letter goes with the marks it rests on and comes back with them; one that was sent comes back to whoever sent it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, text

from ew_app.kernel import transaction
from models.base import db
from models.cases import Case, Task
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine

SENT, CORRECTED, BETWEEN = date(2026, 11, 13), date(2026, 11, 19), date(2026, 11, 16)
ABSENT, EXCUSED = "A", "AE"
MEETING = "Family conference with a list of the supports on offer"  # asked for by days without an excuse alone


@dataclass(frozen=True)
class Pupil:
    """A student of the demo without a mark, and ten school days to miss, never two in a row."""

    id: int
    key: str
    school: str
    days: Sequence[date]


@pytest.fixture
def pupil(system: System) -> Pupil:
    with system.inside():
        number, key, school = db.session.execute(
            text("""
                SELECT p.id, p.key, s.key FROM student_status n
                JOIN student p ON p.id = n.student_id JOIN school s ON s.id = n.school_id
                WHERE n.enrolled_now AND n.tier = 0 AND s.id = (SELECT min(id) FROM school)
                  AND NOT EXISTS (SELECT FROM mark WHERE student_id = p.id)
                  AND NOT EXISTS (SELECT FROM support_case WHERE student_id = p.id)
                  AND (SELECT count(*) FROM stint WHERE student_id = p.id) = 1 ORDER BY p.id LIMIT 1
            """)
        ).one()
        taught = db.session.scalars(
            text("""
                SELECT c.day FROM calendar_day c JOIN school s ON s.id = c.school_id
                WHERE s.key = :school AND c.calendar_key = '' AND c.day < :sent AND c.day_type = 'instructional'
                ORDER BY c.day DESC LIMIT 20
            """),
            {"school": school, "sent": SENT},
        )
        return Pupil(number, key, school, sorted(list(taught)[1::2]))


def test_unexcused_becomes_excused_six_days_later(open_window: Open, system: System, pupil: Pupil) -> None:
    clerk, lead = open_window("attendance_clerk"), open_window("principal")
    bring_in(clerk, system, pupil, "november.csv", {day: ABSENT for day in pupil.days}, on=SENT)
    number, tasks = the_case(system, pupil), tasks_of(system, pupil)
    assert numbers(lead, pupil) == {"Absent": "10", "Excused": "0", "Unexcused": "10"}
    share = cell(lead, "Share")
    assert_says_why(lead, number, ["Chronic absence", "Nine days without valid cause"])
    assert_letter(lead, number, "draft")

    bring_in(clerk, system, pupil, "note from home.csv", {day: EXCUSED for day in pupil.days[:4]}, on=CORRECTED)
    assert numbers(lead, pupil) == {"Absent": "10", "Excused": "4", "Unexcused": "6"}
    assert cell(lead, "Share") == share, "chronic absence counts every day missed, excused or not"
    assert_both_truths(lead, pupil)
    assert_says_why(lead, number, ["Chronic absence"])
    assert_the_case_tells(lead, number, pupil)
    assert the_case(system, pupil) == number, "still open, and the only one"
    assert tasks_of(system, pupil) == {**tasks, MEETING: "withdrawn"}, "nothing asked twice, nothing else taken away"
    assert_letter(lead, number, "taken back")
    expect(lead.locator("tr", has_text=MEETING)).to_contain_text("The marks behind this were corrected")

    bring_in(clerk, system, pupil, "no note.csv", {day: ABSENT for day in pupil.days[:4]}, on=CORRECTED)
    assert tasks_of(system, pupil) == tasks, "asked for again, by the same task"
    send_the_letter(lead, number)
    bring_in(clerk, system, pupil, "note after all.csv", {day: EXCUSED for day in pupil.days[:4]}, on=CORRECTED)
    tell_the_family_again(lead, number)
    assert tasks_of(system, pupil) == {**tasks, MEETING: "withdrawn"}


# -- what happens ----------------------------------------------------------------------------------------------


def bring_in(page: Page, system: System, pupil: Pupil, name: str, marks: dict[date, str], *, on: date) -> None:
    """All steps of the import page; the clock on the wall then says that it was that day."""
    lines = [f"{pupil.key},{pupil.school},{day},{code}" for day, code in marks.items()]
    content = "\n".join(["student_id,school_id,date,code", *lines, ""]).encode()
    page.goto("/imports")
    page.get_by_label("Attendance file").set_input_files([{"name": name, "mimeType": "text/csv", "buffer": content}])
    page.get_by_role("button", name="Send and check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"All {len(marks)} rows can go in")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("rows are in")
    _was_on(system, int(re.findall(r"/imports/(\d+)", page.url)[0]), on)


def _was_on(system: System, batch: int, day: date) -> None:
    """Date back what a delivery recorded and did, as if it had come in on that afternoon."""
    at = {"batch": batch, "at": datetime(day.year, day.month, day.day, 20, tzinfo=UTC)}
    with system.inside(), transaction():
        for table in ("mark", "mark_history", "submission"):
            db.session.execute(text(f"UPDATE {table} SET recorded_at = :at WHERE batch_id = :batch"), at)
        db.session.execute(text("UPDATE mark_history SET ended_at = :at WHERE ended_by = :batch"), at)
        db.session.execute(
            text("UPDATE event SET at = :at WHERE at >= (SELECT received_at FROM batch WHERE id = :batch)"), at
        )
        db.session.execute(text("UPDATE batch SET received_at = :at, applied_at = :at WHERE id = :batch"), at)


def the_case(system: System, pupil: Pupil) -> int:
    """The number of the one case there is, which is open and new."""
    with system.inside():
        (case,) = db.session.scalars(select(Case).where(Case.student_id == pupil.id)).all()
        assert (case.closed_on, case.status, case.episode, case.tier) == (None, "new", 1, 2)
        return case.number


def tasks_of(system: System, pupil: Pupil) -> dict[str, str]:
    """What is asked for -> open, done or withdrawn."""
    with system.inside():
        found = db.session.execute(select(Task.title, Task.status).where(Task.student_id == pupil.id)).all()
        assert len(found) == len({title for title, _ in found})
        return {title: status for title, status in found}


# -- what people see -------------------------------------------------------------------------------------------


def numbers(page: Page, pupil: Pupil) -> dict[str, str]:
    """The student's numbers, on the student's page."""
    page.goto(f"/students/{pupil.key}")
    assert_fine(page)
    return {name: cell(page, name) for name in ("Absent", "Excused", "Unexcused")}


def cell(page: Page, name: str) -> str:
    return page.locator("tr", has_text="Wherever enrolled").locator(f'td[data-label="{name}"]').inner_text()


def assert_says_why(page: Page, number: int, labels: Sequence[str]) -> None:
    """The case rests on exactly these of the two rules."""
    page.goto(f"/cases/{number}")
    why = page.locator("section", has=page.get_by_role("heading", name="Why", exact=True))
    for label in ("Chronic absence", "Nine days without valid cause"):
        expect(why.locator(".why", has_text=re.compile(rf"^\s*{label}\."))).to_have_count(int(label in labels))
    assert_fine(page)


def assert_both_truths(page: Page, pupil: Pupil) -> None:
    """Looked back to a day between the two files, and to the day of the second one."""
    page.get_by_label("Day", exact=True).fill(BETWEEN.isoformat())
    page.get_by_role("button", name="Compare").click()
    section = page.locator("section", has=page.get_by_role("heading", name="As known on"))
    unexcused = section.locator("tr", has=page.get_by_role("rowheader", name="Unexcused"))
    expect(unexcused.locator('td[data-label="Known then"]')).to_have_text("10")
    expect(unexcused.locator('td[data-label="Known now"]')).to_have_text("6")
    expect(section.get_by_role("rowheader", name="Days absent")).to_have_count(0)  # the same then and now
    changed = section.locator("tr", has_text="note from home.csv")
    expect(changed).to_have_count(4)
    expect(changed.first).to_contain_text("absent, unexcused")
    expect(changed.first).to_contain_text(re.compile(r"note from home\.csv \(batch \d+\), line 2"))
    assert_fine(page)
    page.get_by_label("Day", exact=True).fill(CORRECTED.isoformat())
    page.get_by_role("button", name="Compare").click()
    expect(section).not_to_contain_text("note from home.csv")


def assert_the_case_tells(page: Page, number: int, pupil: Pupil) -> None:
    """The overview and the timeline say what was taken back, and lead to the file and its lines."""
    page.goto(f"/cases/{number}")
    notice = page.locator(".notice", has_text="A reason was taken back on Thu 19 Nov")
    expect(notice).to_contain_text("9 days without an excuse")
    expect(notice).to_contain_text("The case goes on")
    page.goto(f"/cases/{number}/timeline")
    entry = page.locator("li.entry", has_text="A reason was taken back after a correction")
    expect(entry).to_contain_text("9 days without an excuse")
    expect(page.locator("li.entry", has_text="Case closed")).to_have_count(0)
    expect(page.locator("li.entry", has_text="Case opened")).to_have_count(1)
    assert_fine(page)
    entry.get_by_role("link", name="See what was known then and now").click()
    expect(page.locator("#looked-back")).to_be_in_viewport()
    expect(page.locator("section", has_text="As known on").last).to_contain_text("note from home.csv")


# -- the letter ------------------------------------------------------------------------------------------------

LETTER, WRONG = "Invitation to talk", "Families to tell that a letter was wrong"


def assert_letter(page: Page, number: int, state: str) -> None:
    """The one letter of the case is in this state."""
    page.goto(f"/cases/{number}/tasks")
    line = page.locator("tr", has_text=LETTER)
    expect(line).to_have_count(1)
    expect(line.locator('td[data-label="State"]')).to_have_text(state)
    assert_fine(page)


def send_the_letter(page: Page, number: int) -> None:
    """Read the draft and say that it was sent."""
    assert_letter(page, number, "draft")
    page.get_by_role("link", name=LETTER).click()
    expect(page.get_by_role("main")).to_contain_text("has missed 10 of")
    assert_fine(page)
    page.get_by_role("button", name="It was sent").click()
    expect(page.locator(".notice", has_text="comes back to your Today page")).to_be_visible()
    assert_letter(page, number, "sent")
    page.goto("/today")
    expect(page.get_by_role("heading", name=WRONG)).to_have_count(0)


def tell_the_family_again(page: Page, number: int) -> None:
    """What was sent is not taken back by itself: it waits on Today until the family has been told."""
    assert_letter(page, number, "tell the family again")
    page.goto("/today")
    assert_fine(page)
    page.locator("section", has=page.get_by_role("heading", name=WRONG)).get_by_role("link").first.click()
    expect(page.get_by_role("main")).to_contain_text("The marks behind this letter were corrected after it was sent.")
    assert_fine(page)
    page.get_by_role("button", name="We have told the family").click()
    assert_letter(page, number, "sent")
    page.goto(f"/cases/{number}/timeline")
    expect(page.locator("li.entry", has_text="The family was told of the correction")).to_have_count(1)
    expect(page.locator("li.entry", has_text="Case closed")).to_have_count(0)
    page.goto("/today")
    expect(page.get_by_role("heading", name=WRONG)).to_have_count(0)
