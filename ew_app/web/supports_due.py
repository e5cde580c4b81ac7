"""On Today: what was asked for inside a compartment, is due, and is this person's to see to."""

from __future__ import annotations

from flask import url_for

from ew_app.kernel import today
from ew_app.services.casework import waiting, workspaces
from ew_app.web.guard import actor
from ew_app.web.today_parts import SHOWN, Part
from models.queries import promises as rows
from rules.promises import promises


def part() -> tuple[Part, ...]:
    """No part for whoever sees to nothing that is due."""
    mine = workspaces.of(actor())
    found = rows.due_of(actor().person_id or 0, today(), [str(one) for one in mine]) if mine else []
    if not found:
        return ()
    late = waiting.days_late(waiting.spans_of([one.promise for one in found]))
    lines = [
        {
            "name": one.student.name, "about": one.school, "url": url_for("promises.one", promise_id=one.promise.id),
            "reason": promises().kinds[one.promise.kind].words(one.promise.for_whom), "due": one.promise.due,
            "late": days, "tier": None,
        }
        for one, days in zip(found, late, strict=True)
    ]  # fmt: skip
    seen = [(row.promise.compartment, row.student.id) for row in found]
    for one in mine:
        workspaces.shown(one, [student for compartment, student in seen if compartment == one], by=actor())
    more = ("Open the workspace", url_for("supports.show"))
    return (Part("Promised and due", lines[:SHOWN], "", len(lines), more=more, tiers=False),)
