"""A day without school that is declared late, and a day made up: what rested on the wrong calendar goes, once."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.measures import measures
from ew_app.services.measuring.why import explain
from tests.services.lincoln_and_carver import build, covers, csv, load_files, query

DAYS = ("08-17", "08-18", "08-19", "08-20", "08-21", "08-24")
MISSED = DAYS[1:]
SNOW = ("08-20", "08-21")


@pytest.fixture(autouse=True)
def five_in_a_row(app: Flask) -> None:
    """Ana came on Monday and then missed five whole days; Ben missed three, two of them the days of the snow."""
    build()
    rows = [*(f"ana lincoln {day} A" for day in MISSED), *(f"ben lincoln {day} E" for day in ("08-18", *SNOW))]
    send(*rows, days=DAYS)


def send(*rows: str, days: tuple[str, ...]) -> dict[str, Any]:
    claimed = covers(*(f"lincoln {day}" for day in days))
    told = load_files({"attendance.csv": csv(*rows), "covers.csv": claimed}, accept_held=True)
    assert told["status"] == "applied"
    return told


def declare(kind: str, *days: str) -> dict[str, Any]:
    """A later roster whose calendar says something else of these days."""
    calendar = csv(*(f"lincoln {day} {kind}" for day in days), header="school_id,date,day_type")
    batch = ingest.receive(kind="roster", name=f"calendar {kind} {days}", files={"calendar.csv": calendar}, by=OPERATOR)
    ingest.load(batch)
    return ingest.describe(batch)


def ana() -> dict[str, Any]:
    (row,) = measures(student="ana")
    return row


def rules() -> list[str]:
    return sorted(reason.rule for reason in explain("ana").reasons)


def events() -> list[str]:
    return [kind for (kind,) in query("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]


def everything() -> dict[str, list[tuple[Any, ...]]]:
    return {
        "measures": [tuple(row.values()) for row in measures()],
        "standing": query("SELECT student_id, since, tier FROM standing ORDER BY 1, 2"),
        "counts": query("SELECT t.* FROM tier_count t JOIN calendar_day d USING (school_id, day) ORDER BY 1, 2, 3"),
        "findings": query(
            "SELECT student_id, rule, since, until FROM finding WHERE withdrawn_at IS NULL ORDER BY 1, 2, 3"
        ),
        "steps": query("SELECT student_id, day, after FROM tier_change WHERE withdrawn_at IS NULL ORDER BY 1, 2"),
        "days": query("SELECT school_id, day, status FROM school_day ORDER BY 1, 2"),
    }


def test_the_absences_of_a_snow_day_count_on_neither_side() -> None:
    told = ("enrolled_days", "absent_days", "streak_now", "tier")
    assert [ana()[name] for name in told] == ["6", "5", "5", "3"]
    declare("weather", *SNOW)
    assert [ana()[name] for name in told] == ["4", "3", "3", "watch"]
    assert query("SELECT count(*) FROM mark WHERE code = 'A'") == [(5,)], "what was said stays on record"


def test_what_rested_on_it_is_withdrawn_with_a_note_and_the_case_waits_for_a_person() -> None:
    assert "R17" in rules()
    assert query("SELECT status FROM task WHERE rule = 'R17' GROUP BY 1") == [("open",)]
    declare("weather", *SNOW)
    assert "R17" not in rules()
    assert query("SELECT status FROM task WHERE rule = 'R17' GROUP BY 1") == [("withdrawn",)]
    assert query("SELECT rule, withdrawn_at IS NOT NULL FROM case_reason WHERE rule = 'R17'") == [("R17", True)]
    assert query("SELECT closed_on FROM support_case") == [(None,)]
    assert {"reason_withdrawn", "rested_on_corrected_marks", "tier_lowered", "task_withdrawn"} <= set(events())
    assert query("SELECT count(*) FROM finding WHERE rule = 'R17' AND withdrawn_at IS NOT NULL") == [(1,)]


def test_nothing_fires_again_on_the_days_after_nor_when_it_is_said_again() -> None:
    declare("weather", *SNOW)
    told, cases = events(), query("SELECT number, status FROM support_case")
    again = declare("weather", *SNOW)
    assert again["status"] == "duplicate" or again["superseded"] == 0
    send("ben lincoln 08-25 T", days=("08-25",))
    assert (events(), query("SELECT number, status FROM support_case")) == (told, cases)


def test_a_day_that_was_school_after_all_brings_back_what_it_held_and_nothing_twice() -> None:
    waiting = "SELECT kind FROM task WHERE status = 'open' ORDER BY 1"
    tasks, before = query(waiting), everything()
    declare("weather", *SNOW)
    declare("instructional", *SNOW)
    assert everything() == before
    assert "R17" in rules() and query("SELECT count(*) FROM support_case") == [(1,)]
    assert query(waiting) == tasks
    assert ("open",) in query("SELECT status FROM task WHERE rule = 'R17'")


def test_a_day_made_up_on_a_saturday_counts_and_may_reach_a_line() -> None:
    declare("weather", *SNOW)
    declare("make-up", "08-29", "09-05")
    send(
        "ana lincoln 08-29 A", "ana lincoln 09-05 A", "ben lincoln 09-05 T",
        days=("08-25", "08-26", "08-27", "08-28", "08-29", "08-31", "09-01", "09-02", "09-03", "09-04", "09-05"),
    )  # fmt: skip
    row = ana()
    assert (row["enrolled_days"], row["absent_days"], row["data_through"]) == ("15", "5", "2026-09-05")


@pytest.mark.parametrize("kinds", [("weather",), ("weather", "instructional"), ("make-up", "non-instructional")])
def test_following_a_changed_calendar_gives_what_a_full_recompute_gives(kinds: tuple[str, ...]) -> None:
    flagging.evaluate_all()
    for kind in kinds:
        declare(kind, *SNOW)
    followed = everything()
    flagging.evaluate_all()
    assert everything() == followed


def test_taken_back_the_calendar_and_what_it_held_are_as_before() -> None:
    before = everything()
    batch = declare("weather", *SNOW)["batch"]
    assert everything() != before
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    assert everything() == before
    assert query("SELECT count(*) FROM support_case") == [(1,)]
