"""A roster delivery: stored once, explained where it fails, and restartable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ew_app.config import Settings
from ew_app.feeds import RefusedFile
from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deliveries import ingest
from ew_app.services.rosters import roster
from models.attendance import Batch, BatchFile
from models.base import db
from models.queries.roster import schools_to_rebuild
from tests.services.rosters import (
    CODES,
    ENROLLMENTS,
    ROSTER,
    SCHOOLS,
    STUDENTS,
    changed,
    deliver,
    everything,
    load,
    open_district,
    problems,
    rows,
    touched,
)


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    """A district without any row, on 30 September 2026."""
    with open_district(settings):
        yield


# -- in ------------------------------------------------------------------------------------------------------


def test_a_first_roster_is_stored_with_its_lines():
    counts = load(ROSTER)
    assert {name: counts[name] for name in roster.SUMMED} == {
        "rows_in": 18,
        "applied": 18,
        "superseded": 0,
        "unchanged": 0,
        "rejected": 0,
        "duplicate": 0,
    }
    assert rows("SELECT key, first_name, homeroom, birth_date, line FROM student ORDER BY key")[0] == (
        "000123",
        "Ana",
        "4A",
        date(2016, 3, 1),
        2,
    )
    assert rows("SELECT weight FROM calendar_day ORDER BY line") == [(1000,), (500,), (1000,), (1000,)]
    assert rows("SELECT key, min_full_minutes, day_minutes FROM school ORDER BY key") == [
        ("010", 300, 420),
        ("020", 320, 420),
    ]
    assert rows("SELECT count(*) FROM row_history WHERE before IS NULL") == [(21,)]


def test_a_code_without_a_fraction_takes_the_usual_one_of_its_kind():
    load(ROSTER)
    assert rows("SELECT code, absent_fraction, excused FROM absence_code ORDER BY code") == [
        ("A", 1000, "unexcused"),
        ("E", 1000, "excused"),
        ("T", 0, "unknown"),
    ]


def test_the_same_roster_again_changes_nothing():
    load(ROSTER)
    before, history = everything(), rows("SELECT count(*) FROM row_history")
    counts = load(ROSTER)
    assert (counts["unchanged"], counts["applied"], counts["superseded"]) == (18, 0, 0)
    assert everything() == before
    assert rows("SELECT count(*) FROM row_history") == history


def test_a_changed_row_keeps_its_earlier_form():
    load(ROSTER)
    counts = load(changed("students", "4A", "4B"))
    assert (counts["superseded"], counts["unchanged"], counts["applied"]) == (1, 2, 0)
    assert rows("SELECT before->>'homeroom' FROM row_history WHERE before IS NOT NULL") == [("4A",)]


def test_nothing_is_removed_because_it_is_missing():
    load(ROSTER)
    header, first = STUDENTS.splitlines()[:2]
    load({"students": f"{header}\n{first}\n"})
    assert rows("SELECT count(*) FROM student") == [(3,)]


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_does():
    load(ROSTER)
    load({"students": "student_id,first_name,last_name,homeroom\n000123,Anna,Rivera,\n"})
    assert rows("SELECT first_name, homeroom, grade, birth_date FROM student WHERE key = '000123'") == [
        ("Anna", "", "4", date(2016, 3, 1))
    ]


def test_an_unreadable_detail_leaves_what_is_stored():
    load(ROSTER)
    batch = deliver(changed("students", "2016-03-01", "2016-02-30"))
    counts = roster.apply(batch)
    assert (counts["rejected"], counts["unchanged"]) == (0, 3)
    assert rows("SELECT birth_date FROM student WHERE key = '000123'") == [(date(2016, 3, 1),)]
    assert [(note.line, note.column, note.rejected) for note in problems(batch)] == [(2, "birth_date", False)]


def test_a_school_of_which_no_network_is_told_stays_in_its_own_and_a_new_one_is_the_districts():
    load({"schools": "school_id,name,network_id,network_name\n030,Creek,1,North\n"})
    load({"schools": "school_id,name,network_id,network_name\n030,Creek School,,\n040,Brook,,\n"})
    placed = "SELECT s.key, s.name, n.key, n.name FROM school s JOIN network n ON n.id = s.network_id ORDER BY s.key"
    assert rows(placed) == [("030", "Creek School", "1", "North"), ("040", "Brook", "district", "district")]


def test_a_network_without_a_name_keeps_the_one_it_has():
    load(ROSTER)
    load({"schools": "school_id,name,network_id,network_name\n030,Creek,1,\n040,Brook,2,\n"})
    assert rows("SELECT key, name FROM network ORDER BY key") == [("1", "North"), ("2", "2")]


def test_files_that_no_rule_uses_are_counted_and_said_so():
    marks = "student_id,school_id,term,course,core,mark\n000123,010,Q1,Math,yes,B\n"
    counts = load({"course_marks": marks})
    assert counts["rows_in"] == 0
    assert counts["files"]["course_marks.csv"]["unused"] == 1
    assert counts["notes"] == ["course_marks.csv was read (1 rows) and is not used yet."]


# -- what stays out, and why -----------------------------------------------------------------------------------


def test_rows_that_name_nobody_stay_out_and_say_what_would_mend_them():
    load(ROSTER)
    batch = deliver(
        {"enrollments": "student_id,school_id,entry_date\n123,010,2026-08-17\n9,010,2026-08-17\n000123,99,2026-08-17\n"}
    )
    counts = roster.apply(batch)
    assert (counts["rows_in"], counts["rejected"]) == (3, 3)
    assert [(row.line, row.column, row.value, row.reason) for row in problems(batch)] == [
        (
            2,
            "student_id",
            "123",
            'No student has the id "123", but there is "000123". Zeros at the front were lost or added: '
            "export the id column as text.",
        ),
        (3, "student_id", "9", 'No student has the id "9". Send the student in students.csv, or correct the id.'),
        (4, "school_id", "99", 'No school has the id "99". Send the school in schools.csv, or correct the id.'),
    ]


def test_a_new_student_who_differs_by_zeros_alone_is_noted():
    load(ROSTER)
    batch = deliver({"students": "student_id,first_name,last_name\n123,Ana,Rivera\n"})
    assert roster.apply(batch)["applied"] == 1
    assert 'whose id is "123" but for the zeros' in problems(batch)[0].reason


def test_an_enrolment_that_ends_before_it_begins_is_kept_and_noted():
    load(ROSTER)
    batch = deliver({"enrollments": "student_id,school_id,entry_date,exit_date\n000125,010,2026-09-10,2026-09-01\n"})
    assert roster.apply(batch)["applied"] == 1
    assert [(note.line, note.rejected, note.column) for note in problems(batch)] == [(2, False, "exit_date")]


def test_a_date_given_twice_is_a_school_day_if_any_row_says_so():
    load(ROSTER)
    twice = "school_id,date,day_type\n010,2026-08-20,instructional\n010,2026-08-20,weather\n"
    batch = deliver({"calendar": twice})
    counts = roster.apply(batch)
    assert (counts["applied"], counts["duplicate"]) == (1, 1)
    assert rows("SELECT day_type FROM calendar_day WHERE day = '2026-08-20'") == [("instructional",)]
    assert problems(batch)[0].reason == "Line 2 is about the same date; that line counts."


def test_words_outside_the_lists_and_impossible_codes_stay_out():
    codes = (
        "code,title,kind,absent_fraction,excused,valid_from,valid_to\n"
        "X,Ill,away,1,excused,,\n"
        "Y,Ill,absence,1,perhaps,,\n"
        "Z,Ill,absence,1,excused,2026-09-02,2026-09-01\n"
    )
    batch = deliver({"absence_codes": codes})
    counts = roster.apply(batch)
    assert (counts["rows_in"], counts["rejected"]) == (3, 3)
    assert [(row.line, row.column) for row in problems(batch)] == [(2, "kind"), (3, "excused"), (4, "valid_to")]


def test_more_absent_than_enrolled_days_last_year_stay_out():
    load(ROSTER)
    totals = "student_id,school_year,enrolled_days,absent_days\n000123,2025-2026,170,20.5\n000124,2025-26,10,20\n"
    counts = load({"prior_year": totals})
    assert (counts["applied"], counts["rejected"]) == (1, 1)
    assert rows("SELECT school_year, enrolled, absent FROM prior_year") == [("2025-26", 170_000, 20_500)]


def test_a_refused_file_lets_no_file_of_the_roster_in():
    with pytest.raises(RefusedFile, match="students.csv: The column .SSN. looks like"):
        load({**ROSTER, "students": "student_id,first_name,last_name,SSN\n1,A,B,123\n"})
    assert rows("SELECT count(*) FROM school") == [(0,)]


def test_a_much_smaller_roster_is_remarked_upon():
    load(ROSTER)
    counts = load({"enrollments": "student_id,school_id,entry_date\n000124,020,2026-09-04\n"})
    assert counts["notes"] == [
        "The file names 1 student enrolled today, and 2 are stored for its schools. "
        "Nobody was taken out: whoever has left needs a row with an exit date."
    ]


def test_a_corrected_entry_date_leaves_two_enrolments_and_the_file_says_so_and_how_to_mend_it():
    load(ROSTER)
    row = "student_id,school_id,entry_date,exit_date\n000123,010,{}\n"
    told = load({"enrollments": row.format("2026-08-18,2026-09-11")})
    assert told["notes"][-1].startswith("1 student of the file has two enrolments at one school that overlap (000123).")
    mended = load({"enrollments": row.format("2026-08-17,2026-08-16")})
    assert not any("overlap" in note for note in mended["notes"])
    assert not any(
        "overlap" in note for note in load({"enrollments": ENROLLMENTS.replace("000123", "000125")})["notes"]
    )


# -- exit dates ----------------------------------------------------------------------------------------------


def exits() -> list[tuple[object, ...]]:
    return rows("SELECT exit_date FROM stint WHERE exit_date IS NOT NULL")


def test_exclusive_exit_dates_are_remembered_for_the_source():
    load(ROSTER)
    assert exits() == [(date(2026, 9, 4),)]
    load({"enrollments": ENROLLMENTS}, exit="exclusive")
    assert exits() == [(date(2026, 9, 3),)]
    assert load({"enrollments": ENROLLMENTS})["unchanged"] == 4
    load({"enrollments": ENROLLMENTS}, exit="inclusive")
    assert exits() == [(date(2026, 9, 4),)]


def test_what_was_said_of_exit_dates_goes_with_the_delivery_that_said_it():
    load(ROSTER)
    said = _went_in(exit="exclusive")
    plain = _went_in()
    assert exits() == [(date(2026, 9, 3),)]
    _taken_back(said)
    assert exits() == [(date(2026, 9, 3),)]
    _taken_back(plain)
    _went_in()
    assert exits() == [(date(2026, 9, 4),)]


def _went_in(**options: Any) -> int:
    files = {"enrollments.csv": ENROLLMENTS.encode()}
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR, source="sis", options=options)
    ingest.load(batch)
    return batch


def _taken_back(batch: int) -> None:
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)


# -- compartments --------------------------------------------------------------------------------------------


def flags() -> list[tuple[object, ...]]:
    return rows(
        "SELECT p.key, f.key, f.compartment FROM support_flag f JOIN student p ON p.id = f.student_id ORDER BY 1, 2"
    )


def test_restricted_columns_go_to_their_compartments_alone():
    load(ROSTER)
    assert flags() == [("000123", "stls", "stls"), ("000124", "iep", "iep_504")]
    columns = {
        name for (name,) in rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'student'")
    }
    assert columns.isdisjoint({"stls", "iep", "section_504"})


def test_a_flag_ends_by_no_or_nothing_but_not_by_a_missing_column_or_a_typing_error():
    load(ROSTER)
    load({"students": "student_id,first_name,last_name\n000123,Ana,Rivera\n"})
    load({"students": "student_id,first_name,last_name,stls\n000123,Ana,Rivera,ys\n"})
    assert len(flags()) == 2
    batch = deliver({"students": "student_id,first_name,last_name,stls,iep\n000123,Ana,Rivera,no,\n"})
    roster.apply(batch)
    assert flags() == [("000124", "iep", "iep_504")]
    roster.take_back(batch)
    assert len(flags()) == 2


# -- who is measured again -----------------------------------------------------------------------------------


def test_students_are_measured_again_from_their_first_changed_day():
    load(ROSTER)
    assert touched() == dict.fromkeys(("000123", "000124", "000125"), date(2026, 7, 1))
    load(ROSTER)
    assert touched() == {}
    load(changed("enrollments", "2026-09-04,,5,,\n000124", "2026-09-11,,5,,\n000124"))
    assert touched() == {"000124": date(2026, 8, 17)}


def test_a_changed_calendar_or_day_length_touches_everyone_of_the_school():
    load(ROSTER)
    touched()
    batch = deliver(changed("calendar", "2026-08-18,instructional,0.5", "2026-08-18,weather,"))
    roster.apply(batch)
    assert touched() == {"000123": date(2026, 8, 18), "000124": date(2026, 8, 18)}
    assert list(schools_to_rebuild(batch.id).values()) == [date(2026, 8, 18)]
    load(changed("schools", "Middle,320", "Middle,310"))
    assert touched() == {"000124": date(2026, 8, 17), "000125": date(2026, 8, 17)}


def test_a_new_name_touches_nobody():
    load(ROSTER)
    touched()
    load(changed("students", "Cleo", "Clea"))
    assert touched() == {}


# -- interrupted ---------------------------------------------------------------------------------------------


def test_an_interrupted_roster_ends_with_the_same_rows_and_counts():
    batch = deliver(ROSTER)
    with transaction():
        db.session.execute(text("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''out'';END'"))
        db.session.execute(text("CREATE TRIGGER stop BEFORE INSERT ON stint EXECUTE FUNCTION stop()"))
    with pytest.raises(DBAPIError):
        roster.apply(batch)
    assert rows("SELECT key FROM batch_slice ORDER BY key") == [("schools.csv",), ("students.csv",)]
    with transaction():
        db.session.execute(text("DROP TRIGGER stop ON stint"))
    counts = roster.apply(db.session.get_one(Batch, batch.id))
    assert (counts["rows_in"], counts["applied"]) == (18, 18)
    assert rows("SELECT count(*) FROM row_history WHERE before IS NULL") == [(21,)]
    assert roster.apply(db.session.get_one(Batch, batch.id)) == counts


def test_a_file_that_is_kept_in_two_parts_is_one_file():
    batch = deliver(ROSTER)
    with transaction():
        kept = db.session.scalars(select(BatchFile).where(BatchFile.name == "students.csv")).one()
        whole, kept.content = kept.content, kept.content[:90]
        about = {"batch_id": batch.id, "name": kept.name, "table_name": kept.table_name, "sha256": kept.sha256}
        db.session.add(BatchFile(**about, part=1, size=len(whole) - 90, content=whole[90:]))
    assert roster.apply(db.session.get_one(Batch, batch.id))["rows_in"] == 18


def test_a_preview_counts_like_a_load_and_leaves_nothing():
    batch = deliver(ROSTER)
    with pytest.raises(ZeroDivisionError), transaction():
        seen = roster.apply(batch)
        raise ZeroDivisionError
    assert all(left == [] for left in everything().values())
    assert roster.apply(db.session.get_one(Batch, batch.id)) == seen


# -- people, and keys given twice -----------------------------------------------------------------------------


def test_people_come_with_the_senders_rights():
    load(ROSTER)
    people = (
        "login,name,role,place,from\n"
        "mgreen,M. Green,counselor,school:010,2026-08-01\n"
        "xyz,X. Yates,counselor,school:99,2026-08-01\n"
    )
    batch = deliver({"people": people})
    counts = roster.apply(batch)
    assert (counts["applied"], counts["rejected"]) == (1, 1)
    assert [(row.line, row.column) for row in problems(batch)] == [(3, "place")]
    assert load({"people": people})["unchanged"] == 1


def test_codes_and_schools_are_written_once_per_key():
    load({"schools": SCHOOLS + "010,Lakeview Elementary,1,North,Elementary,\n", "absence_codes": CODES + CODES[45:]})
    assert rows("SELECT name FROM school WHERE key = '010'") == [("Lakeview Elementary",)]
