"""What somebody was asked to do about a student without a case, marked as done on the student's page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.services.casework import tasks
from ew_app.web import asked
from ew_app.web.guard import actor, found, new_once, requires
from models.queries import student_page
from rules.access import Permission

screen = Blueprint("student_tasks", __name__)

UNDO_SHOWN = 10  # seconds


@screen.post("/students/<int:student_id>/tasks/<int:task_id>/done")
@requires(Permission.DO_TASKS)
def finish(student_id: int, task_id: int) -> ResponseReturnValue:
    found(student_page.task_of(student_id, task_id))
    task = tasks.finish(task_id, by=actor())
    return redirect(_today(student_id, task.id))


@screen.post("/students/<int:student_id>/tasks/<int:task_id>/undo")
@requires(Permission.DO_TASKS)
def undo(student_id: int, task_id: int) -> ResponseReturnValue:
    found(student_page.task_of(student_id, task_id))
    tasks.undo(task_id, by=actor())
    return redirect(url_for("today.show"))


def _today(student_id: int, done: int) -> str:
    """Today: whoever works with a caseload may not reach the student any more once the task is done."""
    return url_for("today.show", student=student_id, undo=done)


def just_done() -> dict[str, Any] | None:
    """The way back for a task that this person has just marked as done."""
    number, student = request.args.get("undo", type=asked.number), request.args.get("student", type=asked.number)
    task = student_page.task_of(student, number) if number and student else None
    if task is None or not tasks.can_undo(task, actor()):
        return None
    action = url_for("student_tasks.undo", student_id=student, task_id=task.id)
    return {"text": f"Done: {task.title}", "action": action, "once": new_once(), "seconds": UNDO_SHOWN}
