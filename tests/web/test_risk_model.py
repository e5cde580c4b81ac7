"""The pages of the risk model: calm while there is none, one decision a form, no group told to who may not see it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.risk import afterwards, training
from models.base import db
from models.risk import RiskAnswer, RiskModel, RiskNight, RiskScore, RiskStep
from rules.risk import afterwards as afterwards_rules
from rules.risk.gates import TARGETS
from tests.services import risk_report
from tests.web.conftest import SignInAs
from tests.web.importing import once_of, words

PURPOSE = "To look first at those who need it most"


@pytest.fixture
def none(app: Flask, world: dict[str, int]) -> None:
    """A district that never had a model."""
    with app.app_context(), transaction():
        forget()


def forget() -> None:
    """Every model and what was said of it."""
    for table in (RiskStep, RiskNight, RiskScore, RiskAnswer, RiskModel):
        db.session.query(table).delete()


def put(app: Flask, status: str = "trained", **parts: Any) -> int:
    """A model in that state, in place of any other."""
    with app.app_context(), transaction():
        forget()
        row = risk_report.model(status, **parts)
        db.session.add(row)
        db.session.flush()
        return row.id


def rows(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(one.status, one.stage) for one in db.session.query(RiskModel).order_by(RiskModel.id)]


def test_a_district_that_never_made_one_sees_what_it_is_and_that_it_is_off(
    sign_in: SignInAs, app: Flask, none: None
) -> None:
    page = words(sign_in("district_analyst").get("/risk-model").text)
    assert "No risk model is in use" in page and "Lists are ordered by the rules alone" in page
    assert "It opens, closes and moves nothing" in page and "Person policy_editor (Policy editor)" in page
    assert "Have a model made" not in page and "Switch it off" not in page
    assert "Have a model made" in words(sign_in("policy_editor").get("/risk-model").text)


def test_a_form_sent_twice_makes_one_model_and_too_few_years_are_told_as_such(
    sign_in: SignInAs, app: Flask, none: None
) -> None:
    lead = sign_in("student_support_lead")
    form = {"once": once_of(lead.get("/risk-model").text)}
    for _ in range(2):
        assert lead.send("/risk-model/train", form).status_code == 302
    assert rows(app) == [("refused", "off")]
    page = words(lead.get("/risk-model").text)
    assert "No risk model is in use: the last one was refused" in page and "2 years" in page


def test_a_training_tells_how_far_it_is_and_is_stopped(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    number = put(app, "running", done=10, finished_at=None)
    lead = sign_in("student_support_lead")
    page = lead.get("/risk-model").text
    assert 'data-poll="/risk-model"' in page and "Being made: 25%" in words(page)
    assert "Stop making it" not in sign_in("principal").get("/risk-model").text
    assert lead.send(f"/risk-model/{number}/stop", {"once": once_of(page)}).status_code == 302
    assert rows(app) == [("stopped", "off")]
    assert "data-poll" not in lead.get("/risk-model").text
    again = put(app, "running", done=10)
    with app.app_context():
        assert not training.failed(training.one(again))


def test_what_was_missed_names_a_group_only_to_those_who_audit(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    number = put(app, "refused", refusals=risk_report.MISSED)
    for path in ("/risk-model", f"/risk-model/{number}"):
        seen = words(sign_in("policy_editor").get(path).text)
        assert "On school day 20 its estimates are not enough better. at most 85% 90.1%" in seen
        assert "it finds fewer Black students" in seen
        others = words(sign_in("principal").get(path).text)
        assert "its estimates are not enough better" in others and "Black" not in others
    assert f"/risk-model/{number}/groups" not in sign_in("principal").get("/risk-model").text


def test_an_old_page_changes_nothing_and_what_was_typed_is_still_there(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    number = put(app, artefact="{}")
    with app.app_context(), transaction():
        db.session.add(
            RiskStep(model_id=number, kind="off", words="The codes of two schools changed", author="Ada Lund",
                     position="Policy editor", written_at=db.session.get_one(RiskModel, number).asked_at)
        )  # fmt: skip
    editor = sign_in("policy_editor")
    form = {"once": once_of(editor.get("/risk-model").text), "stage": "shadow", "purpose": PURPOSE}
    answer = editor.send(f"/risk-model/{number}/promote", form)
    assert answer.status_code == 422
    page = words(answer.text)
    assert "While this page was open Ada Lund switched it off. Nothing was changed." in page
    assert "The codes of two schools changed" in page and "Switched off, model" in page
    short = editor.send("/risk-model/off", {**form, "reason": "Because"})
    assert "Write the reason in a sentence" in words(short.text)
    assert rows(app) == [("trained", "off")]


def test_past_years_are_told_in_words_beside_every_picture(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    number = put(app)
    page = sign_in("principal").get(f"/risk-model/{number}/past-years?day=40&places=1").text
    told = words(page)
    assert "Had each school taken up 5 of 100 students" in told and "<strong>5</strong>" in page
    assert (
        "Of 10 students it would have brought forward on school day 40, 4.6 were chronically absent in the end; by the"
        " absence rate 3.0" in told
    )
    assert page.count('<svg class="beside"') == 3 and page.count('role="img" aria-label="') >= 4
    assert "The rule alone 6.6 of 10" in told and "Last year's rate 7.0 of 10" in told
    assert "Day 20 to 40, this model 70 of 100" in told
    assert "kept 80.0% at most 87.0% 78.0 to 82.0%" in told
    assert "2024-25 1,000 students, 200 chronically absent This model (a weighted sum) 88.0 0.120 4.6 74.0" in told
    for odd in ("day=7", "day=x", "places=9", "places=-1"):
        assert sign_in("principal").get(f"/risk-model/{number}/past-years?{odd}").status_code == 200
    assert "style=" not in re.sub(r"<head>.*</head>", "", page, flags=re.S)


def test_a_trial_of_before_is_told_as_far_as_it_goes(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    kept = risk_report.report()
    for one in kept["trials"]:
        del one["figures"]["years"]
        for name in ("rule", "last_year"):
            del one["figures"]["capacity"][name]
    for one in kept["outcome"]["lists"].values():
        del one["steps"]
    number = put(app, report=kept)
    told = words(sign_in("principal").get(f"/risk-model/{number}/past-years").text)
    assert "for models made from now on" in told and "75 of 100 students on either of its lists stood on both" in told
    del kept["trials"][0]["figures"]["chronic"]
    number = put(app, report=kept)
    principal = sign_in("principal")
    assert "There are no figures of past years" in words(principal.get(f"/risk-model/{number}/past-years").text)
    assert "An earlier release of this software tried it" in words(principal.get(f"/risk-model/{number}").text)


def test_groups_stand_beside_the_rule_and_small_ones_are_kept_back(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    number = put(app)
    told = words(sign_in("records_custodian").get(f"/risk-model/{number}/groups").text)
    assert "It does less well than is allowed for 1 group of students on school day 20" in told
    assert "English learners about 400 30% 75% by the model, · 70% by the rule, · +5 points" in told
    assert "finds fewer than the rule" in told
    assert "Students in temporary living situations kept back kept back kept back kept back kept back" in told
    assert "English learners who are also Black students" in told and "By school (2)" in told
    assert list(TARGETS) == [int(day) for day in re.findall(r"\d+", told.partition("School day: ")[2][:20])]


def test_the_file_is_what_was_sealed_letter_by_letter(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    number = put(app, artefact='{"a":1}', sha256="0" * 64)
    answer = sign_in("policy_editor").get(f"/risk-model/{number}/file")
    assert (answer.text, answer.mimetype) == ('{"a":1}', "application/json")
    assert f"risk-model-{number}.json" in answer.headers["Content-Disposition"]
    assert sign_in("principal").get(f"/risk-model/{number}/file").status_code == 403
    with app.app_context():
        taken = text("SELECT subject FROM audit_row WHERE action = 'risk_file_taken'")
        assert db.session.scalars(taken).all() == [f"risk_model:{number}"]
    assert "Take the file along" not in sign_in("principal").get(f"/risk-model/{number}").text
    number = put(app, "refused")
    assert sign_in("policy_editor").get(f"/risk-model/{number}/file").status_code == 404


def test_evenings_and_answers_of_a_model_at_work(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    number = put(app, artefact="{}", stage="serving")
    asked = {"alarms": [{"sentence": "Fewer were late than usual.", "wanted": "2% to 8%", "got": "1%"}]}
    with app.app_context(), transaction():
        model = db.session.get_one(RiskModel, number)
        night = {"model_id": number, "at": model.asked_at, "number": 44}
        db.session.add(RiskNight(day=model.asked_at.date(), outcome="scored", scored=1_180, abstained=4, figures=asked,
                                 **night))  # fmt: skip
        who = {"author": "Paul Adler", "position": "Principal", "written_at": model.asked_at}
        for nth in range(14):
            answer = "wrong_data" if nth < 3 else "accepted"
            db.session.add(RiskAnswer(model_id=number, student_id=world["ana"], day=model.asked_at.date(),
                                      range_key="4", answer=answer, reason="", **who))  # fmt: skip
    told = words(sign_in("district_analyst").get("/risk-model").text)
    assert "1,180 students too little is known of a few" in told
    assert "Fewer were late than usual. Allowed: 2% to 8%; that evening: 1%" in told
    assert "Taken up 11" in told and "It rests on wrong data kept back" in told
    assert "Who may: Person policy_editor (Policy editor)" in told and "Switch it off now" not in told
    assert "Have another one made" not in told
    assert "Have another one made" in words(sign_in("student_support_lead").get("/risk-model").text)


def test_a_finished_year_is_told_beside_what_came_and_a_running_one_is_not(
    sign_in: SignInAs, app: Flask, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(app, "refused", school_year=date(2025, 7, 1))
    analyst = sign_in("district_analyst")
    assert "/risk-model/years/2025" in analyst.get("/risk-model").text
    running = analyst.get("/risk-model/years/2026")
    assert running.status_code == 422 and "is not over" in words(running.text)
    assert analyst.get("/risk-model/years/2025").status_code == 404, "no model told anything"

    chronic, reached, ranges = np.arange(400) % 4 == 0, np.arange(400) % 2 == 0, np.full(400, 3)
    groups = afterwards_rules.by_group({"iep: yes": np.arange(400) < 200}, ranges, chronic, chronic)
    came = afterwards_rules.by_range(ranges, chronic, reached)
    evening = {"school_day": 60, "day": date(2025, 11, 20), "ranges": came, "groups": groups}
    stamp = {"purpose": "For support alone.", "taken_by": "", "position": "", "taken_at": None}
    told = {
        "school_year": "2025-26", "stamp": stamp, "how_to_read": "Never a measure of anybody's work.",
        "models": [{"model": 3, "answers": {"accepted": 40}, "evenings": [evening]}],
    }  # fmt: skip
    monkeypatch.setattr(afterwards, "year", lambda *_, **__: told)
    page = words(analyst.get("/risk-model/years/2025").text)
    assert "What models told in 2025-26, and what came" in page and "30% to 40% about 400 25% 50%" in page
    assert "10% to 20% about 0 kept back" in page and "Taken up 40" in page and "IEP" not in page
    assert "Students with an IEP about 200" in words(sign_in("policy_editor").get("/risk-model/years/2025").text)
