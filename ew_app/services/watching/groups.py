"""How the parts of a place stand: grades, groups the roster knows, causes of open cases; all told through `parts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from ew_app.services.watching import kept, movement, parts
from ew_app.services.watching.kept import Counted, Kept, Shelf
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import boards
from models.queries import groups as rows
from models.queries.groups import Row
from rules.grades import grade_order
from rules.overlaps import REST
from rules.stints import school_year_start
from rules.suppression import Table
from rules.tiers import Tier
from rules.vocabulary import vocabulary

# Tier 2 and 3 together: apart they are small in most groups, and `cuts` tells a school's grades the same way.
COLUMN = {Tier.ONE: "Tier 1", Tier.WATCH: "Watch", Tier.TWO: "Tier 2 and 3", Tier.THREE: "Tier 2 and 3",
          Tier.NONE: "No tier yet"}  # fmt: skip
COLUMNS = tuple(dict.fromkeys(COLUMN.values()))
FOUND = (1, 2)  # of them, those in which enough students stand before the first table of a year is told
YES_NO = {"true": "Yes", "false": "No", "": "Not given"}
BY = {
    "grade": "Grade",
    "race_ethnicity": "Race or ethnicity",
    "english_learner": "English learner",
    "low_income": "Low income",
    "home_language": "Language at home",
    "stls": "Temporary living situation",
    "iep_504": "IEP or 504 plan",
}
WEEK = timedelta(days=7)
FEW = 30  # values that fewer students have stand together, where there are several of them
OTHERS = REST


@dataclass(frozen=True, slots=True)
class CauseBar:
    """A recorded cause and how many students have it on an open case, in tens."""

    code: str
    label: str
    students: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The parts of a place at the end of a day; of a school that is behind, of its last counted day before.

    `behind`: the schools that have sent nothing of the week that ends there, by name.
    """

    asked: date
    schools: int
    behind: tuple[str, ...]
    tables: tuple[Told, ...]
    causes: tuple[CauseBar, ...]


def groups(schools: Sequence[School], today: date, *, compartments: Collection[str] = ()) -> Groups | None:
    """Tables by grade (of several schools) and group, and causes; None before the first counted day.

    `compartments`: those the reader may read.
    """
    span = movement.span(schools, today) if schools else None
    ids = [school.id for school in schools]
    asked = parts.told_on(ids, span[1]) if span else None
    if asked is None:
        return None
    start = school_year_start(asked)
    days = {school: day for school, day in boards.last_counted(ids, asked).items() if day >= start}
    plain = [by for by in rows.DIMENSIONS if by != "grade" or len(schools) > 1]
    read = cache(lambda: rows.tiers_by_group(days, start))
    shut = cache(lambda: rows.tiers_by_flag(days, start, compartments))
    shelf = Shelf(ids, asked)
    tables = [_table(by, shelf, read) for by in plain]
    tables += [_table(by, shelf, shut) for by in sorted(compartments)]
    return Groups(
        asked=asked,
        schools=len(ids),
        behind=tuple(one.name for one in schools if one.id not in days or days[one.id] <= asked - WEEK),
        tables=tuple(table for table in tables if table and len(table.names) > 1),
        causes=causes(ids, asked, shelf),
    )


def _table(by: str, shelf: Shelf, read: Callable[[], Iterable[Row]]) -> Told | None:
    """The table of the month: values in their order, tiers that anybody is in."""

    def count(names: Sequence[str]) -> Counted | None:
        counts: dict[str, Counter[str]] = {}
        leaves: dict[int, dict[str, list[int]]] = {}
        for dimension, school, value, tier, students in read():
            if dimension == by:
                column = COLUMN[Tier(tier)]
                counts.setdefault(value, Counter())[column] += students
                row = leaves.setdefault(school, {}).setdefault(value, [0] * len(COLUMNS))
                row[COLUMNS.index(column)] += students
        found = _as_before(counts, names)
        values = sorted(found, key=_order(by))
        rows_ = tuple(tuple(found[one][name] for name in COLUMNS) for one in values)
        return Counted(tuple(values), COLUMNS, rows_, _full(leaves))

    told = shelf.table(by, count, _beside)
    return parts.told_month(BY[by], told, lambda value: _label(by, value)) if told else None


def _full(leaves: Mapping[int, dict[str, list[int]]]) -> dict[int, dict[str, list[int]]]:
    """Every value at every school: that nobody has it there is a small count too."""
    values = sorted({value for rows_ in leaves.values() for value in rows_})
    nobody = [0] * len(COLUMNS)
    return {school: {value: rows_.get(value, nobody) for value in values} for school, rows_ in leaves.items()}


def _beside(counted: Counted, last: Kept | None) -> Table | None:
    if last is None and not kept.enough(counted.counts, FOUND):
        return None
    return kept.beside(counted, last)


def _as_before(counts: dict[str, Counter[str]], names: Sequence[str]) -> dict[str, Counter[str]]:
    """The rows of the last table stay its rows: what stood together there goes on to, and so does what stood alone."""
    if not names:
        return _gathered(counts)
    rows_kept = {value: counts.get(value, Counter()) for value in names if value != OTHERS}
    new = {value: row for value, row in counts.items() if value not in rows_kept}
    if OTHERS not in names:
        return rows_kept | _gathered(new)
    return rows_kept | {OTHERS: sum(new.values(), start=Counter())}


def _gathered(counts: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Values that few students have as one, so that one rare language does not hide the others."""
    few = [value for value, row in counts.items() if row.total() < FEW]
    if len(few) < 2:
        return counts
    together: Counter[str] = Counter()
    for value in few:
        together += counts[value]
    return {value: row for value, row in counts.items() if value not in few} | {OTHERS: together}


def _order(by: str) -> Callable[[str], tuple[int, str]]:
    return grade_order if by == "grade" else lambda value: (int(value == OTHERS) + 2 * (not value), value)


def _label(by: str, value: str) -> str:
    if by in ("grade", "race_ethnicity", "home_language"):
        return value or "Not given"
    return YES_NO.get(value, value)


def causes(schools: Sequence[int], on: date, shelf: Shelf | None = None) -> tuple[CauseBar, ...]:
    """What anybody on a case may know of causes, the most frequent first; that a rare one was recorded is not told."""
    every = vocabulary().causes
    open_to_all = [code for code, one in every.items() if not one.restricted and one.known and not one.limited]

    def count(_: Sequence[str]) -> Counted:
        found = rows.causes(schools, on, open_to_all)
        return Counted(tuple(sorted(found)), ("students",), tuple((found[code],) for code in sorted(found)))

    told = (shelf or Shelf(schools, on)).table("cause", count, kept.alone)
    if told is None:
        return ()
    named = zip(told.counted.names, parts.in_tens(told.table).rows, strict=True)
    bars = [CauseBar(code, every[code].label, row[0]) for code, row in named if row[0] is not None and code in every]
    return tuple(sorted(bars, key=lambda bar: (-bar.students, bar.label)))
