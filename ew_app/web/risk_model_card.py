"""The card of one model: what it is, how it did on past years and for whom; as pages, on paper, as its sealed file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import NotFound, Refused
from ew_app.services.risk import afterwards, report, standing
from ew_app.web import asked, limits, risk_model_past, taking
from ew_app.web import risk_model_words as words
from ew_app.web.guard import actor, requires
from rules import access
from rules.access import Permission
from rules.risk.fairness import LEAST_CHRONIC, LEAST_STUDENTS
from rules.risk.judging import CAPACITIES
from rules.suppression import LEAST, count_words

screen = Blueprint("risk_model_card", __name__, url_prefix="/risk-model")

sees = requires(Permission.SEE_RISK_MODEL)
YEARS = range(2000, 2100)
JSON = "application/json; charset=utf-8"


@screen.get("/<int:number>")
@sees
def card(number: int) -> str:
    """What it is, what it was made from, what it cannot do, and what was decided."""
    told, model = report.card(number, by=actor()), report.chosen(number)
    return render_template(
        "risk_model_card.html",
        **_common(told), model=model, answer=_answer(told), kind=words.METHODS.get(told["kind"] or ""),
        looked_at=[words.LOOKED_AT[one] for one in told["looked_at"]], data=[_year(year) for year in told["data"]],
        history=words.history(standing.steps(model)[::-1], named=False), answers=words.answers(told["answers"]),
        filed=model.artefact is not None,
    )  # fmt: skip


@screen.get("/<int:number>/file")
@requires(Permission.AUDIT_RISK)
@limits.export
def file(number: int) -> ResponseReturnValue:
    """The model as it was sealed, letter by letter: whoever has it can work its SHA-256 out again."""
    text = report.sealed(number, by=actor())
    return taking.download(text.encode(), JSON, f"risk-model-{number}.json")


@screen.get("/<int:number>/past-years")
@sees
def past(number: int) -> str:
    """How it would have done in years it had not seen, in pictures and tables."""
    told = report.card(number, by=actor())
    figures, kind = told["figures"], told["kind"]
    day = risk_model_past.chosen(figures, request.args.get("day", type=asked.number))
    place = request.args.get("places", risk_model_past.DEFAULT_PLACES, type=asked.number)
    place = place if place in range(len(CAPACITIES)) else risk_model_past.DEFAULT_PLACES
    return render_template(
        "risk_model_past.html", **_common(told), day=day, kind=kind, length=place, past=risk_model_past,
        days=[one["day"] for one in figures], lengths=[f"{share * 100:g}" for share in CAPACITIES],
        pictures=_pictures(told, day, place) if day is not None else None,
    )  # fmt: skip


def _pictures(told: dict[str, Any], day: risk_model_past.Plain, place: int) -> dict[str, Any]:
    kind, figures = told["kind"], told["figures"]
    parts = _parts(told, day)
    return {
        "answer": risk_model_past.answer(day, kind),
        "not_listed": risk_model_past.not_listed(day, kind),
        "at_capacity": risk_model_past.at_capacity(day, kind, place),
        "capacities": risk_model_past.capacities(day, kind),
        "methods_of_capacity": [
            risk_model_past.name(one, kind) for one in risk_model_past.order(list(day["capacity"]), kind)
        ],
        "ours": risk_model_past.calibration(day, kind), "rate": risk_model_past.calibration(day, "rate"),
        "churn": risk_model_past.churn(told["lists"], kind),
        "asked": risk_model_past.asked(figures, kind), "methods": risk_model_past.methods(day, kind),
        "columns": [label for _, label in risk_model_past.COLUMNS], "years": risk_model_past.years(day, kind),
        "grades": [one for one in parts if one["of"] in ("grade", "new")],
        "touched": [one for one in parts if one["of"] in ("in", "not")],
    }  # fmt: skip


@screen.get("/<int:number>/groups")
@requires(Permission.AUDIT_RISK)
def groups(number: int) -> str:
    """How it does for groups of students, beside the rule alone."""
    told = report.card(number, by=actor())
    day = risk_model_past.chosen(told["fairness"], request.args.get("day", type=asked.number))
    found = day["groups"] if day is not None else []
    parts = _parts(told, day) if day is not None else []
    return render_template(
        "risk_model_groups.html", **_common(told), day=day, days=[one["day"] for one in told["fairness"]],
        groups=[one for one in found if not one["both"]], both=[one for one in found if one["both"]],
        schools=[one for one in parts if one["of"] == "school"],
        troubled=[one for one in found if one["verdict"] not in words.NO_TROUBLE],
        least=LEAST, least_students=LEAST_STUDENTS, least_chronic=LEAST_CHRONIC,
    )  # fmt: skip


@screen.get("/years/<int:start>")
@sees
def year(start: int) -> ResponseReturnValue:
    """What models told in a finished school year, and what came of it."""
    if start not in YEARS:
        raise NotFound("There is nothing known of that school year.")
    try:
        told, why = afterwards.year(start, by=actor()), ""
    except Refused as refusal:
        told, why = None, str(refusal)
    audits = access.can(actor().grants, Permission.AUDIT_RISK)
    page = render_template(
        "risk_model_year.html", told=told, why=why, audits=audits, answers=words.answers,
        school_year=f"{start}-{(start + 1) % 100:02d}", tabs=words.tabs(None, audits=audits),
    )  # fmt: skip
    return page, 200 if told else 422


def _parts(told: dict[str, Any], day: risk_model_past.Plain) -> list[dict[str, Any]]:
    """Schools, grades and new students on a grid day."""
    return [part for one in told["parts"] if one["day"] == day["day"] for part in one["groups"]]


def _common(told: dict[str, Any]) -> dict[str, Any]:
    audits = access.can(actor().grants, Permission.AUDIT_RISK)
    return {"told": told, "number": told["model"], "tabs": words.tabs(told["model"], audits=audits), "audits": audits}


def _answer(told: dict[str, Any]) -> str:
    year = told["school_year"]
    match told["status"]:
        case "trained":
            return f"Model {told['model']} for {year} kept everything that is asked of it"
        case "refused":
            return f"Model {told['model']} for {year} may not be used"
        case "stopped":
            raise NotFound("This model was given up before it was made.")
    return f"Model {told['model']} for {year} is being made"


def _year(year: dict[str, Any]) -> dict[str, Any]:
    """A year of the card, with how many of its students were looked at on the first grid day."""
    counts: dict[str, int] = next(iter(year["counts"].values()), {})
    left_out = counts.get("few_days", 0) + counts.get("no_end", 0)
    return {**year, "kept": counts.get("kept", 0), "left_out": count_words(left_out) if left_out else "none"}
