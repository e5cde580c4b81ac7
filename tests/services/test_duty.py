"""Looking for a student, days that the district caused, and supports before any sanction."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from ew_app.kernel import NotFound, Refused, now, transaction
from ew_app.services.casework import (
    answering,
    closing,
    district_days,
    evidence,
    handing_out,
    school_changes,
    searching,
    supporting,
    tasks,
)
from ew_app.services.casework.causes import Heard, record_cause
from ew_app.services.casework.outreach import Attempt, log_outreach
from ew_app.services.casework.supporting import Offer
from ew_app.services.measuring import caused_days
from ew_app.services.measuring.why_days import Day
from models.base import db
from models.cases import Case
from models.people import Stint
from models.staff import Person
from models.tiers import StudentStatus
from rules.access import NotAllowed, Place
from rules.case_flow import IllegalMove
from rules.duty_of_care import FOUND, duty
from rules.words import UnfitWords
from tests.services.one_case import comes, flag_ana, follow, the_case
from tests.services.world import TODAY, rows

LINCOLN = Place.of_school("LIN", "N1")
STEPS = list(duty().search)


def day(back: int, state: str = "unexcused") -> Day:
    """A day so many days ago, missed or not."""
    return Day(TODAY - timedelta(days=back), state, state, 1000 if state in ("unexcused", "excused") else 0)


# -- looking for a student -------------------------------------------------------------------------------------


def test_a_search_is_a_list_with_days_and_a_copy_for_the_network(world):
    flag_ana(world)
    world.give("rita", "Rita Voss", "network_reengagement_contact", "network:N1")
    by = world.actor("wanda")
    with pytest.raises(Refused, match="Begin the list first"):
        searching.do(1001, STEPS[0], by=by)
    for _ in range(2):
        search = searching.begin(1001, by=by)
    assert [line.due for line in search.lines][:4] == [date(2026, 11, 17), *[date(2026, 11, 18)] * 3]
    assert rows("SELECT owner_role, owner_id, due FROM task WHERE kind = 'search_copy'") == [
        ("network_reengagement_contact", world.people["rita"], date(2026, 11, 18))
    ]
    with pytest.raises(UnfitWords):
        searching.do(1001, STEPS[0], by=by, words="Neighbours say they were deported")
    for step in STEPS:
        for _ in range(2):
            search = searching.do(1001, step, by=by, words="Nobody answers")
    assert search.whole and rows("SELECT count(*) FROM search_done") == [(len(STEPS) + 1,)]
    assert rows("SELECT count(*) FROM event WHERE kind = 'search_step'") == [(len(STEPS),)]


def test_a_student_who_is_found_ends_the_search_and_the_tasks_that_asked(world):
    world.stands("ana", 3)
    world.finds("ana", "R18")
    follow(world)
    by = world.actor("paul")
    searching.begin(1001, by=by)
    with pytest.raises(Refused, match="how the student was found"):
        searching.do(1001, FOUND, by=by)
    searching.do(1001, FOUND, by=by, words="With an aunt; comes on Monday")
    assert rows("SELECT DISTINCT status FROM task WHERE kind IN ('search', 'evidence')") == [("done",)]


def asks_now() -> dict[str, tuple[str, date]]:
    """Who is asked for which step of the search, by which day."""
    found = rows("""
        SELECT p.login, split_part(t.period, '/', 5), t.due FROM task t JOIN person p ON p.id = t.owner_id
        WHERE t.kind = 'search_step' AND t.status = 'open'
    """)
    return {login: (step, due) for login, step, due in found}


TUESDAY, WEDNESDAY, THURSDAY = date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)


def test_each_role_is_asked_for_the_next_step_it_has_and_its_tick_stands_on_the_list(world):
    flag_ana(world)
    searching.begin(1001, by=world.actor("paul"))
    first = {
        "clara": ("all_numbers", TUESDAY), "cora": ("friends_and_staff", WEDNESDAY), "wanda": ("home_visit", WEDNESDAY),
    }  # fmt: skip
    assert asks_now() == first
    ((number,),) = rows("SELECT id FROM task WHERE kind = 'search_step' AND owner_id = :c", c=world.people["clara"])
    tasks.finish(number, by=world.actor("clara"), note="Two numbers are dead")
    tasks.finish(number, by=world.actor("clara"))
    assert asks_now() == first | {"clara": ("family_schools", WEDNESDAY)}
    assert rows("SELECT words, author FROM search_done WHERE step = 'all_numbers'") == [
        ("Two numbers are dead", "Clara Ortiz")
    ]
    tasks.undo(number, by=world.actor("clara"))
    assert asks_now() == first and searching.search_of(db.session.get_one(Case, 1)).lines[0].done is None
    searching.do(1001, "home_visit", by=world.actor("paul"), words="Nobody opens")
    assert asks_now() == first | {"wanda": ("liaison", THURSDAY)}
    searching.do(1001, "second_visit", by=world.actor("paul"))
    searching.do(1001, FOUND, by=world.actor("paul"), words="With an aunt")
    assert asks_now() == {}
    searching.begin(1001, by=world.actor("paul"), again=True)
    assert asks_now() == first


def test_the_last_step_as_a_task_ends_what_asked_for_the_search_and_a_closed_case_takes_no_step(world):
    lost(world)
    follow(world)
    assert set(asks_now()) >= {"clara", "wanda"}, "a search that begins by itself asks too"
    while open_ones := rows("SELECT id, owner_id FROM task WHERE kind = 'search_step' AND status = 'open'"):
        names = {number: login for login, number in world.people.items()}
        tasks.finish(open_ones[0][0], by=world.actor(names[open_ones[0][1]]))
    assert searching.search_of(db.session.get_one(Case, 1)).whole
    assert rows("SELECT status FROM task WHERE kind = 'search'") == [("done",)]
    searching.do(1001, FOUND, by=world.actor("paul"), words="With an aunt")
    searching.begin(1001, by=world.actor("paul"), again=True)
    reasons = {row[0]: "yes" for row in rows("SELECT DISTINCT rule FROM case_reason")}
    closing.close(1001, by=world.actor("paul"), reason="moved_district", useful=reasons)
    assert asks_now() == {}
    with pytest.raises(IllegalMove):
        searching.do(1001, STEPS[0], by=world.actor("paul"))


def search() -> list[tuple[object, ...]]:
    """(begun by, still stands) of each search, and what became of the network's copies."""
    begun = rows("SELECT position, taken_back_at IS NULL FROM search_done WHERE step = 'begun' ORDER BY id")
    return [*begun, *rows("SELECT period, status FROM task WHERE kind = 'search_copy' ORDER BY id")]


def lost(world) -> int:
    """Ana is gone for ten days without contact; returns the finding."""
    world.give("rita", "Rita Voss", "network_reengagement_contact", "network:N1")
    world.stands("ana", 3)
    return world.finds("ana", "R18")


def test_ten_days_without_contact_begin_the_search_by_themselves_and_only_once(world):
    lost(world)
    for _ in range(2):
        follow(world)
    assert search() == [("background work", True), ("2026-27/search/1001/1", "open")]
    assert rows("SELECT owner_id FROM task WHERE kind = 'search_copy'") == [(world.people["rita"],)]
    found = searching.begin(1001, by=world.actor("paul"))
    assert found.by_itself and found.lines[0].due == date(2026, 11, 17) and len(search()) == 2
    assert rows("SELECT count(*) FROM event WHERE kind = 'search_begun'") == [(1,)]


def test_a_search_is_taken_back_when_the_marks_are_corrected_and_begins_anew_when_they_stand_again(world):
    finding = lost(world)
    follow(world)
    searching.do(1001, STEPS[0], by=world.actor("paul"), words="Nobody answers")
    world.corrects(finding)
    follow(world)
    assert search() == [("background work", False), ("2026-27/search/1001/1", "withdrawn")]
    assert searching.search_of(db.session.get_one(Case, 1)) is None
    assert rows("SELECT status, note FROM task WHERE kind = 'search'") == [
        ("withdrawn", "The marks behind this were corrected.")
    ]
    world.finds("ana", "R18")
    follow(world)
    assert search()[:2] == [("background work", False), ("background work", True)]
    assert search()[2:] == [("2026-27/search/1001/1", "open")]
    again = searching.search_of(db.session.get_one(Case, 1))
    assert again is not None and not any(line.done for line in again.lines), "what was done before is in the timeline"


def test_a_search_that_a_person_began_stays_theirs_whatever_is_corrected(world):
    finding = lost(world)
    world.corrects(finding)
    flag_ana(world)
    searching.begin(1001, by=world.actor("paul"))
    finding = world.finds("ana", "R18")
    world.stands("ana", 3)
    follow(world)
    world.corrects(finding)
    follow(world)
    assert search()[0][1] is True and search()[1:] == [("2026-27/search/1001/1", "open")]


COPIES = "SELECT period, status FROM task WHERE kind = 'search_copy' ORDER BY id"


def test_a_student_who_was_found_and_is_gone_again_is_looked_for_anew(world):
    finding = lost(world)
    follow(world)
    searching.do(1001, FOUND, by=world.actor("paul"), words="With an aunt; comes on Monday")
    assert rows(COPIES) == [("2026-27/search/1001/1", "done")], "the network need not look any more"
    comes(finding)
    world.finds("ana", "R18", TODAY + timedelta(days=20))
    for _ in range(2):
        follow(world)
    assert rows(COPIES) == [("2026-27/search/1001/1", "done"), ("2026-27/search/1001/1/2", "open")]
    found = searching.search_of(db.session.get_one(Case, 1))
    assert found is not None and found.found is None and not any(line.done for line in found.lines)


def test_a_person_may_begin_a_new_list_after_the_student_was_found(world):
    flag_ana(world)
    world.give("rita", "Rita Voss", "network_reengagement_contact", "network:N1")
    by = world.actor("paul")
    for _ in range(2):
        searching.begin(1001, by=by, again=True)
        searching.do(1001, FOUND, by=by, words="With an aunt")
    searching.begin(1001, by=by)  # an old page, sent once more
    assert rows(COPIES) == [("2026-27/search/1001/1", "done"), ("2026-27/search/1001/1/2", "done")]
    assert rows("SELECT count(*) FROM search_done WHERE taken_back_at IS NULL") == [(2,)]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (lambda w: None, "rita"),
        (lambda w: w.away("rita", deputy="wanda"), "wanda"),
        (lambda w: w.away("rita"), None),
        (lambda w: w.end("rita"), None),
        (lambda w: shut_out(w, "rita"), None),
    ],
    ids=["there", "deputy", "leave", "ended", "shut out"],
)
def test_the_copy_of_a_search_goes_to_whoever_is_there_for_the_network_and_never_to_the_school(
    world, situation, expected
):
    world.give("rita", "Rita Voss", "network_reengagement_contact", "network:N1")
    situation(world)
    flag_ana(world)
    searching.begin(1001, by=world.actor("paul"))
    handing_out.hand_out()
    owner = "SELECT owner_id FROM task WHERE kind = 'search_copy'"
    assert rows(owner) == [(world.people[expected] if expected else None,)]
    if expected is None:
        world.give("rosa", "Rosa Lind", "network_reengagement_contact", "network:N1")
        handing_out.hand_out()
        assert rows(owner) == [(world.people["rosa"],)]


def shut_out(world, login: str) -> None:
    """Nobody of that name signs in any more; the role still stands in the table."""
    with transaction():
        db.session.get_one(Person, world.people[login]).disabled_at = now()


def test_the_copy_of_a_search_goes_along_to_the_network_of_the_new_school(world):
    for login, network in (("rita", "N1"), ("rosa", "N2")):
        world.give(login, login.title(), "network_reengagement_contact", f"network:{network}")
    world.give("carl", "Carl Dunn", "counselor", "school:ROS")
    flag_ana(world)
    searching.begin(1001, by=world.actor("paul"))
    with transaction():
        db.session.get_one(StudentStatus, world.students["ana"]).school_id = world.schools["ROS"]
        ana = {"student_id": world.students["ana"]}
        db.session.execute(update(Stint).filter_by(**ana).values(exit_date=TODAY - timedelta(days=3)))
        db.session.add(Stint(**ana, school_id=world.schools["ROS"], entry_date=TODAY))
    school_changes.notice()
    ((number,),) = rows("SELECT id FROM hand_over")
    school_changes.write(number, by=world.actor("cora"), story="Trusts the aunt.")
    answering.accept(number, by=world.actor("carl"))
    handing_out.hand_out()
    owners = dict(rows("SELECT kind, owner_id FROM task WHERE status = 'open'"))
    assert owners["search_copy"] == world.people["rosa"] and owners["contact"] == world.people["carl"]


# -- days that the district caused -----------------------------------------------------------------------------


def test_days_of_the_district_are_counted_apart_and_those_of_a_compartment_only_there(world):
    told = [day(6), day(5), day(4), day(3, "present")]
    ana, clara, nia = world.students["ana"], world.actor("clara"), world.actor("nia")
    for _ in range(2):
        district_days.tag(ana, told[0].day, "bus", place=LINCOLN, missed=told, by=clara)
    district_days.tag(ana, told[1].day, "exclusion", place=LINCOLN, missed=told, by=nia)
    with pytest.raises(NotAllowed):
        district_days.tag(ana, told[1].day, "exclusion", place=LINCOLN, missed=told, by=clara)
    with pytest.raises(Refused, match="was not away"):
        district_days.tag(ana, told[3].day, "bus", place=LINCOLN, missed=told, by=clara)
    outside = caused_days.counted_apart([ana], told, ())
    inside = caused_days.counted_apart([ana], told, ["health"])
    assert (outside.district, outside.others, outside.all) == (1000, 2000, 3000)
    assert (inside.district, inside.others) == (2000, 1000)
    (row,) = rows("SELECT id FROM district_day WHERE compartment IS NULL")
    district_days.take_back(row[0], student_id=ana, by=clara)
    assert caused_days.counted_apart([ana], told, ()).district == 0
    (hidden,) = rows("SELECT id FROM district_day WHERE compartment = 'health'")
    with pytest.raises(NotFound):
        district_days.take_back(hidden[0], student_id=ana, by=clara)


# -- supports before any sanction ------------------------------------------------------------------------------


LEGAL = "SELECT status FROM task WHERE period LIKE 'legal/%' ORDER BY id"
TRIES = ((3, "call", "no_answer"), (2, "text", "message_delivered"), (0, "call", "reached_agreed"))


def test_a_legal_step_is_refused_until_the_record_is_whole_and_then_legal_is_asked(world):
    flag_ana(world)
    by = world.actor("paul")
    _, lacks = evidence.ask(1001, "outside_referral", by=by)
    assert [one.need for one in lacks] == list(duty().steps["outside_referral"].least)
    with pytest.raises(Refused, match="not whole yet"):
        evidence.take_out(1001, "outside_referral", by=by)
    for back, method, outcome in (
        (3, "call", "no_answer"),
        (2, "text", "message_delivered"),
        (0, "call", "reached_agreed"),
    ):
        attempt = Attempt(method=method, outcome=outcome, on_day=TODAY - timedelta(days=back))
        rows("UPDATE support_case SET opened = '2026-11-01' RETURNING 1")
        log_outreach(attempt, by=by, case_number=1001)
    for said_by in ("student", "staff"):
        record_cause(1001, Heard(code="B-CARE" if said_by == "staff" else "B-TRANSPORT", said_by=said_by), by=by)
    supporting.offer(1001, Offer(intervention="I12", family_agreed="no"), by=by)
    pack, lacks = evidence.ask(1001, "outside_referral", by=by)
    assert lacks == [] and (pack.counts["attempts"], pack.counts["ways"]) == (3, 2)
    assert rows("SELECT department FROM task WHERE period LIKE 'legal/%'") == [("legal",)]
    evidence.ask(1001, "outside_referral", by=by)
    assert rows(LEGAL) == [("open",)], "while it is open it is the one"
    rows("UPDATE task SET status = 'done', done_at = now() WHERE period LIKE 'legal/%' RETURNING 1")
    for step in ("outside_referral", "district_step"):
        asked, _ = evidence.ask(1001, step, by=by)
        assert evidence.who_is_asked(asked, step) == "principal", "nobody of Legal is named there"
    assert rows(LEGAL) == [("done",), ("open",), ("open",)], "anew, and for each step by itself"
    evidence.take_out(1001, "outside_referral", by=by)
    assert rows("SELECT actor, reason FROM audit_row WHERE action = 'evidence_taken_out'") == [
        ("paul", duty().steps["outside_referral"].label)
    ]
    assert the_case("closed_on", "close_reason") == (None, None)  # nothing happens to the student


def test_the_record_holds_nothing_of_a_compartment_and_nothing_limited(world):
    flag_ana(world)
    before = evidence.look(1001, by=world.actor("paul"))
    record_cause(1001, Heard(code="A-ANX", said_by="student"), by=world.actor("cora"))
    supporting.offer(1001, Offer(intervention="I33"), by=world.actor("cora"))
    record_cause(1001, Heard(code="B-BASIC", said_by="student"), by=world.actor("cora"))
    supporting.offer(1001, Offer(intervention="I06"), by=world.actor("cora"))
    after = evidence.look(1001, by=world.actor("cora"))
    assert (after.supports, after.causes, after.counts) == (before.supports, before.causes, before.counts)


def test_only_those_who_lead_cases_ask(world):
    flag_ana(world)
    for colleague in ("clara", "nia", "lea", "tara", "zoe"):
        with pytest.raises((NotAllowed, NotFound)):
            evidence.ask(1001, "withdrawal", by=world.actor(colleague))
    with pytest.raises(Refused, match="Choose what"):
        evidence.ask(1001, "anything else", by=world.actor("paul"))
