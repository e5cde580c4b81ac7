"""Attendance rows into the tables, a slice of schools at a time.

A slice is one transaction that holds the locks of its schools, writes its counts, and marks the students to be
measured again: whatever happens, a slice is wholly there or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import now, operation, transaction
from ew_app.services.deliveries import ledger, unnamed
from ew_app.services.deliveries.believing import limits_of
from ew_app.services.deliveries.staged_rows import store_problems
from ew_app.services.deliveries.staging import UNKNOWN_STUDENT, Part, stage
from ew_app.services.measuring.touched import touch_each, touch_each_school
from models import marks, marks_late, marks_new
from models.attendance import Batch, BatchSlice
from models.base import db
from models.marks import SCHOOL_LOCK
from models.queries import deliveries
from rules.feed_checks import Limits, cannot_go_in

FATES: Final = {"applied": "applied", "superseded": "superseded", "removed": "removed"}

Span = tuple[int, int]


def slices(schools: Sequence[int], width: int) -> list[Span]:
    """The schools cut into spans of ids; the same ids and width always give the same spans."""
    return [(number * width, number * width + width - 1) for number in sorted({s // width for s in schools})]


@operation
def merge_slice(batch_id: int, span: Span, limits: Limits) -> None:
    """Store one slice of a staged batch, once: a slice that is there already is left alone."""
    batch = db.session.get_one(Batch, batch_id)
    if not _begin_slice(batch_id, span):
        return
    _write_counts(batch_id, span, _merge(_alone(batch, span), limits))


def _merge(here: dict[str, Any], limits: Limits, *, waited: bool = False) -> Counter[str]:
    """Lay the staged rows over what stands; counts by bucket. `waited`: later deliveries are in already."""
    counts: Counter[str] = Counter()
    differing: list[dict[int, date]] = []
    if waited:
        marks_late.bring_back_what_is_met(here)
    new, known = marks_new.find_new_days(here)
    if new:
        counts["applied"] = marks_new.add_all(here)
        differing.append(ledger.begin(here, limits))
    fates = marks.merge(here) if known else {}
    marks.claim(here)
    if known:
        if waited:
            marks_late.end_what_was_claimed_since(here)
        differing.append(ledger.follow(here, limits))
    since = ledger.earliest(differing)
    touch_each_school(since)
    if known:
        touch_each(marks.changed_students(since))
    for fate, rows in fates.items():
        counts[FATES.get(fate, "unchanged")] += rows
    return counts


def retry_waiting() -> int:
    """After a roster load: let in every row whose student or school has become known; returns how many."""
    with transaction():
        waiting = deliveries.waiting_for_roster()
    return retry_rejected(waiting)


def retry_rejected(batch_ids: Sequence[int]) -> int:
    """Let in rows of these batches whose student or school has become known; returns how many went in."""
    return sum(_retry(batch_id) for batch_id in batch_ids)


@operation
def _retry(batch_id: int) -> int:
    """Let in the rows of a batch that waited for a student or school; returns how many went in."""
    batch = db.session.get_one(Batch, batch_id, with_for_update=True)
    limits = limits_of(batch)
    waiting = frozenset((row.file, row.line) for row in deliveries.waiting_rows(batch_id))
    staged = stage(batch, limits, Part(waiting=waiting))
    settled = waiting - {(file, problem.line) for file, problem, _, cause in staged.problems if cause}
    marks_late.lock_open(SCHOOL_LOCK, {"batch": batch_id})
    if not settled:
        marks.drop_staged(batch_id)
        unnamed.close_days(at_schools(batch, (0, 0), now()))
        return 0
    schools = deliveries.staged_schools(batch_id)
    merged = _merge(_alone(batch, (schools[0], schools[-1])), limits, waited=True)
    marks.drop_staged(batch_id)
    store_problems(batch_id, [found for found in staged.problems if not found[3]])
    _settle(batch, settled, merged + staged.counts)
    unnamed.close_days(at_schools(batch, (0, 0), now()))
    return sum(merged[bucket] for bucket in ("applied", "superseded", "unchanged"))


def _settle(batch: Batch, settled: frozenset[tuple[str, int]], found: Counter[str]) -> None:
    """The rows leave the rejected for where they stand now."""
    files, lines = zip(*sorted(settled), strict=True)
    rows = db.session.execute(
        text("""
            UPDATE problem SET settled_at = :at
            FROM unnest(CAST(:files AS text[]), CAST(:lines AS int[])) AS s (file, line)
            WHERE batch_id = :batch AND problem.file = s.file AND problem.line = s.line AND cause <> ''
            RETURNING rejected, problem.cause
        """),
        {"batch": batch.id, "at": now(), "files": list(files), "lines": list(lines)},
    ).all()
    counts = Counter(batch.counts)
    for bucket in ("applied", "superseded", "unchanged", "removed", "duplicate"):
        counts[bucket] += found[bucket]
    for finer in ("unknown_code", "off_calendar", "not_enrolled"):
        counts[finer] += found[finer]
    were = counts["rejected"]
    counts["rejected"] -= sum(row.rejected for row in rows)
    batch.sentence = _still_out(batch.sentence, were, counts)
    counts["unmatched_student"] -= sum(row.cause == UNKNOWN_STUDENT for row in rows)
    batch.counts = dict(counts)


def _still_out(sentence: str, were: int, counts: Counter[str]) -> str:
    """What was said of a delivery when more of its rows were kept out, as it is now."""
    left, rows = counts["rejected"], counts["rows_in"]
    said = sentence.replace(cannot_go_in(were, rows), cannot_go_in(left, rows) if left else "")
    return " ".join(said.split())


def _alone(batch: Batch, span: Span) -> dict[str, Any]:
    """The parameters of one slice, once nobody else writes at its schools.

    The moment is read after the wait: what is stored later says so, in whatever order the deliveries came here.
    """
    here = at_schools(batch, span)
    marks.lock_schools(SCHOOL_LOCK, here)
    return here | {"at": now()}


def at_schools(batch: Batch, span: Span, at: datetime | None = None) -> dict[str, Any]:
    """The parameters of one slice; `at`: the moment at which its rows begin to stand."""
    return {
        "batch": batch.id,
        "source": batch.source_id,
        "feed": batch.feed,
        "low": span[0],
        "high": span[1],
        "at": at,
        "unread": batch.counts.get("unread", 0),
    }


def _begin_slice(batch_id: int, span: Span) -> bool:
    """Take the slice: False if it is done. A second worker waits here until the first has committed."""
    row = {"batch_id": batch_id, "key": _key(span), "counts": {}}
    taken = insert(BatchSlice).values(row).on_conflict_do_nothing().returning(BatchSlice.key)
    return db.session.scalar(taken) is not None


def _write_counts(batch_id: int, span: Span, counts: Counter[str]) -> None:
    db.session.get_one(BatchSlice, (batch_id, _key(span))).counts = dict(counts)


def _key(span: Span) -> str:
    return f"schools {span[0]}-{span[1]}"


def unfinished(batch_id: int, spans: Sequence[Span]) -> Iterator[Span]:
    """Those of the slices that are not stored yet."""
    done = {
        row.key
        for row in db.session.execute(text("SELECT key FROM batch_slice WHERE batch_id = :batch"), {"batch": batch_id})
    }
    return (span for span in spans if _key(span) not in done)
