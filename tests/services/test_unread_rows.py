"""Rows that tell whose day they are about and nothing more that can be read: the day is unknown, never present."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.measures import measures
from ew_app.services.measuring.why import explain
from ew_app.services.rosters import fixing
from models.queries import fixing as lists
from rules.access import Area
from tests.services.lincoln_and_carver import assert_identity, build, counts, covers, csv, load, load_files, query

PART = "student_id,school_id,date,code,fraction_absent"


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


def days(student: str) -> tuple[str, str, str]:
    (row,) = measures(None, student=student)
    return row["enrolled_days"], row["absent_days"], row["unknown_days"]


def send(*rows: str, **more: object) -> dict[str, object]:
    return load(*rows, header=PART, accept_held=True, **more)


@pytest.mark.parametrize("cell", ["50%", "1.5", "x,y,z"])
def test_the_day_of_a_row_that_cannot_be_read_is_unknown(cell: str) -> None:
    told = send(f"ana lincoln 08-17 A {cell}", "ben lincoln 08-17 A 1")
    assert counts(told, "rows_in", "applied", "rejected", "unknown_code") == (2, 1, 1, 0)
    assert (days("ana"), days("ben"), days("cleo")) == (("0", "0", "1"), ("1", "1", "0"), ("1", "0", "0"))
    (monday, *_) = explain("ana").days
    assert monday.state == "unknown" and monday.words.startswith("the row that came could not be read")


def test_a_row_that_can_be_read_settles_the_day() -> None:
    send("ana lincoln 08-17 A 50%", "ben lincoln 08-17 A 1")
    told = send("ana lincoln 08-17 A 0.5")
    assert counts(told, "superseded", "rejected") == (1, 0)
    assert days("ana") == ("1", "0.5", "0")


def test_it_counts_as_rejected_also_where_it_comes_again_or_replaces_a_mark() -> None:
    send("ana lincoln 08-17 A 1", "ben lincoln 08-17 A 1")
    assert counts(send("ana lincoln 08-17 A 50%"), "rows_in", "rejected", "superseded") == (1, 1, 0)
    told = send("ana lincoln 08-17 A 50%", "ben lincoln 08-17 A 1")
    assert counts(told, "rejected", "unchanged") == (1, 1)
    assert days("ana") == ("0", "0", "1")
    assert query("SELECT code, ended FROM mark_history") == [("A", "superseded")]


def test_another_row_of_the_delivery_for_the_same_day_stands() -> None:
    told = send("ana lincoln 08-17 A 50%", "ana lincoln 08-17 A 1", "ben lincoln 08-17 A 1.5", "ben lincoln 08-17 A 2")
    assert counts(told, "rows_in", "applied", "rejected") == (4, 1, 3)
    assert (days("ana"), days("ben")) == (("1", "1", "0"), ("0", "0", "1"))


def test_a_day_claimed_whole_without_a_row_ends_it_and_undo_brings_back_what_was() -> None:
    send("ana lincoln 08-17 A 1")
    second = send("ana lincoln 08-17 A 50%", name="second")["batch"]
    load_files({"attendance.csv": csv("ben lincoln 08-17 A"), "covers.csv": covers("lincoln 08-17")})
    assert days("ana") == ("1", "0", "0")
    for batch in (second + 1, second):
        ingest.take_back(batch, by=OPERATOR)
        ingest.undo(batch)
    assert days("ana") == ("1", "1", "0")


def test_the_tier_goes_on_and_the_day_is_listed_until_it_is_mended() -> None:
    rows = [f"ana lincoln 08-{day} A 1" for day in range(18, 22)]
    send("ana lincoln 08-17 A 50%", *rows)
    area = Area(district=True)
    with transaction():
        (listed,) = fixing.rows("unread_rows", area, OPERATOR)
    assert (listed["student_id"], listed["day"], listed["line"]) == ("ana", date(2026, 8, 17), 2)
    with transaction():
        assert lists.count("unknown_codes", fixing.parameters(area, OPERATOR)) == 0
    assert query(
        "SELECT tier >= 1 FROM student_status t JOIN student s ON s.id = t.student_id WHERE s.key = 'ana'"
    ) == [(True,)]
    before = query("SELECT * FROM student_status ORDER BY student_id")
    flagging.evaluate_all()
    assert query("SELECT * FROM student_status ORDER BY student_id") == before


def test_a_preview_counts_it_the_same() -> None:
    told = send("ana lincoln 08-17 A 50%", "ben lincoln 08-17 A 1", preview=True)
    assert counts(told, "rejected", "applied") == (1, 1)
    assert_identity(told)
