"""Rows of an export that point at something which did not come along: nobody is called present for it."""

from __future__ import annotations

import pytest
from flask import Flask

from ew_app.services.measuring.measures import measures
from tests.services.lincoln_and_carver import build, counts, load_files, query

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


def test_a_student_who_did_not_come_along_is_a_rejected_row_that_waits() -> None:
    attendance = HEADER + b"1,lincoln,8/17/2026,ATT_ModeDaily,11\n9,lincoln,8/17/2026,ATT_ModeDaily,11\n"
    files = {"STUDENTS.csv": STUDENTS, "ATTENDANCE_CODE.csv": CODES, "ATTENDANCE.csv": attendance}
    told = load_files(files, accept_held=True)
    assert counts(told, "status", "rows_in", "applied", "rejected") == ("applied", 2, 1, 1)
    assert query("SELECT file, line, value, cause FROM problem") == [
        ("ATTENDANCE.csv", 3, "StudentID 9", "unknown_student")
    ]
