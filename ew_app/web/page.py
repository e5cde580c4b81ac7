"""What every template may use: the viewer, the way around, banners, the date, filters for days and moments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup, escape

from ew_app import kernel
from ew_app.services.notices import news
from ew_app.services.people.signing_in import Visitor
from ew_app.services.risk import reading
from ew_app.services.system import health
from ew_app.web import guard, nav
from ew_app.web.headers import milliseconds
from models.queries import staff

BOARDS = frozenset(  # screens of counts: on paper every sheet says what it is of, and from when
    {
        *("boards", "movement", "over_year", "groups", "follow_through", "reviews", "goals", "what_works"),
        *("departments", "clusters", "integrity", "published", "week", "risk_model", "risk_model_card"),
    }
)


def init_app(app: Flask) -> None:
    app.context_processor(frame)
    app.jinja_env.globals["once"] = guard.new_once
    app.jinja_env.globals["day_text"] = kernel.day_text
    app.add_template_filter(moment)
    app.add_template_filter(days)
    app.add_template_filter(rate)
    app.add_template_filter(options)


def frame() -> dict[str, Any]:
    """The values base.html needs. A page passes its own `place`, `banners` or `undo` to replace ours."""
    who: Visitor | None = None if g.get("plain") else g.get("visitor")
    plain: dict[str, Any] = {
        "viewer": None,
        "nav": [],
        "place": "",
        "banners": [],
        "undo": None,
        "today": kernel.today(),
        "version": _version(),
        "server_ms": milliseconds,
    }
    return plain if who is None else plain | _for(who)


def _for(who: Visitor) -> dict[str, Any]:
    return {
        "viewer": {"name": who.actor.name, "role": who.actor.position, "place": _place(who)},
        "nav": _places(who.actor),
        "place": nav.current(request.path),
        "banners": _banners(who),
        "on_paper": kernel.now() if request.blueprint in BOARDS else None,
        "session_minutes": guard.minutes_idle(),
        "sign_out_url": url_for("signin.sign_out"),
        "extend_url": url_for("signin.extend"),
    }


def _places(by: kernel.Actor) -> list[tuple[str, str, str, int | None, str]]:
    """The places this person may open, each with its heading; beside News how much of it is unread."""
    unread = news.unread_count(by)
    found = nav.places(current_app, by.grants, without=() if reading.is_at_work(by) else (nav.CONSIDER,))
    return [(label, path, key, unread or None if key == "news" else None, head) for label, path, key, head in found]


def _place(who: Visitor) -> str:
    """Where the person works, by name; several places are counted."""
    places = list(dict.fromkeys(grant.place for grant in who.actor.grants.held))
    if len(places) > 2:
        return f"{len(places)} places"
    names = staff.place_names([str(place) for place in places])
    return " and ".join(names[str(place)] for place in places)


def _banners(who: Visitor) -> list[tuple[str, str]]:
    shown = []
    if who.is_demo:
        shown.append(("demo", "Everyone here is invented. Nothing you do reaches a real family."))
    if fixed := kernel.settings().today:
        shown.append(("date", f"This system is set to {fixed:%a} {fixed.day} {fixed:%b %Y}, whatever day it is."))
    if late := health.updates_late():
        shown.append(("stale", late))
    return shown


def _version() -> str:
    try:
        return version("early-warning")
    except PackageNotFoundError:
        return ""


def moment(at: datetime | None) -> str:
    """`Tue 17 Nov, 08:12` on the district's clock."""
    if at is None:
        return ""
    here = kernel.local(at)
    return f"{kernel.day_text(here.date())}, {here:%H:%M}"


def days(mils: int) -> str:
    """Thousandths of a day as days: 5000 is 5, 2500 is 2.5."""
    whole, part = divmod(abs(mils), 1000)
    sign = "-" if mils < 0 else ""
    return f"{sign}{whole}.{part:03d}".rstrip("0") if part else f"{sign}{whole}"


def rate(absent: int, enrolled: int) -> str:
    """Share of days absent, floored to a tenth as the rules compare it: `11.5%`; nothing without days."""
    if enrolled <= 0:
        return ""
    tenths = absent * 1000 // enrolled
    return f"{tenths // 10}.{tenths % 10}%"


def options(choices: Iterable[tuple[object, object]], chosen: object) -> Markup:
    """(value, words) as the options of a list to choose from: written at once, because a district has 640 schools."""
    kept = str(chosen)
    lines = (
        f'<option value="{escape(key)}"{" selected" if str(key) == kept else ""}>{escape(words)}</option>'
        for key, words in choices
    )
    return Markup("".join(lines))
