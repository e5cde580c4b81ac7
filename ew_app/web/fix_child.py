"""S05, two ids: is this one child, what would be put together, and how is it taken back?"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app import kernel
from ew_app.kernel import SENTENCES, NotFound, Refused
from ew_app.services.deliveries import one_child
from ew_app.services.rosters import same_child
from ew_app.services.rosters.same_child import Side
from ew_app.web import guard
from ew_app.web.guard import actor, found, requires, scope
from models.queries import merging as rows
from models.queries import student_page
from rules.access import Permission

screen = Blueprint("fix_child", __name__)


@screen.get("/fix/same-child")
@requires(Permission.FIX_DATA)
def ask() -> str:
    return _page(*_sides())


@screen.post("/fix/same-child")
@requires(Permission.FIX_DATA)
def answer() -> ResponseReturnValue:
    """With step=merge both become one child, the id in `keep` stays; with step=part they are two again."""
    one, other = _sides()
    try:
        if one is None or other is None:
            raise Refused("Give the two ids first. Nothing was changed.")
        guard.once()
        return _part(one, other) if request.form.get("step") == "part" else _merge(one, other)
    except SENTENCES as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _page(one, other, error=str(refusal)), 422


def _merge(one: Side, other: Side) -> ResponseReturnValue:
    keep = request.form.get("keep", "")
    if keep not in (one.key, other.key):
        raise Refused("Choose which id stays.")
    gone = other.key if keep == one.key else one.key
    one_child.merge(keep, gone, reason=request.form.get("reason", ""), by=actor())
    flash(f"{gone} is now a former id of {keep}. The days of both are being counted together.", "good")
    return redirect(url_for(".ask", one=keep, other=gone))


def _part(one: Side, other: Side) -> ResponseReturnValue:
    gone = one.key if one.same_as == other.key else other.key
    one_child.part(gone, by=actor())
    flash(f"{gone} is a student again. The days of both are being counted anew.", "good")
    return redirect(url_for(".ask", one=one.key, other=other.key))


def _sides() -> tuple[Side | None, Side | None]:
    """What is kept of both ids of the address; None for one that was not given. NotFound outside of reach."""
    keys = [request.args.get(name, "").strip()[:60] for name in ("one", "other")]
    one, other = (_side(key) if key else None for key in keys)
    return one, other


def _side(key: str) -> Side:
    side = same_child.side(key)
    reach, person, today = scope(Permission.FIX_DATA), actor().person_id, kernel.today()
    found(student_page.student(side.same_as or key, reach, person, today))
    return side


def _page(one: Side | None, other: Side | None, *, error: str = "") -> str:
    merged = bool(one and other and (one.same_as == other.key or other.same_as == one.key))
    whole = scope(Permission.FIX_DATA).whole.district
    return render_template(
        "fix_child.html",
        one=one,
        other=other,
        merged=merged,
        said=rows.standing((one.key if one.same_as else other.key) if merged and one and other else None)
        if merged or whole
        else [],
        keep=request.form.get("keep") or _newer(one, other),
        reason=request.form.get("reason", ""),
        asked=(request.args.get("one", ""), request.args.get("other", "")),
        error=error,
    )


def _newer(one: Side | None, other: Side | None) -> str:
    """The id that seems to hold now: of the enrolment that began last."""
    if one is None or other is None:
        return ""
    begun = {side.key: max((stint[2] for stint in side.stints), default=None) for side in (one, other)}
    first, second = begun[one.key], begun[other.key]
    return other.key if second and (not first or second > first) else one.key
