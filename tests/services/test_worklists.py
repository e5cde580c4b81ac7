"""What each person finds on their lists, and that no list tells of a compartment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ew_app.config import Settings
from ew_app.kernel import WORKER, Actor, NotFound, now, transaction
from ew_app.services.casework import cases, closing, reaching, viewing
from ew_app.services.casework import moves as casework
from ew_app.services.casework.causes import Heard, record_cause
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.notices import news
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Task
from models.queries import boards, flagged, worklists
from models.queries import caseload as caseloads
from rules.access import Permission, scope_of
from tests.opened import on
from tests.services import world as district
from tests.services.world import TODAY, World, rows


@pytest.fixture
def world(settings: Settings, built_once: Callable[..., World]) -> Iterator[World]:
    """Ana in Tier 3 and Ben in Tier 2 at Lincoln, Dan in Tier 2 at Douglas, each with a case."""
    settings = replace(settings, today=TODAY)
    made = built_once(settings, three_cases)
    with on(settings):
        yield made


def three_cases() -> World:
    made = district.build()
    for name, tier, rule in (("ana", 3, "R08"), ("ben", 2, "R07"), ("dan", 2, "R07")):
        made.steps(name, tier, TODAY - timedelta(days=3))
        made.finds(name, rule)
    follow(made)
    return made


def follow(world: World) -> None:
    cases.follow(list(world.students.values()), by=WORKER)


def caseload(by: Actor, **wanted: Any) -> list[str]:
    """First names on a person's list of cases."""
    reach = scope_of(by.grants, Permission.SEE_CASELOAD)
    with transaction():
        return [line.first_name for line in caseloads.caseload(reach, by.person_id, TODAY, **wanted).rows]


def everything_seen(by: Actor) -> bytes:
    """All that the lists say to one person, as bytes."""
    seen, mine = scope_of(by.grants, Permission.SEE_CASELOAD), by.person_id or 0
    told = scope_of(by.grants, Permission.SEE_FLAGGED)
    openings = reaching.openings(by)
    with transaction():
        lists = [
            caseloads.caseload(seen, mine, TODAY),
            worklists.my_tasks(mine, TODAY, openings),
            worklists.my_due_cases(mine, TODAY, until=date(2027, 1, 1)),
            worklists.new_cases(seen, mine, TODAY, now() - timedelta(days=1)),
            worklists.answers_waiting(mine, TODAY),
            worklists.unowned(seen, mine, TODAY),
            flagged.flagged(told, mine, TODAY, since=date(2026, 9, 1)),
            boards.work([number for (number,) in rows("SELECT id FROM school")], TODAY, date(2026, 9, 1)),
            list(viewing.cases(by=by, only_open=False)),
        ]
        return json.dumps(lists, default=repr).encode()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent while the block runs."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


# -- whose cases ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "names"),
    [
        ("wanda", ["Ana", "Ben", "Dan"]),  # the social worker of the network
        ("cora", ["Ben"]),  # the counselor's own
        ("paul", ["Ana", "Ben"]),  # the principal's school
        ("dora", ["Dan"]),
        ("otto", ["Dan"]),
        ("lea", []),  # the liaison, until a task of hers lies on a case
    ],
)
def test_everybody_finds_the_cases_within_their_reach(world, login, names):
    assert sorted(caseload(world.actor(login))) == names


def test_a_list_is_narrowed_sorted_and_cut_into_pages(world):
    by = world.actor("wanda")
    assert caseload(by) == ["Ana", "Ben", "Dan"]  # the one due first comes first
    assert caseload(by, tier=3) == ["Ana"]
    assert caseload(by, school=world.schools["DOU"]) == ["Dan"]
    assert caseload(by, text="s-be") == ["Ben"]
    assert caseload(by, text="%") == []
    assert caseload(by, sort="name", descending=True, page=2, size=1) == ["Ben"]
    assert caseload(by, mine=True) == ["Ana"]
    assert caseload(by, overdue=True) == []
    rows("UPDATE support_case SET due = '2026-11-12' WHERE number = 1002 RETURNING 1")
    assert caseload(by, overdue=True) == ["Ben"]
    page = caseloads.caseload(scope_of(by.grants, Permission.SEE_CASELOAD), by.person_id, TODAY, size=1)
    assert (page.total, page.rows[0].late, page.rows[0].absent, page.rows[0].enrolled) == (3, 2, 6000, 50000)


def test_paused_and_closed_cases_do_not_wait(world):
    by = world.actor("cora")
    casework.pause(1002, by=by, reason="agreed")
    rows("UPDATE support_case SET due = '2026-11-12' WHERE number = 1002 RETURNING 1")
    assert caseload(by, overdue=True) == []
    closing.close(1002, by=by, reason="not_needed", useful={"R07": "no"})
    assert caseload(by) == []
    assert caseload(by, status="closed") == ["Ben"]


# -- today ---------------------------------------------------------------------------------------------------


def test_a_day_begins_with_what_is_due(world):
    by = world.actor("cora")
    titles = [task.title for task in worklists.my_tasks(world.people["cora"], TODAY, reaching.openings(by))]
    assert titles == ["Find out with the family what gets in the way", "Agree a success plan"]
    soon = worklists.my_tasks(world.people["cora"], TODAY, reaching.openings(by), until=date(2026, 11, 19))
    assert [task.case_number for task in soon] == [1002]


def test_a_family_that_called_waits_for_an_answer(world):
    by = world.actor("cora")
    log_outreach(Attempt(method="text", outcome="message_delivered", direction="in"), by=by, case_number=1002)
    assert [line.number for line in worklists.answers_waiting(world.people["cora"], TODAY)] == [1002]
    log_outreach(Attempt(method="call", outcome="reached_agreed"), by=by, case_number=1002)
    assert worklists.answers_waiting(world.people["cora"], TODAY) == []


def test_what_nobody_owns_is_seen_by_the_school(world):
    world.add_student("eve", "ROS")
    world.steps("eve", 2, TODAY)
    world.finds("eve", "R07")
    follow(world)
    world.give("pia", "Pia Lund", "principal", "school:ROS", ends=TODAY)
    by = world.actor("pia")
    found = worklists.unowned(scope_of(by.grants, Permission.SEE_CASELOAD), by.person_id, TODAY)
    assert [line.first_name for line in found] == ["Eve"]


# -- newly flagged -------------------------------------------------------------------------------------------


def test_newly_flagged_students_come_with_the_sentence_and_what_was_done(world):
    by = world.actor("paul")
    log_outreach(Attempt(method="call", outcome="reached_agreed"), by=by, student_id=world.students["ana"])
    reach = scope_of(by.grants, Permission.SEE_FLAGGED)
    page = flagged.flagged(reach, by.person_id, TODAY, since=date(2026, 11, 1))
    first = page.rows[0]
    assert [line.first_name for line in page.rows] == ["Ana", "Ben"]
    assert (first.sentence, first.contacts, first.last_contact) == ("Absent 6 of 50 days (12.0%).", 1, TODAY)
    assert (first.case_number, first.owner) == (1001, "Wanda Price")
    assert flagged.flagged(reach, by.person_id, TODAY, since=TODAY).total == 0
    assert flagged.flagged(reach, by.person_id, TODAY, since=date(2026, 11, 1), without_case=True).total == 0


# -- compartments --------------------------------------------------------------------------------------------

BLIND = ("clara", "tara", "paul", "cora", "otto", "dora", "zoe")


def test_no_list_changes_by_a_byte_when_something_lies_in_a_compartment(world):
    before = {login: everything_seen(world.actor(login)) for login in BLIND}
    world.finds("ana", "R22", compartment="stls")
    world.finds("ben", "R22", compartment="stls")
    follow(world)
    record_cause(1001, Heard(code="B-HOUSING", said_by="caregiver"), by=world.actor("wanda"))
    assert rows("SELECT count(*) FROM task WHERE compartment = 'stls'") == [(2,)]
    assert {login: everything_seen(world.actor(login)) for login in BLIND} == before


def test_work_in_a_compartment_does_not_decide_who_gets_the_next_case(world):
    world.give("lola", "Lola Reyes", "counselor", "school:LIN")
    for name in ("eli", "eva"):
        world.add_student(name)
        world.stands(name, 2)
    world.finds("eli", "R07")
    follow(world)  # now both counselors carry the same
    world.finds("ben", "R14", compartment="counseling")
    follow(world)
    world.finds("eva", "R07")
    follow(world)
    cora, lola = world.people["cora"], world.people["lola"]
    assert rows("SELECT owner_id FROM task WHERE compartment = 'counseling'") == [(cora,)]
    assert rows("SELECT owner_id FROM support_case ORDER BY id DESC LIMIT 2") == [(cora,), (lola,)]


def test_a_task_in_a_compartment_is_named_only_to_its_readers(world):
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    titles: Callable[[str], list[str]] = lambda login: [  # noqa: E731
        task.title for task in worklists.my_tasks(world.people["lea"], TODAY, reaching.openings(world.actor(login)))
    ]
    assert titles("lea") == ["Look at transport, uniform and fees"]
    assert titles("clara") == ["Support task"]
    assert caseload(world.actor("lea")) == ["Ana"]


# -- counts --------------------------------------------------------------------------------------------------


def test_a_task_of_a_role_in_a_compartment_is_shut_to_whoever_in_it_reads_only_their_own(world):
    """Neither in the news nor by its number: that there is one would tell of a student who is not theirs."""
    for login in ("pia", "per"):
        world.give(login, login.title(), "psychologist", "school:LIN")
    with transaction():
        told = {"student_id": world.students["ana"], "school_id": world.schools["LIN"], "created_at": now()}
        task = Task(**told, kind="support", period="kept", title="Talk", compartment="counseling", department="x",
                    owner_role="psychologist", owner_id=world.people["pia"], due=TODAY)  # fmt: skip
        db.session.add(task)
        db.session.flush()
        tell("task_given", [world.people["pia"], world.people["per"]], once="t", task_id=task.id)
    assert [len(news.read(world.actor(login))) for login in ("pia", "per")] == [1, 0]
    assert reaching.task_at_hand(task.id, world.actor("pia"))
    with pytest.raises(NotFound):
        reaching.task_at_hand(task.id, world.actor("per"))


def test_the_table_of_cases_holds_the_reasons_of_this_episode(world):
    by = world.actor("cora")
    closing.close(1002, by=by, reason="not_needed", useful={"R07": "no"})
    world.finds("ben", "R16", TODAY + timedelta(days=1))
    follow(world)
    (ben,) = [row for row in viewing.cases(by=world.actor("paul"), only_open=True) if row["case_number"] == 1002]
    assert (ben["rules"], ben["tier"], ben["status"], ben["owner_role"]) == ("R07;R16", "2", "new", "counselor")
    assert [row["case_number"] for row in viewing.cases(by=world.actor("otto"), only_open=True)] == [1003]


def test_the_number_of_statements_does_not_grow_with_the_list(world):
    def asked() -> int:
        with statements() as sent:
            everything_seen(by)
        return len(sent)

    by = world.actor("wanda")
    few = asked()
    for number in range(8):
        world.add_student(f"kid{number}")
        world.steps(f"kid{number}", 2, TODAY)
        world.finds(f"kid{number}", "R07")
    with statements() as sent:
        follow(world)
    assert len(sent) < 40
    by = world.actor("wanda")
    assert asked() == few


def test_opened_since_a_moment(world):
    by = world.actor("paul")
    reach = scope_of(by.grants, Permission.SEE_CASELOAD)
    later: datetime = now() + timedelta(minutes=1)
    assert len(worklists.new_cases(reach, by.person_id, TODAY, now() - timedelta(days=1))) == 2
    assert worklists.new_cases(reach, by.person_id, TODAY, later) == []
