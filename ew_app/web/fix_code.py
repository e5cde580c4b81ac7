"""S05, one code: what does it mean here, and what changes once we know?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, Refused
from ew_app.services.rosters import codes
from ew_app.services.rosters.codes import Effect, Meaning
from ew_app.web import guard
from ew_app.web.effect import sentences
from ew_app.web.guard import actor, requires
from models.queries import imports as rows
from models.queries import staff
from rules import access
from rules.access import Permission, Place

screen = Blueprint("fix_code", __name__)

KINDS = (
    ("absence", "Absent"),
    ("tardy", "Came late"),
    ("early_leave", "Left early"),
    ("present", "Here"),
    ("school_function", "Away for the school, such as a trip"),
    ("remote", "Taking part from home"),
    ("homebound", "Taught at home"),
    ("hospital", "Taught in hospital"),
    ("suspension_out", "Suspended, out of school"),
    ("suspension_in", "Suspended, in school"),
    ("non_membership", "Not enrolled that day"),
)
NO_CODE = "An empty code"
EXCUSES = (("excused", "Excused"), ("unexcused", "Unexcused"), ("exempt", "Neither, exempt"), ("unknown", "Not said"))


@screen.get("/fix/code")
@requires(Permission.MAP_CODES)
def ask() -> ResponseReturnValue:
    return _page(_code(), _school())


@screen.post("/fix/code")
@requires(Permission.MAP_CODES)
def answer() -> ResponseReturnValue:
    """Show what a meaning would do; with `step=save`, save the meaning that was shown."""
    code, school = _code(), _school()
    try:
        meaning = _meaning(code, None if request.form.get("whole") else school)
        if request.form.get("step") == "save":
            return _save(meaning)
        return _page(code, school, effect=codes.effect_of(meaning), meaning=meaning)
    except SENTENCES as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _page(code, school, error=str(refusal)), 422


def _save(meaning: Meaning) -> ResponseReturnValue:
    """Save it; the same form a second time changes nothing and tells nobody twice."""
    guard.once()
    if not rows.meaning_saved(meaning):
        codes.map_code(meaning, by=actor())
    kind = dict(KINDS)[meaning.kind].lower()
    flash(f"{meaning.code or NO_CODE} now means: {kind}. The days that have it are being counted again.", "good")
    return redirect(url_for("fix.one", key="unknown_codes"))


def _page(
    code: str, school: str | None, *, error: str = "", effect: Effect | None = None, meaning: Meaning | None = None
) -> str:
    return render_template(
        "fix_code.html",
        code=code,
        shown=code or NO_CODE,
        school=school,
        school_name=staff.place_names([f"school:{school}"])[f"school:{school}"] if school else "",
        elsewhere=(meanings := rows.meanings_of(code)),
        known=any(row.school_id is None or row.school_id == school for row in meanings),
        kinds=KINDS,
        excuses=EXCUSES,
        may_whole=access.can(actor().grants, Permission.MAP_CODES, Place.district()),
        values=request.form,
        error=error,
        effect=effect,
        meaning=meaning,
        moves=sentences(effect.tiers) if effect else [],
    )


# -- what was asked ------------------------------------------------------------------------------------------


def _code() -> str:
    code = request.args.get("code", "").strip()[:60]
    if "code" not in request.args:  # an empty code is one too
        raise Refused("Choose a code from the list under Fix data first. Nothing was changed.")
    return code


def _school() -> str | None:
    """The school of the address, or None for the district; NotFound outside of reach."""
    key = request.args.get("school", "").strip() or None
    place = Place.of_school(key, staff.school_network(key)) if key else Place.district()
    guard.must_reach(Permission.MAP_CODES, place)
    if request.form.get("whole"):
        guard.must_reach(Permission.MAP_CODES, Place.district())
    return key


def _meaning(code: str, school: str | None) -> Meaning:
    """The meaning that the form says. Raises Refused."""
    form = request.form
    if form.get("kind") not in dict(KINDS):
        raise Refused("Choose what the code says about the student.")
    return Meaning(
        code,
        form["kind"],
        excused=form.get("excused") or "unknown",
        absent_fraction=_fraction(form.get("fraction", "")),
        school_key=school,
        title=form.get("title", "").strip()[:100],
        valid_from=_date("valid_from"),
        valid_to=_date("valid_to"),
    )


def _fraction(text: str) -> int | None:
    """'0.5' -> 500 thousandths; nothing -> None, the usual of the kind."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        mils = int(Decimal(text) * 1000)
    except (InvalidOperation, OverflowError, ValueError):
        mils = -1
    if not 0 <= mils <= 1000:
        raise Refused("The part of the day missed is a number between 0 and 1, such as 0.5.")
    return mils


def _date(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(f"{text[:20]!r} is not a date. Write it like 2026-11-20.") from None
