"""S08, tasks: what is to be done, what was done, and the letters of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request, url_for

from ew_app.kernel import now, today
from ew_app.services.casework.tasks import UNDO_WITHIN
from ew_app.web import asked, case_page, letters
from ew_app.web.case_page import Page
from ew_app.web.guard import actor, new_once
from models.cases import Case, Task
from models.queries import case_page as rows

UNDO_SHOWN = 10  # seconds


def tasks(page: Page) -> dict[str, Any]:
    """Tasks outside compartments, the open ones apart."""
    names = rows.names({task.owner_id for task in page.tasks if task.owner_id}, today())
    by_login = rows.names_by_login({task.done_by for task in page.tasks if task.done_by})
    lines = [
        case_page.task_line(page, task, names) | {"done_by": by_login.get(task.done_by or "", "")}
        for task in page.tasks
    ]
    return {"open": [line for line in lines if line["open"]], "done": [line for line in lines if not line["open"]]}


def letters_written(page: Page) -> dict[str, Any] | None:
    found = letters.of_case(page.at_hand.case) if letters.may_read(page.at_hand) else []
    return {"letters": found} if found else None


def undo(case: Case, found: Sequence[Task]) -> dict[str, Any] | None:
    """The way back for a task that this person has just marked as done."""
    number = request.args.get("undo", type=asked.number)
    done = next((task for task in found if task.id == number and task.done_by == actor().login), None)
    if done is None or done.status != "done" or done.done_at is None or now() - done.done_at > UNDO_WITHIN:
        return None
    action = url_for("case_work.undo", number=case.number, task_id=done.id)
    return {"text": f"Done: {done.title}", "action": action, "once": new_once(), "seconds": UNDO_SHOWN}
