"""A contact that was written down wrongly: what it says, what it said before, put right or struck with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, day_text
from ew_app.services.casework import amending
from ew_app.web import asked, guard, outreach_form
from ew_app.web.guard import actor, requires
from ew_app.web.page import moment
from models.cases import Outreach
from models.outreach import OutreachBefore
from rules.access import Permission
from rules.vocabulary import vocabulary

screen = Blueprint("outreach_entry", __name__)

LOG = Permission.LOG_OUTREACH
LABELS = {
    "method": "How", "outcome": "What happened", "direction": "Who reached out", "with_whom": "With whom",
    "language": "Language", "interpreter": "Interpreter", "promise": "Agreed", "next_date": "Next on",
    "minutes": "Minutes", "note": "Note", "told": "Reason told", "used": "Number or address",
}  # fmt: skip
KINDS = {"told": "absence_reason"}


@screen.get("/contacts-made/<int:entry_id>")
@requires(LOG)
def show(entry_id: int) -> str:
    """The contact as it reads now, and everything it said before."""
    earlier = amending.versions(entry_id, by=actor())
    try:
        entry: Outreach | None = amending.entry_at_hand(entry_id, actor())
    except NotFound:
        entry = None
    return _page(entry, earlier)


@screen.post("/contacts-made/<int:entry_id>")
@requires(LOG)
def save(entry_id: int) -> ResponseReturnValue:
    """Put it right; the words of before stay."""
    entry = amending.entry_at_hand(entry_id, actor())
    errors: dict[str, str] = {}
    attempt = outreach_form.attempt(errors, None)
    if not errors:
        try:
            guard.once()
            amending.change(entry_id, attempt, by=actor(), version=request.form.get("version", 0, type=asked.number))
            flash("Put right. What it said before stays readable below.", "good")
            return redirect(url_for("outreach_entry.show", entry_id=entry_id))
        except SENTENCES as refusal:
            errors[""] = str(refusal)
    return _page(entry, amending.versions(entry_id, by=actor()), errors), 422


@screen.post("/contacts-made/<int:entry_id>/strike")
@requires(LOG)
def strike(entry_id: int) -> ResponseReturnValue:
    """Take it out of every count, with a reason."""
    entry = amending.entry_at_hand(entry_id, actor())
    try:
        guard.once()
        amending.strike(entry_id, why=request.form.get("why", ""), by=actor())
    except SENTENCES as refusal:
        return _page(entry, amending.versions(entry_id, by=actor()), {"why": str(refusal)}), 422
    flash("Struck. It counts no more, and stays readable with your reason.", "good")
    return redirect(url_for("outreach_entry.show", entry_id=entry_id))


def _page(entry: Outreach | None, earlier: Sequence[OutreachBefore], errors: dict[str, str] | None = None) -> str:
    struck = earlier[0] if entry is None and earlier else None
    now_says = _columns(entry) if entry else struck.entry if struck else {}
    return render_template(
        "outreach_entry.html",
        entry=entry,
        facts=_facts(now_says),
        who=f"{now_says['author']}, {now_says['position']}, {_moment(now_says['at'])}",
        struck=f"{struck.ended_by}, {struck.ended_position}, {moment(struck.ended_at)}: {struck.why}" if struck else "",
        earlier=[(_facts(one.entry), _until(one)) for one in earlier if one.ended == "changed"],
        may_change=entry is not None and amending.may_change(entry, actor()),
        may_strike=entry is not None and amending.may_strike(entry, actor()),
        values=request.form.to_dict() or {name: value for name, value in now_says.items() if value},
        errors=errors or {},
        methods=[(way.key, way.label) for way in outreach_form.methods()],
        outcomes=[(one.key, one.label) for one in outreach_form.outcomes()],
        whom=vocabulary().choices("with_whom"),
        languages=vocabulary().choices("language"),
        reasons=vocabulary().choices("absence_reason"),
        key=guard.new_once(),
    )


def _columns(entry: Outreach) -> dict[str, Any]:
    """The fields that people read, as a version that was kept holds them."""
    values = {name: getattr(entry, name) for name in (*LABELS, "author", "position", "at")}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _facts(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a version says, field by field, in words."""
    return [(label, _words(name, said.get(name))) for name, label in LABELS.items() if said.get(name)]


def _words(name: str, value: Any) -> str:
    kind = KINDS.get(name, name)
    if kind in vocabulary().labels and value in vocabulary().labels[kind]:
        return vocabulary().label(kind, value)
    if name == "next_date":
        return day_text(date.fromisoformat(value))
    return "Yes" if value is True else str(value)


def _until(one: OutreachBefore) -> str:
    return f"Until {moment(one.ended_at)}, when {one.ended_by} put it right"


def _moment(at: str) -> str:
    return moment(datetime.fromisoformat(at))
