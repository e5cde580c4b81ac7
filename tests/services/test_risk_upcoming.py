"""What comes next with the risk model: each step asked for once, by whoever may; an old page changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Conflict, Refused
from ew_app.services.risk import lives, scoring, standing, training, upcoming
from ew_app.services.risk.upcoming import Act
from models.base import db
from models.risk import RiskModel
from tests.opened import on
from tests.services import risk_model
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, run, school_days
from tests.services.risk_model import PURPOSE, actor

EVENING = school_days(2026)[44]


@pytest.fixture
def district(settings: Settings, built_once) -> Iterator[District]:
    settings = replace(settings, today=EVENING)
    made = built_once(settings, risk_model.district)
    with on(settings):
        yield made


def told(login: str) -> tuple[Act, bool, str]:
    db.session.expire_all()
    (one,) = upcoming.steps(actor(login))
    return one.act, one.may, one.sentence


def test_a_form_that_is_sent_twice_asks_for_one_training(district: District) -> None:
    assert told("ada")[:2] == (Act.TRAIN, True)
    assert told("paul")[:2] == (Act.TRAIN, False)
    first = training.ask(by=actor("ada"), once="form/1")
    assert training.ask(by=actor("ada"), once="form/1") == first
    with pytest.raises(Refused, match="being made already"):
        training.ask(by=actor("ben"), once="form/2")
    assert query("SELECT count(*) FROM risk_model") == [(1,)]
    assert query("SELECT count(*) FROM outbox WHERE job = 'train_risk'") == [(1,)]
    assert told("ada")[:2] == (Act.WAIT, False)


def test_a_training_that_cannot_go_on_says_so_and_can_be_stopped(district: District) -> None:
    number = training.ask(by=OPERATOR)
    assert not training.failed(training.one(number))
    run("UPDATE outbox SET quarantined_at = created_at WHERE job = 'train_risk'")
    act, may, sentence = told("ada")
    assert (act, may) == (Act.LOOK, True) and "under Health" in sentence
    training.stop(number, by=actor("ada"))
    assert told("ada")[0] is Act.TRAIN


def test_each_step_names_who_may_and_waits_for_somebody_else_after_the_first_agreement(district: District) -> None:
    number = risk_model.trained()
    (one,) = upcoming.steps(actor("ada"))
    assert (one.act, one.may, list(one.who)) == (
        Act.TRIAL, True, ["Ada Lund (Policy editor)", "Ben Oduya (Student support lead)"],
    )  # fmt: skip
    lives.promote(purpose=PURPOSE, by=actor("ada"), seen="off", once="form/1")
    lives.promote(purpose=PURPOSE, by=actor("ada"), seen="off", once="form/1")
    act, may, sentence = told("ada")
    assert (act, may) == (Act.WAIT, False) and "two different people may let it work" in sentence
    run("UPDATE risk_model SET stage_since = stage_since - 42")
    assert "not been asked on any evening" in told("ada")[2]
    scoring.score()
    assert told("ada")[:2] == (Act.AGREE, True)
    lives.promote(purpose=PURPOSE, by=actor("ada"), seen="shadow", once="form/2")
    assert lives.promote(purpose="No", by=actor("ada"), seen="shadow", once="form/2").id == number
    assert told("ada")[0] is Act.WAIT and "Somebody else" in told("ada")[2]
    (one,) = upcoming.steps(actor("ben"))
    assert (one.act, one.may, list(one.who)) == (Act.AGREE, True, ["Ben Oduya (Student support lead)"])
    assert "Ada Lund agreed" in one.sentence
    lives.promote(purpose=PURPOSE, by=actor("ben"), seen="shadow", once="form/3")
    assert told("ben")[0] is Act.NOTHING
    assert query("SELECT kind FROM risk_step ORDER BY id") == [("shadow",), ("approved",), ("approved",), ("serving",)]


def test_a_page_that_is_old_changes_nothing_and_says_what_happened_since(district: District) -> None:
    number = risk_model.trained()
    lives.promote(purpose=PURPOSE, by=actor("ada"), number=number, seen="off")
    with pytest.raises(Conflict, match="Ada Lund put it on trial"):
        lives.promote(purpose=PURPOSE, by=actor("ben"), number=number, seen="off")
    lives.switch_off(reason="The codes of two schools changed", by=actor("ben"), once="form/1")
    assert lives.switch_off(reason="The codes of two schools changed", by=actor("ben"), once="form/1") == 1
    with pytest.raises(Conflict, match="Ben Oduya switched it off"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number, seen="shadow")
    newer = risk_model.trained()
    with pytest.raises(Conflict, match="A newer model"):
        lives.promote(purpose=PURPOSE, by=actor("ada"), number=number, seen="off")
    assert query("SELECT id, stage FROM risk_model ORDER BY id") == [(number, "off"), (newer, "off")]


def test_what_was_agreed_to_an_earlier_trial_counts_no_more(district: District) -> None:
    serving = _serving()
    lives.switch_off(reason="We want to think it over again", by=actor("ben"))
    lives.promote(purpose=PURPOSE, by=actor("ben"))
    run("UPDATE risk_model SET stage_since = stage_since - 42")
    scoring.score()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    db.session.expire_all()
    assert db.session.get_one(RiskModel, serving).stage == "shadow", "one agreement is not two"
    assert [step.author for step in standing.agreed(db.session.get_one(RiskModel, serving))] == ["Ada Lund"]


def _serving() -> int:
    number = risk_model.trained()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    run("UPDATE risk_model SET stage_since = stage_since - 42")
    scoring.score()
    lives.promote(purpose=PURPOSE, by=actor("ada"))
    lives.promote(purpose=PURPOSE, by=actor("ben"))
    return number


def test_a_second_model_is_told_of_beside_the_one_at_work(district: District) -> None:
    first = _serving()
    second = risk_model.trained()
    found = upcoming.steps(actor("ada"))
    assert [(one.model and one.model.id, one.act) for one in found] == [(second, Act.TRIAL), (first, Act.NOTHING)]
    run("UPDATE risk_night SET outcome = 'refused', reasons = '[\"Codes are missing.\"]'")
    assert upcoming.steps(actor("ada"))[1].sentence.startswith("Look at what its last evening noticed")
