"""A form that came too late is given back: kept on the server for whoever filled it in, shown after signing in again.

Whose form it is says its one-time key, which we signed for that person; a form without one is not kept.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import local
from ew_app.services.people import drafts
from ew_app.web import guard
from ew_app.web.guard import actor, requires

screen = Blueprint("drafts", __name__)

OURS = ("csrf_token", "once")
NAMES = {
    "text": "What you wrote", "note": "Note", "goal": "Goal", "next_step": "Next step", "reason": "Reason",
    "strengths": "What helps them come", "outcome": "What came of it", "method": "How", "due": "By", "code": "Cause",
    "next_date": "Next on", "with_whom": "With", "said_by": "Who says so", "starts": "From",
    "promise": "What was agreed", "told": "Why they were away", "why": "Why", "phone": "Number",
    "label": "What it is called",
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
    draft = drafts.waiting(actor())
    if draft is None:
        return redirect(url_for("signin.home"))
    return render_template(
        "draft.html",
        fields=draft.fields,
        written=[(NAMES[name], value) for name, value in draft.fields if name in NAMES and value],
        until=local(draft.kept_at + drafts.KEPT_FOR),
    )


@screen.post("/draft")
@requires()
def send() -> ResponseReturnValue:
    """Send the form once more to where it was meant for; the browser repeats what it holds."""
    draft = drafts.waiting(actor())
    if draft is None:
        return redirect(url_for("signin.home"))
    drafts.let_go(actor())
    return redirect(guard.local_path(draft.path), code=307)


@screen.post("/draft/forget")
@requires()
def forget() -> Any:
    drafts.let_go(actor())
    flash("What you had written was let go.", "good")
    return redirect(url_for("signin.home"))
