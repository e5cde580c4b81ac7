"""Tables of parts that are told once a month and kept: for everybody the same until the next month's.

What stands in the database may change any day: a file corrects what was, a class is added. A table that followed would
be another one each morning, and the two together could tell of one child. So it is counted when it is first asked for
in a month, kept with what was held back, and the next one looks back at it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import now, operation
from models.base import db
from models.cuts import ToldCut, ToldPart
from rules.overlaps import Leaves, Seen
from rules.overlaps import beside as beside_overlaps
from rules.stints import school_year_start
from rules.suppression import LEAST, Shown, Table, suppress, suppress_after

MARGIN = 5  # a count first comes into sight from so many above the least on, as it may fall before the next table


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of counts by name, in columns that are always the same; `leaves`: of each school, where these add up."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    leaves: Mapping[int, Mapping[str, Sequence[int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """One told table. `waits`: a newer one would let a small number be worked out."""

    day: date
    counted: Counted
    table: Table
    waits: bool = False


class Shelf:
    """The tables of some schools for the month that a day lies in, read together."""

    def __init__(self, schools: Sequence[int], day: date) -> None:
        self.ids, self.day = frozenset(schools), day
        self.schools = _fingerprint(schools)
        told = _told(self.schools, day)
        self._last = {one.by: one for one in told if one.day <= _month_end(day)}
        self._later = {one.by for one in told if one.day > _month_end(day)}

    def table(
        self,
        by: str,
        count: Callable[[Sequence[str]], Counted | None],
        tell: Callable[[Counted, Kept | None], Table | None],
    ) -> Kept | None:
        """One of them; counted and kept if nobody has asked for it yet.

        `count` gets the names of the last table's rows. `tell` says what of it may be told beside that last table,
        None where nothing new may be.
        """
        last = self._last.get(by)
        if last is not None and last.day.replace(day=1) == self.day.replace(day=1):
            return _of(last)
        if by in self._later:  # of a month that is past only what was told then: its next one did not look back at it
            return _of(last) if last else None
        before = _of(last) if last else None
        counted = count(before.counted.names if before else ())
        table = tell(counted, before) if counted else None
        if counted is None or table is None:
            return _of(last, waits=True) if last else None
        if counted.leaves:
            new = Seen(counted.leaves, counted.names, counted.counts, table)
            table = beside_overlaps(new, *others(by, self.day))
        return _keep(self.ids, by, self.day, counted, table)


def beside(counted: Counted, last: Kept | None) -> Table | None:
    """Counts whose column totals are known exactly on both days; rows that are new were empty before."""
    if last is None:
        return first(counted.counts)
    width = len(counted.columns)
    held = zip(last.counted.counts, last.table.rows, last.table.totals, strict=True)
    was = dict(zip(last.counted.names, held, strict=True))
    nothing: tuple[Sequence[int], Shown, int | None] = ([0] * width, (None,) * width, None)
    return following(counted.counts, [was.get(name, nothing) for name in counted.names])


def enough(counts: Sequence[Sequence[int]], columns: Sequence[int]) -> bool:
    """Whether a first table can be told: two rows at least, and ten students in each of these columns.

    Set against a table of nobody, the first student of a tier would be told with the group; and the next tables look
    back at this one, so what begins too thin would keep them all waiting.
    """
    return len(counts) > 1 and all(sum(row[at] for row in counts) >= LEAST for at in columns)


def alone(counted: Counted, last: Kept | None) -> Table:
    """Counts that stand beside no total: each by itself, in sight for as long as it is not small."""
    seen = {} if last is None else dict(zip(last.counted.names, last.table.rows, strict=True))
    shown = []
    for name, counts in zip(counted.names, counted.counts, strict=True):
        was = seen.get(name, (None,) * len(counts))
        shown.append(tuple(_alone(one, before is None) for one, before in zip(counts, was, strict=True)))
    return Table(tuple(shown), (None,) * len(shown))


def _alone(count: int, new: bool) -> int | None:
    return suppress([[count]], margin=MARGIN if new else 0).rows[0][0]


def first(counts: Sequence[Sequence[int]], *, margin: int = MARGIN) -> Table:
    """The first table of a year, without looking back."""
    used = _used(counts)
    return _widened(suppress([[row[at] for at in used] for row in counts], margin=margin), used, counts)


def following(
    counts: Sequence[Sequence[int]], before: Sequence[tuple[Sequence[int], Shown, int | None]]
) -> Table | None:
    """The next one for readers who keep the last: (counts, what was shown of them, of their total) of each row."""
    used = _used([*counts, *(row for row, _, _ in before)])
    told = Table(tuple(tuple(row[at] for at in used) for _, row, _ in before), tuple(total for *_, total in before))
    then = [[row[at] for at in used] for row, _, _ in before]
    table = suppress_after([[row[at] for at in used] for row in counts], then, told)
    return _widened(table, used, counts) if table else None


def _used(counts: Sequence[Sequence[int]]) -> list[int]:
    """The columns in which anybody is; that nobody is in the others, the totals of the whole say."""
    return [at for at in range(len(counts[0]) if counts else 0) if any(row[at] for row in counts)]


def _widened(table: Table, used: Sequence[int], counts: Sequence[Sequence[int]]) -> Table:
    rows = (dict(zip(used, row, strict=True)) for row in table.rows)
    return Table(tuple(tuple(row.get(at, 0) for at in range(len(counts[0]))) for row in rows), table.totals)


# -- rows ------------------------------------------------------------------------------------------------------------


def _fingerprint(schools: Collection[int]) -> str:
    return sha256(",".join(str(school) for school in sorted(schools)).encode()).hexdigest()[:32]


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _told(schools: str, day: date) -> Sequence[ToldPart]:
    """Every table of these schools in the school year of a day, the newest last."""
    start = school_year_start(day)
    within = ToldPart.day.between(start, start + timedelta(days=365))
    return db.session.scalars(select(ToldPart).where(ToldPart.schools == schools, within).order_by(ToldPart.day)).all()


def others(by: str, day: date) -> tuple[list[Seen], list[Seen]]:
    """Every table told by this in the month of a day, and in the month before it in which any was; of all schools.

    By grade, each school's own are among them.
    """
    start, end = school_year_start(day), _month_end(day)
    asked = select(ToldPart).where(ToldPart.by == by, ToldPart.day.between(start, end))
    found = [
        (one.day, _seen(_leaves(one.leaves), one.names, one.counts, one.shown, exact=False))
        for one in db.session.scalars(asked)
    ]
    if by == "grade":
        own = select(ToldCut).where(ToldCut.day.between(start, end))
        found += [
            (one.day, _seen(leaf(one.school_id, one.grades, one.counts), one.grades, one.counts, one.shown, exact=True))
            for one in db.session.scalars(own)
        ]
    return by_month(found, day)


def by_month(found: Sequence[tuple[date, Seen]], day: date) -> tuple[list[Seen], list[Seen]]:
    """Of tables by their days those of a day's month, and those of the newest month before it."""
    month = day.replace(day=1)
    last = max((when.replace(day=1) for when, _ in found if when < month), default=None)
    return tuple([one for when, one in found if when.replace(day=1) == of] for of in (month, last))  # type: ignore[return-value]


def leaf(school: int, names: Sequence[str], counts: Sequence[Sequence[int]]) -> Leaves:
    """The leaves of a table of one school."""
    return {school: dict(zip(names, counts, strict=True))}


def _leaves(kept: Mapping[str, Mapping[str, Sequence[int]]]) -> Leaves:
    return {int(school): rows for school, rows in kept.items()}


def _seen(
    leaves: Leaves, names: Sequence[str], counts: Sequence[Sequence[int]],
    shown: Sequence[Sequence[int | None]], *, exact: bool,
) -> Seen:  # fmt: skip
    rows, totals = tuple(tuple(row[:-1]) for row in shown), tuple(row[-1] for row in shown)
    return Seen(leaves, tuple(names), tuple(tuple(row) for row in counts), Table(rows, totals), exact)


@operation
def _keep(schools: Collection[int], by: str, day: date, counted: Counted, table: Table) -> Kept | None:
    """Keep it; where two asked at once, what the first one kept holds for both."""
    row = {
        "schools": _fingerprint(schools), "by": by, "leaves": counted.leaves, "day": day, "told_at": now(),
        "names": counted.names, "columns": counted.columns, "counts": counted.counts,
        "shown": [[*shown, total] for shown, total in zip(table.rows, table.totals, strict=True)],
    }  # fmt: skip
    made = insert(ToldPart).values(row).on_conflict_do_nothing(index_elements=["schools", "by", "day"])
    if db.session.scalar(made.returning(ToldPart.id)) is not None:
        return Kept(day, counted, table)
    same = [one for one in _told(_fingerprint(schools), day) if (one.by, one.day) == (by, day)]
    return _of(same[0]) if same else None


def _of(kept: ToldPart, *, waits: bool = False) -> Kept:
    counted = Counted(tuple(kept.names), tuple(kept.columns), tuple(tuple(row) for row in kept.counts))
    rows = tuple(tuple(row[:-1]) for row in kept.shown)
    return Kept(kept.day, counted, Table(rows, tuple(row[-1] for row in kept.shown)), waits)
