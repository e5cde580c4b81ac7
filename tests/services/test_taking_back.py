"""A delivery taken back: what stood stands again, and the cases that only it had opened go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import OPERATOR, Refused
from ew_app.services.casework import closing, taking_back
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import measures
from models.base import db
from tests.services.lincoln_and_carver import FIRST_DAY, LABOR_DAY, build, load, load_files, query
from tests.services.lincoln_and_carver import covers as covered
from tests.services.lincoln_and_carver import csv as file_of

DAYS = [day for n in range(45) if (day := FIRST_DAY + timedelta(days=n)).weekday() < 5 and day != LABOR_DAY]
TIERS = "SELECT s.key, t.tier, t.rules FROM student_status t JOIN student s ON s.id = t.student_id ORDER BY 1"
COUNTS = 'SELECT school_id, day, grade, tier_1, watch, tier_2, tier_3, "none" FROM tier_count ORDER BY 1, 2, 3'


@pytest.fixture(autouse=True, params=[date(2026, 11, 21), date(2031, 3, 3)], ids=["this year", "years later"])
def world(settings: Settings, request: pytest.FixtureRequest) -> Iterator[None]:
    """Attendance of the autumn of 2026, loaded in that year or long after."""
    with create_app(replace(settings, today=request.param), screens=False).app_context():
        build()
        yield
        db.session.remove()
        db.engine.dispose()


def short(day: date) -> str:
    return f"{day:%m-%d}"


def away(name: str, days: list[date], school: str = "lincoln") -> list[str]:
    """Rows of a student absent on these days."""
    return [f"{name} {school} {short(day)} A" for day in days]


def first_weeks() -> int:
    """Six weeks are in: eli has missed a fifth of them, everybody else was there."""
    rows = away("eli", DAYS[::5])
    claims = [f"{school} {short(day)}" for school in ("lincoln", "carver") for day in DAYS]
    told = load_files({"attendance.csv": file_of(*rows), "covers.csv": covered(*claims)})
    assert told["effect"]["cases_opened"] == 1
    return int(told["batch"])


def wrong_file() -> int:
    """Ana and ben were absent for a fortnight, says a file that is wrong."""
    told = load(*away("ana", DAYS[-12:-2]), *away("ben", DAYS[-12:-2]), accept_held=True)
    assert told["effect"]["cases_opened"] == 2
    return int(told["batch"])


def take_back(batch: int) -> dict[str, object]:
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    return ingest.describe(batch)


def case_of(name: str) -> int:
    found = query(
        "SELECT c.number FROM support_case c JOIN student s ON s.id = c.student_id WHERE s.key = :name", name=name
    )
    return int(found[0][0])


def test_cases_that_only_the_delivery_had_opened_close_with_it() -> None:
    first_weeks()
    before = query(TIERS), query(COUNTS)
    batch = wrong_file()
    assert taking_back.outlook(batch) == [
        "2 cases that opened with it and that nobody has worked on close with it, unless something else holds them"
    ]
    told = take_back(batch)
    assert (query(TIERS), query(COUNTS)) == before
    assert query("SELECT number FROM support_case WHERE closed_on IS NULL") == [(case_of("eli"),)]
    assert query("SELECT DISTINCT close_reason FROM support_case WHERE closed_on IS NOT NULL") == [("taken_back",)]
    assert query("SELECT DISTINCT actor FROM event WHERE kind = 'case_closed'") == [("Operator",)]
    assert query("SELECT count(*) FROM task t JOIN support_case c ON c.id = t.case_id "
                 "WHERE t.status = 'open' AND c.closed_on IS NOT NULL") == [(0,)]  # fmt: skip
    assert told["sentence"] == "2 cases that nobody had worked on were closed with it."
    assert told["effect"]["cases_opened"] == 0
    assert told["effect"]["leave_2"] + told["effect"]["leave_3"] >= 2


def test_a_case_that_was_worked_on_stays_and_is_named() -> None:
    first_weeks()
    batch = wrong_file()
    number = case_of("ben")
    log_outreach(Attempt(method="call", outcome="no_answer"), by=OPERATOR, case_number=number)
    assert taking_back.outlook(batch)[1] == f"1 case that was worked on stays open: {number}"
    told = take_back(batch)
    assert told["sentence"] == (
        f"1 case that nobody had worked on was closed with it. 1 case that was worked on stays open: {number}."
    )
    still = query("SELECT number FROM support_case WHERE closed_on IS NULL ORDER BY 1")
    assert still == sorted([(number,), (case_of("eli"),)])
    assert query("SELECT count(*) FROM case_reason r JOIN support_case c ON c.id = r.case_id "
                 "WHERE c.number = :number AND r.withdrawn_at IS NULL", number=number) == [(0,)]  # fmt: skip


def test_what_was_taken_back_answers_nothing_when_it_turns_out_to_be_true() -> None:
    first_weeks()
    take_back(wrong_file())
    told = load(*away("ana", DAYS[-12:-2]), *away("ben", DAYS[-12:-2]), accept_held=True)
    assert told["effect"]["cases_opened"] == 2


def test_without_any_attendance_nothing_is_said_of_anybody() -> None:
    told = take_back(first_weeks())
    assert query(f"SELECT tier FROM ({TIERS}) t WHERE rules <> '{{}}'") == []
    assert query("SELECT count(*) FROM support_case WHERE closed_on IS NULL") == [(0,)]
    assert query("SELECT count(*) FROM finding WHERE withdrawn_at IS NULL") == [(0,)]
    assert told["sentence"] == "1 case that nobody had worked on was closed with it."


def test_without_any_attendance_no_board_counts_anybody() -> None:
    take_back(first_weeks())
    assert query(COUNTS) == []
    assert query("SELECT * FROM standing WHERE tier >= 0") == []
    assert query("SELECT * FROM tier_change WHERE withdrawn_at IS NULL") == []
    assert [row["tier_2"] + row["tier_3"] for row in measures.tiers()] in ([], [0])


def test_boards_count_no_day_behind_the_last_that_is_known_again() -> None:
    first_weeks()
    before = query(COUNTS)
    told = load(*away("ana", [DAYS[-1] + timedelta(days=7)]), accept_held=True)
    assert len(query(COUNTS)) == len(before) + 5
    take_back(told["batch"])
    assert query(COUNTS) == before


def test_boards_do_not_count_who_came_with_a_roster_that_was_taken_back() -> None:
    first_weeks()
    before = query(COUNTS)
    files = {
        "students.csv": file_of("ida Ida Reyes", header="student_id,first_name,last_name"),
        "enrollments.csv": file_of("ida lincoln 08-24", header="student_id,school_id,entry_date"),
    }
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    ingest.load(batch)
    assert query(COUNTS) != before
    take_back(batch)
    assert query("SELECT key FROM student WHERE key = 'ida'") == []
    assert query(COUNTS) == before


def test_nobody_closes_a_case_as_taken_back_by_hand() -> None:
    first_weeks()
    for reason in ("taken_back", "", "recovered?"):
        with pytest.raises(Refused, match="Choose why the case is closed"):
            closing.close(case_of("eli"), by=OPERATOR, reason=reason, useful={})
