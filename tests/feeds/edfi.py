"""A small district as Ed-Fi tells it: XML interchanges, and the resources of an API."""

from __future__ import annotations

import json

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
