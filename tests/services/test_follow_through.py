"""Whether help arrives: every case at one step, in counts that add up; no speed of one person, nothing restricted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import current_app

from ew_app.kernel import now, transaction
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.watching import following_through
from ew_app.services.watching.following_through import FollowThrough
from models.base import db
from models.cases import Case, Cause, Outreach
from models.plans import Plan, PlanReview
from models.queries import boards
from rules.access import Area
from rules.follow_through import Better, State, Step
from tests.opened import statements
from tests.services.world import TODAY, World

BEGAN = TODAY - timedelta(days=13)  # a Tuesday
NORTH = Area(networks=frozenset({"N1"}))


def case(world: World, name: str, *, school: str = "LIN", role: str = "counselor", owner: str | None = "cora",
         **more: Any) -> Case:  # fmt: skip
    """An open case that began two weeks ago; its first contact was due within two school days."""
    student = world.students.get(name) or world.add_student(name, school)
    values = {
        "student_id": student, "school_id": world.schools[school], "tier": 2, "department": "x", "owner_role": role,
        "owner_id": world.people[owner] if owner else None, "opened": BEGAN, "opened_at": now(),
        "contact_due": BEGAN + timedelta(days=2), "due": TODAY + timedelta(days=3),
    }  # fmt: skip
    with transaction():
        made = Case(**(values | more))
        db.session.add(made)
    return made


def signed() -> dict[str, Any]:
    return {"author_id": None, "author": "Cora Bell", "position": "School counselor", "written_at": now()}


def reached(one: Case, day: date) -> None:
    said = {"method": "call", "outcome": "reached_agreed", "is_contact": True, "at": now()}
    with transaction():
        db.session.add(Outreach(case_id=one.id, student_id=one.student_id, on_day=day, **said, **signed()))


def heard(one: Case, compartment: str | None = None) -> None:
    said = {"code": "B-TRANSPORT", "compartment": compartment, "said_by": "student", "confidence": "said"}
    with transaction():
        db.session.add(Cause(case_id=one.id, student_id=one.student_id, **said, **signed()))


def planned(one: Case, *, reviewed: bool = False) -> None:
    with transaction():
        plan = Plan(
            case_id=one.id, episode=1, version=1, goal="Come on time", next_step="Call", review_on=TODAY, **signed()
        )
        db.session.add(plan)
        db.session.flush()
        if reviewed:
            db.session.add(
                PlanReview(case_id=one.id, episode=1, plan_id=plan.id, decision="continue", next_on=TODAY, **signed())
            )


def of(area: Area = NORTH, *, by_network: bool = False) -> FollowThrough:
    return following_through.of(boards.schools_in(area), following_through.since_of(8), by_network=by_network)


@pytest.fixture
def cases(world: World) -> World:
    """One case for each way a case can stand."""
    late, soon = {"due": TODAY - timedelta(days=1)}, {"contact_due": TODAY + timedelta(days=1)}
    case(world, "not_reached")
    case(world, "voicemail")
    case(world, "not_due", **soon)
    reached(case(world, "reached", **late), BEGAN + timedelta(days=1))
    reached(case(world, "reached_late", school="DOU", owner="dora"), BEGAN + timedelta(days=6))
    heard(case(world, "shut_cause", owner=None), "health")
    heard(open_cause := case(world, "open_cause"))
    reached(open_cause, BEGAN + timedelta(days=2))
    planned(case(world, "no_contact_but_plan"))
    planned(reviewed := case(world, "reviewed", role="social_worker", owner="wanda"), reviewed=True)
    reached(reviewed, BEGAN)
    planned(case(world, "better", status="closed", closed_on=TODAY))
    world.finds("better", "R25", TODAY - timedelta(days=1))
    planned(case(world, "before", opened=TODAY - timedelta(weeks=20)))
    case(world, "undone", closed_on=TODAY, status="closed", close_reason="taken_back")
    number = db.session.query(Case).filter_by(student_id=world.students["voicemail"]).one().number
    log_outreach(Attempt(method="call", outcome="left_voicemail"), by=world.actor("cora"), case_number=number)
    return world


def test_every_case_stands_at_one_step_in_one_state(cases: World) -> None:
    funnel = of().total.funnel
    assert {step: funnel.standing(step) for step in Step} == {
        Step.FLAGGED: 4, Step.CONTACTED: 2, Step.HEARD: 1, Step.PLANNED: 1, Step.REVIEWED: 1, Step.IMPROVED: 1,
    }  # fmt: skip
    assert funnel.cases == 10 == sum(funnel.in_state(state) for state in State)
    assert [funnel.reached(step) for step in Step] == [10, 6, 4, 3, 2, 1]
    assert funnel.standing(Step.CONTACTED, State.LATE) == 1, "its next step is overdue"
    assert funnel.standing(Step.FLAGGED, State.LATE) == 3, "a message left is no contact, and one day has not come"
    assert funnel.in_state(State.CLOSED) == 1 and funnel.unowned == 1


def test_what_was_left_out_on_the_way_is_told(cases: World) -> None:
    gaps = of().total.funnel.not_on_record
    assert gaps[Step.CONTACTED] == 2 and gaps[Step.HEARD] == 3 and gaps[Step.REVIEWED] == 1


def test_whether_it_is_better_cannot_be_told_before_twenty_days_have_come_in(cases: World) -> None:
    better = of().total.funnel.better
    assert better == {Better.YES: 1, Better.CANNOT_TELL: 2}
    with transaction():
        db.session.execute(db.text("UPDATE plan SET written_at = written_at - interval '60 days'"))
    assert of().total.funnel.better == {Better.YES: 1, Better.NO: 2}


def test_first_contacts_in_time_are_those_that_the_boards_count(cases: World) -> None:
    told, on_boards = of(), boards.work([*cases.schools.values()], TODAY, following_through.since_of(8))
    for line in told.places:
        there = on_boards[cases.schools[line.key]]
        withdrawn = int(line.key == "LIN")  # the boards still count the case that an undone file had opened
        assert (line.funnel.in_time, line.funnel.asked + withdrawn) == (there.in_time, there.asked)
    assert sum(line.funnel.cases for line in told.places) == told.total.funnel.cases
    assert sum(line.funnel.cases for line in told.roles) == told.total.funnel.cases


def test_who_is_not_reached_counts_as_waiting_and_no_middle_is_better_for_it(cases: World) -> None:
    waited = of().total.waited
    assert waited and waited.cases == 9 and (waited.median, waited.most) == (None, None)
    for name in ("not_reached", "voicemail", "no_contact_but_plan"):
        one = db.session.query(Case).filter_by(student_id=cases.students[name]).one()
        reached(one, TODAY)
    waited = of().total.waited
    assert waited and (waited.median, waited.most) == (9, None)


def test_the_speed_of_a_role_is_kept_back_where_it_would_be_a_person_s(cases: World) -> None:
    roles = {line.key: line for line in of().roles}
    assert roles["social_worker"].waited is None and roles["counselor"].waited is None
    assert roles["social_worker"].funnel.cases == 1, "the work itself is told"
    cases.give("cleo", "Cleo Hart", "counselor", "school:LIN")
    case(cases, "third", owner="cleo")
    assert {line.key: line for line in of().roles}["counselor"].waited


def test_the_district_adds_up_by_network_and_asks_no_more_for_more_schools(cases: World) -> None:
    told = of(Area(district=True), by_network=True)
    assert [(line.key, line.funnel.cases) for line in told.places] == [("N1", 10), ("N2", 0)]
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    sent = []
    for area in (Area(schools=frozenset({"ROS"})), Area(district=True)):
        inside = boards.schools_in(area)
        with statements(app) as one:
            following_through.of(inside, following_through.since_of(8))
        sent.append(len(one))
    assert sent[0] == sent[1] <= 6, sent
