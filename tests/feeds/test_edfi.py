"""Ed-Fi as XML interchanges and as the resources of an API: the same rows from both, to the line."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from ew_app.feeds import RefusedFile, Said, delivery_from_bytes, layout, read
from tests.feeds.files import Export, export

URI = "uri://ed-fi.org"


def interchange(name: str, *elements: str, version: str = "5.2.0") -> str:
    """A file of one interchange, each element from a line of its own."""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Interchange{name} xmlns="http://ed-fi.org/{version}">\n'
    return head + "\n".join(elements) + f"\n</Interchange{name}>\n"


ORGANIZATION = interchange(
    "EducationOrganization",
    '<LocalEducationAgency id="LEA_1"><NameOfInstitution>Bayside</NameOfInstitution>'
    "<LocalEducationAgencyId>77</LocalEducationAgencyId></LocalEducationAgency>",
    "<School><NameOfInstitution>Harbor School</NameOfInstitution><SchoolId>770042</SchoolId>"
    f"<SchoolCategory>{URI}/SchoolCategoryDescriptor#Middle School</SchoolCategory>"
    '<LocalEducationAgencyReference ref="LEA_1"/></School>',
    "<School><NameOfInstitution>Hill School</NameOfInstitution><SchoolId>770043</SchoolId>"
    "<LocalEducationAgencyReference><LocalEducationAgencyIdentity><LocalEducationAgencyId>77</LocalEducationAgencyId>"
    "</LocalEducationAgencyIdentity></LocalEducationAgencyReference></School>",
)
STUDENTS = interchange(
    "Student",
    "<Student>\n  <StudentUniqueId>000123</StudentUniqueId>\n  <Name><FirstName>Ana</FirstName>"
    "<LastSurname>Rivera</LastSurname></Name>\n  <BirthData><BirthDate>2014-03-01</BirthDate>"
    "<BirthCity>Lisbon</BirthCity></BirthData>\n  <Citizenship><CitizenshipStatus>Refugee</CitizenshipStatus>"
    "<Visa>F1</Visa></Citizenship>\n</Student>",
    "<Student><StudentUniqueId>000124</StudentUniqueId><Name><FirstName>Ben</FirstName>"
    "<LastSurname>Osei</LastSurname></Name></Student>",
)


def reference(student: str = "000123", school: str = "770042") -> str:
    return (
        f"<StudentReference><StudentIdentity><StudentUniqueId>{student}</StudentUniqueId></StudentIdentity>"
        f"</StudentReference><SchoolReference><SchoolIdentity><SchoolId>{school}</SchoolId></SchoolIdentity>"
        "</SchoolReference>"
    )


ENROLLMENT = interchange(
    "StudentEnrollment",
    f"<StudentSchoolAssociation>{reference()}<EntryDate>2026-08-24</EntryDate>"
    f"<EntryGradeLevel>uri://tea.texas.gov/GradeLevelDescriptor#Sixth grade</EntryGradeLevel>"
    "<CalendarReference><CalendarIdentity><CalendarCode>MAIN</CalendarCode></CalendarIdentity></CalendarReference>"
    "</StudentSchoolAssociation>",
    f"<StudentSchoolAssociation>{reference('000124')}<EntryDate>2026-08-24</EntryDate>"
    f"<ExitWithdrawDate>2026-09-01</ExitWithdrawDate><ExitWithdrawType>{URI}/ExitWithdrawTypeDescriptor#No show"
    "</ExitWithdrawType></StudentSchoolAssociation>",
    f"<StudentSchoolAssociation>{reference('000124')}<EntryDate>2027-08-24</EntryDate>"
    f"<EnrollmentType>{URI}/EnrollmentTypeDescriptor#Preregistered</EnrollmentType></StudentSchoolAssociation>",
)


def calendar(code: str, kind: str) -> str:
    return (
        f"<Calendar><CalendarCode>{code}</CalendarCode><CalendarType>{URI}/CalendarTypeDescriptor#{kind}</CalendarType>"
        "<SchoolReference><SchoolIdentity><SchoolId>770042</SchoolId></SchoolIdentity></SchoolReference></Calendar>"
    )


def day(on: str, *events: str, code: str = "MAIN") -> str:
    told = "".join(f"<CalendarEvent>{URI}/CalendarEventDescriptor#{event}</CalendarEvent>" for event in events)
    return (
        f"<CalendarDate><Date>{on}</Date>{told}<CalendarReference><CalendarIdentity><CalendarCode>{code}</CalendarCode>"
        "<SchoolReference><SchoolIdentity><SchoolId>770042</SchoolId></SchoolIdentity></SchoolReference>"
        "</CalendarIdentity></CalendarReference></CalendarDate>"
    )


CALENDAR = interchange(
    "EducationOrgCalendar",
    calendar("MAIN", "School"),
    calendar("IEP7", "Student Specific"),
    day("2026-08-24", "Instructional day"),
    day("2026-08-25", "Student late arrival/early dismissal", "Instructional day"),
    day("2026-08-26", "Weather day"),
    day("2026-08-27", "Make-up day"),
    day("2026-08-24", "Holiday", code="IEP7"),
)


def event(on: str, category: str, more: str = "", student: str = "000123") -> str:
    said = f"<AttendanceEventCategory>{URI}/AttendanceEventCategoryDescriptor#{category}</AttendanceEventCategory>"
    return (
        f"<StudentSchoolAttendanceEvent>\n  <AttendanceEvent><EventDate>{on}</EventDate>{said}{more}</AttendanceEvent>"
        f"{reference(student)}\n</StudentSchoolAttendanceEvent>"
    )


ATTENDANCE = interchange(
    "StudentAttendance",
    event("2026-08-24", "Unexcused Absence", "<EventDuration>.5</EventDuration>"),
    event("2026-08-25", "In Attendance", "<EventDuration>1</EventDuration>"),
    event("2026-08-25", "Tardy", "<SchoolAttendanceDuration>20</SchoolAttendanceDuration>", student="000124"),
    event(
        "2026-08-27",
        "Excused Absence",
        f"<EducationalEnvironment>{URI}/EducationalEnvironmentDescriptor#Homebound</EducationalEnvironment>",
    ),
)
XML = {
    "EducationOrganization.xml": ORGANIZATION,
    "Student.xml": STUDENTS,
    "StudentEnrollment.xml": ENROLLMENT,
    "EducationOrgCalendar.xml": CALENDAR,
    "StudentAttendance.xml": ATTENDANCE,
}
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
        '1 row of StudentEnrollment.xml left out: they say "Preregistered" (line 5).',
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
    (row,) = [row for row in export(files).rows("attendance", *MARK, "period") if row[-1]]
    assert row == ("000123", "770042", date(2026, 8, 24), "Unexcused Absence", None, None, "ALG-1")
    (row,) = [row for row in export(files, periods="50").rows("attendance", *MARK, "period") if row[-1]]
    assert row == ("000123", "770042", date(2026, 8, 24), "Unexcused Absence", None, 50, "ALG-1")


# -- the API -------------------------------------------------------------------------------------------------

CATEGORY = "uri://state.example/AttendanceEventCategoryDescriptor#"
WHO = {"studentReference": {"studentUniqueId": "000123"}, "schoolReference": {"schoolId": 770042}}
ABSENT = WHO | {
    "id": "a1",
    "eventDate": "2026-08-24",
    "attendanceEventCategoryDescriptor": CATEGORY + "Unexcused Absence",
}
LATE = WHO | {
    "id": "a2",
    "eventDate": "2026-08-24",
    "attendanceEventCategoryDescriptor": CATEGORY + "Tardy",
    "_lastModifiedDate": "2026-08-24T10:00:00.1234567Z",
}
JSON = {
    "schools.json": json.dumps([{"schoolId": 770042, "nameOfInstitution": "Harbor School",
                                 "localEducationAgencyReference": {"localEducationAgencyId": 77}}]),
    "students.ndjson": '{"studentUniqueId": "000123", "firstName": "A", "lastSurname": "Rivera", "birthCity": "Faro"}',
    "studentSchoolAssociations.json": json.dumps(
        [WHO | {"entryDate": "2026-08-24", "entryGradeLevelDescriptor": "uri://x/GradeLevelDescriptor#Ninth grade"}]
    ),
    "calendarDates.ndjson": json.dumps(
        {"date": "2026-08-24", "calendarReference": {"calendarCode": "MAIN", "schoolId": 770042},
         "calendarEvents": [{"calendarEventDescriptor": "uri://x/CalendarEventDescriptor#Instructional day"}]}
    ),
}  # fmt: skip


def events(*found: dict[str, object], **more: str) -> Export:
    lines = "\n".join(map(json.dumps, found))
    return export(
        {"studentSchoolAttendanceEvents.ndjson": lines} | {f"{name}.json": text for name, text in more.items()}
    )


def test_api_resources_fill_the_same_tables() -> None:
    found = export(JSON)
    assert found.delivery.format == "edfi-json"
    assert found.rows("schools", "school_id", "network_id") == [("770042", "77")]
    assert found.rows("students", "student_id", "last_name", "grade") == [("000123", "Rivera", "9")]
    assert found.rows("enrollments", "student_id", "school_id", "entry_date") == [
        ("000123", "770042", date(2026, 8, 24))
    ]
    assert found.rows("calendar", "calendar_id", "day_type") == [(None, "instructional")]
    assert b"Faro" not in found.bytes_kept()
    assert any(told.startswith("students.ndjson: birthCity") for told in found.delivery.told)


EVENTS = "studentSchoolAttendanceEvents.json"


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        ("", "begins on line 1 is not closed: the file ends on line 1 after 1 object and a ] is missing"),
        (",", "begins on line 1 is not closed"),
        (',\n{"id": "b", "eventDate', "What begins on line 2 has no end: the file was cut off there"),
        (',\n{"id": "b",', "What begins on line 2 has no end"),
    ],
)
def test_an_array_that_was_cut_off_is_refused(ending: str, sentence: str) -> None:
    with pytest.raises(RefusedFile, match=re.escape(sentence)):
        export({EVENTS: "[" + json.dumps(ABSENT) + ending})


def test_arrays_one_after_the_other_are_all_read() -> None:
    found = export({EVENTS: f"[{json.dumps(ABSENT)}]\n[]\n[{json.dumps(LATE)}]"})
    assert found.parts[f"attendance: {EVENTS}"].lines == [1, 2]


@pytest.mark.parametrize(
    "error",
    [{"message": "unauthorized"}, {"statusCode": 500, "error": {"code": 7}}, {"title": "unauthorized", "status": 1}],
)
def test_what_an_api_says_instead_of_records_is_named(error: dict[str, object]) -> None:
    with pytest.raises(RefusedFile, match="an error that the API gave instead: .*(unauthorized|code)"):
        export({EVENTS: json.dumps(error)})


def test_an_empty_array_is_told_in_words_of_its_own() -> None:
    (part,) = delivery_from_bytes({EVENTS: b"[]"}, Said(format="edfi-json")).parts
    with part.open() as stream, pytest.raises(RefusedFile, match="^There is no row of attendance in it"):
        list(read(stream, layout({"format": "edfi-json"}, "attendance")))


def test_lines_of_objects_and_places_in_an_array() -> None:
    assert events(ABSENT, LATE).parts["attendance: studentSchoolAttendanceEvents.ndjson"].lines == [1, 2]
    array = export({"studentSchoolAttendanceEvents.json": json.dumps([ABSENT, LATE], indent=2)})
    assert array.parts["attendance: studentSchoolAttendanceEvents.json"].lines == [1, 2]
    assert array.rows("attendance", "code") == [("Unexcused Absence",), ("Tardy",)]


def test_a_byte_order_mark_blank_lines_and_no_last_line_end() -> None:
    text = "\ufeff" + json.dumps(ABSENT) + "\r\n\r\n" + json.dumps(LATE)
    found = export({"studentSchoolAttendanceEvents.jsonl": text})
    assert found.parts["attendance: studentSchoolAttendanceEvents.jsonl"].lines == [1, 3]


@pytest.mark.parametrize("nothing", ["", "\ufeff", "[]", "\n"])
def test_an_empty_file_has_no_rows(nothing: str) -> None:
    found = export(JSON | {"studentSchoolAttendanceEvents.json": nothing})
    assert found.rows("attendance", "code") == [] and found.rows("students", "student_id") == [("000123",)]


def test_deletions_take_rows_of_the_delivery_out_and_say_present_for_others() -> None:
    deletes = [
        {"Id": "a1", "ChangeVersion": 7},
        {"id": "zz", "changeVersion": 8, "keyValues": {"studentUniqueId": "000123", "schoolId": 770042,
                                                        "eventDate": "2026-08-21"}},
    ]  # fmt: skip
    found = events(ABSENT, LATE, studentSchoolAttendanceEvents_deletes=json.dumps(deletes))
    assert found.rows("attendance", "date", "code") == [
        (date(2026, 8, 24), "Tardy"),
        (date(2026, 8, 21), "Deleted"),
    ]
    assert any("1 row of studentSchoolAttendanceEvents_deletes.json left out" in told for told in found.delivery.told)


def test_what_an_api_tells_of_enrolments_and_days_that_are_gone() -> None:
    old = {"studentUniqueId": "000123", "schoolId": 770042, "entryDate": "2026-08-17"}
    again = {"studentUniqueId": "000123", "schoolId": 770042, "entryDate": "2026-08-24"}
    moved = {"studentUniqueId": "000124", "schoolId": 770042, "entryDate": "2026-08-25"}
    day_off = {"calendarCode": "MAIN", "schoolId": 770042, "date": "2026-08-31"}
    calendars = {"calendarCode": "MAIN", "schoolReference": {"schoolId": 770042}}
    files = {
        "studentSchoolAssociations_deletes.json": [{"id": "a", "keyValues": old}, {"id": "b", "keyValues": again}],
        "studentSchoolAssociations_keyChanges.json": [{"id": "c", "oldKeyValues": moved, "newKeyValues": again}],
        "calendarDates_deletes.json": [{"keyValues": day_off}, {"keyValues": day_off | {"calendarCode": "GONE"}}],
        "calendars.json": [calendars],
    }
    found = export(JSON | {name: json.dumps(rows) for name, rows in files.items()})
    assert found.rows("enrollments", "student_id", "entry_date", "exit_date", "exit_code") == [
        ("000123", date(2026, 8, 24), None, None),  # deleted and there again
        ("000123", date(2026, 8, 17), date(2026, 8, 17), "Invalid enrollment"),
        ("000124", date(2026, 8, 25), date(2026, 8, 25), "Invalid enrollment"),
    ]
    assert found.rows("calendar", "calendar_id", "date", "day_type") == [
        (None, date(2026, 8, 24), "instructional"),
        (None, date(2026, 8, 31), "non_instructional"),
    ]


def test_broken_json_is_refused_with_its_line() -> None:
    with pytest.raises(RefusedFile, match="studentSchoolAttendanceEvents.ndjson: The JSON is broken .* line 2"):
        export({"studentSchoolAttendanceEvents.ndjson": json.dumps(ABSENT) + "\n{broken\n"})


def test_an_api_tells_of_students_who_have_another_id_now() -> None:
    change = {"id": "a1", "changeVersion": 9, "oldKeyValues": {"studentUniqueId": "000123"}}
    change["newKeyValues"] = {"studentUniqueId": "900123"}
    found = export({**JSON, "students_keyChanges.json": json.dumps([change])})
    assert found.rows("student_changes", "student_id", "former_student_id") == [("900123", "000123")]
