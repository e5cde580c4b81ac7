"""Cases open, grow, close and come back in step with what the rules found, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import WORKER
from ew_app.services import cases
from models.base import db
from tests.services import world as district
from tests.services.world import TODAY, World, rows


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """The district on Monday 16 November 2026."""
    with create_app(replace(settings, today=TODAY)).app_context():
        yield district.build()
        db.session.remove()
        db.engine.dispose()


def follow(world: World, *names: str) -> int:
    """Follow the findings of these students, or of all."""
    return cases.follow([world.students[name] for name in names or world.students], by=WORKER)


def the_case(*columns: str) -> tuple[object, ...]:
    """These columns of the only case."""
    (row,) = rows(f"SELECT {', '.join(columns)} FROM support_case")
    return row


def owner(world: World) -> str | None:
    (number,) = the_case("owner_id")
    return next((login for login, person in world.people.items() if person == number), None)


def flag_ana(world: World) -> None:
    """Ana reaches Tier 2 and gets a case."""
    world.stands("ana", 2)
    world.finds("ana", "R07")
    follow(world)


# -- opening -------------------------------------------------------------------------------------------------


def test_a_student_in_tier_2_gets_a_case_with_the_counselor(world):
    world.stands("ana", 2)
    world.finds("ana", "R07", date(2026, 11, 9))
    assert follow(world) == 1
    assert the_case("number", "tier", "status", "kind", "owner_role", "department") == (
        1001, 2, "new", "attendance", "counselor", "school_counseling",
    )  # fmt: skip
    assert owner(world) == "cora"
    assert rows("SELECT rule, day, sentence FROM case_reason") == [
        ("R07", date(2026, 11, 9), "R07 since 2026-11-09.")
    ]


def test_due_days_are_school_days(world):
    flag_ana(world)
    assert the_case("due", "contact_due") == (date(2026, 11, 19), date(2026, 11, 19))
    assert rows("SELECT kind, due FROM task ORDER BY due") == [
        ("contact", date(2026, 11, 19)),
        ("plan", date(2026, 12, 7)),  # the week of Thanksgiving does not count
    ]


def test_following_twice_changes_nothing(world):
    flag_ana(world)
    before = district.everything()
    assert follow(world) == 0
    assert district.everything() == before


def test_watch_opens_a_task_and_no_case(world):
    world.stands("ana", 1)
    for rule in ("BAND", "R03", "R04"):
        world.finds("ana", rule)
    assert follow(world) == 0
    assert rows("SELECT kind, rule, owner_role FROM task") == [("call", "R03", "attendance_clerk")]


def test_someone_who_never_arrived_is_looked_for(world):
    world.stands("ana", 0)
    world.finds("ana", "R20")
    assert follow(world) == 1
    assert the_case("kind", "owner_role", "tier") == ("did_not_arrive", "attendance_clerk", 0)


def test_nothing_opens_without_data_of_this_year_or_after_leaving(world):
    for name, more in (("ana", {"data_through": None}), ("ben", {"enrolled_now": False})):
        world.stands(name, 3, **more)
        world.finds(name, "R08")
    assert follow(world) == 0


def test_more_reasons_raise_the_tier_and_never_open_a_second_case(world):
    flag_ana(world)
    world.stands("ana", 3)
    world.finds("ana", "R17")
    assert follow(world) == 0
    assert the_case("tier", "owner_role", "due") == (3, "social_worker", TODAY)
    assert rows("SELECT rule FROM case_reason ORDER BY id") == [("R07",), ("R17",)]
    world.stands("ana", 1)
    follow(world)
    assert the_case("tier") == (3,)


# -- who is asked --------------------------------------------------------------------------------------------


def test_the_deputy_stands_in_for_someone_away(world):
    world.give("dede", "Dede Holt", "administrator", "school:LIN")
    world.away("cora", deputy="dede")
    flag_ana(world)
    assert (owner(world), *the_case("owner_via")) == ("dede", "deputy")


def test_the_fallback_is_asked_when_nobody_holds_the_role(world):
    world.end("cora")
    flag_ana(world)
    assert (owner(world), *the_case("owner_role", "owner_via")) == ("paul", "principal", "fallback")


def test_a_case_of_a_school_without_people_is_unowned_until_someone_comes(world):
    world.add_student("eve", "ROS")
    world.stands("eve", 2)
    world.finds("eve", "R07")
    follow(world)
    assert the_case("owner_id", "owner_via") == (None, "unowned")
    world.give("rita", "Rita Moss", "counselor", "school:ROS")
    follow(world)
    assert owner(world) == "rita"


def test_work_is_shared_evenly(world):
    world.give("carl", "Carl Dunn", "counselor", "school:LIN")
    for name in ("ana", "ben"):
        world.stands(name, 2)
        world.finds(name, "R07")
    follow(world)
    assert len(set(rows("SELECT owner_id FROM support_case"))) == 2


# -- corrections ---------------------------------------------------------------------------------------------


def test_a_corrected_mark_makes_no_second_task(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07", date(2026, 11, 9))
    follow(world)
    tasks = rows("SELECT id, kind, due, status FROM task ORDER BY id")
    world.corrects(finding, again_since=date(2026, 11, 10))
    follow(world)
    assert rows("SELECT id, kind, due, status FROM task ORDER BY id") == tasks
    assert rows("SELECT day, sentence, withdrawn_at FROM case_reason") == [
        (date(2026, 11, 10), "R07 since 2026-11-10.", None)
    ]


def test_a_case_that_rested_on_corrected_marks_stays_with_its_people(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    world.stands("ana", 0)
    world.corrects(finding)
    follow(world)
    assert the_case("status", "next_step") == ("new", cases.LOOK_AGAIN)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NOT NULL") == [(1,)]
    assert set(rows("SELECT status FROM task")) == {("withdrawn",)}
    kinds = [kind for (kind,) in rows("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]
    assert kinds[0] == "case_opened" and kinds[-2:] == ["reason_withdrawn", "rested_on_corrected_marks"]


def test_a_mark_corrected_back_takes_the_same_work_up_again(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    before = rows("SELECT id, kind, status FROM task ORDER BY id")
    world.corrects(finding)
    follow(world)
    world.finds("ana", "R07")
    follow(world)
    assert rows("SELECT id, kind, status FROM task ORDER BY id") == before
    assert rows("SELECT withdrawn_at FROM case_reason") == [(None,)]


# -- compartments --------------------------------------------------------------------------------------------


def test_a_restricted_rule_asks_inside_its_compartment_and_nowhere_else(world):
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    assert follow(world) == 0
    assert rows("SELECT compartment, owner_role FROM task") == [("stls", "stls_liaison")]
    assert rows("SELECT count(*) FROM support_case") == [(0,)]
