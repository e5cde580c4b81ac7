"""What is asked for inside a compartment: by whom, how it goes on, what it cost, and that nobody else can feel it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ew_app.kernel import Conflict, NotFound, Refused
from ew_app.services.casework import looking_in, promises, workspaces
from ew_app.services.casework.promises import Wanted
from ew_app.services.casework.waiting import Span, since_words, spans_of, waited
from ew_app.services.rosters import roster, roster_undo
from models.base import db
from models.people import SupportFlag
from rules.access import FieldClass, NotAllowed
from rules.words import UnfitWords
from tests.services.one_case import flag_ana
from tests.services.rosters import deliver, load
from tests.services.world import TODAY, rows

FRIDAY = TODAY - timedelta(days=3)
STEPS = "SELECT state, on_day, note, author, position FROM promise_step ORDER BY id"
CASE = "SELECT owner_id, due, status, version, next_step FROM support_case"


def ask(world, kind: str = "ventra", by: str = "lea", **more):
    return promises.ask(world.students["ana"], Wanted(kind=kind, **more), by=world.actor(by))


def test_a_promise_goes_its_way_and_every_state_is_kept_with_its_day_and_author(world):
    promise = ask(world, asked_on=FRIDAY)
    assert (promise.state, promise.due, promise.owner_id) == ("asked", TODAY + timedelta(days=1), world.people["lea"])
    for state in ("approved", "issued", "in_hand"):
        promise = promises.move(promise.id, state, by=world.actor("lea"))
    assert (promise.state, promise.settled_on) == ("in_hand", TODAY)
    assert [row[:2] for row in rows(STEPS)] == [
        ("asked", FRIDAY), ("approved", TODAY), ("issued", TODAY), ("in_hand", TODAY)
    ]  # fmt: skip
    assert {row[3:] for row in rows(STEPS)} == {("Lea Fox", "Liaison for students in temporary living situations")}


def test_a_refusal_keeps_its_reason_and_waits_until_the_family_knows_how_to_appeal(world):
    promise = ask(world, "bus")
    with pytest.raises(Refused, match="reason that was given"):
        promises.move(promise.id, "refused", by=world.actor("lea"))
    promise = promises.move(promise.id, "refused", note="Lives within walking distance.", by=world.actor("lea"))
    assert promise.settled_on is None
    promise = promises.move(promise.id, "refused", note="Letter given.", appeal_told=True, by=world.actor("lea"))
    assert promise.settled_on == TODAY


def test_a_lost_card_is_a_step_back_that_says_so(world):
    promise = promises.move(ask(world).id, "issued", by=world.actor("lea"))
    with pytest.raises(Refused, match="step back"):
        promises.move(promise.id, "asked", by=world.actor("lea"))
    assert promises.move(promise.id, "asked", note="The card was lost.", by=world.actor("lea")).state == "asked"


def test_no_state_is_reached_before_the_one_before_it(world):
    promise = ask(world, asked_on=TODAY - timedelta(days=20))
    promises.move(promise.id, "issued", on_day=FRIDAY, by=world.actor("lea"))
    for day in (FRIDAY - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(Refused, match="between Fri 13 Nov"):
            promises.move(promise.id, "in_hand", on_day=day, by=world.actor("lea"))
    assert promises.move(promise.id, "in_hand", on_day=FRIDAY, by=world.actor("lea")).settled_on == FRIDAY


def test_what_is_taken_up_again_has_a_new_day_by_which_it_should_be_in_hand(world):
    promise = ask(world, asked_on=TODAY - timedelta(days=60), due=TODAY - timedelta(days=59))
    promises.move(promise.id, "in_hand", by=world.actor("lea"))
    promise = promises.move(promise.id, "asked", note="The card was lost.", by=world.actor("lea"))
    assert (promise.due, promise.settled_on) == (TODAY + timedelta(days=1), None)


def test_days_without_are_those_of_every_stretch_and_none_on_which_it_was_in_hand(world):
    """Asked on a Monday, in hand on Wednesday, lost on Friday of the week after: two school days, and one."""
    monday = TODAY - timedelta(days=14)
    promise = ask(world, asked_on=monday)
    promises.move(promise.id, "in_hand", on_day=monday + timedelta(days=2), by=world.actor("lea"))
    (held,) = spans_of([promise])
    assert (held.since, held.until, held.earlier) == (monday, monday + timedelta(days=2), ())
    promise = promises.move(promise.id, "asked", on_day=FRIDAY, note="The card was lost.", by=world.actor("lea"))
    (span,) = spans_of([promise])
    assert (span.since, span.until, span.earlier) == (FRIDAY, None, ((monday, monday + timedelta(days=2)),))
    assert [one.days for one in waited([held, span])] == [2, 3]
    assert since_words(span) == "Mon 2 Nov, again Fri 13 Nov"
    promise = promises.move(promise.id, "in_hand", by=world.actor("lea"))
    promise = promises.move(promise.id, "issued", note="The wrong card.", by=world.actor("lea"))
    assert spans_of([promise])[0].stretches[1:] == ((FRIDAY, TODAY),), "lost on the day it came: never in hand"


def test_two_people_do_not_overwrite_each_other_and_a_form_counts_once(world):
    promise = ask(world)
    seen = promise.version
    promises.move(promise.id, "approved", by=world.actor("lea"), version=seen, once="k1")
    promises.move(promise.id, "approved", by=world.actor("lea"), version=seen, once="k1")
    assert rows("SELECT count(*) FROM promise_step") == [(2,)]
    with pytest.raises(Conflict):
        promises.move(promise.id, "in_hand", by=world.actor("lea"), version=seen)
    wanted, lea = Wanted(kind="uniform"), world.actor("lea")
    first = promises.ask(world.students["ana"], wanted, by=lea, once="k2").id
    assert promises.ask(world.students["ana"], wanted, by=lea, once="k2").id == first


@pytest.mark.parametrize("login", ["cora", "paul", "clara", "tara", "nia", "zoe", "dora", "wanda"])
def test_nobody_else_can_ask_open_move_or_give(world, login):
    """Not even the social worker of the case: reading is not writing."""
    flag_ana(world)
    promise, by = ask(world), world.actor(login)
    for act in (
        lambda: promises.ask(world.students["ana"], Wanted(kind="ventra"), by=by),
        lambda: promises.open_one(promise.id, by=by),
        lambda: promises.move(promise.id, "in_hand", by=by),
        lambda: promises.give(promise.id, world.people["lea"], by=by),
    ):
        with pytest.raises((NotFound, NotAllowed)) as refusal:
            act()
        assert "promise" not in str(refusal.value).lower() and "ventra" not in str(refusal.value).lower()
    assert rows("SELECT count(*), max(state) FROM promise") == [(1, "asked")]


def test_a_promise_changes_nothing_outside_its_compartment(world):
    flag_ana(world)
    before = rows(CASE)
    promise = ask(world)
    promises.move(promise.id, "in_hand", by=world.actor("lea"))
    assert rows(CASE) == before
    kept = rows("SELECT DISTINCT compartment, case_id FROM event WHERE kind LIKE 'promise%'")
    assert kept == [("stls", None)]


def test_what_cannot_be_asked_is_refused_with_a_sentence(world):
    for wanted, sentence in (
        ({"kind": "helicopter"}, "Choose what is asked for"),
        ({"kind": "uniform", "for_whom": "caregiver"}, "for the student"),
        ({"kind": "ventra", "asked_on": TODAY + timedelta(days=1)}, "today or on a day"),
        ({"kind": "ventra", "due": TODAY - timedelta(days=9)}, "lies after"),
        ({"kind": "ventra", "owner": world.people["paul"]}, "looks after this"),
        ({"kind": "ventra", "what": "x" * 141}, "under 140"),
    ):
        with pytest.raises(Refused, match=sentence):
            promises.ask(world.students["ana"], Wanted(**wanted), by=world.actor("lea"))
    with pytest.raises(UnfitWords):
        ask(world, what="has no green card")


def test_the_caregiver_of_a_small_child_gets_a_card_of_their_own(world):
    ask(world)
    ask(world, for_whom="caregiver")
    assert rows("SELECT for_whom FROM promise ORDER BY id") == [("student",), ("caregiver",)]


def test_school_days_waited_count_no_weekend_and_no_day_that_has_not_come(world):
    ana, lincoln = world.students["ana"], world.schools["LIN"]
    spans = [Span(ana, lincoln, FRIDAY), Span(ana, lincoln, date(2026, 11, 9), FRIDAY, date(2026, 11, 11))]
    assert [(one.days, one.late, one.missed) for one in waited(spans)] == [(1, 0, 0), (4, 2, 0)]
    assert waited([]) == []


def test_every_opening_and_every_list_is_written_down_once_a_day(world):
    promise = ask(world)
    lea = world.actor("lea")
    promises.open_one(promise.id, by=lea)
    for _ in range(2):
        workspaces.shown(FieldClass.STLS, [world.students["ana"], world.students["ana"]], by=lea)
    read = rows("SELECT action, actor, student_id, compartment FROM audit_row WHERE action LIKE 'compartment%'")
    ana = world.students["ana"]
    assert sorted(read) == [
        ("compartment_listed", "lea", ana, "stls"), ("compartment_opened", "lea", ana, "stls")
    ]  # fmt: skip


def test_whoever_sees_to_a_promise_opens_the_compartment_without_saying_why(world):
    ana, lea = world.students["ana"], world.actor("lea")
    with pytest.raises(Refused, match="why you open this"):
        looking_in.look_in(ana, "stls", by=lea)
    promise = ask(world)
    assert [one.id for one in looking_in.look_in(ana, "stls", by=lea).promises] == [promise.id]


def test_a_workspace_belongs_to_whoever_reads_its_compartment(world):
    found = {login: [str(one) for one in workspaces.of(world.actor(login))] for login in world.people}
    assert found == {
        "lea": ["stls"], "nia": ["health"], "cora": ["counseling"], "dora": ["counseling"],
        "wanda": ["stls", "counseling"], "paul": [], "otto": [], "clara": [], "tara": [], "zoe": [],
    }  # fmt: skip
    with pytest.raises(NotFound):
        workspaces.enter("health", world.actor("lea"))


# -- the school of origin --------------------------------------------------------------------------------------


def in_stls(world, name: str = "ana") -> None:
    db.session.add(SupportFlag(student_id=world.students[name], key="stls", compartment="stls"))
    db.session.commit()


STAYS = "SELECT owner_id, compartment, title, due, case_id FROM task WHERE title LIKE 'Leaving%'"
ENROLLED = "student_id,school_id,entry_date,exit_date\n{}"
LEAVES = ENROLLED.format("S-ana,LIN,2026-08-17,2026-11-13\n")


def test_the_liaison_is_asked_before_a_student_is_gone_from_the_school_of_origin(world):
    in_stls(world)
    for _ in range(2):
        load({"enrollments": LEAVES})
    title = "Leaving the school: does the family know that the child may stay?"
    assert rows(STAYS) == [(world.people["lea"], "stls", title, TODAY + timedelta(days=1), None)]


STATES = "SELECT status, note FROM task WHERE title LIKE 'Leaving%'"
NO_MORE = ("withdrawn", "The roster says no longer that the student leaves.")


def test_nobody_is_asked_any_more_once_the_roster_is_taken_back_or_says_otherwise(world):
    in_stls(world)
    load({"enrollments": ENROLLED.format("S-ana,LIN,2026-08-17,\n")})
    took_out = deliver({"enrollments": LEAVES})
    roster.apply(took_out)
    assert rows(STATES) == [("open", "")]
    roster_undo.take_back(took_out)
    assert rows(STATES) == [NO_MORE]
    told = rows("SELECT kind, compartment FROM event WHERE kind = 'task_withdrawn'")
    assert told == [("task_withdrawn", "stls")]
    load({"enrollments": LEAVES.replace("11-13", "11-16")})
    assert rows(f"{STATES} ORDER BY id") == [NO_MORE, ("open", "")]
    load({"enrollments": LEAVES})
    assert sorted(rows(STATES)) == [("open", ""), NO_MORE], "the first is asked again, the second no more"
    load({"enrollments": ENROLLED.format("S-ana,LIN,2026-08-17,2026-12-18\n")})
    assert [state for state, _ in rows(f"{STATES} ORDER BY id")] == ["withdrawn", "withdrawn", "open"]


def test_nobody_is_asked_about_other_students_nor_at_the_end_of_the_year(world):
    load({"enrollments": LEAVES})
    in_stls(world, "ben")
    load({"enrollments": ENROLLED.format("S-ben,LIN,2026-08-17,2027-06-30\n")})
    assert rows(STAYS) == []
