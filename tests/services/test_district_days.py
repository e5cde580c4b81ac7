"""Days that the district caused: one definition for rules and pages, and what a compartment keeps stays inside it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, Actor, transaction
from ew_app.services.casework import district_days, promises
from ew_app.services.deciding import flagging
from ew_app.services.measuring import hindsight, why
from ew_app.services.measuring.why import Explanation, explain
from ew_app.services.people import accounts, signing_in
from models.base import db
from models.org import AbsenceCode
from models.people import Student
from models.staff import Person
from rules.access import Place
from tests.services.lincoln_and_carver import FIRST_DAY, LABOR_DAY, build, covers, csv, load, load_files, query

DAYS = [day for day in (FIRST_DAY + timedelta(days=n) for n in range(60)) if day.weekday() < 5 and day != LABOR_DAY]
GONE = DAYS[10:26]  # sixteen in a row
LATE_BUS, KEPT_OUT = GONE[3], GONE[5]
PLACE = Place.of_school("lincoln", "N")


@pytest.fixture(autouse=True)
def ana_away(app: Flask) -> None:
    """Ana is gone for sixteen days without an excuse; every rule about such days is met."""
    build()
    claims = covers(*(f"lincoln {day:%m-%d}" for day in DAYS[:26]))
    load_files({"attendance.csv": csv(*(f"ana lincoln {day:%m-%d} A" for day in GONE)), "covers.csv": claims})


def somebody(role: str) -> Actor:
    with transaction():
        accounts.add_person(login=role, name=role, role=role, place="school:lincoln", by=OPERATOR, starts=DAYS[0])
    return signing_in.actor_of(db.session.query(Person).filter_by(login=role).one())


def ana() -> int:
    return db.session.query(Student).filter_by(key="ana").one().id


def standing_rules() -> set[str]:
    found = query("SELECT rule FROM finding WHERE withdrawn_at IS NULL AND until IS NULL AND compartment IS NULL")
    return {rule for (rule,) in found}


def at(told: Explanation, day: date) -> str:
    return next(one.text for one in told.days if one.day == day)


def test_rules_about_days_without_a_cause_pass_it_over_and_the_rate_does_not() -> None:
    clerk, before = somebody("attendance_clerk"), explain("ana")
    assert {"R16", "R18", "R19"} <= standing_rules() and before.without_cause == 16
    row = district_days.tag(ana(), LATE_BUS, "bus", place=PLACE, missed=before.days, by=clerk)
    flagging.evaluate_touched()
    told = explain("ana")
    assert standing_rules() >= {"R16", "R18"} and "R19" not in standing_rules()
    assert told.without_cause == 12 and told.measures == before.measures, "the codes say what they said"
    assert (told.caused.district, told.caused.all) == (1000, 16_000)
    assert "The district caused it: the bus was late or did not come" in at(told, LATE_BUS)
    load_files(
        {"attendance.csv": csv(f"ana lincoln {DAYS[26]:%m-%d} A"), "covers.csv": covers(f"lincoln {DAYS[26]:%m-%d}")}
    )
    assert "R19" not in standing_rules() and explain("ana").without_cause == 13, "a later day goes on from there"
    district_days.take_back(row.id, student_id=ana(), by=clerk)
    flagging.evaluate_touched()
    assert "R19" in standing_rules() and explain("ana").caused.days == ()


def test_what_was_written_down_later_is_not_known_at_an_earlier_moment() -> None:
    clerk, ((loaded,),) = somebody("attendance_clerk"), query("SELECT max(applied_at) FROM batch")
    district_days.tag(ana(), LATE_BUS, "bus", place=PLACE, missed=explain("ana").days, by=clerk)
    with hindsight.known_at(loaded, "ana"):
        assert explain("ana").caused.days == ()
    assert [day for day, _ in explain("ana").caused.days] == [LATE_BUS]


def test_days_kept_out_until_a_shot_record_are_the_districts_for_the_nurse_alone() -> None:
    nurse = somebody("nurse")
    rules, outside = standing_rules(), explain("ana")
    assert why.days_without_cause("ana") == outside.without_cause == 16
    with transaction():
        promises.ask(ana(), promises.Wanted(kind="immunization", asked_on=GONE[13]), by=nurse)
    district_days.tag(ana(), KEPT_OUT, "exclusion", place=PLACE, missed=outside.days, by=nurse)
    flagging.evaluate_touched()
    inside = explain("ana", classes=["health"])
    assert [day for day, _ in inside.caused.days] == [KEPT_OUT, *GONE[13:]]
    assert explain("ana") == outside and standing_rules() == rules, "nobody outside can tell"
    assert inside.reasons == outside.reasons
    assert why.days_without_cause("ana") == 0, "but no legal step may rest on them"


def test_a_suspension_is_known_from_its_mark() -> None:
    with transaction():
        db.session.add(AbsenceCode(code="S", kind="suspension_out", absent_fraction=1000, excused="unknown"))
    load(f"ana lincoln {LATE_BUS:%m-%d} S")
    assert explain("ana").caused.days == ((LATE_BUS, "suspension"),)
