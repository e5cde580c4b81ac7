"""Schools are asked for days that have not come in: one task for each day, which goes up once and ends by itself.

Which day is missing is told by `models.queries.lateness` for every page; here it is followed, by the schedule and by
everything that brings a day in. Nothing here is about a student.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import WORKER, Actor, Told, now, operation, record_all, today, wall_clock
from ew_app.services.casework.staffing import Staff
from models.base import db
from models.cases import Task
from models.queries import late_days as rows
from rules import access
from rules.access import Permission
from rules.late_days import Asks, DayIs, Move, TaskIs, next_move
from rules.routing import PlannedTask, tasks_for
from rules.routing_table import routing_table
from rules.stints import school_year_start

LOCK: Final = 7310
ASKED: Final = "missing_day"  # rows of the routing table
RAISED: Final = "R26"
HELD: Final = "held_file"
ASKED_WITHIN: Final = timedelta(days=7)  # an older day stands on every list, but nobody is asked for it anew
WHOLE_SOURCE: Final = "Find out why the source has brought nothing for any of its schools"
ENDS: Final = {True: "It has come in.", False: "There was no school that day."}

Row = Any


def came_with(batch_id: int) -> None:
    """End what asked for the days of a delivery that has come to its end; most deliveries ask for nothing here."""
    if schools := _waiting_for(batch_id):
        follow(schools)


@operation
def follow(schools: Sequence[int] | None = None) -> dict[Move, int]:
    """Do what the days that are missing now ask for, everywhere or at some schools; how many of each move.

    Two at once do everything once.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    moves: dict[Move, list[Row]] = defaultdict(list)
    standing, asks = _standing(rows.everywhere() if schools is None else schools, today())
    for row in standing:
        moves[_move(row, asks.get((row.school_id, row.day), Asks.SCHOOL))].append(row)
    do: Mapping[Move, Callable[[Sequence[Row]], None]] = {
        Move.ASK: _ask, Move.ASK_KEEPERS: _ask_keepers, Move.ASK_TO_LOOK: _ask_to_look, Move.HAND_ON: _hand_on,
        Move.HAND_BACK: _hand_back, Move.ASK_AGAIN: _ask_again, Move.RAISE: _raise, Move.END: _end,
    }  # fmt: skip
    for move in do.keys() & moves.keys():
        do[move](moves[move])
    return {move: len(moves[move]) for move in do if moves[move]}


def asked_for(*, by: Actor, school: str = "", most: int = 100_000) -> list[rows.LateDay]:
    """Days that schools are asked for, as far as someone reaches, the longest wait first. Raises NotAllowed."""
    access.check(by.grants, Permission.SEE_QUALITY)
    area, on = access.scope_of(by.grants, Permission.SEE_QUALITY).whole, today()
    return rows.open_days(area, school_year_start(on), on, wall_clock(), school=school, limit=most)


@operation
def _waiting_for(batch_id: int) -> list[int]:
    return rows.waiting_for(batch_id)


def _standing(schools: Sequence[int], on: date) -> tuple[list[Row], Mapping[tuple[int, date], Asks]]:
    """Days to look at, and whom those ask that do not ask their school: a source is silent, or a file is held.

    Before the first attendance of a school year nobody is late yet: then nobody is asked.
    """
    year = school_year_start(on)
    since = max(year, on - ASKED_WITHIN) if rows.begun(year, on) else on + timedelta(days=1)
    span = min(since, rows.first_open() or since), since, on, wall_clock()
    found = rows.standing(schools, *span)
    if not any(row.missing for row in found):
        return found, {}
    silent = {day: Asks.KEEPERS if first else Asks.NOBODY for day, first in rows.silent(*span).items()}
    held = {day: Asks.LOOK if asks else Asks.NOBODY for day, asks in rows.held(*span).items()}
    return found, silent | held


def _move(row: Row, asks: Asks) -> Move:
    day = DayIs.IN if row.came else DayIs.NO_SCHOOL if not row.taught else DayIs.NOT_DUE
    task = TaskIs.NONE if row.task is None else TaskIs.OVER
    if row.status == "open":
        task = TaskIs.LOOK if row.rule == HELD else TaskIs.RAISED if row.raised else TaskIs.OPEN
    raise_after = routing_table().trigger(RAISED).after
    return next_move(DayIs.MISSING if row.missing else day, task, row.passed, raise_after, asks)


def _ask_keepers(found: Sequence[Row]) -> None:
    """Those to whom a day goes up are asked at once, for all schools of a source with one of them."""
    _ask(found, RAISED, WHOLE_SOURCE)


def _ask_to_look(found: Sequence[Row]) -> None:
    """A file of the day came and is held: whoever may let it in is asked, not the school."""
    _ask(found, HELD, kind="day_held")


def _ask(found: Sequence[Row], trigger: str = ASKED, title: str = "", kind: str = "day_asked") -> None:
    at, on, planned = now(), today(), _planned(trigger, found)
    asked = [
        {
            "school_id": row.school_id, "day": row.day, "kind": rows.KIND, "period": row.day.isoformat(),
            "rule": trigger, "department": plan.department, "title": title or plan.title, "owner_role": plan.role,
            "owner_id": plan.person_id, "due": on, "created_at": at, "raised_at": at if trigger == RAISED else None,
        }
        for row in found
        for plan in (planned[row.school_id],)
    ]  # fmt: skip
    written = insert(Task).on_conflict_do_nothing().returning(Task.id, Task.school_id, Task.day)
    _tell(kind, db.session.execute(written, asked).all(), planned)


def _ask_again(found: Sequence[Row]) -> None:
    _set(found, status="open", done_at=None, done_by=None, note="")
    _tell("day_missing_again", [(row.task, row.school_id, row.day) for row in found])


def _hand_on(found: Sequence[Row]) -> None:
    """From those who were to send the day to whoever may let in the file that came."""
    _give(found, HELD, "day_held", None)


def _hand_back(found: Sequence[Row]) -> None:
    """To the school again: the file that was held is gone."""
    _give(found, ASKED, "day_held_no_more", None)


def _raise(found: Sequence[Row]) -> None:
    """To whoever keeps the feeds; those who bring in attendance for the school go on seeing it."""
    _give(found, RAISED, "day_raised", now())


def _give(found: Sequence[Row], trigger: str, kind: str, raised_at: datetime | None) -> None:
    """To those whom a row of the routing table names."""
    planned = _planned(trigger, found)
    for plan in set(planned.values()):
        theirs = [row for row in found if planned[row.school_id] == plan]
        given = {"owner_id": plan.person_id, "owner_role": plan.role, "department": plan.department}
        _set(theirs, raised_at=raised_at, rule=trigger, title=plan.title, **given)
    _tell(kind, [(row.task, row.school_id, row.day) for row in found], planned)


def _end(found: Sequence[Row]) -> None:
    for came, note in ENDS.items():
        ended = [row for row in found if row.came is came]
        _set(ended, status="done", done_at=now(), done_by=WORKER.login, note=note)
        batches = {row.task: {"batch": row.batch} for row in ended if came and row.batch}
        told = [(row.task, row.school_id, row.day) for row in ended]
        _tell("day_came" if came else "day_closed", told, more=batches)


def _planned(trigger: str, found: Sequence[Row]) -> dict[int, PlannedTask]:
    """School -> who is asked for its days: one person for all of them."""
    schools = sorted({row.school_id for row in found})
    staff, planned = Staff(schools), {}
    for school in schools:
        near = staff.near(school)
        (plan,) = tasks_for(trigger, staff.place(school), near, on=staff.on, loads=staff.loads)
        planned[school] = plan
        if plan.person_id is not None:
            staff.loads[plan.person_id] += 1
    return planned


def _set(found: Sequence[Row], **values: Any) -> None:
    db.session.execute(update(Task).where(Task.id.in_([row.task for row in found])).values(values))


def _tell(
    kind: str,
    days: Sequence[Any],
    planned: Mapping[int, PlannedTask] | None = None,
    more: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Write what happened to these tasks (task, school, day) into their history, and to whom they were given."""
    planned, more = planned or {}, more or {}
    names = rows.names({plan.person_id for plan in planned.values() if plan.person_id is not None})
    to = {school: {"role": plan.role, "to": names.get(plan.person_id or 0, "")} for school, plan in planned.items()}
    record_all(
        [
            Told(
                kind,
                WORKER,
                f"task:{task}",
                data={"day": day.isoformat(), **to.get(school, {}), **more.get(task, {})},
            )
            for task, school, day in days
        ]
    )
