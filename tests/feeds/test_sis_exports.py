"""Exports of student information systems, as each writes them: codes, ids, dates, amounts and periods."""

from __future__ import annotations

from datetime import date

import pytest

from ew_app.feeds import load_export
from tests.feeds.files import Export, export
from tests.feeds.test_powerschool import POWERSCHOOL

DAY = date(2026, 9, 14)
MARK = ("student_id", "school_id", "date", "code", "fraction_absent", "minutes_absent", "period")


# -- Infinite Campus -----------------------------------------------------------------------------------------

CAMPUS = {
    "attendance.csv": "attendance.date,student.studentNumber,school.schoolNumber,attendance.periodName,code,status,"
    "excuse,presentMinutes,comments\n"
    "09/14/2026,000123,42,1,FLU,A,E,0,\n"
    "09/14/2026,000123,42,2,FLU,A,U,20,\n"
    "09/14/2026,000124,42,1,TU,T,U,,overslept\n",
    "periods.csv": "periodName,schoolNumber,periodMinutes\n1,42,45\n2,42,60\n",
    "enrollments.csv": "studentNumber,schoolNumber,startDate,endDate,serviceType,noShow,stateExclude\n"
    "000123,42,08/24/2026,,P,0,0\n000124,42,08/24/2026,09/01/2026,P,1,0\n000125,42,08/24/2026,,P,0,1\n",
}


def test_infinite_campus_minutes_of_a_period_less_those_present() -> None:
    found = export(CAMPUS, periods="50")
    assert found.rows("attendance", *MARK) == [
        ("000123", "42", DAY, "A-E", None, 45, "1"),
        ("000123", "42", DAY, "A-U", None, 40, "2"),
        ("000124", "42", DAY, "T-U", None, None, "1"),
    ]
    assert found.rows("attendance", "reason") == [("FLU",), ("FLU",), ("overslept",)]


def test_infinite_campus_without_a_length_takes_the_one_that_was_said() -> None:
    files = {"attendance.csv": CAMPUS["attendance.csv"]}
    assert [row[5] for row in export(files, periods="50").rows("attendance", *MARK)] == [50, 30, None]


def test_infinite_campus_minutes_of_presence_in_a_period_of_unknown_length_are_not_guessed() -> None:
    found = export({"attendance.csv": CAMPUS["attendance.csv"]})
    assert found.rows("attendance", *MARK) == [
        ("000123", "42", DAY, "A-E", None, None, "1"),
        ("000124", "42", DAY, "T-U", None, None, "1"),
    ]
    (problem,) = found.problems("attendance")
    assert problem.startswith("line 3: ") and "nothing says how long the period or the day is" in problem


def test_infinite_campus_lengths_of_two_bell_schedules_are_not_guessed() -> None:
    periods = (
        "periodName,schoolNumber,periodScheduleName,periodMinutes\n1,42,Early,30\n1,42,Regular,60\n2,42,Regular,60\n"
    )
    found = export(CAMPUS | {"periods.csv": periods})
    assert [row[5] for row in found.rows("attendance", *MARK)] == [None, 40, None]
    assert any("several rows speak of the same (1 42) and differ" in told for told in found.delivery.told)


@pytest.mark.parametrize(
    ("header", "cells", "read", "period"),
    [("periodID", "3", "periodID", "3"), ("courseName,sectionNumber", "Art,4", "sectionNumber", "4")],
)
def test_a_row_of_one_class_is_no_whole_day_under_another_header(
    header: str, cells: str, read: str, period: str
) -> None:
    rows = f"studentNumber,schoolNumber,date,{header},status,excuse\n000123,42,09/14/2026,{cells},A,U\n"
    found = export({"attendance.csv": rows})
    assert found.rows("attendance", "code", "period") == [("A-U", period)]
    assert f"attendance.csv: The column {read} was read as period." in found.delivery.told


def test_infinite_campus_enrolments() -> None:
    found = export(CAMPUS, periods="rows")
    assert found.rows("enrollments", "student_id", "exit_code", "primary") == [
        ("000123", None, True),
        ("000124", "No show", True),
    ]


# -- Aspen ---------------------------------------------------------------------------------------------------

ASPEN = {
    "student_attendance.csv": "ATT_STD_OID,ATT_SKL_OID,ATT_DATE,ATT_CODE_VIEW,ATT_ABSENT_IND,ATT_TARDY_IND,"
    "ATT_DISMISSED_IND,ATT_EXCUSED_IND,ATT_REASON_CODE,ATT_PORTION_ABSENT\n"
    "STD1,SKL1,2026-09-14,A-E,1,0,0,1,Ill,1.0\n"
    "STD1,SKL1,2026-09-15,A-T,1,1,0,0,\\N,0.5\n"
    "STD2,SKL1,2026-09-14,D,0,0,1,0,NULL,0.0\n",
    "student.csv": "STD_OID,STD_ID_LOCAL,STD_GRADE_LEVEL,PSN_NAME_FIRST,PSN_NAME_LAST\n"
    "STD1,000123,KF,Ana,Rivera\nSTD2,000124,05,Ben,Osei\n",
    "school.csv": "SKL_OID,SKL_SCHOOL_ID,SKL_SCHOOL_NAME\nSKL1,0042,Harbor\n",
}


def test_aspen_rows_by_their_marks_and_the_part_that_was_missed() -> None:
    found = export(ASPEN)
    assert found.delivery.format == "aspen"
    assert found.rows("attendance", *MARK[:5], "reason") == [
        ("000123", "0042", date(2026, 9, 14), "A-E", 1000, "Ill"),
        ("000123", "0042", date(2026, 9, 15), "T", 500, "A-T"),
        ("000124", "0042", date(2026, 9, 14), "D", None, "D"),
    ]


def test_aspen_rows_name_a_student_or_school_that_did_not_come_along() -> None:
    strangers = "STD9,SKL1,2026-09-15,A,1,0,0,0,,1\nSTD1,SKL9,2026-09-16,A,1,0,0,0,,1\n"
    files = ASPEN | {"student_attendance.csv": ASPEN["student_attendance.csv"] + strangers}
    assert export(files).rows("attendance", "student_id", "school_id")[3:] == [
        ("STD_OID STD9", "0042"),
        ("000123", "SKL_OID SKL9"),
    ]


def test_an_aspen_row_with_marks_of_the_afternoon_is_rejected_with_its_day() -> None:
    header, *rows = ASPEN["student_attendance.csv"].splitlines()
    second = ["0,0.00", "1,0.5", ","]
    lines = [f"{header},ATT_ABSENT_IND_02,ATT_PORTION_ABSENT_02", *map(",".join, zip(rows, second, strict=True))]
    found = export(ASPEN | {"student_attendance.csv": "\n".join(lines) + "\n"})
    assert found.rows("attendance", "student_id", "date") == [("000123", DAY), ("000124", DAY)]
    (problem,) = found.problems("attendance")
    assert problem.startswith('line 3: Rows that say "1" in ATT_ABSENT_IND_02 are not read here')


def test_an_aspen_row_without_any_mark_has_the_code_that_is_shown_there() -> None:
    trips = "STD1,SKL1,2026-09-16,SF,0,0,0,0,,0\nSTD1,SKL1,2026-09-17,TST,0,0,0,0,,0\n"
    files = ASPEN | {"student_attendance.csv": ASPEN["student_attendance.csv"] + trips}
    assert export(files).rows("attendance", "code")[3:] == [("SF",), ("TST",)]


def test_aspen_flat_export() -> None:
    header = "state_id,local_id,absence,tardy,dismissed,reason,excused,comment,event_date,school_local_id\n"
    rows = "900,000123,1,0,0,NULL,1,\\N,2026-09-14,HRB\n901,000124,0,1,0,\\N,0,bus,2026-09-14,HRB\n"
    assert export({"export.csv": header + rows}).rows("attendance", *MARK[:4], "reason") == [
        ("000123", "HRB", DAY, "A-E", None),
        ("000124", "HRB", DAY, "T", "bus"),
    ]


# -- Skyward and Synergy -------------------------------------------------------------------------------------


def test_skyward_amounts_are_days_and_codes() -> None:
    found = export(
        {
            "StudentAttendance.csv": "StudentID,CalendarDayID,DaysAbsent,DaysExcused,DaysUnexcused,DaysOther,"
            "TardyCount\n1,10,0.50,0.50,0.00,0.00,0\n1,11,1.00,0.00,1.00,0.00,0\n2,10,0.00,0.00,0.00,0.00,1\n2,11,0,0,0,0,0\n",
            "CalendarDay.csv": "CalendarDayID,Date,CalendarID,DayCount\n10,9/14/2026,5,1\n11,9/15/2026,5,1\n",
            "Calendar.csv": "CalendarID,EntityCode\n5,042\n",
            "Student.csv": "StudentID,StudentNumber,FirstName,LastName\n1,000123,Ana,Rivera\n2,000124,Ben,Osei\n",
        }
    )
    assert found.delivery.format == "skyward"
    assert found.rows("attendance", *MARK[:5]) == [
        ("000123", "042", date(2026, 9, 14), "Absent excused", 500),
        ("000123", "042", date(2026, 9, 15), "Absent unexcused", 1000),
        ("000124", "042", date(2026, 9, 14), "Tardy", 0),
        ("000124", "042", date(2026, 9, 15), "Present", 0),
    ]
    assert found.rows("calendar", "school_id", "date", "day_type")[0] == ("042", DAY, "instructional")


@pytest.mark.parametrize(
    ("amounts", "code", "missed"),
    [
        ("1.000,0.500,0.500,0,0", "Absent excused", 1000),
        ("1.000,0,0.500,0.500,0", "Absent other", 1000),
        ("0.50,0,0.50,0,1", "Tardy and absent unexcused", 500),
        ("0.50,0.50,0,0,2", "Tardy and absent excused", 500),
        ("0,0,0,0,1", "Tardy", 0),
    ],
)
def test_of_several_kinds_on_a_skyward_day_the_one_that_does_not_accuse_counts(
    amounts: str, code: str, missed: int
) -> None:
    header = "StudentID,CalendarDayID,DaysAbsent,DaysExcused,DaysUnexcused,DaysOther,TardyCount\n"
    found = export(SKYWARD | {"StudentAttendance.csv": f"{header}1,10,{amounts}\n"})
    assert found.rows("attendance", "code", "fraction_absent") == [(code, missed)]
    assert code in {known.code for known in load_export("skyward").codes}


SKYWARD = {
    "StudentAttendance.csv": "StudentID,CalendarDayID,DaysAbsent,DaysExcused,DaysUnexcused,DaysOther,TardyCount\n"
    "1,999,1,0,1,0,0\n9,10,1,0,1,0,0\n1,12,1,0,1,0,0\n",
    "CalendarDay.csv": "CalendarDayID,Date,CalendarID,DayCount\n10,9/14/2026,5,1\n12,9/16/2026,6,1\n",
    "Calendar.csv": "CalendarID,EntityCode\n5,042\n",
    "Student.csv": "StudentID,StudentNumber,FirstName,LastName\n1,000123,Ana,Rivera\n",
}


def test_skyward_rows_that_point_at_nothing_are_rejected_and_none_is_dropped() -> None:
    found = export(SKYWARD)
    assert found.rows("attendance", "student_id", "school_id", "date") == [
        ("StudentID 9", "042", DAY),
        ("000123", "CalendarID 6", date(2026, 9, 16)),
    ]
    assert [problem[:54] for problem in found.problems("attendance")] == [
        "line 2: The calendar day of this row did not come alon"
    ]


SYNERGY = {
    "attendance.csv": "SISNumber,SchoolCode,AbsenceDate,AllDayCode,Period1,Period2,Period3,Reason\n"
    "000123,42,09/14/2026,UNX,UNX,UNX,UNX,\n"
    "000124,42,09/14/2026,,UNX,,TDY,\n"
}


def test_synergy_periods_speak_where_the_whole_day_is_silent() -> None:
    found: Export = export(SYNERGY, periods="rows")
    assert found.rows("attendance", *MARK[:4], "period") == [
        ("000123", "42", DAY, "UNX", None),
        ("000124", "42", DAY, "UNX", "1"),
        ("000124", "42", DAY, "TDY", "3"),
    ]
    assert {name: whole.lines for name, whole in found.parts.items()} == {
        "attendance: attendance.csv": [2],
        "attendance: attendance.csv (period 1)": [3],
        "attendance: attendance.csv (period 3)": [3],
    }


@pytest.mark.parametrize("name", ["P{}", "Per {}", "Pd{}", "PERIOD{:02}", "{}", "Att Code {}", "Period {} Code"])
def test_synergy_periods_under_other_names(name: str) -> None:
    header = SYNERGY["attendance.csv"].splitlines()[0]
    for number in (1, 2, 3):
        header = header.replace(f"Period{number}", name.format(number))
    rows = SYNERGY["attendance.csv"].splitlines()[1:]
    found = export({"attendance.csv": "\n".join([header, *rows, "000125,42,09/14/2026,,,,,"]) + "\n"})
    assert found.rows("attendance", "code", "period") == [("UNX", None), ("UNX", "1"), ("TDY", "3")]
    sentence = "1 row of attendance.csv left out: it has no AllDayCode and nothing in any period (line 4)."
    assert (found.delivery.told[0], found.delivery.left_out) == (sentence, 1)


def test_a_synergy_row_of_periods_that_nobody_knows_is_rejected_with_its_day() -> None:
    found = export({"attendance.csv": SYNERGY["attendance.csv"].replace("Period", "Block of")})
    assert found.rows("attendance", "student_id", "code") == [("000123", "UNX")]
    (problem,) = found.problems("attendance")
    assert problem.startswith("line 3: The row has no AllDayCode, and no column of the file is known as one of a class")


def test_a_synergy_roster_is_recognised_without_attendance_beside_it() -> None:
    files = {
        "students.csv": "SISNumber,FirstName,LastName,BirthDate,Grade\n0001,Ana,R,3/13/2016,04\n",
        "enrollments.csv": "SISNumber,SchoolCode,EnterDate,LeaveDate,LeaveCode\n0001,101,8/17/2026,,\n",
    }
    found = export(files)
    assert (found.delivery.format, found.rows("students", "student_id")) == ("synergy", [("0001",)])


@pytest.mark.parametrize("said", [None, "rows", "60"])
def test_a_synergy_period_is_never_said_to_be_missed_by_its_length(said: str | None) -> None:
    found = export(SYNERGY, periods=said)
    assert found.rows("attendance", "code", "minutes_absent") == [("UNX", None), ("UNX", None), ("TDY", None)]


# -- all of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_the_sign_between_cells_is_seen_in_the_header(mark: str) -> None:
    files = {name: text.replace("\t", mark) for name, text in POWERSCHOOL.items()}
    assert export(files).rows("attendance", *MARK) == export(POWERSCHOOL).rows("attendance", *MARK)


def test_an_export_that_is_not_utf8_is_read_as_windows_text_and_says_so() -> None:
    students = POWERSCHOOL["students.txt"].replace("Ana", "Zoë").encode("cp1252")
    found = export(POWERSCHOOL | {"students.txt": students})
    assert found.rows("students", "first_name")[0] == ("Zoë",)
    assert any(told.startswith("students.txt: The file is not UTF-8") for told in found.delivery.told)


def test_declared_dates_never_bend() -> None:
    files = {"attendance.csv": CAMPUS["attendance.csv"].replace("09/14/2026", "14/09/2026", 1)}
    found = export(files, periods="50")
    assert found.problems("attendance") == [
        "line 2: There is no such date when the month is read first, as in this file."
    ]
    assert export(files, periods="50", dates="dmy").problems("attendance") == [
        "line 3: There is no such date when the day is read first, as in this file.",
        "line 4: There is no such date when the day is read first, as in this file.",
    ]


def test_a_file_of_our_own_is_never_taken_for_another_systems() -> None:
    files = {"students.csv": "student_id,first_name,last_name,id,student_number,schoolid,grade_level\n1,A,B,1,1,1,1\n"}
    assert export(files).delivery.format == "csv"
