"""A shut part of a record opened in a crisis: by whom, for how long, who hears of it, what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ew_app.kernel import Conflict, NotFound, Refused, now, told_as_of, transaction
from ew_app.services.casework import crisis, crisis_answers, handing_out
from ew_app.services.notices import digests, news
from ew_app.services.rosters import same_child
from models.base import db
from models.cases import Task
from models.notices import Mail
from models.queries import crisis as rows_of
from rules.access import FieldClass, NotAllowed
from rules.words import UnfitWords
from tests.services.one_case import flag_ana
from tests.services.world import TODAY, World, rows

NINE = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)  # nine in the morning in Chicago
WHY = "She fainted in the gym and the nurse is at the other school."
SECRET = "Lantern: an inhaler in the left drawer."


def opened(world: World, by: str = "paul", part: str = "health", at: datetime = NINE, student: str = "ana", **more):
    with told_as_of(at):
        return crisis.open_record(world.students[student], part, by=world.actor(by), reason=WHY, **more)


def written(world: World, compartment: str = "health", student: str = "ana") -> None:
    with transaction():
        db.session.add(
            Task(student_id=world.students[student], school_id=world.schools["LIN"], compartment=compartment,
                 kind="support", period=f"kept/{compartment}", title=SECRET, department="x", owner_role="x", due=TODAY,
                 created_at=now())
        )  # fmt: skip


def told(world: World, login: str) -> list[str]:
    return [one.kind for one in news.read(world.actor(login))]


def may(world: World, login: str, student: str = "ana") -> set[str]:
    return {str(one) for one in crisis.choices(world.students[student], world.actor(login))}


# -- who, and what -------------------------------------------------------------------------------------------


def test_what_each_may_open_goes_by_role_and_place_and_never_by_what_is_inside(world):
    flag_ana(world)
    world.give("rita", "Rita Moss", "records_custodian", "district")
    for part in ("health", "protected"):
        assert may(world, "paul") == {"stls", "health", "iep_504"}
        assert may(world, "nia") == {"iep_504"}
        assert may(world, "dora") == may(world, "clara") == may(world, "zoe") == may(world, "lea") == set()
        assert may(world, "rita") == may(world, "tara") == set()
        written(world, part)


def test_who_may_not_is_refused_and_nothing_is_kept(world):
    for login in ("clara", "zoe", "lea", "tara"):
        with pytest.raises(NotAllowed, match="open a shut part"):
            opened(world, login)
    for login, part in (("paul", "counseling"), ("paul", "protected"), ("nia", "stls"), ("nia", "health")):
        with pytest.raises(NotFound):
            opened(world, login, part)
    with pytest.raises(NotFound):
        opened(world, "otto")  # a principal elsewhere
    assert rows("SELECT count(*) FROM crisis_opening") == [(0,)]


def test_the_database_itself_holds_no_opening_of_protected_reasons(world):
    opened(world)
    for change in ("compartment = 'protected'", "reason = ''", "seen_id = person_id", "ends_at = opened_at"):
        with pytest.raises(Exception, match="crisis_opening"), transaction():
            rows(f"UPDATE crisis_opening SET {change} RETURNING id")


def test_the_reason_is_a_sentence_in_fit_words(world):
    paul, ana = world.actor("paul"), world.students["ana"]
    for reason, sentence in (("", "in a sentence why"), ("now", "in a sentence why"), ("x" * 501, "under 500")):
        with pytest.raises(Refused, match=sentence):
            crisis.open_record(ana, "health", by=paul, reason=reason)
    with pytest.raises(UnfitWords):
        crisis.open_record(ana, "health", by=paul, reason="His mother has no green card and he fainted.")


# -- an hour, to read ----------------------------------------------------------------------------------------


def test_it_reads_for_an_hour_every_look_is_logged_and_then_it_is_over(world):
    written(world)
    opening, paul = opened(world), world.actor("paul")
    for minutes in (0, 59):
        with told_as_of(NINE + timedelta(minutes=minutes)):
            _, inside = crisis.read(opening.id, by=paul)
            assert [task.title for task in inside.tasks] == [SECRET]
            assert len(crisis.running(world.students["ana"], paul)) == 1
    with told_as_of(NINE + timedelta(minutes=60)):
        with pytest.raises(Refused, match="The hour is over"):
            crisis.read(opening.id, by=paul)
        assert crisis.running(world.students["ana"], paul) == []
    looks = rows("SELECT actor, student_id, compartment, reason FROM audit_row WHERE action = 'compartment_opened'")
    assert looks == [("paul", world.students["ana"], "health", f"In a crisis: {WHY}")] * 2
    assert rows("SELECT action, reason FROM audit_row WHERE action LIKE 'record%'") == [("record_opened", WHY)]
    assert rows("SELECT compartment, case_id FROM event WHERE kind = 'record_opened'") == [("health", None)]


def test_nobody_else_reads_through_it_and_it_opens_no_other_part(world):
    written(world)
    written(world, "stls")
    opening = opened(world)
    for login in ("nia", "wanda", "cora", "otto", "zoe"):
        with told_as_of(NINE), pytest.raises(NotFound):
            crisis.read(opening.id, by=world.actor(login))
    with told_as_of(NINE):
        _, inside = crisis.read(opening.id, by=world.actor("paul"))
    assert inside.key == "health" and len(inside.tasks) == 1


def test_it_ends_with_the_role_or_when_its_opener_has_read_enough(world):
    first = opened(world)
    with told_as_of(NINE + timedelta(minutes=5)):
        crisis.shut(first.id, by=world.actor("paul"))
        with pytest.raises(Refused):
            crisis.read(first.id, by=world.actor("paul"))
    second = opened(world, "wanda")
    world.end("wanda")
    with told_as_of(NINE + timedelta(minutes=1)), pytest.raises(Refused):
        crisis.read(second.id, by=world.actor("wanda"))


def test_a_form_sent_twice_and_a_part_that_is_open_are_one_opening(world):
    first = opened(world, once="k1")
    assert opened(world, once="k1").id == opened(world, once="k2").id == first.id
    assert opened(world, at=NINE + timedelta(hours=1), once="k3").id != first.id
    assert rows("SELECT count(*) FROM crisis_opening") == [(2,)]


def test_whoever_goes_back_and_chooses_another_part_reads_that_one(world):
    first = opened(world, once="k1")
    second = opened(world, part="stls", once="k1")
    assert (first.compartment, second.compartment) == ("health", "stls")
    assert opened(world, part="stls", once="k1").id == second.id, "and a double click of it is one"


def test_an_opening_shows_the_child_when_two_ids_were_found_to_be_one_meanwhile(world):
    written(world)
    opening = opened(world)
    same_child.merge("S-ben", "S-ana", reason="The same birth date and mother.", by=world.actor("clara"))
    with told_as_of(NINE + timedelta(minutes=5)):
        _, inside = crisis.read(opening.id, by=world.actor("paul"))
    assert [task.title for task in inside.tasks] == [SECRET]


def test_three_in_a_day_and_no_more(world):
    for part, student in (("health", "ana"), ("stls", "ana"), ("health", "ben")):
        opened(world, part=part, student=student)
    with pytest.raises(Refused, match="3 parts of records in the last 24 hours"):
        opened(world, part="stls", student="ben", at=NINE + timedelta(hours=23))
    assert opened(world, part="stls", student="ben", at=NINE + timedelta(hours=24)).id
    assert opened(world, "wanda").id, "each person by themselves"


def test_who_could_be_asked_instead_stands_there_by_name_and_role(world):
    first = crisis.instead(world.students["ana"], [FieldClass.HEALTH, FieldClass.STLS, FieldClass.IEP_504])
    assert first == {
        FieldClass.HEALTH: ["Nia Okoro, School nurse"], FieldClass.STLS: ["Lea Fox, STLS liaison"],
        FieldClass.IEP_504: [],
    }  # fmt: skip


# -- told, looked at, answered -------------------------------------------------------------------------------


def test_those_who_answer_for_it_are_told_at_once_and_only_they_see_it(world):
    flag_ana(world)
    world.give("rita", "Rita Moss", "records_custodian", "district")
    world.give("petra", "Petra Kern", "administrator", "school:LIN")
    opening = opened(world, "wanda")
    for login in ("paul", "petra", "rita", "nia"):
        assert told(world, login) == ["record_opened"], login
    for login in ("wanda", "lea", "cora", "clara", "dora", "otto", "zoe"):
        assert "record_opened" not in told(world, login), login
        with pytest.raises(NotFound):
            crisis_answers.look_at(opening.id, by=world.actor(login))
    (mail,) = rows("SELECT count(*) FROM mail WHERE notice_id IS NOT NULL")
    assert mail == (4,), "an e-mail of its own to each"


def test_an_opening_of_which_nobody_could_be_told_waits_for_whoever_comes(world):
    """The principal opens it, and nobody else answers for records or looks after health there today."""
    world.end("nia")
    assert crisis.answerable(world.students["ana"], world.actor("paul")) == []
    opened(world, "paul")
    assert rows("SELECT count(*) FROM notice WHERE kind = 'record_opened'") == [(0,)]
    world.give("rita", "Rita Moss", "records_custodian", "district")
    for _ in range(2):
        with told_as_of(NINE + timedelta(minutes=5)):
            handing_out.hand_out()
    assert told(world, "rita") == ["record_opened"] and told(world, "paul") == []
    assert len(crisis.answerable(world.students["ana"], world.actor("paul"))) == 1


def test_what_nobody_answers_is_told_once_more_after_a_day_and_then_rests(world):
    opening = opened(world, "wanda")
    for hours, times in ((23, 1), (24, 2), (48, 2)):
        with told_as_of(NINE + timedelta(hours=hours)):
            crisis_answers.tell_again()
        assert told(world, "paul") == ["record_opened"] * times
    crisis_answers.answer(opening.id, "right", by=world.actor("nia"))
    assert all(one.over for one in news.read(world.actor("paul")))


def test_no_e_mail_asks_to_look_at_what_is_answered(world):
    opening = opened(world, "wanda")
    ((number,),) = rows("SELECT id FROM mail WHERE person_id = :paul", paul=world.people["paul"])
    crisis_answers.answer(opening.id, "right", by=world.actor("nia"))
    assert digests.words(db.session.get_one(Mail, number), world.actor("paul")) is None


def test_what_leaves_by_mail_names_neither_student_nor_part_nor_reason(world):
    opened(world, "wanda")
    ((number,),) = rows("SELECT id FROM mail WHERE person_id = :paul", paul=world.people["paul"])
    said = digests.words(db.session.get_one(Mail, number), world.actor("paul"))
    assert said is not None and "in a crisis" in said.body
    for word in ("Ana", "Rivera", "Wanda", "ealth", "fainted", "Lincoln"):
        assert word not in said.subject + said.body


def test_of_a_students_talks_whoever_leads_the_case_is_told(world):
    """Nobody reads them for a whole school, so the counselor of the student stands for them."""
    flag_ana(world)
    world.give("cleo", "Cleo Hart", "counselor", "school:LIN")
    opening = opened(world, "wanda", "counseling")
    assert told(world, "cora")[0] == "record_opened" and told(world, "cleo") == []
    assert crisis_answers.look_at(opening.id, by=world.actor("cora")).person == "Wanda Price"
    with pytest.raises(NotFound):
        crisis_answers.look_at(opening.id, by=world.actor("cleo"))


def test_the_first_look_is_noted_and_one_answer_counts_and_is_told(world):
    opening = opened(world, "wanda")
    paul, nia = world.actor("paul"), world.actor("nia")
    assert crisis_answers.look_at(opening.id, by=nia).opening.seen_id == nia.person_id
    with pytest.raises(Refused, match="Choose whether"):
        crisis_answers.answer(opening.id, "maybe", by=paul)
    with pytest.raises(Refused, match="what was not right"):
        crisis_answers.answer(opening.id, "not_right", by=paul)
    crisis_answers.answer(opening.id, "right", by=paul, words="I would have done the same.")
    crisis_answers.answer(opening.id, "right", by=paul)
    with pytest.raises(Conflict, match="answered this already"):
        crisis_answers.answer(opening.id, "not_right", by=nia, words="I was reachable.")
    kept = rows("SELECT seen_id, answered_id, answer, answer_words FROM crisis_opening")
    assert kept == [(nia.person_id, paul.person_id, "right", "I would have done the same.")]
    assert told(world, "wanda") == ["opening_answered"]


def test_what_was_not_right_comes_to_the_records_custodian_too(world):
    world.give("rita", "Rita Moss", "records_custodian", "district")
    opening = opened(world, "wanda")
    crisis_answers.answer(opening.id, "not_right", by=world.actor("nia"), words="I was in the next room.")
    assert told(world, "rita") == ["opening_not_right", "record_opened"]


def test_nobody_answers_for_an_opening_of_their_own(world):
    opening = opened(world, "paul")
    for act in (crisis_answers.look_at, lambda number, by: crisis_answers.answer(number, "right", by=by)):
        with pytest.raises(NotFound):
            act(opening.id, by=world.actor("paul"))


def test_the_list_shows_what_waits_first(world):
    first, second = opened(world, "wanda"), opened(world, "wanda", student="ben")
    crisis_answers.answer(second.id, "right", by=world.actor("nia"))
    seen = crisis_answers.seen_by(world.actor("paul"))
    assert [one.opening.id for one in rows_of.lines(seen)] == [first.id, second.id]
    assert rows_of.counts(seen) == (2, 1)
    assert rows_of.counts(crisis_answers.seen_by(world.actor("wanda"))) == (0, 0)
