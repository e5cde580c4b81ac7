"""What a code means on a day, and which of two meanings weighs more inside one file."""

from __future__ import annotations

from tests.oracle.rows import Code, Roster, Row

ABSENT = ("absence", "suspension_out")
HELD_OUT = ("homebound", "hospital", "non_membership")
EXCUSES = ("excused", "exempt", "unexcused", "unknown")
"""From the one that weighs most to the one that weighs least."""


def meaning(roster: Roster, row: Row) -> Code | None:
    """The school's own code that holds on the day, else the district's, else None: nobody knows it."""
    for school in (row.school, ""):
        for code in roster.codes.values():
            if code.school == school and code.code == row.code and code.holds_on(row.date):
                return code
    return None


def rank(roster: Roster, row: Row) -> int:
    """Smaller weighs more: late, held out, absent by its excuse, present, unknown."""
    code = meaning(roster, row)
    if code is None:
        return 9
    if code.kind == "tardy":
        return 0
    if code.kind in HELD_OUT:
        return 1
    if code.kind in ABSENT:
        return 2 + EXCUSES.index(code.excused)
    return 8
