"""How the parts of a place stand: grades, groups the roster knows, causes of open cases; all told through `parts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from ew_app.services.watching import kept, movement, parts
from ew_app.services.watching.kept import Counted, Kept, Shelf
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import boards
from models.queries import groups as rows
from models.queries.groups import Row
from rules import overlaps
from rules.grades import grade_order
from rules.overlaps import REST
from rules.stints import school_year_start
from rules.tiers import Tier
from rules.vocabulary import vocabulary

# Tier 2 and 3 together: apart they are small in most groups.
COLUMN = {Tier.ONE: "Tier 1", Tier.WATCH: "Watch", Tier.TWO: "Tier 2 and 3", Tier.THREE: "Tier 2 and 3",
          Tier.NONE: "No tier yet"}  # fmt: skip
COLUMNS = tuple(dict.fromkeys(COLUMN.values()))
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
FEW = 30  # languages that fewer students speak at home stand together, where there are several of them
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
    days, start = _days(ids, asked)
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


def by_grade(school: int, until: date) -> Told | None:
    """The grades of a school as they were told for the month of a day up to which it was counted, or before it."""
    for by, one in told([school], until, ["grade"]).items():
        return _of(by, one)
    return grades_by([school], until).get(school)


def told(schools: Sequence[int], until: date, kinds: Collection[str]) -> dict[str, Kept]:
    """The tables of some schools by these for the month of a day; none before any of them was counted in it."""
    on = parts.told_on(schools, until)
    if on is None:
        return {}
    shelf = Shelf(schools, on)
    read, own = cache(lambda: rows.tiers_by_group(*_days(schools, on))), lambda: _grades(schools[0], on)
    found = {by: _kept(by, shelf, own if by == "grade" and len(schools) == 1 else read) for by in kinds}
    return {by: one for by, one in found.items() if one}


def _grades(school: int, day: date) -> list[Row]:
    """Of one school as it was counted, without asking for its students."""
    return [
        ("grade", school, one.grade, tier, students)
        for one in boards.by_grade(school, day)
        for tier, students in zip(
            (Tier.ONE, Tier.WATCH, Tier.TWO, Tier.NONE),
            (one.counts.tier_1, one.counts.watch, one.counts.needing, one.counts.none),
            strict=True,
        )
        if students
    ]


def _days(schools: Sequence[int], on: date) -> tuple[dict[int, date], date]:
    """(school -> the last day of the school year on which it was counted by then, the first day of that year)."""
    start = school_year_start(on)
    return {school: day for school, day in boards.last_counted(schools, on).items() if day >= start}, start


def tell_grades(schools: Collection[int], day: date) -> None:
    """Tell the month's grades of those of these schools that have none yet."""
    month = day.replace(day=1)
    for school, one in {**dict.fromkeys(schools), **grades_by(schools, day)}.items():
        if one is None or one.day is None or one.day < month:
            by_grade(school, day)


def grades_by(schools: Collection[int], day: date, moment: datetime | None = None) -> dict[int, Told]:
    """School -> its grades as readers had them, perhaps by a moment, of a day of the same school year up to `day`."""
    marks = {school: kept.fingerprint([school]) for school in schools}
    held = kept.known(marks.values(), day, moment)
    return {school: _of("grade", held[mark, "grade"][-1]) for school, mark in marks.items() if (mark, "grade") in held}


def _table(by: str, shelf: Shelf, read: Callable[[], Iterable[Row]]) -> Told | None:
    told = _kept(by, shelf, read)
    return _of(by, told) if told else None


def _kept(by: str, shelf: Shelf, read: Callable[[], Iterable[Row]]) -> Kept | None:
    """The table of the month: values in their order."""

    def count(names: Sequence[str]) -> Counted | None:
        counts: dict[str, Counter[str]] = {}
        leaves: dict[int, dict[str, list[int]]] = {}
        for dimension, school, value, tier, students in read():
            if dimension == by:
                column = COLUMN[Tier(tier)]
                counts.setdefault(value, Counter())[column] += students
                row = leaves.setdefault(school, {}).setdefault(value, [0] * len(COLUMNS))
                row[COLUMNS.index(column)] += students
        found = _as_before(_gathered(counts) if by == "home_language" and not names else counts, names)
        if len(found) < 2:
            return None
        values = sorted(found, key=_order(by))
        rows_ = tuple(tuple(found[one][name] for name in COLUMNS) for one in values)
        return Counted(tuple(values), COLUMNS, rows_, _full(leaves))

    return shelf.table(by, count)


def _of(by: str, told: Kept) -> Told:
    return parts.told_month(BY[by], told, lambda value: _label(by, value))


def _full(leaves: Mapping[int, dict[str, list[int]]]) -> dict[int, dict[str, list[int]]]:
    """Every value at every school: that nobody has it there is a small count too."""
    values = sorted({value for rows_ in leaves.values() for value in rows_})
    nobody = [0] * len(COLUMNS)
    return {school: {value: rows_.get(value, nobody) for value in values} for school, rows_ in leaves.items()}


def _as_before(counts: dict[str, Counter[str]], names: Sequence[str]) -> dict[str, Counter[str]]:
    """The rows of the last table stay its rows: what stood together there goes on to, and so does what stood alone."""
    found = {value: counts.get(value, Counter()) for value in names if value != OTHERS}
    new = {value: row for value, row in counts.items() if value not in found}
    return found | ({OTHERS: sum(new.values(), start=Counter())} if OTHERS in names else new)


def _gathered(counts: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Values that few students have as one, so that a list of languages can be read."""
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

    told = (shelf or Shelf(schools, on)).table("cause", count, lambda counted: overlaps.told(counted.counts))
    if told is None:
        return ()
    named = zip(told.counted.names, told.shown, strict=True)
    bars = [CauseBar(code, every[code].label, row[0]) for code, row in named if row[0] and code in every]
    return tuple(sorted(bars, key=lambda bar: (-bar.students, bar.label)))
