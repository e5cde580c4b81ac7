"""S08: What is going on with this student, and what is the plan? One case, a tab for each way to look at it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from ew_app.web import case_page, case_parts, case_tasks
from ew_app.web.case_page import Page
from ew_app.web.guard import found, requires
from rules.access import Permission

screen = Blueprint("case", __name__)

SEE = Permission.SEE_CASE


def _tab(number: int, tab: str, **shown: Any) -> str:
    return _rendered(Page(case_page.held(number, SEE)), tab, **shown)


def _rendered(page: Page, tab: str, **shown: Any) -> str:
    frame = case_page.frame(page.at_hand, tab, page)
    return render_template("case.html", **frame, parts=case_parts.parts(tab, page), **shown)


@screen.get("/cases/<int:number>")
@requires(SEE)
def show(number: int) -> str:
    return _tab(number, "overview")


@screen.get("/cases/<int:number>/timeline")
@requires(SEE)
def timeline(number: int) -> str:
    return _tab(number, "timeline")


@screen.get("/cases/<int:number>/plan")
@requires(SEE)
def plan(number: int) -> str:
    return _tab(number, "plan")


@screen.get("/cases/<int:number>/tasks")
@requires(SEE)
def tasks(number: int) -> str:
    page = Page(case_page.held(number, SEE))
    return _rendered(page, "tasks", undo=case_tasks.undo(page.at_hand.case, page.tasks))


@screen.get("/cases/<int:number>/attendance")
@requires(SEE)
def attendance(number: int) -> str:
    return _tab(number, "attendance")


@screen.get("/cases/<int:number>/contacts")
@requires(SEE)
def contacts(number: int) -> str:
    return _tab(number, "contacts")


@screen.get("/cases/<int:number>/restricted")
@requires(SEE)
def restricted(number: int) -> str:
    """The doors to compartments; for somebody to whom none opens there is no such page."""
    page = Page(case_page.held(number, SEE))
    found(case_page.compartments(page.at_hand) or None)
    return _rendered(page, "restricted")
