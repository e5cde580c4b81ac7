"""What people do with a case: contacts, causes, notes, compartments, and its life from taking to closing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ew_app.kernel import Conflict, NotFound, Refused, now, transaction
from ew_app.services.casework import closing, notes, planning, tasks, usefulness
from ew_app.services.casework import moves as casework
from ew_app.services.casework.causes import Heard, end_cause, record_cause
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.casework.planning import Agreed
from models.base import db
from models.queries import case_page
from models.staff import Person
from rules.access import NotAllowed
from rules.case_flow import IllegalMove
from rules.words import UnfitWords
from tests.services import world as district
from tests.services.one_case import flag_ana, follow, owner, the_case
from tests.services.world import TODAY, rows

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
    assert planning.agree(1001, Agreed(goal="At most one absence in 20 days"), by=by).version == 1
    assert the_case("status") == ("planned",)
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
    told = usefulness.of_rules(["R07", "R10", "R22"])
    assert (told["R07"].no, told["R10"].judged, told.keys()) == (1, 0, {"R07", "R10"})
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
        with pytest.raises(Refused, match="holds no role at Lincoln"):
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


def test_a_name_says_who_is_no_longer_here(world):
    """By role or by account; somebody on leave is still here."""
    world.end("cora")
    world.away("wanda")
    with transaction():
        db.session.get_one(Person, world.people["nia"]).disabled_at = now()
    told = case_page.names([world.people[login] for login in ("cora", "wanda", "nia", "paul")], TODAY)
    assert sorted(told.values()) == [
        "Cora Bell (no longer here)", "Nia Okoro (no longer here)", "Paul Adler", "Wanda Price"
    ]  # fmt: skip
