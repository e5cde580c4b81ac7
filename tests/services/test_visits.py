"""Home visits: two people, the address of today, a call first, a clock that alarms once, a contact at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ew_app.config import Settings
from ew_app.kernel import Conflict, NotFound, Refused, told_as_of, transaction
from ew_app.outbox import Job, done_here
from ew_app.services.casework import (
    answering,
    closing,
    handing_out,
    school_changes,
    visit_alarm,
    visit_people,
    visits,
)
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.casework.visits import Wanted
from ew_app.services.notices import digests, mails, news
from models.base import db
from models.notices import Mail
from models.people import Stint
from tests.opened import on
from tests.services.one_case import flag_ana, the_case
from tests.services.world import TODAY, World, rows

PHONE = "312 555 0142"
AFTERNOON = datetime(2026, 11, 16, 21, 0, tzinfo=UTC)  # three in Chicago, a Monday
WORK = {Job.VISIT_LATE: visit_alarm.give, Job.SEND_MAIL: mails.send}


def wanted(world: World) -> Wanted:
    people = world.people
    known = {"address": "12 Elm Street, 2nd floor", "phone": PHONE}
    return Wanted(day=TODAY, second_id=people["nia"], watcher_id=people["clara"], **known)


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
        (replace(plain, phone=""), "on which you can be called"),
        (replace(plain, watcher_id=world.give("pat", "Pat Hill", "partner", "school:LIN")), "stays at school"),
        (replace(plain, second_id=world.give("sue", "Sue Kerr", "department_contact", "school:LIN")), "somebody else"),
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
    with told_as_of(minutes_later(46)):
        for login in found:
            assert_reads_whom_to_call(world, login)


def assert_reads_whom_to_call(world: World, login: str) -> None:
    """Under News, by e-mail and on the page: who, until when, which number; and nothing of a case not theirs."""
    reader, (notice, *_) = world.actor(login), news.read(world.actor(login))
    said = "Cora Bell and Nia Okoro of Lincoln wanted to be back from a visit by 15:45 and have not said that they are."
    assert notice.sentence.startswith(f"{said} Please call them now: {PHONE}."), login
    sees = login in ("paul", "wanda")  # whoever works on the case
    assert (notice.student, notice.case) == (("Ana Rivera", 1001) if sees else ("", None)), login
    ((mail,),) = rows("SELECT id FROM mail WHERE person_id = :who", who=reader.person_id)
    words = digests.words(db.session.get_one(Mail, mail), reader)
    assert words is not None and said in words.body and PHONE in words.body
    assert "Ana" not in words.body and "Elm" not in words.body and "1001" not in words.body
    at_hand = visits.visit_at_hand(notice.visit or 0, reader)
    assert at_hand.told and (at_hand.case is not None) == sees and at_hand.visit.phone == PHONE
    assert (visits.address_for(at_hand, reader) != "") == sees


def test_whoever_was_told_may_say_that_they_are_back_and_nobody_else_finds_the_visit(world: World) -> None:
    number = gone(world)
    world.away("paul")
    world.end("clara")
    with pytest.raises(NotFound):
        visits.visit_at_hand(number, world.actor("zoe"))
    look_at(46)
    with told_as_of(minutes_later(50)):
        assert visits.back(number, by=world.actor("zoe")).status == "back"
    assert rows("SELECT phone, address FROM visit") == [("", "")]
    assert told(world, "zoe") == ["visit_late"], "whoever said it is not told"
    for login in ("dora", "otto"):
        with pytest.raises(NotFound):
            visits.visit_at_hand(number, world.actor(login))


def test_nobody_from_outside_is_alarmed_and_in_the_end_somebody_of_the_district_is(world: World) -> None:
    world.give("pat", "Pat Hill", "partner", "school:LIN")
    world.give("dep", "Dee Long", "department_contact", "district")
    world.give("sid", "Sid Marsh", "student_support_lead", "district")
    gone(world)
    for login in ("clara", "paul", "zoe", "wanda", "lea", "tara"):
        world.end(login)
    look_at(46)
    told_ = rows("SELECT p.login FROM notice n JOIN person p ON p.id = n.person_id WHERE n.kind = 'visit_late'")
    assert {login for (login,) in told_} == {"clara", "sid"}
    with told_as_of(minutes_later(46)):
        assert_reads_whom_to_call(world, "sid")


# -- a visit on which nobody goes --------------------------------------------------------------------------------------


def test_whoever_has_a_part_in_a_visit_hears_of_it_and_that_it_is_off(world: World) -> None:
    number = planned(world)
    assert (told(world, "nia"), told(world, "clara")) == (["visit_with_you"], ["visit_to_watch"])
    visits.call_off(number, "Snow.", by=world.actor("cora"))
    assert told(world, "nia")[0] == told(world, "clara")[0] == "visit_off" and "visit_off" not in told(world, "cora")
    sentence = news.read(world.actor("clara"))[0].sentence
    assert sentence == "The home visit of Cora Bell and Nia Okoro on Mon 16 Nov is off. Nobody goes."


def test_a_visit_that_ends_with_its_case_is_told_to_those_who_would_have_gone(world: World) -> None:
    planned(world)
    closing.close(1001, by=world.actor("paul"), reason="not_needed", useful={"R07": "no"})
    for login in ("cora", "nia", "clara"):
        assert "visit_off" in told(world, login), login


@pytest.mark.parametrize("how", ["the visitor left", "the student changed school", "its day passed"])
def test_no_visit_stands_in_the_way_of_the_next(world: World, settings: Settings, how: str) -> None:
    """Planned by Cora with somebody of a partner, whom the system knows by name alone."""
    flag_ana(world)
    alone = replace(wanted(world), second_id=None, second_name="J. Lee")
    number = visits.plan(1001, alone, by=world.actor("cora"), once="v1").id
    by, day, again = world.actor("paul"), TODAY, alone
    with pytest.raises(Refused, match="planned already"):
        visits.plan(1001, alone, by=by, once="v2")
    if how == "the visitor left":
        world.end("cora")
        with pytest.raises(NotFound):
            visits.call_off(number, "She left.", by=world.actor("otto"))
        visits.call_off(number, "She left.", by=by)
    if how == "the student changed school":
        goes_to_douglas(world)
        by, again = world.actor("dora"), replace(alone, watcher_id=world.people["otto"])
    if how == "its day passed":
        day = TODAY + timedelta(days=1)
        again = replace(alone, day=day)
    with on(replace(settings, today=day)):
        handing_out.hand_out()
        assert rows("SELECT status, address, phone FROM visit") == [("called_off", "", "")]
        assert visits.plan(1001, again, by=by, once="v3").status == "planned"
    assert "visit_off" in told(world, "clara")


def goes_to_douglas(world: World) -> None:
    """Ana goes to Douglas now, and Dora says yes to her case."""
    with transaction():
        student = world.students["ana"]
        db.session.query(Stint).filter(Stint.student_id == student).update({"exit_date": TODAY})
        db.session.add(Stint(student_id=student, school_id=world.schools["DOU"], entry_date=TODAY))
    world.stands("ana", 2, school_id=world.schools["DOU"])
    handing_out.hand_out()
    ((number, sender),) = rows("SELECT id, from_id FROM hand_over")
    login = next(name for name, person in world.people.items() if person == sender)
    school_changes.write(number, by=world.actor(login), story="She likes chess.")
    answering.accept(number, by=world.actor("dora"))


def test_what_happened_stands_on_the_case_of_the_visit_also_where_it_was_closed_since(world: World) -> None:
    number, cora = gone(world), world.actor("cora")
    with told_as_of(minutes_later(30)):
        visits.back(number, by=cora)
        closing.close(1001, by=cora, reason="not_needed", useful={"R07": "yes"})
        visits.say_what_happened(number, Attempt(method="visit", outcome="visited_spoke"), by=cora, once="a")
    assert rows("SELECT c.number FROM outreach o JOIN support_case c ON c.id = o.case_id") == [(1001,)]


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
    assert told(world, "clara") == ["visit_begins", "visit_to_watch"]


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
    assert told(world, "paul") == ["visit_late"] and told(world, "clara") == [
        "visit_late",
        "visit_begins",
        "visit_to_watch",
    ]
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
    assert {one.student for one in news.read(lea)} == {""}, "no name for who does not reach the case"
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
