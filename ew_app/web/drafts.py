"""A form that came too late is given back: kept on the server for whoever filled it in, shown after signing in again.

Whose form it is says its one-time key, which we signed for that person; a form without one is not kept.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import local
from ew_app.services.people import drafts
from ew_app.web import asked, guard
from ew_app.web.guard import actor, requires
from models.staff import Draft

screen = Blueprint("drafts", __name__)

SENT = "draft"  # in the cookie: the form that was sent once more, and where to
OURS = ("csrf_token", "once")
NAMES = {
    "text": "What you wrote", "note": "Note", "goal": "Goal", "next_step": "Next step", "reason": "Reason",
    "strengths": "What helps them come", "outcome": "What came of it", "method": "How", "due": "By", "code": "Cause",
    "next_date": "Next on", "with_whom": "With", "said_by": "Who says so", "starts": "From",
    "promise": "What was agreed", "told": "Why they were away", "why": "Why", "phone": "Number",
    "label": "What it is called", "purpose": "What it is to be used for",
}  # fmt: skip


def hold() -> ResponseReturnValue | None:
    """Keep the posted form and lead to it by way of the sign-in; None where there is nothing to keep."""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in OURS]
    person_id = guard.filled_in_by()
    if request.method != "POST" or person_id is None or request.files or not fields:
        return None
    fields.append(("once", request.form["once"]))
    if not drafts.keep(person_id, request.full_path.rstrip("?"), fields):
        return None
    minutes = int(drafts.KEPT_FOR.total_seconds() // 60)
    flash(f"Your session had ended, and nothing is lost. What you wrote is kept for you for {minutes} minutes.", "info")
    return redirect(url_for("drafts.show"), code=303)


@screen.get("/draft")
@requires()
def show() -> ResponseReturnValue:
    """What this person was writing, to be sent after all or let go."""
    waiting = drafts.waiting(actor())
    if not waiting:
        return redirect(url_for("signin.home"))
    return render_template(
        "draft.html",
        drafts=[
            {
                "id": one.id, "fields": one.fields, "until": local(one.kept_at + drafts.KEPT_FOR),
                "written": [(NAMES[name], value) for name, value in one.fields if name in NAMES and value],
            }
            for one in waiting
        ],
    )  # fmt: skip


@screen.post("/draft")
@requires()
def send() -> ResponseReturnValue:
    """Send the form once more to where it was meant for; the browser repeats what it holds."""
    draft = _chosen()
    if draft is None:
        return redirect(url_for("signin.home"))
    session[SENT] = [draft.id, guard.local_path(draft.path).partition("?")[0]]
    return redirect(guard.local_path(draft.path), code=307)


@screen.post("/draft/forget")
@requires()
def forget() -> Any:
    if (draft := _chosen()) is not None:
        drafts.let_go(draft.id, actor())
    flash("What you had written was let go.", "good")
    return redirect(url_for("signin.home"))


def _chosen() -> Draft | None:
    """The form that was named, or the newest."""
    number, waiting = request.args.get("draft", type=asked.number), drafts.waiting(actor())
    return next((one for one in waiting if number in (None, one.id)), None)


def still_kept() -> bool:
    """Whether a form that was sent once more has not arrived, and is kept."""
    return SENT in session


def settle(response: Response) -> Response:
    """After every answer: a form that was sent once more and taken is kept no longer."""
    number, path = session.get(SENT, (None, None))
    if request.method != "POST" or request.path != path:
        return response
    refused = any(kind in ("error", "warning") for kind, _ in session.get("_flashes", ()))
    if response.status_code in (302, 303) and not refused and g.get("visitor") is not None:
        session.pop(SENT)
        drafts.let_go(number, actor())
    return response
