"""The resources of an Ed-Fi API: the same tables as from its XML, to the line."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from ew_app.feeds import RefusedFile, Said, delivery_from_bytes, layout, read
from tests.feeds.edfi import ABSENT, JSON, LATE
from tests.feeds.files import Export, export


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


def test_an_absence_of_no_duration_is_an_absence() -> None:
    none, half = ABSENT | {"eventDuration": 0.00}, ABSENT | {"eventDuration": 0.5, "eventDate": "2026-08-26"}
    assert events(none, half).rows("attendance", "code", "fraction_absent") == [
        ("Unexcused Absence", None),
        ("Unexcused Absence", 500),
    ]


def test_a_deletion_of_one_class_takes_its_own_event_out_and_says_else_how_the_day_is_mended() -> None:
    def section(number: str, called: str) -> dict[str, object]:
        return {"id": number, "eventDate": "2026-08-24", "attendanceEventCategoryDescriptor": "x#Unexcused Absence",
                "studentReference": {"studentUniqueId": "000123"},
                "sectionReference": {"schoolId": 770042, "sectionIdentifier": called}}  # fmt: skip

    key = {"studentUniqueId": "000123", "schoolId": 770042, "sectionIdentifier": "ALG", "eventDate": "2026-08-21"}
    deletes = [{"id": "s1", "keyValues": key | {"eventDate": "2026-08-24"}}, {"id": "zz", "keyValues": key}]
    files = {
        "studentSectionAttendanceEvents.json": [section("s1", "ALG"), section("s2", "ENG")],
        "studentSectionAttendanceEvents_deletes.json": deletes,
    }
    found = export({name: json.dumps(rows) for name, rows in files.items()})
    assert found.rows("attendance", "date", "period") == [(date(2026, 8, 24), "ENG")]
    nowhere = export({"studentSectionAttendanceEvents.json": json.dumps([section("s3", "")])})
    assert nowhere.rows("attendance", "date") == [] and len(nowhere.problems("attendance")) == 1
    (problem,) = found.problems("attendance")
    assert problem.startswith("line 2: One class's event was deleted") and "covers.csv" in problem
    for name in ("studentSectionAttendanceEvents_deletes.json", "deletes.json"):
        alone = export({name: json.dumps(deletes[1:])})
        assert alone.rows("attendance", "date") == []
        assert len(alone.problems("attendance")) == 1


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
