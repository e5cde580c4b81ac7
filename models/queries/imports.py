"""What the import screens show: deliveries within reach, what is wrong with their rows, the days that came in.

SELECTs only. An area is places added up, as in `scope`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text, true

from models.attendance import Batch, BatchFile, Problem, Submission
from models.base import db
from models.org import AbsenceCode, CalendarDay, School, Source
from models.queries import scope
from models.queries.scope import AreaLike
from models.queries.waiting_files import waiting_files
from models.staff import Person

UNDER_WAY = ("received", "staged", "checked", "applying", "undoing")
OPEN = (*UNDER_WAY, "held", "previewed")
TEACHES = ("instructional", "make_up")


# -- deliveries ----------------------------------------------------------------------------------------------


def _within(area: AreaLike, login: str) -> ColumnElement[bool]:
    """Condition on Batch: sent by the person, or saying something of a school of theirs."""
    if area.district:
        return true()
    spoken = exists().where(Submission.batch_id == Batch.id, Submission.school_id.in_(scope.school_ids(area)))
    return or_(Batch.received_by == login, spoken.correlate(Batch))


def settled(area: AreaLike, login: str, *, limit: int, offset: int = 0) -> list[Batch]:
    """Deliveries within reach that came to an end, newest first."""
    found = select(Batch).where(Batch.status.not_in(OPEN), _within(area, login))
    return list(db.session.scalars(found.order_by(Batch.id.desc()).limit(limit).offset(offset)))


def settled_count(area: AreaLike, login: str) -> int:
    found = select(func.count()).select_from(Batch)
    return db.session.scalar(found.where(Batch.status.not_in(OPEN), _within(area, login))) or 0


def waiting(area: AreaLike, login: str, limit: int = 20) -> list[Batch]:
    """Deliveries within reach that are on their way or wait for a person, newest first."""
    found = select(Batch).where(Batch.status.in_(OPEN), _within(area, login))
    return list(db.session.scalars(found.order_by(Batch.id.desc()).limit(limit)))


def unconfirmed(before: datetime) -> list[int]:
    """Uploads that came before a moment and that nobody has let in, the oldest first."""
    found = select(Batch.id).where(Batch.preview, Batch.status.in_(("previewed", "received")))
    return list(db.session.scalars(found.where(Batch.received_at < before).order_by(Batch.id)))


def batch(batch_id: int, area: AreaLike, login: str) -> Batch | None:
    """One delivery, or None out of reach."""
    return db.session.scalar(select(Batch).where(Batch.id == batch_id, _within(area, login)))


def wholly_within(batch_id: int, area: AreaLike, login: str) -> bool:
    """Whether every school the delivery speaks of is in the area; one that never went in is its sender's."""
    if area.district:
        return True
    schools = list(db.session.scalars(select(Submission.school_id).where(Submission.batch_id == batch_id).distinct()))
    if not schools:
        return db.session.scalar(select(Batch.received_by).where(Batch.id == batch_id)) == login
    inside = select(func.count()).select_from(School).where(School.id.in_(schools), scope.schools(area))
    return db.session.scalar(inside) == len(schools)


def days_of(batch_id: int, area: AreaLike) -> list[Any]:
    """Rows of (school, first, last, days) of the school days that the delivery brought for schools of the area."""
    taught = CalendarDay.day_type.in_(("instructional", "make_up"))
    here = CalendarDay.school_id == Submission.school_id, CalendarDay.day == Submission.day
    found = (
        select(
            School.name.label("school"),
            func.min(Submission.day).label("first"),
            func.max(Submission.day).label("last"),
            func.count().label("days"),
        )
        .join(School, School.id == Submission.school_id)
        .where(Submission.batch_id == batch_id, scope.schools(area), exists().where(*here, taught))
        .group_by(School.name)
        .order_by(School.name)
    )
    return list(db.session.execute(found))


def files_of(batch_id: int) -> list[Any]:
    """Rows of (name, table_name, size) of a delivery, in the order handed over."""
    first = func.min(BatchFile.id)
    found = (
        select(BatchFile.name, BatchFile.table_name, func.sum(BatchFile.size).label("size"))
        .where(BatchFile.batch_id == batch_id)
        .group_by(BatchFile.name, BatchFile.table_name)
        .order_by(first)
    )
    return list(db.session.execute(found))


def names_of(logins: Collection[str]) -> dict[str, str]:
    """Login -> the person's name; a login that nobody has any more stays as it is."""
    found = db.session.execute(select(Person.login, Person.name).where(Person.login.in_(set(logins))))
    return {login: login for login in logins} | {login: name for login, name in found}


def set_aside(batch_id: int) -> str | None:
    """Why the newest work on a batch was set aside, or None."""
    found: str | None = db.session.scalar(
        text("""
            SELECT CASE WHEN quarantined_at IS NOT NULL THEN error END FROM outbox
            WHERE job IN ('load_batch', 'undo_batch') AND (args->>0)::int = :batch ORDER BY id DESC LIMIT 1
        """),
        {"batch": batch_id},
    )
    return found


# -- problems ------------------------------------------------------------------------------------------------


def problem_groups(batch_id: int, *, groups: int = 50, lines: int = 50) -> list[Any]:
    """Rows of (file, reason, column, rejected, cause, rows, lines, values): what is wrong, grouped by cause.

    Rows that stay out come first, then what is most frequent; at most the first `lines` of each.
    """
    return list(
        db.session.execute(
            text("""
                SELECT file, reason, "column", rejected, cause, count(*) AS rows,
                       (array_agg(line ORDER BY line))[1 : :lines] AS lines,
                       (array_agg(value ORDER BY line))[1 : :lines] AS values
                FROM problem WHERE batch_id = :batch AND settled_at IS NULL
                GROUP BY file, reason, "column", rejected, cause
                ORDER BY rejected DESC, rows DESC, file, min(line) LIMIT :groups
            """),
            {"batch": batch_id, "groups": groups, "lines": lines},
        )
    )


def problem_lines(batch_id: int, most: int) -> list[Problem]:
    """The problems that still stand, by file and line."""
    found = select(Problem).where(Problem.batch_id == batch_id, Problem.settled_at.is_(None))
    return list(db.session.scalars(found.order_by(Problem.file, Problem.line, Problem.id).limit(most)))


def problem_count(batch_id: int) -> int:
    found = select(func.count()).select_from(Problem)
    return db.session.scalar(found.where(Problem.batch_id == batch_id, Problem.settled_at.is_(None))) or 0


# -- sources, schools, codes ---------------------------------------------------------------------------------


def sources() -> list[Source]:
    return list(db.session.scalars(select(Source).order_by(Source.id)))


def schools_in(area: AreaLike) -> list[School]:
    return list(db.session.scalars(select(School).where(scope.schools(area)).order_by(School.name)))


def school_name(school_id: int) -> str:
    return db.session.scalar(select(School.name).where(School.id == school_id)) or ""


def meanings_of(code: str) -> list[Any]:
    """Rows of (school, school_id, kind, absent_fraction, excused, valid_from, valid_to) of a code anywhere.

    school and school_id are None where the row speaks for the whole district.
    """
    found = (
        select(
            School.name.label("school"),
            School.key.label("school_id"),
            AbsenceCode.kind,
            AbsenceCode.absent_fraction,
            AbsenceCode.excused,
            AbsenceCode.valid_from,
            AbsenceCode.valid_to,
        )
        .outerjoin(School, School.id == AbsenceCode.school_id)
        .where(AbsenceCode.code == code)
        .order_by(School.name.nulls_first(), AbsenceCode.valid_from.nulls_first())
    )
    return list(db.session.execute(found.limit(50)))


class MeaningLike(Protocol):
    """What a code is said to mean; `fraction` in thousandths of the day."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def excused(self) -> str: ...
    @property
    def fraction(self) -> int: ...
    @property
    def school_key(self) -> str | None: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


def meaning_saved(meaning: MeaningLike) -> bool:
    """Whether exactly this meaning is stored already."""
    school = select(School.id).where(School.key == meaning.school_key).scalar_subquery()
    same = and_(
        AbsenceCode.code == meaning.code,
        AbsenceCode.school_id.is_(None) if meaning.school_key is None else AbsenceCode.school_id == school,
        AbsenceCode.kind == meaning.kind,
        AbsenceCode.excused == meaning.excused,
        AbsenceCode.absent_fraction == meaning.fraction,
        AbsenceCode.valid_from.is_not_distinct_from(meaning.valid_from),
        AbsenceCode.valid_to.is_not_distinct_from(meaning.valid_to),
    )
    return bool(db.session.scalar(select(exists().where(same))))


# -- the days that came in -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """One school-day of the ledger: submitted, partial, not_submitted or closed. `waits`: a file with it waits."""

    day: date
    status: str
    rows: int
    absences: int
    waits: bool = False

    @property
    def is_in(self) -> bool:
        return self.status in ("submitted", "partial")


@dataclass(frozen=True, slots=True)
class SchoolStrip:
    """The days of one school, oldest first, and the last one that came in at all."""

    school: School
    days: Sequence[Day]
    through: date | None

    @property
    def late(self) -> list[Day]:
        """School days since the last one that came in, and gaps before it, among `days`."""
        return [day for day in self.days if day.status == "not_submitted"]

    def on(self, day: date) -> Day | None:
        """The day's entry; None when the calendar does not know the day."""
        return next((one for one in self.days if one.day == day), None)


def strips(area: AreaLike, since: date, until: date) -> list[SchoolStrip]:
    """Every school of the area with its days since..until, those that wait for most days first."""
    schools = schools_in(area)
    ids = [school.id for school in schools]
    days: dict[int, list[Day]] = {number: [] for number in ids}
    sent = waiting_files(ids)
    for row in db.session.execute(_DAYS, {"ids": ids, "since": since, "until": until, "teaches": list(TEACHES)}):
        waits = row.status == "not_submitted" and (row.school_id, row.day) in sent
        days[row.school_id].append(Day(row.day, row.status, row.rows, row.absences, waits))
    through = {row.school_id: row.through for row in db.session.execute(_THROUGH, {"ids": ids, "until": until})}
    found = [SchoolStrip(school, days[school.id], through.get(school.id)) for school in schools]
    return sorted(found, key=lambda strip: (-len(strip.late), strip.school.name))


_DAYS = text("""
    WITH dates AS (
        SELECT school_id, day, bool_or(day_type = ANY(:teaches)) AS teaches FROM calendar_day
        WHERE school_id = ANY(:ids) AND day BETWEEN :since AND :until GROUP BY 1, 2
    ), stored AS (
        SELECT * FROM school_day WHERE school_id = ANY(:ids) AND day BETWEEN :since AND :until
    )
    SELECT school_id, day, coalesce(stored.rows, 0) AS rows, coalesce(stored.absences, 0) AS absences,
           coalesce(stored.status, CASE WHEN dates.teaches THEN 'not_submitted' ELSE 'closed' END) AS status
    FROM dates FULL JOIN stored USING (school_id, day) ORDER BY school_id, day
""")
_THROUGH = text("""
    SELECT school_id, max(day) AS through FROM school_day
    WHERE school_id = ANY(:ids) AND status IN ('submitted', 'partial') AND day <= :until GROUP BY 1
""")
