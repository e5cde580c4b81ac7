"""The page of each of the fifteen departments: what waits on it and since when, and what it answers for, in counts.

Who may not open the children themselves is told tens, with what is small kept back; days waited are kept back with it,
because they grow each day by as many as wait. Work inside compartments is told to the whole district alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ew_app.kernel import Actor, NotFound, today
from ew_app.services.watching import cluster_work, groups, parts
from models.queries import clusters as cluster_rows
from models.queries import departments as rows
from models.queries.clusters import Line
from models.queries.departments import Work
from rules import access
from rules.access import Area, Permission
from rules.routing_table import Department, routing_table
from rules.stints import school_year_start
from rules.suppression import LEAST, tens
from rules.vocabulary import vocabulary

# Who sees to what is asked for inside a compartment; a ride goes to Transportation as well.
KEPT: Final = {"stls": "stls", "health": "health_and_wellness"}
RIDES: Final = ("ventra", "bus")
# Days that the district cost a child, by who can mend the cause.
COSTS: Final = {
    "bus": "transportation", "no_ride": "transportation", "suspension": "networks", "unsafe_way": "safety_and_security",
    "no_staff": "related_services", "our_record": "accountability",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A department in the list: what is open, of that late, as far as it may be told (None: too few)."""

    department: Department
    open: int | None
    late: int | None
    days: int | None
    since: date | None
    clusters: int
    questions: int | None
    needs: bool  # whether anything waits past its day, or a cluster is open
    exact: bool  # else counts and days are in tens


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of task of a department; None where it may not be told."""

    label: str
    open: int | None
    late: int | None
    since: date | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything about one department, as one reader may see it."""

    row: Row
    kinds: Sequence[Kind]
    clusters: Sequence[Line]
    ended: Sequence[Line]
    causes: Sequence[tuple[str, int | None]]
    caused: Sequence[tuple[str, int | None]]
    shut: Sequence[tuple[str, int | None, int | None]]
    exact: bool
    whole_district: bool
    year: date


def listed(by: Actor) -> list[Row]:
    """The departments that somebody sees, those on which something waits first. Raises NotAllowed."""
    view = cluster_work.view_of(by)
    found = _Read(by, view.area)
    shown = [_row(one, found, view) for one in _departments(view)]
    return sorted(shown, key=lambda row: (not row.needs, row.department.label))


def one(key: str, by: Actor) -> Page:
    """One department. Raises NotAllowed, NotFound."""
    view = cluster_work.view_of(by)
    department = next((one for one in _departments(view) if one.key == key), None)
    if department is None:
        raise NotFound("There is no such department within your reach.")
    found, words = _Read(by, view.area), vocabulary()
    mine = cluster_work.View(view.area, [key], None)
    return Page(
        row=_row(department, found, view),
        kinds=_kinds(found.tasks.get(key, []), exact=found.exact),
        clusters=cluster_rows.lines(mine.area, mine.departments, None, open_=True),
        ended=cluster_rows.lines(mine.area, mine.departments, None, open_=False, limit=10),
        causes=_causes(key, found),
        caused=[
            (words.label("district_cause", why), days if found.exact else _if(tens(days), students >= LEAST))
            for why, (days, students) in sorted(rows.caused(found.schools, found.year).items())
            if COSTS.get(why) == key
        ],
        shut=_shut(key, found) if view.area.district else (),
        exact=found.exact,
        whole_district=view.area.district,
        year=found.year,
    )


def seen_by(by: Actor) -> tuple[str, str]:
    """(where, how): of which schools somebody's pages tell, as a word, and how much of what is small, as another."""
    view = cluster_work.view_of(by)
    exact = _Read(by, view.area).exact
    theirs = "" if view.departments is None else " ".join(sorted(view.departments))
    return view.area.words, " ".join(filter(None, ["exact" if exact else "", theirs]))


class _Read:
    """What is read once for all departments."""

    def __init__(self, by: Actor, area: Area) -> None:
        self.schools, self.on = rows.school_ids(area), today()
        self.year = school_year_start(self.on)
        everyone = access.scope_of(by.grants, Permission.SEE_STUDENT).whole
        theirs = set(rows.school_ids(everyone)) if everyone else set()
        self.exact = bool(self.schools) and set(self.schools) <= theirs
        self.tasks: dict[str, list[Work]] = {}
        for work in rows.tasks(self.schools, self.year, self.on):
            self.tasks.setdefault(work.department, []).append(work)
        self.questions = rows.questions(self.schools)


def _departments(view: cluster_work.View) -> list[Department]:
    every = routing_table().departments.values()
    return [one for one in every if view.departments is None or one.key in view.departments]


def _row(department: Department, found: _Read, view: cluster_work.View) -> Row:
    work = found.tasks.get(department.key, [])
    asked, since = found.questions.get(department.key, (0, None))
    open_, late = sum(one.open for one in work), sum(one.late for one in work)
    days, done = sum(one.days for one in work), sum(one.done for one in work)
    shown_open, shown_late, shown_days = (open_, late, days) if found.exact else _told([(open_, late, days, done)])[0]
    questions = asked if found.exact or not asked else parts.told_alone(asked)
    clusters = cluster_rows.counts(view.area, [department.key], None).get(department.key, 0)
    first = [one.since for one in work if one.since] + ([since] if since and questions is not None else [])
    return Row(
        department=department,
        open=shown_open,
        late=shown_late,
        days=shown_days,
        since=min(first, default=None) if shown_open is not None else None,
        clusters=clusters,
        questions=questions,
        needs=bool(late or clusters),
        exact=found.exact,
    )


def _told(lines: Sequence[tuple[int, int, int, int]]) -> list[tuple[int | None, int | None, int | None]]:
    """(open, late, days) in tens, of rows of (open, late, days, done) with what is small, or tells it, kept back.

    That nothing waits, or nothing late, is told: it is about nobody.
    """
    names = [str(at) for at in range(len(lines))]
    all_open = parts.told("", names, ("open",), [[open_] for open_, *_ in lines]).rows
    all_late = parts.told("", names, ("late", "in time"), [(late, open_ - late) for open_, late, *_ in lines]).rows
    told = []
    for (open_, late, days, done), (shown_open,), (shown_late, _) in zip(lines, all_open, all_late, strict=True):
        waits, enough = shown_open if open_ else 0, open_ + done >= LEAST or not open_ + done
        past = (shown_late if late else 0) if waits is not None else None
        told.append((waits, past, _if(tens(days), waits is not None and enough)))
    return told


def _if(number: int, may_be_told: bool) -> int | None:
    return number if may_be_told else None


def _kinds(work: Sequence[Work], *, exact: bool) -> list[Kind]:
    """The tasks by kind, those of which most is open first."""
    words, kept = vocabulary(), [one for one in work if one.open or one.done]
    if not kept:
        return []
    lines = [(one.open, one.late, one.days) for one in kept]
    shown = lines if exact else _told([(one.open, one.late, one.days, one.done) for one in kept])
    return [
        Kind(words.label("task_kind", one.kind), open_, late, one.since if open_ is not None else None, days)
        for one, (open_, late, days) in zip(kept, shown, strict=True)
    ]


def _causes(key: str, found: _Read) -> list[tuple[str, int | None]]:
    """Causes that the department leads, with how many open cases have them."""
    table, words = routing_table(), vocabulary()
    codes = [code for code in words.causes if table.trigger(code).department == key and table.compartment(code) is None]
    if found.exact:
        counted = rows.causes(found.schools, codes)
        return [(words.causes[code].label, counted[code]) for code in sorted(counted, key=lambda one: -counted[one])]
    on = parts.told_on(found.schools, found.on)
    return [(bar.label, bar.students) for bar in groups.causes(found.schools, on) if bar.code in codes] if on else []


def _shut(key: str, found: _Read) -> list[tuple[str, int | None, int | None]]:
    """(what, still waiting, school days lost) inside compartments, where ten and more share it."""
    asked = rows.shut_promises(found.schools, found.year, found.on)
    mine = [one for one in asked if KEPT.get(one.department) == key]
    rides = [one for one in asked if one.kind in RIDES] if key == "transportation" else []
    tasks = [one for one in rows.shut_tasks(found.schools, found.year, found.on) if one.department == key]
    parts: Mapping[str, Sequence[Work]] = {
        "Asked for in a shut part of the record": mine, "Rides and fares asked for": rides,
        "Tasks in shut parts": tasks,
    }  # fmt: skip
    return [_one_shut(label, works) for label, works in parts.items() if works]


def _one_shut(label: str, works: Sequence[Work]) -> tuple[str, int | None, int | None]:
    open_, done, days = (sum(getattr(one, name) for one in works) for name in ("open", "done", "days"))
    shown = parts.told_alone(open_) if open_ else 0
    return label, shown, _if(tens(days), open_ + done >= LEAST and shown is not None)
