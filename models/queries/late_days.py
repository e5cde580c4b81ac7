"""School days that have not come in and who was asked for them: tasks about a day of a school, never a student."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import func, select, text

from models.audit import Event
from models.base import db
from models.cases import Task
from models.org import School
from models.queries import scope
from models.queries.lateness import FEEDER, MISSING
from models.queries.scope import AreaLike
from models.queries.waiting_files import HELD, TOLD, WaitingFile, waiting_files
from models.staff import Person

KIND = "feed"
TAUGHT = "c.weight > 0 AND c.day_type IN ('instructional', 'make_up')"
# Later school days of a school whose hour has passed as well.
PASSED = f"""
    (SELECT count(DISTINCT c.day) FROM calendar_day c JOIN waited w USING (school_id)
     WHERE c.school_id = {{school}} AND c.day > {{day}} AND c.day < w.before AND {TAUGHT})
"""
_STANDING = f"""
    WITH {MISSING},
    asked AS (
        SELECT id, school_id, day, status, raised_at, rule FROM task
        WHERE student_id IS NULL AND kind = '{KIND}' AND (status = 'open' OR day >= :since)
          AND school_id = ANY(:schools)
    )
    SELECT school_id, day, m.day IS NOT NULL AS missing, a.id AS task, a.status, a.raised_at IS NOT NULL AS raised,
           a.rule, coalesce(d.status IN ('submitted', 'partial'), false) AS came,
           EXISTS (SELECT FROM calendar_day c WHERE c.school_id = coalesce(m.school_id, a.school_id)
                     AND c.day = coalesce(m.day, a.day) AND {TAUGHT}) AS taught,
           {PASSED.format(school="coalesce(m.school_id, a.school_id)", day="coalesce(m.day, a.day)")} AS passed,
           (SELECT max(batch_id) FROM submission s WHERE s.school_id = a.school_id AND s.day = a.day
              AND s.ended_at IS NULL AND s.taken) AS batch
    FROM missing m FULL JOIN asked a USING (school_id, day) LEFT JOIN school_day d USING (school_id, day)
    WHERE a.id IS NOT NULL OR m.day >= :since ORDER BY school_id, day
"""
_LATE = f"""
    WITH {MISSING}
    SELECT t.id, {PASSED.format(school="t.school_id", day="t.day")} + 1 AS days_late
    FROM task t JOIN waited w USING (school_id) WHERE t.id = ANY(:tasks) AND t.day < w.before
"""
# The schools of a source that runs by itself on days of which it brought nothing for any of them; `first` is the one
# that stands for all.
_SILENT = f"""
    WITH {MISSING},
    fed AS MATERIALIZED (
        SELECT s.id AS school_id, f.id AS source_id FROM school s JOIN source f ON f.id = {FEEDER}
        WHERE f.kind <> 'by_hand' AND f.brings <> 'roster' AND NOT f.paused
    ),
    silent AS (
        SELECT f.source_id, m.day FROM missing m JOIN fed f USING (school_id) WHERE m.day >= :since
        GROUP BY 1, 2 HAVING count(*) > 1 AND NOT EXISTS (
            SELECT FROM submission c JOIN batch b ON b.id = c.batch_id
            WHERE c.day = m.day AND c.ended_at IS NULL AND c.taken AND b.source_id = f.source_id)
    )
    SELECT m.school_id, m.day, row_number() OVER (
               PARTITION BY f.source_id, m.day ORDER BY t.id IS NULL, m.school_id) = 1 AS first
    FROM missing m JOIN fed f USING (school_id) JOIN silent USING (source_id, day)
    LEFT JOIN task t ON t.school_id = m.school_id AND t.day = m.day AND t.student_id IS NULL AND t.kind = '{KIND}'
      AND t.status = 'open' AND t.raised_at IS NOT NULL
"""
# The missing days of files that came and are held; `asks` those with which somebody is asked to look: every day that
# was asked for before, else the first of the file.
_HELD = f"""
    WITH {MISSING}, told AS ({TOLD.format(which=HELD)})
    SELECT m.school_id, m.day, t.id IS NOT NULL OR row_number() OVER (
               PARTITION BY told.batch_id ORDER BY t.id IS NULL, m.school_id, m.day) = 1 AS asks
    FROM missing m JOIN told USING (school_id, day)
    LEFT JOIN task t ON t.school_id = m.school_id AND t.day = m.day AND t.student_id IS NULL AND t.kind = '{KIND}'
      AND t.status = 'open'
    WHERE m.day >= :since OR t.id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class LateDay:
    """A task about a day of a school. days_late: in school days, the day itself among them; 0 when over or not due.

    file: what came of the day and waits for a person.
    """

    id: int
    school_id: int
    school_key: str
    school: str
    day: date
    status: str
    owner: str | None
    owner_id: int | None
    owner_role: str
    asked_at: datetime
    due: date | None
    raised_at: datetime | None
    note: str
    rule: str
    title: str
    days_late: int
    file: WaitingFile | None

    @property
    def waiting_file(self) -> int | None:
        """The number of the delivery."""
        return self.file.batch_id if self.file else None

    @property
    def waiting_as(self) -> str:
        """`held` until somebody lets it in, `checked` until its sender applies it."""
        return "" if self.file is None else "held" if self.file.held else "checked"


# -- for the service that follows them ------------------------------------------------------------------------------


def begun(start: date, until: date) -> bool:
    """Whether any school's attendance has come in since a day."""
    asked = text("SELECT EXISTS (SELECT FROM school_day WHERE day BETWEEN :start AND :until AND status <> 'closed')")
    return bool(db.session.scalar(asked, {"start": start, "until": until}))


def first_open() -> date | None:
    """The earliest day that is still asked for."""
    return db.session.scalar(select(func.min(Task.day)).where(Task.student_id.is_(None), Task.status == "open"))


def waiting_for(batch_id: int) -> list[int]:
    """Schools that are asked for a day which this delivery speaks of, also while it waits for a person."""
    found = text(f"""
        WITH spoken AS (
            SELECT school_id, day FROM submission WHERE batch_id = :batch
            UNION SELECT school_id, day FROM ({TOLD.format(which="b.id = :batch")}) told)
        SELECT DISTINCT t.school_id FROM spoken JOIN task t USING (school_id, day)
        WHERE t.student_id IS NULL AND t.status = 'open'
    """)
    return list(db.session.scalars(found, {"batch": batch_id}))


def everywhere() -> list[int]:
    return list(db.session.scalars(select(School.id)))


def standing(schools: Sequence[int], start: date, since: date, today: date, clock: time) -> list[Any]:
    """Rows of (school_id, day, missing, task, status, raised, rule, came, taught, passed, batch): every day that is
    missing from `since` on, and every day with a task that is open or as new. `start`: no day before it is missing."""
    asked = {"schools": list(schools), "start": start, "since": since, "today": today, "clock": clock}
    return list(db.session.execute(text(_STANDING), asked))


def silent(start: date, since: date, today: date, clock: time) -> dict[tuple[int, date], bool]:
    """(school, day) of which a source that runs by itself brought nothing for any of its schools -> whether this school
    stands for all of them."""
    asked = {"schools": everywhere(), "start": start, "since": since, "today": today, "clock": clock}
    return {(row.school_id, row.day): row.first for row in db.session.execute(text(_SILENT), asked)}


def held(start: date, since: date, today: date, clock: time) -> dict[tuple[int, date], bool]:
    """(school, day) of which a file came and is held -> whether somebody is asked to look at it with this day."""
    asked = {"schools": everywhere(), "start": start, "since": since, "today": today, "clock": clock}
    return {(row.school_id, row.day): row.asks for row in db.session.execute(text(_HELD), asked)}


def names(persons: Collection[int]) -> dict[int, str]:
    """Person -> name."""
    found = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(persons)))
    return {number: name for number, name in found}


# -- for readers ----------------------------------------------------------------------------------------------------


def open_days(
    area: AreaLike, start: date, today: date, clock: time, *, owner: int | None = None, school: str = "",
    limit: int = 25, offset: int = 0,
) -> list[LateDay]:  # fmt: skip
    """Days of schools within reach that are asked for (of one owner, or one school), the longest wait first."""
    wanted = _days(area, owner, school).where(Task.status == "open")
    found = wanted.order_by(Task.day, School.name, Task.id).limit(limit).offset(offset)
    return _told(db.session.execute(found).all(), start, today, clock)


def open_count(area: AreaLike, *, owner: int | None = None, school: str = "", raised: bool = False) -> int:
    """How many there are; `raised`: of those that went up."""
    wanted = _days(area, owner, school).where(Task.status == "open")
    if raised:
        wanted = wanted.where(Task.raised_at.is_not(None))
    return db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def schools(area: AreaLike) -> set[int]:
    """Schools within reach that are asked for a day."""
    wanted = _days(area).where(Task.status == "open").with_only_columns(Task.school_id)
    return set(db.session.scalars(wanted))


def one(task_id: int, area: AreaLike, start: date, today: date, clock: time) -> LateDay | None:
    """A day that is or was asked for, within reach."""
    found = db.session.execute(_days(area).where(Task.id == task_id)).one_or_none()
    return _told([found], start, today, clock)[0] if found else None


def history(task_id: int) -> list[Event]:
    """What happened to a task about a day, newest first."""
    told = select(Event).where(Event.subject == f"task:{task_id}").order_by(Event.id.desc())
    return list(db.session.scalars(told))


def _days(area: AreaLike, owner: int | None = None, school: str = "") -> Any:
    wanted = (
        select(
            Task.id, Task.school_id, School.key, School.name, Task.day, Task.status, Person.name, Task.owner_id,
            Task.owner_role, Task.created_at, Task.due, Task.raised_at, Task.note, Task.rule, Task.title,
        )
        .join(School, School.id == Task.school_id)
        .outerjoin(Person, Person.id == Task.owner_id)
        .where(Task.student_id.is_(None), Task.kind == KIND, scope.schools(area))
    )  # fmt: skip
    if owner is not None:
        wanted = wanted.where(Task.owner_id == owner)
    return wanted.where(School.key == school) if school else wanted


def _told(found: Sequence[Any], start: date, today: date, clock: time) -> list[LateDay]:
    waiting = [row for row in found if row.status == "open"]
    asked: dict[str, Any] = {"start": start, "today": today, "clock": clock}
    asked |= {"schools": sorted({row.school_id for row in waiting}), "tasks": [row.id for row in waiting]}
    late = {task: days for task, days in db.session.execute(text(_LATE), asked)} if waiting else {}
    files = waiting_files(asked["schools"]) if waiting else {}
    return [LateDay(*(*row, late.get(row.id, 0), _file_of(row, files))) for row in found]


def _file_of(row: Any, files: Mapping[tuple[int, date], WaitingFile]) -> WaitingFile | None:
    return files.get((row.school_id, row.day)) if row.status == "open" else None
