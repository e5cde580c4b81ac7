"""A team meeting: an agenda from the data, begun once, decided with a name and a day, and kept as it was."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import current_app

from ew_app.kernel import Conflict, NotFound, Refused, now, transaction
from ew_app.services.casework import closing, tasks
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.meetings import agenda, holding
from ew_app.services.meetings.holding import Changed, Decided, There
from ew_app.services.notices import news
from models.base import db
from models.cases import Case, Cause, Task
from models.meetings import Meeting, MeetingItem
from models.org import School
from rules.access import NotAllowed
from rules.words import UnfitWords
from tests.services.one_case import flag_ana, follow
from tests.services.world import TODAY, World, rows

SOON = TODAY + timedelta(days=3)


@pytest.fixture
def lincoln(world: World) -> School:
    """Ana came into Tier 3 last week and has a case; Ben's plan is due."""
    flag_ana(world)
    world.steps("ana", 3, TODAY - timedelta(days=4))
    world.stands("ben", 2)
    world.finds("ben", "R07")
    follow(world, "ben")
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET tier = 3 WHERE number = 1001"))
        db.session.execute(
            db.text("UPDATE support_case SET status = 'planned', due = :on WHERE number = 1002"), {"on": TODAY}
        )
        db.session.execute(db.text("UPDATE tier_change SET before = 2"))
    return db.session.get_one(School, world.schools["LIN"])


def begun(world: World, login: str = "paul") -> int:
    return holding.begin("LIN", by=world.actor(login))


def item_of(meeting: int, position: int = 1) -> tuple[int, int]:
    ((number, version),) = rows(
        "SELECT id, version FROM meeting_item WHERE meeting_id = :m AND position = :p", m=meeting, p=position
    )
    return number, version


def act(world: World, **more: object) -> Decided:
    wanted = Decided(decision="act", action="Ask the aunt to walk along", owner_id=world.people["nia"], due=SOON)
    return replace(wanted, **more)  # type: ignore[arg-type]


def test_the_agenda_says_who_and_why_the_most_pressing_first(world: World, lincoln: School) -> None:
    made = agenda.of_today(lincoln)
    assert [one.why for one in made.entries] == [("new_tier_3",), ("review",)]
    assert made.entries[0].numbers["absent"] == 6000 and made.since == TODAY - timedelta(days=14)
    for _ in range(3):
        log_outreach(Attempt(method="call", outcome="no_answer"), by=world.actor("cora"), case_number=1001)
    world.finds("ana", "R21", TODAY - timedelta(days=1))
    assert agenda.of_today(lincoln).entries[0].why == ("new_tier_3", "no_answer", "returned")
    log_outreach(Attempt(method="call", outcome="reached_agreed"), by=world.actor("cora"), case_number=1001)
    assert "no_answer" not in agenda.of_today(lincoln).entries[0].why


@pytest.mark.parametrize(
    ("count", "compartment", "told"), [(9, None, []), (10, None, [["B-TRANSPORT", 10]]), (12, "health", [])]
)
def test_a_cause_is_told_from_ten_students_on_and_never_a_restricted_one(
    world: World, lincoln: School, count: int, compartment: str | None, told: list[object]
) -> None:
    for number in range(count):
        student = world.add_student(f"pupil{number}")
        with transaction():
            case = Case(
                student_id=student, school_id=lincoln.id, tier=2, department="x", owner_role="counselor", opened=TODAY,
                opened_at=now(),
            )  # fmt: skip
            db.session.add(case)
            db.session.flush()
            db.session.add(
                Cause(
                    case_id=case.id, student_id=student, code="B-TRANSPORT", compartment=compartment, said_by="student",
                    confidence="said", author="Cora Bell", position="School counselor", written_at=now(),
                )
            )  # fmt: skip
    assert [list(one) for one in agenda.of_today(lincoln).numbers["causes"]] == told


def test_a_meeting_that_is_begun_twice_is_one_also_at_the_same_moment(world: World, lincoln: School) -> None:
    app, numbers, start = current_app._get_current_object(), [], threading.Barrier(4)  # type: ignore[attr-defined]
    people = [world.actor(login) for login in ("paul", "wanda", "cora", "paul")]

    def go(who: object) -> None:
        with app.app_context():
            start.wait()
            numbers.append(holding.begin("LIN", by=who))  # type: ignore[arg-type]

    threads = [threading.Thread(target=go, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 1 and len(numbers) == 4
    assert rows("SELECT count(*) FROM meeting_item") == [(2,)]
    assert rows("SELECT count(*) FROM event WHERE kind = 'meeting_begun'") == [(1,)]


def test_only_the_school_s_own_people_hold_its_meeting(world: World, lincoln: School) -> None:
    with pytest.raises(NotFound):
        begun(world, "otto")
    for login in ("clara", "nia", "zoe"):
        with pytest.raises(NotAllowed):
            begun(world, login)


def test_a_decision_is_one_action_with_a_name_and_a_day_and_becomes_a_task(world: World, lincoln: School) -> None:
    meeting = begun(world)
    item, version = item_of(meeting)
    paul = world.actor("paul")
    for wrong, why in (
        (act(world, action=" "), "one action"),
        (act(world, owner_id=None), "who does it"),
        (act(world, due=None), "by which day"),
        (act(world, due=TODAY - timedelta(days=1)), "has passed"),
        (act(world, owner_id=world.people["dora"]), "of the school or its network"),
        (Decided(decision=""), "what was decided"),
    ):
        with pytest.raises(Refused, match=why):
            holding.decide(item, wrong, version=version, by=paul)
    with pytest.raises(UnfitWords):
        holding.decide(item, act(world, note="Ask about their visa status"), version=version, by=paul)
    holding.decide(item, act(world), version=version, by=paul)
    holding.decide(item, act(world), version=version, by=paul)  # the same form again
    given = "SELECT title, owner_id, owner_role, due, status FROM task WHERE kind = 'agreed'"
    assert rows(given) == [("Ask the aunt to walk along", world.people["nia"], "nurse", SOON, "open")]
    assert [one.kind for one in news.read(world.actor("nia"))] == ["task_given"]


def test_who_decides_over_a_change_they_have_not_seen_is_shown_it_and_nothing_is_lost(
    world: World, lincoln: School
) -> None:
    meeting = begun(world)
    item, version = item_of(meeting)
    holding.decide(item, act(world), version=version, by=world.actor("paul"))
    with pytest.raises(Changed) as changed:
        holding.decide(item, Decided(decision="later"), version=version, by=world.actor("wanda"))
    assert changed.value.theirs.startswith("Ask the aunt to walk along, by ")
    holding.decide(item, Decided(decision="later"), version=version + 1, by=world.actor("wanda"))
    assert rows("SELECT status FROM task WHERE kind = 'agreed'") == [("withdrawn",)]
    holding.write_minutes(meeting, "The bus came late all week.", version=1, by=world.actor("paul"))
    with pytest.raises(Conflict) as other:
        holding.write_minutes(meeting, "We need a crossing guard.", version=1, by=world.actor("wanda"))
    assert isinstance(other.value, Changed) and other.value.theirs == "The bus came late all week."


def test_a_closed_meeting_is_proof_and_changes_no_more(world: World, lincoln: School) -> None:
    meeting, paul = begun(world), world.actor("paul")
    item, version = item_of(meeting)
    holding.decide(item, act(world), version=version, by=paul)
    team = frozenset((world.people["paul"], world.people["cora"]))
    holding.note_who_is_there(meeting, There(team, "Ms. Reed of the library"), seen=There(frozenset()), by=paul)
    holding.end(meeting, by=paul)
    holding.end(meeting, by=world.actor("wanda"))
    kept = rows("SELECT why, numbers FROM meeting_item ORDER BY id")
    world.stands("ana", 1, absent=1000)
    assert rows("SELECT why, numbers FROM meeting_item ORDER BY id") == kept
    assert rows("SELECT actor, data FROM event WHERE kind = 'meeting_ended'") == [
        ("Paul Adler", {"students": 2, "decided": 1, "there": 2})
    ]
    for change in (
        lambda: holding.decide(item, Decided(decision="later"), version=version + 1, by=paul),
        lambda: holding.write_minutes(meeting, "more", version=1, by=paul),
        lambda: holding.note_who_is_there(meeting, There(frozenset()), seen=There(team), by=paul),
        lambda: holding.add_student(meeting, 1002, by=paul),
    ):
        with pytest.raises(Refused, match="This meeting is over"):
            change()


def test_of_two_who_write_who_is_there_neither_wipes_out_the_other(world: World, lincoln: School) -> None:
    """Both pages were opened when only Paul was ticked."""
    meeting, (paul, wanda, cora) = begun(world), (world.people[one] for one in ("paul", "wanda", "cora"))
    opened = There(frozenset((paul,)))
    wanted = There(frozenset((paul, cora)), "Ms. Reed")
    holding.note_who_is_there(meeting, wanted, seen=opened, by=world.actor("paul"))
    holding.note_who_is_there(meeting, There(frozenset((wanda,))), seen=opened, by=world.actor("wanda"))
    there = "SELECT person_id FROM meeting_member WHERE present ORDER BY person_id"
    assert rows(there) == [(one,) for one in sorted((cora, wanda))], "Paul had to leave"
    assert rows("SELECT guests FROM meeting") == [("Ms. Reed",)]
    with pytest.raises(Conflict, match="Ms. Reed"):
        holding.note_who_is_there(meeting, There(frozenset(), "Mr. Hill"), seen=opened, by=world.actor("wanda"))


def test_a_student_in_tier_3_whom_nobody_tried_is_on_the_agenda_once_the_first_contact_is_late(
    world: World, lincoln: School
) -> None:
    with transaction():
        db.session.execute(db.text("DELETE FROM tier_change"))
        db.session.execute(
            db.text("UPDATE student_status SET tier = 3 WHERE student_id = :a"), {"a": world.students["ana"]}
        )
    assert [one.why for one in agenda.of_today(lincoln).entries] == [("review",)]
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET contact_due = :d"), {"d": TODAY - timedelta(days=1)})
    assert [one.why for one in agenda.of_today(lincoln).entries] == [("untried",), ("review",)]
    log_outreach(Attempt(method="call", outcome="no_answer"), by=world.actor("cora"), case_number=1001)
    assert [one.why for one in agenda.of_today(lincoln).entries] == [("review",)]


def test_nothing_is_decided_about_a_case_that_was_closed_while_the_team_met(world: World, lincoln: School) -> None:
    meeting, paul = begun(world), world.actor("paul")
    item, version = item_of(meeting)
    holding.decide(item, act(world), version=version, by=paul)
    reasons = {row[0]: "yes" for row in rows("SELECT DISTINCT rule FROM case_reason")}
    closing.close(1001, by=world.actor("cora"), reason="moved_district", useful=reasons)
    for decided in (act(world, action="Ask the neighbours"), Decided(decision="later")):
        with pytest.raises(Refused, match="closed in the meantime"):
            holding.decide(item, decided, version=version + 1, by=paul)
    kept = db.session.get_one(MeetingItem, item)
    assert "not needed any more" in holding.words_of(kept, db.session.get_one(Task, kept.task_id))


def test_what_was_agreed_and_what_was_left_over_come_back_next_time(world: World, lincoln: School) -> None:
    meeting, paul = begun(world), world.actor("paul")
    for position, decided in ((1, act(world)), (2, Decided(decision="later"))):
        item, version = item_of(meeting, position)
        holding.decide(item, decided, version=version, by=paul)
    with transaction():
        held = db.session.get_one(Meeting, meeting)
        held.day = date(2026, 11, 2)
        db.session.execute(db.text("UPDATE support_case SET due = NULL"))
        db.session.execute(db.text("UPDATE task SET due = :d WHERE kind = 'agreed'"), {"d": date(2026, 11, 10)})
    made = agenda.of_today(lincoln)
    assert made.since == date(2026, 11, 2) and [one.why for one in made.entries] == [("new_tier_3",), ("carried",)]
    assert made.numbers["actions"] == {"done": 0, "open": 0, "late": 1}
    ((task,),) = rows("SELECT id FROM task WHERE kind = 'agreed'")
    tasks.finish(task, by=world.actor("nia"))
    assert agenda.of_today(lincoln).numbers["actions"] == {"done": 1, "open": 0, "late": 0}


def test_a_student_added_by_the_team_stands_once(world: World, lincoln: School) -> None:
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET status = 'new' WHERE number = 1002"))
    log_outreach(Attempt(method="call", outcome="reached_agreed"), by=world.actor("paul"), case_number=1002)
    meeting, paul = begun(world), world.actor("paul")
    assert [holding.add_student(meeting, 1002, by=paul) for _ in range(2)] == [2, 2]
    ((kept,),) = rows("SELECT numbers FROM meeting_item WHERE position = 2")
    assert (kept["tries"], kept["reached"]) == (1, TODAY.isoformat())
    with pytest.raises(NotFound):
        holding.add_student(meeting, 9999, by=paul)
