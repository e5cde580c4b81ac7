"""From a delivered file to what stands, and back."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import OPERATOR, Refused, transaction
from ew_app.services.deliveries import ingest, loading
from models.attendance import BatchFile
from models.base import db
from models.org import AbsenceCode
from tests.services.lincoln_and_carver import (
    HEADER,
    build,
    counts,
    covers,
    csv,
    enrol,
    everyone,
    load,
    load_files,
    query,
    school_named,
    standing,
)

WITH_TIME = "student_id,school_id,date,code,last_modified"
WITH_PERIOD = "student_id,school_id,date,code,period"


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


# -- what a file does ----------------------------------------------------------------------------------------


def test_a_first_file_is_stored_as_it_says() -> None:
    told = load("ana lincoln 08-17 A", "ben lincoln 08-17 T", "fay carver 08-17 E")
    assert counts(told, "status", "rows_in", "applied") == ("applied", 3, 3)
    assert standing() == {"ana 08-17": "A", "ben 08-17": "T", "fay 08-17": "E"}


def test_a_correction_replaces_and_keeps_what_was_said() -> None:
    load("ana lincoln 08-17 A", "ben lincoln 08-17 A")
    told = load("ana lincoln 08-17 E", "ben lincoln 08-17 A")
    assert counts(told, "superseded", "unchanged", "applied") == (1, 1, 0)
    assert standing() == {"ana 08-17": "E", "ben 08-17": "A"}
    assert query("SELECT code, ended FROM mark_history") == [("A", "superseded")]


def test_an_exception_file_takes_nothing_away() -> None:
    load("ana lincoln 08-17 A")
    told = load("ben lincoln 08-17 A")
    assert told["removed"] == 0
    assert standing() == {"ana 08-17": "A", "ben 08-17": "A"}


def test_covers_claims_the_whole_day() -> None:
    load("ana lincoln 08-17 A", "fay carver 08-17 A")
    told = load_files({"attendance.csv": csv("ben lincoln 08-17 A"), "covers.csv": covers("lincoln 08-17")})
    assert counts(told, "applied", "removed") == (1, 1)
    assert standing() == {"ben 08-17": "A", "fay 08-17": "A"}
    assert query("SELECT code, ended FROM mark_history") == [("A", "removed")]


def test_nobody_was_absent_is_a_header_with_covers() -> None:
    load("ana lincoln 08-17 A")
    told = load_files({"attendance.csv": csv(), "covers.csv": covers("lincoln 08-17", "lincoln 08-18")})
    assert counts(told, "status", "rows_in", "removed") == ("applied", 0, 1)
    assert standing() == {}


def test_submitted_adds_days_and_takes_nothing_away() -> None:
    load("ana lincoln 08-17 A")
    load_files({"submitted.csv": covers("lincoln 08-17", "lincoln 08-18")})
    assert standing() == {"ana 08-17": "A"}
    assert query("SELECT day, status, rows FROM school_day ORDER BY day") == [
        (date(2026, 8, 17), "submitted", 1),
        (date(2026, 8, 18), "submitted", 0),
    ]


def test_a_newer_timestamp_beats_a_later_file() -> None:
    load("ana lincoln 08-17 E 2026-08-17T12:00:00", header=WITH_TIME)
    told = load("ana lincoln 08-17 A 2026-08-17T09:00:00", header=WITH_TIME)
    assert counts(told, "unchanged", "superseded") == (1, 0)
    assert standing() == {"ana 08-17": "E"}


def test_a_row_without_a_timestamp_goes_by_the_order_of_files() -> None:
    load("ana lincoln 08-17 E 2026-08-17T12:00:00", header=WITH_TIME)
    assert load("ana lincoln 08-17 A")["superseded"] == 1


def test_within_one_file_tardy_beats_absent_and_present_loses() -> None:
    told = load("ana lincoln 08-17 A", "ana lincoln 08-17 T", "ben lincoln 08-17 P", "ben lincoln 08-17 A")
    assert counts(told, "applied", "duplicate") == (2, 2)
    assert standing() == {"ana 08-17": "T", "ben 08-17": "A"}


def test_within_one_file_the_newest_row_wins_when_all_are_dated() -> None:
    load("ana lincoln 08-17 T 2026-08-17T09:00:00", "ana lincoln 08-17 A 2026-08-17T12:00:00", header=WITH_TIME)
    assert standing() == {"ana 08-17": "A"}


def test_periods_are_rows_of_their_own() -> None:
    told = load("ana lincoln 08-17 A 1", "ana lincoln 08-17 T 2", "ana lincoln 08-17 A 1", header=WITH_PERIOD)
    assert counts(told, "applied", "duplicate") == (2, 1)
    assert standing() == {"ana 08-17 1": "A", "ana 08-17 2": "T"}


def test_doubtful_rows_are_stored_and_counted() -> None:
    told = load(
        "ana lincoln 08-17 AQ7", "fay lincoln 08-17 A", "ben lincoln 09-07 A", "cleo lincoln 08-17 A",
        options={"limits": {"most_off_calendar": 100}},
    )  # fmt: skip
    assert counts(told, "applied", "unknown_code", "not_enrolled", "off_calendar") == (4, 1, 1, 1)
    assert {problem["value"] for problem in told["problems"]} == {"AQ7", "fay", "2026-09-07"}
    assert not any(problem["rejected"] for problem in told["problems"])


# -- full feeds ----------------------------------------------------------------------------------------------


def test_plain_presence_goes_on_a_roll() -> None:
    told = load(*everyone("08-17", ana="A"), feed="full")
    assert counts(told, "applied", "rows_in") == (8, 8)
    assert query("SELECT count(*) FROM mark") == [(1,)]
    assert standing()["ben 08-17"] == "P"


def test_a_whole_full_day_replaces_what_stood() -> None:
    load(*everyone("08-17", ana="A", fay="A"), feed="full")
    told = load(*everyone("08-17", ben="T", fay="A"), feed="full")
    assert counts(told, "superseded", "unchanged", "removed") == (2, 6, 0)
    assert standing()["ana 08-17"] == "P"
    assert standing()["ben 08-17"] == "T"


def test_a_full_day_with_enough_rows_takes_away_the_others() -> None:
    load(*everyone("08-17"), feed="full")
    told = load(*[row for row in everyone("08-17") if not row.startswith("ana")], feed="full", accept_held=True)
    assert counts(told, "unchanged", "removed") == (7, 1)
    assert "ana 08-17" not in standing()


def test_a_full_feed_with_few_rows_only_adds() -> None:
    load(*everyone("08-17"), feed="full")
    told = load("ana lincoln 08-17 A", feed="full")
    assert counts(told, "superseded", "removed") == (1, 0)
    assert len(standing()) == 8


def test_absences_alone_sent_as_a_full_feed_are_held_on_days_that_are_in_already() -> None:
    load("ana lincoln 08-17 A", "fay carver 08-17 A")
    told = load("ana lincoln 08-17 A", "fay carver 08-17 A", feed="full")
    assert told["status"] == "held"
    assert "2 of 2 schools have rows for fewer than 80% of their students" in told["sentence"]
    assert query("SELECT DISTINCT feed FROM school_day") == [("exception",)]


def test_an_older_absence_does_not_beat_a_newer_presence() -> None:
    load("ana lincoln 08-17 P 2026-08-17T12:00:00", header=WITH_TIME, feed="full")
    assert load("ana lincoln 08-17 A 2026-08-17T09:00:00", header=WITH_TIME)["unchanged"] == 1
    assert standing() == {"ana 08-17": "P"}


# -- rows that do not go in ----------------------------------------------------------------------------------


def test_rejected_rows_name_their_line() -> None:
    told = load(
        "ana lincoln 08-17 A", "zoe lincoln 08-17 A", "ben lincoln 2026-02-30 A",
        options={"limits": {"most_rejected": 100}},
    )  # fmt: skip
    assert counts(told, "applied", "rejected", "unmatched_student") == (1, 2, 1)
    assert [(p["line"], p["column"], p["value"]) for p in told["problems"]] == [
        (3, "student_id", "zoe"),
        (4, "date", "2026-02-30"),
    ]


def test_a_row_goes_in_by_itself_once_the_student_is_known() -> None:
    told = load("ana lincoln 08-17 A", "zoe lincoln 08-17 E", accept_held=True)
    assert told["sentence"].startswith("1 of 2 rows cannot go in.")
    with transaction():
        enrol("zoe", school_named("lincoln"))
    ingest.retry_rejected([told["batch"]])
    told = ingest.describe(told["batch"])
    assert told["sentence"] == ""
    assert counts(told, "rows_in", "applied", "rejected", "unmatched_student", "problems") == (2, 2, 0, 0, [])
    assert standing() == {"ana 08-17": "A", "zoe 08-17": "E"}


def test_a_row_that_waited_does_not_outlive_a_later_file_for_the_whole_day() -> None:
    first = load("ana lincoln 08-17 A", "zoe lincoln 08-17 E", accept_held=True)["batch"]
    load_files({"attendance.csv": csv("ana lincoln 08-17 T"), "covers.csv": covers("lincoln 08-17")})
    with transaction():
        enrol("zoe", school_named("lincoln"))
    ingest.retry_rejected([first])
    assert standing() == {"ana 08-17": "T"}
    assert query("SELECT code, ended FROM mark_history WHERE code = 'E'") == [("E", "removed")]


def test_of_rows_that_waited_the_newer_stands_also_where_the_later_file_claimed_the_day() -> None:
    times = "2026-09-04T22:00", "2026-09-04T19:00"
    rows = [csv(f"zoe lincoln 09-04 {code} {at}", header=WITH_TIME) for code, at in zip("AT", times, strict=True)]
    claimed = {"attendance.csv": rows[1], "covers.csv": covers("lincoln 09-04")}
    both = [load_files(files, accept_held=True)["batch"] for files in ({"attendance.csv": rows[0]}, claimed)]
    with transaction():
        enrol("zoe", school_named("lincoln"))
    assert ingest.retry_rejected(both) == 2
    assert standing() == {"zoe 09-04": "A"}
    load_files({"attendance.csv": csv("ana lincoln 09-04 A"), "covers.csv": covers("lincoln 09-04")})
    assert standing() == {"ana 09-04": "A"}


def test_a_roster_load_tries_waiting_rows_again() -> None:
    told = load("ana lincoln 08-17 A", "zoe lincoln 08-17 E", accept_held=True)
    files = {
        "students.csv": b"student_id,first_name,last_name\nzoe,Zoe,Reyes\n",
        "enrollments.csv": b"student_id,school_id,entry_date\nzoe,lincoln,2026-08-17\n",
    }
    roster = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    assert loading.load_now(roster) == "applied"
    assert ingest.describe(told["batch"])["applied"] == 2


def test_a_nul_byte_in_a_cell_rejects_its_row_and_no_other() -> None:
    rows = b"ana,lincoln,2026-08-17,A\nben,lincoln,2026-08-17,Tar\0dy\ncl\0eo,lincoln,2026-08-17,A,\0,\0x\n"
    told = load_files({"attendance.csv": HEADER.encode() + b"\n" + rows}, accept_held=True)
    assert counts(told, "status", "applied", "rejected") == ("applied", 1, 2)
    assert {p["line"] for p in told["problems"]} == {3, 4}


@pytest.mark.parametrize(
    ("content", "sentence", "why", "named"),
    [
        (csv(header=HEADER + ",no\0te"), "NUL byte", "not_text", {}),
        (csv(), "empty feed", "header_only", {}),
        (b"student_id,school_id,date\nana,lincoln,2026-08-17\n", "needs the column code", "no_required_column", {}),
        (
            b"Student ID;School ID;date;code\nana;lincoln;03/04/2026;A\n",
            "two ways",
            "two_way_dates",
            {"lincoln": ""},
        ),
        (
            csv("ana lincoln 08-18 A", "ben lincoln 08-17 A")
            + b'"fay,carver,2026-08-17,A\nx,lincoln,2026-08-19,A\n'
            + b"y,lincoln,2026-09-31,A\n",
            "quotation mark",
            "unclosed_quote",
            {"lincoln": "2026-08-19", "carver": "2026-08-17"},
        ),
        (
            b"student_id,school_id,date,code,SSN\nana,lincoln,2026-08-17,A,1\n",
            "never take this in",
            "forbidden_column",
            {},
        ),
    ],
)
def test_a_file_we_cannot_trust_is_refused_whole(
    content: bytes, sentence: str, why: str, named: dict[str, str]
) -> None:
    told = load_files({"attendance.csv": content})
    assert told["status"] == "refused"
    assert sentence in told["sentence"]
    assert standing() == {}
    assert query("SELECT counts FROM batch") == [({"why": why, "named": named},)], "for the night's report"


def test_nothing_is_kept_of_a_file_with_a_forbidden_column() -> None:
    load_files({"attendance.csv": b"student_id,school_id,date,code,citizenship\nana,lincoln,2026-08-17,A,x\n"})
    assert query("SELECT count(*) FROM batch_file") == [(0,)]


@pytest.mark.parametrize("earlier", [csv("ana lincoln 08-17 A"), b"x,y\n1,2\n", b"x\x01 not deflated"])
def test_files_are_kept_small_and_those_of_before_are_read_as_they_are(earlier: bytes) -> None:
    content = csv(*(f"ana lincoln 08-{17 + day % 5} P" for day in range(200)))
    load_files({"attendance.csv": content})
    ((kept, size),) = query("SELECT octet_length(content), size FROM batch_file")
    assert 10 * kept < size == len(content)
    assert db.session.scalars(select(BatchFile.content)).all() == [content]
    query("UPDATE batch_file SET content = :earlier RETURNING id", earlier=earlier)
    assert db.session.scalars(select(BatchFile.content)).all() == [earlier]


def test_covers_alone_is_refused_with_a_sentence() -> None:
    with pytest.raises(Refused, match=r"came without an attendance file"):
        load_files({"covers.csv": covers("lincoln 08-17")})


# -- held, let in, put away ----------------------------------------------------------------------------------


def test_a_held_file_changes_nothing_and_counts_as_if() -> None:
    load("ana lincoln 08-17 A")
    told = load("ana lincoln 08-17 E", "zoe lincoln 08-17 A", "zed lincoln 08-17 A")
    assert counts(told, "status", "superseded", "rejected") == ("held", 1, 2)
    assert "2 of 3 rows cannot go in" in told["sentence"]
    assert standing() == {"ana 08-17": "A"}


def test_what_a_held_file_would_do_is_worked_out_and_is_what_it_does() -> None:
    load("ben lincoln 08-17 A")
    rows = [f"ana lincoln 08-{day} A" for day in (17, 18, 19, 20, 21, 24, 25, 26, 27, 28)]
    seen, held = (load(*rows, *("zoe lincoln 08-17 A",) * 2, preview=preview) for preview in (True, False))
    assert seen["status"] == held["status"] == "held" and held["effect"]["cases_opened"] == 1
    assert query("SELECT count(*) FROM support_case") == [(0,)] and standing() == {"ben 08-17": "A"}
    ingest.accept(held["batch"], by=OPERATOR)
    ingest.load(held["batch"])
    assert ingest.describe(held["batch"])["effect"] == held["effect"] == seen["effect"]


def test_a_person_lets_a_held_file_in() -> None:
    told = load("ana lincoln 08-17 E", "zoe lincoln 08-17 A")
    ingest.accept(told["batch"], by=OPERATOR)
    ingest.load(told["batch"])
    assert counts(ingest.describe(told["batch"]), "status", "applied", "rejected") == ("applied", 1, 1)
    assert standing() == {"ana 08-17": "E"}


def test_a_held_file_can_be_put_away() -> None:
    told = load("ana lincoln 08-17 E", "zoe lincoln 08-17 A")
    ingest.cancel(told["batch"], by=OPERATOR)
    assert ingest.describe(told["batch"])["status"] == "cancelled"
    with pytest.raises(Refused, match=r"is cancelled; only a held batch can be let in"):
        ingest.accept(told["batch"], by=OPERATOR)


def test_days_with_far_too_many_absences_are_held() -> None:
    for day in ("08-17", "08-18", "08-19"):
        load(f"ana lincoln {day} A", f"fay carver {day} A")
    told = load(*(row.replace(" P", " A") for row in everyone("08-20")))
    assert told["status"] == "held"
    assert "8 absences on 2026-08-20, usually about 2" in told["sentence"]


# -- preview -------------------------------------------------------------------------------------------------


def test_a_preview_tells_everything_and_changes_nothing() -> None:
    load("ana lincoln 08-17 A")
    before = query("SELECT count(*), max(id) FROM mark"), standing()
    told = load("ana lincoln 08-17 E", "ben lincoln 08-17 A", "zoe lincoln 08-17 A", preview=True, accept_held=True)
    assert counts(told, "status", "superseded", "applied", "rejected") == ("applied", 1, 1, 1)
    assert told["preview"]
    assert [problem["value"] for problem in told["problems"]] == ["zoe"]
    assert (query("SELECT count(*), max(id) FROM mark"), standing()) == before


def test_a_preview_says_that_a_file_would_be_held() -> None:
    assert load("zoe lincoln 08-17 A", preview=True)["status"] == "held"


# -- codes ---------------------------------------------------------------------------------------------------


def test_a_school_may_mean_something_else_by_a_code() -> None:
    with transaction():
        carver = school_named("carver").id
        db.session.add(AbsenceCode(code="A", school_id=carver, kind="tardy", absent_fraction=0, excused="unknown"))
    load("ana lincoln 08-17 A", "ana lincoln 08-17 E", "fay carver 08-17 E", "fay carver 08-17 A")
    assert standing() == {"ana 08-17": "E", "fay 08-17": "A"}


def test_history_is_newest_first() -> None:
    first, second = load("ana lincoln 08-17 A"), load("ana lincoln 08-17 E")
    assert [told["batch"] for told in ingest.history(5)] == [second["batch"], first["batch"]]
