"""What a model says of everybody, asked once each evening from what the evaluation packed; no mark is read.

First it is looked at whether the evening resembles the years the model was made from. If not, nothing is said and the
reason is kept: the rules work alone. Schools whose days have not come in keep what was said before, marked stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import WORKER, Actor, Refused, clock, now, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.measuring.frames import frame
from ew_app.services.risk import calendar, lives, looking, packed, standing, year_ends
from ew_app.services.risk.artefacts import Unusable
from ew_app.services.risk.calendar import SchoolYear
from ew_app.services.risk.looking import Looked
from models.base import db
from models.queries import risk as rows
from models.queries import risk_places, risk_told, risk_years, same_child
from models.risk import RiskModel, RiskNight, RiskScore
from rules import access
from rules.access import Permission
from rules.risk import afterwards, bands, card, drift, reasons
from rules.risk.card import Card
from rules.risk.cohort import LEAST_AHEAD, belongs, is_chronic
from rules.risk.drift import Alarm, Effect
from rules.risk.features import Features, features
from rules.risk.figures import hashed
from rules.risk.models import chance

THOUSAND = 1000


@operation
def ask(night: date) -> bool:
    """End models of a year that is over; ask for tonight's scores where one is on trial or at work; whether one is."""
    lives.end_with_the_year()
    if lives.at_stage("serving") is None and lives.at_stage("shadow") is None:
        return False
    enqueue(Job.SCORE_RISK, night.isoformat())
    return True


def score(_: str = "") -> None:
    """The queued work: ask every model on trial or at work. Done twice it says the same."""
    lives.end_with_the_year()
    asked = [model for stage in ("serving", "shadow") if (model := lives.at_stage(stage)) is not None]
    if not asked:
        return
    at = frame()
    year = calendar.year_of(at.day)
    year_ends.catch_up(year.start)
    looked = packed.look(year.start)
    for model in asked:
        one_night(model.id, looked, year, at.day)


def score_now(*, by: Actor) -> Sequence[RiskNight]:
    """Ask them at once, not only after the next evaluation; what came of it. Raises NotAllowed, Refused."""
    access.check(by.grants, Permission.TRAIN_RISK)
    score()
    asked = [model for stage in ("serving", "shadow") if (model := lives.at_stage(stage)) is not None]
    if not asked:
        raise Refused("No model is on trial or at work, so there is none to ask.")
    return [night for model in asked if (night := rows.last_night(model.id)) is not None]


@dataclass(frozen=True, slots=True)
class Evening:
    """What came of an evening: why nothing is said, or how many scores there are."""

    outcome: str
    reasons: tuple[str, ...] = ()
    scored: int = 0
    abstained: int = 0
    stale: tuple[int, ...] = ()
    figures: Mapping[str, Any] | None = None


@operation
def one_night(number: int, looked: Looked | None, year: SchoolYear, day: date) -> Evening:
    """Ask one model about everybody, and keep what it says or why it says nothing.

    While everybody was looked at it may have been switched off, and families may have asked to be left out: once the
    model is locked, as both lock it, that is asked again.
    """
    began = clock()
    model: RiskModel = db.session.get_one(RiskModel, number, with_for_update=True, populate_existing=True)
    if model.stage == "off":
        return Evening("outside", (f"Model {number} was switched off while it was being asked.",))
    without = looking.excluded()
    rows.forget_scores(number, same_child.known().ids_of(without))
    looked = looked.but(without) if looked is not None else None
    found = _asked(model, looked, year, day)
    if found.outcome != "scored":
        db.session.execute(delete(RiskScore).where(RiskScore.model_id == number))
    if model.stage == "serving":
        (risk_told.remember if found.outcome == "scored" else risk_told.close)(number, day)
    row = {
        "model_id": number, "day": day, "at": now(), "number": year.number(day), "outcome": found.outcome,
        "reasons": list(found.reasons), "scored": found.scored, "abstained": found.abstained,
        "stale": list(found.stale), "figures": dict(found.figures or {}),
        "seconds": (clock() - began).total_seconds(),
    }  # fmt: skip
    kept = insert(RiskNight).values(row)
    changed = {name: kept.excluded[name] for name in row if name not in ("model_id", "day")}
    db.session.execute(kept.on_conflict_do_update(index_elements=["model_id", "day"], set_=changed))
    record(f"risk_night_{found.outcome}", by=WORKER, subject=f"risk_model:{number}", reasons=list(found.reasons))
    return found


def _asked(model: RiskModel, looked: Looked | None, year: SchoolYear, day: date) -> Evening:
    number = year.number(day)
    try:
        used = standing.fit(model)
    except Unusable as why:
        return Evening("refused", (str(why),))
    if outside := _outside(number, year, used):
        return Evening("outside", (outside,))
    if looked is None:
        return Evening("refused", ("Nobody has been measured in this school year yet.",))
    x = features(looked.known)
    within = belongs(looked.known, number, year.ahead(number))
    submitted = rows.submitted_shares(year.start, day)
    alarms = drift.alarms(x[within], looked.shares, used.usual_on(number), number, submitted)
    told = {"alarms": [asdict(alarm) for alarm in alarms], "shares": looked.shares}
    if drift.stops(alarms):
        return Evening("refused", tuple(one.sentence for one in alarms if one.effect is Effect.STOP), figures=told)
    stale = _stale(alarms)
    columns = scores(used, looked, x, number)
    if not rows.scored_in_month(model.id, day):
        told["groups"] = _groups(columns, looked, model.id)
    scored, abstained = _keep(model, columns, number, day, stale)
    told["places"] = risk_places.measured(model.id)
    return Evening("scored", (), scored, abstained, stale, told)


def _groups(columns: Mapping[str, Any], looked: Looked, seed: int) -> list[afterwards.Line]:
    """Once a month: how many of each group the rule lists and the model would; for those who audit it."""
    asked = np.flatnonzero(np.array([logit is not None for logit in columns["logit"]], dtype=bool))
    known = looked.known.of(asked)
    logits = np.array([columns["logit"][row] for row in asked.tolist()], dtype=np.float64) / THOUSAND
    listed = is_chronic(known.absent, known.enrolled)
    first = afterwards.first_of(logits, hashed(known.students, seed), int(listed.sum()))
    return afterwards.running(risk_years.groups_of(known.students), listed, first, chance(logits))


def _outside(number: int, year: SchoolYear, used: Card) -> str:
    """Why that school day is none on which a model is asked; empty where it is."""
    first, last = used.serves
    if number < first:
        return f"The model speaks from school day {first} on; this was school day {number}."
    if number > last or year.ahead(number) < LEAST_AHEAD:
        return (
            f"The model speaks until school day {last}, with {LEAST_AHEAD} more to come; this was school day {number}."
            " From here on the days that are left say more than a model does."
        )
    return ""


def _stale(alarms: tuple[Alarm, ...]) -> tuple[int, ...]:
    return tuple(sorted({school for one in alarms if one.effect is Effect.SCHOOLS for school in one.schools}))


def _keep(
    model: RiskModel, columns: Mapping[str, Any], number: int, day: date, stale: tuple[int, ...]
) -> tuple[int, int]:
    """Store scores and abstentions of everybody but the students of stale schools; how many of each."""
    fresh = np.flatnonzero(~np.isin(columns["school_id"], stale))
    count = len(fresh)
    table = {name: _some(column, fresh) for name, column in columns.items()}
    table |= {
        "model_id": [model.id] * count, "day": [day] * count, "number": [number] * count, "stale": [False] * count,
    }  # fmt: skip
    rows.replace_scores(model.id, stale, table)
    scored = sum(logit is not None for logit in table["logit"])
    return scored, count - scored


def _some(column: Any, places: NDArray[np.intp]) -> Any:
    return column[places] if isinstance(column, np.ndarray) else [column[place] for place in places.tolist()]


def scores(used: Card, looked: Looked, x: Features, number: int) -> dict[str, Any]:
    """Columns of what a model says of these students: thousandths of a logit, range and reasons; or why it abstains."""
    known = looked.known
    silent = card.abstains(used, known)
    asked = np.flatnonzero(silent == "")
    found = reasons.explain(used.grid, number, known.of(asked), x[asked])
    places = bands.place_of(chance(found.logits))
    whole = np.rint(found.logits * THOUSAND).astype(np.int64)
    logit: list[int | None] = [None] * len(x)
    ranges, why = [""] * len(x), [json.dumps(key) for key in silent.tolist()]
    told = zip(asked.tolist(), whole.tolist(), places.tolist(), found.compact(), strict=True)
    for row, score, place, reason in told:
        logit[row], ranges[row], why[row] = score, str(place), reason
    return {
        "student_id": known.students, "school_id": known.school, "logit": logit, "range_key": ranges, "reasons": why,
    }  # fmt: skip
