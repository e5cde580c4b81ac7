"""What comes next with the risk model, and who may do it: read by the page that has the buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ew_app.kernel import Actor, day_text, settings, today
from ew_app.services.risk import lives, standing, training
from ew_app.services.risk.artefacts import Unusable
from ew_app.services.risk.calendar import last_day
from models.queries import risk as rows
from models.risk import RiskModel, RiskStep
from rules import access
from rules.access import Permission
from rules.counting import many
from rules.roles import assignable_roles
from rules.stints import school_year_start


class Act(StrEnum):
    """What somebody can do now."""

    TRAIN = "train"
    WAIT = "wait"
    LOOK = "look"  # a training that cannot go on
    TRIAL = "trial"
    AGREE = "agree"
    NOTHING = "nothing"


NEEDS = {
    Act.TRAIN: Permission.TRAIN_RISK, Act.LOOK: Permission.TRAIN_RISK, Act.TRIAL: Permission.APPROVE_RISK,
    Act.AGREE: Permission.APPROVE_RISK,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next with one model, or before there is any. `who`: the names of those who may do it."""

    act: Act
    sentence: str
    model: RiskModel | None = None
    ready: date | None = None  # the day from which it can be agreed to
    agreed: Sequence[RiskStep] = ()
    who: Sequence[str] = ()
    may: bool = False  # the one who reads this may do it now


def steps(by: Actor) -> list[Next]:
    """The model on trial first, then the newest, then the one at work; something in any case."""
    year = school_year_start(today())
    newest, trial, serving = rows.newest(year), lives.at_stage("shadow"), lives.at_stage("serving")
    running = [model for model in (trial, newest, serving) if model is not None and model.school_year == year]
    chosen = {model.id: model for model in running}  # one of a year that is over ended with it
    return [_for(_of(model, by), by) for model in chosen.values()] or [_for(Next(Act.TRAIN, FIRST), by)]


FIRST = (
    "Somebody may have a model made from past school years. It is tried on years it has not seen; if it is not clearly"
    " better than the rules it is refused. Nobody sees what it says, and nothing changes."
)
AGAIN = "Nothing has to be done: the rules work as before. A new one can be made when what it missed has changed."


def _of(model: RiskModel, by: Actor) -> Next:
    if model.stage == "serving":
        night = standing.last_evening(model)
        until = f"It ends with the school year, on {day_text(last_day(model.school_year))}."
        try:
            standing.fit(model)
        except Unusable as why:
            return Next(Act.NOTHING, f"{why} Until it is switched off it stands there and says nothing.", model)
        if night is not None and night.outcome == "refused":
            return Next(Act.NOTHING, f"{MEND} {until}", model)
        if night is not None and standing.long_ago(night):
            return Next(Act.NOTHING, f"{standing.silent(night)} {ASLEEP} {until}", model)
        return Next(Act.NOTHING, f"Nothing has to be done. {until}", model)
    if model.stage == "shadow":
        return _on_trial(model, by)
    if training.failed(model):
        return Next(Act.LOOK, STUCK, model)
    if model.status in training.UNDER_WAY:
        return Next(Act.WAIT, "When it is through it is tried on past years, and stands here.", model)
    if model.status == "refused":
        return Next(Act.TRAIN, AGAIN, model)
    try:
        standing.fit(model)
    except Unusable as why:
        return Next(Act.TRAIN, str(why), model)
    weeks = _trial_words()
    return Next(Act.TRIAL, f"It can be put on trial{weeks}. Then it is asked every evening, and nobody sees it.", model)


MEND = (
    "Look at what its last evening noticed, below, and mend that. It is asked again every evening, and speaks again by"
    " itself once things look as usual."
)
ASLEEP = "Under Health stands why its evenings stopped. Once one comes it speaks again by itself."
STUCK = (
    "Making it could not go on: something went wrong on our side, and trying again did not help. Whoever runs the"
    " system finds the reason under Health. After that, stop it here and have it made again."
)


def _trial_words() -> str:
    days = settings().risk_shadow_days
    return f" for {many(days, 'day')}" if days else ""


def _on_trial(model: RiskModel, by: Actor) -> Next:
    agreed, ready = standing.living(model), lives.trial_until(model)
    if today() < ready:
        sentence = f"Until {day_text(ready)} nothing has to be done. Then two different people may let it work."
        return Next(Act.WAIT, sentence, model, ready, agreed)
    if newer := lives.passed_over(model):
        return Next(Act.WAIT, newer, model, ready, agreed)
    if silent := lives.silent_on_trial(model):
        return Next(Act.WAIT, f"Nobody can let it work yet. {silent}", model, ready, agreed)
    if not agreed:
        sentence = "Two different people have to agree, each with what it is to be used for. Nobody has yet."
        return Next(Act.AGREE, sentence, model, ready)
    first = agreed[0]
    when = day_text(first.written_at.date())
    if first.author_id == by.person_id:
        return Next(Act.WAIT, f"You agreed on {when}. Somebody else has to agree as well.", model, ready, agreed)
    sentence = f"{first.author} agreed on {when}. One more person has to agree; then it works at once."
    return Next(Act.AGREE, sentence, model, ready, agreed)


def _for(told: Next, by: Actor) -> Next:
    needed = NEEDS.get(told.act)
    if needed is None and told.agreed:
        needed = Permission.APPROVE_RISK
    if needed is None:
        return told
    without = {step.author_id for step in told.agreed}
    who = who_may(needed, without)
    may = access.can(by.grants, needed) and told.act in NEEDS
    return Next(told.act, told.sentence, told.model, told.ready, told.agreed, who, may)


def who_may(needed: Permission, without: set[int | None] | None = None) -> list[str]:
    """Names and positions of the people who hold a permission today, but for some; in order of names."""
    labels = {role.key: role.label for role in assignable_roles() if needed in role.permissions}
    held = rows.holders(list(labels), today())
    return sorted({f"{name} ({labels[role]})" for person, name, role in held if person not in (without or set())})
