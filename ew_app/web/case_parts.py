"""What stands on each tab of a case, from top to bottom. A new part is one line here and one template.

A part's function takes the page of the case and gives the values its template finds as `part`, or None where nothing
of it is for this reader: then the part is not there at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ew_app.web import (
    case_attendance,
    case_family,
    case_ladder,
    case_overview,
    case_protocol,
    case_reached,
    case_tasks,
    case_timeline,
    consider_parts,
    duty_parts,
    hand_over_lines,
    plan_parts,
    visits,
)
from ew_app.web.case_page import Page


class Where(StrEnum):
    """The place of a part on its tab: over the full width, in the wide column, or in the narrow one beside it."""

    TOP = "top"
    MAIN = "main"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Part:
    tab: str
    template: str
    values: Callable[[Page], Mapping[str, Any] | None]
    where: Where = Where.MAIN


PARTS = (
    Part("overview", "case_next.html", case_overview.next_step, Where.TOP),
    Part("overview", "case_why.html", case_overview.reasons),
    Part("overview", "case_risk.html", consider_parts.of_case),
    Part("overview", "case_causes.html", case_overview.causes),
    Part("overview", "case_notes.html", case_overview.notes),
    Part("overview", "case_protocol.html", case_protocol.steps, Where.SIDE),
    Part("overview", "case_about.html", case_overview.about, Where.SIDE),
    Part("overview", "case_seers.html", case_overview.seers, Where.SIDE),
    Part("timeline", "case_timeline.html", case_timeline.entries),
    Part("plan", "case_next.html", case_overview.next_step, Where.TOP),
    Part("plan", "case_plan.html", plan_parts.plan),
    Part("plan", "case_supports.html", plan_parts.supports),
    Part("plan", "case_looks.html", plan_parts.looks),
    Part("plan", "case_causes.html", case_overview.causes, Where.SIDE),
    Part("plan", "case_plan_history.html", plan_parts.history, Where.SIDE),
    Part("tasks", "case_tasks.html", case_tasks.tasks),
    Part("tasks", "case_hand_overs.html", hand_over_lines.of_case),
    Part("tasks", "case_letters.html", case_tasks.letters_written),
    Part("tasks", "case_search.html", duty_parts.search),
    Part("tasks", "case_supports_first.html", duty_parts.supports_first),
    Part("attendance", "case_days.html", case_attendance.days),
    Part("attendance", "case_rate.html", case_attendance.rate),
    Part("attendance", "case_caused.html", duty_parts.caused),
    Part("contacts", "case_ladder.html", case_ladder.ladder),
    Part("contacts", "case_family.html", case_family.family),
    Part("contacts", "case_people.html", case_reached.people),
    Part("contacts", "case_visits.html", visits.of_case),
    Part("contacts", "case_contacts.html", case_reached.made),
    Part("restricted", "case_doors.html", case_overview.doors),
)


def parts(tab: str, page: Page) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Where -> (template, values) of the parts of a tab that are for this reader."""
    here: dict[str, list[tuple[str, Mapping[str, Any]]]] = {str(where): [] for where in Where}
    for part in PARTS:
        if part.tab == tab and (values := part.values(page)) is not None:
            here[part.where].append((part.template, values))
    return here
