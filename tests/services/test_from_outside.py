"""A partner organisation learns of a child in one way: asked to help, with the family's consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ew_app.kernel import Refused
from ew_app.services.casework import moves, planning, reaching, supporting, visit_people, visits
from ew_app.services.casework.near import near
from ew_app.services.casework.planning import Agreed
from ew_app.services.casework.supporting import Offer
from ew_app.services.meetings import holding
from ew_app.services.meetings.holding import Decided
from models.base import db
from models.meetings import Meeting
from tests.services import test_visits as going
from tests.services.one_case import flag_ana
from tests.services.world import TODAY, World, rows


@pytest.fixture
def pat(world: World) -> int:
    """Pat Hill of a partner organisation, and Ana's case."""
    flag_ana(world)
    return world.give("pat", "Pat Hill", "partner", "school:LIN")


def test_whoever_is_from_outside_stands_in_no_list_of_colleagues(world: World, pat: int) -> None:
    meeting = holding.begin("LIN", by=world.actor("paul"))
    place = reaching.place_of_school(world.schools["LIN"])
    acting = {person for person, *_ in holding.may_act(db.session.get_one(Meeting, meeting))}
    lists = {"near": set(near(place)), "visit": {row.person_id for row in visit_people.may_help(place)}, "meet": acting}
    for name, people in lists.items():
        assert pat not in people and world.people["wanda"] in people, name


def test_nothing_about_a_child_can_be_given_to_them_without_consent(world: World, pat: int) -> None:
    moves.assign(1001, by=world.actor("cora"))
    cora, paul, soon = world.actor("cora"), world.actor("paul"), TODAY + timedelta(days=2)
    meeting = holding.begin("LIN", by=paul)
    holding.add_student(meeting, 1001, by=paul)
    ((item, version),) = rows("SELECT id, version FROM meeting_item")
    visit = going.wanted(world)
    for give in (
        lambda: holding.decide(
            item, Decided(decision="act", action="Ask the mother", owner_id=pat, due=soon), version=version, by=paul
        ),
        lambda: supporting.offer(1001, Offer(intervention="I12", owner_id=pat), by=cora),
        lambda: planning.agree(1001, Agreed(goal="Two mornings a week", champion_id=pat), by=cora),
        lambda: visits.plan(1001, replace(visit, second_id=pat), by=cora),
        lambda: visits.plan(1001, replace(visit, watcher_id=pat), by=cora),
    ):
        with pytest.raises(Refused, match="Choose"):
            give()
    assert rows("SELECT count(*) FROM task WHERE owner_id = :pat", pat=pat) == [(0,)]
    assert rows("SELECT count(*) FROM notice WHERE person_id = :pat", pat=pat) == [(0,)]
