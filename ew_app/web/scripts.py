"""Tokens for one's own scripts: make one (shown once), see which are used, end one at once."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, today
from ew_app.services.people import api_tokens
from ew_app.web.guard import actor, public_address, requires
from rules.access import Permission
from rules.counting import many
from rules.words import UnfitWords

screen = Blueprint("scripts", __name__)

USUAL = timedelta(days=180)


@screen.get("/scripts")
@requires(Permission.USE_API)
def show() -> str:
    return _page()


@screen.post("/scripts")
@requires(Permission.USE_API)
def make() -> ResponseReturnValue:
    """A new token, shown on this page alone; it is never in an address or a cookie."""
    try:
        last_day = date.fromisoformat(request.form.get("last_day", ""))
    except ValueError:
        return _page(error="Give the last day on which the token is taken."), 422
    try:
        made = api_tokens.new(name=request.form.get("name", ""), last_day=last_day, by=actor())
    except (Refused, UnfitWords) as refusal:
        return _page(error=str(refusal)), 422
    return _page(made=made)


@screen.post("/scripts/<int:token>/end")
@requires(Permission.USE_API)
def end(token: int) -> ResponseReturnValue:
    api_tokens.end(token_id=token, by=actor())
    flash("The token is taken no more.", "good")
    return redirect(url_for("scripts.show"))


def _page(*, made: str = "", error: str = "") -> str:
    tokens = api_tokens.standing(actor())
    return render_template(
        "scripts.html",
        answer=f"{many(len(tokens), 'script')} can fetch what you may see" if tokens else "Let a script fetch numbers",
        tokens=tokens,
        made=made,
        error=error,
        name="" if made else request.form.get("name", ""),
        last_day=request.form.get("last_day", "") or str(today() + USUAL),
        latest=today() + api_tokens.LONGEST,
        address=public_address(),
    )
