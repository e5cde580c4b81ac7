"""S18, the day from which a change holds: what it does from there, put in force, and a plan taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, today
from ew_app.services.measuring import policies, policy_changes, policy_story
from ew_app.web.guard import actor, found
from ew_app.web.policy import names
from ew_app.web.policy_change import changes
from ew_app.web.policy_form import chosen_day
from models.policies import PolicyChange
from models.queries import policies as rows
from rules.counting import are, many
from rules.policy_difference import Line

screen = Blueprint("policy_plan", __name__, url_prefix="/policy")


@screen.get("/changes/<int:number>/activate")
@changes
def show(number: int) -> str:
    """What it does from a chosen day, before anything happens."""
    change = found(rows.change(number))
    try:
        starts, error = chosen_day(request.args.get("starts") or str(max(change.starts, today()))), ""
    except Refused as refusal:
        starts, error = max(change.starts, today()), str(refusal)
    return _plan(change, starts, request.args.get("reason", ""), error)


@screen.post("/changes/<int:number>/activate")
@changes
def put_in_force(number: int) -> ResponseReturnValue:
    """Put it in force from the chosen day."""
    change, reason, starts = found(rows.change(number)), request.form.get("reason", ""), today()
    try:
        starts, revision = chosen_day(request.form.get("starts", "")), request.form.get("revision", 0, type=int)
        if starts < today() and request.form.get("shown") != str(starts):
            raise Refused(f"{day_text(starts)} is over. Look first at what would be decided again, below.")
        if starts < today() and not reason.strip():
            raise Refused(f"{day_text(starts)} is over: days that have been decided are decided again. Say why.")
        activation = policy_changes.put_in_force(number, starts=starts, revision=revision, reason=reason, by=actor())
    except SENTENCES as refusal:
        return _plan(change, starts, reason, str(refusal)), 422
    if starts <= today():
        flash("It holds now.", "good")
    return redirect(url_for("policy.versions", planned=activation if starts > today() else None))


@screen.post("/planned/<int:activation>/withdraw")
@changes
def withdraw(activation: int) -> ResponseReturnValue:
    """Take a plan back before its day."""
    try:
        policies.withdraw(activation, by=actor(), reason=request.form.get("reason", ""))
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash("The plan is taken back. What held before goes on holding.", "good")
    return redirect(url_for("policy.versions"))


@dataclass(frozen=True, slots=True)
class Effect:
    """What putting a version in force from a day does, in sentences."""

    lines: tuple[Line, ...]
    points: tuple[str, ...]


def effect(change: PolicyChange, starts: date) -> Effect:
    """What it changes, which days are decided by it, and until when."""
    again, after = rows.days_from(starts), policy_story.taken_over(starts)
    points = [f"Days from {day_text(starts)} on are decided by it. Earlier days keep what they were decided by."]
    if again:
        points.append(
            f"{many(again, 'day')} with attendance {are(again)} decided again, for every student: tiers may move at "
            f"once, cases may open, and reasons that no longer hold are taken back with a note."
        )
    if after is not None:
        points.append(f"It holds until {day_text(after.starts)}, when another version takes over.")
    lines = policy_story.would_change(change.version, starts)
    if lines and all(line.starts is not None and line.starts > starts for line in lines):
        points.append(
            "Its new numbers name later days of their own. To have them earlier, go on writing and choose that day."
        )
    for key in policies.unknown_schools(policies.stored(change.version)):
        points.append(f"No roster has told of a school {key} yet; what is said of it waits until one does.")
    return Effect(lines, tuple(points))


def _plan(change: PolicyChange, starts: date, reason: str, error: str = "") -> str:
    approval = policy_changes.approval_of(change)
    return render_template(
        "policy_plan.html",
        change=change,
        policy=policies.stored(change.version),
        starts=starts,
        past=starts < today(),
        reason=reason,
        error=error,
        effect=effect(change, starts),
        approval=approval,
        approver=names({approval.said_by})[approval.said_by] if approval is not None else "",
    )
