"""What would be published now? The public summary as it was prepared last, for those who may publish it."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, day_text
from ew_app.services.watching import public, publishing
from ew_app.services.watching.public import Summary
from ew_app.web import limits, taking
from ew_app.web.guard import actor, requires
from rules.access import Permission

screen = Blueprint("published", __name__)

PUBLISH = Permission.PUBLISH
FILES = {"index.html": "The page", "chronic-absence.csv": "CSV", "chronic-absence.json": "JSON"}
KINDS = {"html": "text/html", "csv": "text/csv", "json": "application/json"}


@screen.get("/public")
@requires(PUBLISH)
def show() -> str:
    found, last = publishing.newest(), publishing.told_day()
    return render_template(
        "published.html",
        found=found,
        last=last,
        under_way=publishing.under_way(),
        answer=_answer(found),
        known_at=datetime.fromisoformat(found.known_at) if found else None,
        files=[(words, url_for("published.file", name=name, known_at=found.known_at)) for name, words in FILES.items()]
        if found
        else [],
        definition=public.DEFINITION,
        how_told=public.HOW_TOLD,
        measure=public.MEASURE,
        day_of=lambda text: day_text(date.fromisoformat(text)),
    )


@screen.post("/public/prepare")
@requires(PUBLISH)
def prepare() -> ResponseReturnValue:
    try:
        publishing.prepare(by=actor())
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(url_for("published.show"))


@screen.get("/public/<known_at>/<name>")
@requires(PUBLISH)
@limits.export
def file(known_at: str, name: str) -> ResponseReturnValue:
    try:
        moment = datetime.fromisoformat(known_at)
    except ValueError as error:
        raise NotFound("There is no summary of such a moment.") from error
    body = publishing.take(name, moment, by=actor())
    return taking.download(body, KINDS[name.rpartition(".")[2]], name)


def _answer(found: Summary | None) -> str:
    if found is None:
        return "Nothing is prepared for the public yet"
    district = found.lines[0]
    return f"Ready to publish: chronically absent {district.chronically_absent} of {district.students} students"
