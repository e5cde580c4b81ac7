"""The departments: what waits on each of the fifteen, since when, and the clusters that ask for it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import today
from ew_app.services.watching import cluster_work, departments
from ew_app.services.watching.departments import Page
from ew_app.web import freshness, taking
from ew_app.web.cluster_words import headline
from ew_app.web.guard import actor, requires
from rules import access
from rules.access import Permission
from rules.counting import many
from rules.suppression import HIDDEN

screen = Blueprint("departments", __name__)

SEE = Permission.SEE_DEPARTMENTS


@screen.get("/departments")
@requires(SEE)
def show() -> ResponseReturnValue:
    """Every department that this person sees; with only one, that one."""
    found = departments.listed(actor())
    if len(found) == 1:
        return redirect(url_for("departments.one", key=found[0].department.key))
    if taking.wanted():
        return taking.answer("departments", departments.seen_by(actor())[0], ())
    waiting = sum(row.needs for row in found)
    said = "department has" if waiting == 1 else "departments have"
    return render_template(
        "departments.html",
        answer=f"{waiting} {said} something that waits past its day, or a cluster to look into"
        if waiting
        else "Nothing waits on a department past its day",
        rows=found,
        fresh=freshness.of_schools(cluster_work.view_of(actor()).area),
        words=_words(all(row.exact for row in found)),
        exact=all(row.exact for row in found),
        take=taking.links({"departments": ""}, as_of=today()),
    )


@screen.get("/departments/<key>")
@requires(SEE)
def one(key: str) -> ResponseReturnValue:
    if taking.wanted():
        return taking.answer("department", "", (), department=key)
    page = departments.one(key, actor())
    return render_template(
        "department.html",
        page=page,
        fresh=freshness.of_schools(cluster_work.view_of(actor()).area),
        answer=_answer(page),
        words=_words(page.exact),
        headline=headline,
        today=today(),
        take=taking.links({"tasks": "of what waits", "causes": "of causes"}, as_of=today()),
        does_tasks=access.can(actor().grants, Permission.DO_TASKS),
    )


def _answer(page: Page) -> str:
    """The first thing to know, as a sentence."""
    row, name = page.row, page.row.department.label
    if row.clusters:
        return f"{name}: {many(row.clusters, 'cluster')} to look into"
    if row.late:
        about = "" if page.exact else "about "
        return f"{name}: {about}{many(row.late, 'task')} past {'its' if row.late == 1 else 'their'} day"
    if row.late is None:
        return f"{name}: a few things wait"
    return f"{name}: nothing waits past its day"


def _words(exact: bool) -> Callable[[int | None], str]:
    """How a count is said: as it is, or in tens, or that it is kept back."""

    def words(number: int | None) -> str:
        if number is None:
            return HIDDEN
        return f"{number:,}" if exact or not number else f"about {number:,}"

    return words
