"""S22: Is anything lost or late? And the two addresses for machines, which say one word."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ew_app.services.system import health
from ew_app.services.system.health import State
from ew_app.web import beginning
from ew_app.web.guard import requires
from models.queries import health as rows
from rules.access import Permission

screen = Blueprint("health", __name__)
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@screen.get("/healthz")
def healthz() -> ResponseReturnValue:
    """This process is up."""
    return "ok\n", 200, PLAIN


@screen.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Database, broker and worker answer."""
    return ("ready\n", 200, PLAIN) if health.ready() else ("waiting\n", 503, PLAIN)


@screen.get("/health")
@requires(Permission.SEE_HEALTH)
def show() -> str:
    checks = health.checks()
    database_up = checks[0].state is not State.DOWN
    return render_template(
        "health.html",
        checks=checks,
        begin=beginning.step() if database_up else None,
        bad=[check for check in checks if check.state is not State.OK],
        set_aside=rows.set_aside() if database_up else [],
        late=health.late_schools()[:50] if database_up else [],
    )
