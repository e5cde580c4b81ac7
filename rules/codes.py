"""What an attendance code means at a school on a day: the school's own meaning first, then the district's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rules.day import NOT_GIVEN, Kind, Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the code table; `school` None is the whole district, dates bound its validity (inclusive)."""

    school: int | None
    code: str
    kind: Kind
    reason: Reason
    fraction: int  # thousandths of a day
    starts: date | None = None
    ends: date | None = None

    def holds(self, school: int, day: date) -> bool:
        """Whether this row speaks for that school and day."""
        here = self.school is None or self.school == school
        return here and (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)


UNMAPPED = Meaning(None, "", Kind.UNKNOWN, Reason.UNKNOWN, NOT_GIVEN)


def meaning(rows: Iterable[Meaning], school: int, day: date) -> Meaning:
    """The row that stands among rows of one code: the school's before the district's, the newest start first."""
    standing = [row for row in rows if row.holds(school, day)]
    return max(standing, key=lambda row: (row.school is not None, row.starts or date.min), default=UNMAPPED)
