"""A list of cases that leaves the product as a file: for a reason, up to a limit, each student in it written down."""

from __future__ import annotations

from collections.abc import Sequence

from ew_app.kernel import Actor, Refused, audit, operation
from models.queries.worklists import CaseLine
from rules import access
from rules.access import Permission
from rules.counting import are, many
from rules.words import check_words

MOST = 500  # cases in one file
SHORTEST, LONGEST = 5, 280


@operation
def take_along(found: Sequence[CaseLine], total: int, *, by: Actor, reason: str) -> None:
    """Note that these cases, all `total` of a view, go into a file. Raises NotAllowed, Refused, UnfitWords."""
    access.check(by.grants, Permission.TAKE_CASELOAD)
    words = " ".join(reason.split())
    if not SHORTEST <= len(words) <= LONGEST:
        raise Refused(f"Say in a few words what the file is for, in at most {LONGEST} characters.")
    check_words(words)
    if total > MOST or len(found) < total:
        raise Refused(f"{many(total, 'case')} {are(total)} more than one file holds ({MOST}). Filter the list first.")
    if not found:
        raise Refused("No case fits these filters, so there is nothing to take along.")
    for line in found:
        audit("caseload_taken", by=by, subject=f"case:{line.number}", student_id=line.student_id, reason=words)


def may(by: Actor) -> bool:
    """Whether this person may take cases along as a file."""
    return access.can(by.grants, Permission.TAKE_CASELOAD)
