"""S18, the trial of a policy: What would a change do, before it counts? Counts only; nobody is named."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, Refused, today
from ew_app.services.casework import usefulness
from ew_app.services.deciding import simulating, simulation_result, simulation_rules
from ew_app.services.deciding.simulation_lines import Pair
from ew_app.services.deciding.simulation_result import Result
from ew_app.services.measuring import policies
from ew_app.web import guard
from ew_app.web.guard import actor, requires, scope
from models.queries import boards
from models.queries import simulating as rows
from models.simulations import Simulation
from rules.access import Permission
from rules.counting import many
from rules.places import Place
from rules.room import new_cases_a_week
from rules.usefulness import Usefulness

screen = Blueprint("simulate", __name__)

THIS, LAST = "this", "last"
NOBODY = Pair(0, 0)
PAGE = 25
TIERS = (("1", "Tier 1"), ("watch", "Watch"), ("2", "Tier 2"), ("3", "Tier 3"), ("none", "No tier yet"))


@screen.get("/policy/simulate")
@requires(Permission.TRY_POLICY)
def start() -> str:
    """Choose a policy, a school year and schools; and every trial there was."""
    return _form()


@screen.post("/policy/simulate")
@requires(Permission.TRY_POLICY)
def ask() -> ResponseReturnValue:
    guard.once()
    try:
        version = simulating.chosen(request.form.get("version", ""), by=actor())
        number = simulating.ask(version, by=actor(), place=_place(), as_of=_as_of())
    except SENTENCES as refusal:
        return _form(str(refusal)), 422
    return redirect(url_for("simulate.one", number=number))


def _place() -> Place:
    """The schools that were asked for. Refused."""
    try:
        return Place.parse(request.form.get("place", "district"))
    except ValueError as error:
        raise Refused(str(error)) from error


def _as_of() -> date | None:
    """The day up to which is looked: None for as far as attendance is in. Refused."""
    if request.form.get("year", THIS) != LAST:
        return None
    day = simulating.last_year(today())
    if day is None:
        raise Refused("Nothing is known of the school year before, so nothing was tried.")
    return day


def _form(error: str = "") -> str:
    given = request.form or request.args
    choices = simulating.choices()
    version = given.get("version", "")
    version = next((key for key, _ in choices if version and key.startswith(version)), version)
    before = simulating.last_year(today())
    return render_template(
        "simulate.html",
        choices=choices,
        asked_version=version or next((key for key, _ in choices if key == "five-ten"), ""),
        years=[(THIS, "This school year so far"), *([(LAST, "Last school year, whole")] if before else [])],
        year=given.get("year", THIS),
        where=_places(),
        asked_place=given.get("place", ""),
        trials=simulating.seen(actor()),
        useful=_useful(),
        counted=_counted(),
        count=simulating.monitored(),
        wanted=usefulness.wanted(),
        state=state,
        error=error,
    )


def _useful() -> list[tuple[str, Usefulness]]:
    """(label, answers at closing) of the rules in force that anybody was asked about, the least useful first."""
    labels = {rule.key: rule.label for rule in policies.timeline().on(today()).rules}
    told = [one for one in usefulness.of_rules(labels).values() if one.asked]
    told.sort(key=lambda one: (not one.too_rarely(usefulness.wanted()), one.yes / max(one.judged, 1), one.rule))
    return [(labels[one.rule], one) for one in told]


def _counted() -> list[tuple[str, str, str]]:
    """(key, label, students for whom it was met) of the rules in force that are only counted."""
    count = simulating.monitored()
    return [
        (rule.key, rule.label, simulation_rules.met_in_force(count, rule, actor()) if count else "")
        for rule in policies.timeline().on(today()).monitored
    ]


def _places() -> list[tuple[str, str]]:
    """Where this person may try a policy: (place, words)."""
    area = scope(Permission.TRY_POLICY).whole
    networks = [(str(Place.of_network(one.key)), one.name) for one in boards.networks_in(area)]
    schools = [(str(Place.of_school(one.key)), one.name) for one in boards.schools_in(area)]
    return [*([("district", "The whole district")] if area.district else []), *networks, *schools]


@screen.get("/policy/simulate/<int:number>")
@requires(Permission.TRY_POLICY)
def one(number: int) -> str:
    """How far a trial is, or what came of it."""
    trial = simulating.one(number, actor())
    found = simulation_result.result(trial, actor())
    if found is None:
        failed = simulating.failed(trial)
        return render_template("simulate_going.html", trial=trial, percent=_percent(trial), failed=failed)
    return render_template(
        "simulate_result.html",
        found=found,
        trial=trial,
        answer=_answer(found),
        tiers=[
            (key, words, found.tiers[key]) for key, words in TIERS if key != "none" or found.tiers[key] != Pair(0, 0)
        ],
        schools=found.schools if "all" in request.args else found.schools[:PAGE],
        room_a_week=new_cases_a_week(None),
    )


@screen.post("/policy/simulate/<int:number>/stop")
@requires(Permission.TRY_POLICY)
def stop(number: int) -> ResponseReturnValue:
    if rows.one(number) is None:
        raise NotFound("There is no such trial of a policy.")
    simulating.one(number, actor())
    guard.once()
    simulating.cancel(number, by=actor())
    return redirect(url_for("simulate.start"))


def _percent(trial: Simulation) -> int:
    return rows.slices_done(trial.id) * 100 // len(trial.slices)


def state(trial: Simulation) -> str:
    """How a trial stands, in words."""
    words = {"waiting": "waits for its turn", "done": "done", "cancelled": "stopped"}
    if simulating.failed(trial):
        return "could not be counted"
    return words.get(trial.status) or f"{_percent(trial)}% done"


def _answer(found: Result) -> str:
    """The one sentence that the page is about."""
    opened = found.opened
    more, about = opened.change, "About " if opened.about else ""
    if more is None:
        return "Under ten cases, so their number is kept back"
    if not more:
        return f"{about or 'As '}{'as ' if about else ''}many cases as under the policy in force: {opened.candidate:,}"
    return f"{about}{many(abs(more), 'more case' if more > 0 else 'fewer case')} than under the policy in force"
