"""Work that waits too long, and new cases that outgrow the hours: what a principal and a network are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from flask import Blueprint, render_template, url_for

from ew_app.kernel import day_text
from ew_app.services.casework import rising
from ew_app.services.casework.rising import Room
from ew_app.web.case_lines import short_school
from ew_app.web.case_words import lower_first, tier_text
from ew_app.web.guard import actor, requires
from ew_app.web.today_parts import SHOWN, Part
from models.queries.rising import Escalated, Waiting
from models.queries.staff import place_names
from rules import access, roles
from rules.access import FieldClass, Permission
from rules.counting import many
from rules.rising import Level
from rules.vocabulary import vocabulary

screen = Blueprint("waiting", __name__)

SEE = Permission.SEE_WAITING
Ages = Mapping[tuple[int, date], int]  # (school, since) -> school days


@screen.get("/waiting")
@requires(SEE)
def show() -> str:
    """Names for those who may open the cases; number, school and days for the network. A line for each case."""
    seen, told = rising.seen_by(actor()), rising.escalated_to(actor())
    ages, (exact, room) = rising.days_waited(seen) | rising.days_waited(told), _room()
    named = [_named(rows) | _why(rows, ages) for rows in _by_case(seen)]
    schools = list(_by_school(told, ages))
    count = len(named) or sum(len(school["lines"]) for school in schools)
    return render_template(
        "waiting.html",
        answer=f"{many(count, 'case')} {'waits' if count == 1 else 'wait'} for somebody to go on"
        if count else "Nothing waits longer than it should",
        count=count, room=room, over=sum(1 for line in room if line["over"]),
        named=named, schools=schools,
        sums=not exact,
        unread=[(short_school(school), _labels(shut)) for school, shut in rising.unread_there(actor())],
        alone=[(short_school(school), _labels(alone)) for school, alone in rising.seen_by_one(actor())],
        seats=url_for("seats.show") if _names_people() else "",
    )  # fmt: skip


def _labels(shut: Sequence[FieldClass]) -> str:
    return ", ".join(vocabulary().label("restricted", str(one)).removeprefix("Restricted: ") for one in shut)


Row = TypeVar("Row", Waiting, Escalated)


def _by_case(found: Sequence[Row]) -> list[list[Row]]:
    """What waits of one case together, in the order of what waits longest; what has no case stands alone."""
    cases: dict[object, list[Row]] = {}
    for row in found:
        cases.setdefault(row.case_number or id(row), []).append(row)
    return list(cases.values())


def _by_school(told: Sequence[Escalated], ages: Ages) -> Iterator[dict[str, Any]]:
    """For the network: the schools where most waits first."""
    schools: dict[str, list[Escalated]] = {}
    for row in told:
        schools.setdefault(row.school, []).append(row)
    cases = {name: _by_case(rows) for name, rows in schools.items()}
    for name, waiting in sorted(cases.items(), key=lambda item: (-len(item[1]), item[0])):
        yield {"name": name, "lines": [{"case": case[0].case_number} | _why(case, ages) for case in waiting]}


def _why(rows: Sequence[Waiting | Escalated], ages: Ages) -> dict[str, Any]:
    """Why a case waits, and since when it has waited longest."""
    first = min(rows, key=lambda row: row.since)
    return {"why": _in_one(_reasons(rows)), "since": first.since, "days": ages[first.school_id, first.since]}


def _reasons(rows: Sequence[Waiting | Escalated]) -> list[str]:
    """What of a case waits, each said once, always in the order of the vocabulary."""
    said = {row.why for row in rows}
    return [words for why, words in vocabulary().choices("waits") if why in said]


def _in_one(reasons: Sequence[str]) -> str:
    """Several reasons as one sentence."""
    return "; ".join([*reasons[:1], *map(lower_first, reasons[1:])])


def _named(rows: Sequence[Waiting]) -> dict[str, Any]:
    row = rows[0]
    role = roles.all_roles().get(row.owner_role)
    return {
        "name": f"{row.first_name} {row.last_name}",
        "what": list(dict.fromkeys(row.what or "Decide what comes next" for row in rows)),
        "school": short_school(row.school),
        "tier": None if row.tier is None else tier_text(row.tier),
        "owner": row.owner or "nobody",
        "role": role.label if role else row.owner_role,
        "network": any(row.level == Level.NETWORK for row in rows),
        "url": url_for("case.show", number=row.case_number)
        if row.case_number
        else url_for("student.show", key=row.student_key),
        "case": f"case {row.case_number}" if row.case_number else "no case",
    }


def _room() -> tuple[bool, list[dict[str, Any]]]:
    """New cases of the week against the hours. For readers of counts one sum of each school."""
    exact, found = rising.room_told(actor())
    places, named = place_names({one.place for one in found}), _names_people()
    return exact, [
        _assignment(one, places[one.place], named) if one.begun else {"place": places[one.place], "over": one.over}
        for one in found
    ]


def _assignment(one: Room, place: str, named: bool) -> dict[str, Any]:
    begun = one.begun
    assert begun is not None
    return {
        "person": begun.person if named else "", "role": roles.role(begun.role).label, "place": place,
        "hours": begun.hours, "new": begun.new, "room": one.fits, "over": one.over, "waits": begun.waits,
    }  # fmt: skip


def _names_people() -> bool:
    return access.can(actor().grants, Permission.SEE_PEOPLE)


# -- for Today -----------------------------------------------------------------------------------------------------


def part() -> tuple[Part, ...]:
    """For Today: what has risen to the network, by number and school. Principals have their own lists there."""
    if not access.can(actor().grants, SEE):
        return ()
    cases = _by_case(rising.escalated_to(actor()))
    lines = [
        {"name": f"Case {rows[0].case_number}", "url": url_for("waiting.show"), "about": rows[0].school, "tier": None,
         "reason": f"{_in_one(_reasons(rows))}, since {day_text(min(row.since for row in rows))}", "due": None,
         "late": 0}
        for rows in cases[:SHOWN]
    ]  # fmt: skip
    more = ("See everything that waits", url_for("waiting.show"))
    return (Part("Work that waits at your schools", lines, "", len(cases), more=more, tiers=False),) if lines else ()
