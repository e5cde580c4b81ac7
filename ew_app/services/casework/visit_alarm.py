"""When two people are not back from a visit in time: whoever watches and the principal are told, once for each time."""

from __future__ import annotations

from ew_app.kernel import WORKER, now, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import visit_people
from models.base import db
from models.queries import visits as rows
from models.visits import Visit


@operation
def look() -> int:
    """Ask for an alarm for every visit that is late now; every minute's look. Returns how many."""
    found = rows.late(now())
    for visit_id in found:
        enqueue(Job.VISIT_LATE, visit_id)
    return len(found)


@operation
def give(visit_id: int) -> bool:
    """The queued job: tell those who are to look after them. False where they are back, stay longer, or were missed."""
    visit = db.session.get(Visit, visit_id, with_for_update=True, populate_existing=True)
    late = visit is not None and visit.status == "out" and visit.back_by is not None and visit.back_by < now()
    if visit is None or not late or visit.late_at is not None:
        return False
    visit.late_at = now()
    once = f"visit/{visit.id}/late/{visit.back_by.isoformat() if visit.back_by else ''}"
    visit_people.tell_alarm("visit_late", visit, once=once)
    record("visit_late", by=WORKER, subject=f"visit:{visit.id}", student_id=visit.student_id, case_id=visit.case_id)
    return True
