"""What became of a delivery, in one object: the same for `--json`, the screens and the API."""

from __future__ import annotations

from typing import Any, Final

from ew_app.kernel import NotFound, operation
from models.attendance import Batch
from models.base import db
from models.queries import deliveries

COUNTS: Final = (
    "rows_in",
    "applied",
    "unchanged",
    "superseded",
    "rejected",
    "duplicate",
    "unknown_code",
    "off_calendar",
    "not_enrolled",
    "unmatched_student",
    "removed",
)
EFFECT: Final = ("enter_watch", "enter_2", "enter_3", "leave_2", "leave_3", "cases_opened")
MOST_PROBLEMS: Final = 1_000


@operation
def describe(batch_id: int, *, most_problems: int = MOST_PROBLEMS) -> dict[str, Any]:
    """Status, counts, effect and problems of a batch. NotFound.

    Always: rows_in = applied + unchanged + superseded + rejected + duplicate. Of a preview, status is what the
    delivery would become. `problems` holds at most `most_problems`, rejected rows first. `left_out`: rows of an
    export that make none of ours on purpose; they are not in rows_in.
    """
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.")
    counts = batch.counts
    told: dict[str, Any] = {"batch": batch.id, "status": counts.get("would_be", batch.status)}
    told |= {name: counts.get(name, 0) for name in COUNTS}
    told["effect"] = {name: batch.effect.get(name, 0) for name in EFFECT}
    told["problems"] = [_problem(row) for row in deliveries.problems_of(batch_id, most_problems)]
    told |= {
        "preview": batch.preview,
        "kind": batch.kind,
        "name": batch.name,
        "feed": batch.feed,
        "sentence": batch.sentence,
        "left_out": batch.options.get("left_out", 0),
        "notes": [*batch.options.get("told", []), *counts.get("notes", [])],
    }
    if batch.kind == "roster":
        told["files"] = counts.get("files", {})
    return told


def history(limit: int = 50) -> list[dict[str, Any]]:
    """The newest batches, newest first, each as `describe` tells it without its problems."""
    return [describe(batch_id, most_problems=0) for batch_id in deliveries.newest(limit)]


def _problem(row: Any) -> dict[str, Any]:
    names = ("line", "reason", "column", "value", "file", "rejected")
    return {name: getattr(row, name) for name in names}
