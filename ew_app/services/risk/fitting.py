"""From cohorts to an artefact that may serve, or to the sentences that say why none may."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ew_app.kernel import WORKER, now, record
from ew_app.services.risk import artefacts, parts
from ew_app.services.risk.calendar import last_day
from ew_app.services.risk.parts import Gathered
from models.risk import RiskModel
from rules.risk import gates, trial
from rules.risk.backtest import Scores
from rules.risk.gates import Outcome, Refusal
from rules.risk.plain import to_plain
from rules.risk.trial import Trial

FEWEST_YEARS = gates.LEAST_YEARS
Counts = Mapping[str, Mapping[str, int]]  # year -> what was counted and left out


def scored(found: Mapping[int, Gathered], nth: int, seed: int) -> bytes | None:
    """What models of the years before say of the nth test year of a grid day; packed."""
    cohorts = [one.cohort for _, one in sorted(found.items())]
    told = trial.score(cohorts, nth, seed) if cohorts else None
    return None if told is None else parts.packed_scores(*told, found[told[0]].cohort.students)


def tried(found: Mapping[int, Gathered], said: Mapping[int, Scores] | None, seed: int) -> bytes | None:
    """The models of one grid day judged by what they said of past years, and made anew from all of them; packed.

    `said`: None asks them again.
    """
    cohorts = [one.cohort for _, one in sorted(found.items())]
    if not cohorts:
        return None
    counts = {str(year): dict(one.counts) for year, one in found.items()}
    return json.dumps(counts).encode() + b"\n" + trial.packed(trial.run(cohorts, seed, scored=said))


def _unpacked(content: bytes) -> tuple[Counts, Trial]:
    head, _, rest = content.partition(b"\n")
    return json.loads(head), trial.unpacked(rest)


def finish(model: RiskModel, contents: Mapping[int, bytes]) -> None:
    """Choose, judge, and keep what came of it: an artefact, or why there is none."""
    found = {day: _unpacked(content) for day, content in contents.items()}
    trials = [one for _, (_, one) in sorted(found.items())]
    outcome = gates.conclude(trials)
    model.report = {
        "counts": {str(day): counts for day, (counts, _) in sorted(found.items())},
        "trials": [_without_students(one) for one in trials],
        "outcome": to_plain(outcome),
    }
    if outcome.passed:
        _trained(model, trials, outcome)
    else:
        refuse(model, outcome.refusals)


def _without_students(one: Trial) -> dict[str, Any]:
    """A trial as it is kept: figures and groups, and neither lists of students nor the models that were not chosen."""
    told: dict[str, Any] = to_plain(replace(one, lists=(), models={}))
    return told


def _trained(model: RiskModel, trials: Sequence[Trial], outcome: Outcome) -> None:
    artefacts.seal(model, trials, outcome)
    model.status, model.finished_at = "trained", now()
    record("risk_trained", by=WORKER, subject=f"risk_model:{model.id}", form=outcome.kind, seal=model.sha256)


def refuse(model: RiskModel, refusals: Sequence[Refusal]) -> None:
    """Keep a model as one that may not serve, with the reasons."""
    model.refusals = [to_plain(one) for one in refusals]
    model.status, model.finished_at, model.step = "refused", now(), ""
    record("risk_refused", by=WORKER, subject=f"risk_model:{model.id}", reasons=[one.key for one in refusals])


def valid_until(model: RiskModel) -> date:
    """The last day of the school year a model is made for."""
    return last_day(model.school_year)
