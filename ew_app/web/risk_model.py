"""The optional risk model for the district: how does it stand, what comes next, and who may do it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, today
from ew_app.services.risk import lives, purpose, report, training, upcoming
from ew_app.services.risk.lives import Kind
from ew_app.services.risk.upcoming import Act
from ew_app.web import risk_model_words as words
from ew_app.web.guard import actor, once, requires
from models.queries import risk as rows
from models.risk import RiskModel
from rules import access
from rules.access import Permission
from rules.stints import school_year_start

screen = Blueprint("risk_model", __name__)

sees = requires(Permission.SEE_RISK_MODEL)
ANSWERS = {
    Kind.NONE: "No risk model is in use",
    Kind.OFF: "No risk model is in use",
    Kind.MAKING: "A risk model is being made",
    Kind.NOT_GOOD_ENOUGH: "No risk model is in use: the last one was refused",
    Kind.SHADOW: "A risk model is on trial, and nobody sees what it says",
    Kind.SERVING: "A risk model orders lists within each tier",
    Kind.HELD: "The risk model says nothing just now",
}
EVENINGS = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """What was not done, and what had been typed, so that it is not lost."""

    sentence: str
    field: str = ""
    typed: str = ""


@screen.get("/risk-model")
@sees
def show() -> str:
    return _page()


@screen.post("/risk-model/train")
@requires(Permission.TRAIN_RISK)
def train() -> ResponseReturnValue:
    """Have a model made."""
    return _done(lambda key: training.ask(by=actor(), once=key))


@screen.post("/risk-model/<int:number>/stop")
@requires(Permission.TRAIN_RISK)
def stop(number: int) -> ResponseReturnValue:
    """Give a training up."""
    training.one(number)
    return _done(lambda key: training.stop(number, by=actor()), STOPPED)


@screen.post("/risk-model/<int:number>/promote")
@requires(Permission.APPROVE_RISK)
def promote(number: int) -> ResponseReturnValue:
    """On trial, or one of the two agreements; `stage` is what the page showed."""
    training.one(number)
    seen, purpose = request.form.get("stage", ""), request.form.get("purpose", "")

    def act(key: str) -> str:
        model = lives.promote(purpose=purpose, by=actor(), number=number, seen=seen, once=key)
        return PROMOTED[model.stage if seen == "shadow" and model.stage == "serving" else seen]

    return _done(act, field="purpose", typed=purpose)


STOPPED = "It was stopped. What it had found so far is forgotten."
PROMOTED = {
    "off": "It is on trial. Nobody sees what it says.",
    "shadow": "Your agreement is kept. It works when somebody else has agreed as well.",
    "serving": "Two people have agreed. It orders lists within each tier at once.",
}


@screen.post("/risk-model/off")
@requires(Permission.STOP_RISK)
def off() -> ResponseReturnValue:
    """Switch it off."""
    reason = request.form.get("reason", "")

    def act(key: str) -> str:
        stopped = lives.switch_off(reason=reason, by=actor(), once=key)
        return "The risk model is off. What it said of students is gone." if stopped else "It was off already."

    return _done(act, field="reason", typed=reason)


def _done(act: Callable[[str], Any], told: str = "", *, field: str = "", typed: str = "") -> ResponseReturnValue:
    """Do it once for this form, and come back to the page; or the page with why not and what was typed."""
    try:
        answer = act(f"risk/{once()}")
    except NotFound:
        raise
    except SENTENCES as refusal:
        return _page(Problem(str(refusal), field, typed)), 422
    sentence = told or (answer if isinstance(answer, str) else "")
    if sentence:
        flash(sentence, "good")
    return redirect(url_for("risk_model.show"))


def _page(problem: Problem | None = None) -> str:
    stands, by = lives.state(), actor()
    coming, trains = upcoming.steps(by), access.can(by.grants, Permission.TRAIN_RISK)
    at_work = stands.model if stands.model is not None and stands.model.stage != "off" else None
    models = rows.all_models()
    refused = next((one.model for one in coming if one.model is not None and one.model.status == "refused"), None)
    return render_template(
        "risk_model.html",
        answer=ANSWERS[stands.kind], stands=stands, making=stands.kind is Kind.MAKING, coming=coming,
        percent=percent, names=words.names, stoppable=trains,
        another=trains and training.under_way() is None and all(one.act is not Act.TRAIN for one in coming),
        at_work=at_work, may_switch_off=at_work is not None and access.can(by.grants, Permission.STOP_RISK),
        who_stops=upcoming.who_may(Permission.STOP_RISK) if at_work is not None else [],
        missed=report.missed(refused, by=by) if refused is not None else [], refused=refused,
        evenings=[words.evening(night) for night in rows.nights(at_work.id)[:EVENINGS]] if at_work is not None else [],
        answers=words.answers(rows.answers_to(at_work.id)) if at_work is not None else [],
        history=words.history(rows.every_step()),
        models=[(model, words.came_of(model)) for model in models],
        past_years=sorted({one.school_year.year for one in models if one.school_year < school_year_start(today())}),
        what_for=purpose.WHAT_FOR, not_looked_at=purpose.NEVER_INPUTS, problem=problem,
        tabs=words.tabs(_told_of(at_work, models), audits=access.can(by.grants, Permission.AUDIT_RISK)),
    )  # fmt: skip


def _told_of(at_work: RiskModel | None, models: Sequence[RiskModel]) -> int | None:
    """The model that the other pages are about: the one at work or on trial, else the newest."""
    return next((model.id for model in (at_work, *models) if model is not None), None)


def percent(model: RiskModel) -> int:
    """How far a training is."""
    return model.done * 100 // max(model.steps, 1)
