"""What a school owes a student, on the tabs of the case: the search, days that the district caused, supports first."""

from __future__ import annotations

from typing import Any

from ew_app.kernel import day_text, today
from ew_app.services.casework import district_days, searching
from ew_app.services.casework.searching import Line, Search
from ew_app.services.measuring.caused_days import Caused
from ew_app.services.measuring.why import Glance
from ew_app.web import case_page
from ew_app.web.case_page import Page
from ew_app.web.page import days, moment
from models.duty import SearchDone
from models.queries import duty as rows
from models.queries import same_child
from rules import roles
from rules.access import FieldClass, Permission, Right
from rules.duty_of_care import duty
from rules.stints import school_year_start
from rules.vocabulary import vocabulary

ATTENDED = frozenset({"present", "tardy", "half", "half-excused"})


def search(page: Page) -> dict[str, Any] | None:
    """The list for a student who cannot be found; None where nobody asked to look and nobody has begun."""
    case = page.at_hand.case
    found = searching.search_of(case)
    asked = bool(rows.asked_to_search(case))
    may = case.closed_on is None and any(case_page.may(page.at_hand, one) for one in searching.MAY)
    if found is None:
        return {"began": "", "lines": [], "found": None, "may": may} if asked and may else None
    return {
        "began": day_text(found.began), "by_itself": found.by_itself, "back": _back_since(page, found),
        "lines": [_line(page, line) for line in found.lines],
        "found": _done(found.found) if found.found else None, "may": may and not found.found, "whole": found.whole,
        "again": may and found.found is not None, "copied": searching.copy_is_held(case),
    }  # fmt: skip


def _back_since(page: Page, found: Search) -> str:
    """The first day since the search began on which the student was at school, while nobody has said so."""
    if found.found:
        return ""
    came = (one.day for one in page.told.days if one.day >= found.began and one.state in ATTENDED)
    return next((day_text(day) for day in came), "")


def _line(page: Page, line: Line) -> dict[str, Any]:
    done = _done(line.done) if line.done else None
    return {
        "key": line.step.key, "label": line.step.label, "who": roles.role(line.step.who).label, "due": line.due,
        "late": 0 if done else page.late(line.due), "done": done,
    }  # fmt: skip


def _done(one: SearchDone) -> dict[str, str]:
    return {"words": one.words, "who": f"{one.author}, {one.position}, {moment(one.written_at)}"}


def caused(page: Page) -> dict[str, Any] | None:
    """Days away that the district caused beside the others, outside compartments; None where no day was missed."""
    told = page.told.caused
    if not told.all:
        return None
    may = case_page.right(page.at_hand, FieldClass.ROSTER).reaches(Right.READ) and any(
        case_page.may(page.at_hand, one) for one in district_days.MAY
    )
    return {
        "sentence": sentence(told), "days": _written(page, told), "may": may,
        "choices": choices(page.told), "causes": causes(None),
    }  # fmt: skip


def choices(told: Glance) -> list[tuple[str, str]]:
    """The days away that nobody has counted apart yet, the newest first."""
    apart = {day for day, _ in told.caused.days}
    missed = [one.day for one in told.days if one.absent and one.day not in apart]
    return [(day.isoformat(), day_text(day)) for day in reversed(missed)]


def causes(compartment: FieldClass | None) -> list[tuple[str, str]]:
    """What can be written down as caused by the district, in one compartment or (None) outside them."""
    kept = vocabulary().district_causes
    return [(key, words) for key, words in vocabulary().choices("district_cause") if kept[key] == compartment]


def sentence(told: Caused) -> str:
    """Of 9 days away, the district caused 3; 6 had other reasons."""
    if not told.days:
        return f"None of the {days(told.all)} days away is written down as caused by the district."
    apart = f"the district caused {days(told.district)}; {days(told.others)} had other reasons"
    return f"Of {days(told.all)} days away {apart}."


def _written(page: Page, told: Caused) -> list[dict[str, Any]]:
    """Each day with its reason; one that a person wrote down can be taken back."""
    ids = same_child.ids_of(page.at_hand.case.student_id)
    since = school_year_start(min((day for day, _ in told.days), default=today()))
    by_hand = {row.day: row.id for row in rows.caused_days(ids, since, ())}
    return [line | {"id": by_hand.get(day)} for (day, _), line in zip(reversed(told.days), lines(told), strict=True)]


def inside(told: Glance, compartment: str, action: str = "") -> dict[str, Any] | None:
    """The same for a compartment that keeps such days; `action`: where one is written down, for whoever may."""
    kept = causes(FieldClass(compartment))
    if not kept:
        return None
    return {
        "sentence": sentence(told.caused), "days": lines(told.caused), "action": action,
        "choices": choices(told) if action else [], "causes": kept,
    }  # fmt: skip


def lines(told: Caused) -> list[dict[str, Any]]:
    """Each day that the district caused with its reason, the newest first."""
    label = vocabulary().labels["district_cause"]
    return [{"day": day_text(day), "why": label[why]} for day, why in reversed(told.days)]


def supports_first(page: Page) -> dict[str, Any] | None:
    """The way to the question before a legal step, for whoever leads cases."""
    open_here = page.at_hand.case.closed_on is None and case_page.may(page.at_hand, Permission.WORK_CASE)
    return {"steps": len(duty().steps)} if open_here else None
