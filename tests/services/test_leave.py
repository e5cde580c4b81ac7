"""Leave, deputies and hours: what is stated, what a deputy finds on the list, and what rises without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ew_app.kernel import OPERATOR, NotFound, Refused, transaction
from ew_app.services.casework import crisis, handing_out, moves, reaching, rising, tasks
from ew_app.services.notices import news
from ew_app.services.people import terms
from ew_app.services.people.terms import Terms
from models.base import db
from models.queries import worklists
from rules.access import NotAllowed, Permission
from tests.opened import on
from tests.services.one_case import flag_ana, follow, grant_of, listed, owner, the_number
from tests.services.world import TODAY, World, rows

RAISED = "SELECT why, level, since FROM raised WHERE ended_at IS NULL ORDER BY why"


def on_the_day(world: World, settings, days: int = 0):
    """A day on which what Cora has is due, with her leave from then on."""
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET due = :on, contact_due = :on"), {"on": TODAY})
        db.session.execute(db.text("UPDATE task SET due = :on"), {"on": TODAY})
    return on(replace(settings, today=TODAY + timedelta(days=days)))


def test_what_is_due_in_a_leave_is_on_the_deputys_list_for_that_time_and_moves_nowhere(world, settings):
    world.give("carl", "Carl Dunn", "counselor", "school:LIN")
    flag_ana(world)
    moves.assign(the_number(), by=world.actor("paul"), to=world.people["cora"])
    before = rows("SELECT id, owner_id FROM task ORDER BY id")
    assert listed(world, "carl") == []
    world.away("cora", deputy="carl")
    with on_the_day(world, settings):
        assert ("case", "cora") in listed(world, "carl") and len(listed(world, "carl")) == 3
        (lent,) = world.actor("carl").grants.standing_in
        assert (lent.name, lent.until) == ("Cora Bell", TODAY + timedelta(days=2))
        handing_out.hand_out()
        assert [row[0] for row in rows(RAISED)] == [], "somebody goes on with it"
        told = [one.sentence for one in news.read(world.actor("carl"))]
        assert told == ["You stand in for a colleague until Wed 18 Nov. What is due meanwhile stands on your list."]
        moves.pause(the_number(), by=world.actor("carl"), reason="agreed", until=TODAY + timedelta(days=1))
        assert ("case", "cora") not in listed(world, "carl"), "they work on it as on one of their own"
        (task, *_) = worklists.my_tasks(0, TODAY, (), stand_ins=world.actor("carl").grants.standing_in)
        tasks.finish(task.id, by=world.actor("carl"))
        assert rows("SELECT done_by FROM task WHERE id = :t", t=task.id) == [("carl",)]
    assert owner(world) == "cora" and rows("SELECT id, owner_id FROM task ORDER BY id") == before
    with on_the_day(world, settings, days=3):
        assert listed(world, "carl") == [] and world.actor("carl").grants.standing_in == ()
        assert len(listed(world, "cora")) == 1


def test_a_deputy_reaches_the_case_of_the_one_who_is_away_only_in_the_leave_and_by_their_own_role(world, settings):
    flag_ana(world)
    moves.assign(the_number(), by=world.actor("paul"), to=world.people["cora"])
    world.give("noor", "Noor Haddad", "nurse", "school:LIN")
    with on_the_day(world, settings):
        with pytest.raises((NotAllowed, NotFound)):
            reaching.case_at_hand(the_number(), world.actor("noor"), Permission.SEE_CASE)
        world.away("cora", deputy="noor")
        assert reaching.case_at_hand(the_number(), world.actor("noor"), Permission.SEE_CASE).own
        with pytest.raises(NotAllowed):
            moves.monitor(the_number(), by=world.actor("noor"))
    with on_the_day(world, settings, days=3), pytest.raises((NotAllowed, NotFound)):
        reaching.case_at_hand(the_number(), world.actor("noor"), Permission.SEE_CASE)


@pytest.mark.parametrize("gone", ["nobody", "left", "away too"])
def test_without_a_deputy_what_is_due_rises_on_its_day_and_goes_down_with_the_leave(world, settings, gone):
    flag_ana(world)
    moves.assign(the_number(), by=world.actor("paul"), to=world.people["cora"])
    world.give("carl", "Carl Dunn", "counselor", "school:LIN")
    world.away("cora", deputy=None if gone == "nobody" else "carl")
    if gone == "left":
        world.end("carl")
    if gone == "away too":
        world.away("carl")
    with on_the_day(world, settings):
        rising.rise()
        assert [row[:2] for row in rows(RAISED)] == [("away", 1)], "its tasks wait with the case"
        (seen,) = rising.seen_by(world.actor("paul"))
        assert (seen.why, seen.owner, seen.first_name) == ("away", "Cora Bell", "Ana")
        assert listed(world, "carl") == [], "whoever is not there has nothing"
        before = rows("SELECT * FROM raised ORDER BY id")
        rising.rise()
        assert rows("SELECT * FROM raised ORDER BY id") == before
    assert owner(world) == "cora"
    with on_the_day(world, settings, days=3):
        rising.rise()
        assert "away" not in [row[0] for row in rows(RAISED)], "the leave is over"


TOLD = "SELECT p.login FROM notice n JOIN person p ON p.id = n.person_id WHERE n.kind = :kind ORDER BY p.login"


@pytest.mark.parametrize(("deputy", "hears"), [("wanda", True), ("otto", False), (None, False)])
def test_whoever_stands_in_for_a_principal_is_told_what_the_principal_is_told(world, settings, deputy, hears):
    """A part opened in a crisis, and work that nobody has. Otto is principal of another school and cannot stand in."""
    flag_ana(world)
    for login in ("cora", "wanda", "lea"):
        world.end(login) if login != deputy else None
    world.away("paul", deputy=deputy)
    crisis.open_record(world.students["ana"], "health", by=world.actor("paul"), reason="She fainted in the gym.")
    with on_the_day(world, settings, days=1):
        handing_out.hand_out()
    assert (("wanda",) in rows(TOLD, kind="record_opened")) is hears
    assert (("wanda",) in rows(TOLD, kind="risen")) is hears
    assert ("otto",) not in rows(TOLD, kind="record_opened") + rows(TOLD, kind="risen")


def test_a_deputy_who_may_not_read_a_compartment_is_shown_nothing_of_it(world, settings):
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    assert rows("SELECT owner_id FROM task WHERE compartment = 'stls'") == [(world.people["lea"],)]
    world.away("lea", deputy="cora")
    with on_the_day(world, settings):
        assert listed(world, "cora") == []
        rising.rise()
        assert [row[0] for row in rows(RAISED)] == ["away"] and rising.seen_by(world.actor("paul")) == []
        world.give("lou", "Lou Perez", "stls_liaison", "school:LIN")
        world.away("lea", deputy="lou")
        ((title, whose),) = listed(world, "lou")
        assert whose == "lea" and title != "Support task"
        rising.rise()
        assert rows(RAISED) == []


# -- what is stated ----------------------------------------------------------------------------------------------------


def test_leave_and_deputy_are_stated_and_work_is_asked_anew(world):
    away = Terms(away_from=TODAY, away_until=TODAY + timedelta(days=4), deputy_id=world.people["paul"], hours=20)
    terms.state(grant_id=grant_of(world, "cora"), terms=away, by=world.actor("paul"))
    flag_ana(world)
    assert owner(world) == "paul"
    assert rows("SELECT kind FROM event WHERE kind = 'terms_stated'") == [("terms_stated",)]
    assert ("hand_out",) in rows("SELECT job FROM outbox")
    terms.state(grant_id=grant_of(world, "cora"), terms=away, by=world.actor("paul"))
    assert len(rows("SELECT 1 FROM event WHERE kind = 'terms_stated'")) == 1, "the same again changes nothing"


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        (Terms(away_until=TODAY), "from which day"),
        (Terms(away_from=TODAY, away_until=TODAY - timedelta(days=1)), "before the first"),
        (Terms(hours=61), "from 0 to 60"),
        (Terms(department="face"), "Only a department contact"),
        (Terms(deputy_id=0), "Choose somebody who works"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(world, stated, sentence):
    with pytest.raises(Refused, match=sentence):
        terms.state(grant_id=grant_of(world, "cora"), terms=stated, by=world.actor("paul"))


def test_a_deputy_works_there_and_is_somebody_else(world):
    for login in ("cora", "dora"):
        with pytest.raises(Refused):
            stand_in = Terms(deputy_id=world.people[login])
            terms.state(grant_id=grant_of(world, "cora"), terms=stand_in, by=world.actor("paul"))


def test_only_who_manages_people_there_states_anything(world):
    with pytest.raises(NotAllowed):
        terms.state(grant_id=grant_of(world, "cora"), terms=Terms(hours=20), by=world.actor("otto"))
    world.end("cora")
    with pytest.raises(NotFound):
        terms.state(grant_id=grant_of(world, "cora"), terms=Terms(hours=20), by=OPERATOR)
