"""Rows of an export that point at something which did not come along: nobody is called present for it."""

from __future__ import annotations

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.measures import measures
from ew_app.services.rosters.codes import Meaning, map_code
from tests.services.lincoln_and_carver import LINCOLN, build, counts, csv, load_files, query

STUDENTS = b"ID,Student_Number,SchoolID,Grade_Level\n1,ana,lincoln,4\n2,ben,lincoln,4\n"
CODES = b"ID,SchoolID,Att_Code,Description,Presence_Status_CD\n11,lincoln,A,Absent,Absent\n"
HEADER = b"StudentID,SchoolID,Att_Date,Att_Mode_Code,Attendance_CodeID\n"


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


def test_a_code_that_did_not_come_along_is_an_unknown_code() -> None:
    attendance = HEADER + b"1,lincoln,8/17/2026,ATT_ModeDaily,99\n2,lincoln,8/17/2026,ATT_ModeDaily,11\n"
    told = load_files({"STUDENTS.csv": STUDENTS, "ATTENDANCE_CODE.csv": CODES, "ATTENDANCE.csv": attendance})
    assert counts(told, "status", "rows_in", "applied", "unknown_code") == ("applied", 2, 2, 1)
    stood = {row["student_id"]: row for row in measures(None)}
    assert [(stood[who]["enrolled_days"], stood[who]["unknown_days"]) for who in ("ana", "ben")] == [
        ("0", "1"),
        ("1", "0"),
    ]


def test_a_student_who_did_not_come_along_holds_the_day_open_for_whoever_it_may_be_until_a_roster_tells() -> None:
    attendance = HEADER + b"1,lincoln,8/17/2026,ATT_ModeDaily,11\n9,lincoln,8/17/2026,ATT_ModeDaily,11\n"
    files = {"STUDENTS.csv": STUDENTS, "ATTENDANCE_CODE.csv": CODES, "ATTENDANCE.csv": attendance}
    told = load_files(files, accept_held=True)
    assert counts(told, "status", "rows_in", "applied", "rejected") == ("applied", 2, 1, 1)
    assert query("SELECT file, line, value, cause FROM problem") == [
        ("ATTENDANCE.csv", 3, "StudentID 9", "unknown_student")
    ]
    assert lincoln() == {"ana": "absent", "ben": "unknown", "cleo": "unknown", "dev": "unknown", "eli": "unknown"}
    roster = {"STUDENTS.csv": b"ID,Student_Number,First_Name,Last_Name,SchoolID,Grade_Level\n"}
    roster["STUDENTS.csv"] += b"2,ben,Ben,R,lincoln,4\n3,cleo,Cleo,R,lincoln,4\n"
    bring(roster)
    assert lincoln() == {"ana": "absent", "ben": "present", "cleo": "present", "dev": "unknown", "eli": "unknown"}
    roster["STUDENTS.csv"] += b"9,dev,Dev,R,lincoln,4\n"
    bring(roster)
    assert lincoln() == {"ana": "absent", "ben": "present", "cleo": "present", "dev": "absent", "eli": "present"}


def test_a_number_inside_the_system_that_a_roster_has_told_needs_no_list_of_students() -> None:
    bring({"STUDENTS.csv": b"ID,Student_Number,First_Name,Last_Name,SchoolID,Grade_Level\n9,dev,Dev,R,lincoln,4\n"})
    told = load_files(
        {"ATTENDANCE_CODE.csv": CODES, "ATTENDANCE.csv": HEADER + b"9,lincoln,8/17/2026,ATT_ModeDaily,11\n"}
    )
    assert counts(told, "applied", "rejected") == (1, 0)
    assert lincoln()["dev"] == "absent"


def bring(files: dict[str, bytes]) -> None:
    """A roster, and what it leads to."""
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    assert ingest.load_now(batch) == "applied"


def lincoln() -> dict[str, str]:
    """How each student of Lincoln stands on the one day that came."""
    words = {("1", "1", "0"): "absent", ("1", "0", "0"): "present", ("0", "0", "1"): "unknown"}
    names = ("enrolled_days", "absent_days", "unknown_days")
    found = {row["student_id"]: words[tuple(row[name] for name in names)] for row in measures(None, student=None)
             if row["student_id"] in LINCOLN}  # fmt: skip
    return found


def skyward(attendance: bytes, students: bytes) -> dict[str, bytes]:
    """An export with days in columns of their own; its one day of calendar 10 is 17 August."""
    header = b"StudentID,CalendarDayID,DaysAbsent,DaysExcused,DaysUnexcused,DaysOther,TardyCount\n"
    return {
        "StudentAttendance.csv": header + attendance,
        "CalendarDay.csv": b"CalendarDayID,Date,CalendarID,DayCount\n10,8/17/2026,5,1\n",
        "Calendar.csv": b"CalendarID,EntityCode\n5,lincoln\n",
        "Student.csv": b"StudentID,StudentNumber,FirstName,LastName\n" + students,
    }


def test_a_late_day_keeps_the_excuse_of_what_was_missed() -> None:
    files = skyward(b"1,10,0.50,0,0.50,0,1\n2,10,1,0.5,0.5,0,0\n", b"1,ana,Ana,R\n2,ben,Ben,R\n")
    load_files(files, accept_held=True)
    names = ("absent_days", "excused_days", "unexcused_days", "tardies")
    stood = {row["student_id"]: [float(row[name]) for name in names] for row in measures(None)}
    assert (stood["ana"], stood["ben"]) == ([0.5, 0, 0.5, 1], [1, 1, 0, 0])


def test_a_delivery_that_is_held_or_checked_leaves_no_trace_in_what_codes_mean() -> None:
    files = skyward(b"1,10,1,0,1,0,0\n9,10,1,0,1,0,0\n", b"1,ana,Ana,R\n")
    before = query("SELECT code FROM absence_code ORDER BY code")
    checked = load_files(files, preview=True)
    assert counts(checked, "status", "unknown_code") == ("held", 0)
    held = load_files(files)
    assert counts(held, "status", "unknown_code", "rejected") == ("held", 0, 1)
    assert query("SELECT code FROM absence_code ORDER BY code") == before
    ingest.accept(held["batch"], by=OPERATOR)
    assert ingest.load_now(held["batch"]) == "applied"
    assert ("Absent unexcused",) in query("SELECT code FROM absence_code")
    assert query("SELECT absences FROM school_day") == [(1,)]


def test_minutes_of_presence_without_the_length_of_the_day_leave_the_day_unknown() -> None:
    header = b"studentNumber,schoolNumber,date,status,excuse,presentMinutes,comments\n"
    rows = b"ana,lincoln,08/17/2026,A,U,180,\nben,lincoln,08/17/2026,A,U,0,\ncleo,lincoln,08/17/2026,E,E,300,\n"
    told = load_files({"attendance.csv": header + rows}, accept_held=True, options={"format": "infinite-campus"})
    assert counts(told, "applied", "rejected") == (1, 2)
    assert lincoln() == {"ana": "unknown", "ben": "absent", "cleo": "unknown", "dev": "present", "eli": "present"}


def test_an_empty_code_is_unknown_until_somebody_says_that_it_means_present() -> None:
    told = load_files({"attendance.csv": b"student_id,school_id,date,code\nana,lincoln,2026-08-17,\n"})
    assert counts(told, "applied", "unknown_code") == (1, 1)
    map_code(Meaning("", "present"), by=OPERATOR)
    flagging.evaluate_touched()
    (ana,) = measures(None, student="ana")
    assert (ana["enrolled_days"], ana["unknown_days"]) == ("1", "0")


def of_0007(*named: str) -> tuple[str, str]:
    """Load an absence of everyone so named; days absent and unknown of the student whose id is 0007."""
    told = load_files({"attendance.csv": csv(*(f"{name} lincoln 08-17 A" for name in named))}, accept_held=True)
    if "7" in named:
        assert "but 0007 is enrolled there: zeros at the front" in told["problems"][0]["reason"]
    (found,) = measures(None, student="0007")
    return found["absent_days"], found["unknown_days"]


def test_an_id_that_lost_its_zeros_leaves_the_day_of_whoever_is_meant_unknown_until_the_right_one_comes() -> None:
    query("UPDATE student SET key = '0007', system_id = 'StudentID 5' WHERE key = 'dev' RETURNING id")
    assert of_0007("ana", "7") == ("0", "1")
    bring({"STUDENTS.csv": b"ID,Student_Number,First_Name,Last_Name,SchoolID,Grade_Level\n3,cleo,Cleo,R,lincoln,4\n"})
    assert of_0007("ben") == ("0", "1"), "a roster that knows no more mends nothing"
    assert of_0007("0007") == ("1", "0")


def test_a_student_of_whom_something_is_known_that_day_is_left_alone_by_an_id_without_zeros() -> None:
    query("UPDATE student SET key = '0007' WHERE key = 'dev' RETURNING id")
    assert of_0007("0007") == ("1", "0")
    told = load_files({"attendance.csv": csv("7 lincoln 08-17 P")}, accept_held=True)
    assert told["problems"][0]["reason"].endswith("Export the id column as text and send the row again.")
    assert [row["absent_days"] for row in measures(None, student="0007")] == ["1"]
