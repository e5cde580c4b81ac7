"""Two systems that speak of one day: the school's own is believed, and where they differ it is listed."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, now
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.measures import measures
from ew_app.services.rosters import codes, fixing
from models.org import AbsenceCode
from models.queries import coded
from rules.access import Area
from rules.codes import Meaning, meaning
from rules.day import Kind, Reason
from tests.services.lincoln_and_carver import LINCOLN, build, covers, csv, load, load_files, query

DISTRICT = Area(district=True)


@pytest.fixture(autouse=True)
def district(app: Flask) -> None:
    build()


def _stands(student: str) -> tuple[str, str]:
    """Days enrolled and absent."""
    (row,) = measures(None, student=student)
    return row["enrolled_days"], row["absent_days"]


def _listed() -> list[tuple[object, ...]]:
    rows = fixing.rows("two_sources", DISTRICT, OPERATOR)
    names = ("student_id", "day", "code", "source", "other_code", "other_source")
    return [tuple(row[name] for name in names) for row in rows]


def test_presence_on_a_roll_against_an_absence_is_listed_and_believed() -> None:
    load(*(f"{name} lincoln 08-17 P" for name in LINCOLN), feed="full", source="sis")
    load("ana lincoln 08-17 A", "ben lincoln 08-17 P", source="nurse")
    assert _stands("ana") == ("1", "0")
    assert _listed() == [("ana", date(2026, 8, 17), "A", "nurse", "P", "sis")]


def test_silence_on_a_day_the_own_system_called_whole_is_presence() -> None:
    whole = {"attendance.csv": csv("eli lincoln 08-17 A"), "covers.csv": covers("lincoln 08-17")}
    load_files(whole, source="sis")
    load("ana lincoln 08-17 A", "ben lincoln 08-17 P", "eli lincoln 08-17 A", source="nurse")
    assert (_stands("ana"), _stands("eli")) == (("1", "0"), ("1", "1"))
    assert _listed() == [("ana", date(2026, 8, 17), "A", "nurse", "no row", "sis")]


def test_where_the_own_system_said_nothing_of_the_whole_day_another_is_heard() -> None:
    load("eli lincoln 08-17 A", source="sis")
    load("ana lincoln 08-17 A", source="nurse")
    assert _stands("ana") == ("1", "1")
    assert _listed() == []


def test_a_system_whose_only_file_was_taken_back_is_no_longer_the_schools_own() -> None:
    own = "SELECT f.name FROM school s LEFT JOIN source f ON f.id = s.source_id WHERE s.key = 'lincoln'"
    mistaken = load("ana lincoln 08-17 A", "eli lincoln 08-17 A", source="wrong")["batch"]
    before = now()
    load("ana lincoln 08-17 T", source="nurse")
    assert (query(own), _stands("ana")) == ([("wrong",)], ("1", "1"))
    ingest.take_back(mistaken, by=OPERATOR)
    ingest.undo(mistaken)
    assert (query(own), _stands("ana")) == ([("nurse",)], ("1", "0"))
    (then,) = measures(None, student="ana", known_at=before)
    assert then["absent_days"] == "1"
    load("ana lincoln 08-18 A", source="wrong")
    assert query(own) == [("nurse",)]


def test_the_database_and_the_rules_agree_which_meaning_stands() -> None:
    days = [date(2026, 8, day) for day in (17, 18, 19, 20)]
    said = [(None, None, days[2]), (None, days[1], None), ("lincoln", days[1], days[1]), ("lincoln", days[3], None)]
    for number, (school, starts, ends) in enumerate(said):
        kind = ("absence", "tardy", "present", "remote")[number]
        codes.map_code(codes.Meaning("Q", kind, school_key=school, valid_from=starts, valid_to=ends), by=OPERATOR)
    rows = [
        Meaning(row.school_id, row.code, Kind[row.kind.upper()], Reason.UNKNOWN, 0, row.valid_from, row.valid_to)
        for row in AbsenceCode.query.filter_by(code="Q")
    ]
    asked = "SELECT s.id AS school_id, d AS day, 'Q' AS code FROM school s, unnest(CAST(:days AS date[])) d"
    found = query(f"SELECT a.school_id, a.day, c.kind FROM ({asked}) a, LATERAL {coded.meaning('a')} c", days=days)
    assert {(school, day): kind for school, day, kind in found} == {
        (school, day): meaning(rows, school, day).kind.name.lower()
        for (school,) in query("SELECT id FROM school")
        for day in days
    }
