"""S03, a source set up or changed: where its files are, what they are, when to look, by when they are expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.feeds import known_formats
from ew_app.kernel import SENTENCES, Refused
from ew_app.services.sources import keeping
from ew_app.services.sources.fetching import Answer, Field, fetcher, kinds
from ew_app.services.sources.keeping import Wanted
from ew_app.services.sources.secrets import is_name
from ew_app.web import guard
from ew_app.web.guard import actor
from ew_app.web.sources import keeps, source_of
from models.queries import pulls
from rules.access import Permission, Place

screen = Blueprint("sources_form", __name__, url_prefix="/sources")

KINDS = {
    "folder": ("A drop folder", "Your system, or a person, puts files into a folder of this server."),
    "sftp": ("An SFTP server", "Files lie on a server of yours or of your vendor, and we fetch them."),
    "edfi_api": ("An Ed-Fi API", "We ask the API what has changed, without files."),
}
NAMES = {"folder": "a drop folder", "sftp": "an SFTP server", "edfi_api": "an Ed-Fi API"}
BRINGS = (("attendance", "Attendance"), ("roster", "Roster"), ("both", "Both"))
FEEDS = (("exception", "Only who was absent, late or away"), ("full", "One row for every student"))
DATES = (("", "As the format says"), ("mdy", "Month first"), ("dmy", "Day first"))
EXITS = (("", "As the format says"), ("inclusive", "The last day"), ("exclusive", "The day after"))
DAYS = (("school", "School days"), ("weekdays", "Monday to Friday"), ("all", "Every day"))
EXPECTED = (("same", "That day's attendance"), ("before", "That of the school day before"))


@screen.get("/new")
@keeps
def new() -> str:
    """Choose a way of fetching, then say where."""
    guard.must_reach(Permission.KEEP_SOURCES, Place.district())
    kind = request.args.get("kind", "")
    if kind not in kinds():
        return render_template("source_kind.html", kinds={key: KINDS[key] for key in kinds()})
    return _form(Wanted(kind, timetable={"times": ["18:15"]}))


@screen.post("/new")
@keeps
def add() -> ResponseReturnValue:
    """Set it up."""
    guard.must_reach(Permission.KEEP_SOURCES, Place.district())
    name, wanted = request.form.get("name", ""), None
    try:
        wanted = _wanted(request.form.get("kind", ""))
        number = keeping.add(name, wanted, by=actor())
    except SENTENCES as refusal:
        if wanted is None:
            return render_template("source_kind.html", kinds={key: KINDS[key] for key in kinds()}), 422
        return _form(wanted, name=name, error=str(refusal)), 422
    flash(f"{name.strip()} was added. Test it now: nothing is taken by a test.", "good")
    return redirect(url_for("sources.one", source_id=number))


@screen.get("/<int:source_id>/edit")
@keeps
def edit(source_id: int) -> str:
    """What is said of a source."""
    source = source_of(source_id)
    return _form(keeping.wanted_of(source), name=source.name, source_id=source_id)


@screen.post("/<int:source_id>/edit")
@keeps
def change(source_id: int) -> ResponseReturnValue:
    """Change it; what was refused is looked at again."""
    source = source_of(source_id)
    wanted = _wanted(source.kind)
    try:
        keeping.change(source.name, wanted, by=actor())
    except SENTENCES as refusal:
        return _form(wanted, name=source.name, source_id=source_id, error=str(refusal)), 422
    flash("It was changed. Test it now: nothing is taken by a test.", "good")
    return redirect(url_for("sources.one", source_id=source_id))


# -- the form ------------------------------------------------------------------------------------------------


def _form(wanted: Wanted, *, name: str = "", source_id: int | None = None, error: str = "") -> str:
    return render_template(
        "source_form.html",
        name=name,
        source_id=source_id,
        kind_words=NAMES[wanted.kind],
        wanted=wanted,
        fields=[(field, _shown(field, wanted.location)) for field in fetcher(wanted.kind).fields],
        formats=[("", "Found out from the files"), *((key, key) for key in known_formats())],
        by_hand=[] if source_id else [one.name for one in pulls.by_hand()],
        brings=BRINGS,
        feeds=FEEDS,
        dates=DATES,
        exits=EXITS,
        days=DAYS,
        expected=EXPECTED,
        error=error,
    )


def _shown(field: Field, location: Mapping[str, Any]) -> Any:
    """A field's value as the form shows it: what was said, else what holds without saying."""
    if field.answer is Answer.YES_NO:
        if field.name in ("leave", "move") and "afterwards" in location:
            return location["afterwards"] == field.name
        return location.get(field.name) in (True, "yes")
    value = location.get(field.name, field.default)
    if field.answer is Answer.SECRET and not is_name(str(value)):
        return ""  # somebody typed the secret itself: it is not sent back
    return "\n".join(value) if isinstance(value, list) else value


def _wanted(kind: str) -> Wanted:
    """What the form holds. Raises Refused."""
    form = request.form
    if kind not in kinds():
        raise Refused("Choose one of the ways that are offered. Nothing was kept.")
    every = form.get("every", "").strip()
    clock: dict[str, Any] = {
        "days": form.get("days") or "school",
        "times": form.get("times", "").replace(",", " ").split(),
    }
    if every:
        clock |= {"every": every, "start": form.get("start"), "until": form.get("until")}
    return Wanted(
        kind,
        form.get("brings", ""),
        form.get("feed", ""),
        {field.name: _given(field) for field in fetcher(kind).fields},
        {name: form.get(name, "") for name in ("format", "dates", "ids", "periods", "exit")},
        clock,
        form.get("expected_by", ""),
        form.get("expected_day") or "same",
    )


def _given(field: Field) -> str:
    value = request.form.get(f"at_{field.name}", "")
    if field.answer is Answer.YES_NO:
        return "yes" if value else field.default or "no"
    return value[:4000]
