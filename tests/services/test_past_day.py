"""One past day, replayed: what was known, decided and said then is told again as it was stored, whatever came since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, told_as_of
from ew_app.services.casework import closing, viewing
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import hindsight, policies
from ew_app.services.rosters.codes import Meaning, map_code
from models.base import db
from models.cases import Case
from tests.services.lincoln_and_carver import CARVER, LINCOLN, build, csv, load, query

CHICAGO = ZoneInfo("America/Chicago")
DAY = date(2026, 9, 22)
EVERYBODY = (*LINCOLN, *CARVER)
AWAY = {"ana": range(0, 24, 2), "ben": range(1, 4), "cleo": range(5, 20, 5), "fay": range(0, 25), "gus": range(18, 25)}
SCHOOL = {name: "lincoln" if name in LINCOLN else "carver" for name in EVERYBODY}


def on(day: date, hour: int = 18) -> Any:
    return told_as_of(datetime(day.year, day.month, day.day, hour, tzinfo=CHICAGO))


def taught() -> list[date]:
    return [day for (day,) in query("SELECT DISTINCT day FROM calendar_day WHERE day_type <> 'holiday' ORDER BY 1")]


def send(*days: date, **codes: str) -> None:
    """What both schools say of these days, in one file; `codes`: what stands in it instead of A, by student."""
    days_of = {name: [taught()[n] for n in places] for name, places in AWAY.items()}
    rows = [f"{n} {SCHOOL[n]} {day} {codes.get(n, 'A')}" for n, away in days_of.items() for day in days if day in away]
    files = {"attendance.csv": csv(*rows), "covers.csv": csv(*_covered(days), header="school_id,date")}
    batch = ingest.receive(kind="attendance", files=files, by=OPERATOR, name="attendance", accept_held=True)
    ingest.load(batch)
    assert ingest.describe(batch)["status"] == "applied"


def _covered(days: tuple[date, ...]) -> Iterator[str]:
    for day in days:
        yield from (f"{school} {day}" for school in ("lincoln", "carver"))


def stored() -> dict[str, list[tuple[Any, ...]]]:
    """What evaluation has decided and cases rest on, as it stands in the tables now."""
    return {
        "finding": query("""
            SELECT s.key, rule, since, until, sentence, policy_version FROM finding JOIN student s ON s.id = student_id
            WHERE withdrawn_at IS NULL ORDER BY 1, since, rule"""),
        "tier_change": query("""
            SELECT s.key, day, before, after, rules, sentence FROM tier_change JOIN student s ON s.id = student_id
            WHERE withdrawn_at IS NULL ORDER BY 1, day DESC"""),
        "case": query("""
            SELECT s.key, number, tier, r.rule, r.day, r.sentence FROM support_case c
            JOIN student s ON s.id = c.student_id
            JOIN case_reason r ON r.case_id = c.id AND r.episode = c.episode AND r.withdrawn_at IS NULL
            WHERE closed_on IS NULL ORDER BY 1, r.day, r.rule"""),
        "status": query("SELECT s.key, tier, absent, enrolled FROM student_status JOIN student s ON s.id = student_id"),
    }


def shown(known: datetime | None = None) -> dict[str, dict[str, Any]]:
    """All that `ew why --json` says of everybody on that day."""
    found = {name: viewing.explain(name, DAY, by=OPERATOR, known_at=known) for name in EVERYBODY}
    return {name: json.loads(json.dumps(one.as_json(), default=str)) for name, one in found.items()}


def as_rows(said: dict[str, dict[str, Any]]) -> dict[str, list[tuple[Any, ...]]]:
    """What was said, in the form in which it is stored."""
    tiers = {"none": -1, "1": 0, "watch": 1, "2": 2, "3": 3}
    found: dict[str, list[tuple[Any, ...]]] = {"finding": [], "tier_change": [], "case": []}
    for name, one in sorted(said.items()):
        found["finding"] += [(name, *row.values()) for row in one["decided"]]
        for step in one["steps"]:
            before, after = tiers[step["before"]], tiers[step["after"]]
            found["tier_change"].append((name, step["day"], before, after, step["rules"], step["sentence"]))
        for case in one["cases"]:
            found["case"] += [(name, case["number"], tiers[case["tier"]], *reason) for reason in case["reasons"]]
    return found


def plain(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(str(cell) if isinstance(cell, date) else cell for cell in row) for row in rows]


@pytest.fixture
def since(app: Flask) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was stored and shown at the end of the day; and then everything comes otherwise."""
    build()
    days = taught()
    upto = days.index(DAY)
    for first in range(0, upto + 1, 5):
        with on(days[min(first + 4, upto)]):
            send(*days[first : min(first + 5, upto + 1)])
    with on(DAY, 20):
        kept = stored(), shown()
    with on(DAY + timedelta(days=1)):
        excused = [f"ana lincoln {days[n]} E" for n in range(0, 12, 2)]
        load(*excused, *(f"fay carver {days[n]} P" for n in range(9)), accept_held=True)
    with on(DAY + timedelta(days=2)):
        map_code(Meaning("E", "present", "exempt"), by=OPERATOR)
        flagging.evaluate_touched()
    with on(DAY + timedelta(days=3)):
        _roster("enrollments.csv", f"gus carver 08-17 {days[20]}", f"gus lincoln {days[20]} _")
        _roster("calendar.csv", f"lincoln {days[3]} holiday 1", header="school_id,date,day_type,day_value")
        send(days[upto + 1], ana="E")
    with on(DAY + timedelta(days=4)):
        policies.activate(policies.find("five-ten"), starts=days[2], by=OPERATOR)
        flagging.evaluate_touched()
    with on(DAY + timedelta(days=5)):
        for (number,) in query("SELECT number FROM support_case WHERE closed_on IS NULL ORDER BY 1 LIMIT 2"):
            case = db.session.query(Case).filter_by(number=number).one()
            useful = dict.fromkeys((one.rule for one in closing.rules_to_answer(case)), "yes")
            closing.close(number, by=OPERATOR, reason="other_team", useful=useful)
        flagging.evaluate_all()
    return kept


def _roster(name: str, *rows: str, header: str = "student_id,school_id,entry_date,exit_date") -> None:
    batch = ingest.receive(kind="roster", name=name, files={name: csv(*rows, header=header)}, by=OPERATOR)
    ingest.load(batch)
    assert ingest.describe(batch)["status"] == "applied"


def test_a_past_day_is_told_again_as_it_was_stored(since: tuple[dict[str, Any], dict[str, Any]]) -> None:
    then, said_then = since
    assert len(then["finding"]) > 8 and len(then["tier_change"]) > 5 and len(then["case"]) > 2
    told = as_rows(said_then)
    assert {table: plain(then[table]) for table in told} == told, "what is shown is what is stored"
    assert said_then != shown(), "much has changed since"
    again = shown(hindsight.moment_of(DAY.isoformat()))
    for name in EVERYBODY:
        assert again[name] == said_then[name], name
