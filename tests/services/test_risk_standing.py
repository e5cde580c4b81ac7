"""Whether a model may say anything: not because a row says so, not longer than its evenings, never of who asked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Conflict, Refused, now, transaction
from ew_app.services.risk import answers, calendar, lives, one_student, packed, reading, scoring, upcoming, year_ends
from ew_app.services.risk.lives import Kind
from ew_app.services.risk.upcoming import Act
from ew_app.services.system import risk_health
from models.base import db
from models.risk import RiskExcluded, RiskModel
from models.staff import Person
from tests.opened import on
from tests.services import letters, risk_model, risk_staff
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, run, school_days
from tests.services.risk_model import PURPOSE, actor

DAYS = school_days(2026)
EVENING = DAYS[44]
YEAR = date(2026, 7, 1)


@pytest.fixture
def district(settings: Settings, built_once) -> Iterator[District]:
    """Two schools of forty after 45 school days, decided about, and the people who may agree."""
    settings = replace(settings, today=EVENING)
    made = built_once(settings, risk_model.district)
    with on(settings):
        yield made


def one(number: int) -> RiskModel:
    return db.session.get_one(RiskModel, number, populate_existing=True)


def six_weeks_later(number: int) -> None:
    run("UPDATE risk_model SET stage_since = stage_since - 42 WHERE id = :id", id=number)


def tried() -> int:
    """A model on trial for six weeks, asked this evening, with one agreement: Ada's."""
    number = risk_staff.on_trial()
    six_weeks_later(number)
    lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)
    return number


def scored() -> int:
    return query("SELECT count(*) FROM risk_score")[0][0]


# -- while an evening is being scored ------------------------------------------------------------------------------


def test_who_is_left_out_while_an_evening_is_scored_is_not_told_of(district: District) -> None:
    number = risk_staff.at_work()
    looked = packed.look(YEAR)
    who = reading.consider(OPERATOR).students[0].student.id
    answers.leave_out(who, reason="The family asked for it", by=OPERATOR)
    scoring.one_night(number, looked, calendar.year_of(EVENING), EVENING)
    for table in ("risk_score", "risk_told"):
        assert query(f"SELECT count(*) FROM {table} WHERE student_id = :who", who=who) == [(0,)], table
    assert scored() == 79


def test_a_model_switched_off_while_an_evening_is_scored_keeps_nothing_of_it(district: District) -> None:
    number = risk_staff.at_work()
    looked, nights = packed.look(YEAR), query("SELECT day, at FROM risk_night")
    lives.switch_off(reason="The codes of two schools changed", by=actor("ben"))
    scoring.one_night(number, looked, calendar.year_of(EVENING), EVENING)
    assert (scored(), query("SELECT day, at FROM risk_night")) == (0, nights)


# -- who is left out, whatever else is written ---------------------------------------------------------------------


def test_no_reader_tells_of_who_is_left_out_even_where_a_score_stands(district: District) -> None:
    """Restored rows, or a wish that was written under an id that has since been read as another."""
    number = risk_staff.at_work()
    who = reading.consider(OPERATOR).students[0].student.id
    other = next(student for student in district.students[2:] if student != who)
    wish = {"reason": "The family asked for it", "author": "Zoe Park", "position": "", "written_at": now()}

    def told() -> list[bool]:
        order, page = reading.ordering(OPERATOR), one_student.told(who, OPERATOR)
        assert order is not None and order.of_student is not None and order.of_case is not None and page is not None
        return [
            who in reading.order_within_tier([who], OPERATOR).said,
            who in [brought.student.id for brought in reading.consider(OPERATOR).students],
            page.said is not None,
        ]

    assert told() == [True, True, True]
    with transaction():
        db.session.add(RiskExcluded(student_id=other, **wish))
    assert told() == [True, True, True]
    run("UPDATE student SET same_as = :who WHERE id = :other", who=who, other=other)
    assert told() == [False, False, False]
    with pytest.raises(Conflict):
        answers.answer(who, answer="accepted", by=OPERATOR)
    scoring.score()
    assert query("SELECT count(*) FROM risk_score WHERE student_id = :who AND model_id = :number", who=who,
                 number=number) == [(0,)]  # fmt: skip


# -- what a row says is not enough ---------------------------------------------------------------------------------

FORGED: dict[str, str] = {
    "set to work without anybody": "UPDATE risk_model SET stage = 'serving', stage_since = current_date",
    "refused, and set to work": "UPDATE risk_model SET status = 'refused', stage = 'serving'",
    "set to work after one agreement": "UPDATE risk_model SET stage = 'serving'",
    "set to work again after it was switched off": "UPDATE risk_model SET stage = 'serving'",
    "an agreement taken away": "DELETE FROM risk_step WHERE kind = 'approved' AND author = 'Ben Oduya'",
}
BEFORE: dict[str, Callable[[], int]] = {
    "set to work after one agreement": tried,
    "an agreement taken away": risk_staff.at_work,
    "refused, and set to work": risk_staff.at_work,
}


@pytest.mark.parametrize("what", FORGED)
def test_a_stage_that_nobody_decided_says_nothing_and_health_tells(district: District, what: str) -> None:
    number = BEFORE.get(what, risk_model.trained)()
    if "switched off" in what:
        number = risk_staff.at_work()
        lives.switch_off(reason="The codes of two schools changed", by=actor("ben"))
    run(f"{FORGED[what]}{'' if 'DELETE' in FORGED[what] else f' WHERE id = {number}'}")
    db.session.expire_all()
    assert lives.state().kind is Kind.HELD and not reading.consider(OPERATOR).students
    scoring.score()
    assert (lives.state().kind, scored()) == (Kind.HELD, 0)
    assert risk_health.told()[1]


def test_a_seal_belongs_to_its_own_row(district: District) -> None:
    first, second = risk_model.trained(), risk_model.trained()
    run("UPDATE risk_model b SET artefact = a.artefact, sha256 = a.sha256, signature = a.signature FROM risk_model a"
        " WHERE a.id = :first AND b.id = :second", first=first, second=second)  # fmt: skip
    with pytest.raises(Refused, match="sealed for another training"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=second)


@pytest.mark.parametrize("lost", ["her role", "her login"])
def test_who_may_not_agree_any_more_has_not_agreed(district: District, lost: str) -> None:
    number = tried()
    with transaction():
        ada = db.session.query(Person).filter_by(login="ada").one()
        if lost == "her role":
            ada.grants[0].ends = EVENING - timedelta(days=1)
        else:
            ada.disabled_at = now()
    assert "Nobody has yet" in upcoming.steps(actor("ben"))[0].sentence
    lives.promote(purpose=PURPOSE, by=actor("ben"), number=number)
    assert (one(number).stage, lives.state().kind) == ("shadow", Kind.SHADOW)
    with pytest.raises(Refused, match="Somebody else"):
        lives.promote(purpose=PURPOSE, by=actor("ben"), number=number)


def test_an_older_model_is_not_taken_after_a_later_one_was_refused(district: District) -> None:
    number = tried()
    risk_staff.not_good_enough()
    with pytest.raises(Refused, match="was made after model"):
        lives.promote(purpose=PURPOSE, by=actor("ben"), number=number)
    told = next(one for one in upcoming.steps(actor("ben")) if one.model is not None and one.model.id == number)
    assert told.act is Act.WAIT and "was made after model" in told.sentence
    lives.switch_off(reason="We want to think it over again", by=actor("ben"))
    with pytest.raises(Refused, match="was made after model"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)


# -- evenings that stop --------------------------------------------------------------------------------------------


def test_what_was_said_holds_a_school_week_and_no_longer(district: District, settings: Settings) -> None:
    risk_staff.at_work()
    with on(replace(settings, today=DAYS[49])):
        assert lives.state().kind is Kind.SERVING and not risk_health.told()[1]
    for late in (DAYS[50], EVENING + timedelta(days=120)):
        with on(replace(settings, today=late)):
            stands = lives.state()
            assert stands.kind is Kind.HELD and "more than 5 school days ago" in stands.sentence
            assert not reading.consider(OPERATOR).students and risk_health.told()[1]
            assert "under Health" in upcoming.steps(actor("ada"))[0].sentence.replace("Under", "under")


def test_holidays_are_no_silence(district: District, settings: Settings) -> None:
    risk_staff.at_work()
    run("DELETE FROM calendar_day WHERE day BETWEEN :first AND :last", first=DAYS[45], last=DAYS[57])
    with on(replace(settings, today=DAYS[58])):
        assert lives.state().kind is Kind.SERVING


def test_an_evening_of_an_earlier_trial_is_none_of_this_one(district: District) -> None:
    number = risk_staff.at_work()
    lives.switch_off(reason="The codes of two schools changed", by=actor("ben"))
    lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)
    six_weeks_later(number)
    with pytest.raises(Refused, match="not been asked on any evening of this trial"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number)
    scoring.score()
    for login in ("ada", "ben"):
        lives.promote(purpose=PURPOSE, by=actor(login), number=number)
    assert lives.state().kind is Kind.SERVING


def test_when_the_year_is_over_the_first_night_ends_it_and_the_page_says_what_comes(
    district: District, settings: Settings
) -> None:
    number = risk_staff.at_work()
    with on(replace(settings, today=date(2027, 7, 1))):
        (told,) = upcoming.steps(actor("ada"))
        assert (told.act, told.model) == (Act.TRAIN, None)
        assert not scoring.ask(date(2027, 7, 1))
        assert (one(number).stage, scored()) == ("off", 0)


# -- rows that were damaged ----------------------------------------------------------------------------------------

DAMAGE: dict[str, str] = {
    "reasons that are none": "reasons = 'nonsense'",
    "reasons cut off": "reasons = left(reasons, 20)",
    "a reason that nobody knows": """reasons = '[["luck",900,18000,180000,10]]'""",
    "more missed than there was": """reasons = '[["to_date",900,190000,180000,10]]'""",
    "half a number": """reasons = '[["to_date",900,1.5,180000,10]]'""",
    "no list at all": "reasons = '7'",
    "a range beyond all": "range_key = '17'",
    "no range": "range_key = ''",
    "another range than the score's": "range_key = CASE range_key WHEN '9' THEN '0' ELSE '9' END",
    "another score than the range's": "logit = 9000 - logit",
    "why it abstains is none": "logit = NULL",
}
SEEN_BY_HEALTH = ("reasons that are none", "reasons cut off", "no list at all", "a range beyond all", "no range")


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_score_tells_nothing_and_leaves_everybody_elses_alone(district: District, what: str) -> None:
    risk_staff.at_work()
    brought = [one.student.id for one in reading.consider(OPERATOR).students]
    before = reading.order_within_tier(district.students, OPERATOR).said
    run(f"UPDATE risk_score SET {DAMAGE[what]} WHERE student_id = :who", who=brought[0])
    after = reading.order_within_tier(district.students, OPERATOR).said
    assert "can't be read any more" in after[brought[0]].sentence and after[brought[0]].logit is None
    assert {who: said for who, said in after.items() if who != brought[0]} == {
        who: said for who, said in before.items() if who != brought[0]
    }
    assert brought[0] not in [one.student.id for one in reading.consider(OPERATOR).students]
    if what in SEEN_BY_HEALTH:
        assert risk_health.told()[1] and "1 score can't be read" in risk_health.told()[0]
    scoring.score()
    assert not risk_health.told()[1] and brought == [one.student.id for one in reading.consider(OPERATOR).students]


# -- who is told of where nothing is said, and what is told of a child of two ids ----------------------------------


def test_a_child_of_two_ids_keeps_last_year(district: District) -> None:
    risk_staff.at_work()
    who = district.students[2]
    new = letters.student("renew", district.school_of[who], entry=DAYS[0], grade="5")
    run("UPDATE student SET same_as = :new WHERE id = :who", new=new, who=who)
    run("UPDATE stint SET former_id = student_id, student_id = :new WHERE student_id = :who", new=new, who=who)
    before, after = (year_ends.past(np.array([one], dtype=np.int64), YEAR) for one in (who, new))
    assert after.last_enrolled.tolist() == [170_000] and before.last_absent.tolist() == [-1], "read as the kept one"
    assert query("SELECT absent FROM year_end WHERE student_id = :who AND school_year = '2025-07-01'", who=who) == [
        (after.last_absent[0],)
    ]


def test_what_was_counted_names_the_years_it_was_counted_in(district: District) -> None:
    risk_staff.at_work()
    said = reading.consider(OPERATOR).students[0].said
    assert "in 2025-26, " in said.sentence and "2024-25" not in said.sentence


def test_last_years_totals_that_a_roster_tells_of_a_newcomer_are_heeded_the_same_evening(district: District) -> None:
    new = risk_model.newcomer(district, since=DAYS[42])
    risk_staff.at_work()
    assert query("SELECT logit FROM risk_score WHERE student_id = :new", new=new) == [(None,)]
    run("INSERT INTO prior_year (student_id, school_year, enrolled, absent) VALUES (:new, '2025-26', 170000, 40000)",
        new=new)  # fmt: skip
    scoring.score()
    assert query("SELECT logit IS NOT NULL FROM risk_score WHERE student_id = :new", new=new) == [(True,)]
