"""Whether a model may say anything now: asked by every list and page, and by scoring again once the model is locked.

What the database says a model's stage is does not make it speak. It has to have kept its promises, its seal has to
belong to this very row and year, and a model at work needs two people who agreed to the trial it went through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from ew_app.kernel import day_text, today
from ew_app.services.risk import artefacts
from ew_app.services.risk.artefacts import Unusable
from models.base import db
from models.queries import risk as rows
from models.queries import risk_years
from models.risk import RiskModel, RiskNight, RiskStep
from rules.access import Permission
from rules.counting import many
from rules.risk.card import Card
from rules.roles import assignable_roles

APPROVERS = 2
LONGEST = 5  # school days for which an evening's word holds
BREAK = timedelta(days=30)  # longer than any holidays within a school year


def fit(model: RiskModel) -> Card:
    """The card of a model that may be asked tonight. Raises Unusable with the reason."""
    card = artefacts.opened(model)
    if model.stage == "serving" and len({step.author_id for step in agreed(model)}) < APPROVERS:
        raise Unusable("agreed", f"Model {model.id} stands as at work, but nobody knows two people who agreed to it.")
    return card


def steps(model: RiskModel) -> Sequence[RiskStep]:
    """Everything that was decided about a model, the earliest first."""
    return db.session.scalars(select(RiskStep).where(RiskStep.model_id == model.id).order_by(RiskStep.id)).all()


def of_trial(model: RiskModel) -> Sequence[RiskStep]:
    """What was decided since the model went on trial last, that first; nothing where it was stopped since."""
    told = steps(model)
    began = max((place for place, step in enumerate(told) if step.kind == "shadow"), default=len(told))
    ended = any(step.kind in ("off", "ended") for step in told[began:])
    return () if ended else told[began:]


def agreed(model: RiskModel) -> Sequence[RiskStep]:
    """Who has agreed to the trial that goes on: what was agreed to an earlier trial counts no more."""
    return [step for step in of_trial(model) if step.kind == "approved" and step.author_id is not None]


def living(model: RiskModel) -> Sequence[RiskStep]:
    """Those of them who may agree to a model today; whoever lost the role or the login does not count any more."""
    roles = [role.key for role in assignable_roles() if Permission.APPROVE_RISK in role.permissions]
    may = {person for person, _, _ in rows.holders(roles, today())}
    return [step for step in agreed(model) if step.author_id in may]


def last_evening(model: RiskModel) -> RiskNight | None:
    """The last evening on which it was asked since its trial began."""
    trial, night = of_trial(model)[:1], rows.last_night(model.id)
    return night if trial and night is not None and night.at >= trial[0].written_at else None


def long_ago(night: RiskNight) -> bool:
    """Whether so many school days have gone by since an evening that nothing of it is told any more."""
    since = today() - night.day
    if since <= timedelta(days=LONGEST):
        return False
    return since > BREAK or len(risk_years.taught_days(night.day + timedelta(days=1), today())) > LONGEST


def silent(night: RiskNight | None) -> str:
    """Why nothing is told of a model's last evening; empty where what it said holds."""
    if night is None:
        return "It has not been asked on any evening of this trial yet."
    if night.outcome != "scored":
        return " ".join(night.reasons)
    if long_ago(night):
        return f"It was asked last for {day_text(night.day)}, more than {many(LONGEST, 'school day')} ago."
    return ""
