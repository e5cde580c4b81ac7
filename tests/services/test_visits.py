"""Home visits: two people, the address of today, a call first, a clock that alarms once, a contact at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ew_app.kernel import Conflict, NotFound, Refused, told_as_of
from ew_app.outbox import Job, done_here
from ew_app.services.casework import closing, visit_alarm, visit_people, visits
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.casework.visits import Wanted
from ew_app.services.notices import digests, mails, news
from models.base import db
from models.notices import Mail
from tests.services.one_case import flag_ana, the_case
from tests.services.world import TODAY, World, rows

AFTERNOON = datetime(2026, 11, 16, 21, 0, tzinfo=UTC)  # three in Chicago, a Monday
WORK = {Job.VISIT_LATE: visit_alarm.give, Job.SEND_MAIL: mails.send}


def wanted(world: World) -> Wanted:
    people = world.people
    return Wanted(day=TODAY, second_id=people["nia"], watcher_id=people["clara"], address="12 Elm Street, 2nd floor")


def planned(world: World) -> int:
    """Cora plans to visit Ana's family with Nia; Clara watches."""
    flag_ana(world)
    return visits.plan(1001, wanted(world), by=world.actor("cora"), once="v1").id


def gone(world: World) -> int:
    number = planned(world)
    with told_as_of(AFTERNOON):
        visits.check_address(number, "14 Elm Street", by=world.actor("cora"))
        visits.go(number, by=world.actor("cora"), no_call_why="No number works.")
    return number


def minutes_later(minutes: int) -> datetime:
    return AFTERNOON + timedelta(minutes=minutes)


def told(world: World, login: str) -> list[str]:
    return [one.kind for one in news.read(world.actor(login))]


def look_at(minutes: int) -> None:
    with told_as_of(minutes_later(minutes)), done_here(WORK):
        visit_alarm.look()


def test_a_visit_asks_for_two_people_and_one_who_watches(world: World) -> None:
    flag_ana(world)
    cora, plain = world.actor("cora"), wanted(world)
    alone = replace(plain, second_id=None)
    for wrong, why in (
        (alone, "Two people go"),
        (replace(plain, second_id=cora.person_id), "somebody else"),
        (replace(plain, watcher_id=world.people["nia"]), "stays at school"),
        (replace(plain, watcher_id=world.people["dora"]), "stays at school"),
        (replace(plain, day=TODAY - timedelta(days=1)), "has passed"),
        (replace(plain, minutes=5), "10 to 240"),
    ):
        with pytest.raises(Refused, match=why):
            visits.plan(1001, wrong, by=cora)
    first = visits.plan(1001, replace(alone, second_name="J. Lee, Northside Families"), by=cora, once="k").id
    assert visits.plan(1001, plain, by=cora, once="k").id == first, "a form that is sent twice is one visit"
    with pytest.raises(Refused, match="planned already"):
        visits.plan(1001, plain, by=cora, once="other")
    with pytest.raises(NotFound):
        visits.plan(1001, plain, by=world.actor("dora"))


@pytest.mark.parametrize("how", ["leave", "ended"])
def test_nobody_leaves_while_the_one_who_watches_is_not_there(world: World, how: str) -> None:
    number, cora = planned(world), world.actor("cora")
    if how == "leave":
        world.away("clara")
    else:
        world.end("clara")
    with told_as_of(AFTERNOON):
        visits.check_address(number, "14 Elm Street", by=cora)
        with pytest.raises(Refused, match="not there today, so nobody would miss you"):
            visits.go(number, by=cora, no_call_why="No number works.")


@pytest.mark.parametrize(
    ("gone_too", "found"),
    [([], {"paul"}), (["paul"], {"zoe"}), (["paul", "zoe"], {"wanda", "lea", "tara"})],
    ids=["a principal", "the network", "whoever is there"],
)
def test_somebody_who_is_there_is_told_of_two_who_are_not_back(
    world: World, gone_too: list[str], found: set[str]
) -> None:
    """Whoever watched has left meanwhile, and others are on leave."""
    gone(world)
    world.end("clara")
    for login in gone_too:
        world.away(login)
    look_at(46)
    told_ = rows("SELECT p.login FROM notice n JOIN person p ON p.id = n.person_id WHERE n.kind = 'visit_late'")
    assert {login for (login,) in told_} == found | {"clara"}


def test_nobody_visits_for_a_case_that_was_closed(world: World) -> None:
    number, cora = planned(world), world.actor("cora")
    closing.close(1001, by=cora, reason="not_needed", useful={"R07": "no"})
    assert rows("SELECT status, address FROM visit") == [("called_off", "")]
    with told_as_of(AFTERNOON), pytest.raises(Conflict):
        visits.go(number, by=cora, no_call_why="No number works.")


def test_no_e_mail_asks_to_call_people_who_are_back(world: World) -> None:
    number = gone(world)
    look_at(46)
    with told_as_of(minutes_later(50)):
        visits.back(number, by=world.actor("cora"))
    mailed = rows("SELECT m.id, p.login FROM mail m JOIN person p ON p.id = m.person_id")
    assert {login for _, login in mailed} == {"clara", "paul"}
    for mail, login in mailed:
        assert digests.words(db.session.get_one(Mail, mail), world.actor(login)) is None


def test_nobody_leaves_before_the_address_is_checked_and_the_family_was_called(world: World) -> None:
    number, cora = planned(world), world.actor("cora")
    with told_as_of(AFTERNOON):
        with pytest.raises(Refused, match="Check the address today"):
            visits.go(number, by=cora)
        visits.check_address(number, "14 Elm Street", by=cora)
        with pytest.raises(Refused, match="Call or text the family first"):
            visits.go(number, by=cora)
        log_outreach(Attempt(method="call", outcome="no_answer"), by=cora, case_number=1001)
        assert visits.go(number, by=cora).status == "out"
        assert visit_people.clock_of(visits.go(number, by=cora)) == "15:45", "a second press starts no second clock"
    assert told(world, "clara") == ["visit_begins"]


def test_an_address_of_yesterday_does_not_do(world: World) -> None:
    number, cora = planned(world), world.actor("cora")
    with told_as_of(AFTERNOON):
        visits.check_address(number, "14 Elm Street", by=cora)
    with told_as_of(AFTERNOON + timedelta(days=1)), pytest.raises(Refused, match="another day"):
        visits.go(number, by=cora)


def test_when_the_time_runs_out_the_watcher_and_the_principal_are_told_once(world: World) -> None:
    number = gone(world)
    look_at(44)
    assert told(world, "paul") == []
    for minutes in (46, 47, 60):
        look_at(minutes)
    visit_alarm.give(number)
    assert told(world, "paul") == ["visit_late"] and told(world, "clara") == ["visit_late", "visit_begins"]
    assert rows("SELECT count(*) FROM event WHERE kind = 'visit_late'") == [(1,)]
    assert rows("SELECT count(*) FROM mail") == [(2,)], "an e-mail at once for each of them"
    for login, seen in (("paul", ("Ana Rivera", 1001)), ("clara", ("", None))):
        notice = news.read(world.actor(login))[0]
        assert "15:45" in notice.sentence and (notice.student, notice.case) == seen, login
    with told_as_of(minutes_later(70)):
        visits.back(number, by=world.actor("nia"))
    assert told(world, "paul")[0] == "visit_safe"


def test_no_alarm_comes_for_those_who_are_back_or_stay_longer(world: World) -> None:
    number = gone(world)
    with told_as_of(minutes_later(40)):
        visits.stay_longer(number, 30, by=world.actor("nia"))
    look_at(60)
    with told_as_of(minutes_later(65)):
        visits.back(number, by=world.actor("cora"))
        visits.back(number, by=world.actor("cora"))
    look_at(90)
    assert not visit_alarm.give(number) and told(world, "paul") == []


def test_an_alarm_that_was_asked_for_finds_them_back(world: World) -> None:
    number = gone(world)
    with told_as_of(minutes_later(50)):
        visit_alarm.look()  # the job waits in the queue
        visits.back(number, by=world.actor("cora"))
        assert not visit_alarm.give(number)
    assert told(world, "paul") == []


def test_what_happened_becomes_a_contact_and_the_address_goes(world: World) -> None:
    number, cora = gone(world), world.actor("cora")
    with told_as_of(minutes_later(30)):
        visits.back(number, by=cora)
        first = visits.say_what_happened(number, Attempt(method="visit", outcome="visited_spoke"), by=cora, once="o")
        again = visits.say_what_happened(number, Attempt(method="visit", outcome="visited_spoke"), by=cora, once="o")
    assert first.outreach_id == again.outreach_id
    assert rows("SELECT method, outcome FROM outreach") == [("visit", "visited_spoke")]
    assert rows("SELECT address FROM visit") == [("",)]
    assert the_case("status") == ("contacting",)


def test_who_watches_learns_the_address_only_when_they_are_late(world: World) -> None:
    lea = world.actor("lea")
    flag_ana(world)
    visit = visits.plan(1001, replace(wanted(world), watcher_id=world.people["lea"]), by=world.actor("cora")).id
    at_hand = visits.visit_at_hand(visit, lea)
    assert at_hand.case is None, "the liaison reaches no case of somebody else"
    assert visits.address_for(at_hand, lea) == ""
    with told_as_of(AFTERNOON):
        visits.check_address(visit, "14 Elm Street", by=world.actor("cora"))
        visits.go(visit, by=world.actor("cora"), no_call_why="No number works.")
    look_at(50)
    assert visits.address_for(visits.visit_at_hand(visit, lea), lea) == "14 Elm Street"
    assert rows("SELECT actor FROM audit_row WHERE action = 'visit_address_read'") == [("lea",)]
    assert [one.student for one in news.read(lea)] == ["", ""], "no name for who does not reach the case"
    with pytest.raises(NotFound):
        visits.visit_at_hand(visit, world.actor("dora"))


def test_a_visit_that_was_called_off_makes_room_for_another(world: World) -> None:
    number, cora = planned(world), world.actor("cora")
    visits.call_off(number, "The family asked for Thursday.", by=cora)
    with pytest.raises(Conflict):
        visits.go(number, by=cora)
    assert visits.plan(1001, wanted(world), by=cora, once="v2").id != number


def test_whoever_stays_longer_after_an_alarm_is_missed_again(world: World) -> None:
    number = gone(world)
    look_at(46)
    with told_as_of(minutes_later(50)):
        visits.stay_longer(number, 20, by=world.actor("nia"))
    look_at(69)
    assert told(world, "paul") == ["visit_longer", "visit_late"], "who was alarmed hears of the new time"
    look_at(71)
    look_at(72)
    assert told(world, "paul") == ["visit_late", "visit_longer", "visit_late"], "and is told again, once"
    with told_as_of(minutes_later(80)):
        visits.back(number, by=world.actor("cora"))
    assert told(world, "paul")[0] == "visit_safe"


def test_whoever_was_alarmed_hears_that_those_who_stayed_longer_are_back(world: World) -> None:
    number = gone(world)
    look_at(46)
    with told_as_of(minutes_later(50)):
        visits.stay_longer(number, 60, by=world.actor("cora"))
        visits.back(number, by=world.actor("cora"))
    assert told(world, "clara")[0] == "visit_safe"


def test_a_second_account_of_one_visit_is_not_thrown_away_unsaid(world: World) -> None:
    number = gone(world)
    visits.back(number, by=world.actor("cora"))
    spoke = Attempt(method="visit", outcome="visited_spoke")
    for _ in range(2):
        visits.say_what_happened(number, spoke, by=world.actor("cora"), once="a")
    with pytest.raises(Conflict, match="Cora Bell has written.*“The aunt needs a ride.”"):
        visits.say_what_happened(number, replace(spoke, note="The aunt needs a ride."), by=world.actor("nia"), once="b")
    with pytest.raises(Refused, match="more than a year ahead"):
        visits.plan(1001, replace(wanted(world), day=TODAY + timedelta(days=3650)), by=world.actor("cora"))
