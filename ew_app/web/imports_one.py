"""S03, one delivery: match its columns, look at what it would do, let it in or put it away, take it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.feeds import DAY, ROWS
from ew_app.kernel import SENTENCES, NotFound, Refused, today
from ew_app.services.deliveries import column_matching, ingest, problem_rows, releasing, uploads
from ew_app.web import class_periods, guard, limits
from ew_app.web.arrived import first_day
from ew_app.web.guard import actor, found, requires
from ew_app.web.imports import area, open_days, ticked_days
from ew_app.web.imports_told import checked, finished, undo_needs
from models.attendance import Batch
from models.queries import imports as rows
from rules import access
from rules.access import NotAllowed, Permission

screen = Blueprint("batches", __name__, url_prefix="/imports/<int:batch_id>")

may_import = requires(Permission.IMPORT_ATTENDANCE, Permission.IMPORT_ROSTER)
DATES = (("mdy", "Month first, as 9/14/2026"), ("dmy", "Day first, as 14/9/2026"))
STEPS = ("Choose a file", "Match columns", "Check", "Apply")
Act = Callable[[Batch], str]


@screen.get("")
@may_import
def one(batch_id: int) -> ResponseReturnValue:
    """Wherever the delivery stands: waiting for an answer, on its way, checked, or settled."""
    batch = _found(batch_id)
    if uploads.waits_for(batch):
        return redirect(url_for("batches.match", batch_id=batch_id))
    return _page(batch)


def _page(batch: Batch, error: str = "") -> str:
    """The check page while something can still be decided, then the page that says what became of it."""
    sender = rows.names_of([batch.received_by])[batch.received_by]
    common: dict[str, Any] = {
        "batch": batch,
        "files": rows.files_of(batch.id),
        "sender": sender,
        "steps": STEPS,
        "error": error,
    }
    common["mine"] = rows.wholly_within(batch.id, area(), actor().login)
    common["periods"], common["period_choices"] = class_periods.of_batch(batch, common["mine"]), class_periods.CHOICES
    if batch.status in rows.UNDER_WAY or batch.status in ("previewed", "held"):
        return render_template("import_check.html", **common, **checked(batch))
    return render_template("import_done.html", **common, **finished(batch, area(), actor()))


def _found(batch_id: int) -> Batch:
    return found(rows.batch(batch_id, area(), actor().login))


def _mine(batch_id: int) -> Batch:
    """A delivery that speaks of nobody else's schools. Raises NotFound, NotAllowed."""
    batch = _found(batch_id)
    if not rows.wholly_within(batch_id, area(), actor().login):
        raise NotAllowed(
            "This file also speaks of schools that you do not look after, so only its sender or a data steward "
            "can do this. Nothing was changed."
        )
    return batch


# -- step 2: what is what ------------------------------------------------------------------------------------


@screen.get("/match")
@may_import
def match(batch_id: int) -> ResponseReturnValue:
    batch = _found(batch_id)
    if not uploads.waits_for(batch):
        return redirect(url_for("batches.one", batch_id=batch_id))
    return _match_page(batch)


@screen.post("/match")
@may_import
def match_columns(batch_id: int) -> ResponseReturnValue:
    """The columns, or the days on which nobody was absent."""
    batch = _mine(batch_id)
    guard.once()
    try:
        if uploads.waits_for(batch) == uploads.DAYS:
            uploads.nobody_absent(batch_id, ticked_days(), by=actor())
        else:
            dates = request.form.get("dates") if request.form.get("dates") in dict(DATES) else None
            mapping = column_matching.chosen(batch_id, request.form, dates)
            uploads.match_columns(batch_id, mapping, by=actor(), dates=dates)
    except Refused as refusal:
        return _match_page(batch, str(refusal)), 422
    return redirect(url_for("batches.one", batch_id=batch_id))


def _match_page(batch: Batch, error: str = "") -> str:
    waits_for = uploads.waits_for(batch)
    unmatched = waits_for == uploads.COLUMNS
    strips = rows.strips(area(), first_day(today()), today()) if waits_for == uploads.DAYS else []
    return render_template(
        "import_map.html",
        batch=batch,
        steps=STEPS,
        error=error,
        tables=column_matching.open_tables(batch.id) if unmatched else [],
        ticks=open_days(strips),
        ticked=request.form.getlist("nobody"),
        values=request.form,
        dates=DATES,
        said_dates=batch.options.get("dates") or (column_matching.likely_dates(batch.id) if unmatched else ""),
    )


# -- steps 3 and 4: decide -----------------------------------------------------------------------------------


def _deciding(act: Act) -> Callable[[int], ResponseReturnValue]:
    """A button of a delivery: within reach, counted once, and back to the delivery with what was said."""

    @wraps(act)
    def view(batch_id: int) -> ResponseReturnValue:
        batch = _mine(batch_id)
        guard.once()
        try:
            said = act(batch)
        except NotFound:
            raise
        except SENTENCES as refusal:
            return _page(_found(batch_id), str(refusal)), 422
        if said:
            flash(said, "good")
        return redirect(url_for("batches.one", batch_id=batch_id))

    return view


@screen.post("/apply")
@may_import
@_deciding
def apply(batch: Batch) -> str:
    releasing.apply(batch.id, by=actor())
    return ""


@screen.post("/let-in")
@may_import
@_deciding
def let_in(batch: Batch) -> str:
    releasing.let_in(batch.id, by=actor(), reason=request.form.get("reason", ""))
    return ""


@screen.post("/check-again")
@may_import
@_deciding
def check_again(batch: Batch) -> str:
    releasing.check_again(batch.id, by=actor())
    return ""


@screen.post("/periods")
@may_import
@_deciding
def periods(batch: Batch) -> str:
    """How class periods add up: another look at what the file would do then, or what went in counts so."""
    how = request.form.get("how", "")
    said = how if how in (ROWS, DAY) else request.form.get("minutes", "")
    in_already = batch.status == "applied"
    releasing.say_of_periods(batch.id, said, by=actor())
    return "Its class periods count so from now on. The numbers follow in a moment." if in_already else ""


@screen.post("/cancel")
@may_import
@_deciding
def cancel(batch: Batch) -> str:
    releasing.put_away(batch.id, by=actor())
    return ""


@screen.post("/undo")
@may_import
@_deciding
def undo(batch: Batch) -> str:
    """Take it back: the clerk on the day it went in, a data steward on any later day."""
    access.check(actor().grants, undo_needs(batch))
    if batch.status in ("undoing", "undone"):
        return ""
    ingest.take_back(batch.id, by=actor())
    return ""


@screen.get("/problems.csv")
@may_import
@limits.export
def problems(batch_id: int) -> ResponseReturnValue:
    """The rows that need someone, as they came, with what is wrong beside them."""
    batch = _mine(batch_id)
    releasing.note_download(batch.id, by=actor())
    answer = Response(problem_rows.as_csv(batch.id), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="problems-{batch.id}.csv"'
    return answer
