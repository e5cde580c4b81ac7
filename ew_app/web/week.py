"""The weekly page of whoever answers for schools: where does work wait? All schools in one table, in counts.

For whoever may open the cases also by role, and each figure leads to its list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, render_template, url_for

from ew_app.kernel import day_text, today
from ew_app.services.notices import week
from ew_app.services.notices.week import SchoolWeek, Week
from ew_app.web import asked, case_lines, hand_over_lines
from ew_app.web.guard import actor, found, requires
from ew_app.web.lists import PAGE, pages_of
from models.queries import worklists
from models.queries.week import Work
from rules import access, roles
from rules.access import Permission
from rules.counting import are, many

screen = Blueprint("week", __name__)

SEE = Permission.SEE_WAITING
Figure = tuple[str, str, dict[str, Any]]  # (heading, what of Work, the filter of the caseload that shows it)
FIGURES: tuple[Figure, ...] = (
    ("Without an owner", "unowned", {"unowned": "1"}),
    ("First contact late", "late_first", {"first": "1"}),
    ("Late cases", "late", {"overdue": "1"}),
    ("Late tasks", "late_tasks", {}),
    ("New", "new", {"new": "1"}),
    ("Open", "open", {}),
)
ASKED = {
    "waiting": ("waits for an answer", "wait for an answer"),
    "declined": ("was declined this week", "were declined this week"),
}


@screen.get("/week")
@requires(Permission.MANAGE_PEOPLE, Permission.SEE_NETWORK_BOARD)
def show() -> str:
    known = week.of(actor())
    waiting = [one for one in known.schools if not one.quiet]
    page = min(asked.page(), pages_of(len(waiting)))
    shown = waiting[(page - 1) * PAGE : page * PAGE]
    figures = [one for one in FIGURES if known.names or one[1] != "late_tasks"]
    return render_template(
        "week.html", answer=_answer(known, len(waiting)), since=day_text(known.since), over=_over(known.over),
        schools=[_school(one) for one in shown], sums=_sums(known, shown, figures) if len(known.schools) > 1 else None,
        names=known.names, columns=[{"label": "Role"}, *_headings(FIGURES)],
        quiet=len(known.schools) - len(waiting), page=page, pages=pages_of(len(waiting)), total=len(waiting),
    )  # fmt: skip


def _answer(known: Week, schools: int) -> str:
    """The sum of what waits, as a sentence: `14 cases are late and 2 have no owner at 5 of 12 schools`."""
    work = known.total
    late = [many(number, noun) for number, noun in ((work.late, "case"), (work.late_tasks, "task")) if number]
    said = [
        *([f"{' and '.join(late)} {are(work.late + work.late_tasks)} late"] if late else []),
        *([f"{many(work.unowned, 'case')} {'has' if work.unowned == 1 else 'have'} no owner"] if work.unowned else []),
    ]
    if not schools:
        return "Nothing waits at your schools"
    first = (
        " and ".join(filter(None, [", ".join(said[:-1]), *said[-1:]]))
        if said
        else "Something waits for an answer or a meeting"
    )
    if len(known.schools) == 1:
        return first
    return f"{first} at {schools} of {many(len(known.schools), 'school')}"


def _headings(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    return [{"label": heading, "number": True} for heading, _, _ in figures]


def _sums(known: Week, shown: Sequence[SchoolWeek], figures: Sequence[Figure]) -> dict[str, Any]:
    """Schools side by side in sums, without what is nowhere, and all together."""
    used = [one for one in figures if getattr(known.total, one[1])]
    return {
        "columns": [{"label": "School"}, *_headings(used)],
        "rows": [(one.school.name, [(h, getattr(one.total, name)) for h, name, _ in used]) for one in shown],
        "all": [(h, getattr(known.total, name)) for h, name, _ in used],
    }


def _over(count: int) -> str:
    return f"{many(count, 'new case')} more than the stated hours have room for" if count else ""


def _school(one: SchoolWeek) -> dict[str, Any]:
    return {
        "name": one.school.name,
        "met": one.met,
        "lines": list(_lines(one)),
        "roles": [(label, _figures(one, role, work)) for role, label, work in one.by_role],
    }


def _lines(one: SchoolWeek) -> Iterator[tuple[str, str]]:
    """(sentence, address of its list or nothing) of what the table of roles does not say."""
    lists = url_for("waiting.show") if access.can(actor().grants, SEE) else ""
    if one.risen:
        verb = "has" if one.risen == 1 else "have"
        yield f"{many(one.risen, 'case')} {verb} waited so long that you are asked to step in", lists
    if one.over:
        yield _over(one.over), f"{lists}#room" if lists else ""
    for way, count in (("waiting", one.asked), ("declined", one.declined)):
        if count:
            address = url_for("week.asked_at", key=one.school.key, way=way) if one.names else ""
            yield f"{many(count, 'question')} to a colleague {ASKED[way][count != 1]}", address


def _figures(one: SchoolWeek, role: str, work: Work) -> list[tuple[str, int, str]]:
    """(heading, figure, address of its list or nothing)."""
    return [
        (heading, getattr(work, name), _address(one, role, name, more) if getattr(work, name) and one.names else "")
        for heading, name, more in FIGURES
    ]


def _address(one: SchoolWeek, role: str, name: str, more: dict[str, Any]) -> str:
    if name == "late_tasks":
        return url_for("week.late_tasks", key=one.school.key, role=role)
    return url_for("caseload.show", view="all", school=one.school.id, role=role, **more)


# -- the lists that are nowhere else -------------------------------------------------------------------------


@screen.get("/week/<key>/asked/<any(waiting, declined):way>")
@requires(Permission.MANAGE_PEOPLE)
def asked_at(key: str, way: str) -> str:
    """Questions to colleagues at a school that wait for an answer, or were declined this week."""
    school = week.school_at_hand(actor(), key)
    here = week.asked_at(actor(), school, way)
    return render_template(
        "week_list.html",
        answer=f"{many(len(here), 'question')} {ASKED[way][len(here) != 1]}",
        school=school.name,
        lines=hand_over_lines.lines(here, actor().person_id, answers=False),
        tasks=[],
    )


@screen.get("/week/<key>/tasks/<role>")
@requires(Permission.MANAGE_PEOPLE)
def late_tasks(key: str, role: str) -> str:
    """Tasks of a role at a school that are late; nothing of compartments."""
    school = week.school_at_hand(actor(), key)
    held = found(roles.all_roles().get(role))
    here = case_lines.task_lines(worklists.late_tasks(school.id, role, today()))
    return render_template(
        "week_list.html",
        answer=f"{many(len(here), 'late task')}: {held.label}",
        school=school.name,
        lines=[],
        tasks=here,
    )
