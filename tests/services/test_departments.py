"""The pages of departments: what waits, how long it waited, and that small counts stay hidden from who sees counts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ew_app.kernel import NotFound, transaction
from ew_app.services.watching import departments
from models.base import db
from models.cases import Task
from models.duty import DistrictDay
from models.promises import Promise, PromiseStep
from rules.access import NotAllowed
from rules.routing_table import routing_table
from tests.services.world import TODAY

MONDAY = date(2026, 11, 9)
SAID = {"author": "Cora Bell", "position": "School counselor", "written_at": datetime(2026, 11, 9, 16, tzinfo=UTC)}


def asked(
    world,
    count: int,
    *,
    day: date = MONDAY,
    done: date | None = None,
    due: date = TODAY,
    compartment: str | None = None,
) -> None:
    """So many students of Lincoln for whom something was asked of Transportation."""
    for number in range(count):
        student = world.add_student(f"t{day:%d}{number}{compartment or ''}{done or ''}")
        with transaction():
            db.session.add(
                Task(
                    student_id=student, school_id=world.schools["LIN"], kind="department", period="1", title="Check it",
                    department="transportation", owner_role="department_contact", due=due, compartment=compartment,
                    created_at=at_noon(day), status="done" if done else "open", done_at=at_noon(done) if done else None,
                )
            )  # fmt: skip


def at_noon(day: date | None) -> datetime:
    assert day
    return datetime(day.year, day.month, day.day, 18, tzinfo=UTC)


def row(world, login: str, key: str = "transportation") -> departments.Row:
    return next(one for one in departments.listed(world.actor(login)) if one.department.key == key)


def test_all_fifteen_stand_there_and_those_on_which_something_waits_come_first(world):
    asked(world, 2, due=MONDAY)
    found = departments.listed(world.actor("paul"))
    assert {one.department.key for one in found} == set(routing_table().departments)
    assert [one.department.key for one in found if one.needs] == [found[0].department.key] == ["transportation"]


def test_days_lost_are_the_school_days_from_asked_to_done_or_today(world):
    asked(world, 1, day=MONDAY)  # five school days up to Monday a week later
    asked(world, 2, day=MONDAY, done=date(2026, 11, 11))
    one = row(world, "paul")
    assert (one.open, one.late, one.days, one.since) == (1, 0, 5 + 2 * 2, MONDAY)


def test_a_principal_sees_every_count_and_a_network_none_under_ten(world):
    asked(world, 3, due=MONDAY)
    assert row(world, "paul").open == 3
    told = row(world, "zoe")
    assert (told.open, told.late, told.days, told.since, told.needs) == (None, None, None, None, True)
    asked(world, 20, day=date(2026, 11, 10))
    told = row(world, "zoe")
    assert (told.open, told.late) == (20, None), "in tens, and three of 23 late are too few to tell"


def test_days_waited_are_kept_back_with_what_waits(world):
    """They grow each day by as many as wait: two mornings would tell the three."""
    asked(world, 3)
    asked(world, 20, day=MONDAY, done=date(2026, 11, 11))
    told = row(world, "zoe")
    assert (told.open, told.days, told.since) == (None, None, None)
    (kind,) = departments.one("transportation", world.actor("zoe")).kinds
    assert (kind.open, kind.days, kind.since) == (None, None, None)


def test_that_nothing_waits_is_told(world):
    asked(world, 20, day=MONDAY, done=date(2026, 11, 11))
    told = row(world, "zoe")
    assert (told.open, told.late, told.days, told.needs) == (0, 0, 40, False)


def test_what_lies_in_a_compartment_is_told_of_the_whole_district_alone_and_from_ten_on(world):
    world.give("ada", "Ada Moss", "district_analyst", "district")
    asked(world, 3, compartment="iep_504")
    assert departments.one("transportation", world.actor("ada")).shut == [("Tasks in shut parts", None, None)]
    asked(world, 9, compartment="stls")
    assert row(world, "paul").open == 0, "nothing of it stands among what a school is told"
    assert departments.one("transportation", world.actor("zoe")).shut == ()
    assert departments.one("transportation", world.actor("ada")).shut == [("Tasks in shut parts", 10, 60)]


def test_what_was_promised_waits_until_it_is_issued(world):
    world.give("ada", "Ada Moss", "district_analyst", "district")
    for number in range(11):
        student = world.add_student(f"p{number}")
        with transaction():
            one = Promise(
                student_id=student, school_id=world.schools["LIN"], compartment="stls", kind="ventra",
                asked_on=MONDAY, state="issued", due=MONDAY, **SAID,
            )  # fmt: skip
            db.session.add(one)
            db.session.flush()
            db.session.add(PromiseStep(promise_id=one.id, state="issued", on_day=date(2026, 11, 12), **SAID))
    (rides,) = departments.one("transportation", world.actor("ada")).shut
    assert rides == ("Rides and fares asked for", 0, 30)
    assert departments.one("stls", world.actor("ada")).shut[0][2] == 30


def test_days_that_the_district_cost_stand_with_whoever_can_mend_the_cause(world):
    with transaction():
        for name in ("ana", "ben"):
            db.session.add(DistrictDay(student_id=world.students[name], day=MONDAY, why="bus", **SAID))
    said = "The bus was late or did not come"
    assert departments.one("transportation", world.actor("paul")).caused == [(said, 2)]
    assert departments.one("transportation", world.actor("zoe")).caused == [(said, None)]
    assert departments.one("legal", world.actor("paul")).caused == []


def test_a_contact_sees_the_own_department_and_nobody_without_the_right_sees_any(world):
    world.give("tess", "Tess Ray", "department_contact", "district", department="transportation")
    assert [one.department.key for one in departments.listed(world.actor("tess"))] == ["transportation"]
    with pytest.raises(NotFound):
        departments.one("legal", world.actor("tess"))
    with pytest.raises(NotAllowed):
        departments.listed(world.actor("cora"))
