"""Work that waits too long, and new cases that outgrow the hours: what a principal and a network are shown."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from ew_app.kernel import day_text
from ew_app.services.casework import rising
from ew_app.web.case_lines import short_school
from ew_app.web.case_words import tier_text
from ew_app.web.guard import actor, requires
from ew_app.web.today_parts import SHOWN, Part
from models.queries.rising import Escalated, Waiting
from models.queries.staff import place_names
from rules import access, roles
from rules.access import Permission
from rules.counting import many
from rules.vocabulary import vocabulary

screen = Blueprint("waiting", __name__)

SEE = Permission.SEE_WAITING


@screen.get("/waiting")
@requires(SEE)
def show() -> str:
    """Names for those who may open the cases; number, school and days for the network."""
    seen, told = rising.seen_by(actor()), rising.escalated_to(actor())
    ages = rising.days_waited(seen) | rising.days_waited(told)
    named = [_named(row) | {"days": ages[row.school_id, row.since]} for row in seen]
    numbers = [_number(row) | {"days": ages[row.school_id, row.since]} for row in told]
    waiting, room = named or numbers, _room()
    over = sum(1 for line in room if line["over"])
    return render_template(
        "waiting.html",
        answer=f"{many(len(waiting), 'thing')} {'waits' if len(waiting) == 1 else 'wait'} for somebody to go on"
        if waiting else "Nothing waits longer than it should",
        named=named, numbers=numbers, room=room, over=over,
    )  # fmt: skip


def _named(row: Waiting) -> dict[str, Any]:
    role = roles.all_roles().get(row.owner_role)
    return {
        "name": f"{row.first_name} {row.last_name}", "why": vocabulary().label("waits", row.why),
        "what": row.what or "Decide what comes next", "school": short_school(row.school),
        "tier": None if row.tier is None else tier_text(row.tier), "owner": row.owner or "nobody",
        "role": role.label if role else row.owner_role, "since": row.since,
        "network": row.level == 2,
        "url": url_for("case.show", number=row.case_number) if row.case_number
        else url_for("student.show", key=row.student_key),
        "case": f"case {row.case_number}" if row.case_number else "no case",
    }  # fmt: skip


def _number(row: Escalated) -> dict[str, Any]:
    return {
        "case": row.case_number, "school": row.school, "why": vocabulary().label("waits", row.why),
        "since": row.since,
    }  # fmt: skip


def _room() -> list[dict[str, Any]]:
    """New cases of the week against the hours. Who sees no names sees places and roles."""
    found = rising.over_room(actor())
    places, named = place_names({one.place for one, _ in found}), _names_people()
    return [
        {"person": one.person if named else "", "role": roles.role(one.role).label, "place": places[one.place],
         "hours": one.hours, "new": one.new, "room": room, "over": max(0, one.new - room), "waits": one.waits}
        for one, room in found
    ]  # fmt: skip


def _names_people() -> bool:
    return access.can(actor().grants, Permission.SEE_PEOPLE)


# -- for Today -----------------------------------------------------------------------------------------------------


def part() -> tuple[Part, ...]:
    """For Today: what has risen to the network, by number and school. Principals have their own lists there."""
    if not access.can(actor().grants, SEE):
        return ()
    found = rising.escalated_to(actor())
    lines = [
        {"name": f"Case {row.case_number}", "url": url_for("waiting.show"), "about": row.school, "tier": None,
         "reason": f"{vocabulary().label('waits', row.why)}, since {day_text(row.since)}", "due": None, "late": 0}
        for row in found[:SHOWN]
    ]  # fmt: skip
    more = ("See everything that waits", url_for("waiting.show"))
    return (Part("Work that waits at your schools", lines, "", len(found), more=more, tiers=False),) if lines else ()
