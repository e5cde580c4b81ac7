"""What a student system changes in an Ed-Fi API, and what stands here after the next pull."""

from __future__ import annotations

import pytest

from ew_app.services.measuring import measures
from tests.edfi_district import (
    ANA,
    BEN,
    CLEO,
    DAYS,
    EVENTS,
    SCHOOL,
    STINTS,
    day,
    event,
    lines,
    pulled,
    stint,
    student,
)
from tests.edfi_server import EdfiServer
from tests.services.edfi.feed import LAST, Feed, first_event, marks, measured, only_id
from tests.services.rosters import rows


def test_a_new_event_and_a_changed_one_arrive(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put(EVENTS, event(DAYS[2]), event(DAYS[0], eventDuration=0.5))
    (told,) = feed.pull()
    assert (told["rows_in"], told["applied"], told["superseded"]) == (2, 1, 1)
    assert measured() == ("4", "2.5", "1.5")


def test_a_category_that_was_corrected_takes_the_old_event_away(feed: Feed, server: EdfiServer) -> None:
    """The category is part of the key: the student system deletes one event and adds another."""
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    (told,) = feed.pull()
    assert told["superseded"] == 1 and (ANA, DAYS[0], "Tardy") in marks()
    assert measured() == ("3", "1", "0")


def test_an_event_that_was_deleted_takes_its_mark_away(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    (told,) = feed.pull()
    assert (told["rows_in"], told["removed"]) == (0, 1)
    assert [mark for mark in marks() if mark[1] == DAYS[0]] == []
    assert measured() == ("3", "1", "0")  # the day was taken and counts
    assert rows("SELECT code, ended FROM mark_history") == [("Unexcused Absence", "removed")]


def test_of_two_events_on_a_day_the_one_that_is_left_stays(feed: Feed, server: EdfiServer) -> None:
    """The correction came first and the deletion later: the day is asked for, because Tardy itself has not changed."""
    feed.pull()
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0]), id=first_event(server, DAYS[0])))
    feed.pull()
    assert [mark for mark in marks() if mark[1] == DAYS[0]] == [(ANA, DAYS[0], "Tardy")]


def test_a_correction_that_forgets_the_deletion_leaves_one_mark_and_says_so(feed: Feed, server: EdfiServer) -> None:
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    _, told = feed.pull()
    assert told["duplicate"] == 1 and measured() == ("3", "1", "0")
    (problem,) = told["problems"]
    assert problem["reason"].startswith("The file says two things of this student and day.")
    assert (problem["column"], problem["value"]) == ("code", "Unexcused Absence")


def test_a_new_student_arrives_with_grade_and_events(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("students", student("000126", "Dana", "Moss"))
    server.put(STINTS, stint("000126", str(DAYS[1]), "Tenth grade"))
    server.put(EVENTS, event(DAYS[9], number="000126"))
    roster, attendance = feed.pull()
    assert roster["status"] == "applied" and attendance["applied"] == 1
    assert measured("000126") == ("2", "1", "1")
    assert rows("SELECT key, grade FROM student WHERE key IN ('000123', '000126') ORDER BY 1") == [
        (ANA, "9"), ("000126", "10"),
    ]  # fmt: skip


def test_a_changed_student_keeps_the_grade_of_an_enrolment_that_did_not_change(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("students", student(ANA, "Anna", "Rivera"))
    feed.pull()
    assert rows("SELECT first_name, grade FROM student WHERE key = '000123'") == [("Anna", "9")]
    assert len(lines(feed.last, "students")) == len(lines(feed.last, STINTS)) == 1


def test_a_student_who_moves_up_has_the_grade_of_the_latest_enrolment(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put(STINTS, stint(entry=str(DAYS[5]), grade="Tenth grade"))
    server.put(STINTS, stint(exitWithdrawDate=str(DAYS[4])))
    feed.pull()
    assert rows("SELECT grade FROM student WHERE key = '000123'") == [("10",)]
    assert measured() == ("3", "2", "1")


def test_an_enrolment_under_another_first_day_replaces_the_old_one(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    assert measured() == ("3", "2", "1")
    server.rekey(STINTS, only_id(server, STINTS, studentUniqueId=ANA), entryDate=str(DAYS[1]))
    feed.pull()
    assert measured() == ("2", "1", "0")  # the first day lies before the enrolment now


def test_an_enrolment_that_was_deleted_counts_no_more(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete(STINTS, only_id(server, STINTS, studentUniqueId=CLEO))
    feed.pull()
    assert [row["student_id"] for row in measures.measures(LAST) if row["enrolled_days"] != "0"] == [ANA, BEN]


def test_a_student_with_a_new_id_stays_the_same_child(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.rename_student(ANA, "900123")
    feed.pull()
    (line,) = lines(feed.last, "students_keyChanges")
    assert '"oldKeyValues":{"studentUniqueId":"000123"},"newKeyValues":{"studentUniqueId":"900123"}' in line
    server.put(EVENTS, event(DAYS[2], number="900123"))
    feed.pull()
    assert measured("900123") == ("4", "3", "2")


def test_a_snow_day_and_a_day_taken_out_of_the_calendar(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("calendarDates", day(DAYS[0], event="Weather day"))
    server.delete("calendarDates", only_id(server, "calendarDates", date=str(DAYS[1])))
    server.delete("calendarDates", _own(server))
    feed.pull()
    assert measured() == ("1", "0", "0")
    kept = "SELECT calendar_key, day, day_type FROM calendar_day WHERE day IN (:first, :last) ORDER BY 1, 2"
    assert rows(kept, first=DAYS[0], last=LAST) == [
        ("", DAYS[0], "weather"), ("", LAST, "instructional"), ("IEP7", LAST, "non_instructional"),
    ]  # fmt: skip


def _own(server: EdfiServer) -> str:
    """The day in the calendar of one student."""
    (found,) = [
        row_id
        for row_id, stored in server.rows["calendarDates"].items()
        if stored.row["calendarReference"]["calendarCode"] == "IEP7"
    ]
    return found


def test_days_of_a_calendar_that_is_gone_close_nothing(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete("calendarDates", _own(server))
    server.delete("calendars", only_id(server, "calendars", calendarCode="IEP7"))
    feed.pull()
    assert rows("SELECT day_type FROM calendar_day WHERE calendar_key = '' AND day = :on", on=LAST) == [
        ("instructional",)
    ]


@pytest.mark.parametrize("on", [f"{DAYS[3]}T00:00:00Z", f"{DAYS[3]}T00:00:00", f"{DAYS[3]}T00:00:00+00:00"])
def test_a_date_with_a_time_is_the_schools_own_day(feed: Feed, server: EdfiServer, on: str) -> None:
    server.put(EVENTS, event(on))
    feed.pull()
    assert (ANA, DAYS[3], "Unexcused Absence") in marks()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=on))
    feed.pull()
    assert not any(mark[1] == DAYS[3] for mark in marks())


def test_events_of_sections_are_read_where_they_are_wanted(feed: Feed, server: EdfiServer) -> None:
    section = {"sectionReference": {"schoolId": SCHOOL, "schoolYear": 2027, "sessionName": "Fall",
                                    "sectionIdentifier": "ALG-1", "localCourseCode": "ALG"}}  # fmt: skip
    one = {name: value for name, value in event(DAYS[4]).items() if not name.startswith(("school", "session"))}
    (row_id,) = server.put("studentSectionAttendanceEvents", one | section)
    feed.pull()
    assert lines(feed.last, "studentSectionAttendanceEvents") == []
    server.put("students", student(ANA, "Anna"))
    found = pulled(server, feed.cursor, feed.into, sections=True)
    assert len(lines(found, "studentSectionAttendanceEvents")) == 1  # never read before, so all of them
    server.delete("studentSectionAttendanceEvents", row_id)
    found = pulled(server, found.cursor, feed.into, sections=True)
    assert lines(found, "covers") == ["school_id,date,taken", f"{SCHOOL},{DAYS[4]},no"]


def test_an_event_deleted_on_a_day_of_which_nothing_came_submits_nothing(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    submitted = "SELECT day FROM school_day WHERE status = 'submitted' ORDER BY 1"
    before = rows(submitted)
    (row_id,) = server.put(EVENTS, event(DAYS[6], number=BEN))
    server.delete(EVENTS, row_id)
    assert (DAYS[6],) not in before and feed.pull()
    assert rows(submitted) == before
