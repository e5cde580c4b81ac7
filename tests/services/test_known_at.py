"""Every past day can be asked twice: as it was known then, and as it is known now."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, NotFound, Refused, now, told_as_of, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import hindsight, policies
from ew_app.services.measuring.measures import measures, tiers
from ew_app.services.measuring.why import explain
from ew_app.services.rosters.codes import Meaning, map_code
from tests.oracle.histories import invented
from tests.services.lincoln_and_carver import CARVER, LINCOLN, build, csv, load, load_files, query
from tests.services.second_opinion import Witness, open_on
from tests.services.test_any_history import DAYS, any_file

CHICAGO = ZoneInfo("America/Chicago")
Told = dict[tuple[str, str], list[dict[str, Any]]]


def told(*days: date | None) -> Told:
    """All that `ew measures` says, by day and scope."""
    return {(str(day), scope): list(measures(day, scope=scope)) for day in days for scope in ("student", "school")}


def told_again(moment: datetime, *days: date | None) -> Told:
    with hindsight.known_at(moment):
        return told(*days)


# -- the story of one correction -----------------------------------------------------------------------------


@pytest.fixture
def corrected(app: Flask) -> None:
    """Ana missed three days of her first three weeks without an excuse; six days later a note explains two."""
    build()
    with told_as_of(datetime(2026, 9, 4, 18, tzinfo=CHICAGO)):
        load(*(f"ana lincoln {day} A" for day in ("08-18", "08-25", "09-01")), "ben lincoln 09-04 T")
    with told_as_of(datetime(2026, 9, 10, 18, tzinfo=CHICAGO)):
        load("ana lincoln 08-25 E", "ana lincoln 09-01 E")


SEPTEMBER_4 = date(2026, 9, 4)


def ana(known: str | None) -> dict[str, Any]:
    moment = hindsight.moment_of(known) if known else None
    (row,) = measures(SEPTEMBER_4, student="ana", known_at=moment)
    return row


def test_an_excuse_changes_what_counts_as_truancy_and_not_what_counts_as_absence(corrected: None) -> None:
    before, after = ana("2026-09-09"), ana("2026-09-10")
    assert (before["unexcused_days"], before["excused_days"]) == ("3", "0")
    assert (after["unexcused_days"], after["excused_days"]) == ("1", "2")
    same = ("absent_days", "enrolled_days", "absence_rate", "band", "rate_tier")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert after == ana(None)


def test_a_moment_within_a_day_is_told_to_the_minute(corrected: None) -> None:
    assert ana("2026-09-10T17:59")["excused_days"] == "0"
    assert ana("2026-09-10T18:00")["excused_days"] == "2"
    assert ana("2026-09-10T23:00+00:00")["excused_days"] == "2"
    assert ana("2026-09-10T22:59Z")["excused_days"] == "0"


def test_before_the_first_file_nothing_was_known(corrected: None) -> None:
    row = ana("2026-09-03")
    assert (row["enrolled_days"], row["data_through"], row["tier"]) == ("0", "", "none")


def test_what_is_no_moment_is_refused(app: Flask) -> None:
    with pytest.raises(Refused, match="Give a date such as"):
        hindsight.moment_of("last week")


def test_an_explanation_tells_the_marks_of_then(corrected: None) -> None:
    then = explain("ana", SEPTEMBER_4, known_at=hindsight.moment_of("2026-09-09"))
    now_told = explain("ana", SEPTEMBER_4)
    day = date(2026, 8, 25)
    (was,) = (one for one in then.days if one.day == day)
    (stands,) = (one for one in now_told.days if one.day == day)
    assert (was.words, [mark.code for mark in was.marks], was.earlier) == ("absent, unexcused", ["A"], ())
    assert (stands.words, [mark.code for mark in stands.marks]) == ("absent, excused", ["E"])
    assert [mark.code for mark in stands.earlier] == ["A"]


def test_nothing_of_the_past_stays_in_the_present(corrected: None) -> None:
    """Also on a connection that had prepared its statements on the tables of one before it reads the other."""
    present = told(SEPTEMBER_4)
    past = told_again(hindsight.moment_of("2026-09-09"), SEPTEMBER_4)
    assert past != present
    for _ in range(3):
        for _ in range(7):
            with transaction():  # its end gives the connection back, so that the next question has the same one
                assert told(SEPTEMBER_4) == present
        for _ in range(4):
            assert told_again(hindsight.moment_of("2026-09-09"), SEPTEMBER_4) == past
    assert query("SELECT count(*) FROM pg_class WHERE relname = 'mark' AND relpersistence = 't'") == [(0,)]


def test_who_came_with_a_later_roster_was_not_known(corrected: None) -> None:
    with told_as_of(datetime(2026, 9, 11, 18, tzinfo=CHICAGO)):
        roster("students.csv", "zoe Zoe Reyes", "student_id,first_name,last_name")
        roster("enrollments.csv", "zoe lincoln 08-17", "student_id,school_id,entry_date")
    assert [row["student_id"] for row in measures(SEPTEMBER_4, student="zoe")] == ["zoe"]
    with pytest.raises(NotFound):
        list(measures(SEPTEMBER_4, student="zoe", known_at=hindsight.moment_of("2026-09-10")))
    known = {row["student_id"] for row in told_again(hindsight.moment_of("2026-09-10"), SEPTEMBER_4)[KEY]}
    assert known == {*LINCOLN, *CARVER}


KEY = (str(SEPTEMBER_4), "student")

# -- whatever happened ---------------------------------------------------------------------------------------


def roster(name: str, row: str, header: str) -> int:
    batch = ingest.receive(kind="roster", name=name, files={name: csv(row, header=header)}, by=OPERATOR)
    ingest.load(batch)
    assert (found := ingest.describe(batch))["status"] == "applied", found
    return batch


def any_roster(chance: random.Random) -> int:
    """A row of some roster file that changes what counts."""
    school = chance.choice(["lincoln", "carver"])
    student, day = chance.choice([*LINCOLN, *CARVER, "new", "newer"]), chance.choice(DAYS)
    exits = chance.choice(["_", "08-18", "08-19"])
    files = {
        "students.csv": (f"{student} X Y {chance.randint(1, 9)}", "student_id,first_name,last_name,grade"),
        "enrollments.csv": (f"{student} {school} 08-17 {exits}", "student_id,school_id,entry_date,exit_date"),
        "calendar.csv": (
            f"{school} {day} {chance.choice(['holiday', 'instructional'])} {chance.choice(['1', '0.5'])}",
            "school_id,date,day_type,day_value",
        ),
        "absence_codes.csv": (
            f"{chance.choice('AET')} X absence {chance.choice(['1', '0.5'])} {chance.choice(['excused', 'unexcused'])}",
            "code,title,kind,absent_fraction,excused",
        ),
        "schools.csv": (
            f"{school} X N N {chance.choice([420, 360])}",
            "school_id,name,network_id,network_name,day_minutes",
        ),
    }
    name = chance.choice(sorted(files))
    return roster(name, *files[name])


def any_step(chance: random.Random, accepted: list[int]) -> str:
    """One thing that may happen to a district; returns what it was."""
    step = chance.choices(["file", "roster", "undo", "code", "policy"], [8, 6, 4, 2, 1])[0]
    if step == "undo" and accepted:
        batch = accepted.pop(chance.randrange(len(accepted)))
        ingest.take_back(batch, by=OPERATOR)
        ingest.undo(batch)
    elif step == "roster":
        accepted.append(any_roster(chance))
    elif step == "code":
        map_code(Meaning(chance.choice("AEPT"), chance.choice(["absence", "tardy", "present"]), "excused"), by=OPERATOR)
        flagging.evaluate_touched()
    elif step == "policy":
        policies.activate(policies.find(chance.choice(["rates", "five-ten"])), starts=date(2026, 8, 18), by=OPERATOR)
        flagging.evaluate_touched()
    elif (file := any_file(chance, DAYS)).rows:
        batch = load_files(file.contents(), feed=file.feed, accept_held=True)
        accepted += [batch["batch"]] if batch["status"] == "applied" else []
    return step


def everything() -> dict[str, Any]:
    """Measures of a day and of the last one, and the counts by tier."""
    return {"measures": told(None, date(2026, 8, 18)), "tiers": tiers(by="grade")}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(1, 20))])
def test_any_moment_of_any_history_is_told_as_it_was_then(settings: Settings, seed: int) -> None:
    chance, accepted = random.Random(seed), list[int]()
    remembered: list[tuple[datetime, str, dict[str, Any]]] = []
    with open_on(settings, date(2026, 8, 20)):
        build()
        for _ in range(16):
            step = any_step(chance, accepted)
            remembered.append((now(), step, everything()))
        for nth, (moment, step, then) in enumerate(remembered):
            with hindsight.known_at(moment):
                assert everything() == then, (nth, step)
            row = chance.choice(then["measures"]["None", "student"])
            assert list(measures(student=row["student_id"], known_at=moment)) == [row], (nth, step)
    assert len({str(then) for _, _, then in remembered}) > 4


@pytest.mark.deep
def test_after_every_delivery_of_an_invented_district(settings: Settings) -> None:
    history = invented(7, 40)
    days = (None, history.plan.days[len(history.plan.days) // 2])
    witness, remembered = Witness(), list[tuple[datetime, Told]]()
    with open_on(settings, history.plan.today):
        for step in history.steps:
            witness.lives_through(replace(history, steps=[step]))
            remembered.append((now(), told(*days)))
        for nth, (moment, then) in enumerate(remembered):
            assert told_again(moment, *days) == then, (nth, history.steps[nth])
    assert len({str(then) for _, then in remembered}) > 8
