"""Cases open, grow, close and come back in step with what the rules found, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ew_app import kernel
from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import WORKER, Conflict, NotFound, Refused, transaction
from ew_app.services.casework import cases, closing, handing_out, notes, tasks
from ew_app.services.casework import moves as casework
from ew_app.services.casework.causes import Heard, end_cause, record_cause
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.people import accounts
from models.base import db
from models.queries import worklists
from models.tiers import Finding
from rules import access
from rules.access import NotAllowed, Permission
from rules.case_flow import IllegalMove
from rules.words import UnfitWords
from tests.services import world as district
from tests.services.world import TODAY, World, rows


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """The district on Monday 16 November 2026."""
    with create_app(replace(settings, today=TODAY)).app_context():
        yield district.build()
        db.session.remove()
        db.engine.dispose()


def follow(world: World, *names: str) -> int:
    """Follow the findings of these students, or of all."""
    return cases.follow([world.students[name] for name in names or world.students], by=WORKER)


def the_case(*columns: str) -> tuple[object, ...]:
    """These columns of the only case."""
    (row,) = rows(f"SELECT {', '.join(columns)} FROM support_case")
    return row


def owner(world: World) -> str | None:
    (number,) = the_case("owner_id")
    return next((login for login, person in world.people.items() if person == number), None)


def flag_ana(world: World) -> None:
    """Ana reaches Tier 2 and gets a case."""
    world.stands("ana", 2)
    world.finds("ana", "R07")
    follow(world)


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


def not_seen_since(world: World, day: date) -> int:
    """Ana is enrolled and was never at school; returns the finding."""
    world.stands("ana", 0, data_through=TODAY)
    return world.finds("ana", "R20", day)


NEXT = TODAY + timedelta(days=1)


def comes(finding: int, on: date = NEXT) -> None:
    """The first day at school, the one after what is known, ends the finding."""
    with transaction():
        db.session.get_one(Finding, finding).until = on


TASKS = "SELECT kind, owner_role, status, case_id IS NOT NULL FROM task"


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
    assert (owner(world), *the_case("owner_role", "owner_via")) == ("paul", "principal", "fallback")


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


# -- corrections ---------------------------------------------------------------------------------------------


def test_a_corrected_mark_makes_no_second_task(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07", date(2026, 11, 9))
    follow(world)
    tasks = rows("SELECT id, kind, due, status FROM task ORDER BY id")
    world.corrects(finding, again_since=date(2026, 11, 10))
    follow(world)
    assert rows("SELECT id, kind, due, status FROM task ORDER BY id") == tasks
    assert rows("SELECT day, sentence, withdrawn_at FROM case_reason") == [
        (date(2026, 11, 10), "R07 since 2026-11-10.", None)
    ]


def test_a_case_that_rested_on_corrected_marks_stays_with_its_people(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    world.stands("ana", 0)
    world.corrects(finding)
    follow(world)
    assert the_case("status", "next_step") == ("new", cases.LOOK_AGAIN)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NOT NULL") == [(1,)]
    assert set(rows("SELECT status FROM task")) == {("withdrawn",)}
    kinds = [kind for (kind,) in rows("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]
    assert kinds[0] == "case_opened"
    assert kinds[-3:] == ["reason_withdrawn", "rested_on_corrected_marks", "tier_lowered"]


def test_a_reason_that_was_over_before_it_was_added_never_spoke_for_the_case(world):
    """As after an undo: the wrong marks made R07 stand today, the right ones had ended it in October."""
    world.stands("ana", 2)
    wrong = world.finds("ana", "R07", date(2026, 9, 21))
    follow(world)
    world.stands("ana", 0)
    world.corrects(wrong, again_since=date(2026, 10, 1), until=date(2026, 10, 20))
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(0,)]


def test_a_rule_that_is_met_while_the_tier_rests_holds_no_case_by_itself(world):
    world.stands("ana", 2)
    wrong = world.finds("ana", "R16", date(2026, 9, 21))
    follow(world)
    world.stands("ana", 0)
    world.corrects(wrong, again_since=date(2026, 11, 13))
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(0,)]


def test_a_reason_that_ended_since_still_spoke_for_the_case(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07", date(2026, 9, 21))
    follow(world)
    comes(finding)
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(1,)]


def test_cases_that_nothing_holds_and_nobody_worked_on_close_with_one_press(world):
    for name in ("ana", "ben"):
        world.stands(name, 2)
        finding = world.finds(name, "R07")
        follow(world, name)
        world.stands(name, 0)
        world.corrects(finding)
        follow(world, name)
    first, second = (number for (number,) in rows("SELECT number FROM support_case ORDER BY 1"))
    casework.assign(second, by=world.actor("paul"))
    paul = world.actor("paul")
    reach = access.scope_of(world.actor("cora").grants, Permission.WORK_CASE)
    listed = worklists.held_by_nothing(reach, world.people["cora"], TODAY)
    assert [line.number for line in listed] == [first]
    with pytest.raises(Refused, match="somebody works on it"):
        closing.close_held_by_nothing([first, second], by=paul)
    assert closing.close_held_by_nothing([first], by=paul) == 1
    assert rows("SELECT close_reason FROM support_case WHERE closed_on IS NOT NULL") == [("corrected",)]


def test_another_policy_is_never_told_as_a_correction(world):
    world.stands("ana", 2)
    former = world.finds("ana", "R16", policy="the policy before")
    follow(world)
    world.stands("ana", 0)
    world.corrects(former)
    follow(world)
    kinds = [kind for (kind,) in rows("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]
    assert kinds[-3:] == ["reason_outdated", "rested_on_former_policy", "tier_lowered"]
    assert the_case("next_step") == (cases.READ_AGAIN,)
    assert set(rows("SELECT data ->> 'why' FROM event WHERE kind = 'task_withdrawn'")) == {(cases.OUTDATED,)}
    assert not rows("SELECT FROM event WHERE kind LIKE '%correct%'")


def test_nobody_is_told_of_an_arrival_that_is_not_known(world):
    finding = not_seen_since(world, date(2026, 11, 10))
    world.stands("ana", 0, absent=4_000, enrolled=4_000)
    follow(world)
    comes(finding)  # a day is unknown, so the rule is met no longer
    follow(world)
    assert rows(TASKS) == [("locate", "attendance_clerk", "open", True)]
    assert not rows("SELECT FROM event WHERE kind = 'arrived'")


def test_a_mark_corrected_back_takes_the_same_work_up_again(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    before = rows("SELECT id, kind, status FROM task ORDER BY id")
    world.corrects(finding)
    follow(world)
    world.finds("ana", "R07")
    follow(world)
    assert rows("SELECT id, kind, status FROM task ORDER BY id") == before
    assert rows("SELECT withdrawn_at FROM case_reason") == [(None,)]


# -- compartments --------------------------------------------------------------------------------------------


def test_a_restricted_rule_asks_inside_its_compartment_and_nowhere_else(world):
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    assert follow(world) == 0
    assert rows("SELECT compartment, owner_role FROM task") == [("stls", "stls_liaison")]
    assert rows("SELECT count(*) FROM support_case") == [(0,)]


# -- reaching the family -------------------------------------------------------------------------------------


def test_a_contact_moves_the_case_and_finishes_the_first_contact(world):
    flag_ana(world)
    attempt = Attempt(method="call", outcome="reached_agreed", with_whom="caregiver", note="Bus was late twice.")
    entry = log_outreach(attempt, by=world.actor("cora"), case_number=1001)
    assert entry.is_contact and (entry.author, entry.position) == ("Cora Bell", "School counselor")
    assert the_case("status", "next_step") == ("contacting", "Agree a success plan")
    assert rows("SELECT kind, status FROM task ORDER BY id") == [("contact", "done"), ("plan", "open")]
    assert rows("SELECT student_id, since FROM touched_student") == [(world.students["ana"], TODAY)]
    assert rows("SELECT job, key FROM outbox") == [("evaluate", "touched")]


def test_a_voicemail_is_an_attempt_and_no_contact(world):
    flag_ana(world)
    attempt = Attempt(method="call", outcome="left_voicemail", next_date=date(2026, 11, 18))
    assert not log_outreach(attempt, by=world.actor("cora"), case_number=1001).is_contact
    assert the_case("status", "due", "next_step") == ("contacting", date(2026, 11, 18), "Contact the family again")
    assert rows("SELECT count(*) FROM touched_student") == [(0,)]


def test_an_automatic_message_moves_nothing(world):
    flag_ana(world)
    log_outreach(Attempt(method="robocall", outcome="message_delivered"), by=world.actor("cora"), case_number=1001)
    assert the_case("status") == ("new",)


def test_a_number_that_does_not_work_becomes_the_clerks_task(world):
    flag_ana(world)
    for _ in range(2):
        log_outreach(Attempt(method="call", outcome="number_not_working"), by=world.actor("cora"), case_number=1001)
    assert rows("SELECT owner_role FROM task WHERE kind = 'contact_repair'") == [("attendance_clerk",)]


def test_the_same_form_sent_twice_is_one_entry(world):
    flag_ana(world)
    attempt, by = Attempt(method="call", outcome="no_answer"), world.actor("cora")
    first = log_outreach(attempt, by=by, case_number=1001, once="k1").id
    assert log_outreach(attempt, by=by, case_number=1001, once="k1").id == first
    assert rows("SELECT count(*) FROM outreach") == [(1,)]
    assert rows("SELECT count(*) FROM event WHERE kind = 'outreach'") == [(1,)]


def test_a_clerk_notes_a_call_about_a_student_without_a_case(world):
    attempt = Attempt(method="call", outcome="reached_agreed")
    entry = log_outreach(attempt, by=world.actor("clara"), student_id=world.students["ben"])
    assert entry.case_id is None and entry.is_contact


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"method": "visit", "outcome": "left_voicemail"}, "cannot come of"),
        ({"method": "pigeon", "outcome": "no_answer"}, "is not a method"),
        ({"method": "call", "outcome": "no_answer", "on_day": date(2026, 11, 17)}, "cannot lie ahead"),
        ({"method": "call", "outcome": "no_answer", "next_date": date(2026, 11, 13)}, "passed already"),
    ],
)
def test_an_attempt_that_cannot_be_is_refused(world, wrong, says):
    flag_ana(world)
    with pytest.raises(Refused, match=says):
        log_outreach(Attempt(**wrong), by=world.actor("cora"), case_number=1001)


def test_words_that_could_harm_a_family_are_not_kept(world):
    flag_ana(world)
    attempt = Attempt(method="call", outcome="reached_agreed", note="The family is undocumented.")
    with pytest.raises(UnfitWords):
        log_outreach(attempt, by=world.actor("cora"), case_number=1001)
    with pytest.raises(UnfitWords):
        notes.write_note(1001, "Asked about their green card.", by=world.actor("cora"))
    assert rows("SELECT (SELECT count(*) FROM outreach), (SELECT count(*) FROM note)") == [(0, 0)]


# -- root causes ---------------------------------------------------------------------------------------------


def test_a_cause_asks_its_department_and_may_move_the_owner(world):
    flag_ana(world)
    by = world.actor("cora")
    record_cause(1001, Heard(code="B-TRANSPORT", said_by="caregiver"), by=by)
    assert owner(world) == "cora"
    assert the_case("department") == ("transportation",)
    assert rows("SELECT owner_role FROM task WHERE kind = 'department'") == [("attendance_clerk",)]
    record_cause(1001, Heard(code="B-CARE", said_by="student", primary=True), by=by)
    assert (owner(world), *the_case("department")) == ("wanda", "related_services")


def test_three_causes_are_current_at_most_and_one_is_primary(world):
    flag_ana(world)
    by = world.actor("paul")
    for code in ("B-TRANSPORT", "M-FEW", "D-PEERS"):
        record_cause(1001, Heard(code=code, said_by="staff"), by=by)
    with pytest.raises(Refused, match="End the one"):
        record_cause(1001, Heard(code="M-SICK", said_by="staff"), by=by)
    first = rows("SELECT id FROM cause ORDER BY id")[0][0]
    end_cause(first, by=by)
    record_cause(1001, Heard(code="M-SICK", said_by="staff", primary=True), by=by)
    assert rows("SELECT code FROM cause WHERE is_primary") == [("M-SICK",)]


def test_a_restricted_cause_moves_nothing_that_others_see(world):
    world.stands("ana", 3)
    world.finds("ana", "R08")
    follow(world)
    before = district.everything(outside_compartments=True)
    record_cause(1001, Heard(code="B-HOUSING", said_by="caregiver"), by=world.actor("wanda"))
    assert district.everything(outside_compartments=True) == before
    assert rows("SELECT owner_role, compartment FROM task WHERE compartment IS NOT NULL") == [("stls_liaison", "stls")]


def test_a_restricted_cause_is_recorded_by_those_who_may_read_it(world):
    flag_ana(world)
    with pytest.raises(NotAllowed):
        record_cause(1001, Heard(code="B-HOUSING", said_by="caregiver"), by=world.actor("cora"))


# -- notes and compartments ----------------------------------------------------------------------------------


def test_a_changed_note_is_a_new_version(world):
    flag_ana(world)
    by = world.actor("cora")
    first = notes.write_note(1001, "Mother works nights.", by=by)
    second = notes.write_note(1001, "Mother works nights until May.", by=by, replaces=first.id)
    assert rows("SELECT count(*) FROM note") == [(2,)]
    with pytest.raises(Conflict):
        notes.write_note(1001, "Again from the old page.", by=by, replaces=first.id)
    with pytest.raises(NotFound):
        notes.write_note(1001, "Not mine.", by=world.actor("wanda"), replaces=second.id)


def test_opening_a_compartment_is_logged_and_from_outside_needs_a_reason(world):
    flag_ana(world)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    liaison = world.actor("lea")
    notes.write_note(1001, "Stays with an aunt for now.", by=liaison, compartment="stls")
    inside = notes.read_compartment(1001, "stls", by=liaison)
    assert [note.text for note in inside.notes] == ["Stays with an aunt for now."]
    assert rows("SELECT actor, compartment, reason FROM audit_row WHERE action = 'compartment_opened'") == [
        ("lea", "stls", "")
    ]
    with pytest.raises(NotAllowed):
        notes.read_compartment(1001, "stls", by=world.actor("paul"))
    nurse = world.actor("nia")
    with pytest.raises(NotFound):  # her work is not on this case, so it is not there for her
        notes.read_compartment(1001, "stls", by=nurse, reason="Asked by the school")


# -- the life of a case --------------------------------------------------------------------------------------


def test_a_case_from_taking_to_closing_to_a_new_episode(world):
    flag_ana(world)
    by = world.actor("cora")
    assert casework.assign(1001, by=by).status == "assigned"
    assert casework.plan(1001, by=by, goal="At most one absence in 20 days").status == "planned"
    assert casework.monitor(1001, by=by).status == "monitoring"
    assert casework.pause(1001, by=by, reason="bereavement").status == "paused"
    assert casework.resume(1001, by=by).status == "monitoring"
    closing.close(1001, by=by, reason="goals_met", useful={"R07": "yes"}, goals_reviewed=True, family_told=True)
    assert the_case("status", "closed_on", "close_reason") == ("closed", TODAY, "goals_met")
    assert set(rows("SELECT status FROM task")) == {("done",), ("withdrawn",)}
    assert follow(world) == 0  # what it answered does not come back
    world.finds("ana", "R16", TODAY + timedelta(days=1))
    assert follow(world) == 1
    assert the_case("number", "status", "episode", "closed_on") == (1001, "new", 2, None)
    assert owner(world) == "cora"


def test_a_new_finding_long_after_closing_opens_another_case(world):
    flag_ana(world)
    closing.close(1001, by=world.actor("cora"), reason="not_needed", useful={"R07": "no"})
    rows("UPDATE support_case SET closed_on = '2026-10-01' RETURNING 1")
    assert follow(world) == 1
    assert rows("SELECT number, episode FROM support_case ORDER BY id") == [(1001, 1), (1002, 1)]


def test_closing_asks_for_every_rule_and_for_the_plan(world):
    flag_ana(world)
    by = world.actor("cora")
    with pytest.raises(Refused, match="R07"):
        closing.close(1001, by=by, reason="not_needed", useful={})
    with pytest.raises(Refused, match="tell the family"):
        closing.close(1001, by=by, reason="recovered", useful={"R07": "yes"}, goals_reviewed=True)
    with pytest.raises(Refused, match="is not a useful"):
        closing.close(1001, by=by, reason="not_needed", useful={"R07": "maybe"})
    assert the_case("status") == ("new",)


def test_a_closed_case_is_taken_up_again_by_a_person_with_its_reasons(world):
    flag_ana(world)
    by = world.actor("cora")
    closing.close(1001, by=by, reason="not_needed", useful={"R07": "cannot_tell"})
    closing.reopen(1001, by=by, why="The mother called.")
    assert the_case("status", "episode") == ("new", 2)
    assert rows("SELECT rule, useful FROM case_reason WHERE episode = 2") == [("R07", None)]


def test_a_case_handed_to_another_school_goes_on_there(world):
    flag_ana(world)
    closing.close(1001, by=world.actor("cora"), reason="moved_school", useful={"R07": "yes"})
    world.stands("ana", 2, school_id=world.schools["DOU"])
    assert follow(world) == 1
    assert (owner(world), *the_case("school_id", "episode")) == ("dora", world.schools["DOU"], 2)


def test_a_move_that_the_status_does_not_allow_says_what_is_possible(world):
    flag_ana(world)
    with pytest.raises(IllegalMove, match="write down a contact"):
        casework.monitor(1001, by=world.actor("cora"))


def test_a_page_that_is_out_of_date_overwrites_nothing(world):
    flag_ana(world)
    (version,) = the_case("version")
    casework.assign(1001, by=world.actor("cora"), version=version)
    with pytest.raises(Conflict, match="load the page"):
        casework.assign(1001, by=world.actor("paul"), to=world.people["wanda"], version=version)


def test_a_case_goes_only_to_someone_who_can_own_it(world):
    flag_ana(world)
    by = world.actor("paul")
    for login in ("dora", "zoe", "tara"):
        with pytest.raises(Refused, match="no role there"):
            casework.assign(1001, by=by, to=world.people[login])
    casework.assign(1001, by=by, to=world.people["wanda"])
    assert (owner(world), *the_case("owner_role")) == ("wanda", "social_worker")
    assert set(rows("SELECT owner_id FROM task")) == {(world.people["wanda"],)}


def test_what_is_out_of_reach_is_not_there_and_what_a_role_lacks_is_said(world):
    flag_ana(world)
    for stranger in ("dora", "otto"):
        with pytest.raises(NotFound):
            casework.assign(1001, by=world.actor(stranger))
    with pytest.raises(NotFound):
        casework.assign(4711, by=world.actor("paul"))
    for colleague in ("clara", "tara", "zoe"):
        with pytest.raises(NotAllowed):
            casework.assign(1001, by=world.actor(colleague))


def test_a_paused_case_asks_for_nothing_until_it_is_resumed(world):
    flag_ana(world)
    casework.pause(1001, by=world.actor("cora"), reason="bereavement")
    world.stands("ana", 3)
    world.finds("ana", "R08")
    follow(world)
    assert the_case("tier", "status") == (3, "paused")
    assert rows("SELECT count(*) FROM task") == [(2,)]
    casework.resume(1001, by=world.actor("cora"))
    follow(world)
    assert rows("SELECT count(*) FROM task") == [(4,)]


def test_a_task_done_by_mistake_is_taken_back_at_once(world):
    flag_ana(world)
    by = world.actor("cora")
    (task,) = rows("SELECT id FROM task WHERE kind = 'contact'")[0]
    tasks.finish(task, by=by)
    assert the_case("next_step") == ("Agree a success plan",)
    assert tasks.undo(task, by=by).status == "open"
    assert the_case("next_step") == ("Find out with the family what gets in the way",)
    tasks.finish(task, by=by)
    rows("UPDATE task SET done_at = done_at - interval '1 minute' RETURNING 1")
    with pytest.raises(Refused, match="ten seconds"):
        tasks.undo(task, by=by)
    with pytest.raises(NotFound):
        tasks.finish(task, by=world.actor("dora"))
