"""OneRoster 1.1 and 1.2: what fills a roster, and the defects that districts' files really have."""

from __future__ import annotations

from datetime import date

import pytest

from ew_app.feeds import ATTENDANCE, RefusedFile, Why
from tests.feeds.files import Export, export

MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\nfile.users,bulk\n"
ORGS = """sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId
d1,,,Bayside Schools,district,9900,
s1,,,Harbor School,school,0042,d1
s2,,,Hill School,school,0043,gone
"""
USERS = """sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,\
middleName,identifier,email,sms,phone,agentSourcedIds,grades,password
u1,,,true,s1,student,ana,,Ana,Rivera,,000123,,,,"p1,p9",04,secret-1
u2,,,true,s1,student,ben,,Ben,Osei,,000124,,,,,KG,
p1,,,true,s1,parent,maria,,Maria,Rivera,,,maria@example.org,555-0101,555-0100,,,
p2,,,true,s1,guardian,kofi,,Kofi,Osei,,,,,555-0102,u2,,
t1,,,true,s1,teacher,tess,,Tess,Moss,,,,,,,,
"""
DEMOGRAPHICS = """sourcedId,status,dateLastModified,birthdate,sex,americanIndianOrAlaskaNative,asian,\
blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,\
hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus
u1,,,2016-03-01,female,false,false,false,false,true,false,false,PT,LI,Lisbon,
"""
ENROLLMENTS = """sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,\
beginDate,endDate
e1,,,c1,s1,u1,student,,2026-08-24,2026-12-18
e2,,,c2,s1,u1,student,,2027-01-05,2027-06-04
e3,,,c1,s1,u2,student,,,
e4,,,c1,s1,t1,teacher,,2026-08-20,
"""
CLASSES = """sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,\
schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods
c1,,,Homeroom,04,k1,1,homeroom,,s1,fall,,,
"""
SESSIONS = """sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear
fall,,,Fall,semester,2026-08-25,2026-12-18,,2027
"""
BULK = {
    "manifest.csv": MANIFEST,
    "orgs.csv": ORGS,
    "users.csv": USERS,
    "demographics.csv": DEMOGRAPHICS,
    "enrollments.csv": ENROLLMENTS,
    "classes.csv": CLASSES,
    "academicSessions.csv": SESSIONS,
}
STUDENT = ("student_id", "first_name", "last_name", "grade", "birth_date")
STINT = ("student_id", "school_id", "entry_date", "exit_date")


def bulk(**changes: str) -> Export:
    """The bulk files, some of them different; `users=...` is users.csv."""
    return export(BULK | {f"{name}.csv": text for name, text in changes.items()})


def test_a_bulk_delivery_is_a_roster() -> None:
    found = bulk()
    assert found.delivery.format == "oneroster"
    assert found.rows("schools", "school_id", "name", "network_id", "network_name") == [
        ("s1", "Harbor School", "d1", "Bayside Schools"),
        ("s2", "Hill School", "gone", ""),
    ]
    assert found.rows("students", *STUDENT) == [
        ("u1", "Ana", "Rivera", "4", date(2016, 3, 1)),
        ("u2", "Ben", "Osei", "K", None),
    ]


def test_rows_keep_the_lines_of_their_file() -> None:
    parts = bulk().parts
    assert parts["students: users.csv"].lines == [2, 3]
    assert parts["schools: orgs.csv"].lines == [3, 4]
    assert parts["enrollments: enrollments.csv"].lines == [2, 4]


def test_first_and_last_days_come_from_class_lists_and_that_is_said() -> None:
    found = bulk()
    assert found.rows("enrollments", *STINT) == [
        ("u1", "s1", date(2026, 8, 24), date(2027, 6, 4)),
        ("u2", "s1", date(2026, 8, 25), None),  # from the term of the class; nobody has said that Ben left with it
    ]
    assert any("too weak" in sentence for sentence in found.delivery.told)


def test_a_class_list_without_dates_lasts_from_the_first_of_its_terms_to_the_end_of_the_school_year() -> None:
    spring = "spring,,,Spring,semester,2027-01-05,2027-05-28,year,2027\n"
    year = (
        "year,,,2026-27,schoolYear,2026-08-25,2027-06-04,,2027\nold,,,2025-26,schoolYear,2025-08-25,2026-06-05,,2026\n"
    )
    classes = CLASSES.replace(",fall,", ',"spring, fall",')
    found = bulk(classes=classes, academicSessions=SESSIONS + spring + year)
    stints = {student: dates for student, _, *dates in found.rows("enrollments", *STINT)}
    assert stints["u2"] == [date(2026, 8, 25), date(2027, 6, 4)]
    assert not found.problems("enrollments")


def test_contacts_are_found_from_either_side_and_missing_ones_are_counted() -> None:
    found = bulk()
    assert found.rows("contacts", "student_id", "name", "relation", "phone", "email") == [
        ("u1", "Maria Rivera", "parent", "555-0100", "maria@example.org"),
        ("u2", "Kofi Osei", "guardian", "555-0102", None),
    ]
    assert "1 row of users.csv left out: it points at users that did not come along (line 2)." in found.delivery.told


def test_what_must_never_be_kept_is_dropped_and_named() -> None:
    found = bulk()
    kept = found.bytes_kept()
    assert not any(word in kept for word in (b"Lisbon", b"PT", b"secret-1", b"tess"))
    (told,) = [sentence for sentence in found.delivery.told if sentence.startswith("demographics.csv")]
    assert all(name in told for name in ("cityOfBirth", "countryOfBirthCode", "stateOfBirthAbbreviation"))


def test_the_district_may_choose_its_own_ids() -> None:
    found = export(BULK, ids="identifier")
    assert [row[0] for row in found.rows("students", "student_id")] == ["000123", "000124"]
    assert found.rows("enrollments", "student_id", "school_id")[0] == ("000123", "0042")
    with pytest.raises(RefusedFile, match="no id 'shoe'; there is sourcedid, identifier"):
        export(BULK, ids="shoe")


def test_version_1_2_has_the_role_in_a_file_of_its_own() -> None:
    users = """sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,\
identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,\
preferredFamilyName,primaryOrgSourcedId,pronouns
u1,,,true,ana,,Ana,Rivera,,1,,,,,04,,,,,,s1,
t1,,,true,tess,,Tess,Moss,,2,,,,,,,,,,,s1,
"""
    roles = """sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,\
userProfileSourcedId
r1,,,u1,primary,student,2026-08-24,,s1,
r2,,,t1,primary,teacher,2026-08-01,,s1,
"""
    demographics = DEMOGRAPHICS.replace("birthdate", "birthDate")
    files = {"orgs.csv": ORGS, "users.csv": users, "roles.csv": roles, "demographics.csv": demographics}
    found = export(files | {"manifest.csv": MANIFEST.replace("1.1", "1.2")})
    assert found.rows("students", *STUDENT) == [("u1", "Ana", "Rivera", "4", date(2016, 3, 1))]
    assert found.rows("enrollments", *STINT) == [("u1", "s1", date(2026, 8, 24), None)]


def test_a_delta_takes_changes_and_makes_no_enrolment_of_them() -> None:
    users = USERS.replace("u1,,", "u1,active,2026-09-14T00:00:00Z").replace("u2,,", "u2,tobedeleted,2026-09-14")
    found = bulk(manifest=MANIFEST + "file.enrollments,delta\n", users=users)
    assert [row[0] for row in found.rows("students", "student_id")] == ["u1"]
    assert not found.rows("enrollments", "student_id")
    assert any("hold only changes" in sentence for sentence in found.delivery.told)
    assert '1 row of users.csv left out: it says "tobedeleted" in status (line 3).' in found.delivery.told


@pytest.mark.parametrize("status", ["toBeDeleted", "inactive", "INACTIVE", "tobedeleted"])
def test_a_status_in_a_bulk_file_counts(status: str) -> None:
    found = bulk(users=USERS.replace("u2,,", f"u2,{status},"))
    assert [row[0] for row in found.rows("students", "student_id")] == ["u1"]


def test_active_in_a_bulk_file_is_nothing_special() -> None:
    assert len(bulk(users=USERS.replace("u1,,", "u1,active,")).rows("students", "student_id")) == 2


def test_names_in_the_wrong_case_and_misspelt_headers_are_understood() -> None:
    renamed = {"ORGS.CSV": ORGS.replace("dateLastModified", "dataLastModified"), "Users.csv": USERS}
    renamed["USERS.csv"] = renamed.pop("Users.csv").replace("agentSourcedIds", "agentSourceIds")
    found = export({"Manifest.csv": MANIFEST, **renamed})
    assert len(found.rows("schools", "school_id")) == 2
    assert found.rows("contacts", "name")[0] == ("Maria Rivera",)


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("users", "dateLastModified", "datLastModified"),
        ("users", "givenName", "prefferedGivenName"),
        ("users", "sourcedId,status", "sourceId,status"),
        ("enrollments", "schoolSourcedId", "schoolSourceId"),
        ("enrollments", "userSourcedId", "userSourceId"),
        ("enrollments", "classSourcedId", "classSourceId"),
        ("orgs", "parentSourcedId", "parentSourceId"),
    ],
)
def test_headers_that_systems_misspell_are_the_fields_they_mean(file: str, right: str, wrong: str) -> None:
    found = bulk(**{file: BULK[f"{file}.csv"].replace(right, wrong, 1)})
    same = bulk()
    assert found.rows("enrollments", *STINT) == same.rows("enrollments", *STINT)
    assert found.rows("schools", "school_id", "network_name") == same.rows("schools", "school_id", "network_name")
    assert found.rows("students", *STUDENT) == same.rows("students", *STUDENT)


def test_blank_manifest_values_and_other_names_in_it_do_no_harm() -> None:
    manifest = "propertyName,value\noneroster.version,\nfile.users,\nfile.systemName,Bay SIS\n"
    assert len(bulk(manifest=manifest).rows("students", "student_id")) == 2


def test_ragged_rows_and_a_missing_last_line_end() -> None:
    orgs = ORGS.rstrip().replace("s2,,,Hill School,school,0043,gone", "s2,,,Hill School,school\ns3,,,A,school,1,d1,x,y")
    found = bulk(orgs=orgs)
    assert [row[0] for row in found.rows("schools", "school_id")] == ["s1", "s2"]
    assert found.problems("schools")[0].startswith("line 5: This row has 9 cells and the header has 7")


def test_us_dates_count_when_a_date_of_the_delivery_proves_them() -> None:
    proven = ENROLLMENTS.replace("2026-08-24", "8/24/2026").replace("2027-06-04", "6/4/2027")
    assert bulk(enrollments=proven).rows("enrollments", *STINT)[0] == (
        "u1", "s1", date(2026, 8, 24), date(2027, 6, 4),
    )  # fmt: skip


def test_dates_that_read_two_ways_are_refused_unless_said() -> None:
    open_dates = ENROLLMENTS.replace("2026-08-24", "8/9/2026").replace("2026-08-20", "")
    with pytest.raises(RefusedFile, match="month first or day first") as refused:
        bulk(enrollments=open_dates)
    assert refused.value.why is Why.TWO_WAY_DATES
    files = BULK | {"enrollments.csv": open_dates}
    assert export(files, dates="dmy").rows("enrollments", "entry_date")[0] == (date(2026, 9, 8),)
    assert export(files, dates="mdy").rows("enrollments", "entry_date")[0] == (date(2026, 8, 9),)


def test_dates_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(RefusedFile, match="in one delivery"):
        bulk(enrollments=ENROLLMENTS.replace("2026-08-24", "8/24/2026").replace("2026-12-18", "18/12/2026"))


def test_it_says_that_there_is_no_attendance() -> None:
    with pytest.raises(RefusedFile, match="OneRoster has no attendance in any version"):
        export(BULK, ATTENDANCE)
    assert any("no calendar of school days" in sentence for sentence in bulk().delivery.told)


def test_our_own_files_beside_it_come_as_they_are() -> None:
    found = export(BULK | {"calendar.csv": "school_id,date,day_type\ns1,2026-08-24,instructional\n"})
    assert found.rows("calendar", "school_id", "date") == [("s1", date(2026, 8, 24))]
    assert not any("no calendar" in sentence for sentence in found.delivery.told)
