"""The life of a model: off, then in shadow for weeks where nobody sees what it says, then at work; and off at once.

It starts to work when two people who may agree to it have, each in a written purpose. One of those who may stop it
is enough to stop it. It ends with the school year it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import delete, select

from ew_app.kernel import WORKER, Actor, Conflict, NotFound, Refused, day_text, now, operation, record, settings, today
from ew_app.services.risk import artefacts, standing
from ew_app.services.risk.artefacts import Unusable
from ew_app.services.risk.standing import APPROVERS
from models.base import db
from models.queries import risk as rows
from models.queries import risk_told
from models.risk import RiskModel, RiskNight, RiskScore, RiskStep
from rules import access
from rules.access import Permission
from rules.counting import are, many
from rules.risk import gates
from rules.risk.card import Card
from rules.stints import school_year_start
from rules.words import check_words

UNFIT = "The risk model is held back; the district is told why. Lists are ordered by the rules alone."
SHORTEST = 20  # letters of a purpose or a reason: a sentence, not a tick


class Kind(StrEnum):
    """How it stands with the model of the running school year."""

    NONE = "none"
    OFF = "off"
    MAKING = "making"
    NOT_GOOD_ENOUGH = "not_good_enough"
    SHADOW = "shadow"
    SERVING = "serving"
    HELD = "held"  # it serves, and something holds back what it says


@dataclass(frozen=True, slots=True)
class State:
    """How it stands, in a sentence; `model` where there is one. Only SERVING shows anything to anybody."""

    kind: Kind
    sentence: str
    model: RiskModel | None = None
    night: RiskNight | None = None
    card: Card | None = None  # of a model at work that is fit to be asked

    @property
    def for_lists(self) -> str:
        """The same for who works with students: what is wrong with a stored model is not theirs to mend."""
        return UNFIT if self.kind is Kind.HELD and self.card is None else self.sentence


def state() -> State:
    """How it stands today."""
    model = rows.to_tell_of(school_year_start(today()))
    if model is None or model.stage not in ("serving", "shadow"):
        return _without(model)
    if model.school_year != school_year_start(today()):
        return State(Kind.OFF, f"The model was made for {_name(model)} and ended with it. Rules stay in charge.", model)
    if model.stage == "shadow":
        since = day_text(model.stage_since or today())
        sentence = f"A model is on trial since {since}. Nobody sees what it says; lists are ordered by the rules alone."
        return State(Kind.SHADOW, sentence, model)
    night = standing.last_evening(model)
    try:
        card = standing.fit(model)
    except Unusable as why:
        return State(Kind.HELD, f"{why} Lists are ordered by the rules alone.", model, night)
    if night is None:
        sentence = "Two people have let the model work. It has its first say tonight; until then the rules alone order."
        return State(Kind.HELD, sentence, model, card=card)
    if why_not := standing.silent(night):
        told = f"{why_not} Until that changes, lists are ordered by the rules alone."
        return State(Kind.HELD, told, model, night, card)
    return State(Kind.SERVING, f"Ordered by a model within each tier, as of {day_text(night.day)}.", model, night, card)


def _without(model: RiskModel | None) -> State:
    if model is None:
        return State(Kind.NONE, "There is no risk model. Lists are ordered by the rules alone.")
    if model.status in ("waiting", "running"):
        anew = f" {model.plan['anew']}" if model.plan.get("anew") else ""
        return State(Kind.MAKING, f"A model is being made: {model.done} of {model.steps} steps.{anew}", model)
    if model.status == "refused":
        return State(Kind.NOT_GOOD_ENOUGH, _not_good_enough(model), model)
    return State(Kind.OFF, _off(model), model)


def _not_good_enough(model: RiskModel) -> str:
    """The first thing that was missed, and how many more there are."""
    missed = [gates.for_everybody(str(one["key"]), str(one["sentence"])) for one in model.refusals]
    more = f" {many(len(missed) - 1, 'more thing')} it missed {are(len(missed) - 1)} on its card." if missed[1:] else ""
    told = f" {missed[0]}" if missed else ""
    return f"A model was tried and may not be used. Lists are ordered by the rules alone.{told}{more}"


def _off(model: RiskModel) -> str:
    last = standing.steps(model)[-1:]
    if last and last[0].kind == "off":
        when, who = day_text(last[0].written_at.date()), last[0].author
        return f"The risk model was switched off on {when} by {who}. Lists are ordered by the rules alone."
    if model.status == "trained" and not last:
        return "A model has kept what is asked of it, and nobody has let it work. Lists are ordered by the rules alone."
    return "The risk model is off. Lists are ordered by the rules alone."


def _name(model: RiskModel) -> str:
    return f"{model.school_year.year}-{(model.school_year.year + 1) % 100:02d}"


def at_stage(stage: str) -> RiskModel | None:
    """The model in shadow, or the one that serves; there is one at most."""
    found = select(RiskModel).where(RiskModel.stage == stage).order_by(RiskModel.id.desc())
    return db.session.scalars(found).first()


def trial_until(model: RiskModel) -> date:
    """The day from which two people may agree to a model that is on trial."""
    return (model.stage_since or today()) + timedelta(days=settings().risk_shadow_days)


def silent_on_trial(model: RiskModel) -> str:
    """Why nobody can agree to a model that was on trial long enough; empty where nothing speaks against it."""
    why = standing.silent(standing.last_evening(model)) if settings().risk_shadow_days else ""
    return f"On its last evening on trial model {model.id} said nothing. {why}" if why else ""


def passed_over(model: RiskModel) -> str:
    """Why nobody can agree to a model that a later training speaks against; empty where none does."""
    later = rows.refused_after(model)
    if later is None:
        return ""
    return (
        f"Model {later} was made after model {model.id} and refused: by the latest look at past years a model is not"
        " good enough. Have a new one made when what it missed has changed."
    )


@operation
def promote(
    *, purpose: str, by: Actor, number: int | None = None, seen: str | None = None, once: str | None = None
) -> RiskModel:
    """One step further: into shadow, then one agreement, then another that lets the model work.

    `number`: of a model, else the newest of the school year. `seen`: the stage that a page showed; the same `once`
    again changes nothing. Raises NotFound, NotAllowed, Refused, Conflict, UnfitWords.
    """
    access.check(by.grants, Permission.APPROVE_RISK)
    if by.person_id is None:
        raise Refused("A person has to agree, by name. Give one with --as.")
    model = _locked(number)
    if _done_before(once):
        return model
    words = _fit(purpose, "purpose")
    if seen is not None:
        _check_seen(model, seen)
    _check_usable(model)
    if model.stage == "serving":
        raise Refused(f"Model {model.id} does its work already.")
    if model.stage == "off":
        _enter_shadow(model, words, by, once)
    else:
        _agree(model, words, by, once)
    return model


def _done_before(once: str | None) -> bool:
    """Whether this very form was sent already."""
    return once is not None and db.session.scalar(select(RiskStep.id).where(RiskStep.once == once)) is not None


def _check_seen(model: RiskModel, seen: str) -> None:
    """Conflict where the page that was answered does not hold any more."""
    newest = rows.newest(school_year_start(today()))
    if seen == "off" and newest is not None and newest.id > model.id:
        raise Conflict("A newer model was asked for while this page was open. Nothing was changed.")
    last = standing.steps(model)[-1:]
    if model.stage != seen and last:
        what = {"off": "switched it off", "shadow": "put it on trial"}.get(model.stage, "let it work")
        raise Conflict(f"While this page was open {last[0].author} {what}. Nothing was changed.")


def _check_usable(model: RiskModel) -> None:
    """Refused with the reason where a model may not be used, whoever agrees."""
    if model.status != "trained" or model.artefact is None:
        told = " ".join(gates.for_everybody(str(one["key"]), str(one["sentence"])) for one in model.refusals)
        raise Refused(f"Model {model.id} may not be used: {told or 'it was not made to the end.'}")
    if model.school_year != school_year_start(today()):
        raise Refused(f"Model {model.id} was made for {_name(model)}. Have a new one made with `ew risk train`.")
    try:
        standing.fit(model)
        artefacts.check_shown(model)
    except Unusable as why:
        raise Refused(f"Model {model.id} may not be used: {why}") from why
    if model.stage != "serving" and (newer := passed_over(model)):
        raise Refused(newer)


def _enter_shadow(model: RiskModel, words: str, by: Actor, once: str | None) -> None:
    other = at_stage("shadow")
    if other is not None:
        _end(other, "ended", f"Model {model.id} is on trial in its place.", by)
    model.stage, model.stage_since = "shadow", today()
    _step(model, "shadow", words, by, once)


def _agree(model: RiskModel, words: str, by: Actor, once: str | None) -> None:
    if today() < trial_until(model):
        days = many(settings().risk_shadow_days, "day")
        raise Refused(
            f"Model {model.id} is on trial until {day_text(trial_until(model))}: {days} "
            "in which nobody sees what it says. EW_RISK_SHADOW_DAYS sets how many."
        )
    if silent := silent_on_trial(model):
        raise Refused(silent)
    agree = {step.author_id for step in standing.living(model)}
    if by.person_id in agree and len(agree) < APPROVERS:
        raise Refused("You have agreed already. Somebody else who may has to agree as well.")
    if by.person_id not in agree:
        _step(model, "approved", words, by, once)
    if len(agree | {by.person_id}) < APPROVERS:
        return
    serving = at_stage("serving")
    if serving is not None:
        _end(serving, "ended", f"Model {model.id} works in its place.", by)
    model.stage, model.stage_since = "serving", today()
    _step(model, "serving", words, by)
    if state().kind is Kind.SERVING:
        risk_told.remember(model.id, today())  # from now on people see what it said


@operation
def switch_off(*, reason: str, by: Actor, once: str | None = None) -> int:
    """Stop every model at once; how many there were. What they said of students goes. Raises NotAllowed, Refused."""
    access.check(by.grants, Permission.STOP_RISK)
    words = _fit(reason, "reason")
    found = db.session.scalars(select(RiskModel).where(RiskModel.stage != "off").with_for_update()).all()
    if _done_before(once):
        return 1
    for nth, model in enumerate(found):
        _end(model, "off", words, by, None if nth else once)
    return len(found)


@operation
def end_with_the_year() -> int:
    """Stop models of an earlier school year; how many there were."""
    past = RiskModel.school_year < school_year_start(today())
    found = db.session.scalars(select(RiskModel).where(RiskModel.stage != "off", past).with_for_update()).all()
    for model in found:
        _end(model, "ended", f"The school year {_name(model)} is over.", WORKER)
    start = school_year_start(today())
    risk_told.forget(start.replace(year=start.year - 1))
    return len(found)


def _end(model: RiskModel, kind: str, words: str, by: Actor, once: str | None = None) -> None:
    model.stage, model.stage_since = "off", today()
    db.session.execute(delete(RiskScore).where(RiskScore.model_id == model.id))
    risk_told.close(model.id, today())
    _step(model, kind, words, by, once)


def _step(model: RiskModel, kind: str, words: str, by: Actor, once: str | None = None) -> None:
    who = {"author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now()}
    db.session.add(RiskStep(model_id=model.id, kind=kind, words=words, once=once, **who))
    db.session.flush()
    record(f"risk_{kind}", by=by, subject=f"risk_model:{model.id}", reason=words, seal=model.sha256 or "")


def _fit(words: str, what: str) -> str:
    """Words that say something. Refused, UnfitWords."""
    words = " ".join(words.split())
    if len(words) < SHORTEST:
        raise Refused(f"Write the {what} in a sentence; it is kept with the model.")
    check_words(words)
    return words


def _locked(number: int | None) -> RiskModel:
    wanted = number
    if wanted is None:
        newest = rows.newest(school_year_start(today()))
        wanted = newest.id if newest else None
    model = db.session.get(RiskModel, wanted, with_for_update=True, populate_existing=True) if wanted else None
    if model is None:
        raise NotFound("There is no risk model. Have one made with `ew risk train`.")
    return model
