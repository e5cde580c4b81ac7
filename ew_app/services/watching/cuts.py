"""Counts by tier and grade for readers of counts: one table a month and school, kept as it was told.

The totals of a school are exact every day, and so is who moved between tiers. A table by grade that followed them day
by day could be set against the one of yesterday, and the difference would be one child. So everybody, on a page, in a
file or in a view, gets the same table until the next month's, which waits where the two together would tell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import now, operation
from ew_app.services.watching import kept as keeping
from models.base import db
from models.cuts import ToldCut
from models.queries import boards as rows
from models.queries.boards import Grade
from rules import overlaps
from rules.overlaps import Seen
from rules.stints import school_year_start
from rules.suppression import Table

TIERS = ("tier_1", "watch", "needing", "none")  # Tier 2 and 3 together: apart they are small in most grades
FOUND = (1, 2)  # of them, those in which enough students stand before the first table of a year is told


@dataclass(frozen=True, slots=True)
class Told:
    """One table: a row of counts by TIERS for each grade, None where a number is kept back."""

    day: date
    grades: tuple[str, ...]
    table: Table
    waits: bool = False  # a newer one would let a small number be worked out


def by_grade(school_id: int, until: date) -> Told | None:
    """The table of a school that readers of counts get on a day up to which it was counted.

    None without two grades, and as long as few stand in one of the tiers: its first students would be told.
    """
    last = _last(school_id, until)
    if last is not None and last.day.replace(day=1) == until.replace(day=1):
        return _of(last)
    first = rows.first_counted(school_id, until.replace(day=1), until)
    if first is None:
        return _of(last) if last else None
    told = _tell(school_id, first, last)
    return told or (_of(last, waits=True) if last else None)


def tell_missing(schools: Collection[int], day: date) -> None:
    """Tell the month's table of those of these schools that have none yet."""
    month = day.replace(day=1)
    has = select(ToldCut.school_id).where(ToldCut.school_id.in_(schools), ToldCut.day.between(month, day))
    for school in sorted(set(schools) - set(db.session.scalars(has))):
        by_grade(school, day)


def told_by(schools: Collection[int], day: date, moment: datetime) -> dict[int, Told]:
    """School -> the table that readers had by a moment, of a day of the same school year up to `day`."""
    within = ToldCut.day.between(school_year_start(day), day), ToldCut.told_at <= moment
    asked = select(ToldCut).where(ToldCut.school_id.in_(schools), *within).order_by(ToldCut.day)
    return {kept.school_id: _of(kept) for kept in db.session.scalars(asked)}


def _last(school_id: int, until: date) -> ToldCut | None:
    within = ToldCut.day.between(school_year_start(until), until)
    asked = select(ToldCut).where(ToldCut.school_id == school_id, within).order_by(ToldCut.day.desc()).limit(1)
    return db.session.scalar(asked.execution_options(populate_existing=True))


@operation
def _tell(school_id: int, day: date, last: ToldCut | None) -> Told | None:
    """Make the table of a day and keep it; None where it must not be told, or there is nothing to tell apart."""
    found = {one.grade: _counts(one) for one in rows.by_grade(school_id, day)}
    grades = sorted({*found, *(last.grades if last else ())})
    counts = [found.get(grade, [0] * len(TIERS)) for grade in grades]
    table = _first(counts) if last is None else _next(grades, counts, last)
    if table is None:
        return None
    table = _beside(school_id, day, grades, counts, table)
    shown = [[*row, total] for row, total in zip(table.rows, table.totals, strict=True)]
    kept = {"grades": grades, "counts": counts, "shown": shown, "told_at": now()}
    row = insert(ToldCut).values(school_id=school_id, day=day, **kept)
    db.session.execute(row.on_conflict_do_nothing(index_elements=["school_id", "day"]))
    first = _last(school_id, day)
    return _of(first) if first else None


def _first(counts: Sequence[Sequence[int]]) -> Table | None:
    return keeping.first(counts) if keeping.enough(counts, FOUND) else None


def _next(grades: Sequence[str], counts: Sequence[Sequence[int]], last: ToldCut) -> Table | None:
    """A grade that was not there is known to have been empty."""
    absent: tuple[Sequence[int], Sequence[int | None]] = ([0] * len(TIERS), [0] * (len(TIERS) + 1))
    before = dict(zip(last.grades, zip(last.counts, last.shown, strict=True), strict=True))
    then = [before.get(grade, absent) for grade in grades]
    return keeping.following(counts, [(row, tuple(shown[:-1]), shown[-1]) for row, shown in then])


def _beside(
    school_id: int, day: date, grades: Sequence[str], counts: Sequence[Sequence[int]], table: Table
) -> Table:  # fmt: skip
    """Beside the grades of its network and of the district, and of the other schools there."""
    leaves = keeping.leaf(school_id, grades, counts)
    new = Seen(leaves, tuple(grades), tuple(tuple(row) for row in counts), table, exact=True)
    return overlaps.beside(new, *keeping.others("grade", day))


def _counts(one: Grade) -> list[int]:
    return [int(getattr(one.counts, name)) for name in TIERS]


def _table(shown: Sequence[Sequence[int | None]]) -> Table:
    return Table(tuple(tuple(row[:-1]) for row in shown), tuple(row[-1] for row in shown))


def _of(kept: ToldCut, *, waits: bool = False) -> Told:
    return Told(kept.day, tuple(kept.grades), _table(kept.shown), waits)
