"""A file that is not right: rows that cannot go in are named with line and sentence, and nothing is half done."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine

SUNDAY = "2026-11-15"


@pytest.fixture
def clerk(open_window: Open) -> Page:
    page = open_window("attendance_clerk")
    page.goto("/imports")
    return page


def send(page: Page, *paths: Path) -> None:
    page.get_by_label("Attendance file").set_input_files(list(paths))
    page.get_by_role("button", name="Send and check").click()


def answer(page: Page) -> str:
    """The heading once the worker has looked at the file."""
    heading = page.get_by_role("heading", level=1)
    expect(heading).not_to_contain_text("Checking what the file would do")
    return heading.inner_text()


def todays_rows(system: System) -> list[str]:
    """The lines of the file that came in today; the first one is the header."""
    return (system.todays_files / "attendance.csv").read_text(encoding="utf-8").splitlines()


def somebody_else(system: System, rows: list[str]) -> tuple[str, str]:
    """A student, and the school, of whom today's rows say nothing."""
    named = {row.split(",")[0] for row in rows}
    with (system.todays_files.parent / "enrollments.csv").open(encoding="utf-8") as file:
        here = [one for one in csv.DictReader(file) if not one["exit_date"] and one["student_id"] not in named]
    return here[0]["student_id"], here[0]["school_id"]


def problem(page: Page, words: str) -> Locator:
    return page.locator(".problem").filter(has_text=words)


def test_what_cannot_go_in_is_named_by_line_and_nothing_is_kept(clerk: Page, system: System, tmp_path: Path) -> None:
    rows = todays_rows(system)
    day = rows[1].split(",")[2]
    student, school = somebody_else(system, rows)
    added = [f"{student},{school},{day},ZZ,,,", f"{student},{school},{SUNDAY},A,,,", f"no-such,{school},{day},A,,,"]
    unknown_code, off_calendar, unmatched = (len(rows) + number for number in (1, 2, 3))
    send(clerk, written(tmp_path, [*rows, *added]))
    assert answer(clerk) == f"{len(rows) + 1} of {len(rows) + 2} rows can go in. 1 needs you."
    expect(problem(clerk, "No student has this id.")).to_contain_text(f"line {unmatched}")
    expect(problem(clerk, "no school on this day")).to_contain_text(f"line {off_calendar}")
    expect(problem(clerk, "ZZ")).to_contain_text(f"line {unknown_code}")
    expect(problem(clerk, "ZZ").get_by_role("link", name="Say what ZZ means")).to_be_visible()
    expect(clerk.locator("main")).to_contain_text("1 row on days without school")
    assert_fine(clerk)
    with clerk.expect_download() as download:
        clerk.get_by_role("link", name="Download all 3 rows").click()
    told = csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines())
    assert {row["problem_line"] for row in told} == {str(unknown_code), str(off_calendar), str(unmatched)}
    put_away(clerk)
    assert_fine(clerk)


def test_a_file_with_foreign_headings_is_matched_by_hand(clerk: Page, system: System, tmp_path: Path) -> None:
    rows = todays_rows(system)
    renamed = rows[0].replace("student_id", "kid").replace("code", "what")
    send(clerk, written(tmp_path, [renamed, *rows[1:]]))
    clerk.wait_for_url("**/match")
    expect(clerk.get_by_role("heading", level=1)).to_have_text("Which column is which?")
    assert_fine(clerk)
    clerk.get_by_label("Student id").select_option("kid")
    clerk.get_by_label("Code", exact=True).select_option("what")
    clerk.get_by_role("button", name="Go on to the check").click()
    assert answer(clerk) == f"All {len(rows) - 1} rows can go in"
    put_away(clerk)


def test_a_file_without_rows_asks_whether_nobody_was_absent(clerk: Page, system: System, tmp_path: Path) -> None:
    send(clerk, written(tmp_path, todays_rows(system)[:1]))
    expect(clerk.get_by_role("heading", level=1)).to_have_text("This file has no rows: was nobody absent?")
    assert_fine(clerk)
    put_away(clerk)


def test_an_empty_file_is_not_kept_and_the_way_on_is_said(clerk: Page, tmp_path: Path) -> None:
    path = tmp_path / "attendance.csv"
    path.touch()
    send(clerk, path)
    summary = clerk.locator(".error-summary")
    expect(summary).to_contain_text("The file is empty. Ask for it to be exported again. Nothing was kept.")
    assert_fine(clerk)


def test_a_file_of_strangers_is_held_and_says_why(clerk: Page, system: System, tmp_path: Path) -> None:
    rows = [row.replace(row.split(",")[0], f"no-such-{number}") for number, row in enumerate(todays_rows(system)[1:])]
    send(clerk, written(tmp_path, [todays_rows(system)[0], *rows]))
    assert answer(clerk) == "This file is held: it does not look like your usual one"
    expect(clerk.locator(".notice").filter(has_text="Held")).to_contain_text(f"{len(rows)} of {len(rows)} rows")
    assert_fine(clerk)
    clerk.get_by_role("button", name="Let it in anyway").click()
    expect(clerk.get_by_label("Why is it right after all?")).to_be_focused()  # a reason is asked for first
    put_away(clerk)


def put_away(page: Page) -> None:
    page.get_by_role("button", name="Cancel, keep nothing").click()
    assert "nothing of it was kept" in answer(page)


def written(folder: Path, rows: list[str]) -> Path:
    path = folder / "attendance.csv"
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")
    return path
