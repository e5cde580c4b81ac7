"""The same few facts in every format, each file as its system writes it.

Harbor School (770042) taught on three days. Ana (000123) was away on the first, excused, and late on the third; Ben
(000124) was away on the second, without an excuse.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from tests.edfi_district import ANA, BEN
from tests.feeds import edfi

SCHOOL: Final = "770042"
DAYS: Final = ("2026-09-14", "2026-09-15", "2026-09-16")
US: Final = ("09/14/2026", "09/15/2026", "09/16/2026")

Files = dict[str, str]


def table(header: str, *rows: str) -> str:
    """A CSV file; cells as they stand."""
    return "\n".join([header, *rows]) + "\n"


CALENDAR: Final = {
    "calendar.csv": table("school_id,date,day_type", *(f"{SCHOOL},{on},instructional" for on in DAYS)),
}
COVERS: Final = {"covers.csv": table("school_id,date", *(f"{SCHOOL},{on}" for on in DAYS))}
STINTS: Final = {
    "enrollments.csv": table("student_id,school_id,entry_date", *(f"{who},{SCHOOL},{DAYS[0]}" for who in (ANA, BEN))),
}
OUR_SCHOOL: Final = {
    "schools.csv": table("school_id,name,network_id,network_name", f"{SCHOOL},Harbor School,N,North"),
}
OUR_STUDENTS: Final = {
    "students.csv": table("student_id,first_name,last_name,grade", f"{ANA},Ana,Rivera,4", f"{BEN},Ben,Osei,5"),
}


@dataclass(frozen=True)
class Form:
    """The facts in one format: its roster, its attendance, and what has to be said of it.

    excuses: whether the format says which absences are excused.
    """

    name: str
    roster: Files
    attendance: Files
    options: dict[str, str] = field(default_factory=dict)
    excuses: bool = True


OURS: Final = Form(
    "csv",
    OUR_SCHOOL | OUR_STUDENTS | STINTS | CALENDAR | {
        "absence_codes.csv": table(
            "code,title,kind,absent_fraction,excused", "E,Excused,absence,1,excused", "U,Unexcused,absence,1,unexcused",
            "L,Late,tardy,,unknown",
        ),
    },
    COVERS | {
        "attendance.csv": table(
            "student_id,school_id,date,code", f"{ANA},{SCHOOL},{DAYS[0]},E", f"{BEN},{SCHOOL},{DAYS[1]},U",
            f"{ANA},{SCHOOL},{DAYS[2]},L",
        ),
    },
)  # fmt: skip

ONEROSTER: Final = Form(
    "oneroster 1.1",
    CALENDAR | {
        "manifest.csv": table("propertyName,value", "oneroster.version,1.1", "file.users,bulk"),
        "orgs.csv": table(
            "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
            "d1,,,Bayside,district,77,", f"{SCHOOL},,,Harbor School,school,0042,d1",
        ),
        "users.csv": table(
            "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
            "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
            f"{ANA},,,true,{SCHOOL},student,ana,,Ana,Rivera,,1,,,,,04,secret",
            f"{BEN},,,true,{SCHOOL},student,ben,,Ben,Osei,,2,,,,,05,secret",
        ),
        "enrollments.csv": table(
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
            f"e1,,,c1,{SCHOOL},{ANA},student,,{DAYS[0]},2027-06-04", f"e2,,,c1,{SCHOOL},{BEN},student,,{DAYS[0]},",
        ),
    },
    OURS.attendance | {"absence_codes.csv": ""},
)  # fmt: skip

ONEROSTER_1_2: Final = Form(
    "oneroster 1.2",
    CALENDAR | {
        "manifest.csv": table("propertyName,value", "oneroster.version,1.2"),
        "orgs.csv": ONEROSTER.roster["orgs.csv"],
        "users.csv": table(
            "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
            "email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,"
            "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
            f"{ANA},,,true,ana,,Ana,Rivera,,1,,,,,04,,,,,,{SCHOOL},",
            f"{BEN},,,true,ben,,Ben,Osei,,2,,,,,05,,,,,,{SCHOOL},",
        ),
        "roles.csv": table(
            "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
            "userProfileSourcedId",
            f"r1,,,{ANA},primary,student,{DAYS[0]},,{SCHOOL},", f"r2,,,{BEN},primary,student,{DAYS[0]},,{SCHOOL},",
        ),
    },
    ONEROSTER.attendance,
)  # fmt: skip


def _stint(student: str) -> str:
    return (
        f"<StudentSchoolAssociation>{edfi.reference(student)}<EntryDate>{DAYS[0]}</EntryDate>"
        "<EntryGradeLevel>uri://state.example/GradeLevelDescriptor#Fourth grade</EntryGradeLevel>"
        "</StudentSchoolAssociation>"
    )


EDFI_XML: Final = Form(
    "edfi-xml",
    {
        "orgs.xml": edfi.ORGANIZATION,
        "students.xml": edfi.STUDENTS,
        "enrolled.xml": edfi.interchange("StudentEnrollment", _stint(ANA), _stint(BEN)),
        "days.xml": edfi.interchange("EducationOrgCalendar", *(edfi.day(on, "Instructional day") for on in DAYS)),
    },
    COVERS | {
        "attendance.xml": edfi.interchange(
            "StudentAttendance", edfi.event(DAYS[0], "Excused Absence"),
            edfi.event(DAYS[1], "Unexcused Absence", student=BEN), edfi.event(DAYS[2], "Tardy"),
        ),
    },
)  # fmt: skip


def _resource(*rows: dict[str, object]) -> str:
    return "\n".join(map(json.dumps, rows))


def _who(student: str) -> dict[str, object]:
    return {"studentReference": {"studentUniqueId": student}, "schoolReference": {"schoolId": int(SCHOOL)}}


def _seen(student: str, on: str, category: str) -> dict[str, object]:
    """An event with the time that some exports put behind a date."""
    said = f"uri://state.example/AttendanceEventCategoryDescriptor#{category}"
    return _who(student) | {"eventDate": f"{on}T00:00:00Z", "attendanceEventCategoryDescriptor": said}


EDFI_JSON: Final = Form(
    "edfi-json",
    {
        "schools.ndjson": _resource({"schoolId": int(SCHOOL), "nameOfInstitution": "Harbor School"}),
        "students.json": "\ufeff" + json.dumps(
            [{"studentUniqueId": who, "firstName": "A", "lastSurname": "B"} for who in (ANA, BEN)]
        ),
        "studentSchoolAssociations.ndjson": _resource(*(_who(who) | {"entryDate": DAYS[0]} for who in (ANA, BEN))),
        "calendarDates.jsonl": _resource(*(
            {"date": on, "calendarReference": {"calendarCode": "M", "schoolId": int(SCHOOL)}, "calendarEvents": [
                {"calendarEventDescriptor": "uri://state.example/CalendarEventDescriptor#Instructional day"}
            ]} for on in DAYS
        )),
        "calendars.json": "",
    },
    COVERS | {
        "studentSchoolAttendanceEvents.ndjson": _resource(
            _seen(ANA, DAYS[0], "Excused Absence"), _seen(BEN, DAYS[1], "Unexcused Absence"),
            _seen(ANA, DAYS[2], "Tardy"),
        ),
    },
)  # fmt: skip

_PS_CODES: Final = {
    "attendance_code.txt": table(
        "ID\tSchoolID\tYearID\tAtt_Code\tDescription\tPresence_Status_CD\tCalculate_ADM_YN",
        f"1\t{SCHOOL}\t36\tA\tAbsent\tAbsent\t1", f"2\t{SCHOOL}\t36\tT\tTardy\tPresent\t1",
    ),
    "students.txt": table(
        "ID\tStudent_Number\tFirst_Name\tLast_Name\tDOB\tGrade_Level\tSchoolID\tEntryDate\tExitDate\tEnroll_Status",
        f"77\t{ANA}\tAna\tRivera\t3/1/2016\t4\t{SCHOOL}\t9/14/2026\t5/28/2027\t0",
        f"78\t{BEN}\tBen\tOsei\t11/9/2015\t5\t{SCHOOL}\t9/14/2026\t5/28/2027\t0",
    ),
}  # fmt: skip

POWERSCHOOL: Final = Form(
    "powerschool",
    _PS_CODES | {
        "schools.txt": table("School_Number\tName", f"{SCHOOL}\tHarbor School"),
        "calendar_day.txt": table(
            "SchoolID\tDate_Value\tInSession\tMembershipValue", *(f"{SCHOOL}\t{on}\t1\t1" for on in US),
        ),
        # Presence_Status_CD knows no late: that is said by the district, once.
        "absence_codes.csv": OURS.roster["absence_codes.csv"].replace("\nL,", "\nT,"),
    },
    COVERS | _PS_CODES | {
        "attendance.txt": table(
            "StudentID\tSchoolID\tAtt_Date\tAtt_Mode_Code\tAttendance_CodeID\tAtt_Comment",
            f"77\t{SCHOOL}\t{US[0]}\tATT_ModeDaily\t1\t", f"78\t{SCHOOL}\t{US[1]}\tATT_ModeDaily\t1\t",
            f"77\t{SCHOOL}\t{US[2]}\tATT_ModeDaily\t2\t",
        ),
    },
    excuses=False,
)  # fmt: skip

CAMPUS: Final = Form(
    "infinite-campus",
    {
        "schools.csv": table("schoolNumber,schoolName", f"{SCHOOL},Harbor School"),
        "students.csv": table(
            "studentNumber,firstName,lastName,birthdate,grade", f"{ANA},Ana,Rivera,03/01/2016,04",
            f"{BEN},Ben,Osei,11/09/2015,05",
        ),
        "enrollments.csv": table(
            "studentNumber,schoolNumber,startDate,endDate,serviceType,noShow,stateExclude",
            f"{ANA},{SCHOOL},{US[0]},,P,0,0", f"{BEN},{SCHOOL},{US[0]},,P,0,0",
        ),
        "calendar.csv": table(
            "schoolNumber,date,schoolDay,instruction", *(f"{SCHOOL},{on},1,1" for on in US), f"{SCHOOL},09/17/2026,0,0"
        ),
    },
    COVERS | {
        "attendance.csv": table(
            "studentNumber,schoolNumber,date,periodName,code,status,excuse,presentMinutes,comments",
            f"{ANA},{SCHOOL},{US[0]},1,FLU,A,E,0,", f"{ANA},{SCHOOL},{US[0]},2,FLU,A,E,0,",
            f"{BEN},{SCHOOL},{US[1]},1,UNX,A,U,0,", f"{BEN},{SCHOOL},{US[1]},2,UNX,A,U,0,",
            f"{ANA},{SCHOOL},{US[2]},1,TDY,T,?,,",
        ),
    },
    {"periods": "rows"},
)  # fmt: skip

_ASPEN_IDS: Final = {
    "student.csv": table(
        "STD_OID,STD_ID_LOCAL,STD_GRADE_LEVEL,PSN_NAME_FIRST,PSN_NAME_LAST", f"S1,{ANA},04,Ana,Rivera",
        f"S2,{BEN},05,Ben,Osei",
    ),
    "school.csv": table("SKL_OID,SKL_SCHOOL_ID,SKL_SCHOOL_NAME", f"K1,{SCHOOL},Harbor School"),
}  # fmt: skip

ASPEN: Final = Form(
    "aspen",
    _ASPEN_IDS | STINTS | CALENDAR,
    COVERS | _ASPEN_IDS | {
        "student_attendance.csv": table(
            "ATT_STD_OID,ATT_SKL_OID,ATT_DATE,ATT_CODE_VIEW,ATT_ABSENT_IND,ATT_TARDY_IND,ATT_DISMISSED_IND,"
            "ATT_EXCUSED_IND,ATT_REASON_CODE,ATT_PORTION_ABSENT",
            f"S1,K1,{DAYS[0]},A-E,1,0,0,1,Ill,1.0", rf"S2,K1,{DAYS[1]},A,1,0,0,0,\N,1.0",
            rf"S1,K1,{DAYS[2]},A-T,1,1,0,0,NULL,\N",
        ),
    },
)  # fmt: skip

_SKYWARD_IDS: Final = {
    "CalendarDay.csv": table("CalendarDayID,Date,CalendarID,DayCount", *(f"1{n},{on},5,1" for n, on in enumerate(US))),
    "Calendar.csv": table("CalendarID,EntityCode", f"5,{SCHOOL}"),
    "Student.csv": table("StudentID,StudentNumber,FirstName,LastName", f"1,{ANA},Ana,Rivera", f"2,{BEN},Ben,Osei"),
}  # fmt: skip

SKYWARD: Final = Form(
    "skyward",
    _SKYWARD_IDS | {
        "Entity.csv": table("EntityCode,EntityName", f"{SCHOOL},Harbor School"),
        "StudentEntityYear.csv": table(
            "StudentID,EntityCode,StartDate,EndDate", f"1,{SCHOOL},{US[0]},", f"2,{SCHOOL},{US[0]},"
        ),
    },
    COVERS | _SKYWARD_IDS | {
        "StudentAttendance.csv": table(
            "StudentID,CalendarDayID,DaysAbsent,DaysExcused,DaysUnexcused,DaysOther,TardyCount",
            "1,10,1.00,1.00,0.00,0.00,0", "2,11,1.00,0.00,1.00,0.00,0", "1,12,0.00,0.00,0.00,0.00,1",
        ),
    },
)  # fmt: skip

SYNERGY: Final = Form(
    "synergy",
    CALENDAR | {
        "schools.csv": table("SchoolCode,SchoolName", f"{SCHOOL},Harbor School"),
        "students.csv": table("SISNumber,LastName,FirstName,Grade", f"{ANA},Rivera,Ana,04", f"{BEN},Osei,Ben,05"),
        "enrollments.csv": table(
            "SISNumber,SchoolCode,EnterDate,LeaveDate", f"{ANA},{SCHOOL},{US[0]},", f"{BEN},{SCHOOL},{US[0]},"
        ),
        "codes.csv": table("Code,Type,Description", "ILL,Excused,Ill", "UNX,Unexcused,Unexcused", "TDY,Tardy,Late"),
        "attendance.csv": table("SISNumber,SchoolCode,AbsenceDate,AllDayCode,Period1,Period2"),
    },
    COVERS | {
        # The code of the whole day is empty on Ben's day; its periods are filled.
        "attendance.csv": table(
            "SISNumber,SchoolCode,AbsenceDate,AllDayCode,Period1,Period2,Reason",
            f"{ANA},{SCHOOL},{US[0]},ILL,ILL,ILL,flu",
            f"{BEN},{SCHOOL},{US[1]},,UNX,UNX,", f"{ANA},{SCHOOL},{US[2]},TDY,TDY,,",
        ),
    },
    {"periods": "rows"},
)  # fmt: skip

FORMS: Final = (
    OURS, ONEROSTER, ONEROSTER_1_2, EDFI_XML, EDFI_JSON, POWERSCHOOL, CAMPUS, ASPEN, SKYWARD, SYNERGY,
)  # fmt: skip
