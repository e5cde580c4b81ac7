"""Take a roster delivery back: every row as it stood before, unless a later delivery has worked on it since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select, text

from ew_app.kernel import WORKER, now, operation, today
from ew_app.services.casework import origin
from ew_app.services.measuring.touched import touch_changed
from ew_app.services.rosters import same_child
from ew_app.services.rosters.roster_again import lay_what_followed
from ew_app.services.rosters.roster_targets import NETWORK, ROSTER_LOCK, SCHOOL, STUDENT, TARGETS
from models import merging, rows_undone
from models.attendance import Batch, BatchFile, BatchSlice
from models.base import db
from models.recounting import recount_absences_since
from models.rows_undone import Fate
from models.upsert import TAKEN_BACK, Target
from rules.counting import are, many
from rules.stints import school_year_start

# Computed from stints, calendars and marks: no reason to keep a student or a school. What is computed of students is
# left to the evaluation, which finds by it in whose counts they stood.
_OF_SCHOOLS: Final = ("touched_block", "block_school", "school_day", "tier_count")
_COMPUTED: Final = (
    *_OF_SCHOOLS, "student_status", "standing", "touched_student", "block_student", "year_end", "risk_score",
    "risk_told",
)  # fmt: skip
_WORDS: Final = {
    "prior_year": "totals of last year",
    "contact": "contacts",
    "absence_code": "attendance codes",
    "class_period": "class periods",
    "calendar_day": "calendar days",
    "stint": "enrolments",
    "support_flag": "support flags",
    "student": "students",
    "school": "schools",
    "network": "networks",
}


@operation
def take_back(batch: Batch) -> dict[str, Any]:
    """Undo a roster batch; returns {restored, deleted, kept: {table: rows}, notes: sentences}.

    What later deliveries set stays, also where they only repeated it. Done once: asked again, it tells what it did.
    The caller sets the batch's status.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})
    done = db.session.get(BatchSlice, (batch.id, TAKEN_BACK))
    if done:
        return done.counts
    parted = same_child.undo_of_batch(batch.id, by=WORKER)
    changed = {target.table for target in TARGETS if rows_undone.take_out(target, batch.id, at=now())}
    lay_what_followed(batch.id, changed, parted)
    fates = {target.table: _take_away(target, batch.id) for target in TARGETS}
    _forget_exit_rule(batch)
    merging.place_stints(None, batch=batch.id, at=now())
    origin.no_longer()
    recount_absences_since(batch.id)
    touch_changed(batch.id, list(fates), school_year_start(today()))
    kept = {table: fate.kept for table, fate in fates.items() if fate.kept}
    counts = {
        "restored": sum(fate.restored for fate in fates.values()),
        "deleted": sum(fate.deleted for fate in fates.values()),
        "kept": kept,
        "notes": [*_reasons(kept), *_parted(len(parted)), *_people(batch.id)],
    }
    db.session.add(BatchSlice(batch_id=batch.id, key=TAKEN_BACK, counts=counts))
    return counts


def _forget_exit_rule(batch: Batch) -> None:
    """What this delivery alone said of exit dates holds no longer; what was said before it, or of its source, does."""
    if "exit" not in batch.options:
        return
    said = select(Batch.options["exit"].astext).where(
        Batch.source_id == batch.source_id, Batch.kind == batch.kind, Batch.status == "applied", Batch.id != batch.id,
        Batch.options.has_key("exit"),
    )  # fmt: skip
    rule = db.session.scalar(said.order_by(Batch.id.desc()).limit(1)) or batch.source.said.get("exit")
    batch.source.exit_inclusive = rule != "exclusive"


def _take_away(target: Target, batch_id: int) -> Fate:
    """Delete what nobody else has said of one table; children come before those they point at."""
    computed = _OF_SCHOOLS if target is SCHOOL else ()
    return rows_undone.told(target, rows_undone.take_away(target, batch_id, used=_used(target), computed=computed))


def _used(target: Target) -> str:
    """SQL: whether anything but computed rows speaks of the student, school or network `t`."""
    if target not in (STUDENT, SCHOOL, NETWORK):
        return "false"
    column = f"{target.table}_id"
    tables = [name for name, table in db.metadata.tables.items() if column in table.columns and name not in _COMPUTED]
    uses = [f"EXISTS (SELECT FROM {name} u WHERE u.{column} = t.id)" for name in sorted(tables)]
    if target is STUDENT:
        uses.append("t.id IN (SELECT unnest(students) FROM roll)")
        uses.append("EXISTS (SELECT FROM student_merge m WHERE t.id IN (m.kept_id, m.gone_id))")
    else:
        uses.append(f"EXISTS (SELECT FROM role_grant g WHERE g.place = '{target.table}:' || t.key)")
    return " OR ".join(uses)


def _reasons(kept: Mapping[str, int]) -> list[str]:
    return [
        f"{rows:,} {_WORDS[table]} of this delivery stay: a later delivery set them again, "
        "or attendance, cases or people name them."
        for table, rows in kept.items()
    ]


def _parted(number: int) -> list[str]:
    if not number:
        return []
    which = f"{many(number, 'former id')} of this delivery {are(number)}"
    return [f"{which} read as {are(number, 'a student', 'students')} apart again."]


def _people(batch_id: int) -> list[str]:
    found = db.session.scalar(
        select(BatchFile.id).where(BatchFile.batch_id == batch_id, BatchFile.table_name == "people").limit(1)
    )
    return ["People and their roles are not taken back with a delivery; change them under People."] if found else []
