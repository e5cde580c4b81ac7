"""The views that one person keeps of a list, and whether lists take keys: shown on the list, kept from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES
from ew_app.services.people import views
from ew_app.services.people.signing_in import Visitor
from ew_app.web import guard
from ew_app.web.guard import actor, found, requires
from ew_app.web.lists import LONGEST
from models.lists import SavedView
from models.queries import own_views as rows
from rules.access import Permission

screen = Blueprint("own_views", __name__)

# page -> the screen it belongs to, who may open that
PAGES = {"caseload": "caseload.show", "flagged": "flagged.show"}
ASKS_MOST = 12  # filters of one view


def shown(page: str, now: Mapping[str, str]) -> list[dict[str, Any]]:
    """One's own views of a list; `now`: what the list asks for at the moment."""
    address = url_for(PAGES[page])
    return [
        {
            "id": view.id, "name": view.name, "url": f"{address}?{urlencode(view.asks)}",
            "now": view.asks == dict(now), "first": view.is_first,
        }
        for view in _kept(page)
    ]  # fmt: skip


def first(page: str) -> str | None:
    """The address a list opens with for this person, if they chose a view and ask for nothing else now."""
    if request.args:
        return None
    chosen = next((view for view in _kept(page) if view.is_first), None)
    return f"{url_for(PAGES[page])}?{urlencode(chosen.asks)}" if chosen and chosen.asks else None


def _kept(page: str) -> Sequence[SavedView]:
    """One's own views of a list, asked for once a request."""
    if "own_views" not in g:
        g.own_views = page, rows.of(actor().person_id, page)
    kept: tuple[str, Sequence[SavedView]] = g.own_views
    return kept[1] if kept[0] == page else rows.of(actor().person_id, page)


def has_keys() -> bool:
    """Whether this person wants keys for the rows of lists."""
    who: Visitor | None = g.visitor
    return who is not None and who.list_keys


@screen.post("/views/<page>")
@requires(Permission.SEE_CASELOAD, Permission.SEE_FLAGGED)
def keep(page: str) -> ResponseReturnValue:
    """Keep what the list asks for now under a name."""
    address = url_for(found(PAGES.get(page)))
    asks = _asks(request.form.get("asks", ""))
    try:
        kept = views.keep(page, request.form.get("name", ""), asks, first="first" in request.form, by=actor())
        flash(f"Kept as “{kept.name}”." + (" The list opens with it." if kept.is_first else ""), "good")
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(f"{address}?{urlencode(asks)}")


def _asks(text: str) -> dict[str, str]:
    """What a list was asked for, as its own form wrote it; never a page number."""
    pairs = parse_qsl(text, max_num_fields=ASKS_MOST) if len(text) < 2000 else []
    return {name[:LONGEST]: value[:LONGEST] for name, value in pairs if name not in ("page", "undo")}


@screen.post("/views/<page>/<int:view_id>/first")
@requires(Permission.SEE_CASELOAD, Permission.SEE_FLAGGED)
def begin_with(page: str, view_id: int) -> ResponseReturnValue:
    found(PAGES.get(page))
    flash(f"“{views.begin_with(view_id, by=actor())}” is changed.", "good")
    return redirect(guard.local_path(request.form.get("back")))


@screen.post("/views/<page>/<int:view_id>/forget")
@requires(Permission.SEE_CASELOAD, Permission.SEE_FLAGGED)
def forget(page: str, view_id: int) -> ResponseReturnValue:
    address = url_for(found(PAGES.get(page)))
    flash(f"“{views.forget(view_id, by=actor())}” is taken off.", "good")
    return redirect(address)


@screen.post("/keys")
@requires(Permission.SEE_CASELOAD, Permission.SEE_FLAGGED)
def keys() -> ResponseReturnValue:
    """Turn the keys of lists on or off for oneself."""
    views.set_keys("on" in request.form, by=actor())
    return redirect(guard.local_path(request.form.get("back")))
