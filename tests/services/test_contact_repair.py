"""Contact details that failed, and contacts that were written down wrongly."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from ew_app.kernel import Conflict, NotFound, Refused, apart, now, transaction
from ew_app.services.casework import amending, closing, repairing, tasks
from ew_app.services.casework.outreach import Attempt, log_outreach
from models.base import db
from models.people import Contact
from models.queries import ways
from models.rewound import rewind
from rules.access import NotAllowed
from rules.words import UnfitWords
from tests.services.one_case import flag_ana, the_case
from tests.services.world import rows

OLD, NEW = "312-555-0100", "773-555-0199"


@pytest.fixture
def family(world):
    """Ana's mother with one number."""
    with transaction():
        db.session.add(Contact(student_id=world.students["ana"], name="R. Rivera", relation="Mother", phone=OLD))
    return world


def fails(world, outcome="number_not_working", **more):
    attempt = Attempt(method=more.pop("method", "call"), outcome=outcome, used=more.pop("used", OLD))
    return log_outreach(attempt, by=world.actor("clara"), student_id=world.students["ana"], **more)


def bad(world):
    return set(ways.bad_ways([world.students["ana"]], repairing.failing()).get(world.students["ana"], {}))


def repairs():
    return rows("SELECT kind, status, note FROM task WHERE kind IN ('contact_repair', 'interpreter') ORDER BY id")


# -- repair --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "outcome"),
    [("call", "number_not_working"), ("call", "reached_wrong_person"), ("letter_mail", "letter_returned"),
     ("text", "message_failed"), ("visit", "visited_moved")],
)  # fmt: skip
def test_details_that_fail_become_one_task_of_the_clerk(family, method, outcome):
    for _ in range(3):
        fails(family, outcome, method=method)
    assert repairs() == [("contact_repair", "open", "")]
    assert rows("SELECT DISTINCT p.login FROM task t JOIN person p ON p.id = t.owner_id") == [("clara",)]
    assert bad(family) == {"3125550100"}


def test_an_interpreter_who_is_needed_becomes_a_task_of_its_own(family):
    fails(family, "interpreter_needed", used="")
    fails(family, "interpreter_needed", used="")
    assert repairs() == [("interpreter", "open", "")]
    assert bad(family) == set()


def test_somebody_who_was_reached_or_a_check_speaks_for_a_number(family):
    fails(family)
    fails(family, "no_answer")
    assert bad(family) == {"3125550100"}
    fails(family, "reached_agreed", used="(312) 555-0100")
    assert bad(family) == set()
    fails(family)
    repairing.it_works(family.students["ana"], phone=OLD, by=family.actor("clara"))
    assert bad(family) == set()
    with pytest.raises(Refused, match="Nothing is known"):
        repairing.it_works(family.students["ana"], phone=OLD, by=family.actor("clara"))


def note(world, by="clara", **more):
    given = {"name": "Aunt", "phone": NEW} | more
    return repairing.note_number(world.students["ana"], by=world.actor(by), **given)


def test_a_number_noted_by_hand_stands_beside_the_roster_until_the_roster_brings_it(family):
    fails(family)
    assert note(family).id == note(family, phone="(773) 555 0199").id  # the same number is one note
    fails(family, "no_answer", used=NEW)  # it can be used at once
    assert repairing.settle() == 0 and repairs() == [("contact_repair", "open", "")]
    with transaction():
        db.session.query(Contact).one().phone = NEW
    assert repairing.settle() == 1
    assert repairs() == [("contact_repair", "done", repairing.BROUGHT)]
    assert not ways.noted_for([family.students["ana"]])
    assert repairing.settle() == 0


def test_only_those_who_write_contact_details_note_a_number(family):
    with pytest.raises(NotAllowed):
        note(family, by="cora")
    with pytest.raises(NotFound):
        repairing.note_number(family.students["dan"], name="Aunt", phone=NEW, by=family.actor("clara"))
    for wrong in ({"phone": "555"}, {"name": ""}, {"name": "x" * 81}):
        with pytest.raises(Refused):
            note(family, **wrong)
    assert rows("SELECT count(*) FROM noted_contact") == [(0,)]


def test_a_task_done_by_hand_may_come_again_with_the_next_failure(family):
    fails(family)
    (task,) = rows("SELECT id FROM task")[0]
    tasks.finish(task, by=family.actor("clara"))
    fails(family)
    assert [status for _, status, _ in repairs()] == ["done", "open"]


# -- put right, struck ---------------------------------------------------------------------------------------


def entry(world, outcome="left_voicemail", **more):
    flag_ana(world)
    attempt = Attempt(method="call", outcome=outcome, note="Rang twice.", **more)
    return log_outreach(attempt, by=world.actor("cora"), case_number=1001, once="k").id


REACHED = Attempt(method="call", outcome="reached_agreed", note="She called back.")


def test_a_change_keeps_what_was_said_before_with_who_and_when(world):
    one, by = entry(world), world.actor("cora")
    assert amending.change(one, REACHED, by=by, version=1).is_contact
    assert rows("SELECT outcome, note, version, is_contact, author FROM outreach") == [
        ("reached_agreed", "She called back.", 2, True, "Cora Bell")
    ]
    (before,) = amending.versions(one, by=world.actor("wanda"))
    assert (before.entry["outcome"], before.entry["note"], before.version) == ("left_voicemail", "Rang twice.", 1)
    assert (before.ended, before.ended_by, before.ended_position) == ("changed", "Cora Bell", "School counselor")
    assert rows("SELECT kind FROM event WHERE kind LIKE 'outreach%' ORDER BY id") == [
        ("outreach",),
        ("outreach_changed",),
    ]


def test_nothing_is_overwritten_silently_and_nobody_changes_anothers_words(world):
    one, by = entry(world), world.actor("cora")
    amending.change(one, REACHED, by=by, version=1)
    with pytest.raises(Conflict, match="Nothing was saved"):
        amending.change(one, Attempt(method="call", outcome="no_answer"), by=by, version=1)
    with pytest.raises(NotAllowed, match="Only whoever wrote"):
        amending.change(one, REACHED, by=world.actor("paul"), version=2)
    with pytest.raises(UnfitWords):
        amending.change(one, Attempt(method="call", outcome="no_answer", note="undocumented"), by=by, version=2)
    amending.change(one, REACHED, by=by, version=2)  # the same words make no version
    assert rows("SELECT version, (SELECT count(*) FROM outreach_before) FROM outreach") == [(2, 1)]


def test_a_mistake_is_struck_with_a_reason_and_stays_readable(world):
    one, by = entry(world, "reached_agreed"), world.actor("cora")
    with pytest.raises(Refused, match="Say in a few words"):
        amending.strike(one, why=" ", by=by)
    amending.strike(one, why="Another Ana", by=by)
    assert rows("SELECT count(*) FROM outreach") == [(0,)]
    (struck,) = amending.versions(one, by=by)
    assert (struck.ended, struck.why, struck.entry["note"]) == ("struck", "Another Ana", "Rang twice.")
    assert rows("SELECT data ->> 'why' FROM event WHERE kind = 'outreach_struck'") == [("Another Ana",)]
    with pytest.raises(Refused, match="struck"):  # the form sent once more brings nothing back
        log_outreach(REACHED, by=by, case_number=1001, once="k")


def test_what_was_known_at_a_moment_is_told_as_it_read_then(world):
    one, by = entry(world), world.actor("cora")
    first = now()
    amending.change(one, REACHED, by=by, version=1)
    second = now()
    amending.strike(one, why="Another Ana", by=by)
    for moment, told in ((first, [("left_voicemail",)]), (second, [("reached_agreed",)]), (now(), [])):
        with apart():
            rewind(moment, [world.students["ana"]])
            assert [tuple(row) for row in db.session.execute(text("SELECT outcome FROM outreach"))] == told


def test_who_leads_the_case_may_strike_and_others_may_not_even_read(world):
    one = entry(world)
    for stranger in ("otto", "dora", "clara"):
        with pytest.raises(NotFound):
            amending.versions(one, by=world.actor(stranger))
        with pytest.raises(NotFound):
            amending.strike(one, why="Not mine", by=world.actor(stranger))
    amending.strike(one, why="Logged for the wrong day", by=world.actor("paul"))


def test_a_clerk_reads_what_the_office_wrote_of_an_absence_and_her_own(world):
    ana, by = world.students["ana"], world.actor("clara")
    mine = log_outreach(Attempt(method="call", outcome="no_answer"), by=by, student_id=ana).id
    assert amending.may_change(amending.entry_at_hand(mine, by), by)
    theirs = log_outreach(Attempt(method="call", outcome="no_answer"), by=world.actor("wanda"), student_id=ana).id
    with pytest.raises(NotFound):
        amending.entry_at_hand(theirs, by)


# -- what a contact had settled, when it turns out to be none --------------------------------------------------------

CALLED = "SELECT kind, status FROM task WHERE kind = 'contact'"


def reached(world, outcome: str = "reached_agreed"):
    flag_ana(world)
    return log_outreach(Attempt(method="call", outcome=outcome), by=world.actor("cora"), case_number=1001)


@pytest.mark.parametrize("how", ["struck", "changed"])
def test_a_contact_that_never_was_leaves_its_task_open_and_next(world, how):
    flag_ana(world)
    before = the_case("next_step", "due")
    entry = log_outreach(Attempt(method="call", outcome="reached_agreed"), by=world.actor("cora"), case_number=1001)
    assert rows(CALLED) == [("contact", "done")] and the_case("next_step", "due") != before
    if how == "struck":
        amending.strike(entry.id, why="It was another family.", by=world.actor("cora"))
    else:
        amending.change(entry.id, Attempt(method="call", outcome="left_voicemail"), by=world.actor("cora"), version=1)
    assert rows(CALLED) == [("contact", "open")] and the_case("next_step", "due") == before
    assert rows("SELECT done_at, done_by FROM task WHERE kind = 'contact'") == [(None, None)]


def test_another_contact_since_keeps_the_task_done(world):
    entry = reached(world)
    log_outreach(Attempt(method="in_person", outcome="reached_agreed"), by=world.actor("cora"), case_number=1001)
    amending.strike(entry.id, why="It was another family.", by=world.actor("cora"))
    assert rows(CALLED) == [("contact", "done")]


def test_a_try_that_reached_somebody_after_all_does_what_was_asked(world):
    entry = reached(world, "left_voicemail")
    assert rows(CALLED) == [("contact", "open")]
    amending.change(entry.id, Attempt(method="call", outcome="reached_agreed"), by=world.actor("cora"), version=1)
    assert rows(CALLED) == [("contact", "done")]
    amending.change(entry.id, Attempt(method="call", outcome="number_not_working"), by=world.actor("cora"), version=2)
    assert rows(CALLED) == [("contact", "open")]
    assert rows("SELECT count(*) FROM task WHERE kind = 'contact_repair'") == [(1,)]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"next_date": date(2062, 11, 20)}, "2062 is more than a year ahead"),
        ({"on_day": date(2006, 11, 13)}, "2006 is more than a year ago"),
    ],
)
def test_a_year_that_cannot_be_meant_is_refused(world, days, sentence):
    flag_ana(world)
    with pytest.raises(Refused, match=sentence):
        log_outreach(Attempt(method="call", outcome="no_answer", **days), by=world.actor("cora"), case_number=1001)


def test_no_task_is_opened_on_a_case_that_a_colleague_has_closed(world):
    flag_ana(world)
    (task,) = rows("SELECT id FROM task WHERE kind = 'contact'")[0]
    tasks.finish(task, by=world.actor("cora"))
    closing.close(1001, reason="moved_district", useful={"R07": "yes"}, by=world.actor("paul"))
    with pytest.raises(Refused, match="closed in the meantime"):
        tasks.undo(task, by=world.actor("cora"))
    assert the_case("next_step", "due") == ("", None)


@pytest.mark.parametrize("how", ["struck", "changed"])
def test_a_failure_that_never_was_asks_nobody_to_repair_unless_another_speaks_for_it(family, how):
    def never_was(number: int) -> None:
        if how == "struck":
            amending.strike(number, why="Another family", by=family.actor("clara"))
        else:
            right = Attempt(method="call", outcome="left_voicemail", used=OLD)
            amending.change(number, right, by=family.actor("clara"), version=1)

    one, other = fails(family).id, fails(family).id
    never_was(one)
    assert repairs() == [("contact_repair", "open", "")]
    never_was(other)
    assert repairs() == [("contact_repair", "withdrawn", "The contact that asked for this was put right.")]


# -- what a contact had set as the step of its case --------------------------------------------------------------------

SLIP, MEANT, EARLIER = date(2027, 4, 15), date(2026, 11, 18), date(2026, 11, 20)
STEP = ("next_step", "due")


def agreed(day: date | None, promise: str = "Mother brings the note", **more: str) -> Attempt:
    return Attempt(**{"method": "call", "outcome": "reached_agreed", **more}, next_date=day, promise=promise)


def logged(world, attempt: Attempt) -> int:
    return log_outreach(attempt, by=world.actor("cora"), case_number=1001).id


@pytest.mark.parametrize(
    ("now_reads", "step"),
    [
        (agreed(MEANT), ("Mother brings the note", MEANT)),
        (agreed(MEANT, ""), ("Contact the family again", MEANT)),
        (agreed(SLIP, "Aunt brings the note"), ("Aunt brings the note", SLIP)),
        (agreed(None, "Mother brings the note"), ("Agree a success plan", date(2026, 12, 7))),
        (agreed(None, "", outcome="left_voicemail"),
         ("Find out with the family what gets in the way", date(2026, 11, 19))),
        (agreed(MEANT, note="Said twice"), ("Mother brings the note", MEANT)),
    ],
)  # fmt: skip
def test_a_date_that_is_put_right_is_the_cases_too(world, now_reads, step):
    flag_ana(world)
    entry = logged(world, agreed(SLIP))
    assert the_case(*STEP) == ("Mother brings the note", SLIP)
    amending.change(entry, now_reads, by=world.actor("cora"), version=1)
    assert the_case(*STEP) == step


def test_what_the_contact_before_had_set_stands_again_when_a_later_one_is_struck(world):
    flag_ana(world)
    logged(world, agreed(EARLIER, "Father rings back"))
    entry = logged(world, agreed(SLIP))
    amending.strike(entry, why="Another child.", by=world.actor("cora"))
    assert the_case(*STEP) == ("Father rings back", EARLIER)


def test_a_step_that_somebody_set_since_stays_as_it_is(world):
    flag_ana(world)
    entry = logged(world, agreed(SLIP))
    logged(world, agreed(EARLIER, "Father rings back"))
    amending.change(entry, agreed(MEANT), by=world.actor("cora"), version=1)
    amending.strike(entry, why="Another child.", by=world.actor("cora"))
    assert the_case(*STEP) == ("Father rings back", EARLIER)


def test_a_date_that_was_forgotten_is_the_cases_unless_something_was_agreed_since(world):
    flag_ana(world)
    entry = logged(world, agreed(None, ""))
    amending.change(entry, agreed(MEANT), by=world.actor("cora"), version=1)
    assert the_case(*STEP) == ("Mother brings the note", MEANT)
    first = logged(world, agreed(None, ""))
    logged(world, agreed(EARLIER, "Father rings back"))
    amending.change(first, agreed(SLIP), by=world.actor("cora"), version=1)
    assert the_case(*STEP) == ("Father rings back", EARLIER)


def test_a_contact_put_right_moves_no_closed_case(world):
    flag_ana(world)
    entry = logged(world, agreed(SLIP))
    closing.close(1001, by=world.actor("cora"), reason="not_needed", useful={"R07": "no"})
    amending.change(entry, agreed(MEANT), by=world.actor("cora"), version=1)
    assert the_case(*STEP) == ("", None)


def test_a_colleagues_later_date_stands_beside_what_was_promised_sooner(world):
    """Cora was promised the note for Wednesday; Paul agrees on a call in December."""
    flag_ana(world)
    promised = logged(world, agreed(MEANT))
    later = log_outreach(agreed(date(2026, 12, 16), ""), by=world.actor("paul"), case_number=1001).id
    assert the_case(*STEP) == ("Mother brings the note", MEANT)
    asked = "SELECT title, due, status FROM task WHERE kind = 'call' AND period LIKE 'outreach/%'"
    assert rows(asked) == [("Contact the family again", date(2026, 12, 16), "open")]
    right = agreed(date(2026, 12, 17), "The aunt calls")
    amending.change(later, right, by=world.actor("paul"), version=1)
    assert rows(asked) == [("The aunt calls", date(2026, 12, 17), "open")] and the_case("due") == (MEANT,)
    amending.strike(later, why="Another family", by=world.actor("paul"))
    assert rows(asked)[0][2] == "withdrawn"
    logged(world, agreed(date(2026, 12, 18), "Father comes in"))
    assert the_case(*STEP) == ("Father comes in", date(2026, 12, 18)), "who was promised it may agree otherwise"
    assert promised
