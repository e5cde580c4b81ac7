"""Tables of parts that are told once a month and kept: for everybody the same until the next month's.

What stands in the database may change any day: a file corrects what was, a class is added. A table that followed would
be another one each morning, and the two together could tell of one child. So it is counted when it is first asked for
in a month, set beside all others that tell of the same children (`rules/overlaps`), and kept as it was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import array, insert

from ew_app.kernel import now, operation
from models.base import db
from models.cuts import ToldPart
from models.queries.groups import schools_near
from rules import overlaps
from rules.overlaps import Leaves, Seen
from rules.stints import school_year_start
from rules.suppression import Shown


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of counts by name, in columns that are always the same; `leaves`: of each school, where these add up."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    leaves: Mapping[int, Mapping[str, Sequence[int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """One told table: what each row shows, its total last, in tens (`exact`: told before tables were in tens)."""

    day: date
    counted: Counted
    shown: tuple[Shown, ...]
    exact: bool = False


class Shelf:
    """The tables of some schools for the month that a day lies in, read together."""

    def __init__(self, schools: Sequence[int], day: date) -> None:
        self.ids, self.day = frozenset(schools), day
        told = _told([fingerprint(self.ids)], day)
        self._last = {one.by: one for one in told if one.day <= _month_end(day)}

    def table(
        self,
        by: str,
        count: Callable[[Sequence[str]], Counted | None],
        tell: Callable[[Counted], tuple[Shown, ...]] | None = None,
    ) -> Kept | None:
        """One of them; counted and kept if nobody has asked for it yet.

        `count` gets the names of the last table's rows; None where there is nothing to tell apart. `tell` says what is
        shown of counts that stand beside no other table.
        """
        last = self._last.get(by)
        before = _of(last) if last else None
        if last is not None and last.day.replace(day=1) == self.day.replace(day=1):
            return before
        counted = count(before.counted.names if before else ())
        if counted is None:
            return before
        if tell is not None:
            return _keep(self.ids, by, self.day, counted, tell(counted))
        new = Seen(self.day, counted.leaves, counted.names, overlaps.told(counted.counts))
        return _keep(self.ids, by, self.day, counted, overlaps.beside(new, others(by, self.ids, self.day)).shown)


def known(
    schools: Collection[str], until: date, moment: datetime | None = None
) -> dict[tuple[str, str], list[Kept]]:  # fmt: skip
    """(fingerprint, by) -> the tables of the school year up to a day, perhaps by a moment, the newest last."""
    found: dict[tuple[str, str], list[Kept]] = defaultdict(list)
    for one in _told(schools, until):
        if one.day <= until and (moment is None or one.told_at <= moment):
            found[one.schools, one.by].append(_of(one))
    return found


# -- rows ------------------------------------------------------------------------------------------------------------


def fingerprint(schools: Collection[int]) -> str:
    """The same schools have the same, under whatever name."""
    return sha256(",".join(str(school) for school in sorted(schools)).encode()).hexdigest()[:32]


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _told(schools: Collection[str], day: date) -> Sequence[ToldPart]:
    """Every table of these fingerprints in the school year of a day, the newest last."""
    asked = select(ToldPart).where(ToldPart.schools.in_(schools), _year(day)).order_by(ToldPart.day)
    return db.session.scalars(asked).all()


def _year(day: date) -> ColumnElement[bool]:
    start = school_year_start(day)
    return ToldPart.day.between(start, start + timedelta(days=365))


def others(by: str, schools: Collection[int], day: date) -> list[Seen]:
    """Every table told by this in the school year of a day, of these schools and those around them."""
    near = [str(school) for school in schools_near(schools)]
    within = _year(day), ToldPart.leaves.has_any(array(near))
    return [_seen(one) for one in db.session.scalars(select(ToldPart).where(ToldPart.by == by, *within))]


def _seen(kept: ToldPart) -> Seen:
    leaves: Leaves = {int(school): rows for school, rows in kept.leaves.items()}
    return Seen(kept.day, leaves, tuple(kept.names), tuple(tuple(row) for row in kept.shown), kept.exact)


@operation
def _keep(
    schools: Collection[int], by: str, day: date, counted: Counted, shown: tuple[Shown, ...]
) -> Kept | None:  # fmt: skip
    """Keep it; where two asked at once, what the first one kept holds for both."""
    row = {
        "schools": fingerprint(schools), "by": by, "leaves": counted.leaves, "day": day, "told_at": now(),
        "names": counted.names, "columns": counted.columns, "counts": counted.counts, "shown": shown, "exact": False,
    }  # fmt: skip
    made = insert(ToldPart).values(row).on_conflict_do_nothing(index_elements=["schools", "by", "day"])
    if db.session.scalar(made.returning(ToldPart.id)) is not None:
        return Kept(day, counted, shown)
    same = [one for one in _told([fingerprint(schools)], day) if (one.by, one.day) == (by, day)]
    return _of(same[0]) if same else None


def _of(kept: ToldPart) -> Kept:
    counted = Counted(tuple(kept.names), tuple(kept.columns), tuple(tuple(row) for row in kept.counts))
    return Kept(kept.day, counted, tuple(tuple(row) for row in kept.shown), kept.exact)
