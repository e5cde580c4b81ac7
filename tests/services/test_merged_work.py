"""What is under way on two cases goes on, on one, when two ids turn out to be one child; and back again."""

from __future__ import annotations

import pytest

from ew_app.kernel import Refused, told_as_of
from ew_app.services.casework import answering, closing, handing_over, searching, supporting, visits
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.casework.supporting import Offer
from ew_app.services.rosters import same_child
from rules.duty_of_care import FOUND, duty
from tests.services import test_visits as going
from tests.services.one_case import follow
from tests.services.world import World, rows

WHY = "The same birth date, and the mother says so."
VISITS = """
    SELECT s.key, c.number, v.status FROM visit v JOIN student s ON s.id = v.student_id
    JOIN support_case c ON c.id = v.case_id ORDER BY v.id
"""


@pytest.fixture
def both(world: World) -> World:
    """Ana has case 1001, Ben 1002; both turn out to be Ana."""
    for name in ("ana", "ben"):
        world.stands(name, 2)
        world.finds(name, "R07")
        follow(world, name)
    return world


def join(world: World) -> None:
    same_child.merge("S-ana", "S-ben", reason=WHY, by=world.actor("clara"))


def test_of_two_planned_visits_one_stays_and_both_are_planned_again_when_it_is_taken_back(both: World) -> None:
    for number in (1001, 1002):
        visits.plan(number, going.wanted(both), by=both.actor("wanda"))
    join(both)
    assert rows(VISITS) == [("S-ana", 1001, "planned"), ("S-ana", 1002, "called_off")]
    same_child.undo("S-ben", by=both.actor("clara"))
    assert rows(VISITS) == [("S-ana", 1001, "planned"), ("S-ben", 1002, "planned")]


def test_a_visit_of_the_id_that_goes_stands_on_the_case_that_goes_on(both: World) -> None:
    visits.plan(1002, going.wanted(both), by=both.actor("wanda"))
    join(both)
    assert rows(VISITS) == [("S-ana", 1001, "planned")]


def test_nobody_is_lost_from_sight_while_they_are_out(both: World) -> None:
    numbers = [visits.plan(one, going.wanted(both), by=both.actor("wanda")).id for one in (1001, 1002)]
    with told_as_of(going.AFTERNOON):
        visits.check_address(numbers[1], "14 Elm Street", by=both.actor("wanda"))
        visits.go(numbers[1], by=both.actor("wanda"), no_call_why="No number works.")
    with pytest.raises(Refused, match="once they are back"):
        join(both)


def test_help_that_was_asked_and_supports_that_run_go_on(both: World) -> None:
    cora, lea = both.actor("cora"), both.actor("lea")
    ask = Wanted(to=f"{lea.person_id}:stls_liaison", asked="Please find a ride")
    asked = handing_over.refer(1002, ask, by=cora).id
    supporting.offer(1002, Offer(intervention="I12"), by=cora)
    join(both)
    assert rows("SELECT c.number FROM plan_support p JOIN support_case c ON c.id = p.case_id") == [(1001,)]
    answering.accept(asked, by=lea)
    assert rows("SELECT c.number FROM task t JOIN support_case c ON c.id = t.case_id WHERE t.kind = 'help'") == [
        (1001,)
    ]


def test_a_search_that_is_under_way_goes_on_and_comes_back(both: World) -> None:
    begun = "SELECT c.number, d.step FROM search_done d JOIN support_case c ON c.id = d.case_id ORDER BY d.id"
    searching.begin(1002, by=both.actor("paul"))
    first = next(iter(duty().search))
    searching.do(1002, first, by=both.actor("paul"))
    join(both)
    assert rows(begun) == [(1001, "begun"), (1001, first)]
    searching.do(1001, FOUND, by=both.actor("paul"), words="With the grandmother.")
    same_child.undo("S-ben", by=both.actor("clara"))
    assert rows(begun) == [(1002, "begun"), (1002, first), (1001, FOUND)]


def test_of_two_searches_the_one_of_the_case_that_goes_on_takes_in_what_the_other_has_done(both: World) -> None:
    one, other, *_ = duty().search
    for number, step in ((1001, one), (1002, other)):
        searching.begin(number, by=both.actor("paul"))
        searching.do(number, step, by=both.actor("paul"))
    searching.do(1002, FOUND, by=both.actor("paul"), words="Seen at the other school.")
    join(both)
    steps = rows("SELECT d.step FROM search_done d JOIN support_case c ON c.id = d.case_id WHERE c.number = 1001")
    assert {step for (step,) in steps} == {"begun", one, other}, "who looks for the child has not found it"


def test_help_that_was_promised_in_between_stays_one_when_two_are_parted(both: World) -> None:
    nia = both.actor("nia")
    asked = handing_over.refer(1002, Wanted(to=f"{nia.person_id}:nurse", asked="Please talk"), by=both.actor("cora")).id
    join(both)
    answering.accept(asked, by=nia)
    same_child.undo("S-ben", by=both.actor("clara"))
    promised = (
        "SELECT h.case_id = t.case_id, h.student_id = t.student_id FROM hand_over h JOIN task t ON t.id = h.task_id"
    )
    assert rows(promised) == [(True, True)]
    assert answering.finish(asked, by=nia, report="We talked.").state == "done"


def test_what_comes_back_to_a_case_that_was_closed_since_is_open_no_more(both: World) -> None:
    """Ben's case closes with the merge, is taken up and closed by hand; then the two are parted."""
    for number in (1001, 1002):
        visits.plan(number, going.wanted(both), by=both.actor("wanda"))
    join(both)
    for number in (1001, 1002):
        if number == 1002:
            closing.reopen(1002, by=both.actor("paul"), why="Another child after all")
        useful = {rule: "yes" for (rule,) in rows("SELECT rule FROM case_reason")}
        closing.close(number, by=both.actor("paul"), reason="moved_district", useful=useful)
    same_child.undo("S-ben", by=both.actor("clara"))
    on_closed = (
        "FROM task t JOIN support_case c ON c.id = t.case_id WHERE c.closed_on IS NOT NULL AND t.status = 'open'"
    )
    assert rows(f"SELECT t.kind {on_closed}") == []
    assert rows("SELECT status FROM support_case") == [("closed",), ("closed",)]
    assert rows("SELECT DISTINCT status FROM visit") == [("called_off",)]
