"""The card of a model: what it was made from, how it did on years it had not seen, for whom, and what it cannot do.

Written anew from what is kept each time somebody asks, with what was decided about the model and answered to it since.
Groups of fewer than ten are kept back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ew_app.kernel import Actor, NotFound, operation, record, today
from ew_app.services.risk import artefacts, calendar, fitting, lives, purpose, standing, training
from ew_app.services.risk.purpose import NEVER_INPUTS, WHAT_FOR
from models.queries import naming
from models.queries import risk as rows
from models.risk import RiskModel
from rules import access
from rules.access import Permission
from rules.risk import gates
from rules.risk.fairness import Group
from rules.risk.features import NAMES
from rules.risk.gates import TARGETS
from rules.risk.group_names import BOTH
from rules.risk.plain import from_plain, to_plain
from rules.risk.trial import Trial
from rules.stints import school_year_start

OF_A_RUNNING_YEAR = (
    "Whom the rule lists and whom the model would put on a list as long, and how many of each group it expects to be"
    " chronically absent. Who will be is known when the year is over: `ew risk report --year` tells then."
)
OF_BEFORE = (
    "An earlier release of this software tried it, so its figures can't be shown any more. `ew risk train` makes and"
    " tries a new one."
)


def missed(model: RiskModel, *, by: Actor) -> list[dict[str, Any]]:
    """Why a model was refused; a refusal names a group only to those who audit models."""
    audits = access.can(by.grants, Permission.AUDIT_RISK)
    return [_refusal(one, audits) for one in model.refusals]


def short(number: int, *, by: Actor) -> dict[str, Any]:
    """What a command tells of a model."""
    model = training.one(number)
    return {
        "model": model.id, "school_year": _year(model), "status": model.status, "stage": model.stage,
        "kind": _kind(model), "done": model.done, "steps": model.steps, "seconds": round(model.seconds, 1),
        "sha256": model.sha256, "refusals": missed(model, by=by),
    }  # fmt: skip


def chosen(number: int | None) -> RiskModel:
    """A model by its number; else the one at work, on trial, or the newest of the year. Raises NotFound."""
    if number is not None:
        return training.one(number)
    found = rows.to_tell_of(school_year_start(today()))
    if found is None:
        raise NotFound("There is no risk model. Have one made with `ew risk train`.")
    return found


def card(number: int | None, *, by: Actor) -> dict[str, Any]:
    """Everything about a model that may be told in counts; how it does for groups to those who may see that.

    Raises NotFound, NotAllowed.
    """
    access.check(by.grants, Permission.SEE_RISK_MODEL)
    model = chosen(number)
    audits = access.can(by.grants, Permission.AUDIT_RISK)
    kind = _kind(model)
    kept = _trials(model, kind)
    trials = kept or ()
    return {
        **short(model.id, by=by),
        "asked_by": model.asked_name, "asked_at": model.asked_at, "finished_at": model.finished_at,
        "valid_until": fitting.valid_until(model), "purpose": WHAT_FOR, "looked_at": list(NAMES),
        "not_looked_at": NEVER_INPUTS, "stamp": purpose.stamp(by), "state": lives.state().sentence,
        "data": [_data(year, model) for year in model.plan.get("years", ())],
        "figures": [_figures(one) for one in trials if one.figures is not None],
        "lists": model.report.get("outcome", {}).get("lists", {}),
        "fairness": [
            {"day": one.day, "groups": _groups(one.groups, kind)} for one in trials if one.day in TARGETS and audits
        ],
        "parts": [{"day": one.day, "groups": _groups(one.parts, kind)} for one in trials if one.day in TARGETS],
        "limits": [*_changed(model), *([OF_BEFORE] if kept is None else []), *_limits(model)],
        "decisions": [_step(step) for step in standing.steps(model)],
        "answers": rows.answers_to(model.id), "evenings": _evenings(model),
        "running": _running(model) if audits else None,
    }  # fmt: skip


@operation
def sealed(number: int, *, by: Actor) -> str:
    """The artefact as it was sealed, for those who audit models; its groups are told in words.

    That it was taken, and what it may be used for, is written down. Raises NotFound, NotAllowed.
    """
    access.check(by.grants, Permission.AUDIT_RISK)
    model = training.one(number)
    if model.artefact is None:
        raise NotFound("This model was refused or is not made yet, so there is no file of it.")
    record("risk_file_taken", by=by, subject=f"risk_model:{number}", purpose=purpose.NEVER_FOR, seal=model.sha256 or "")
    return model.artefact


def _trials(model: RiskModel, kind: str | None) -> Sequence[Trial] | None:
    """How it was tried; None where an earlier release of this software wrote that in another form.

    Of groups and parts, which are many, only those that are told: of the chosen model on the days with targets.
    """
    try:
        return [from_plain(Trial, one | _told_of(one, kind)) for one in model.report.get("trials", ())]
    except (KeyError, TypeError, ValueError):
        return None


def _told_of(trial: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    told = kind if trial["day"] in TARGETS else None
    return {name: {key: trial[name][key] for key in trial[name] if key == told} for name in ("groups", "parts")}


def _year(model: RiskModel) -> str:
    return calendar.SchoolYear(model.school_year, ()).name


def _kind(model: RiskModel) -> str | None:
    """Which of the models was chosen; of one that was refused the one that came nearest."""
    found: str | None = model.report.get("outcome", {}).get("kind")
    return found


def _refusal(one: Mapping[str, Any], audits: bool) -> dict[str, Any]:
    told = {name: one[name] for name in ("key", "day", "sentence", "wanted", "got")}
    sentence = str(one["sentence"])
    if audits or (general := gates.for_everybody(str(one["key"]), sentence)) == sentence:
        return told
    return told | {"sentence": general, "wanted": "", "got": ""}


def _data(year: Mapping[str, Any], model: RiskModel) -> dict[str, Any]:
    """A year: how it was known, and how many students of it were looked at on each grid day."""
    start = str(year["start"])[:4]
    counts = {day: found[start] for day, found in model.report.get("counts", {}).items() if start in found}
    how = "as received, evening by evening" if year["live"] else "loaded afterwards, by when each mark was changed last"
    return {
        "school_year": year["name"], "known": how, "school_days": year["school_days"],
        "came_in_time": year["in_time"], "taught_days": year["taught"], "counts": counts,
    }  # fmt: skip


def _figures(one: Trial) -> dict[str, Any]:
    """A grid day: every model beside the rule and the rate, each figure with its range."""
    assert one.figures is not None
    measured = {
        name: {
            key: _value(getattr(found, key))
            for key in ("auc", "brier", "unlisted", "sensitivity", "auc_later", "ece", "gap", "slope", "bins")
        }
        for name, found in one.figures.measured.items()
    }
    keys = ("brier_to_rate", "brier_to_last_year", "unlisted_to_rate", "sensitivity_gain", "kept")
    against = {name: {key: _value(getattr(found, key)) for key in keys} for name, found in one.figures.against.items()}
    targets = {key: getattr(TARGETS[one.day], key) for key in keys} if one.day in TARGETS else {}
    return {
        "day": one.day, "students": one.figures.students, "chronic": one.figures.chronic,
        "listed": one.figures.listed, "measured": measured, "against": against, "targets": targets,
        "capacity": {name: list(map(list, found)) for name, found in one.figures.capacity.items()},
        "groups_gain": one.figures.groups_gain, "years": [to_plain(year) for year in one.figures.years],
    }  # fmt: skip


def _value(found: Any) -> Any:
    """A figure with its range, a plain number, or the bins of a curve; rounded as they are printed."""
    if isinstance(found, tuple):
        return [{"students": b.students, "expected": round(b.expected, 4), "came": round(b.observed, 4)} for b in found]
    if hasattr(found, "low"):
        return {"value": _round(found.value), "low": _round(found.low), "high": _round(found.high)}
    return _round(found)


def _round(number: float | None) -> float | None:
    return None if number is None or number != number else round(number, 4)


def _groups(found: Mapping[str, Sequence[Group]], kind: str | None) -> list[dict[str, Any]]:
    schools = naming.school_keys()
    return [
        _named(group.words(), schools) | {"of": group.name.partition(" ")[0], "both": BOTH in group.name}
        for group in found.get(kind or "", ())
    ]


def _named(words: dict[str, str], schools: Mapping[int, str]) -> dict[str, str]:
    """With the district's key of a school in place of its number."""
    what, _, number = words["name"].partition(" ")
    known = schools.get(int(number)) if what == "school" and number.isdigit() else None
    return words | {"name": f"school {known}"} if known else words


def _changed(model: RiskModel) -> list[str]:
    """That the figures are not those it was sealed with, or that nothing of it can be relied on."""
    try:
        artefacts.check_shown(model)
    except artefacts.Unusable as why:
        return [str(why)] if why.key in ("shown", "checksum", "signature") else []
    return []


def _limits(model: RiskModel) -> list[str]:
    years = model.plan.get("years", ())
    found = [
        "What it expects is an average of similar students and not the fate of one; support is meant to change it.",
        "Where staff helped in past years, fewer students became chronically absent: a low hit rate may mean success.",
        _touched(model),
        f"It ends with the school year {_year(model)}.",
    ]
    afterwards = [str(year["name"]) for year in years if not year["live"]]
    if afterwards:
        found.append(
            f"Of {', '.join(afterwards)} the rows were loaded afterwards: what was known on a day is told from when"
            " each mark was changed last, a mark without that counts from its own day on, and rosters are read as"
            " they are now."
        )
    unknown = sum(one["unknown_days"] for found in model.report.get("counts", {}).values() for one in found.values())
    if unknown:
        found.append(f"On the evenings looked at, {unknown:,} student days were unknown then; they count on no side.")
    return found


def _touched(model: RiskModel) -> str:
    """Whether whom staff were in touch with can be told apart."""
    parts = [
        name for one in model.report.get("trials", ()) for found in one.get("parts", {}).values() for name in found
    ]
    if any(part["name"] == "in touch" for part in parts):
        return (
            "Students whom staff reached or supported are told apart from the others by what was logged here in their"
            " year. Who was reached had often missed more: the two do not tell what a contact does."
        )
    return "No contact or support was logged here in the years tried, so who was helped can't be told apart."


def _step(step: Any) -> dict[str, Any]:
    return {"what": step.kind, "by": step.author, "position": step.position, "at": step.written_at, "words": step.words}


def _running(model: RiskModel) -> dict[str, Any] | None:
    """Groups in the running year, as counted on the first evening of the last month; None where it was not yet."""
    for night in rows.nights(model.id):
        if groups := night.figures.get("groups"):
            return {"day": night.day, "groups": groups, "how_to_read": OF_A_RUNNING_YEAR}
    return None


def _evenings(model: RiskModel) -> dict[str, Any]:
    nights = rows.nights(model.id)
    counts = {kind: sum(night.outcome == kind for night in nights) for kind in ("scored", "refused", "outside")}
    last = nights[0] if nights else None
    told = {"day": last.day, "outcome": last.outcome, "reasons": last.reasons, "scored": last.scored} if last else None
    return {**counts, "last": told}
