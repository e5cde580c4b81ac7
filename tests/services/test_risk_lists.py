"""What a model at work changes of lists, and what people make of the students whom it brings forward."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import current_app

from ew_app.config import Settings
from ew_app.kernel import NotFound, Refused, today
from ew_app.services.casework import tasks
from ew_app.services.risk import answers, one_student, reading, taking_up
from ew_app.services.risk.lives import Kind
from ew_app.services.risk.taking_up import Wanted
from models.queries import caseload, flagged, risk
from rules.access import NotAllowed, Permission, scope_of
from rules.words import UnfitWords
from tests.opened import on, statements
from tests.services import risk_staff
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, run, school_days
from tests.services.risk_model import actor

EVENING = school_days(2026)[44]


@pytest.fixture
def district(settings: Settings, built_once) -> Iterator[District]:
    """Two schools of forty after 45 school days; social worker, counselor, clerk and principal at the first."""
    settings = replace(settings, today=EVENING)
    made = built_once(settings, risk_staff.district)
    with on(settings):
        yield made


def flags(login: str, sort: str = "model", **wanted: Any) -> list[tuple[int, int]]:
    """(tier, student) of the list of flagged students, from its top."""
    by, found = actor(login), reading.ordering(actor(login))
    place = found.of_student if found else None
    reach = scope_of(by.grants, Permission.SEE_FLAGGED)
    since = date(2026, 8, 1)
    page = flagged.flagged(reach, by.person_id, today(), since=since, sort=sort, size=99, model=place, **wanted)
    return [(line.tier, line.student_id) for line in page.rows]


def cases(login: str, sort: str = "model") -> list[tuple[int, int]]:
    by, found = actor(login), reading.ordering(actor(login))
    place = found.of_case if found else None
    reach = scope_of(by.grants, Permission.SEE_CASELOAD)
    page = caseload.caseload(reach, by.person_id, today(), sort=sort, size=99, model=place)
    return [(line.tier, line.student_id) for line in page.rows]


def brought(login: str) -> list[int]:
    return [one.student.id for one in reading.consider(actor(login)).students]


def without_case(district: District) -> list[int]:
    """Students of the first school of whom something is said and on whom nobody works."""
    found = query(
        "SELECT student_id FROM risk_score s WHERE school_id = :at AND logit IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM support_case c WHERE c.student_id = s.student_id AND closed_on IS NULL) ORDER BY 1",
        at=district.schools[0],
    )
    return [student for (student,) in found]


# -- the order within a tier ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [flags, cases])
def test_the_rules_tier_comes_first_and_the_model_only_within_it(district: District, listed: Any) -> None:
    risk_staff.at_work()
    said = dict(query("SELECT student_id, logit FROM risk_score"))
    found = listed("paul")
    assert len(found) > 5 and len({tier for tier, _ in found}) > 1
    assert [tier for tier, _ in found] == sorted((tier for tier, _ in found), reverse=True)
    for _, group in itertools.groupby(found, key=lambda one: one[0]):
        logits = [said[student] for _, student in group]
        assert logits == sorted(logits, reverse=True)
    assert found != listed("paul", "rule" if listed is flags else "due"), "the model does put them in another order"
    assert sorted(found) == sorted(listed("paul", "name")), "and neither adds nor hides anybody"


@pytest.mark.parametrize("listed", [flags, cases])
def test_whoever_is_left_out_stands_in_the_tier_where_the_absence_rate_stands(district: District, listed: Any) -> None:
    """A family that asks for it does not pay with the last place; nor does a school whose days have not come."""
    risk_staff.at_work()
    order, rate = listed("paul"), dict(query("SELECT student_id, absent * 10000 / enrolled FROM student_status"))
    tier = max({tier for tier, _ in order}, key=lambda tier: sum(tier == one for one, _ in order))
    here = [student for one, student in order if one == tier]
    top, low = max(here, key=lambda student: rate[student]), min(here, key=lambda student: rate[student])
    assert len(here) > 3 and rate[top] > rate[low]
    for student in (top, low):
        answers.leave_out(student, reason="The family asked for it", by=actor("paul"))
    after = [student for one, student in listed("paul") if one == tier]
    assert sorted(after) == sorted(here), "nobody changes the tier"
    assert [one for one in after if one not in (top, low)] == [one for one in here if one not in (top, low)]
    assert after.index(top) < len(here) // 2 < after.index(low)
    run("DELETE FROM risk_score")
    by_rate = [rate[student] for one, student in listed("paul") if one == tier]
    assert by_rate == sorted(by_rate, reverse=True), "where nothing is said of anybody, the rate alone puts in order"


def test_an_answer_quiets_whichever_model_comes_next_and_a_second_calendar_makes_no_school_silent(
    district: District,
) -> None:
    risk_staff.at_work()
    student = brought("paul")[0]
    answers.answer(student, answer="dismissed", reason="Moved house, all is well now", by=actor("paul"))
    risk_staff.at_work()
    assert reading.consider(actor("paul")).state.kind is Kind.SERVING and student not in brought("paul")
    shares = risk.submitted_shares(date(2026, 7, 1), EVENING)
    run(
        "INSERT INTO calendar_day (school_id, calendar_key, day, day_type, weight) SELECT :at, 'saturday', day,"
        " 'instructional', 1000 FROM generate_series(DATE '2026-08-29', DATE '2026-10-17', '7 days') day",
        at=district.schools[0],
    )
    assert risk.submitted_shares(date(2026, 7, 1), EVENING) == shares


def test_a_counselor_finds_the_list_in_the_rail_once_asked_to_look(district: District) -> None:
    risk_staff.at_work()
    assert reading.is_at_work(actor("sol")) and not reading.is_at_work(actor("cora"))
    wanted = Wanted(answer="accepted", looker=actor("cora").person_id)
    taking_up.respond(brought("sol")[0], wanted, by=actor("sol"))
    assert reading.is_at_work(actor("cora"))


def test_a_score_at_the_foot_of_a_tier_never_passes_the_tier_above(district: District) -> None:
    risk_staff.at_work()
    low = flags("paul")[-1]
    run("UPDATE risk_score SET logit = 99000 WHERE student_id = :id", id=low[1])
    found = flags("paul")
    assert [one for one in found if one[0] == low[0]][0] == low and found[0][0] > low[0]


def test_other_sorts_and_lists_without_a_model_at_work_are_as_ever(district: District) -> None:
    before = [listed("paul", sort) for listed, sorts in LISTS.items() for sort in sorts]
    risk_staff.at_work()
    assert [listed("paul", sort) for listed, sorts in LISTS.items() for sort in sorts] == before
    for state, (make, _) in risk_staff.STATES.items():
        risk_staff.nothing()
        make()
        found = reading.ordering(actor("paul"))
        assert found and (found.of_student, found.of_case) == (None, None), state
        assert (flags("paul"), cases("paul")) == (before[0], before[len(LISTS[flags])]), state


LISTS: dict[Any, tuple[str, ...]] = {
    flags: ("rule", "name", "tier", "since", "absent", "contact"),
    cases: ("due", "name", "school", "tier", "status", "opened", "contact", "absent"),
}


def test_who_reads_no_scores_has_no_such_order_and_where_there_is_no_model_nobody_has(district: District) -> None:
    assert reading.ordering(actor("paul")) is None and not reading.is_at_work(actor("paul"))
    risk_staff.at_work()
    assert reading.is_at_work(actor("sol"))
    for login in ("tara", "nia", "zoe", "carl", "ada"):
        assert reading.ordering(actor(login)) is None and not reading.is_at_work(actor(login)), login


def test_an_order_costs_the_same_statements_however_many_there_are(district: District) -> None:
    risk_staff.at_work()
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def asked() -> int:
        with statements(app) as sent:
            assert flags("paul") and cases("paul") and reading.consider(actor("paul")).students
        return len(sent)

    many = asked()
    run("DELETE FROM risk_score WHERE student_id <> :one", one=brought("paul")[0])
    assert asked() == many


# -- who is told of whom -------------------------------------------------------------------------------------------


def test_a_social_worker_sees_the_schools_students_and_a_counselor_those_of_the_caseload(district: District) -> None:
    risk_staff.at_work()
    assert brought("sol") == brought("paul") != []
    assert brought("cora") == [], "students without a case are nobody's caseload"
    assert not set(brought("ines")) & set(brought("sol"))
    assert one_student.told(brought("sol")[0], actor("cora")) is None


def test_whoever_is_asked_to_look_reaches_the_student_until_the_look_is_done(district: District) -> None:
    risk_staff.at_work()
    student, cora = brought("sol")[0], actor("cora")
    taking_up.respond(student, Wanted(answer="accepted", looker=cora.person_id), by=actor("sol"))
    told = one_student.told(student, cora)
    assert told and told.said and told.said.reasons and told.answers[0].author == "Sol Reyes"
    ((number, title, owner, notices),) = query(
        "SELECT t.id, t.title, t.owner_role, (SELECT count(*) FROM notice WHERE task_id = t.id AND person_id = :cora)"
        " FROM task t WHERE kind = 'look'", cora=cora.person_id,
    )  # fmt: skip
    assert (owner, notices) == ("counselor", 1)
    assert not any(word in title.lower() for word in ("model", "risk", "score", "chance", "consider")), title
    tasks.finish(number, by=cora)
    assert one_student.told(student, cora) is None


# -- answers -------------------------------------------------------------------------------------------------------


def test_wrong_data_says_which_and_becomes_the_clerks_task_without_a_word_of_the_model(district: District) -> None:
    risk_staff.at_work()
    student, sol = brought("sol")[0], actor("sol")
    with pytest.raises(Refused, match="what is wrong"):
        taking_up.respond(student, Wanted(answer="wrong_data", reason="A trip"), by=sol)
    with pytest.raises(Refused, match="how it was"):
        taking_up.respond(student, Wanted(answer="wrong_data", wrong="this_year"), by=sol)
    with pytest.raises(UnfitWords):
        taking_up.respond(student, Wanted(answer="wrong_data", wrong="this_year", reason="His visa ran out"), by=sol)
    told = taking_up.respond(
        student, Wanted(answer="wrong_data", wrong="this_year", reason="A trip of the school on 6 October"), by=sol
    )
    assert told.reason == "Days of this year: A trip of the school on 6 October"
    assert query("SELECT kind, title, owner_id, rule, case_id FROM task WHERE kind = 'record_check'") == [
        ("record_check", f"Check the record. {told.reason}", actor("carl").person_id, None, None)
    ]


def test_nothing_else_follows_from_an_answer(district: District) -> None:
    risk_staff.at_work()
    before = query("SELECT student_id, tier, rules FROM student_status ORDER BY 1"), query("SELECT * FROM support_case")
    for student, kind in zip(without_case(district)[:2], ("accepted", "dismissed"), strict=True):
        looker = actor("sol").person_id
        taking_up.respond(student, Wanted(answer=kind, reason="She was on a trip", looker=looker), by=actor("sol"))
    assert query("SELECT count(*) FROM task WHERE kind IN ('look', 'record_check')") == [(1,)]
    after = query("SELECT student_id, tier, rules FROM student_status ORDER BY 1"), query("SELECT * FROM support_case")
    assert after == before


def test_an_answer_is_given_once_and_its_author_takes_it_back_with_what_it_asked_for(district: District) -> None:
    risk_staff.at_work()
    student, sol = brought("sol")[0], actor("sol")
    wanted = Wanted(answer="accepted", looker=sol.person_id)
    first = taking_up.respond(student, wanted, by=sol)
    assert taking_up.respond(student, wanted, by=sol).id == first.id, "the same press twice is once"
    with pytest.raises(Refused, match="Take that back first"):
        taking_up.respond(student, Wanted(answer="dismissed", reason="Her father called"), by=sol)
    assert student not in brought("sol") and reading.answered(sol, reading.consider(sol).state)[0][0].id == first.id
    with pytest.raises(Refused, match="Sol Reyes wrote this"):
        taking_up.take_back(first.id, student_id=student, by=actor("paul"))
    with pytest.raises(NotFound):
        taking_up.take_back(first.id, student_id=without_case(district)[-1], by=sol)
    taking_up.take_back(first.id, student_id=student, by=sol)
    assert student in brought("sol")
    assert query("SELECT status FROM task WHERE kind = 'look'") == [("withdrawn",)]
    told = query("SELECT action FROM audit_row WHERE action LIKE 'risk_answer%' ORDER BY id")
    assert told == [("risk_answered",), ("risk_answer_taken_back",)]


def test_a_look_is_asked_only_of_those_who_may_read_why(district: District) -> None:
    risk_staff.at_work()
    student, sol = brought("sol")[0], actor("sol")
    able = {login for login in ("sol", "cora", "paul", "carl", "tara", "nia", "ines", "zoe")
            if actor(login).person_id in taking_up.lookers(student)}  # fmt: skip
    assert able == {"sol", "cora", "paul"}
    for other in (None, actor("carl").person_id, actor("ines").person_id):
        with pytest.raises(Refused, match="who has a look"):
            taking_up.respond(student, Wanted(answer="accepted", looker=other), by=sol)
    assert query("SELECT count(*) FROM risk_answer") == [(0,)]
    with pytest.raises(NotFound):
        taking_up.respond(student, Wanted(answer="dismissed", reason="Not here"), by=actor("ines"))
    with pytest.raises(NotAllowed):
        taking_up.respond(student, Wanted(answer="dismissed", reason="Not here"), by=actor("carl"))


def test_of_a_student_with_a_case_nobody_else_is_asked(district: District) -> None:
    risk_staff.at_work()
    ((student,),) = query(
        "SELECT student_id FROM support_case WHERE owner_id = :cora AND closed_on IS NULL LIMIT 1",
        cora=actor("cora").person_id,
    )
    taking_up.respond(student, Wanted(answer="accepted"), by=actor("cora"))
    assert query("SELECT count(*) FROM task WHERE kind = 'look'") == [(0,)]


# -- left out ------------------------------------------------------------------------------------------------------


def test_who_is_left_out_leaves_the_list_at_once_and_their_page_says_why(district: District) -> None:
    risk_staff.at_work()
    student, paul = brought("paul")[0], actor("paul")
    answers.leave_out(student, reason="The family asked for it", by=paul)
    assert student not in brought("paul")
    told = one_student.told(student, actor("sol"))
    assert told and told.said is None and told.left_out and told.left_out.reason == "The family asked for it"
    run("DELETE FROM risk_score")
    run("DELETE FROM risk_night")
    run("UPDATE risk_model SET stage = 'off', school_year = school_year - 365")
    told = one_student.told(student, paul)
    assert told and told.state.kind is Kind.NONE and told.left_out, "it is remembered where no model is"
    assert one_student.told(district.students[2], paul) is None
