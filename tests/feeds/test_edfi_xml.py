"""Ed-Fi as XML interchanges: a row for each element, to the line."""

from __future__ import annotations

from datetime import date

import pytest

from tests.feeds.edfi import ATTENDANCE, CALENDAR, ORGANIZATION, URI, XML, interchange, reference
from tests.feeds.files import Export, export

MARK = ("student_id", "school_id", "date", "code", "fraction_absent", "minutes_absent")


def xml(**changes: str) -> Export:
    return export(XML | {f"{name}.xml": text for name, text in changes.items()})


def test_a_whole_set_of_interchanges_fills_every_table() -> None:
    found = xml()
    assert found.delivery.format == "edfi-xml"
    assert found.rows("schools", "school_id", "name", "network_id", "network_name", "level") == [
        ("770042", "Harbor School", "77", "Bayside", "Middle School"),
        ("770043", "Hill School", "77", "Bayside", None),
    ]
    assert found.rows("students", "student_id", "last_name", "birth_date", "grade") == [
        ("000123", "Rivera", date(2014, 3, 1), "6"),
        ("000124", "Osei", None, None),
    ]
    assert found.rows("enrollments", "student_id", "entry_date", "exit_date", "exit_code", "grade", "calendar_id") == [
        ("000123", date(2026, 8, 24), None, None, "6", "MAIN"),
        ("000124", date(2026, 8, 24), date(2026, 9, 1), "No show", None, None),
    ]


def test_a_grade_is_that_of_the_latest_enrolment_wherever_it_stands_in_the_file() -> None:
    level = "<EntryGradeLevel>uri://x/GradeLevelDescriptor#{} grade</EntryGradeLevel>"
    stints = [
        f"<StudentSchoolAssociation>{reference()}<EntryDate>{entry}</EntryDate>{level.format(grade)}{more}"
        "</StudentSchoolAssociation>"
        for entry, grade, more in (
            ("2026-08-24", "Seventh", ""),
            ("2025-08-25", "Sixth", "<ExitWithdrawDate>2026-06-05</ExitWithdrawDate>"),
            ("2027-08-23", "Eighth", f"<EnrollmentType>{URI}/EnrollmentTypeDescriptor#Preregistered</EnrollmentType>"),
        )
    ]
    for order in (stints, stints[::-1]):
        found = xml(StudentEnrollment=interchange("StudentEnrollment", *order))
        assert found.rows("students", "student_id", "grade")[0] == ("000123", "7")


def test_the_main_calendar_is_the_blank_one_and_a_students_own_keeps_its_code() -> None:
    assert xml().rows("calendar", "calendar_id", "date", "day_type") == [
        (None, date(2026, 8, 24), "instructional"),
        (None, date(2026, 8, 25), "instructional"),
        (None, date(2026, 8, 26), "weather"),
        (None, date(2026, 8, 27), "make_up"),
        ("IEP7", date(2026, 8, 24), "holiday"),
    ]


def test_events_are_marks_and_only_an_absence_has_a_part_missed() -> None:
    assert xml().rows("attendance", *MARK) == [
        ("000123", "770042", date(2026, 8, 24), "Unexcused Absence", 500, None),
        ("000123", "770042", date(2026, 8, 25), "In Attendance", None, None),
        ("000124", "770042", date(2026, 8, 25), "Tardy", None, 20),
        ("000123", "770042", date(2026, 8, 27), "Homebound", None, None),
    ]


def test_a_row_stands_on_the_line_of_its_element() -> None:
    parts = xml().parts
    assert parts["attendance: StudentAttendance.xml"].lines == [3, 6, 9, 12]
    assert parts["students: Student.xml"].lines == [3, 9]


def test_elements_on_one_line_are_numbered() -> None:
    flat = "".join(ATTENDANCE.split("\n"))
    assert xml(StudentAttendance=flat).parts["attendance: StudentAttendance.xml"].lines == [1, 2, 3, 4]


@pytest.mark.parametrize("version", ["3.3.1-b", "4.0.0", "0300"])
def test_the_namespace_of_a_version_does_not_matter(version: str) -> None:
    same = {name: text.replace("ed-fi.org/5.2.0", f"ed-fi.org/{version}") for name, text in XML.items()}
    assert export(same).rows("attendance", *MARK) == xml().rows("attendance", *MARK)


def test_prefixed_elements_and_code_values_of_earlier_versions() -> None:
    older = (
        ATTENDANCE.replace("xmlns=", "xmlns:edfi=")
        .replace("<", "<edfi:")
        .replace("<edfi:/", "</edfi:")
        .replace("<edfi:?", "<?")
        .replace(f"{URI}/AttendanceEventCategoryDescriptor#Tardy", "<edfi:CodeValue>Tardy</edfi:CodeValue>")
    )
    assert xml(StudentAttendance=older).rows("attendance", *MARK) == xml().rows("attendance", *MARK)


def test_what_must_never_be_kept_is_dropped_and_named() -> None:
    found = xml()
    assert not any(word in found.bytes_kept() for word in (b"Lisbon", b"Refugee", b"F1"))
    assert found.delivery.told == (
        '1 row of StudentEnrollment.xml left out: it says "Preregistered" in EnrollmentType (line 5).',
        "Student.xml: BirthCity, Citizenship, CitizenshipStatus, Visa left out before anything was written; "
        "we never keep this.",
    )


def test_a_calendar_without_a_day_says_what_is_missing() -> None:
    sessions = interchange("EducationOrgCalendar", "<Session><SessionName>Fall</SessionName></Session>")
    files = {"EducationOrganization.xml": ORGANIZATION, "EducationOrgCalendar.xml": sessions}
    assert any("sessions and grading periods do not say" in told for told in export(files).delivery.told)


def test_a_session_is_told_by_its_total_to_be_compared_with_the_calendar() -> None:
    session = (
        "<Session><SessionName>Fall</SessionName><SchoolReference><SchoolIdentity><SchoolId>770042</SchoolId>"
        "</SchoolIdentity></SchoolReference><BeginDate>2026-08-24</BeginDate><EndDate>2026-12-18</EndDate>"
        "<TotalInstructionalDays>80</TotalInstructionalDays></Session>"
    )
    found = xml(EducationOrgCalendar=CALENDAR.replace("</InterchangeEdu", f"{session}</InterchangeEdu"))
    columns = ("school_id", "session", "begin_date", "end_date", "instructional_days")
    assert found.rows("sessions", *columns) == [("770042", "Fall", date(2026, 8, 24), date(2026, 12, 18), 80)]


def test_section_events_come_with_the_minutes_that_were_said_and_without_them() -> None:
    section = (
        "<StudentSectionAttendanceEvent><AttendanceEvent><EventDate>2026-08-24</EventDate>"
        f"<AttendanceEventCategory>{URI}/AttendanceEventCategoryDescriptor#Unexcused Absence</AttendanceEventCategory>"
        f"</AttendanceEvent>{reference().split('<SchoolReference>')[0]}<SectionReference><SectionIdentity>"
        "<SectionIdentifier>ALG-1</SectionIdentifier><CourseOfferingReference><CourseOfferingIdentity><SchoolReference>"
        "<SchoolIdentity><SchoolId>770042</SchoolId></SchoolIdentity></SchoolReference></CourseOfferingIdentity>"
        "</CourseOfferingReference></SectionIdentity></SectionReference></StudentSectionAttendanceEvent>"
    )
    files = XML | {"Sections.xml": interchange("StudentAttendance", section)}
    for said in ({}, {"periods": "50"}):
        (row,) = [row for row in export(files, **said).rows("attendance", *MARK, "period") if row[-1]]
        assert row == ("000123", "770042", date(2026, 8, 24), "Unexcused Absence", None, None, "ALG-1")
