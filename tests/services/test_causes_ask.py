"""What gets in the way is asked of whoever the routing table names: each cause its own, and anew when it comes back."""

from __future__ import annotations

import pytest

from ew_app.services.casework import answering, handing_out, handing_over, moves, tasks
from ew_app.services.casework.causes import Heard, end_cause, record_cause
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.casework.outreach import Attempt, log_outreach
from tests.services.one_case import flag_ana, follow
from tests.services.world import World, rows

OPEN = "SELECT title FROM task WHERE status = 'open' AND rule IS NULL AND kind <> 'help' ORDER BY id"


@pytest.fixture
def case(world: World) -> World:
    """Ana's case with Wanda, who may write in the parts about housing and counseling; the nurse helps."""
    flag_ana(world)
    moves.assign(1001, by=world.actor("paul"), to=world.people["wanda"])
    for login, role in (("nia", "nurse"), ("lea", "stls_liaison")):
        asked = handing_over.refer(
            1001, Wanted(to=f"{world.people[login]}:{role}", asked="Please talk"), by=world.actor("wanda")
        )
        answering.accept(asked.id, by=world.actor(login))
    return world


def hear(world: World, login: str, *codes: str, note: str = "") -> list[int]:
    return [
        record_cause(1001, Heard(code=code, said_by="caregiver", note=note), by=world.actor(login)).id for code in codes
    ]


def asked(world: World) -> list[str]:
    return [title for (title,) in rows(OPEN)]


@pytest.mark.parametrize(
    ("login", "code", "title"),
    [
        ("lea", "B-HOUSING", "Talk about rights; ask for transport, uniform and supplies"),
        ("wanda", "B-TRANSPORT", "Check the route; arrange fare or bus"),
        ("nia", "B-HLTH-CHRON", "Look at the health plan"),
    ],
)
def test_a_cause_that_comes_back_is_asked_about_anew(case: World, login: str, code: str, title: str) -> None:
    for time in range(3):
        (cause,) = hear(case, login, code)
        assert asked(case) == [title], f"time {time}"
        hear(case, login, code, note="Heard it again.")
        assert asked(case) == [title], "said again it is the same time"
        ((task,),) = rows("SELECT id FROM task WHERE status = 'open' AND title = :title", title=title)
        tasks.finish(task, by=case.actor({"wanda": "clara"}.get(login, login)))
        hear(case, login, code, note="And once more.")
        assert asked(case) == []
        ((cause,),) = rows("SELECT id FROM cause WHERE ended_at IS NULL")
        end_cause(cause, by=case.actor(login))
        assert asked(case) == []


def test_one_that_comes_back_while_its_task_is_open_is_not_asked_twice(case: World) -> None:
    for _ in range(2):
        (cause,) = hear(case, "wanda", "B-TRANSPORT")
        end_cause(cause, by=case.actor("wanda"))
    assert asked(case) == ["Check the route; arrange fare or bus"]


def test_what_nobody_could_be_asked_the_second_time_is_handed_out_by_its_cause(case: World) -> None:
    (cause,) = hear(case, "wanda", "B-SAFETY")
    ((task,),) = rows("SELECT id FROM task WHERE title LIKE 'Check the route%'")
    tasks.finish(task, by=case.actor("paul"))
    end_cause(cause, by=case.actor("wanda"))
    case.away("paul")
    hear(case, "wanda", "B-SAFETY")
    assert rows("SELECT owner_id FROM task WHERE title LIKE 'Check the route%' AND status = 'open'") == [(None,)]
    case.give("sam", "Sam Ruiz", "department_contact", "district", department="safety_and_security")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM task WHERE title LIKE 'Check the route%' AND status = 'open'") == [
        (case.people["sam"],)
    ]


@pytest.mark.parametrize(
    ("login", "first", "second", "titles"),
    [
        ("wanda", "B-TRANSPORT", "B-SAFETY",
         ["Check the route; arrange fare or bus", "Check the route and the hour of arrival"]),
        ("wanda", "A-ANX", "A-BULLY",
         ["A private talk and a plan for coming back", "Check the duty to report and make class safe"]),
        ("nia", "B-HLTH-CHRON", "B-HLTH-ORAL",
         ["Look at the health plan", "Find an appointment or a school visit of the dentist, eye doctor or clinic"]),
        ("wanda", "B-BASIC", "B-CARE", ["Bring what helps this week", "Look for care, or hours that fit"]),
        ("wanda", "D-CREDIT", "A-ACADEMIC", ["Plan credits and the way back", "Plan catching up with the teachers"]),
    ],
)  # fmt: skip
def test_each_cause_asks_for_its_own_whatever_else_is_open(
    case: World, login: str, first: str, second: str, titles: list[str]
) -> None:
    """Beside the first contact and the support meeting that every case of Tier 3 has."""
    case.stands("ana", 3)
    case.finds("ana", "R08")
    follow(case, "ana")
    hear(case, login, first, second)
    assert asked(case) == titles


def test_two_causes_of_one_row_ask_once_in_the_same_words(case: World) -> None:
    hear(case, "nia", "B-HLTH-ORAL", "B-HLTH-VISION")
    assert asked(case) == ["Find an appointment or a school visit of the dentist, eye doctor or clinic"]


def test_a_call_of_the_office_does_not_tick_off_what_a_cause_asked_of_somebody_else(case: World) -> None:
    hear(case, "wanda", "B-HLTH-ACUTE", "B-BASIC")
    log_outreach(
        Attempt(method="call", outcome="reached_agreed"), by=case.actor("clara"), student_id=case.students["ana"]
    )
    assert asked(case) == ["Ask about the illnesses and what would help", "Bring what helps this week"]
    assert rows("SELECT status FROM task WHERE kind = 'contact'") == [("done",)], "the first contact is made"


@pytest.mark.parametrize("rule_first", [True, False])
def test_a_rule_and_a_cause_that_speak_of_the_same_are_one_task(case: World, rule_first: bool) -> None:
    def flag() -> None:
        case.finds("ana", "R22", compartment="stls")
        follow(case, "ana")

    for step in (flag, lambda: hear(case, "lea", "B-HOUSING"))[:: 1 if rule_first else -1]:
        step()
    follow(case, "ana")
    assert len(rows("SELECT id FROM task WHERE compartment = 'stls'")) == 1


@pytest.mark.parametrize("rule_first", [True, False])
def test_a_rule_and_a_cause_of_one_compartment_ask_for_what_each_is_about(case: World, rule_first: bool) -> None:
    def flag() -> None:
        case.finds("ana", "R14", compartment="counseling")
        follow(case, "ana")

    for step in (flag, lambda: hear(case, "wanda", "A-BULLY"))[:: 1 if rule_first else -1]:
        step()
    shut = rows("SELECT title FROM task WHERE compartment = 'counseling' AND status = 'open' ORDER BY title")
    assert [title for (title,) in shut] == ["Check the duty to report and make class safe", "Offer a private talk"]
    follow(case, "ana")
    assert len(rows("SELECT id FROM task WHERE compartment = 'counseling'")) == 2, "followed again, asked once"
