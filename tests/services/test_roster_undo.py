"""A roster delivery taken back: as before, unless others have built on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, transaction
from ew_app.services.rosters import roster
from ew_app.services.rosters.codes import Meaning, map_code
from models.attendance import Batch
from models.base import db
from tests.services.rosters import ROSTER, changed, deliver, everything, load, mark, open_district, rows, touched


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    """A district without any row, on 30 September 2026."""
    with open_district(settings):
        yield


def ended(batch: Batch) -> None:
    with transaction():
        db.session.execute(text("UPDATE batch SET undone_at = now() WHERE id = :id"), {"id": batch.id})


def test_a_first_roster_taken_back_leaves_nothing():
    batch = deliver(ROSTER)
    roster.apply(batch)
    counts = roster.take_back(batch)
    assert (counts["deleted"], counts["restored"], counts["kept"]) == (21, 0, {})
    assert all(left == [] for left in everything().values())
    assert roster.take_back(batch) == counts


def test_changes_are_taken_back_to_the_earlier_form():
    load(ROSTER)
    before = everything()
    batch = deliver({**changed("students", "4A", "4B"), **changed("calendar", "holiday", "make_up")})
    roster.apply(batch)
    touched()
    counts = roster.take_back(batch)
    assert (counts["restored"], counts["deleted"]) == (2, 0)
    assert everything() == before
    assert touched() == {"000123": date(2026, 8, 19), "000124": date(2026, 8, 19)}


def test_what_a_later_delivery_set_stays():
    first = deliver(ROSTER)
    roster.apply(first)
    load(changed("students", "4A", "4B"))
    counts = roster.take_back(first)
    assert counts["kept"] == {"student": 3, "support_flag": 2}
    assert rows("SELECT key, homeroom FROM student ORDER BY 1") == [
        ("000123", "4B"), ("000124", "5B"), ("000125", "7C")
    ]  # fmt: skip


def test_what_every_later_roster_repeated_stays_though_none_wrote_a_row():
    first = deliver(ROSTER)
    roster.apply(first)
    before = everything()
    assert load(ROSTER)["unchanged"] == load(ROSTER)["unchanged"] == 18
    assert rows("SELECT DISTINCT batch_id FROM row_history") == [(first.id,)]
    counts = roster.take_back(first)
    assert (counts["deleted"], counts["restored"]) == (0, 0)
    assert everything() == before


def test_a_column_of_the_delivery_goes_though_a_later_one_changed_the_row():
    load(ROSTER)
    second = deliver({"students": "student_id,first_name,last_name,grade,homeroom\n000123,Ana,Rivera,5,5X\n"})
    roster.apply(second)
    load({"students": "student_id,first_name,last_name,grade\n000123,Ana,Rivera,6\n"})
    roster.take_back(second)
    assert rows("SELECT grade, homeroom FROM student WHERE key = '000123'") == [("6", "4A")]


def test_two_ids_stay_one_where_a_later_roster_said_so_too():
    load(ROSTER)
    changes = {"student_changes": "student_id,former_student_id\n000124,000125\n"}
    first = deliver(changes)
    roster.apply(first)
    load(changes)
    roster.take_back(first)
    assert rows("SELECT s.key FROM student s JOIN student g ON g.same_as = s.id") == [("000124",)]


def test_what_a_person_said_of_a_code_outlives_the_roster_before_it():
    first = deliver(ROSTER)
    roster.apply(first)
    map_code(Meaning("A", "absence", "excused"), by=OPERATOR)
    roster.take_back(first)
    assert rows("SELECT code, excused FROM absence_code") == [("A", "excused")]


def excuse_of_a() -> str:
    return str(rows("SELECT excused FROM absence_code WHERE code = 'A'")[0][0])


def test_what_a_person_said_of_a_code_stands_until_the_row_of_the_file_changes():
    load(ROSTER)
    map_code(Meaning("A", "absence", "excused"), by=OPERATOR)
    again = load(ROSTER)
    assert excuse_of_a() == "excused"
    assert "1 code of the file counts as somebody said here, and not as the file says (A)" in again["notes"][-1]
    exempt = changed("absence_codes", ",unexcused", ",exempt")
    load(exempt)
    assert excuse_of_a() == "exempt", "the file says something new"
    map_code(Meaning("A", "absence", "excused"), by=OPERATOR)
    load(exempt)
    assert excuse_of_a() == "excused", "and is nothing new the next night"


def test_a_file_that_changed_a_code_and_is_taken_back_leaves_what_the_person_had_said():
    load(ROSTER)
    map_code(Meaning("A", "absence", "excused"), by=OPERATOR)
    second = deliver(changed("absence_codes", ",unexcused", ",exempt"))
    roster.apply(second)
    load(ROSTER)
    assert excuse_of_a() == "unexcused"
    roster.take_back(second)
    assert excuse_of_a() == "excused", "without it the file never said anything new"


def test_undoing_the_later_one_afterwards_does_not_bring_the_earlier_one_back():
    first = deliver(ROSTER)
    roster.apply(first)
    second = deliver(changed("students", "4A", "4B"))
    roster.apply(second)
    roster.take_back(first)
    ended(first)
    roster.take_back(second)
    assert rows("SELECT key FROM student") == []


def test_a_student_with_attendance_stays_and_it_is_said_why():
    batch = deliver(ROSTER)
    roster.apply(batch)
    mark("000123", "010", date(2026, 8, 17), "A")
    counts = roster.take_back(batch)
    assert counts["kept"] == {"student": 1, "school": 1, "network": 1}
    assert counts["notes"][0] == (
        "1 students of this delivery stay: a later delivery set them again, or attendance, cases or people name them."
    )
    assert rows("SELECT key FROM student") == [("000123",)]
