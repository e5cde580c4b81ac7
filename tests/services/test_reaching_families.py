"""Reaching a family: the ladder after each try, one talk about several children, what a caller is told."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from ew_app.kernel import NotFound, Refused, now, transaction
from ew_app.services.casework import families, laddering
from ew_app.services.casework.outreach import Attempt, log_outreach
from models.base import db
from models.cases import Case
from models.people import Contact
from models.queries import ways
from rules.access import NotAllowed
from tests.services.one_case import flag_ana, the_case
from tests.services.world import TODAY, rows

MOTHER = "(312) 555-0100"


@pytest.fixture
def family(world):
    """Ana and Eva of Lincoln and Dan of Douglas have one mother, whose number is written in three ways."""
    world.add_student("eva")
    with transaction():
        for name, phone in (("ana", MOTHER), ("eva", "312-555-0100"), ("dan", "3125550100")):
            contact = Contact(student_id=world.students[name], name="R. Rivera", relation="Mother", phone=phone)
            db.session.add(contact)
    return world


def case(world):
    return db.session.scalars(select(Case).where(Case.number == 1001)).one()


def tries(world, *ways, by="cora", **more):
    for way in ways:
        method, outcome = way.split("/")
        attempt = Attempt(method=method, outcome=outcome, by_ladder=True, **more)
        log_outreach(attempt, by=world.actor(by), case_number=1001)


# -- the ladder ----------------------------------------------------------------------------------------------


def test_after_a_try_that_reached_nobody_the_case_names_the_next_way_and_its_day(world):
    flag_ana(world)
    tries(world, "call/left_voicemail")
    assert the_case("next_step", "due") == ("Try again: Text message", date(2026, 11, 17))
    assert rows("SELECT next_date FROM outreach") == [(date(2026, 11, 17),)]
    tries(world, "text/message_delivered")
    assert the_case("next_step", "due") == (
        "Try again: Phone call (another number, at another hour)",
        date(2026, 11, 18),
    )


def test_a_contact_ends_the_climb_and_the_case_goes_on_with_its_tasks(world):
    flag_ana(world)
    tries(world, "call/no_answer", "text/reached_agreed")
    assert the_case("next_step", "status") == ("Agree a success plan", "contacting")
    assert laddering.climb(case(world)).reached == TODAY


def test_a_try_that_fails_later_is_made_again_and_the_cases_own_step_stands(world):
    flag_ana(world)
    tries(world, "call/reached_agreed")
    before = the_case("next_step", "due")
    tries(world, "call/left_voicemail")
    assert the_case("next_step", "due") == before
    assert rows("SELECT next_date FROM outreach ORDER BY id") == [(None,), (date(2026, 11, 17),)]
    again = "SELECT title, due, owner_id, status FROM task WHERE kind = 'call'"
    asked = ("Contact the family again", date(2026, 11, 17), world.people["cora"])
    assert rows(again) == [(*asked, "open")], "the day that was noted is on somebody's list"
    tries(world, "text/no_answer")
    assert rows(again) == [(*asked, "open")], "asked once"
    tries(world, "call/reached_agreed")
    assert rows(again) == [(*asked, "done")]


def test_a_voicemail_a_machine_and_the_student_reach_no_family(world):
    flag_ana(world)
    tries(world, "call/left_voicemail", "robocall/message_delivered", "in_person/student_spoken")
    way = laddering.climb(case(world))
    assert (way.tries, way.ways, way.reached, way.enough) == (2, 2, None, False)
    tries(world, "letter_mail/message_delivered")
    assert laddering.climb(case(world)).enough


def test_when_every_way_was_tried_the_team_decides(world):
    flag_ana(world)
    tries(world, "call/no_answer", "text/no_answer", "call/no_answer", "letter_mail/message_delivered")
    tries(world, "visit/visited_card_left")
    assert the_case("next_step") == (laddering.TRIED_ALL,)


def test_a_day_that_was_chosen_wins_over_the_ladder(world):
    flag_ana(world)
    tries(world, "call/no_answer", next_date=date(2026, 11, 20), promise="Ring the aunt")
    assert the_case("next_step", "due") == ("Ring the aunt", date(2026, 11, 20))


SHORT = {
    "2": [{"day": 0, "method": "visit"}, {"day": 0, "method": "call"}, {"day": 4, "method": "letter_mail"}],
    "3": [{"day": 0, "method": "visit"}, {"day": 0, "method": "call"}, {"day": 4, "method": "letter_mail"}],
}


def test_a_school_may_have_its_own_ladder_and_go_back_to_the_districts(world):
    flag_ana(world)
    school = world.schools["LIN"]
    laddering.change(school, SHORT, by=world.actor("paul"))
    assert laddering.climb(case(world)).words == "Try again: Home visit"
    world.give("addy", "Addy Lane", "system_admin", "district")
    for stranger in ("cora", "otto", "addy"):
        with pytest.raises(NotAllowed):
            laddering.change(school, SHORT, by=world.actor(stranger))
    with pytest.raises(Refused, match="2 different ways"):
        laddering.change(school, SHORT | {"3": [{"day": 0, "method": "call"}] * 3}, by=world.actor("paul"))
    laddering.change(school, None, by=world.actor("paul"))
    assert laddering.climb(case(world)).words == "Try again: Phone call"
    assert rows("SELECT count(*) FROM event WHERE kind = 'ladder_changed'") == [(2,)]


# -- the family ----------------------------------------------------------------------------------------------


def test_siblings_are_those_who_share_a_number_and_whom_the_reader_reaches(family):
    of = families.of_student
    assert [one.first_name for one in of(family.students["ana"], by=family.actor("clara")).siblings] == ["Eva"]
    assert [one.first_name for one in of(family.students["ana"], by=family.actor("wanda")).siblings] == ["Dan", "Eva"]
    assert of(family.students["ana"], by=family.actor("tara")).siblings == ()
    assert of(family.students["ben"], by=family.actor("clara")).siblings == ()


@pytest.mark.parametrize("written", ["+1 (773) 555-0142", "1-773-555-0142", "773.555.0142"])
def test_one_number_is_one_however_it_is_written(world, written):
    with transaction():
        for name, phone in (("ana", "7735550142"), ("ben", written)):
            db.session.add(Contact(student_id=world.students[name], name="Mother", phone=phone))
    found = families.of_student(world.students["ana"], by=world.actor("clara")).siblings
    assert [one.first_name for one in found] == ["Ben"]
    failed = Attempt(method="call", outcome="number_not_working", used=written)
    log_outreach(failed, by=world.actor("clara"), student_id=world.students["ana"])
    assert list(ways.bad_ways([world.students["ana"]], ["number_not_working"]).values()) == [
        {"7735550142": ways.Bad("number_not_working", *rows("SELECT at, author FROM outreach")[0])}
    ]


def test_an_address_alone_and_an_offices_number_make_no_family(world):
    with transaction():
        for name in ("ana", "ben"):
            db.session.add(Contact(student_id=world.students[name], name=f"Parent of {name}", address="1 Shelter Way"))
    assert families.of_student(world.students["ana"], by=world.actor("clara")).siblings == ()
    for number in range(12):
        world.add_student(f"kid{number}")
    with transaction():
        for number in range(12):
            driver = Contact(student_id=world.students[f"kid{number}"], name="Bus office", phone="773-555-0000")
            db.session.add(driver)
    assert families.of_student(world.students["kid0"], by=world.actor("clara")).siblings == ()


def test_one_talk_is_an_entry_for_each_child_and_words_stay_with_the_first(family):
    said = Attempt(method="call", outcome="reached_agreed", note="Ana sleeps badly.", promise="Early bus", minutes=8)
    ana, eva = family.students["ana"], family.students["eva"]
    for _ in range(2):  # the form sent twice
        families.log_talk(said, by=family.actor("clara"), student_id=ana, others=[eva], once="k")
    assert rows("SELECT student_id, outcome, note, promise, minutes FROM outreach ORDER BY id") == [
        (ana, "reached_agreed", "Ana sleeps badly.", "Early bus", 8),
        (eva, "reached_agreed", "", "", None),
    ]
    assert rows("SELECT count(DISTINCT talk), min(talk) <> '' FROM outreach") == [(1, True)]


@pytest.mark.parametrize(("told_too", "of_eva"), [(False, ""), (True, "unwell")])
def test_why_one_child_was_away_is_not_told_of_another_unless_it_was_said_of_both(family, told_too, of_eva):
    said = Attempt(method="call", outcome="reason_told", told="unwell", about_day=TODAY)
    ana, eva = family.students["ana"], family.students["eva"]
    families.log_talk(said, by=family.actor("clara"), student_id=ana, others=[eva], told_too=told_too)
    assert rows("SELECT student_id, told FROM outreach ORDER BY id") == [(ana, "unwell"), (eva, of_eva)]


def test_a_word_with_the_student_is_no_talk_with_the_family(world):
    flag_ana(world)
    tries(world, "in_person/student_spoken")
    contact = "SELECT status FROM task WHERE kind = 'contact'"
    assert rows(contact) == [("open",)]
    tries(world, "call/reached_agreed")
    assert rows(contact) == [("done",)]


def test_a_child_of_another_family_or_out_of_reach_takes_no_part(family):
    said, ana = Attempt(method="call", outcome="no_answer"), family.students["ana"]
    for other in ("ben", "dan"):
        with pytest.raises(Refused, match="same family"):
            families.log_talk(said, by=family.actor("clara"), student_id=ana, others=[family.students[other]])
    with pytest.raises(NotFound):
        families.log_talk(said, by=family.actor("clara"), student_id=family.students["dan"])
    assert rows("SELECT count(*) FROM outreach") == [(0,)]


def test_a_call_just_made_is_told_of_the_family_alone(family):
    log_outreach(
        Attempt(method="call", outcome="no_answer"), by=family.actor("wanda"), student_id=family.students["dan"]
    )
    seen = families.of_student(family.students["ana"], by=family.actor("clara"))
    assert seen.called_at is not None
    assert seen.siblings and "Dan" not in {one.first_name for one in seen.siblings}
    assert families.of_student(family.students["ben"], by=family.actor("clara")).called_at is None


def test_a_wish_to_stop_holds_for_the_family_until_they_take_the_way_up_again(family):
    by, eva = family.actor("clara"), family.students["eva"]
    log_outreach(Attempt(method="text", outcome="asked_to_stop"), by=by, student_id=eva)
    ana = family.students["ana"]
    assert families.of_student(ana, by=by).stopped == {"text"}
    assert "asked" in families.bar_to_automatic(ana, "text")
    flag_ana(family)
    tries(family, "call/no_answer")
    assert the_case("next_step") == ("Try again: Phone call (another number, at another hour)",)
    log_outreach(Attempt(method="text", outcome="way_again"), by=by, student_id=ana)
    assert families.of_student(eva, by=by).stopped == frozenset()


def test_automatic_messages_are_counted_by_household(family, monkeypatch):
    monkeypatch.setattr("ew_app.services.casework.families.wall_clock", lambda: now().replace(hour=10).time())
    ana, dan, by = family.students["ana"], family.students["dan"], family.actor("wanda")
    sent = Attempt(method="robocall", outcome="message_delivered")
    assert families.bar_to_automatic(ana, "text") == ""
    for student in (ana, dan):
        log_outreach(sent, by=by, student_id=student)
    assert "that is enough" in families.bar_to_automatic(family.students["eva"], "text")


# -- the number that was used --------------------------------------------------------------------------------


def test_only_a_number_on_file_can_have_been_used(family):
    said = {"method": "call", "outcome": "number_not_working"}
    ana, by = family.students["ana"], family.actor("clara")
    with pytest.raises(Refused, match="not on file"):
        log_outreach(Attempt(**said, used="773-555-9999"), by=by, student_id=ana)
    log_outreach(Attempt(**said, used="312 555 0100"), by=by, student_id=ana)
    assert rows("SELECT used FROM outreach") == [("312 555 0100",)]
