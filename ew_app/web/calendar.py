"""What is due in one's own calendar program: the secret address, and the answer behind it, which needs no sign-in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ew_app.services.notices import calendars
from ew_app.web.guard import actor, requires
from ew_app.web.limits import address, limiter
from rules.access import Permission

screen = Blueprint("calendar", __name__)


@screen.get("/calendar/<token>.ics")
@limiter.limit("60 per minute", key_func=address)
def feed(token: str) -> ResponseReturnValue:
    """For a calendar program: numbers of cases and days, no name; nothing for a wrong or ended address."""
    return calendars.feed(token), 200, {"Content-Type": "text/calendar; charset=utf-8"}


@screen.get("/news/calendar")
@requires(Permission.SEE_TODAY)
def show() -> str:
    return render_template("calendar.html", kept=calendars.address_of(actor()), made="")


@screen.post("/news/calendar")
@requires(Permission.SEE_TODAY)
def make() -> str:
    """A new address, shown this once; it is never in a page's address or in a cookie."""
    made = calendars.new_address(actor())
    return render_template("calendar.html", kept=calendars.address_of(actor()), made=made)


@screen.post("/news/calendar/end")
@requires(Permission.SEE_TODAY)
def end() -> ResponseReturnValue:
    calendars.end_address(actor())
    flash("The address answers no more.", "good")
    return redirect(url_for("calendar.show"))
