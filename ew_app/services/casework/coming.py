"""Students who were looked for and have come, or are enrolled no longer. Pure, like `following`."""

from __future__ import annotations

from datetime import date

from ew_app.services.casework import asked_for
from ew_app.services.casework.following import Asked, Pupil
from models.queries.following import DID_NOT_ARRIVE


def looked_for_in_vain(pupil: Pupil) -> list[Asked]:
    """Open tasks that look for a student who has come, or is enrolled here no longer."""
    if pupil.here and not pupil.seen:
        return []
    looking = [task for task in pupil.tasks if task.status == "open" and task.rule == DID_NOT_ARRIVE]
    return [task for task in looking if (found := asked_for.of(task, pupil)) is not None and not found.active]


def has_come(pupil: Pupil) -> bool:
    """Whether nobody has to look for the student any more: known to be here, or enrolled no longer."""
    if pupil.here and not pupil.seen:
        return False
    return not any(found.rule == DID_NOT_ARRIVE and found.active for found in pupil.findings)


def came_on(pupil: Pupil) -> date | None:
    """The day of the arrival; None where a correction shows that there was nothing to look for."""
    days = [found.until for found in pupil.findings if found.rule == DID_NOT_ARRIVE and found.until]
    return max(days, default=None)
