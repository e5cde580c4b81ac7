"""What a model is shown of an evening, of the past or tonight's: one way, so that it is asked what it was taught.

Students whose families want no part of it are left out before anything is counted: their marks reach no sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ew_app.services.risk import year_ends
from ew_app.services.risk.evenings import Evening
from models.queries import risk_years, same_child
from rules.carried import Carried
from rules.cells import WHOLE_DAY
from rules.risk.features import Seen, seen, together

Ints = NDArray[np.int64]
KINDS = ("tardy", "partial", "excused", "unexcused", "other")  # of marks, by what share of the days they are


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Students as a model sees them, and sums over them: days, kinds of marks, days of which nothing was known."""

    known: Seen
    sums: Mapping[str, int]

    @property
    def shares(self) -> dict[str, float]:
        """Each kind of mark as a share of the days."""
        days = max(self.sums.get("days", 0), 1)
        return {kind: self.sums.get(kind, 0) / days for kind in KINDS}

    def but(self, without: Ints) -> Looked:
        """Without some students, in the sums as they were made."""
        return Looked(self.known.of(np.flatnonzero(~np.isin(self.known.students, without))), self.sums)


def excluded() -> Ints:
    """The students who are left out, whichever of their ids was named."""
    return np.unique(same_child.known().own(risk_years.excluded()))


def look(found: Evening, year: date, without: Ints) -> Looked:
    """Who was enrolled that evening, but for some. `year`: the 1 July of the evening's school year."""
    there = found.enrolled_there()
    there = there.at(np.flatnonzero(~np.isin(there.students, without)))
    past = year_ends.past(there.students, year)
    known = seen(there.carried, there.students, there.school, there.grade_numbers, past)
    return Looked(known, _sums(there.carried))


def whole(parts: Sequence[Looked]) -> Looked | None:
    """What was looked at part by part; None where there was nobody."""
    if not parts:
        return None
    sums: Counter[str] = Counter()
    for part in parts:
        sums.update(part.sums)
    return Looked(together([part.known for part in parts]), sums)


def _sums(carried: Carried) -> dict[str, int]:
    """In thousandths of days."""
    facts, events = carried.facts, carried.events
    begun = facts["attendance_days"] - facts["member_days"]
    daily = events.daily
    partial = daily.member & (daily.fraction > 0) & (daily.fraction < WHOLE_DAY) & (events.nth > begun[events.row])
    of = {name: int(facts[name].sum(dtype=np.int64)) for name in ("enrolled", "absent", "excused", "unexcused")}
    counted = {name: int(facts[name].sum(dtype=np.int64)) * WHOLE_DAY for name in ("tardies", "unknown_days")}
    return {
        "days": of["enrolled"],
        "tardy": counted["tardies"],
        "partial": int(partial.sum()) * WHOLE_DAY,
        "excused": of["excused"],
        "unexcused": of["unexcused"],
        "other": of["absent"] - of["excused"] - of["unexcused"],
        "unknown": counted["unknown_days"],
    }
