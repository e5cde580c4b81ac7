"""Work that nobody goes on with: taken from who has left, handed out anew, shown above; and hours that are stated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from ew_app.kernel import Conflict, Refused, now, transaction
from ew_app.services.casework import closing, handing_out, moves, outreach, promises, rising, seats
from ew_app.services.casework.outreach import Attempt
from ew_app.services.notices import news
from ew_app.services.people import terms
from ew_app.services.people.terms import Terms
from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Stint
from models.queries import worklists
from models.staff import Grant
from models.tiers import StudentStatus
from rules.access import FieldClass, NotAllowed
from rules.routing import Via
from rules.routing_table import routing_table
from tests.opened import on
from tests.services.one_case import flag_ana, follow, grant_of, listed, owner, the_case, the_number
from tests.services.world import TODAY, World, rows

RAISED = "SELECT why, level, since FROM raised WHERE ended_at IS NULL ORDER BY why"


def nobody_at_lincoln(world: World) -> None:
    for login in ("clara", "cora", "wanda", "nia", "lea", "paul", "tara"):
        world.end(login)


# -- the table in the database: the situations of tests/rules/test_responsibility.py, as grants ------------------------


@pytest.mark.parametrize(
    ("situation", "expected", "via"),
    [
        (lambda w: None, "cora", "holder"),
        (lambda w: w.away("cora", deputy="paul"), "paul", "deputy"),
        (lambda w: w.away("cora"), "wanda", "fallback"),
        (lambda w: w.end("cora"), "wanda", "fallback"),
        (lambda w: w.give("ida", "Ida Marsh", "counselor", "school:DOU"), "cora", "holder"),
        (lambda w: w.give("carl", "Carl Dunn", "counselor", "school:LIN"), "cora", "holder"),
        (nobody_at_lincoln, None, "unowned"),
    ],
    ids=["active", "deputy", "leave", "ended", "elsewhere", "two holders", "nobody"],
)
def test_a_case_finds_its_owner_in_every_situation(world, situation, expected, via):
    situation(world)
    flag_ana(world)
    assert (owner(world), the_case("owner_via")) == (expected, (via,))
    handing_out.hand_out()
    raised = [row[:2] for row in rows(RAISED) if row[0] == "unowned"]
    assert (("unowned", 1) in raised) == (expected is None)


def test_somebody_itinerant_has_both_schools_and_their_hours_count_once_for_all(world):
    world.end("cora")
    ida = world.give("ida", "Ida Marsh", "counselor", "school:LIN")
    with transaction():
        db.session.add(Grant(person_id=ida, role="counselor", place="school:DOU", starts=date(2026, 8, 17), hours=10))
    follow_two(world)
    assert rows("SELECT DISTINCT owner_id FROM support_case WHERE student_id = :s", s=world.students["ana"]) == [(ida,)]


def follow_two(world: World) -> None:
    for name in ("ana", "dan"):
        world.stands(name, 2)
        world.finds(name, "R07")
    follow(world)


# -- nothing stays with who has left, and nothing waits unseen ---------------------------------------------------------


def test_work_of_somebody_whose_role_has_ended_goes_to_somebody_else(world):
    flag_ana(world)
    moves.assign(the_number(), by=world.actor("cora"))
    assert the_case("status") == ("assigned",)
    world.end("cora")
    assert handing_out.hand_out() == 3  # the case and its two tasks
    assert owner(world) == "wanda" and the_case("status") == ("assigned",)
    assert rows("SELECT DISTINCT owner_id FROM task WHERE status = 'open'") == [(world.people["wanda"],)]
    assert rows("SELECT kind FROM event WHERE kind = 'case_released'") == [("case_released",)]
    assert handing_out.hand_out() == 0


def test_somebody_on_leave_keeps_what_is_theirs(world):
    flag_ana(world)
    world.away("cora", deputy="paul")
    handing_out.hand_out()
    assert owner(world) == "cora"


def test_unowned_work_is_seen_by_the_principal_at_once_and_by_the_network_after_a_school_day(world, settings):
    nobody_at_lincoln(world)
    flag_ana(world)
    handing_out.hand_out()
    principal = world.give("pia", "Pia Reyes", "principal", "school:DOU")  # of another school
    assert principal and rising.seen_by(world.actor("pia")) == []
    assert rising.escalated_to(world.actor("zoe")) == []
    with on(replace(settings, today=TODAY + timedelta(days=1))):
        rising.rise()
        (told,) = [row for row in rising.escalated_to(world.actor("zoe")) if row.why == "unowned"]
        assert (told.case_number, told.school, told.since) == (the_number(), "Lincoln", TODAY)
        assert rising.days_waited([told]) == {(told.school_id, told.since): 1}
        assert not hasattr(told, "first_name")
        before = rows("SELECT * FROM raised ORDER BY id")
        assert rising.rise() == {"raised": 0, "to the network": 0, "ended": 0}
        assert rows("SELECT * FROM raised ORDER BY id") == before


def test_what_goes_on_leaves_the_list_and_its_row_stays(world, settings):
    flag_ana(world)
    later = TODAY + timedelta(days=14)  # contact was due after three school days; a week of them is a holiday
    with on(replace(settings, today=later)):
        rising.rise()
        assert ("unclaimed", 1) in [row[:2] for row in rows(RAISED)]
        (seen,) = [row for row in rising.seen_by(world.actor("paul")) if row.why == "unclaimed"]
        assert (seen.first_name, seen.owner) == ("Ana", "Cora Bell")
        moves.assign(the_number(), by=world.actor("cora"))
        rising.rise()
        assert "unclaimed" not in [row[0] for row in rows(RAISED)]
        assert rows("SELECT count(*) FROM raised WHERE why = 'unclaimed' AND ended_at IS NOT NULL") == [(1,)]


def test_what_waits_in_a_compartment_is_shown_to_nobody_who_may_not_read_it(world, settings):
    for login in ("lea", "wanda"):
        world.end(login)
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    with on(replace(settings, today=TODAY + timedelta(days=2))):
        rising.rise()
        assert rows(RAISED) != []
        assert rising.seen_by(world.actor("paul")) == []
        assert rising.escalated_to(world.actor("zoe")) == []


def inside(world: World, login: str) -> list[str]:
    return [one.sentence for one in news.read(world.actor(login)) if one.kind == "risen_inside"]


def test_late_work_in_a_compartment_is_told_to_its_other_readers_alone_and_to_those_above_in_the_end(world, settings):
    """Lea and Lou are liaisons of Lincoln, Dina of the district; Nia reads another compartment."""
    world.give("lou", "Lou Perez", "stls_liaison", "school:LIN")
    world.give("dina", "Dina Moss", "stls_liaison", "district")
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    (owner_id,) = rows("SELECT owner_id FROM task WHERE compartment = 'stls'")[0]
    late, beside = ("lea", "lou") if owner_id == world.people["lea"] else ("lou", "lea")
    for days in (3, 30):
        with on(replace(settings, today=TODAY + timedelta(days=days))):
            for _ in range(2):
                rising.rise()
    assert len(inside(world, beside)) == 1 and len(inside(world, "dina")) == 1 and inside(world, late) == []
    assert {login for login in world.people if inside(world, login)} == {beside, "dina"}
    assert "A piece of work under Supports" in inside(world, "dina")[0]


def test_a_principal_reads_who_looks_after_a_compartment_alone_whether_or_not_there_is_work(world):
    before = rising.seen_by_one(world.actor("paul"))
    assert ("Lincoln", FieldClass.STLS) in [(school, one) for school, kinds in before for one in kinds]
    world.stands("ana", 1)
    world.finds("ana", "R22", compartment="stls")
    follow(world)
    assert rising.seen_by_one(world.actor("paul")) == before and rising.seen_by_one(world.actor("zoe")) == []
    world.give("dina", "Dina Moss", "stls_liaison", "district")
    assert FieldClass.STLS not in [one for _, kinds in rising.seen_by_one(world.actor("paul")) for one in kinds]


def test_others_are_refused_the_list(world):
    with pytest.raises(NotAllowed):
        rising.seen_by(world.actor("tara"))
    with pytest.raises(NotAllowed):
        rising.over_room(world.actor("clara"))


# -- room for new cases ------------------------------------------------------------------------------------------------


def test_new_cases_beyond_the_hours_are_shown_above(world):
    terms.state(grant_id=grant_of(world, "cora"), terms=Terms(hours=5), by=world.actor("paul"))
    for name in ("ana", "ben"):
        world.stands(name, 2)
        world.finds(name, "R07")
    follow(world)
    ((one, room),) = [pair for pair in rising.over_room(world.actor("paul")) if pair[0].person == "Cora Bell"]
    assert (one.hours, one.new, one.waits, room) == (5, 2, 2, 1)
    assert rising.over_room(world.actor("zoe"))[0] == (one, room)
    assert rising.over_room(world.actor("otto")) == []


def test_of_two_holders_the_one_with_more_hours_is_asked_more(world):
    terms.state(grant_id=grant_of(world, "cora"), terms=Terms(hours=10), by=world.actor("paul"))
    carl = world.give("carl", "Carl Dunn", "counselor", "school:LIN", hours=40)
    names = ["ana", "ben", *(f"kid{n}" for n in range(6))]
    for name in names:
        if name not in world.students:
            world.add_student(name)
        world.stands(name, 2)
        world.finds(name, "R07")
    follow(world)
    owned = dict(rows("SELECT owner_id, count(*) FROM support_case GROUP BY 1"))
    assert owned[carl] == 3 * owned[world.people["cora"]]


# -- who is asked at a school ------------------------------------------------------------------------------------------


def test_an_empty_role_shows_what_it_would_do(world):
    lincoln = db.session.get_one(School, world.schools["LIN"])
    now = {one.entry.key: one for one in seats.asked_at(lincoln)}
    assert set(now) == {*routing_table().tiers, *routing_table().rows}
    assert (now["2"].person, now["2"].via) == ("Cora Bell", Via.HOLDER)
    without = {one.entry.key: one for one in seats.asked_at(lincoln, without="counselor")}
    assert (without["2"].person, without["2"].via) == ("Wanda Price", Via.FALLBACK)
    assert without["2"].found_as == "School social worker"
    assert now["protected"].alone and now["protected"].person == ""


# -- a case that rests -------------------------------------------------------------------------------------------------


def test_a_case_comes_back_by_itself_when_its_rest_is_over(world, settings):
    flag_ana(world)
    cora, back = world.actor("cora"), TODAY + timedelta(days=2)
    moves.assign(1001, by=cora)
    moves.pause(1001, by=cora, reason="agreed", until=back)
    handing_out.hand_out()
    assert the_case("status", "paused_until") == ("paused", back)
    with on(replace(settings, today=back)):
        for _ in range(2):
            handing_out.hand_out()
        assert the_case("status", "paused_until") == ("assigned", None)
        assert ("case", "cora") in listed(world, "cora")
        told = [one.kind for one in news.read(world.actor("cora"))]
    assert told.count("case_rested") == 1 and rows("SELECT count(*) FROM event WHERE kind = 'case_resumed'") == [(1,)]


def test_no_rest_is_without_an_end_or_longer_than_a_year(world):
    flag_ana(world)
    with pytest.raises(Refused, match="2062 is more than a year ahead"):
        moves.pause(1001, by=world.actor("cora"), reason="agreed", until=date(2062, 11, 20))
    rested = moves.pause(1001, by=world.actor("cora"), reason="bereavement")
    assert rested.paused_until == date(2026, 12, 21), "twenty school days, with a week of Thanksgiving between"


# -- work inside compartments -----------------------------------------------------------------------------------------


def in_another_role(world: World, login: str, role: str) -> None:
    """Somebody's role ended yesterday, and they have another at Lincoln since."""
    world.end(login)
    with transaction():
        db.session.add(Grant(person_id=world.people[login], role=role, place="school:LIN", homeroom="9Z", starts=TODAY))


def test_work_in_a_compartment_does_not_stay_with_somebody_who_may_not_read_it_any_more(world):
    flag_ana(world)
    world.finds("ana", "R13", compartment="health")
    follow(world)
    inside = "SELECT owner_id FROM task WHERE compartment = 'health'"
    assert rows(inside) == [(world.people["nia"],)]
    world.give("noor", "Noor Haddad", "nurse", "school:LIN")
    in_another_role(world, "nia", "homeroom_teacher")
    handing_out.hand_out()
    assert rows(inside) == [(world.people["noor"],)]


def test_what_was_promised_is_seen_to_by_somebody_else_when_its_person_has_gone(world):
    promises.ask(world.students["ana"], promises.Wanted(kind="ventra"), by=world.actor("lea"))
    world.give("lou", "Lou Hart", "stls_liaison", "school:LIN")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM promise") == [(world.people["lea"],)], "whoever is there keeps it"
    in_another_role(world, "lea", "homeroom_teacher")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM promise") == [(world.people["lou"],)]
    world.end("lou")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM promise") == [(None,)], "nobody is there; the next liaison finds it"
    world.give("ida", "Ida Marsh", "stls_liaison", "network:N1")
    handing_out.hand_out()
    assert rows("SELECT owner_id FROM promise") == [(world.people["ida"],)]


def test_what_was_promised_goes_along_to_another_school(world):
    promises.ask(world.students["ana"], promises.Wanted(kind="ventra"), by=world.actor("lea"))
    world.give("dee", "Dee Long", "stls_liaison", "school:DOU")
    world.stands("ana", 0, school_id=world.schools["DOU"])
    for _ in range(2):
        handing_out.hand_out()
    assert rows("SELECT owner_id, school_id FROM promise") == [(world.people["dee"], world.schools["DOU"])]


def test_what_is_asked_in_a_compartment_goes_along_to_another_school_at_once(world):
    """Before anybody there has accepted the case, and where there is none: whoever stays could not read it any more.
    What the school of origin was asked stays there."""
    world.give("ned", "Ned Orr", "nurse", "school:ROS")
    world.end("nia")
    world.give("nan", "Nan Roe", "nurse", "school:LIN")
    flag_ana(world)
    for name in ("ana", "ben"):
        world.finds(name, "R13", compartment="health")
    follow(world)
    with transaction():
        stays = {"kind": "support", "period": "leaves_school_of_origin/1/2026-11-13", "title": "Ask first"}
        about = {"student_id": world.students["ana"], "school_id": world.schools["LIN"], "created_at": now()}
        db.session.add(Task(**about, **stays, compartment="stls", department="x", owner_role="stls_liaison"))
        for name in ("ana", "ben"):
            db.session.get_one(StudentStatus, world.students[name]).school_id = world.schools["ROS"]
            who = {"student_id": world.students[name]}
            db.session.execute(update(Stint).filter_by(**who).values(exit_date=TODAY - timedelta(days=3)))
            db.session.add(Stint(**who, school_id=world.schools["ROS"], entry_date=TODAY))
    for _ in range(2):
        handing_out.hand_out()
    here = "SELECT school_id, owner_id FROM task WHERE compartment = 'health'"
    assert rows(here) == [(world.schools["ROS"], world.people["ned"])] * 2
    assert rows("SELECT school_id FROM task WHERE compartment = 'stls'") == [(world.schools["LIN"],)]


def test_two_who_take_one_case_do_not_take_it_from_each_other(world):
    flag_ana(world)
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET owner_id = NULL"))
    for _ in range(2):
        moves.take(1001, by=world.actor("wanda"))
    with pytest.raises(Conflict, match="Wanda Price has taken this case"):
        moves.take(1001, by=world.actor("cora"))
    assert owner(world) == "wanda"


def test_a_case_taken_up_again_waits_for_a_first_contact_anew(world, settings):
    flag_ana(world)
    cora = world.actor("cora")
    outreach.log_outreach(Attempt(method="call", outcome="reached_agreed"), by=cora, case_number=1001)
    closing.close(1001, reason="not_needed", useful={"R07": "yes"}, by=cora)
    again = TODAY + timedelta(days=14)
    with on(replace(settings, today=again)):
        closing.reopen(1001, why="It began again.", by=world.actor("cora"))
    due = db.session.scalars(db.select(Case.contact_due)).one()
    waits = db.select(Case.number).where(worklists.waits_for_first_contact(due))
    assert db.session.scalars(waits).all() == [1001]
