"""The life of a model: on trial first, two people, off at once, over with the year; and what it says of whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Conflict, NotFound, Refused, now, transaction
from ew_app.services.risk import (
    afterwards,
    answers,
    artefacts,
    calendar,
    lives,
    reading,
    report,
    report_lines,
    scoring,
    standing,
    year_ends,
)
from ew_app.services.risk.lives import Kind
from models.base import db
from models.cases import Outreach
from models.queries import risk as risk_rows
from models.queries import risk_told, risk_years
from models.risk import RiskModel, RiskNight, RiskScore
from rules.access import NotAllowed
from rules.risk import card as cards
from tests.opened import on
from tests.services import risk_model
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, run, school_days
from tests.services.risk_model import PURPOSE, actor

DAYS = school_days(2026)
EVENING = DAYS[44]


@pytest.fixture
def district(settings: Settings, built_once) -> Iterator[District]:
    """Two schools of forty after 45 school days, decided about, and the people who may agree."""
    settings = replace(settings, today=EVENING)
    made = built_once(settings, risk_model.district)
    with on(settings):
        yield made


def model() -> RiskModel:
    return db.session.query(RiskModel).populate_existing().order_by(RiskModel.id.desc()).first()


def later(number: int, days: int) -> None:
    """The model has been on trial for so many days."""
    run("UPDATE risk_model SET stage_since = stage_since - :days WHERE id = :id", days=days, id=number)


def serving() -> RiskModel:
    """A model that two people let work, asked this evening."""
    number = risk_model.trained()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    later(number, 42)
    scoring.score()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    lives.promote(purpose=PURPOSE, by=actor("ben"))
    return model()


# -- the steps -----------------------------------------------------------------------------------------------------


def test_shadow_first_then_two_different_people_and_six_weeks(district: District) -> None:
    number = risk_model.trained()
    assert lives.state().kind is Kind.OFF
    with pytest.raises(NotAllowed):
        lives.promote(purpose=PURPOSE, by=actor("paul"))
    with pytest.raises(NotAllowed):
        lives.promote(purpose=PURPOSE, by=OPERATOR)
    with pytest.raises(Refused, match="in a sentence"):
        lives.promote(purpose="Because", by=actor("ada"))
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    assert lives.state().kind is Kind.SHADOW
    with pytest.raises(Refused, match="on trial until"):
        lives.promote(purpose=PURPOSE, by=actor("ada"))
    later(number, 42)
    with pytest.raises(Refused, match="has not been asked"):
        lives.promote(purpose=PURPOSE, by=actor("ada"))
    scoring.score()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    with pytest.raises(Refused, match="Somebody else"):
        lives.promote(purpose=PURPOSE, by=actor("ada"))
    assert model().stage == "shadow"
    lives.promote(purpose=PURPOSE, by=actor("ben"))
    assert (model().stage, lives.state().kind) == ("serving", Kind.SERVING)
    assert [step.kind for step in standing.steps(model())] == ["shadow", "approved", "approved", "serving"]
    audited = query("SELECT action, actor FROM audit_row WHERE action IN ('risk_approved', 'risk_serving') ORDER BY id")
    assert audited == [("risk_approved", "ada"), ("risk_approved", "ben"), ("risk_serving", "ben")]


def test_one_person_switches_it_off_at_once_and_nothing_it_said_stays(district: District) -> None:
    serving()
    assert query("SELECT count(*) > 0 FROM risk_score") == [(True,)]
    with pytest.raises(NotAllowed):
        lives.switch_off(reason="The codes of two schools changed", by=actor("paul"))
    assert lives.switch_off(reason="The codes of two schools changed", by=actor("ben")) == 1
    assert query("SELECT count(*) FROM risk_score") == [(0,)]
    stands = reading.consider(actor("paul"))
    assert (stands.state.kind, list(stands.students)) == (Kind.OFF, [])
    assert standing.steps(model())[-1].words == "The codes of two schools changed"


def test_it_ends_with_the_school_year(district: District, settings: Settings) -> None:
    serving()
    with on(replace(settings, today=date(2027, 7, 2))):
        assert lives.state().kind is Kind.OFF, "nothing is shown, whether or not an evening has come"
        scoring.score()
        assert (model().stage, standing.steps(model())[-1].kind) == ("off", "ended")
        with pytest.raises(Refused, match="Have a new one made"):
            lives.promote(purpose=PURPOSE, by=actor("ada"), number=model().id)


def test_a_refused_model_stays_refused_whoever_agrees(district: District) -> None:
    number = risk_model.trained()
    run("UPDATE risk_model SET status = 'refused', refusals = CAST(:why AS jsonb)",
        why=json.dumps([{"key": "kept", "sentence": "It is no better than the rate."}]))  # fmt: skip
    with pytest.raises(Refused, match="no better than the rate"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)
    assert lives.state().kind is Kind.NOT_GOOD_ENOUGH


def test_a_model_that_somebody_changed_in_the_database_is_not_used(district: District) -> None:
    number = serving().id
    run("UPDATE risk_model SET artefact = replace(artefact, 'logistic', 'logistik')")
    scoring.score()
    night = db.session.query(RiskNight).populate_existing().one()
    assert (night.outcome, query("SELECT count(*) FROM risk_score")) == ("refused", [(0,)])
    assert lives.state().kind is Kind.HELD and "checksum differs" in lives.state().sentence
    assert "checksum" not in lives.state().for_lists and "the district is told why" in lives.state().for_lists
    with pytest.raises(Refused, match="checksum"):
        run("UPDATE risk_model SET stage = 'shadow' WHERE id = :id", id=number)
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)


def test_figures_that_somebody_changed_in_the_database_are_told_and_nobody_agrees_by_them(district: District) -> None:
    number = risk_model.trained()
    with transaction():
        one = model()
        artefacts.keep(one, replace(artefacts.opened(one), shown=cards.hash_of(one.report)))
    told = "The figures of model .* were changed after it was made"
    assert not [line for line in report.card(number, by=actor("ada"))["limits"] if re.search(told, line)]
    run("UPDATE risk_model SET report = jsonb_set(report, '{outcome,kind}', '\"steps\"')")
    db.session.expire_all()
    assert re.search(told, report.card(number, by=actor("ada"))["limits"][0])
    with pytest.raises(Refused, match=told):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)


# -- an evening ----------------------------------------------------------------------------------------------------


def night() -> RiskNight:
    return db.session.query(RiskNight).populate_existing().one()


def test_an_evening_scores_everybody_it_can_and_says_why_not_of_others(district: District) -> None:
    new = risk_model.newcomer(district, since=DAYS[42])
    serving()
    assert (night().outcome, night().number, night().scored, night().abstained) == ("scored", 45, 80, 1)
    (score,) = db.session.query(RiskScore).filter_by(student_id=new)
    assert (score.logit, score.reasons) == (None, '"too_little"')
    scoring.score()
    assert query("SELECT count(*), count(logit), count(DISTINCT day) FROM risk_score") == [(81, 80, 1)]


SPOILT = {
    "tardy code vanishes": (
        "UPDATE mark SET code = 'P' WHERE code = 'T' AND day > '2026-07-01'",
        "Marks for coming late stand on 0.0%",
    ),
    "students' ids are given anew": ("DELETE FROM year_end", "IDs may have been given anew"),
    "a third more absent": ("UPDATE mark SET code = 'A' WHERE code = 'T' AND day > '2026-07-01'", "days so far"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_an_evening_unlike_earlier_years_is_refused_and_the_rules_work_alone(district: District, what: str) -> None:
    serving()
    statement, said = SPOILT[what]
    run(statement)
    risk_model.decide()
    scoring.score()
    assert night().outcome == "refused" and said in " ".join(night().reasons)
    assert query("SELECT count(*) FROM risk_score") == [(0,)]
    assert reading.order_within_tier(district.students, actor("paul")).said == {}
    assert "rules alone" in lives.state().sentence


def test_a_silent_school_keeps_what_was_said_before_marked_stale(district: District) -> None:
    serving()
    silent = district.schools[0]
    before = query("SELECT student_id, logit FROM risk_score WHERE school_id = :at ORDER BY 1", at=silent)
    run("DELETE FROM school_day WHERE school_id = :at AND day >= :day", at=silent, day=DAYS[40])
    run("DELETE FROM submission WHERE school_id = :at AND day >= :day", at=silent, day=DAYS[40])
    risk_model.decide()
    scoring.score()
    assert night().stale == [silent]
    assert query("SELECT student_id, logit FROM risk_score WHERE stale ORDER BY 1") == before
    assert query("SELECT count(*) FROM risk_score WHERE NOT stale AND school_id <> :at", at=silent) == [(40,)]


def test_outside_its_days_nothing_is_said(district: District) -> None:
    serving()
    run("DELETE FROM calendar_day WHERE day BETWEEN :first AND :last", first=DAYS[0], last=DAYS[37])
    scoring.score()
    assert night().outcome == "outside" and "from school day 10 on" in night().reasons[0]


# -- whom it leaves out, what people answer, what is kept of a child -----------------------------------------------


def test_who_is_left_out_reaches_no_sum_and_no_score_until_taken_in_again(district: District) -> None:
    serving()
    out, paul = district.students[0], actor("paul")
    others = "SELECT student_id, logit, reasons FROM risk_score WHERE student_id <> :out ORDER BY 1"
    answers.leave_out(out, reason="The family asked for it", by=paul)
    assert query("SELECT count(*) FROM risk_score WHERE student_id = :out", out=out) == [(0,)]
    scoring.score()
    before = query(others, out=out)
    run("UPDATE mark SET code = 'A' WHERE student_id = :out", out=out)
    risk_model.decide()
    scoring.score()
    assert query(others, out=out) == before, "not even the school's rate rests on their marks"
    with pytest.raises(Refused, match="already"):
        answers.leave_out(out, reason="Once more", by=paul)
    answers.take_in(out, by=paul)
    scoring.score()
    assert query("SELECT count(*) FROM risk_score WHERE student_id = :out", out=out) == [(1,)]


def test_an_answer_is_kept_with_who_and_why_flows_to_the_card_and_quiets_the_item(district: District) -> None:
    serving()
    paul = actor("paul")
    brought = reading.consider(paul).students
    assert brought, "the district has students whom no rule has reached"
    first = brought[0].student.id
    with pytest.raises(Refused, match="Say why"):
        answers.answer(first, answer="dismissed", by=paul)
    told = answers.answer(first, answer="dismissed", reason="He was on a trip of the school", by=paul)
    assert (told.author, told.day) == ("Paul Adler", EVENING)
    assert first not in [one.student.id for one in reading.consider(paul).students]
    assert report.card(None, by=actor("ada"))["answers"] == {"dismissed": 1}
    with pytest.raises(NotFound):
        answers.answer(risk_model.elsewhere(district), answer="accepted", by=paul)
    lives.switch_off(reason="We want to think it over again", by=actor("ben"))
    with pytest.raises(Conflict):
        answers.answer(first, answer="accepted", by=paul)


def test_what_is_kept_of_one_child_is_handed_out_and_deleted_as_such(district: District) -> None:
    serving()
    paul = actor("paul")
    student = reading.consider(paul).students[0].student
    answers.answer(student.id, answer="accepted", by=paul)
    kept = answers.record_of(student.key, by=paul)
    assert (len(kept["scores"]), len(kept["answers"]), len(kept["past_years"])) == (1, 1, 2)
    assert query("SELECT count(*) FROM audit_row WHERE action = 'risk_record_read' AND student_id = :id",
                 id=student.id) == [(1,)]  # fmt: skip
    with pytest.raises(NotAllowed):
        answers.delete_record(student.key, reason="Decided after the hearing", by=paul)
    assert answers.delete_record(student.key, reason="Decided after the hearing", by=OPERATOR) == 3
    assert answers.record_of(student.key, by=paul)["scores"] == []
    with pytest.raises(NotFound):
        answers.record_of(f"s{risk_model.FIRST_ELSEWHERE:04}", by=paul)


def test_which_range_was_told_on_an_earlier_evening_stays_tellable(district: District, settings: Settings) -> None:
    number = serving().id
    first = query("SELECT student_id, range_key FROM risk_told ORDER BY 1")
    assert first == query("SELECT student_id, range_key FROM risk_score WHERE logit IS NOT NULL ORDER BY 1")
    scoring.score()
    assert query("SELECT student_id, range_key FROM risk_told ORDER BY 1") == first, "asked twice it says the same"
    with on(replace(settings, today=DAYS[45])):
        run("UPDATE mark SET code = 'A' WHERE student_id % 5 = 0 AND day > '2026-10-01'")
        risk_model.submit(district, DAYS[45])
        risk_model.decide()
        scoring.score()
        then = risk_told.on(number, EVENING)
        assert list(zip(then["student"].tolist(), map(str, then["range"].tolist()), strict=True)) == first
        changed = query("SELECT count(*) FROM risk_told WHERE until IS NOT NULL")[0][0]
        assert 0 < changed < len(first) and query("SELECT count(*) FROM risk_told WHERE until IS NULL") == [(80,)]
        paul = actor("paul")
        student = query("SELECT s.key FROM risk_told t JOIN student s ON s.id = t.student_id WHERE until IS NOT NULL"
                        " AND s.id = ANY(:his)", his=_reached(district))[0][0]  # fmt: skip
        record = answers.record_of(student, by=paul)
        assert [one["until"] for one in record["told"]] == [DAYS[45], None]
        assert "Never for discipline" in record["stamp"]["purpose"] and record["stamp"]["taken_by"] == "Paul Adler"
        lives.switch_off(reason="We want to think it over again", by=actor("ben"))
        assert query("SELECT count(*) FROM risk_told WHERE until IS NULL") == [(0,)]
        assert len(risk_told.on(number, EVENING)["student"]) == 80, "what was told stays tellable"
        answers.leave_out(district.students[0], reason="The family asked for it", by=paul)
        assert len(risk_told.on(number, EVENING)["student"]) == 79


def _reached(district: District) -> list[int]:
    return [student for student in district.students if district.school_of[student] == district.schools[0]]


def test_a_year_that_is_over_is_looked_back_on_and_a_year_later_forgotten(
    district: District, settings: Settings
) -> None:
    serving()
    ada = actor("ada")
    with pytest.raises(Refused, match="not over"):
        afterwards.year(2026, by=ada)
    with transaction():
        who = {"author_id": None, "author": "Paul Adler", "position": "Principal", "written_at": now()}
        how = {"method": "phone", "outcome": "reached", "is_contact": True}
        db.session.add(Outreach(student_id=district.students[0], on_day=DAYS[60], at=now(), **how, **who))
    assert risk_years.in_touch(DAYS[59], DAYS[80]).tolist() == [district.students[0]]
    assert risk_years.in_touch(DAYS[61], DAYS[80]).tolist() == []
    with on(replace(settings, today=date(2027, 7, 2))):
        scoring.score()
        with pytest.raises(NotFound, match="has not been read yet"):
            afterwards.year(2026, by=ada)
        year_ends.store(np.array(district.students, dtype=np.int64), calendar.completed(date(2027, 7, 2))[-1])
        told = afterwards.year(2026, by=ada)
        (model,) = told["models"]
        assert [one["school_day"] for one in model["evenings"]] == [60, 90], "told from school day 45 on"
        assert len(model["evenings"][0]["ranges"]) == 10 and model["evenings"][0]["groups"][0]["name"] == "all students"
        assert "a contact" in told["how_to_read"] and "\n".join(report_lines.year_lines(told))
        with pytest.raises(NotFound):
            afterwards.year(2025, by=ada)
    with on(replace(settings, today=date(2028, 7, 2))):
        scoring.score()
        assert query("SELECT count(*) FROM risk_told") == [(0,)]


def test_groups_of_a_running_year_are_counted_once_a_month_for_those_who_audit(district: District) -> None:
    run("UPDATE student SET low_income = (id % 4 < 2)")
    serving()
    groups = report.card(None, by=actor("ada"))["running"]["groups"]
    assert [one["name"] for one in groups] == [
        "students of families without a low income", "students of families with a low income",
    ]  # fmt: skip
    assert groups[0]["students"] == "about 40" and "found" not in groups[0]
    assert report.card(None, by=actor("paul"))["running"] is None
    assert not risk_rows.scored_in_month(model().id, EVENING) and risk_rows.scored_in_month(model().id, DAYS[45])


# -- what lists are told -------------------------------------------------------------------------------------------


def test_only_who_may_read_scores_is_told_and_only_of_students_within_reach(district: District) -> None:
    serving()
    told = reading.order_within_tier(district.students, actor("paul"))
    here = {student for student in district.students if district.school_of[student] == district.schools[0]}
    assert set(told.said) == here
    some = next(said for said in told.said.values() if said.reasons)
    assert "similar students" in some.range and 1 <= len(some.reasons) <= 4
    for login in ("tara", "nia", "zoe"):
        assert reading.order_within_tier(district.students, actor(login)).said == {}
        assert not reading.consider(actor(login)).students


def test_in_shadow_and_off_nobody_is_told_anything(district: District) -> None:
    risk_model.trained()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    scoring.score()
    assert query("SELECT count(*) > 0 FROM risk_score") == [(True,)]
    found = reading.order_within_tier(district.students, actor("paul"))
    assert (found.state.kind, found.said) == (Kind.SHADOW, {})
    assert "Nobody sees" in found.sentence and not reading.consider(actor("paul")).students


def test_it_brings_forward_only_students_whom_no_rule_has_reached(district: District) -> None:
    serving()
    ids = [one.student.id for one in reading.consider(actor("paul")).students]
    assert ids and query(
        "SELECT count(*) FROM student_status WHERE student_id = ANY(:ids)"
        " AND (tier > 0 OR rules <> '{}' OR NOT enrolled_now)",
        ids=ids,
    ) == [(0,)]
    logits = dict(query("SELECT student_id, logit FROM risk_score"))
    assert sorted(ids, key=lambda student: (-logits[student], student)) == ids


DECIDED = {
    "student_status": "student_id, tier, tier_since, rules, enrolled, absent",
    "standing": "student_id, since, until, tier",
    "tier_change": "student_id, day, before, after",
    "finding": "student_id, rule, since, until, numbers, sentence",
    "support_case": "student_id, school_id, status, tier, opened, due, owner_role",
    "task": "student_id, kind, period, status, due",
    "tier_count": "school_id, day, grade, tier_1, watch, tier_2, tier_3",
}


def test_two_districts_alike_but_for_a_serving_model_are_decided_alike(settings: Settings, built_once) -> None:
    """Every tier, case, task, finding and count, through further days, with the model asked each evening."""
    settings = replace(settings, today=DAYS[49])

    def decided(asked: bool) -> dict[str, list[tuple[object, ...]]]:
        made = built_once(settings, risk_model.district)
        with on(settings):
            if asked:
                assert serving().stage == "serving"
            return _through_more_days(made, asked=asked)

    without = decided(False)
    assert len(without["tier_change"]) > 5 and without["support_case"]
    assert decided(True) == without


def _through_more_days(made: District, *, asked: bool) -> dict[str, list[tuple[object, ...]]]:
    for day in DAYS[45:50]:
        risk_model.submit(made, day)
        risk_model.decide()
        if asked:
            scoring.score()
            said = reading.order_within_tier(made.students, actor("paul")).said
            for student in sorted(student for student, one in said.items() if one.reasons)[:2]:
                answers.answer(student, answer="accepted", by=actor("paul"))
    if asked:
        assert query("SELECT count(*), min(outcome) FROM risk_night") == [(6, "scored")]
        assert query("SELECT count(*) FROM risk_answer") == [(10,)]
    return {table: query(f"SELECT {columns} FROM {table} ORDER BY {columns}") for table, columns in DECIDED.items()}
