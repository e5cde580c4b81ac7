"""Sources that are late, for whoever brings in attendance for a school that waits for them."""

from __future__ import annotations

from flask import url_for

from ew_app.services.sources import expecting
from ew_app.services.sources.expecting import Alarm
from ew_app.web.case_lines import Line
from ew_app.web.guard import actor
from models.queries import boards as rows
from rules import access
from rules.access import Area, Permission, Place


def within(area: Area) -> list[Alarm]:
    """The alarms that concern a school of the area; a roster concerns whoever answers for the whole district."""
    found = expecting.alarms()
    if not found or area.district:
        return found
    inside = {school.id for school in rows.schools_in(area)}
    return [alarm for alarm in found if alarm.schools & inside]


def lines(area: Area) -> list[Line]:
    """The same as rows of a day's list."""
    keeps = access.can(actor().grants, Permission.KEEP_SOURCES, Place.district())
    address = url_for("sources.show" if keeps else "imports.show")
    return [
        {
            "name": alarm.source, "about": "", "reason": alarm.sentence.removeprefix(f"{alarm.source}: "),
            "url": address, "due": None, "late": 0, "tier": None,
        }
        for alarm in within(area)
    ]  # fmt: skip
