"""S13 from a student's page: a compartment for those who look after it at the school. Every opening is written down."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, day_text, now, today
from ew_app.services.casework import district_days, looking_in, reaching, workspaces
from ew_app.services.casework import promises as asking
from ew_app.services.casework.notes import Compartment
from ew_app.services.measuring import why
from ew_app.web import duty_parts, limits, plan_parts, promises
from ew_app.web.case_words import cause_line, day_given, entry_of_note, task_state
from ew_app.web.guard import actor, found, requires, scope
from ew_app.web.page import moment
from models.cases import Task
from models.people import Student
from models.queries import student_page as rows
from rules.access import FieldClass, Permission
from rules.promises import promises as table
from rules.roles import OPENS
from rules.vocabulary import vocabulary

screen = Blueprint("student_restricted", __name__)


def _student(key: str, compartment: str) -> Student:
    """A student of whom this person may open this compartment; to all others there is nothing."""
    student = found(rows.student(key, scope(Permission.SEE_STUDENT), actor().person_id, today()))
    found(compartment in [str(one) for one in looking_in.open_to(student.id, actor())] or None)
    return student


@screen.get("/students/<key>/restricted/<compartment>")
@requires(*OPENS.values())
@limits.student_page
def show(key: str, compartment: str) -> ResponseReturnValue:
    """Open it for whoever works with the student; ask everybody else why."""
    student = _student(key, compartment)
    own = rows.looks_after(student.id, actor().person_id)
    return _opened(student, compartment, "") if own else _page(student, compartment, ask=True)


@screen.post("/students/<key>/restricted/<compartment>")
@requires(*OPENS.values())
@limits.student_page
def open(key: str, compartment: str) -> ResponseReturnValue:
    student = _student(key, compartment)
    reason = request.form.get("reason", "")
    try:
        return _opened(student, compartment, reason)
    except Refused as refusal:
        return _page(student, compartment, ask=True, error=str(refusal), reason=reason), 422


def _opened(student: Student, compartment: str, reason: str) -> str:
    inside = looking_in.look_in(student.id, compartment, by=actor(), reason=reason)
    told = why.glance(student.key, classes=[compartment])
    return _page(
        student,
        compartment,
        ask=False,
        opened=f"Open for you. Written down with your name: {moment(now())}.",
        reasons=[one for one in told.reasons if one.restricted == compartment],
        ask_url=_ask_url(student, compartment),
        caused=duty_parts.inside(told, compartment, _tag_url(student, compartment)),
        readers=promises.readers(student.id, compartment),
        **lines(inside, theirs=reaching.theirs(inside.tasks, actor())),
    )


@screen.post("/students/<key>/restricted/<compartment>/district")
@requires(*OPENS.values())
def tag_day(key: str, compartment: str) -> ResponseReturnValue:
    """Write down a day that the district caused, where only this compartment may know it."""
    student = _student(key, compartment)
    held = asking.at_hand(student.id, FieldClass(compartment), actor())
    kept = found((dict(duty_parts.causes(FieldClass(compartment))) or None) if held.writes else None)
    day, cause = day_given(request.form.get("day")), request.form.get("why", "")
    try:
        if day is None or cause not in kept:
            raise Refused("Choose the day and what the district did.")
        told = why.glance(student.key).days
        district_days.tag(student.id, day, cause, place=held.place, missed=told, by=actor())
        flash(f"{student.name}: {day_text(day)} is counted apart now.", "good")
    except Refused as refusal:
        flash(str(refusal), "warning")
    return redirect(url_for("supports.one", compartment=compartment))


def _tag_url(student: Student, compartment: str) -> str:
    writes = workspaces.writes_for_all(FieldClass(compartment), actor())
    return url_for("student_restricted.tag_day", key=student.key, compartment=compartment) if writes else ""


def _ask_url(student: Student, compartment: str) -> str:
    """Where something is asked for, in a compartment that keeps such things and that this person writes in."""
    kept = table().of(FieldClass(compartment))
    writes = kept and workspaces.writes_for_all(FieldClass(compartment), actor())
    return url_for("promises.ask", compartment=compartment, student_id=student.id) if writes else ""


def lines(inside: Compartment, *, linked: bool = True, theirs: Collection[int] = ()) -> dict[str, Any]:
    """What a compartment holds, as rows to read; `linked`: promises lead to where they are worked on.

    theirs: the tasks that the reader may mark as done.
    """
    return {
        "tasks": [
            {
                "title": task.title,
                "due": task.due,
                "state": _state(task),
                "finish": url_for("supports.finish", compartment=inside.key, task_id=task.id)
                if task.id in theirs
                else "",
            }
            for task in inside.tasks
        ],
        "causes": [cause_line(cause) for cause in inside.causes if cause.ended_at is None],
        "notes": [entry_of_note(note) for note in inside.notes],
        "supports": plan_parts.inside(inside.supports, may=False),
        "promises": promises.lines(inside.promises, linked=linked),
    }


def _state(task: Task) -> str:
    return "open" if task.status == "open" else task_state(task)[0]


def _page(student: Student, compartment: str, **shown: Any) -> str:
    label = vocabulary().labels["restricted"][compartment]
    return render_template("student_restricted.html", student=student, compartment=compartment, label=label, **shown)
