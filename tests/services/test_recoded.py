"""A code nobody has mapped replaces what was known: the day leaves the numbers, the help already given stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.why import explain
from ew_app.services.rosters.codes import Meaning, effect_of, map_code
from tests.services.lincoln_and_carver import FIRST_DAY, LABOR_DAY, LINCOLN, build, covers, csv, load, load_files, query

DAYS = [day for day in (FIRST_DAY + timedelta(days=n) for n in range(35)) if day.weekday() < 5 and day != LABOR_DAY]
ABSENT = (DAYS[3], DAYS[4], DAYS[10])  # three of twenty: Tier 2 by R07


@pytest.fixture(autouse=True)
def ana_in_tier_2(app: Flask) -> None:
    build()
    said = [f"ana lincoln {day:%m-%d} A" for day in ABSENT]
    load_files({"attendance.csv": csv(*said), "covers.csv": covers(*(f"lincoln {day:%m-%d}" for day in DAYS[:20]))})
    assert _stands() == (20_000, 3000, 0, 2)


def _stands() -> tuple[int, int, int, int]:
    """Ana's enrolled and absent thousandths, unknown days and tier."""
    found = query(
        "SELECT enrolled, absent, unknown_days, tier FROM student_status s JOIN student p ON p.id = s.student_id"
        " WHERE p.key = 'ana'"
    )
    return found[0]  # type: ignore[return-value]


def _tell(day: date) -> Any:
    return next(found for found in explain("ana").days if found.day == day)


def test_an_absence_that_becomes_an_unmapped_code_leaves_the_numbers_and_not_the_tier() -> None:
    load(f"ana lincoln {ABSENT[0]:%m-%d} ZZ")
    assert _stands() == (19_000, 2000, 1, 2)
    told = _tell(ABSENT[0])
    assert told.state == "unknown"
    assert "the tier stays as it was" in told.words
    assert "before: Absence" in told.text or "before: A" in told.text


def test_a_presence_that_becomes_an_unmapped_code_does_not_undo_what_came_after_it() -> None:
    load(f"ana lincoln {DAYS[0]:%m-%d} ZZ")
    assert _stands() == (19_000, 3000, 1, 2)


def test_nothing_of_the_finding_is_withdrawn_while_the_code_waits() -> None:
    load(f"ana lincoln {ABSENT[1]:%m-%d} ZZ")
    assert query("SELECT rule FROM finding WHERE withdrawn_at IS NULL AND until IS NULL AND rule = 'R07'") == [("R07",)]
    assert len(query("SELECT id FROM support_case WHERE status <> 'closed'")) == 1


def test_two_corrections_in_a_row_go_back_to_the_last_one_that_was_understood() -> None:
    load(f"ana lincoln {ABSENT[0]:%m-%d} ZZ")
    load(f"ana lincoln {ABSENT[0]:%m-%d} YY")
    assert _stands() == (19_000, 2000, 1, 2)
    load(f"ana lincoln {ABSENT[0]:%m-%d} P")
    assert _stands() == (20_000, 2000, 0, 1)


def test_a_code_that_was_never_understood_holds_the_tier_from_its_own_day() -> None:
    load_files(
        {
            "attendance.csv": csv(f"ana lincoln {DAYS[20]:%m-%d} ZZ", f"ana lincoln {DAYS[21]:%m-%d} A"),
            "covers.csv": covers(*(f"lincoln {day:%m-%d}" for day in DAYS[20:22])),
        }
    )
    assert _stands() == (21_000, 4000, 1, 2)


def test_from_the_day_after_the_code_came_the_tier_waits_for_its_meaning() -> None:
    load("ben lincoln 08-17 ZZ")  # came in on a day long before the absences that follow
    assert query("UPDATE mark SET recorded_at = '2026-09-15T12:00:00Z' WHERE code = 'ZZ' RETURNING code") == [("ZZ",)]
    days = [day for day in DAYS if day > date(2026, 9, 15)][:5]
    rows = [f"ben lincoln {day:%m-%d} A" for day in days]
    files = {"attendance.csv": csv(*rows), "covers.csv": covers(*(f"lincoln {day:%m-%d}" for day in days))}
    load_files(files, accept_held=True)
    found = query(
        "SELECT tier, rate_tier FROM student_status s JOIN student p ON p.id = s.student_id WHERE key = 'ben'"
    )
    assert found == [(0, 2)]


# -- presence that a code said ---------------------------------------------------------------------------------


def _full_days(days: list[date]) -> None:
    rolled = [f"{name} lincoln {day:%m-%d} P" for day in days for name in LINCOLN]
    assert load(*rolled, feed="full", accept_held=True)["status"] == "applied"


def _roster(row: str) -> int:
    header = "school_id,code,title,kind,absent_fraction,excused"
    files = {"absence_codes.csv": csv(row, header=header)}
    batch = ingest.receive(kind="roster", name="codes", files=files, by=OPERATOR)
    ingest.load(batch)
    return batch


def test_presence_that_a_roster_calls_an_absence_is_decided_anew_and_back_again() -> None:
    _full_days([DAYS[0]])
    batch = _roster("lincoln,P,Pulled,absence,1,unexcused")
    assert _stands() == (20_000, 4000, 0, 2)
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    assert _stands() == (20_000, 3000, 0, 2)


def test_the_effect_of_a_meaning_counts_the_presence_of_a_full_feed() -> None:
    _full_days(DAYS[20:23])
    load(f"ben lincoln {DAYS[20]:%m-%d} T")
    effect = effect_of(Meaning("P", "absence", "unexcused", school_key="lincoln"))
    assert (effect.marks, effect.students) == (3 * len(LINCOLN) - 1, len(LINCOLN))


def test_the_absences_of_a_day_in_the_ledger_follow_what_the_code_means() -> None:
    """By which new days are believed or held; also where a roster tells the meaning and is taken back."""
    load(f"ana lincoln {DAYS[0]:%m-%d} ZZ", f"ben lincoln {DAYS[0]:%m-%d} A")
    absences = "SELECT absences FROM school_day WHERE day = :day ORDER BY school_id"
    assert query(absences, day=DAYS[0]) == [(1,)]
    map_code(Meaning("ZZ", "absence"), by=OPERATOR)
    assert query(absences, day=DAYS[0]) == [(2,)]
    said = b"school_id,code,title,kind,absent_fraction,excused\nlincoln,ZZ,Trip,school_function,0,unknown\n"
    batch = ingest.receive(kind="roster", name="roster", files={"absence_codes.csv": said}, by=OPERATOR)
    ingest.load(batch)
    assert query(absences, day=DAYS[0]) == [(1,)]
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    assert query(absences, day=DAYS[0]) == [(2,)]
