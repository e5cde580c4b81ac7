"""Every component in every state, for people who build screens and for those who look at them."""

from __future__ import annotations

from flask import Blueprint, render_template

from ew_app.web.guard import requires

screen = Blueprint("gallery", __name__)


@screen.get("/gallery")
@requires()
def show() -> str:
    return render_template("gallery.html")
