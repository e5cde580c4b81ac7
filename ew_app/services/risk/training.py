"""A risk model made from past school years, in slices: each a transaction that keeps what it found.

What is there already is not done twice, so a training that was killed goes on where it was. Nothing of it is seen by
anybody before two people let the model work (`lives`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import delete, select, text

from ew_app.kernel import WORKER, Actor, NotFound, Refused, clock, now, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.risk import calendar, evenings, fitting, looking, parts, planning, year_ends
from ew_app.services.risk.calendar import SchoolYear
from ew_app.services.risk.parts import Gathered
from ew_app.services.risk.planning import END, FIT, READ, SCORE, TOLD
from models.base import db
from models.queries import risk_years as rows
from models.risk import RiskModel, RiskPart
from rules import access
from rules.access import Permission
from rules.risk import gates
from rules.stints import school_year_start

UNDER_WAY = ("waiting", "running")
BEGUN_ANEW = (
    "It was begun by another release of this software, which kept what it found in another form; so it begins anew."
)
LOCK: Final = 7313  # one at a time asks for a training


@operation
def ask(*, by: Actor, queued: bool = True, once: str | None = None) -> int:
    """Ask for a model of the running school year; its number. With `queued=False` the caller does the work by `go_on`.

    Where the years do not suffice it is refused, and kept with the reason. The same `once` again gives the first one.
    Raises NotAllowed, Refused.
    """
    access.check(by.grants, Permission.TRAIN_RISK)
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if once and (first := db.session.scalar(select(RiskModel.id).where(RiskModel.once == once))):
        return first
    if under_way() is not None:
        raise Refused("A model is being made already. Wait for it, or stop it first.")
    years = planning.years()
    plan = planning.plan(years)
    model = RiskModel(
        school_year=school_year_start(today()), asked_at=now(), asked_by=by.login, asked_name=by.name,
        plan=plan, steps=len(plan["slices"]), refusals=[], report={}, once=once,
    )  # fmt: skip
    db.session.add(model)
    db.session.flush()
    record("risk_training_asked", by=by, subject=f"risk_model:{model.id}", years=[year.name for year in years])
    if len(years) < fitting.FEWEST_YEARS:
        fitting.refuse(model, [gates.too_few_years(len(years))])
    elif queued:
        enqueue(Job.TRAIN_RISK, model.id, 1)
    return model.id


def under_way() -> RiskModel | None:
    """The training that has not ended."""
    return db.session.scalars(select(RiskModel).where(RiskModel.status.in_(UNDER_WAY))).first()


def failed(model: RiskModel) -> bool:
    """Whether a training was set aside because it cannot go on; someone who runs the system has to look."""
    return model.status in UNDER_WAY and rows.set_aside(model.id)


def one(number: int) -> RiskModel:
    """A model. Raises NotFound."""
    model: RiskModel | None = db.session.get(RiskModel, number)
    if model is None:
        raise NotFound(f"There is no risk model {number}.")
    return model


@operation
def stop(number: int, *, by: Actor) -> None:
    """Give a training up; what it found so far is forgotten. Raises NotFound, NotAllowed."""
    access.check(by.grants, Permission.TRAIN_RISK)
    model = _locked(number)
    if model.status in UNDER_WAY:
        model.status, model.finished_at, model.step = "stopped", now(), ""
        forget_parts(number)
        record("risk_training_stopped", by=by, subject=f"risk_model:{number}")


def forget_parts(number: int) -> None:
    """Drop what the slices kept."""
    db.session.execute(delete(RiskPart).where(RiskPart.model_id == number))


# -- the work ------------------------------------------------------------------------------------------------------


def work(number: int, nth: int) -> None:
    """The queued work: one slice, after which the next is asked for."""
    if _begun_otherwise(number):
        _begin_anew(number)
        _ask_for(number, 1)
    elif _one_slice(number, nth):
        _ask_for(number, nth + 1)


@operation
def _ask_for(number: int, nth: int) -> None:
    enqueue(Job.TRAIN_RISK, number, nth)


def go_on(number: int, told: Callable[[int, str], None]) -> None:
    """All of it in this process, telling (percent, step); for the command line. Goes on where it was."""
    nth = 1
    if _begun_otherwise(number):
        _begin_anew(number)
    while _one_slice(number, nth):
        model = one(number)
        told(min(nth * 100 // max(model.steps, 1), 99), model.step)
        nth += 1
    told(100, "done")


def _begun_otherwise(number: int) -> bool:
    """Whether a training was begun by a release that keeps what it found in another form."""
    model = one(number)
    return model.status in UNDER_WAY and model.plan.get("stamp") != parts.stamp()


@operation
def _begin_anew(number: int) -> None:
    """Forget what was found so far and plan again."""
    model = _locked(number)
    forget_parts(number)
    model.plan = planning.plan(planning.years()) | {"anew": BEGUN_ANEW}
    model.steps, model.done, model.step = len(model.plan["slices"]), 0, ""
    record("risk_training_begun_anew", by=WORKER, subject=f"risk_model:{number}", reason=BEGUN_ANEW)


def _one_slice(number: int, nth: int) -> bool:
    """Do a slice unless it is done; whether there is another. One that is not the next was asked for before."""
    model = one(number)
    if model.status not in UNDER_WAY or nth > min(model.steps, model.done + 1):
        return False
    if nth > model.done:
        _do(number, nth)
    return nth < model.steps


@operation
def _do(number: int, nth: int) -> None:
    began, model = clock(), one(number)
    kind, year, schools = model.plan["slices"][nth - 1]
    content = _DOES[kind](model, year, schools)
    model = _locked(number)
    if model.status not in UNDER_WAY or model.done >= nth:
        return
    if content is not None:
        db.session.merge(RiskPart(model_id=number, nth=nth, content=content))
    model.status, model.started_at = "running" if nth < model.steps else model.status, model.started_at or began
    model.done, model.step = nth, _words(kind, year)
    model.seconds += (clock() - began).total_seconds()
    if nth == model.steps:
        fitting.finish(model, dict(_contents(number)))
        forget_parts(number)


def _contents(number: int) -> list[tuple[int, bytes]]:
    """(grid day, what was fitted for it)."""
    found = []
    for nth, (kind, day, _) in enumerate(one(number).plan["slices"], start=1):
        part = db.session.get(RiskPart, (number, nth)) if kind == FIT and day else None
        if part is not None:
            found.append((day, part.content))
    return found


def _words(kind: str, year: int) -> str:
    name = f"{year}-{(year + 1) % 100:02d}"
    fitted = f"models of school day {year} judged" if year else "models compared"
    tried = f"models of school day {year} tried on a year they had not seen"
    words = {SCORE: tried, TOLD: f"totals told of {name}", READ: f"{name} read", END: f"end of {name}", FIT: fitted}
    return words[kind]


def year_in(model: RiskModel, year: int) -> SchoolYear:
    """A year of the plan, with its school days as the calendar has them now."""
    (kept,) = (one for one in model.plan["years"] if one["start"].startswith(str(year)))
    start = date.fromisoformat(kept["start"])
    return SchoolYear(start, rows.taught_days(start, calendar.last_day(start)), kept["live"])


def _tell(model: RiskModel, year: int, _: list[int]) -> None:
    year_ends.store_told(date(year, 7, 1))


def _read(model: RiskModel, number: int, schools: list[int]) -> bytes:
    """One year of some students: how it ended, and what was known on the evening of each grid day."""
    year = year_in(model, number)
    students = rows.students_at(schools, year.start, year.until)
    year_ends.store(students, year)
    without, found = looking.excluded(), {}
    (kept,) = (one for one in model.plan["years"] if one["start"].startswith(str(number)))
    for nth, day in kept["days"].items():
        evening = evenings.evening(students, year, date.fromisoformat(day))
        if evening is not None:
            found[int(nth)] = looking.look(evening, year.start, without)
    return parts.packed(found)


def _close(model: RiskModel, number: int, _: list[int]) -> None:
    """A year is read: what was kept of it about others goes, and told totals stand in where nothing is known."""
    year = year_in(model, number)
    schools = [school for school, _ in rows.sizes(year.start, year.until)]
    year_ends.forget_others(rows.students_at(schools, year.start, year.until), year)
    year_ends.store_told(year.start)


def _score(model: RiskModel, day: int, which: list[int]) -> bytes | None:
    """The models of one grid day asked about one of the test years."""
    return fitting.scored(_gathered(model, day), which[0], seed=model.id)


def _fit(model: RiskModel, day: int, _: list[int]) -> bytes | None:
    """The models of one grid day, judged by what they said of each test year, and made of all years."""
    if not day:
        return None
    slices = enumerate(model.plan["slices"], 1)
    kept = [db.session.get(RiskPart, (model.id, nth)) for nth, one in slices if one[:2] == [SCORE, day]]
    found, contents = _gathered(model, day), [part.content for part in kept if part is not None]
    said = dict(parts.unpacked_scores(content) for content in contents)
    same = [
        year in found and parts.are_of(content, found[year].cohort.students)
        for year, content in zip(said, contents, strict=True)
    ]
    return fitting.tried(found, said if all(same) else None, seed=model.id)  # else somebody was left out meanwhile


def _gathered(model: RiskModel, day: int) -> dict[int, Gathered]:
    """The cohort of each completed year on a grid day."""
    found = {}
    for kept in model.plan["years"]:
        year = year_in(model, date.fromisoformat(kept["start"]).year)
        slices = [nth for nth, one in enumerate(model.plan["slices"], 1) if one[:2] == [READ, year.start.year]]
        if str(day) in kept["days"] and (gathered := parts.gathered(model.id, slices, year, day)) is not None:
            found[year.start.year] = gathered
    return found


_DOES: dict[str, Callable[[RiskModel, int, list[int]], bytes | None]] = {
    TOLD: _tell, READ: _read, END: _close, SCORE: _score, FIT: _fit,
}  # fmt: skip


def _locked(number: int) -> RiskModel:
    return db.session.get_one(RiskModel, number, with_for_update=True, populate_existing=True)
