"""Two sides of every hand-over: asked and answered, by whoever may; twice or at once counts once; history as rows."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import update

from ew_app.kernel import Conflict, NotFound, Refused, now, transaction
from ew_app.services.casework import (
    answering,
    causes,
    closing,
    handing_out,
    handing_over,
    moves,
    planning,
    rising,
    school_changes,
    tasks,
)
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.casework.planning import Agreed
from ew_app.services.notices import news
from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver
from models.people import Stint
from models.tiers import StudentStatus
from rules.access import NotAllowed
from rules.case_flow import IllegalMove
from rules.words import UnfitWords
from tests.services.one_case import flag_ana, owner, the_case
from tests.services.world import TODAY, World, rows

STEPS = "SELECT state, words, author FROM hand_over_step ORDER BY id"


@pytest.fixture
def number(world: World) -> int:
    """Ana's case, which Cora leads."""
    flag_ana(world)
    (found,) = the_case("number")
    moves.assign(found, by=world.actor("cora"))
    return int(found)  # type: ignore[call-overload]


def to(world: World, login: str, role: str, asked: str = "Please find a ride for the mornings", **more) -> Wanted:
    return Wanted(to=f"{world.people[login]}:{role}", asked=asked, **more)


def told(world: World, login: str) -> list[str]:
    """What somebody has not read yet, the newest first."""
    return [one.sentence for one in news.read(world.actor(login), unread=True)]


def inbox(world: World, login: str) -> list[int]:
    who = world.actor(login)
    with transaction():
        return [line.id for line in handing_over.asked_of(who)]


# -- help: the owner stays ---------------------------------------------------------------------------------------------


def test_help_is_asked_promised_done_and_reported(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    assert owner(world) == "cora" and inbox(world, "nia") == [asked.id]
    assert rows("SELECT count(*) FROM task WHERE kind = 'help'") == [(0,)], "a question is no task yet"
    answering.accept(asked.id, by=world.actor("nia"))
    ((task, title, doer),) = rows("SELECT id, title, owner_id FROM task WHERE kind = 'help'")
    assert (title, doer) == ("Please find a ride for the mornings", world.people["nia"])
    answering.finish(asked.id, by=world.actor("nia"), report="A neighbour drives on Mondays.")
    assert rows("SELECT state FROM hand_over") == [("done",)]
    assert rows("SELECT status, note FROM task WHERE id = :t", t=task) == [("done", "A neighbour drives on Mondays.")]
    assert [row[:2] for row in rows(STEPS)] == [
        ("sent", ""), ("accepted", ""), ("done", "A neighbour drives on Mondays."),
    ]  # fmt: skip
    assert owner(world) == "cora" and inbox(world, "nia") == []
    told = rows("SELECT kind FROM event WHERE kind LIKE 'hand_over_%' ORDER BY id")
    assert told == [("hand_over_sent",), ("hand_over_accepted",), ("hand_over_done",)]


def test_marking_the_task_done_ends_the_help_and_undoing_opens_it(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("nia"))
    ((task,),) = rows("SELECT id FROM task WHERE kind = 'help'")
    tasks.finish(task, by=world.actor("nia"))
    assert rows("SELECT state FROM hand_over") == [("done",)]
    tasks.undo(task, by=world.actor("nia"))
    assert rows("SELECT state FROM hand_over") == [("accepted",)]


def test_a_refusal_needs_a_reason_and_whoever_asked_reads_it(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    with pytest.raises(Refused, match="why not"):
        answering.decline(asked.id, by=world.actor("nia"), why=" ")
    answering.decline(asked.id, by=world.actor("nia"), why="I am at Douglas all week.")
    assert rows(STEPS)[-1] == ("declined", "I am at Douglas all week.", "Nia Okoro")
    with pytest.raises(IllegalMove):
        answering.accept(asked.id, by=world.actor("nia"))


def test_what_was_asked_can_be_taken_back_with_its_task(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("nia"))
    with pytest.raises(NotFound):
        answering.take_back(asked.id, by=world.actor("dora"))
    answering.take_back(asked.id, by=world.actor("cora"), why="The aunt drives now.")
    answering.take_back(asked.id, by=world.actor("cora"))
    assert rows("SELECT status FROM task WHERE kind = 'help'") == [("withdrawn",)]
    assert rows("SELECT state FROM hand_over") == [("taken_back",)] and len(rows(STEPS)) == 3


def test_only_whoever_is_asked_answers_and_others_do_not_see_it(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    with pytest.raises(NotAllowed):
        answering.accept(asked.id, by=world.actor("cora"))  # who asked does not answer for the other
    for login in ("dora", "tara", "clara"):
        with pytest.raises(NotFound):
            answering.accept(asked.id, by=world.actor(login))


@pytest.mark.parametrize(
    ("login", "role", "sentence"),
    [("zoe", "network_lead", "Choose somebody"), ("dora", "counselor", "Choose somebody"),
     ("nia", "counselor", "Choose somebody"), ("cora", "counselor", "Choose somebody")],
)  # fmt: skip
def test_the_receiver_must_work_there_in_that_role_and_do_tasks(world, number, login, role, sentence):
    with pytest.raises(Refused, match=sentence):
        handing_over.refer(number, to(world, login, role), by=world.actor("cora"))


def test_who_has_left_is_not_asked(world, number):
    world.end("nia")
    with pytest.raises(Refused):
        handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))


def test_a_partner_only_with_the_familys_consent(world, number):
    world.give("pat", "Pat Hill", "partner", "school:LIN")
    with pytest.raises(Refused, match="consent"):
        handing_over.refer(number, to(world, "pat", "partner"), by=world.actor("cora"))
    with pytest.raises(Refused, match="lies ahead"):
        later = to(world, "pat", "partner", agreed_by="caregiver", agreed_on=date(2026, 11, 17))
        handing_over.refer(number, later, by=world.actor("cora"))
    agreed = to(world, "pat", "partner", agreed_by="caregiver", agreed_on=TODAY)
    handing_over.refer(number, agreed, by=world.actor("cora"))
    assert rows("SELECT agreed_by, agreed_on FROM hand_over") == [("caregiver", TODAY)]


def test_what_one_partner_is_asked_is_no_other_partners(world, number):
    for login in ("pat", "per"):
        world.give(login, f"{login.title()} Hill", "partner", "school:LIN")
    consent = {"agreed_by": "caregiver", "agreed_on": TODAY}
    with pytest.raises(Refused, match="Choose somebody"):
        handing_over.refer(number, Wanted(to="0:partner", asked="Mentor Ana", **consent), by=world.actor("cora"))
    asked = handing_over.refer(number, to(world, "pat", "partner", **consent), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("pat"))
    ((task,),) = rows("SELECT id FROM task WHERE kind = 'help'")
    with pytest.raises(NotFound):
        tasks.finish(task, by=world.actor("per"))
    assert tasks.finish(task, by=world.actor("pat")).status == "done"


def test_words_that_must_not_be_written_are_refused(world, number):
    with pytest.raises(UnfitWords):
        asked = to(world, "nia", "nurse", "The family has no papers")
        handing_over.refer(number, asked, by=world.actor("cora"))
    assert rows("SELECT count(*) FROM hand_over") == [(0,)]


def test_the_table_suggests_who_helps_with_what_is_known(world, number):
    causes.record_cause(number, Heard(code="B-CARE", said_by="caregiver"), by=world.actor("cora"))
    world.give("fay", "Fay Lund", "department_contact", "district", department="face")
    with transaction():
        case = db.session.query(Case).filter_by(number=number).one()
        held = world.actor("wanda")
        found = handing_over.receivers(case, held.grants.held[0].place, held)
    assert "Fay Lund" in [one.name for one in found if one.suggested]


# -- the owner moves when it is accepted -------------------------------------------------------------------------------


def test_a_transfer_moves_the_owner_when_it_is_accepted(world, number):
    asked = handing_over.transfer(number, to(world, "wanda", "social_worker"), by=world.actor("cora"))
    assert owner(world) == "cora"
    with pytest.raises(Conflict, match="already"):
        handing_over.transfer(number, to(world, "paul", "principal"), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("wanda"))
    assert owner(world) == "wanda" and the_case("owner_role") == ("social_worker",)
    assert rows("SELECT DISTINCT owner_id FROM task WHERE status = 'open'") == [(world.people["wanda"],)]
    with pytest.raises(IllegalMove):
        answering.take_back(asked.id, by=world.actor("cora"))


def test_a_case_given_to_somebody_may_come_back(world, number):
    moves.assign(number, by=world.actor("cora"), to=world.people["wanda"])
    ((given, kind, state),) = rows("SELECT id, kind, state FROM hand_over")
    assert (kind, state) == ("assign", "sent") and inbox(world, "wanda") == [given]
    answering.decline(given, by=world.actor("wanda"), why="Forty students already.")
    assert owner(world) == "cora"


def test_a_case_that_comes_back_to_nobody_is_handed_out(world, number):
    moves.assign(number, by=world.actor("cora"), to=world.people["wanda"])
    ((given,),) = rows("SELECT id FROM hand_over")
    world.end("cora")
    answering.decline(given, by=world.actor("wanda"), why="Forty students already.")
    assert the_case("owner_id", "owner_via") == (None, "unowned")
    assert ("hand_out",) in rows("SELECT job FROM outbox")


def test_a_colleague_asks_for_a_case_and_gets_it(world, number):
    asked = handing_over.ask_for_case(number, by=world.actor("wanda"), why="I know the brother.")
    assert inbox(world, "cora") == [asked.id]
    answering.accept(asked.id, by=world.actor("cora"))
    assert owner(world) == "wanda"


@pytest.mark.parametrize("kind", ["refer", "transfer"])
def test_whoever_stands_in_answers_for_the_one_who_is_away_and_it_stays_theirs(world, number, kind):
    world.give("max", "Max Lee", "social_worker", "network:N1")
    world.away("wanda", deputy="max")
    asked = getattr(handing_over, kind)(number, to(world, "wanda", "social_worker"), by=world.actor("cora"))
    assert len(told(world, "max")) == 1 and inbox(world, "max") == [asked.id]
    with pytest.raises(NotFound):
        answering.accept(asked.id, by=world.actor("nia"))
    answering.accept(asked.id, by=world.actor("max"), words="She is back on Thursday.")
    assert answering.accept(asked.id, by=world.actor("max")).to_id == world.people["wanda"]
    assert rows(STEPS)[-1] == ("accepted", "She is back on Thursday.", "Max Lee")
    if kind == "transfer":
        assert owner(world) == "wanda"
    else:
        assert rows("SELECT owner_id FROM task WHERE kind = 'help'") == [(world.people["wanda"],)]
        answering.finish(asked.id, by=world.actor("max"), report="The aunt drives her.")
        assert rows(STEPS)[-1][0] == "done"


def test_whoever_stands_in_says_no_and_writes_for_a_new_school(world, number):
    world.give("max", "Max Lee", "social_worker", "network:N1")
    moves.assign(number, by=world.actor("cora"), to=world.people["wanda"])
    world.away("wanda", deputy="max")
    (given,) = inbox(world, "max")
    answering.decline(given, by=world.actor("max"), why="She is away all week.")
    assert owner(world) == "cora"
    world.away("cora", deputy="max")
    ana_goes_to_douglas(world)
    school_changes.notice()
    (write,) = inbox(world, "max")
    school_changes.write(write, by=world.actor("max"), story="Her aunt answers the phone.")
    assert inbox(world, "dora") == [write]


def test_giving_the_case_away_settles_what_was_asked_about_it(world, number):
    handing_over.transfer(number, to(world, "wanda", "social_worker"), by=world.actor("cora"))
    moves.assign(number, by=world.actor("paul"), to=world.people["paul"])
    assert rows("SELECT state FROM hand_over WHERE kind = 'transfer'") == [("taken_back",)]


def test_a_closed_case_asks_nobody_any_more(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    closing.close(number, by=world.actor("cora"), reason="not_needed", useful={"R07": "no"})
    assert inbox(world, "nia") == []
    with pytest.raises(Refused, match="closed"):
        answering.accept(asked.id, by=world.actor("nia"))
    handing_out.hand_out()
    assert rows("SELECT state FROM hand_over") == [("taken_back",)]


# -- once --------------------------------------------------------------------------------------------------------------


def test_help_that_was_promised_ends_with_the_case_and_whoever_promised_it_hears_so(world, number):
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("nia"))
    reasons = {row[0]: "yes" for row in rows("SELECT DISTINCT rule FROM case_reason")}
    closing.close(number, by=world.actor("cora"), reason="moved_district", useful=reasons)
    assert rows(STEPS)[-1][:2] == ("taken_back", "The case was closed.") and inbox(world, "nia") == []
    assert told(world, "nia")[0] == f"You are asked for case {number} no longer."


def test_a_double_click_asks_once_and_answers_once(world, number):
    wanted, by = to(world, "nia", "nurse"), world.actor("cora")
    first = handing_over.refer(number, wanted, by=by, once="k1")
    assert handing_over.refer(number, wanted, by=by, once="k1").id == first.id
    with pytest.raises(Conflict, match="asked already"):
        handing_over.refer(number, wanted, by=by, once="k2")
    for _ in range(2):
        answering.accept(first.id, by=world.actor("nia"))
    assert len(rows(STEPS)) == 2 and rows("SELECT count(*) FROM task WHERE kind = 'help'") == [(1,)]


def test_of_two_who_answer_at_once_one_has_it(app, world, number):
    world.give("nell", "Nell Ito", "nurse", "school:LIN")
    wanted = Wanted(to="0:nurse", asked="Please look at the morning medicine")
    asked = handing_over.refer(number, wanted, by=world.actor("cora")).id
    actors = [world.actor("nia"), world.actor("nell")]
    db.session.remove()
    said, start = [], threading.Barrier(2)

    def answer(who) -> None:
        with app.app_context():
            start.wait()
            try:
                said.append(answering.accept(asked, by=who).to_id)
            except (Conflict, NotFound) as late:  # before or after the other's answer is known
                said.append(str(late))

    threads = [threading.Thread(target=answer, args=(who,)) for who in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, int) for one in said) == 1, said
    assert rows("SELECT count(*) FROM task WHERE kind = 'help'") == [(1,)]


# -- unanswered questions rise -----------------------------------------------------------------------------------------


def test_a_question_without_an_answer_rises(world, number):
    handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    with transaction():
        db.session.execute(update(HandOver).values(asked_on=date(2026, 11, 11)))
    rising.rise()
    assert [(row.why, row.what) for row in rising.seen_by(world.actor("paul"))] == [
        ("unanswered", "Please find a ride for the mornings")
    ]


# -- a student changes school ------------------------------------------------------------------------------------------


def ana_goes_to_douglas(world: World) -> None:
    with transaction():
        student = world.students["ana"]
        db.session.execute(update(Stint).where(Stint.student_id == student).values(exit_date=TODAY))
        db.session.add(Stint(student_id=student, school_id=world.schools["DOU"], entry_date=TODAY))
        status = db.session.get_one(StudentStatus, student)
        status.school_id = world.schools["DOU"]


def test_the_case_goes_along_when_the_new_school_says_yes(world, number):
    planning.agree(number, Agreed(goal="Two mornings a week by bus"), by=world.actor("cora"))
    causes.record_cause(number, Heard(code="B-HOUSING", said_by="caregiver"), by=liaison_on_the_case(world))
    ana_goes_to_douglas(world)
    assert school_changes.notice() == 1 and school_changes.notice() == 0
    ((asked, state, sender),) = rows("SELECT id, state, from_id FROM hand_over WHERE kind = 'school_change'")
    assert (state, sender) == ("to_write", world.people["cora"]) and inbox(world, "cora") == [asked]
    assert told(world, "cora")[0] == f"Case {number} goes to another school. Please write what they should know there."
    with pytest.raises(IllegalMove):
        answering.accept(asked, by=world.actor("dora"))
    school_changes.write(asked, by=world.actor("cora"), story="Her aunt answers the phone. A bus card was promised.")
    assert inbox(world, "dora") == [asked] and told(world, "dora") == [f"You are asked to take on case {number}."]
    answering.accept(asked, by=world.actor("dora"))
    assert told(world, "cora")[0] == f"What you asked for case {number} was taken on."
    assert owner(world) == "dora" and the_case("school_id") == (world.schools["DOU"],)
    goes_along = "SELECT p.goal FROM plan p JOIN support_case c ON c.id = p.case_id WHERE c.school_id = :school"
    assert rows(goes_along, school=world.schools["DOU"]) == [("Two mornings a week by bus",)]
    shut = rows("SELECT school_id, owner_id FROM task WHERE compartment = 'stls' AND status = 'open'")
    assert shut == [(world.schools["DOU"], None)], "nobody at Douglas reads it by this"
    world.give("lou", "Lou Diaz", "stls_liaison", "school:DOU")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM task WHERE compartment = 'stls'") == [(world.people["lou"],)]


def test_a_partner_and_a_department_keep_what_they_can_still_do_at_the_new_school(world, number):
    """Both work for the network; the mentor of Lincoln and the bus desk of Lincoln do not go along."""
    world.give("mila", "Mila Sun", "partner", "network:N1")
    world.give("marc", "Marc Low", "partner", "school:LIN")
    for login, place in (("bea", "network:N1"), ("bo", "school:LIN")):
        world.give(login, login.title(), "department_contact", place, department="transportation")
    wanted = {"mila": "mila", "marc": "dora", "bo": "bea", "cora": "dora"}
    roles = {"mila": "partner", "marc": "partner", "bo": "department_contact", "cora": "social_worker"}
    with transaction():
        case = db.session.scalars(db.select(Case)).one()
        for login, role in roles.items():
            db.session.add(
                Task(case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind="help", title=login,
                     period=f"for {login}", department="transportation", owner_role=role,
                     owner_id=world.people[login], due=TODAY, created_at=now())
            )  # fmt: skip
    ana_goes_to_douglas(world)
    school_changes.notice()
    ((asked,),) = rows("SELECT id FROM hand_over WHERE kind = 'school_change'")
    school_changes.write(asked, by=world.actor("cora"), story="Her aunt answers the phone.")
    answering.accept(asked, by=world.actor("dora"))
    whose = "SELECT t.title, p.login, t.school_id FROM task t JOIN person p ON p.id = t.owner_id WHERE t.kind = :kind"
    has = rows(whose, kind="help")
    assert {title: login for title, login, _ in has} == wanted
    assert {school for *_, school in has} == {world.schools["DOU"]}


def test_at_a_new_school_colleagues_tasks_go_to_whoever_has_their_role_there(world, number):
    """Nia promised help and serves both schools; Clara is clerk of Lincoln, Cleo of Douglas; Paul has no heir there."""
    world.give("cleo", "Cleo Park", "attendance_clerk", "school:DOU")
    asked = handing_over.refer(number, to(world, "nia", "nurse"), by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("nia"))
    with transaction():
        case = db.session.scalars(db.select(Case)).one()
        for login, role in (("clara", "attendance_clerk"), ("paul", "case_manager"), ("cora", case.owner_role)):
            db.session.add(
                Task(case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind="agreed", title=login,
                     period=f"for {login}", department=case.department, owner_role=role, owner_id=world.people[login],
                     due=TODAY, created_at=now())
            )  # fmt: skip
    ana_goes_to_douglas(world)
    school_changes.notice()
    ((change,),) = rows("SELECT id FROM hand_over WHERE kind = 'school_change'")
    school_changes.write(change, by=world.actor("cora"), story="Her aunt answers the phone.")
    answering.accept(change, by=world.actor("dora"))
    whose = "SELECT t.title, p.login FROM task t JOIN person p ON p.id = t.owner_id WHERE t.kind IN ('help', 'agreed')"
    assert dict(rows(whose)) == {asked.asked: "nia", "clara": "cleo", "paul": "dora", "cora": "dora"}
    assert rows("SELECT to_id FROM hand_over WHERE id = :h", h=asked.id) == [(world.people["nia"],)]
    assert len(told(world, "cleo")) == 1, "whoever is new to it is told"


def liaison_on_the_case(world: World):
    """Lea reads the compartment of every student; a task on the case lets her write there."""
    (number,) = the_case("number")
    wanted = Wanted(to=f"{world.people['lea']}:stls_liaison", asked="Please talk with the family")
    asked = handing_over.refer(number, wanted, by=world.actor("cora"))
    answering.accept(asked.id, by=world.actor("lea"))
    return world.actor("lea")


def test_a_student_who_comes_back_keeps_the_case_where_it_is(world, number):
    ana_goes_to_douglas(world)
    school_changes.notice()
    with transaction():
        db.session.get_one(StudentStatus, world.students["ana"]).school_id = world.schools["LIN"]
    assert school_changes.notice() == 0
    assert rows("SELECT state FROM hand_over") == [("taken_back",)]
