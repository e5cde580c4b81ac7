"""Cases open and grow in step with what the rules found, the right people are asked, and nothing happens twice."""

from __future__ import annotations

from datetime import date

import pytest

from ew_app import kernel
from ew_app.kernel import NotFound, Refused
from ew_app.services.casework import cases, closing, handing_out
from ew_app.services.casework import moves as casework
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.people import accounts
from models.queries import worklists
from rules.access import NotAllowed
from tests.services import world as district
from tests.services.one_case import NEXT, TASKS, comes, flag_ana, follow, not_seen_since, owner, the_case
from tests.services.world import TODAY, rows

# -- opening -------------------------------------------------------------------------------------------------


def test_a_student_in_tier_2_gets_a_case_with_the_counselor(world):
    world.stands("ana", 2)
    world.finds("ana", "R07", date(2026, 11, 9))
    assert follow(world) == 1
    assert the_case("number", "tier", "status", "kind", "owner_role", "department") == (
        1001, 2, "new", "attendance", "counselor", "school_counseling",
    )  # fmt: skip
    assert owner(world) == "cora"
    assert rows("SELECT rule, day, sentence FROM case_reason") == [("R07", date(2026, 11, 9), "R07 since 2026-11-09.")]


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


def test_someone_who_did_not_come_on_the_first_day_is_asked_after_and_has_no_case(world):
    finding = not_seen_since(world, TODAY)
    assert follow(world) == 0 == follow(world)
    assert rows(TASKS) == [("locate", "attendance_clerk", "open", False)]
    comes(finding)
    assert follow(world) == 0
    assert rows(TASKS) == [("locate", "attendance_clerk", "withdrawn", False)]
    assert rows("SELECT data ->> 'why' FROM event WHERE kind = 'task_withdrawn'") == [
        ("The student has come to school.",)
    ]


def test_someone_not_seen_for_three_school_days_has_a_case(world):
    not_seen_since(world, date(2026, 11, 12))  # Thursday, Friday, Monday
    assert cases.waiting(list(world.students.values())) == {world.students["ana"]}
    assert follow(world) == 1
    assert the_case("kind", "owner_role", "tier") == ("did_not_arrive", "attendance_clerk", 0)
    assert rows(TASKS) == [("locate", "attendance_clerk", "open", True)]
    assert cases.waiting(list(world.students.values())) == set()


def test_two_school_days_are_not_three(world):
    not_seen_since(world, date(2026, 11, 13))
    assert follow(world) == 0


def test_a_case_of_someone_who_has_come_waits_for_nobody_and_closes_with_one_press(world):
    finding = not_seen_since(world, date(2026, 11, 10))
    follow(world)
    (number,) = the_case("number")
    with pytest.raises(Refused, match="closed with its questions answered"):
        closing.close_of_arrived([number], by=world.actor("clara"))
    comes(finding)
    assert follow(world) == 0 == follow(world)
    assert the_case("due", "contact_due", "status") == (None, None, "new")
    assert the_case("next_step")[0].startswith("The student has come")
    assert rows(TASKS) == [("locate", "attendance_clerk", "withdrawn", True)]
    assert rows("SELECT data ->> 'day' FROM event WHERE kind = 'arrived'") == [(NEXT.isoformat(),)]
    clara = world.actor("clara")
    assert [line.number for line in worklists.arrived(clara.person_id or 0, TODAY)] == [number]
    with pytest.raises((NotAllowed, NotFound)):
        closing.close_of_arrived([number], by=world.actor("tara"))
    assert closing.close_of_arrived([number], by=clara) == 1
    assert closing.close_of_arrived([number], by=clara) == 0
    assert the_case("status", "close_reason", "closed_on") == ("closed", "not_needed", TODAY)
    assert rows("SELECT useful FROM case_reason") == [("cannot_tell",)]


def test_an_arrival_leaves_alone_what_people_have_begun_and_a_correction_takes_it_back(world):
    finding = not_seen_since(world, date(2026, 11, 10))
    follow(world)
    comes(finding)
    follow(world)
    world.corrects(finding, again_since=date(2026, 11, 10))
    follow(world)
    assert the_case("next_step", "due IS NOT NULL") == ("Find out where the student is enrolled", True)
    assert rows(TASKS) == [("locate", "attendance_clerk", "open", True)]
    (number,) = the_case("number")
    log_outreach(Attempt(method="call", outcome="left_voicemail"), by=world.actor("clara"), case_number=number)
    before = the_case("next_step", "due", "status")
    (again,) = rows("SELECT id FROM finding WHERE withdrawn_at IS NULL")[0]
    comes(again)
    follow(world)
    assert the_case("next_step", "due", "status") == before
    assert rows("SELECT count(*)::int FROM event WHERE kind = 'arrived'") == [(2,)]


def test_a_leaver_who_never_came_is_looked_for_no_longer(world):
    finding = not_seen_since(world, date(2026, 11, 10))
    follow(world)
    comes(finding)
    world.stands("ana", 0, enrolled_now=False)
    follow(world)
    assert the_case("next_step")[0].startswith("Not enrolled here any more")


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


def test_a_case_nobody_has_worked_on_stands_where_the_student_stands(world):
    world.stands("ana", 3)
    world.finds("ana", "R08")
    follow(world)
    world.stands("ana", 1)
    follow(world)
    assert the_case("tier") == (1,)
    assert rows("SELECT data FROM event WHERE kind = 'tier_lowered'") == [({"before": 3, "after": 1},)]


def test_what_people_have_worked_at_keeps_its_tier(world):
    world.stands("ana", 3)
    world.finds("ana", "R08")
    follow(world)
    casework.assign(1001, by=world.actor("wanda"))
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
    assert (owner(world), *the_case("owner_role", "owner_via")) == ("wanda", "social_worker", "fallback")


def test_a_case_of_a_school_without_people_is_unowned_until_someone_comes(world):
    world.add_student("eve", "ROS")
    world.stands("eve", 2)
    world.finds("eve", "R07")
    follow(world)
    assert the_case("owner_id", "owner_via") == (None, "unowned")
    world.give("rita", "Rita Moss", "counselor", "school:ROS")
    follow(world)
    assert owner(world) == "rita"


def test_work_that_waited_goes_to_whoever_is_given_the_role(world):
    for login in [login for login in world.people if login != "zoe"]:
        world.end(login)
    flag_ana(world)
    assert the_case("owner_id") == (None,)
    assert handing_out.hand_out() == 0
    operator = kernel.OPERATOR
    accounts.add_person(login="rita", name="Rita Moss", role="counselor", place="school:LIN", by=operator)
    assert ("hand_out",) in rows("SELECT job FROM outbox")
    world.people["rita"] = rows("SELECT id FROM person WHERE login = 'rita'")[0][0]
    assert handing_out.hand_out() == 3  # the case, and its two tasks
    assert owner(world) == "rita"
    assert rows("SELECT DISTINCT owner_id FROM task") == [(world.people["rita"],)]
    assert handing_out.hand_out() == 0


def test_work_in_a_compartment_is_asked_of_its_own_people(world):
    world.end("lea")
    world.end("wanda")
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    assert rows("SELECT owner_id FROM task") == [(None,)]
    lena = world.give("lena", "Lena Hall", "stls_liaison", "school:LIN")
    assert handing_out.hand_out() == 1
    assert rows("SELECT owner_id FROM task") == [(lena,)]


def test_work_is_shared_evenly(world):
    world.give("carl", "Carl Dunn", "counselor", "school:LIN")
    for name in ("ana", "ben"):
        world.stands(name, 2)
        world.finds(name, "R07")
    follow(world)
    assert len(set(rows("SELECT owner_id FROM support_case"))) == 2


# -- compartments --------------------------------------------------------------------------------------------


def test_a_restricted_rule_asks_inside_its_compartment_and_nowhere_else(world):
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    assert follow(world) == 0
    assert rows("SELECT compartment, owner_role FROM task") == [("stls", "stls_liaison")]
    assert rows("SELECT count(*) FROM support_case") == [(0,)]
