"""What a person's script fetches: the rows that the reports of the command line print, a page at a time, written down.

The same services answer as for the commands, so a number has one definition. What a person may not see on a page is
not in their rows here either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ew_app.kernel import Actor, NotFound, audit, operation
from ew_app.services.casework import viewing
from ew_app.services.deliveries import ledger as day_ledger
from ew_app.services.measuring import hindsight
from ew_app.services.measuring import measures as numbers
from ew_app.services.watching.columns import BY, CASES, COUNTS, KEYS, LEDGER, typed
from models.queries import naming
from rules import access
from rules.access import Permission

Cursor = list[Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows, and from where to go on; None at the end. A page can hold fewer rows than were asked for."""

    rows: list[dict[str, Any]]
    next: Cursor | None


def measures(
    *,
    by: Actor,
    as_of: date | None = None,
    known_at: str | None = None,
    scope: str = "student",
    student: str | None = None,
    after: Cursor | None = None,
    most: int,
) -> Slice:
    """Rows of `ew measures` of students whose records this person may open. Raises NotAllowed, NotFound, Refused."""
    access.check(by.grants, Permission.SEE_STUDENT)
    moment = _asked(as_of, known_at)
    within = viewing.numbers_of(by)
    if student is not None:
        number = naming.student_id(student)
        if number is None or (within is not None and number not in within):
            raise NotFound(f"There is no student {student}.")
        found: Iterable[dict[str, Any]] = numbers.measures(as_of, scope=scope, student=student, known_at=moment)
        last = None
    else:
        start = after[0] if after else 0
        found, last = numbers.measures_page(as_of, scope=scope, within=within, after=start, most=most, known_at=moment)
    rows = _shown(found, (*KEYS[scope], *numbers.MEASURES))
    _note(by, "measures", rows, "student_id")
    return Slice(rows, None if last is None else [last])


def cases(*, by: Actor, which: str = "open", after: Cursor | None = None, most: int) -> Slice:
    """Rows of `ew cases` within this person's reach. Raises NotAllowed."""
    access.check(by.grants, Permission.SEE_CASE)
    start = after[0] if after else 0
    found, last = viewing.cases_page(by=by, only_open=which == "open", after=start, most=most)
    return Slice(_shown(found, CASES), None if last is None else [last])


def tiers(
    *,
    by: Actor,
    as_of: date | None = None,
    known_at: str | None = None,
    level: str = "district",
    after: Cursor | None = None,
    most: int,
) -> Slice:
    """Rows of `ew tiers` of the places whose counts this person may see. Raises NotAllowed, Refused."""
    reached = viewing.counted_by(level, by=by)
    moment = _asked(as_of, known_at)
    schools = viewing.schools_of(by, _OPENS[level])
    counts = [row for row in numbers.tiers(as_of, by=level, known_at=moment, schools=schools) if reached(row)]
    ahead = [row for row in counts if after is None or [row[name] for name in BY[level]] > after]
    rows = _shown(ahead[:most], (*BY[level], *COUNTS))
    _note(by, "tiers", rows, (*BY[level], "students")[0])
    return Slice(rows, [rows[-1][name] for name in BY[level]] if len(ahead) > most else None)


_OPENS = {
    "district": Permission.SEE_DISTRICT_BOARD,
    "network": Permission.SEE_NETWORK_BOARD,
    "school": Permission.SEE_SCHOOL_BOARD,
}


def ledger(
    *,
    by: Actor,
    start: date | None = None,
    until: date | None = None,
    school: str | None = None,
    after: Cursor | None = None,
    most: int,
) -> Slice:
    """Rows of `ew ledger` of the schools whose counts this person may see. Raises NotAllowed."""
    access.check(by.grants, Permission.SEE_SCHOOL_BOARD)
    found = day_ledger.days(
        start=start,
        until=until,
        school=school,
        within=viewing.schools_of(by, Permission.SEE_SCHOOL_BOARD),
        after=(after[0], date.fromisoformat(after[1])) if after else None,
        most=most + 1,
    )
    rows = [{name: getattr(row, name) for name in LEDGER} for row in found[:most]]
    _note(by, "ledger", rows, "school_id")
    last = rows[-1] if len(found) > most else None
    return Slice(rows, [last["school_id"], str(last["date"])] if last else None)


def _asked(as_of: date | None, known_at: str | None) -> datetime | None:
    """The moment that was asked for, if any. Raises Refused for what has not come: tomorrow it would be other rows."""
    moment = hindsight.moment_of(known_at) if known_at else None
    hindsight.check_come(as_of, moment)
    return moment


def _shown(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    return [typed({name: row[name] for name in columns}) for row in rows]


@operation
def _note(by: Actor, what: str, rows: Sequence[dict[str, Any]], key: str) -> None:
    """Write the call down: of whom or of what its rows were, from the first to the last."""
    reach = f", {rows[0][key]} to {rows[-1][key]}" if rows else ""
    audit("api_read", by=by, subject=f"api:{what}", reason=f"{len(rows)} rows{reach}")
