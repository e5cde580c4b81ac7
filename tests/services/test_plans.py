"""Plans in versions, supports with dose and result, looks that decide, and what is kept in compartments."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from flask import current_app

from ew_app.kernel import NotFound, Refused
from ew_app.services.casework import planning, supporting
from ew_app.services.casework.causes import Heard, end_cause, record_cause
from ew_app.services.casework.planning import Agreed, Look, PlanChanged
from ew_app.services.casework.supporting import Offer, SupportChanged
from rules.access import NotAllowed
from rules.case_flow import IllegalMove
from rules.words import UnfitWords
from tests.services import world as district
from tests.services.one_case import flag_ana, follow, the_case
from tests.services.world import TODAY, rows

GOAL = "Here four days of five until the break"


@pytest.fixture
def planned(world):
    """Ana's case with a first plan by her counselor."""
    flag_ana(world)
    rows("UPDATE support_case SET status = 'contacting' RETURNING 1")
    planning.agree(1001, Agreed(goal=GOAL, most_absent=2, of_days=20), by=world.actor("cora"), seen=0)
    return world


# -- the plan --------------------------------------------------------------------------------------------------


def test_a_plan_begins_with_a_goal_a_champion_and_a_day_to_look(planned):
    assert rows("SELECT version, goal, most_absent, of_days, author, review_on FROM plan") == [
        (1, GOAL, 2, 20, "Cora Bell", date(2026, 12, 7))
    ]
    assert the_case("status", "next_step", "due") == ("planned", "Look at how the plan goes", date(2026, 12, 7))
    assert rows("SELECT status FROM task WHERE kind = 'plan'") == [("done",)]
    assert rows("SELECT count(*) FROM event WHERE kind = 'case_planned'") == [(1,)]


def test_a_change_is_a_version_and_begins_no_plan_anew(planned):
    by = planned.actor("cora")
    changed = Agreed(goal="Here every day but one a week", champion_id=planned.people["tara"], helps="Her aunt")
    assert planning.agree(1001, changed, by=by, seen=1).version == 2
    assert planning.agree(1001, changed, by=by, seen=2).version == 2  # the same words are no new version
    assert rows("SELECT version, goal FROM plan ORDER BY id") == [(1, GOAL), (2, changed.goal)]
    assert rows("SELECT kind FROM event WHERE kind LIKE '%plan%'") == [("case_planned",), ("plan_changed",)]


def test_two_people_change_one_plan_and_the_second_sees_both_texts(planned):
    planning.agree(1001, Agreed(goal="Wanda's words"), by=planned.actor("wanda"), seen=1)
    with pytest.raises(PlanChanged, match="Wanda Price changed this plan") as told:
        planning.agree(1001, Agreed(goal="Cora's words"), by=planned.actor("cora"), seen=1)
    assert (told.value.theirs.goal, told.value.theirs.version) == ("Wanda's words", 2)
    assert rows("SELECT goal FROM plan ORDER BY version") == [(GOAL,), ("Wanda's words",)]
    both = planning.agree(1001, Agreed(goal="Wanda's and Cora's words"), by=planned.actor("cora"), seen=2)
    assert both.version == 3


@pytest.mark.parametrize("saves", [16, pytest.param(500, marks=pytest.mark.deep)])
def test_many_saves_of_two_people_at_once_lose_no_text(planned, saves):
    """Every save that is told "saved" is a version of its own; every other is told of the conflict."""
    app = current_app._get_current_object()
    writers = [planned.actor("wanda"), planned.actor("cora")]

    def save(number: int) -> str | None:
        with app.app_context():
            try:
                plan = planning.agree(
                    1001, Agreed(goal=f"words {number}"), by=writers[number % 2], seen=number // 4 + 1
                )
            except PlanChanged as told:
                return f"theirs: {told.theirs.goal}"
            return plan.goal

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(save, range(saves)))
    kept = [goal for (goal,) in rows("SELECT goal FROM plan WHERE version > 1 ORDER BY version")]
    assert sorted(kept) == sorted(answer for answer in answers if not answer.startswith("theirs: "))
    assert [version for (version,) in rows("SELECT version FROM plan ORDER BY id")] == list(range(1, len(kept) + 2))
    assert len(answers) == saves and kept


def test_the_same_form_twice_is_one_plan_one_support_and_one_look(planned):
    by = planned.actor("cora")
    for _ in range(2):
        planning.agree(1001, Agreed(goal="Again"), by=by, seen=1, once="k1")
        support = supporting.offer(1001, Offer(intervention="I12"), by=by, once="k1")
        supporting.give(support.id, by=by, once="k1")
        planning.review(1001, Look(decision="continue"), by=by, once="k1")
        record_cause(1001, Heard(code="D-RELATION", said_by="student"), by=by, once="k1")
    tables = ("plan_support", "support_given", "plan_review", "cause")
    assert rows("SELECT count(*) FROM plan WHERE version > 1") == [(1,)]
    assert [rows(f"SELECT count(*) FROM {table}") for table in tables] == [[(1,)]] * 4
    assert rows("SELECT count(*) FROM event WHERE kind IN ('support_offered', 'support_given', 'plan_reviewed')") == [
        (3,)
    ]


WRONG_PLANS = (
    ({"goal": " "}, "Write the goal"),
    ({"most_absent": 2}, "with both"),
    ({"most_absent": 20, "of_days": 20}, "fewer days away"),
    ({"champion_id": 0}, "Choose as champion"),
    ({"review_on": TODAY - timedelta(days=1)}, "passed already"),
    ({"family_agreed": "perhaps"}, "is not a family agreed"),
)


def test_a_plan_that_cannot_be_is_refused_and_nothing_is_kept(planned):
    for wrong, says in WRONG_PLANS:
        with pytest.raises(Refused, match=says):
            planning.agree(1001, Agreed(**{"goal": "Another", **wrong}), by=planned.actor("cora"))
    assert rows("SELECT count(*) FROM plan") == [(1,)]


def test_words_that_could_harm_a_family_are_in_no_plan(planned):
    by = planned.actor("cora")
    for harm in ({"goal": "Bring the green card"}, {"goal": "x", "helps": "Uncle is undocumented"}):
        with pytest.raises(UnfitWords):
            planning.agree(1001, Agreed(**harm), by=by)
    support = supporting.offer(1001, Offer(intervention="I12"), by=by)
    for write in (
        lambda: supporting.give(support.id, by=by, note="asylum"),
        lambda: supporting.finish(support.id, by=by, result="stopped", why="deported"),
        lambda: planning.review(1001, Look(decision="continue", words="no papers, sin papeles"), by=by),
    ):
        with pytest.raises(UnfitWords):
            write()


def test_a_plan_is_written_by_those_who_lead_the_case(planned):
    for colleague in ("clara", "tara", "zoe"):
        with pytest.raises(NotAllowed):
            planning.agree(1001, Agreed(goal=GOAL), by=planned.actor(colleague))
    for stranger in ("dora", "otto"):
        with pytest.raises(NotFound):
            planning.agree(1001, Agreed(goal=GOAL), by=planned.actor(stranger))


def test_a_new_case_has_no_plan_before_anybody_was_reached(world):
    flag_ana(world)
    with pytest.raises(IllegalMove):
        planning.agree(1001, Agreed(goal=GOAL), by=world.actor("cora"))


# -- looking at it ---------------------------------------------------------------------------------------------


DECISIONS = (
    ("continue", "monitoring", "Look at how the plan goes", date(2026, 12, 7)),
    ("change", "planned", "Change the plan together", date(2026, 11, 30)),
    ("intensify", "planned", "Add to the plan together", date(2026, 11, 30)),
    ("exit", "monitoring", "See that it stays well, then close the case", date(2026, 12, 21)),
)


def test_every_decision_has_its_next_day(planned):
    for decision, status, step, due in DECISIONS:
        made = planning.review(1001, Look(decision=decision, words="Mornings are better."), by=planned.actor("cora"))
        assert made.next_on == due
        assert the_case("status", "next_step", "due") == (status, step, due)


def test_a_changed_plan_after_a_look_begins_anew_even_in_the_same_words(planned):
    by = planned.actor("cora")
    planning.review(1001, Look(decision="intensify"), by=by)
    supporting.offer(1001, Offer(intervention="I12"), by=by)
    planning.agree(1001, Agreed(goal=GOAL, most_absent=2, of_days=20), by=by, seen=1)
    assert rows("SELECT count(*) FROM event WHERE kind = 'case_planned'") == [(2,)]
    planning.agree(1001, Agreed(goal="Only a comma"), by=by, seen=2)
    assert rows("SELECT count(*) FROM event WHERE kind = 'case_planned'") == [(2,)]


def test_a_plan_ends_when_every_support_has_its_result(planned):
    by = planned.actor("cora")
    support = supporting.offer(1001, Offer(intervention="I12"), by=by)
    with pytest.raises(Refused, match="1 is still running"):
        planning.review(1001, Look(decision="exit"), by=by)
    supporting.finish(support.id, by=by, result="met")
    planning.review(1001, Look(decision="exit", with_family=True), by=by)


def test_there_is_nothing_to_look_at_without_a_plan(world):
    flag_ana(world)
    rows("UPDATE support_case SET status = 'planned' RETURNING 1")
    with pytest.raises(Refused, match="no plan yet"):
        planning.review(1001, Look(decision="continue"), by=world.actor("cora"))


# -- supports --------------------------------------------------------------------------------------------------


def test_a_support_comes_with_dose_and_end_from_the_catalogue_and_a_task_for_its_owner(planned):
    by, tara = planned.actor("cora"), planned.people["tara"]
    support = supporting.offer(1001, Offer(intervention="I13", owner_id=tara, family_agreed="yes"), by=by)
    assert (support.dose_planned, support.starts, support.planned_end) == (35, TODAY, date(2027, 1, 11))
    assert rows("SELECT title, owner_id, status FROM task WHERE kind = 'support'") == [
        ("Begin: check in, check out", tara, "open")
    ]
    first = supporting.give(support.id, by=by)
    assert rows("SELECT status FROM task WHERE kind = 'support'") == [("done",)]
    second = supporting.give(support.id, by=by, on_day=TODAY - timedelta(days=3))
    supporting.take_back(first.id, by=by)
    assert rows("SELECT id FROM support_given WHERE taken_back_at IS NULL") == [(second.id,)]
    with pytest.raises(NotAllowed):
        supporting.take_back(second.id, by=planned.actor("wanda"))


def test_a_time_noted_by_mistake_asks_whoever_was_to_begin_again(planned):
    by = planned.actor("cora")
    support = supporting.offer(1001, Offer(intervention="I13", owner_id=planned.people["tara"]), by=by)
    asked = "SELECT status FROM task WHERE kind = 'support'"
    for _ in range(2):
        given = supporting.give(support.id, by=by)
        assert rows(asked) == [("done",)]
        for _ in range(2):
            supporting.take_back(given.id, by=by)
        assert rows(asked) == [("open",)]
    supporting.give(support.id, by=by)
    given = supporting.give(support.id, by=by)
    supporting.take_back(given.id, by=by)
    assert rows(asked) == [("done",)], "another time speaks for it"


def test_a_support_handed_on_asks_the_next_person(planned):
    by, people = planned.actor("cora"), planned.people
    support = supporting.offer(1001, Offer(intervention="I12", owner_id=people["tara"]), by=by)
    for owner in ("paul", "tara", "cora"):
        supporting.change(support.id, Offer(intervention="I12", owner_id=people[owner]), by=by)
    assert rows("SELECT owner_id, status FROM task WHERE kind = 'support' ORDER BY id") == [
        (people["tara"], "withdrawn"), (people["paul"], "withdrawn"), (people["tara"], "withdrawn"),
    ]  # fmt: skip


def test_two_people_change_one_support_and_the_second_is_told(planned):
    support = supporting.offer(1001, Offer(intervention="I12"), by=planned.actor("cora"))
    seen = support.version
    supporting.change(support.id, Offer(intervention="I12", dose_planned=20), by=planned.actor("wanda"), seen=seen)
    with pytest.raises(SupportChanged) as told:
        supporting.change(support.id, Offer(intervention="I12", dose_planned=5), by=planned.actor("cora"), seen=seen)
    assert told.value.theirs.dose_planned == 20
    with pytest.raises(SupportChanged):
        supporting.finish(support.id, by=planned.actor("cora"), result="met", seen=seen)


WRONG_SUPPORTS = (
    ({"intervention": "I99"}, "from the list"),
    ({"cause": "B-CARE"}, "not written down"),
    ({"planned_end": TODAY - timedelta(days=1)}, "ends before it begins"),
    ({"dose_planned": 4000}, "how many times"),
    ({"owner_id": 0}, "who gives it"),
)


def test_a_support_that_cannot_be_is_refused(planned):
    for wrong, says in WRONG_SUPPORTS:
        with pytest.raises(Refused, match=says):
            supporting.offer(1001, Offer(**{"intervention": "I12", **wrong}), by=planned.actor("cora"))
    assert rows("SELECT count(*) FROM plan_support") == [(0,)]


def test_a_support_ends_once_with_a_result_and_a_stop_with_its_reason(planned):
    by = planned.actor("cora")
    support = supporting.offer(1001, Offer(intervention="I12"), by=by)
    with pytest.raises(Refused, match="why it stopped"):
        supporting.finish(support.id, by=by, result="stopped")
    for _ in range(2):
        supporting.finish(support.id, by=by, result="stopped", why="Moved to another homeroom")
    for late in (
        lambda: supporting.give(support.id, by=by),
        lambda: supporting.finish(support.id, by=by, result="met"),
        lambda: supporting.change(support.id, Offer(intervention="I12", dose_planned=3), by=by),
    ):
        with pytest.raises(Refused, match="has ended"):
            late()


RESTRICTED: tuple[tuple[str, str, str, Callable[..., None]], ...] = (
    ("lea", "I32", "stls", lambda world: world.finds("ana", "R22", compartment="stls")),
    ("nia", "I15", "health", lambda world: world.finds("ana", "R13", compartment="health")),
)


@pytest.mark.parametrize(("who", "key", "compartment", "found"), RESTRICTED)
def test_a_support_of_a_compartment_changes_nothing_outside_it(world, who, key, compartment, found):
    flag_ana(world)
    found(world)
    follow(world)
    before = district.everything(outside_compartments=True)
    offered = Offer(intervention=key, owner_id=world.people["paul"])
    support = supporting.offer(1001, offered, by=world.actor(who))
    supporting.give(support.id, by=world.actor(who))
    supporting.finish(support.id, by=world.actor(who), result="met")
    assert district.everything(outside_compartments=True) == before
    assert rows("SELECT DISTINCT compartment FROM plan_support") == [(compartment,)]
    for colleague in ("paul", "cora"):
        with pytest.raises(NotAllowed):
            supporting.offer(1001, offered, by=world.actor(colleague))
        with pytest.raises(NotFound):
            supporting.give(support.id, by=world.actor(colleague))


# -- causes ----------------------------------------------------------------------------------------------------


def test_a_cause_heard_again_with_more_to_it_takes_the_place_of_the_earlier_entry(world):
    flag_ana(world)
    by = world.actor("paul")
    record_cause(1001, Heard(code="B-CARE", said_by="staff", confidence="guess", strengths="Likes art"), by=by)
    for _ in range(2):
        record_cause(1001, Heard(code="B-CARE", said_by="caregiver", note="Tuesdays"), by=by)
    assert rows("SELECT said_by, note, strengths, is_primary, ended_at IS NULL FROM cause ORDER BY id") == [
        ("staff", "", "Likes art", False, False), ("caregiver", "Tuesdays", "Likes art", True, True),
    ]  # fmt: skip


def test_when_the_main_cause_ends_another_takes_its_place(world):
    flag_ana(world)
    by = world.actor("paul")
    first = record_cause(1001, Heard(code="B-TRANSPORT", said_by="staff"), by=by)
    record_cause(1001, Heard(code="M-FEW", said_by="staff"), by=by)
    end_cause(first.id, by=by)
    assert rows("SELECT code FROM cause WHERE is_primary") == [("M-FEW",)]


def test_an_old_form_of_a_cause_that_is_over_writes_nothing(world):
    flag_ana(world)
    by, heard = world.actor("paul"), Heard(code="B-TRANSPORT", said_by="staff")
    end_cause(record_cause(1001, heard, by=by, once="k1").id, by=by)
    record_cause(1001, heard, by=by, once="k1")
    assert rows("SELECT count(*) FROM cause") == [(1,)]


def test_a_look_at_a_plan_that_a_colleague_has_changed_meanwhile_decides_nothing(planned):
    by = planned.actor("cora")
    seen = rows("SELECT max(version) FROM plan")[0][0]
    planning.agree(1001, Agreed(goal="Two mornings a week on time"), by=planned.actor("wanda"), seen=seen)
    with pytest.raises(PlanChanged, match="Wanda Price changed this plan"):
        planning.review(1001, Look(decision="continue"), by=by, seen=seen)
    assert rows("SELECT count(*) FROM plan_review") == [(0,)]
    assert planning.review(1001, Look(decision="continue"), by=by, seen=seen + 1).plan_id
