"""PowerSchool exports: tables joined by numbers inside the system, codes by year, and what a row is about."""

from __future__ import annotations

from datetime import date

import pytest

from ew_app.feeds import RefusedFile
from tests.feeds.files import export

DAY = date(2026, 9, 14)
MARK = ("student_id", "school_id", "date", "code", "fraction_absent", "minutes_absent", "period")


def tabs(*rows: str) -> str:
    """A file with tabs, its cells written here with spaces; _ is an empty cell."""
    return "".join("\t".join("" if cell == "_" else cell for cell in row.split()) + "\r\n" for row in rows)


POWERSCHOOL = {
    "students.txt": tabs(
        "ID Student_Number First_Name Last_Name DOB Grade_Level SchoolID EntryDate ExitDate Enroll_Status",
        "77 000123 Ana Rivera 3/1/2016 0 42 8/24/2026 5/28/2027 0",
        "78 000124 Ben Osei 11/9/2015 -1 42 8/24/2027 5/28/2028 -1",
    ),
    "reenrollments.txt": tabs(
        "StudentID SchoolID EntryDate ExitDate Grade_Level",
        "77 41 8/25/2025 5/29/2026 -1",
        "99 41 8/25/2025 5/29/2026 3",
    ),
    "schools.txt": tabs("School_Number Name", "42 Harbor"),
    "calendar_day.txt": tabs(
        "SchoolID Date_Value InSession MembershipValue", "42 9/14/2026 1 1", "42 9/15/2026 1 .5", "42 9/16/2026 0 0"
    ),
    "attendance_code.txt": tabs(
        "ID SchoolID YearID Att_Code Description Presence_Status_CD Calculate_ADM_YN",
        "1 42 36 A Absent Absent 1",
        "2 42 36 T Tardy Present 1",
        "3 42 36 NM Not_member Absent 0",
    ),
    "attendance.txt": tabs(
        "[157]StudentID [157]SchoolID Att_Date Att_Mode_Code Attendance_CodeID Att_Comment PeriodID",
        "77 42 9/14/2026 ATT_ModeDaily 1 flu _",
        "77 42 9/15/2026 ATT_ModeDaily 2 _ _",
        "77 42 9/15/2026 ATT_ModeMeeting 1 _ 3",
        "55 42 9/15/2026 ATT_ModeDaily 1 _ _",
    ),
}


def test_powerschool_rows_are_joined_to_codes_and_to_the_students_own_number() -> None:
    found = export(POWERSCHOOL)
    assert found.delivery.format == "powerschool"
    assert found.rows("attendance", *MARK) == [
        ("000123", "42", date(2026, 9, 14), "A", None, None, None),
        ("000123", "42", date(2026, 9, 15), "T", None, None, None),
        ("StudentID 55", "42", date(2026, 9, 15), "A", None, None, None),
        ("000123", "42", date(2026, 9, 15), "A", None, None, "3"),
    ]
    assert found.parts["attendance: attendance.txt"].lines == [2, 3, 5]
    left_out = "1 row of reenrollments.txt left out: it points at students that did not come along (line 3)."
    assert left_out in found.delivery.told and found.delivery.left_out == 2


def test_powerschool_rows_name_who_did_not_come_along_by_the_number_inside_the_system() -> None:
    one_more = tabs("77 42 9/16/2026 ATT_ModeDaily 99 _ _", "77 42 9/17/2026 ATT_ModeDaily 4 _ _")
    codes = POWERSCHOOL["attendance_code.txt"] + tabs("4 42 36 _ Present Present 1")
    files = {"attendance.txt": POWERSCHOOL["attendance.txt"] + one_more, "attendance_code.txt": codes}
    assert export(POWERSCHOOL | files).rows("attendance", "student_id", "code")[2:] == [
        ("StudentID 55", "A"),
        ("000123", "Attendance_CodeID 99"),
        ("000123", ""),
        ("000123", "A"),
    ]


@pytest.mark.parametrize("columns", ["", " PeriodID CCID"], ids=["no such column", "nothing in it"])
def test_a_powerschool_meeting_that_names_no_class_is_not_the_whole_day(columns: str) -> None:
    header = f"StudentID SchoolID Att_Date Att_Mode_Code Attendance_CodeID{columns}"
    cells = " _ 0" if columns else ""
    found = export(POWERSCHOOL | {"attendance.txt": tabs(header, f"77 42 9/14/2026 ATT_ModeMeeting 1{cells}")})
    assert found.rows("attendance", "date") == []
    assert found.problems("attendance")[0].startswith("line 2: Rows about a class that do not say which one")


def test_powerschool_rows_of_a_kind_that_is_not_read_are_rejected_with_their_day() -> None:
    rows = tabs("77 42 9/16/2026 ATT_ModeTime 1 _ _", "77 42 9/17/2026 Daily 1 _ _")
    found = export(POWERSCHOOL | {"attendance.txt": POWERSCHOOL["attendance.txt"] + rows})
    assert ("000123", "42", date(2026, 9, 17), "A", None, None, None) in found.rows("attendance", *MARK)
    (problem,) = found.problems("attendance")
    assert problem.startswith('line 6: Rows that say "ATT_ModeTime" in Att_Mode_Code are not read here')
    (unread,) = found.parts["attendance: attendance.txt (attendance)"].unread
    assert (unread.student_id, unread.school_id, unread.day, unread.period) == ("000123", "42", date(2026, 9, 16), "")


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_a_powerschool_letter_means_what_its_newest_year_says_and_keeps_what_it_meant_before(
    places: tuple[int, int],
) -> None:
    years = tabs("5 42 35 U Unprepared Present 1", "9 42 36 U Unexcused Absent 1").splitlines(keepends=True)
    same = tabs("4 42 35 A Absent Absent 1")
    codes = POWERSCHOOL["attendance_code.txt"] + same + "".join(years[place] for place in places)
    rows = export(POWERSCHOOL | {"attendance_code.txt": codes}).rows(
        "absence_codes", "code", "kind", "valid_from", "valid_to"
    )
    assert sorted(row for row in rows if row[0] == "U") == [
        ("U", "absence", date(2026, 7, 1), None),
        ("U", "present", date(2025, 7, 1), date(2026, 6, 30)),
    ]
    assert sorted(row[2:] for row in rows if row[0] == "A") == [
        (date(2025, 7, 1), date(2026, 6, 30)), (date(2026, 7, 1), None),
    ]  # fmt: skip


def test_former_years_in_which_a_powerschool_letter_meant_the_same_are_one_row() -> None:
    codes = POWERSCHOOL["attendance_code.txt"] + tabs(*(f"{year} 42 {year} U Old Absent 1" for year in (33, 34, 35)))
    rows = export(POWERSCHOOL | {"attendance_code.txt": codes + tabs("99 42 36 U New Present 1")}).rows(
        "absence_codes", "code", "kind", "valid_from", "valid_to"
    )
    assert sorted(row[1:] for row in rows if row[0] == "U") == [
        ("absence", date(2023, 7, 1), date(2026, 6, 30)), ("present", date(2026, 7, 1), None),
    ]  # fmt: skip


def test_a_powerschool_letter_with_two_meanings_and_no_year_is_held_out_with_its_rows() -> None:
    codes = tabs(
        "ID SchoolID Att_Code Description Presence_Status_CD",
        "1 42 A Absent Absent",
        "5 42 U Unprepared Present",
        "9 42 U Unexcused Absent",
    )
    attendance = POWERSCHOOL["attendance.txt"] + tabs("77 42 9/16/2026 ATT_ModeDaily 9 _ _")
    found = export(POWERSCHOOL | {"attendance_code.txt": codes, "attendance.txt": attendance})
    assert found.rows("absence_codes", "code", "kind") == [("A", "absence")]
    assert [problem[:47] for problem in found.problems("absence_codes")] == [
        "line 3: Another row says something else of the ",
        "line 4: Another row says something else of the ",
    ]
    assert ("000123", "Attendance_CodeID 9") in found.rows("attendance", "student_id", "code")
    assert any("several rows speak of the same (42 U) and differ" in told for told in found.delivery.told)


@pytest.mark.parametrize("mode", ["", "Att_Mode_Code "])
def test_a_powerschool_row_that_does_not_say_what_it_is_about_is_about_the_class_it_names(mode: str) -> None:
    header = f"StudentID SchoolID Att_Date {mode}Attendance_CodeID PeriodID"
    blank = "_ " if mode else ""
    rows = tabs(header, f"77 42 9/14/2026 {blank}1 3", f"77 42 9/15/2026 {blank}1 0", f"77 42 9/16/2026 {blank}1 _")
    found = export(POWERSCHOOL | {"attendance.txt": rows})
    assert [row[6] for row in found.rows("attendance", *MARK)] == ["3", None, None]


@pytest.mark.parametrize("said", ["50", "rows"])
def test_powerschool_class_meetings_say_nothing_of_their_length_whatever_was_said_of_it(said: str) -> None:
    assert export(POWERSCHOOL, periods=said).rows("attendance", *MARK)[3:] == [
        ("000123", "42", date(2026, 9, 15), "A", None, None, "3")
    ]


def test_powerschool_roster() -> None:
    found = export(POWERSCHOOL)
    assert found.rows("students", "student_id", "grade", "birth_date")[0] == ("000123", "K", date(2016, 3, 1))
    assert found.rows("enrollments", "student_id", "school_id", "entry_date", "exit_date") == [
        ("000123", "42", date(2026, 8, 24), date(2027, 5, 28)),
        ("000123", "41", date(2025, 8, 25), date(2026, 5, 29)),
    ]
    assert found.rows("calendar", "date", "day_type", "day_value") == [
        (date(2026, 9, 14), "instructional", 1000),
        (date(2026, 9, 15), "instructional", 500),
        (date(2026, 9, 16), "non_instructional", None),
    ]
    assert found.rows("absence_codes", "school_id", "code", "kind", "absent_fraction") == [
        ("42", "A", "absence", 1000),
        ("42", "T", "present", 0),
        ("42", "NM", "non_membership", 1000),
    ]


def test_a_column_that_must_never_be_here_refuses_a_table_that_somebody_chose() -> None:
    students = POWERSCHOOL["students.txt"].replace("DOB", "SSN")
    with pytest.raises(RefusedFile, match=r"students.txt: .*social security number"):
        export(POWERSCHOOL | {"students.txt": students})
