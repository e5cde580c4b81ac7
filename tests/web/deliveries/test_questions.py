"""S03: what a file is asked about before it can go in: columns, dates, class periods, whether nobody was absent."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from models.base import db
from tests.web.importing import DAYS, HEADER, TODAY, Clerk, batch, rows_of, words

DAY = str(TODAY)

# -- columns with other names --------------------------------------------------------------------------------

OTHER = rows_of(("001", "LIN", DAY, "A"), header="Pupil,Site,Absence date,Mark\n")
CHOICE = {
    "attendance.student_id": "Pupil",
    "attendance.school_id": "Site",
    "attendance.date": "Absence date",
    "attendance.code": "Mark",
}


def test_other_column_names_are_matched_once_and_remembered(clerk: Clerk) -> None:
    number = clerk.upload({"export.csv": OTHER})
    assert "Which column is which?" in clerk.page(number)
    assert clerk.press(number, "match", **CHOICE).status_code == 302
    clerk.work(number)
    assert "The one row can go in" in clerk.page(number)
    clerk.apply(number)
    later = rows_of(("002", "LIN", str(DAYS[-2]), "A"), header="Pupil,Site,Absence date,Mark\n")
    page = clerk.page(clerk.upload({"export.csv": later}))
    assert "The one row can go in" in page and "Absence date as date" in page


def test_how_dates_are_written_is_said_once_and_remembered(clerk: Clerk) -> None:
    def american(day: date) -> bytes:
        row = ("001", "LIN", f"{day.month}/{day.day}/{day.year}", "A")
        return rows_of(row, header="Pupil,Site,Absence date,Mark\n")

    number = clerk.upload({"export.csv": american(DAYS[-1])})
    assert clerk.press(number, "match", **CHOICE, dates="mdy").status_code == 302
    clerk.work(number)
    assert "The one row can go in" in clerk.page(number)
    clerk.apply(number)
    assert "The one row can go in" in clerk.page(clerk.upload({"export.csv": american(DAYS[-2])}))


def test_an_export_of_another_system_is_recognised_and_says_what_was_left_out(clerk: Clerk) -> None:
    event = (
        f"<StudentSchoolAttendanceEvent><AttendanceEvent><EventDate>{DAY}</EventDate><AttendanceEventCategory>"
        "uri://ed-fi.org/AttendanceEventCategoryDescriptor#Excused Absence</AttendanceEventCategory></AttendanceEvent>"
        "<StudentReference><StudentUniqueId>001</StudentUniqueId></StudentReference><SchoolReference>"
        "<SchoolId>LIN</SchoolId></SchoolReference></StudentSchoolAttendanceEvent>"
    )
    xml = f"<InterchangeStudentAttendance>{event}</InterchangeStudentAttendance>"
    assert "The one row can go in" in clerk.page(clerk.upload({"events.xml": xml.encode()}))
    answer = clerk.send({"students.xml": b"<!DOCTYPE x><InterchangeStudent/>"})
    assert answer.status_code == 422 and "Nothing was kept" in answer.text


def test_a_column_left_open_is_asked_for_again(clerk: Clerk) -> None:
    number = clerk.upload({"export.csv": OTHER})
    answer = clerk.press(number, "match", **{**CHOICE, "attendance.code": ""})
    assert answer.status_code == 422 and "Match every column that is needed" in answer.text
    assert "Which column is which?" in clerk.page(number)


def test_columns_may_be_separated_by_semicolons(clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": b"student_id;school_id;date;code\n001;LIN;2026-11-20;A\n"})
    assert "The one row can go in" in clerk.page(number)


def test_a_file_with_its_own_names_semicolons_and_us_dates_is_matched_once(clerk: Clerk) -> None:
    """As a clerk has it from somebody else's list; the next one of its kind needs no answer."""
    first = b"Pupil No;Campus;Day absent;Mark;Homeroom\n001;LIN;11/20/2026;A;4B\n"
    number = clerk.upload({"list.csv": first})
    page = clerk.page(number)
    assert "Which column is which?" in page and "Pupil No | Campus | Day absent | Mark | Homeroom" in page
    assert "001 | LIN | 11/20/2026 | A | 4B" in page
    choice = {"student_id": "Pupil No", "school_id": "Campus", "date": "Day absent", "code": "Mark"}
    answers = {f"attendance.{ours}": theirs for ours, theirs in choice.items()}
    asked = clerk.press(number, "match", **answers, dates="")
    assert asked.status_code == 422 and "the first one here is 11/20/2026" in asked.text
    assert clerk.press(number, "match", **answers, dates="mdy").status_code == 302
    clerk.work(number)
    assert "The one row can go in" in clerk.page(number)
    assert clerk.press(number, "apply").status_code == 302
    clerk.work(number)
    following = clerk.upload({"list.csv": first.replace(b"11/20", b"11/19")})
    assert "The one row can go in" in clerk.page(following)


@pytest.mark.parametrize(("day", "chosen"), [("11/20/2026", "mdy"), ("20.11.2026", "dmy"), ("11/12/2026", "")])
def test_how_dates_are_written_is_offered_where_a_day_above_twelve_proves_it(
    clerk: Clerk, day: str, chosen: str
) -> None:
    number = clerk.upload({"list.csv": f"Pupil No;;Campus;On;Mark\n001;x;LIN;{day};A\n".encode()})
    page = clerk.browser.get(f"/imports/{number}", follow_redirects=True).text
    assert "Pupil No |  | Campus" in page
    assert [value for value in ("mdy", "dmy") if f'<option value="{value}" selected>' in page] == (
        [chosen] if chosen else []
    )


def test_a_file_of_one_column_is_told_what_separates_columns(clerk: Clerk) -> None:
    """Four lists that all offer the same one column would help nobody."""
    answer = clerk.send({"attendance.csv": b"student_id:school_id\n"})
    assert answer.status_code == 422
    assert "Columns are separated by commas, tabs, semicolons or vertical bars" in answer.text
    assert clerk.send({"attendance.csv": b"hello\n"}).status_code == 422


# -- nobody was absent ---------------------------------------------------------------------------------------


def lincoln(app: Flask) -> int:
    with app.app_context():
        return int(db.session.scalar(text("SELECT id FROM school WHERE key = 'LIN'")))


def test_nobody_absent_is_a_tick_and_needs_no_file(app: Flask, clerk: Clerk) -> None:
    assert "Fri 20 Nov, Lincoln" in words(clerk.browser.get("/imports").text)
    number = clerk.bring_in({}, nobody=f"{lincoln(app)}:{DAY}")
    assert "It is noted that nobody was absent" in clerk.page(number)
    assert "Today's attendance is in" in words(clerk.browser.get("/imports").text)


def test_a_file_without_rows_asks_whether_nobody_was_absent(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": HEADER.encode()})
    assert "This file has no rows: was nobody absent?" in clerk.page(number)
    assert clerk.press(number, "match").status_code == 422
    assert clerk.press(number, "match", nobody=f"{lincoln(app)}:{DAY}").status_code == 302
    clerk.work(number)
    clerk.apply(number)
    assert "Today's attendance is in" in words(clerk.browser.get("/imports").text)


def test_a_tick_and_rows_contradict_each_other(app: Flask, clerk: Clerk) -> None:
    answer = clerk.send({"attendance.csv": rows_of(("001", "LIN", DAY, "A"))}, nobody=f"{lincoln(app)}:{DAY}")
    assert answer.status_code == 422 and "Send the one or the other" in answer.text


def test_no_tick_for_a_school_that_is_not_theirs(app: Flask, clerk: Clerk) -> None:
    answer = clerk.send({}, nobody=f"{lincoln(app) + 2}:{DAY}")
    assert answer.status_code == 422 and "a school that is not yours" in answer.text


# -- class periods -----------------------------------------------------------------------------------------

PERIODS = rows_of(
    *(("001", "LIN", str(TODAY), "A", period) for period in "123"), header="student_id,school_id,date,code,period\n"
)


def test_class_periods_are_asked_for_before_they_count_and_the_answer_is_remembered(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": PERIODS})
    page = clerk.page(number)
    assert "This file lists class periods. How long is one?" in page
    assert "On one student's day the file names only the periods that were missed." in page
    assert "one student's day of which only missed class periods are told" in page and "--periods" not in page
    refused = clerk.press(number, "periods", how="minutes", minutes="fifty")
    assert refused.status_code == 422 and "Say the minutes of one class period" in refused.text
    assert "hard to believe" in clerk.press(number, "periods", how="minutes", minutes="5").text
    assert "longer than a school day" in clerk.press(number, "periods", how="minutes", minutes="210").text
    assert "rows for 3 classes of one day" in clerk.press(number, "periods", how="day").text
    assert clerk.press(number, "periods", how="minutes", minutes="50").status_code == 302
    clerk.work(number)
    assert "All 3 rows can go in" in clerk.page(number)
    clerk.apply(number)
    assert batch(app, number).options["periods"] == "50"
    later = clerk.upload({"attendance.csv": PERIODS.replace(str(TODAY).encode(), str(DAYS[-2]).encode())})
    page = clerk.page(later)
    assert "All 3 rows can go in" in page and f"said of delivery {number}" in page
    assert "periods" not in batch(app, later).options, "the answer is that of the file that gave it"


def test_an_answer_stands_on_the_page_of_its_file_and_is_changed_there(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": PERIODS})
    clerk.apply(number)
    assert "How long is a class period?" in clerk.page(number)
    assert clerk.press(number, "periods", how="minutes", minutes="40").status_code == 302
    page = clerk.page(number)
    assert "One period has 40 minutes, said of this file." in page and "How long is a class period?" not in page
    assert clerk.press(number, "periods", how="minutes", minutes="50").status_code == 302
    assert "One period has 50 minutes, said of this file." in clerk.page(number)


def test_class_periods_may_be_said_to_be_all_of_the_day_and_wait_unknown_unsaid(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": PERIODS})
    assert clerk.press(number, "periods", how="rows").status_code == 302
    clerk.work(number)
    assert "All 3 rows can go in" in clerk.page(number)
    other = clerk.upload({"attendance.csv": PERIODS.replace(b"001,", b"002,")})
    clerk.apply(other)
    assert "How long is a class period?" in clerk.page(other)
