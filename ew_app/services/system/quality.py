"""Looking through the records for mistakes: every school day's night and on request, each finding kept until mended.

Nothing is changed but the findings themselves. Each check is a transaction of its own and is done once a look, so an
interrupted look goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from ew_app.alone import note
from ew_app.kernel import WORKER, Actor, NotFound, Refused, day_text, now, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.rosters import fixing
from ew_app.services.system.quality_checks import BY_KEY, CHECKS, NOT_MADE, STUDENT_COUNT, Check
from models.base import db
from models.quality import QualityFinding, QualityRun
from models.queries import quality_looks as looks
from models.queries import quality_report as rows
from models.queries.quality import EXAMPLES, Seen
from models.queries.quality_report import Row
from rules import access
from rules.access import Area, Permission
from rules.words import check_words

log = logging.getLogger("ew.quality")

MOST_DAYS: Final = 185  # school days that a year can have without being asked about
OLD_ENTRY: Final = 15 * 365  # days
LEAST_MOVED: Final = 5  # students; fewer are no jump, also at a small school
MOST_TOLD: Final = 100_000
FAILED: Final = -1  # among the counts of a look: a check that could not be made
UNDER_WAY: Final = timedelta(minutes=15)  # a look that takes longer was given up and may be asked for anew


@operation
def ask(*, by: Actor) -> int:
    """Ask a worker to look through everything now; the run. One that is under way is not asked for twice."""
    if (going := rows.under_way(now() - UNDER_WAY)) is not None:
        return going
    run = QualityRun(asked_at=now(), asked_by=by.login, local_date=today())
    db.session.add(run)
    db.session.flush()
    record("quality_asked", by=by, subject=f"quality:{run.id}")
    enqueue(Job.CHECK_QUALITY, run.id)
    return run.id


@operation
def ask_at_night() -> int | None:
    """The same once for each school day: None where nothing was taught since the last look."""
    taught = rows.last_school_day(today())
    newest = rows.newest()
    if taught is None or (newest and newest.local_date >= taught):
        return None
    return ask(by=WORKER)


def look(run_id: int) -> None:
    """The queued work: every check of a run that is not done yet, then its end."""
    for check in CHECKS:
        _one(run_id, check)
    _finish(run_id)


def look_now(*, by: Actor) -> int:
    """Look through everything in this process; the run. For the command line where no worker runs."""
    run = _begun(by)
    look(run)
    return run


@operation
def _begun(by: Actor) -> int:
    run = QualityRun(asked_at=now(), asked_by=by.login, local_date=today())
    db.session.add(run)
    db.session.flush()
    return run.id


@operation
def _one(run_id: int, check: Check) -> None:
    """Make one check, and let its findings say what is there now."""
    run = _run(run_id)
    if check.key in run.counts or run.finished_at:
        return
    seen = _seen(run, check)
    if seen is not None:
        _keep(run, check.key, seen)
    run.counts = {**run.counts, check.key: FAILED if seen is None else sum(one.count for one in seen)}


def _seen(run: QualityRun, check: Check) -> Sequence[Seen] | None:
    """What a check finds; None where it cannot be made. The others go on then, and its findings stay as they were."""
    try:
        with db.session.begin_nested():
            if check.key == NOT_MADE:
                return _not_made(run)
            return _jumped(run) if check.key == STUDENT_COUNT else check.look(_parameters())
    except DBAPIError as error:
        note(log, f"check {check.key} could not be made", error)
        return None


def _not_made(run: QualityRun) -> Sequence[Seen]:
    """The checks of this look that came to no end, by their titles."""
    failed = [BY_KEY[key].title for key, count in run.counts.items() if count == FAILED]
    return [Seen(None, len(failed), [{"words": title} for title in failed[:EXAMPLES]])] if failed else ()


def _run(run_id: int) -> QualityRun:
    run: QualityRun | None = db.session.get(QualityRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound("There is no such look through the records.")
    return run


def _parameters() -> dict[str, Any]:
    return fixing.parameters(Area(district=True), WORKER) | {"most_days": MOST_DAYS, "old": OLD_ENTRY}


def _jumped(run: QualityRun) -> Sequence[Seen]:
    """Compared with the last look of an earlier day; the numbers are kept for the next one."""
    run.students = looks.student_counts({"today": run.local_date})
    before = rows.before(run.local_date)
    return looks.jumped(before.students, run.students, LEAST_MOVED) if before else ()


def _keep(run: QualityRun, key: str, seen: Sequence[Seen]) -> None:
    """Begin, go on with, or end the findings of a check."""
    standing = {finding.school_id: finding for finding in rows.standing(key)}
    for one in seen:
        finding = standing.pop(one.school_id, None)
        if finding is None:
            finding = QualityFinding(check_key=key, school_id=one.school_id, first_seen=run.local_date)
            db.session.add(finding)
        finding.last_seen, finding.count, finding.examples = run.local_date, one.count, one.examples
    for gone in standing.values():
        gone.mended_on = run.local_date


@operation
def _finish(run_id: int) -> None:
    run = _run(run_id)
    if run.finished_at is None:
        run.finished_at = now()
        record(
            "quality_checked",
            by=WORKER,
            subject=f"quality:{run_id}",
            rows=sum(count for count in run.counts.values() if count != FAILED),
        )


@operation
def know(finding_id: int, reason: str, *, by: Actor, area: Area) -> None:
    """Say that a finding is known and right: it is hidden until it grows. Raises NotFound, NotAllowed, Refused."""
    access.check(by.grants, Permission.FIX_DATA)
    finding = _within(finding_id, area)
    reason = reason.strip()[:300]
    check_words(reason)
    if len(reason) < 3:
        raise Refused("Say in a few words why this is right as it is. Nothing was changed.")
    finding.known_reason, finding.known_by, finding.known_on = reason, by.name, today()
    finding.known_count = finding.count
    record("finding_known", by=by, subject=f"finding:{finding_id}", reason=reason)


@operation
def ask_again(finding_id: int, *, by: Actor, area: Area) -> None:
    """Show a finding again that was said to be right. Raises NotFound, NotAllowed."""
    access.check(by.grants, Permission.FIX_DATA)
    finding = _within(finding_id, area)
    finding.known_reason, finding.known_by, finding.known_on, finding.known_count = "", "", None, 0
    record("finding_unknown", by=by, subject=f"finding:{finding_id}")


def _within(finding_id: int, area: Area) -> QualityFinding:
    finding = rows.finding(finding_id, area)
    if finding is None:
        raise NotFound("There is no such finding at your schools, or it was mended in the meantime.")
    return finding


def report(*, by: Actor, school: str = "", at_once: bool = False) -> dict[str, Any]:
    """What the last look found within the person's reach, as the command line prints it. Looks now if none was made.

    What somebody said to be right is left out.
    """
    access.check(by.grants, Permission.SEE_QUALITY)
    if at_once or rows.newest() is None:
        look_now(by=by)
    last, area = rows.newest(), access.scope_of(by.grants, Permission.SEE_QUALITY).whole
    assert last and last.finished_at
    earlier = rows.before(last.local_date)
    found = [row for row in rows.findings(area, school, most=MOST_TOLD) if not row.known]
    order = list(BY_KEY)
    found.sort(key=lambda row: (order.index(row.check), -row.count, row.school_key))
    return {
        "checked_at": day_text(last.local_date),
        "checks": len(CHECKS),
        "compared_with": earlier.local_date if earlier else None,
        "findings": [_told(row, earlier is not None and row.first_seen == last.local_date) for row in found],
    }


def _told(row: Row, new: bool) -> dict[str, Any]:
    """A finding as data. Examples stay on the screen, where it is known whose students may be named."""
    check = BY_KEY[row.check]
    return {
        "check": row.check,
        "title": check.title,
        "means": check.means,
        "matters": check.matters,
        "mend": check.mend,
        "weight": check.weight.value,
        "school_id": row.school_key,
        "school": row.school,
        "rows": row.count,
        "since": row.first_seen,
        "new": new,
    }
