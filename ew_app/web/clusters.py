"""One cluster of absences: what stands out, day by day, whom it asks, what was found; and the ones that ended."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text
from ew_app.services.casework.seats import seat_words
from ew_app.services.watching import cluster_work
from ew_app.services.watching.cluster_work import ENDS, LONGEST
from ew_app.web import guard
from ew_app.web.cluster_words import chance, exact_at, headline, sentence, told
from ew_app.web.guard import actor, requires
from models.clusters import Cluster
from models.queries import clusters as rows
from rules.access import Permission
from rules.clusters import tuning
from rules.routing_table import Seat, routing_table

screen = Blueprint("clusters", __name__)

STEPS = {
    "opened": "Found", "grew": "Stands out again", "taken": "Looked into", "note": "Heard", "gone": "Evidence gone",
    "withdrawn": "Withdrawn", "closed": "Ended",
}  # fmt: skip


@screen.get("/clusters/<int:cluster_id>")
@requires(Permission.SEE_DEPARTMENTS)
def one(cluster_id: int) -> str:
    return _page(cluster_id)


def _page(cluster_id: int, error: str = "") -> str:
    view = cluster_work.view_of(actor())
    line = view.one(cluster_id)
    cluster, kind = line.cluster, tuning().kinds[line.cluster.kind]
    exact = exact_at(line.school_key, line.network_key)
    everywhere = view.person_id is not None and cluster.owner_id == view.person_id
    table, seat = routing_table(), Seat(cluster.owner_role, cluster.department)
    return render_template(
        "cluster.html",
        line=line,
        cluster=cluster,
        answer=f"{headline(cluster)} at {line.school} on {day_text(cluster.last_day)}"
        if cluster.kind != "weekday"
        else f"{headline(cluster)} at {line.school}",
        lead=sentence(cluster, exact=exact),
        kind=kind,
        first_step=table.trigger(kind.condition).first_step,
        department=table.departments[cluster.department],
        owner=line.owner
        or f"nobody yet ({seat_words(seat if seat.role == 'department_contact' else Seat(seat.role))})",
        chance=chance(cluster.odds, exact=exact),
        exact=exact,
        days=told(rows.days_of(cluster.id, None if everywhere else view.area), exact=exact),
        notes=[(STEPS[note.step], note) for note in rows.notes_of(cluster.id)],
        state=_state(cluster),
        may_answer=cluster_work.may_answer(line, actor()),
        ends=tuple(ENDS.items()),
        longest=LONGEST,
        values=request.form,
        error=error,
        useful=cluster_work.useful_share().get(cluster.kind),
    )


def _state(cluster: Cluster) -> tuple[str, str]:
    """(words, kind of the mark) of where it stands."""
    if cluster.state == "withdrawn":
        return "Withdrawn: corrected attendance took the evidence away", "done"
    if cluster.state == "closed":
        return ENDS[cluster.ended_as or "cannot_tell"], "done"
    if cluster.gone_on:
        return "Corrected attendance took the evidence away", "waiting"
    if cluster.taken_at:
        return f"{cluster.taken_by} looks into it", "waiting"
    return "Nobody looks into it yet", "late"


@screen.post("/clusters/<int:cluster_id>/take")
@requires(Permission.ANSWER_CLUSTERS)
def take(cluster_id: int) -> ResponseReturnValue:
    """Somebody looks into it."""
    _reached(cluster_id)
    guard.once()
    return _done(cluster_id, lambda: cluster_work.take(cluster_id, by=actor()), "It says that you look into it.")


@screen.post("/clusters/<int:cluster_id>/note")
@requires(Permission.ANSWER_CLUSTERS)
def note(cluster_id: int) -> ResponseReturnValue:
    """Write down what was heard."""
    _reached(cluster_id)
    once, words = guard.once(), request.form.get("words", "")
    return _done(cluster_id, lambda: cluster_work.write(cluster_id, words, by=actor(), once=once), "Written down.")


@screen.post("/clusters/<int:cluster_id>/close")
@requires(Permission.ANSWER_CLUSTERS)
def close(cluster_id: int) -> ResponseReturnValue:
    """Say what it was."""
    _reached(cluster_id)
    guard.once()
    said = request.form.get("ended_as", ""), request.form.get("why", "")
    return _done(
        cluster_id, lambda: cluster_work.close(cluster_id, *said, by=actor()), "It is ended, with your reason."
    )


def _reached(cluster_id: int) -> None:
    """Raises NotFound for one out of reach."""
    cluster_work.view_of(actor()).one(cluster_id)


def _done(cluster_id: int, act: Callable[[], None], said: str) -> ResponseReturnValue:
    try:
        act()
    except SENTENCES as refusal:
        return _page(cluster_id, str(refusal)), 422
    flash(said, "good")
    return redirect(url_for("clusters.one", cluster_id=cluster_id))
