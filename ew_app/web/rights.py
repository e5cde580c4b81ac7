"""A sheet for every family: what a child keeps a right to when a home is lost. Open to all who are signed in.

It is handed to every family, so whoever prints it says nothing about anybody.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from ew_app.kernel import today
from ew_app.web.guard import actor, requires
from models.queries import promises as rows
from rules.places import PlaceKind

screen = Blueprint("rights", __name__)

LIAISON = ("stls_liaison",)


@screen.get("/rights-sheet")
@requires()
def show() -> str:
    """The sheet, with the liaisons of the school at which whoever prints it works."""
    places = [grant.place for grant in actor().grants.held if grant.place.kind is PlaceKind.SCHOOL]
    found = [name for place in places for _, name in rows.readers(place.key, place.network or "", LIAISON, today())]
    return render_template("rights_sheet.html", liaisons=list(dict.fromkeys(found))[:3])
