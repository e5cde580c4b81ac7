"""Supports in a plan: choose one from the list, say each time it was given, change it, and say how it went."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, day_text, today
from ew_app.services.casework import supporting
from ew_app.services.casework.near import near
from ew_app.services.casework.plan_effect import Days
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.supporting import Offer
from ew_app.web import case_page, guard, plan_parts, plan_steps
from ew_app.web.case_page import Page
from ew_app.web.case_words import day_given
from ew_app.web.guard import actor, found, requires
from models.plans import PlanSupport
from rules.access import FieldClass, Permission, Right
from rules.interventions import catalogue, in_groups, offered
from rules.tiers import Tier
from rules.vocabulary import vocabulary

screen = Blueprint("plan_supports", __name__)

WORK, LOG = Permission.WORK_CASE, Permission.LOG_OUTREACH
FIELDS = {
    "owner": "Who gives it", "starts": "From", "planned_end": "Until", "dose_planned": "How many times",
    "family_agreed": "What does the family say?",
}  # fmt: skip


@screen.route("/cases/<int:number>/plan/supports/new", methods=["GET", "POST"])
@requires(WORK, LOG)
def new(number: int) -> ResponseReturnValue:
    held = case_page.held(number, WORK, LOG)
    page = Page(held)
    causes = [one.code for one in page.causes if one.ended_at is None]

    def act() -> str:
        if not request.form.get("intervention"):
            raise Refused("Choose a support from the list.")
        support = supporting.offer(number, _offered(), by=actor(), once=guard.once())
        return f"{catalogue()[support.intervention].label}: from {day_text(support.starts)}.{_where_kept(support)}"

    return plan_steps.step(
        held, "plan_support_new.html", act, values={"starts": today().isoformat(), "family_agreed": "not_asked"},
        blame="intervention", title="What will you try?", button="Add it to the plan", groups=_groups(page, causes),
        causes=[(code, vocabulary().label("cause", code)) for code in causes], **_choices(held),
    )  # fmt: skip


def _groups(page: Page, causes: list[str]) -> list[tuple[str, list[Any]]]:
    """What this reader may offer, under headings; without the right to the case only what their own class holds."""
    writable = plan_parts.writable(page)
    here = offered(Tier(page.at_hand.case.tier), writable)
    if case_page.right(page.at_hand, FieldClass.CASE) is not Right.WRITE:
        here = tuple(one for one in here if one.restricted is not None)
    return in_groups(here, causes)


def _where_kept(support: PlanSupport) -> str:
    if support.compartment is None:
        return ""
    return f" Only those who may open “{vocabulary().label('restricted', support.compartment)}” see it."


def _offered(key: str = "") -> Offer:
    form = request.form
    return Offer(
        intervention=key or form.get("intervention", ""), cause=form.get("cause", ""), owner_id=plan_steps.row("owner"),
        starts=day_given(form.get("starts")), planned_end=day_given(form.get("planned_end")),
        dose_planned=plan_steps.number("dose_planned", FIELDS["dose_planned"]),
        family_agreed=form.get("family_agreed") or "not_asked",
    )  # fmt: skip


def _choices(held: CaseAtHand) -> dict[str, Any]:
    people = [(person, one.words) for person, one in near(held.place).items()]
    return {"people": people, "answers": vocabulary().choices("family_agreed")}


# -- one support -----------------------------------------------------------------------------------------------


def _of(number: int, support_id: int) -> tuple[CaseAtHand, PlanSupport]:
    """A support of this very case that the reader may change, or nothing at all."""
    held, support = supporting.at_hand(support_id, actor(), lock=False)
    found(held.case.number == number or None)
    return held, support


@screen.route("/cases/<int:number>/plan/supports/<int:support_id>", methods=["GET", "POST"])
@requires(WORK, LOG)
def change(number: int, support_id: int) -> ResponseReturnValue:
    held, support = _of(number, support_id)
    one = catalogue()[support.intervention]

    def act() -> str:
        supporting.change(support_id, _offered(one.key), by=actor(), seen=plan_steps.row("seen"))
        return f"Changed: {one.label}."

    return plan_steps.step(
        held, "plan_support.html", act, values=_values(support), stands=lambda theirs: _stands(theirs, held),
        title=one.label, button="Save", support=one, seen=support.version, back=_back(number, support),
        **_choices(held),
    )  # fmt: skip


def _values(support: PlanSupport) -> dict[str, str]:
    return {
        "owner": str(support.owner_id or ""), "starts": support.starts.isoformat(),
        "planned_end": support.planned_end.isoformat(), "dose_planned": str(support.dose_planned),
        "family_agreed": support.family_agreed,
    }  # fmt: skip


def _stands(theirs: PlanSupport, held: CaseAtHand) -> list[tuple[str, str, str]]:
    now = _values(theirs)
    owner = near(held.place).get(theirs.owner_id or 0)
    said = now | {
        "owner": owner.words if owner else "nobody", "starts": day_text(theirs.starts),
        "planned_end": day_text(theirs.planned_end),
        "family_agreed": vocabulary().label("family_agreed", theirs.family_agreed),
    }  # fmt: skip
    return [(words, said[name], name) for name, words in FIELDS.items() if now[name] != request.form.get(name, "")]


@screen.post("/cases/<int:number>/plan/supports/<int:support_id>/given")
@requires(WORK, LOG)
def give(number: int, support_id: int) -> ResponseReturnValue:
    """Note that it was given, today unless a day is named."""
    _, support = _of(number, support_id)
    given = supporting.give(support_id, by=actor(), on_day=day_given(request.form.get("on_day")), once=guard.once())
    return _done(number, support, f"Written down for {day_text(given.on_day)}.")


@screen.post("/cases/<int:number>/plan/supports/<int:support_id>/given/<int:given_id>/taken-back")
@requires(WORK, LOG)
def take_back(number: int, support_id: int, given_id: int) -> ResponseReturnValue:
    _, support = _of(number, support_id)
    given = supporting.take_back(given_id, by=actor())
    return _done(number, support, f"Taken back: {day_text(given.on_day)}.")


@screen.route("/cases/<int:number>/plan/supports/<int:support_id>/result", methods=["GET", "POST"])
@requires(WORK, LOG)
def result(number: int, support_id: int) -> ResponseReturnValue:
    held, support = _of(number, support_id)
    one = catalogue()[support.intervention]

    def act() -> str:
        form = request.form
        if not form.get("result"):
            raise Refused("Choose how it went.")
        supporting.finish(
            support_id, result=form["result"], why=form.get("why", ""), by=actor(), seen=plan_steps.row("seen")
        )
        return f"{one.label} has ended. Thank you for saying how it went."

    effect = plan_parts.effect(Days(Page(held).told.days), support)
    return plan_steps.step(
        held, "plan_result.html", act, values={}, blame="result", title=f"How did it go? {one.label}", button="Save",
        results=vocabulary().choices("plan_result"), support=one, effect=effect, seen=support.version,
        back=_back(number, support),
    )  # fmt: skip


def _back(number: int, support: PlanSupport) -> str:
    """Where it stands: on the plan, or in its compartment."""
    if support.compartment is None:
        return url_for("case.plan", number=number)
    return url_for("case_restricted.show", number=number, compartment=support.compartment)


def _done(number: int, support: PlanSupport, sentence: str) -> ResponseReturnValue:
    flash(sentence, "good")
    return redirect(_back(number, support))
