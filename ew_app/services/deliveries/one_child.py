"""Two ids that are one child, with all that follows for the day ledger: who is due on a day is counted by children."""

from __future__ import annotations

from ew_app.kernel import Actor, operation
from ew_app.services.deliveries import ledger
from ew_app.services.rosters import same_child
from models.merges import StudentMerge
from models.queries import merging as rows


@operation
def merge(kept: str, gone: str, *, reason: str, by: Actor) -> StudentMerge:
    """Say that `gone` is a former id of the student `kept`. Raises NotFound, Refused, UnfitWords."""
    said = same_child.merge(kept, gone, reason=reason, by=by)
    ledger.rebuild(rows.schools_of((said.kept_id, said.gone_id)))
    return said


@operation
def part(gone: str, *, by: Actor) -> StudentMerge:
    """Take back that `gone` is a former id. Raises NotFound, Refused."""
    said = same_child.undo(gone, by=by)
    ledger.rebuild(rows.schools_of((said.kept_id, said.gone_id)))
    return said
