"""Exports of other systems, from the file to what is stored, measured and explained, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Refused
from ew_app.services.deliveries import ingest, problem_rows
from ew_app.services.measuring import measures, why
from ew_app.services.rosters.codes import Meaning, map_code
from models.attendance import BatchFile
from models.base import db
from tests.feeds import edfi
from tests.feeds.test_oneroster import BULK
from tests.feeds.test_powerschool import POWERSCHOOL
from tests.feeds.test_sis_exports import ASPEN, CAMPUS, SYNERGY
from tests.services.lincoln_and_carver import assert_identity
from tests.services.rosters import open_district, rows

SCHOOL = "school_id,name,network_id,network_name\n42,Harbor,N,North\n0042,Harbor,N,North\n"
TWO = "student_id,first_name,last_name\n000123,Ana,Rivera\n000124,Ben,Osei\n"
CODES = {
    "absence_codes.csv": "code,title,kind,absent_fraction,excused\n"
    "UNX,Unexcused,absence,1,unexcused\nTDY,Tardy,tardy,,\n"
}


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    """A district without any row, on 30 September 2026."""
    with open_district(settings):
        yield


def hand_over(kind: str, files: Mapping[str, str | bytes], **more: Any) -> dict[str, Any]:
    """Load these files as one delivery and tell what became of it."""
    data = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    batch = ingest.receive(kind=kind, name=kind, files=data, by=OPERATOR, **more)
    ingest.load(batch)
    told = ingest.describe(batch)
    assert_identity(told)
    return told


def both(files: Mapping[str, str | bytes], **more: Any) -> dict[str, Any]:
    """A roster and the attendance of the same files; what became of the attendance."""
    assert hand_over("roster", files)["status"] == "applied"
    return hand_over("attendance", files, **more)


def undo(batch: int) -> None:
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)


def marks() -> list[tuple[Any, ...]]:
    """What stands: student, day, code, line."""
    found = "SELECT s.key, m.day, m.code, m.line FROM mark m JOIN student s ON s.id = m.student_id ORDER BY 1, 2"
    return rows(found)


# -- Ed-Fi ---------------------------------------------------------------------------------------------------


def test_a_whole_set_of_edfi_interchanges_loads_alone_and_is_measured() -> None:
    told = both(edfi.XML)
    assert (told["status"], told["applied"], told["unknown_code"]) == ("applied", 4, 0)
    (measure,) = measures.measures(date(2026, 8, 27), student="000123")
    # Three school days, the fourth at home with a teacher; half of the first was missed without an excuse.
    assert (measure["enrolled_days"], measure["absent_days"], measure["unexcused_days"]) == ("2", "0.5", "0.5")


def test_a_mark_is_explained_to_the_line_of_its_element() -> None:
    both(edfi.XML)
    told = why.explain("000123", date(2026, 8, 27))
    (said,) = next(day.marks for day in told.days if day.day == date(2026, 8, 24))
    assert (said.source.file, said.source.line) == ("StudentAttendance.xml", 3)


def test_edfi_and_our_own_files_measure_the_same() -> None:
    both(edfi.XML)
    by_edfi = list(measures.measures(date(2026, 8, 27)))
    hand_over("attendance", {"attendance.csv": _as_ours(), "covers.csv": _covers()})
    assert rows("SELECT count(*) FROM mark_history") == [(0,)]  # the same marks from our own file change nothing
    assert list(measures.measures(date(2026, 8, 27))) == by_edfi


def _as_ours() -> str:
    return (
        "student_id,school_id,date,code,fraction_absent,minutes_absent,reason\n"
        "000123,770042,2026-08-24,Unexcused Absence,0.5,,\n"
        "000123,770042,2026-08-25,In Attendance,,,\n"
        "000124,770042,2026-08-25,Tardy,,20,\n"
        "000123,770042,2026-08-27,Homebound,,,Excused Absence\n"
    )


def _covers() -> str:
    return "school_id,date\n770042,2026-08-24\n770042,2026-08-25\n770042,2026-08-27\n"


def test_an_event_under_two_categories_counts_once_and_the_correction_wins() -> None:
    both(edfi.XML)
    corrected = edfi.interchange(
        "StudentAttendance", edfi.event("2026-08-24", "Unexcused Absence"), edfi.event("2026-08-24", "Tardy")
    )
    told = hand_over("attendance", {"StudentAttendance.xml": corrected})
    assert (told["rows_in"], told["duplicate"], told["superseded"]) == (2, 1, 1)
    assert marks()[0] == ("000123", date(2026, 8, 24), "Tardy", 6)


def test_nothing_of_what_is_forbidden_reaches_the_database() -> None:
    told = hand_over("roster", edfi.XML)
    assert any("Citizenship" in note and "left out before anything was written" in note for note in told["notes"])
    kept = b"".join(db.session.scalars(select(BatchFile.content))).decode()
    assert "Rivera" in kept and not any(word in kept for word in ("Lisbon", "Refugee", "F1"))


def test_api_resources_load_and_a_deletion_takes_the_absence_back() -> None:
    both(edfi.JSON | {"studentSchoolAttendanceEvents.ndjson": json.dumps(edfi.ABSENT)})
    assert marks() == [("000123", date(2026, 8, 24), "Unexcused Absence", 1)]
    key = {"studentUniqueId": "000123", "schoolId": 770042, "eventDate": "2026-08-24"}
    deletes = json.dumps([{"id": "a1", "changeVersion": 9, "keyValues": key}])
    told = hand_over("attendance", {"studentSchoolAttendanceEvents_deletes.json": deletes}, accept_held=True)
    assert (told["status"], told["superseded"]) == ("applied", 1)
    (measure,) = measures.measures(date(2026, 8, 24), student="000123")
    assert (measure["enrolled_days"], measure["absent_days"]) == ("1", "0")


def test_a_deletion_of_an_event_that_is_not_the_mark_that_stands_leaves_it_standing() -> None:
    both(edfi.JSON | {"studentSchoolAttendanceEvents.ndjson": json.dumps(edfi.ABSENT)})
    key = {"studentUniqueId": "000123", "schoolId": 770042, "eventDate": "2026-08-24"}
    for category, stands in (("Tardy", "Unexcused Absence"), ("Unexcused Absence", "Deleted")):
        named = key | {"attendanceEventCategoryDescriptor": f"uri://x/AttendanceEventCategoryDescriptor#{category}"}
        deletes = json.dumps([{"id": category, "changeVersion": 9, "keyValues": named}])
        told = hand_over("attendance", {"studentSchoolAttendanceEvents_deletes.json": deletes}, accept_held=True)
        assert (told["rows_in"], told["unchanged"]) == (1, int(stands != "Deleted"))
        assert [row[2] for row in marks()] == [stands]


def events(*told: tuple[str, str], **more: str) -> str:
    """Events of 24 August as (id, category)."""
    named = "attendanceEventCategoryDescriptor"
    return json.dumps(
        [edfi.ABSENT | {"id": key, named: f"uri://x/{named}#{category}"} | more for key, category in told]
    )


def deletions(*categories: str, on: str = "2026-08-24") -> dict[str, str]:
    key = {"studentUniqueId": "000123", "schoolId": 770042, "eventDate": on}
    named = "attendanceEventCategoryDescriptor"
    told = [{"id": f"d{on}{one}", "keyValues": key | {named: f"uri://x/{named}#{one}"}} for one in categories]
    return {"studentSchoolAttendanceEvents_deletes.json": json.dumps(told)}


SAID = "studentSchoolAttendanceEvents.json"


@pytest.mark.parametrize(
    ("files", "deleted", "stands"),
    [
        ([[("a", "Unexcused Absence"), ("b", "Tardy")]], ["Tardy"], "Unexcused Absence"),
        ([[("a", "Excused Absence"), ("b", "Unexcused Absence")]], ["Excused Absence"], "Unexcused Absence"),
        ([[("a", "Unexcused Absence")], [("b", "Tardy")]], ["Tardy"], "Unexcused Absence"),
        ([[("a", "Unexcused Absence")], [("b", "Tardy")]], ["Tardy", "Unexcused Absence"], "Deleted"),
        ([[("a", "Unexcused Absence"), ("b", "Tardy")]], ["Unexcused Absence"], "Tardy"),
    ],
)
def test_of_two_events_of_a_day_the_one_that_was_not_deleted_stands(
    files: list[list[tuple[str, str]]], deleted: list[str], stands: str
) -> None:
    first, *more = files
    both(edfi.JSON | {SAID: events(*first)})
    for file in more:
        hand_over("attendance", {SAID: events(*file)}, accept_held=True)
    told = hand_over("attendance", deletions(*deleted), accept_held=True)
    assert [row[2] for row in marks()] == [stands]
    undo(told["batch"])
    assert [row[2] for row in marks()] == [max(category for _, category in files[-1]) if more else _wins(first)]


def _wins(told: list[tuple[str, str]]) -> str:
    """Of two events in one file: Tardy, then an excused absence."""
    categories = {category for _, category in told}
    return "Tardy" if "Tardy" in categories else "Excused Absence"


def test_an_event_that_was_deleted_while_another_stood_does_not_come_back() -> None:
    both(edfi.JSON | {SAID: events(("a", "Unexcused Absence"))})
    tuesday = {SAID: events(("b", "Tardy"))} | deletions("Unexcused Absence")
    told = hand_over("attendance", tuesday, accept_held=True)
    assert (told["superseded"], told["duplicate"], told["problems"]) == (1, 1, [])
    hand_over("attendance", deletions("Tardy"), accept_held=True)
    assert [row[2] for row in marks()] == ["Deleted"]


def test_an_event_at_home_is_deleted_by_its_category() -> None:
    home = {"educationalEnvironmentDescriptor": "uri://x/EducationalEnvironmentDescriptor#Homebound"}
    both(edfi.JSON | {SAID: events(("a", "Excused Absence"), **home)})
    assert [row[2] for row in marks()] == ["Homebound"]
    hand_over("attendance", deletions("Excused Absence"), accept_held=True)
    (measure,) = measures.measures(date(2026, 8, 24), student="000123")
    assert (measure["enrolled_days"], measure["absent_days"]) == ("1", "0")


def test_a_deletion_alone_does_not_show_that_attendance_was_taken() -> None:
    both(edfi.JSON | {SAID: events(("a", "Unexcused Absence"))})
    later = hand_over("attendance", deletions("Tardy", on="2026-08-26"), accept_held=True)
    assert (later["status"], later["applied"]) == ("applied", 1)
    assert rows(f"SELECT counts->>'new_days' FROM batch WHERE id = {later['batch']}") == [("0",)]
    (measure,) = measures.measures(date(2026, 8, 27), student="000123")
    assert (measure["enrolled_days"], measure["missing_days"], measure["data_through"]) == ("1", "0", "2026-08-24")
    assert rows("SELECT day FROM school_day") == [(date(2026, 8, 24),)]
    hand_over("attendance", {"covers.csv": "school_id,date\n770042,2026-08-26\n", "attendance.csv": "student_id,"
                             "school_id,date,code\n000124,770042,2026-08-26,Tardy\n"}, accept_held=True)  # fmt: skip
    assert rows("SELECT count(*) FROM school_day") == [(2,)]


def test_an_enrolment_whose_first_day_changed_asks_for_nothing_more() -> None:
    hand_over("roster", edfi.JSON)
    (stint,) = json.loads(edfi.JSON["studentSchoolAssociations.json"])
    old = {"studentUniqueId": "000123", "schoolId": 770042, "entryDate": stint["entryDate"]}
    changes = [{"id": "e1", "changeVersion": 9, "oldKeyValues": old, "newKeyValues": old | {"entryDate": "2026-08-31"}}]
    files = {
        "studentSchoolAssociations.json": json.dumps([stint | {"entryDate": "2026-08-31"}]),
        "studentSchoolAssociations_keyChanges.json": json.dumps(changes),
    }
    assert not [note for note in hand_over("roster", files)["notes"] if "overlap" in note or "The file names" in note]


def test_the_same_export_again_is_a_duplicate_and_undo_takes_it_back() -> None:
    told = both(edfi.XML)
    again = hand_over("attendance", edfi.XML)
    assert again["status"] == "duplicate"
    ingest.undo(told["batch"])
    assert marks() != []
    ingest.undo(again["batch"])
    assert marks() == []
    assert hand_over("attendance", edfi.XML)["status"] == "applied"


def test_rows_without_a_student_wait_for_the_next_roster() -> None:
    hand_over("roster", edfi.XML | {"Student.xml": edfi.STUDENTS.replace("000124", "000999")})
    assert hand_over("attendance", edfi.XML, accept_held=True)["unmatched_student"] == 1
    hand_over("roster", edfi.XML)
    assert ("000124", date(2026, 8, 25), "Tardy", 9) in marks()


# -- the others ----------------------------------------------------------------------------------------------


def test_a_oneroster_delivery_is_a_roster_and_says_what_it_lacks() -> None:
    told = hand_over("roster", BULK)
    assert told["status"] == "applied"
    assert rows("SELECT key, grade FROM student ORDER BY key") == [("u1", "4"), ("u2", "K")]
    assert rows("SELECT count(*) FROM contact") == [(2,)]
    assert any("too weak" in note for note in told["notes"])
    with pytest.raises(Refused, match="OneRoster has no attendance in any version"):
        hand_over("attendance", BULK)


def test_powerschool_exits_the_day_before_and_keeps_what_people_said_of_its_codes() -> None:
    map_code(Meaning("A", "absence", "unexcused", school_key=None), by=OPERATOR)
    told = both(POWERSCHOOL | {"schools.txt": "School_Number\tName\n42\tHarbor\n41\tHill\n"}, accept_held=True)
    assert (told["status"], told["applied"], told["rejected"]) == ("applied", 3, 1)
    assert rows("SELECT exit_date FROM stint ORDER BY 1") == [(date(2026, 5, 28),), (date(2027, 5, 27),)]
    map_code(Meaning("T", "tardy", "unknown", school_key="42"), by=OPERATOR)
    hand_over("roster", POWERSCHOOL)
    explained = "SELECT kind FROM absence_code a JOIN school s ON s.id = a.school_id WHERE code = 'T'"
    assert rows(explained) == [("tardy",)]


def test_a_row_of_a_kind_that_is_not_read_leaves_what_is_known_of_the_day() -> None:
    header = POWERSCHOOL["attendance.txt"].splitlines()[0].split("\t")

    def row(mode: str, day: str) -> dict[str, str]:
        said = {"StudentID": "77", "SchoolID": "42", "Att_Date": day, "Att_Mode_Code": mode, "Attendance_CodeID": "1"}
        lines = "\t".join(header) + "\n" + "\t".join(said.get(name.split("]")[-1], "") for name in header) + "\n"
        return POWERSCHOOL | {"attendance.txt": lines}

    hand_over("roster", POWERSCHOOL | {"schools.txt": "School_Number\tName\n42\tHarbor\n41\tHill\n"})
    hand_over("attendance", row("ATT_ModeDaily", "9/14/2026"), accept_held=True)
    told = hand_over("attendance", row("ATT_ModeTime", "9/14/2026"), accept_held=True)
    assert (told["rejected"], [mark[2] for mark in marks()]) == (1, ["A"])
    told = hand_over("attendance", row("ATT_ModeMeeting", "9/14/2026"), accept_held=True)
    assert (told["rejected"], [mark[2] for mark in marks()]) == (1, ["A"])  # of which class it does not say
    hand_over("attendance", row("ATT_ModeTime", "9/15/2026"), accept_held=True)
    assert [mark[2] for mark in marks()] == ["A", " unreadable row"]


def test_our_own_list_of_codes_goes_before_what_an_export_said_from_one_day_on() -> None:
    schools = {"schools.txt": "School_Number\tName\n42\tHarbor\n41\tHill\n"}
    hand_over("roster", POWERSCHOOL | schools)
    said = "SELECT kind, valid_from FROM absence_code WHERE code = 'T' ORDER BY 2"
    assert rows(said) == [("present", date(2026, 7, 1))]
    told = hand_over(
        "roster", {"absence_codes.csv": "school_id,code,title,kind,absent_fraction,excused\n42,T,Late,tardy,,\n"}
    )
    assert rows(said) == [("tardy", None)]
    undo(told["batch"])
    assert rows(said) == [("present", date(2026, 7, 1))]


def test_what_a_letter_means_this_year_leaves_what_an_export_said_of_last_year() -> None:
    last_year = POWERSCHOOL["attendance_code.txt"].replace("\t36\tA\tAbsent\tAbsent", "\t35\tA\tAsked\tPresent")
    wrong = POWERSCHOOL["attendance_code.txt"].replace("\t36\tA\tAbsent\tAbsent", "\t36\tA\tAsked\tPresent")
    meaning = "SELECT kind, valid_from FROM absence_code WHERE code = 'A' ORDER BY valid_from"
    former, now = date(2025, 7, 1), date(2026, 7, 1)
    hand_over("roster", POWERSCHOOL | {"attendance_code.txt": last_year})
    hand_over("roster", POWERSCHOOL | {"attendance_code.txt": wrong})
    told = hand_over("roster", POWERSCHOOL)
    assert rows(meaning) == [("present", former), ("absence", now)]
    undo(told["batch"])
    assert rows(meaning) == [("present", former), ("present", now)]


def test_what_is_said_of_exits_goes_before_what_the_export_usually_means() -> None:
    schools = {"schools.txt": "School_Number\tName\n42\tHarbor\n41\tHill\n"}
    hand_over("roster", POWERSCHOOL | schools, options={"exit": "inclusive"})
    assert rows("SELECT exit_date FROM stint ORDER BY 1") == [(date(2026, 5, 29),), (date(2027, 5, 28),)]


def test_minutes_of_periods_become_a_part_of_the_day() -> None:
    calendar = {"calendar.csv": "school_id,date,day_type\n42,2026-09-14,instructional\n"}
    roster = {"schools.csv": SCHOOL, "students.csv": TWO, "enrollments.csv": stints("42")}
    hand_over("roster", roster | calendar)
    files = {"attendance.csv": CAMPUS["attendance.csv"].replace(",A,U,20,", ",A,U,0,"), "periods.csv": "x\n"}
    told = hand_over("attendance", files, options={"periods": "80"})
    assert (told["status"], told["applied"], told["unknown_code"]) == ("applied", 3, 0)
    (measure,) = measures.measures(date(2026, 9, 14), student="000123")
    assert measure["absent_days"] == "0.5"  # 160 of 420 minutes: fewer than the 300 of a whole day were attended


def stints(school: str) -> str:
    return f"student_id,school_id,entry_date\n000123,{school},2026-08-24\n000124,{school},2026-08-24\n"


def test_what_was_said_of_periods_is_remembered_for_the_source() -> None:
    roster = {"schools.csv": SCHOOL, "students.csv": TWO, "enrollments.csv": stints("42")}
    hand_over("roster", roster)
    hand_over("attendance", CAMPUS, options={"periods": "50"})
    later = {name: text.replace("09/14/2026", "09/15/2026") for name, text in CAMPUS.items()}
    assert hand_over("attendance", later)["applied"] == 3


@pytest.mark.parametrize(
    ("files", "school", "options", "applied"),
    [(ASPEN, "0042", {}, 3), (SYNERGY, "42", {"periods": "rows"}, 3), (SYNERGY, "42", {}, 3)],
)
def test_attendance_of_other_systems_goes_in(
    files: dict[str, str], school: str, options: dict[str, str], applied: int
) -> None:
    roster = {"schools.csv": SCHOOL, "students.csv": TWO, "enrollments.csv": stints(school)}
    hand_over("roster", roster | CODES)
    told = hand_over("attendance", files, options=options)
    assert (told["status"], told["applied"], told["unknown_code"]) == ("applied", applied, 0)


def test_rows_to_mend_are_told_in_our_columns_with_their_line() -> None:
    told = both(
        edfi.XML | {"StudentAttendance.xml": edfi.ATTENDANCE.replace("2026-08-27", "1813-08-27")}, accept_held=True
    )
    assert told["rejected"] == 1
    header, *lines = problem_rows.as_csv(told["batch"]).splitlines()
    assert header.startswith("\ufeffstudent_id,school_id,date,code")
    (line,) = [line for line in lines if line.endswith(",yes")]
    assert line.startswith("000123,770042,1813-08-27,Homebound") and ",12,StudentAttendance.xml," in line
