"""Small roster deliveries for tests: files as text, kept as a batch the way a delivery arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select, text

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import now, transaction
from ew_app.services.rosters import roster
from models import touched as waiting
from models.attendance import Batch, BatchFile, Mark, Problem
from models.base import db
from models.org import School, Source
from models.people import Student
from rules.stints import school_year_start

SCHOOLS = """school_id,name,network_id,network_name,level,min_full_minutes
010,Lakeview,1,North,Elementary,
020,Hillside,1,North,Middle,320
"""
STUDENTS = """student_id,first_name,last_name,birth_date,grade,homeroom,stls,iep
000123,Ana,Rivera,2016-03-01,4,4A,yes,
000124,Ben,Osei,2015-07-09,5,5B,,yes
000125,Cleo,Hart,2013-11-30,7,7C,,
"""
ENROLLMENTS = """student_id,school_id,entry_date,exit_date,exit_code,grade,calendar_id,primary
000123,010,2026-08-17,,,4,,
000124,010,2026-08-17,2026-09-04,,5,,
000124,020,2026-09-04,,,5,,
000125,020,2026-08-17,,,7,,
"""
CALENDAR = """school_id,calendar_id,date,day_type,day_value
010,,2026-08-17,instructional,
010,,2026-08-18,instructional,0.5
010,,2026-08-19,holiday,
020,,2026-08-17,instructional,
"""
CODES = """school_id,code,title,kind,absent_fraction,excused
,A,Absent,absence,1,unexcused
,E,Excused,absence,,excused
010,T,Tardy,tardy,,
"""
CONTACTS = """student_id,name,relation,phone,may_receive_mail
000123,Maria Rivera,mother,555-0100,yes
000123,Luis Rivera,father,,no
"""
ROSTER = {
    "schools": SCHOOLS,
    "students": STUDENTS,
    "enrollments": ENROLLMENTS,
    "calendar": CALENDAR,
    "absence_codes": CODES,
    "contacts": CONTACTS,
}


TODAY = date(2026, 9, 30)


@contextmanager
def open_district(settings: Settings) -> Iterator[None]:
    """An application on its own empty database, on 30 September 2026."""
    with create_app(replace(settings, today=TODAY), screens=False).app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def mark(student: str, school: str, day: date, code: str, source: int = 1) -> None:
    """One attendance mark of the first batch."""
    with transaction():
        who = db.session.scalars(select(Student.id).where(Student.key == student)).one()
        where = db.session.scalars(select(School.id).where(School.key == school)).one()
        db.session.add(
            Mark(school_id=where, student_id=who, day=day, code=code, period="", source_id=source, batch_id=1, line=2)
        )


def deliver(files: dict[str, str], **options: Any) -> Batch:
    """A received roster batch of these files (table -> text), from the one source of these tests."""
    with transaction():
        source = db.session.scalar(select(Source)) or Source(name="sis")
        batch = Batch(
            kind="roster",
            source=source,
            name="roster",
            sha256="",
            received_at=now(),
            received_by="operator",
            options=options,
            feed="exception",
        )
        for table, content in files.items():
            data = content.encode()
            batch.files.append(
                BatchFile(
                    name=f"{table}.csv",
                    table_name=table,
                    size=len(data),
                    sha256=hashlib.sha256(data).hexdigest(),
                    content=data,
                )
            )
        db.session.add(batch)
    return batch


def load(files: dict[str, str], **options: Any) -> dict[str, Any]:
    """Deliver and apply; returns the counts."""
    return roster.apply(deliver(files, **options))


def rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples."""
    with transaction():
        return [tuple(row) for row in db.session.execute(text(query), parameters)]


def problems(batch: Batch | None = None) -> list[Problem]:
    """What is noted about the rows of a batch, or of all, by line."""
    found = select(Problem).order_by(Problem.batch_id, Problem.file, Problem.line)
    if batch:
        found = found.where(Problem.batch_id == batch.id)
    return list(db.session.scalars(found))


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All roster rows but for the delivery and line they came from."""
    tables = ("network", "school", "student", "support_flag", "stint", "calendar_day", "absence_code", "contact")
    plain = "SELECT (to_jsonb(t) - 'batch_id' - 'line')::text FROM {} t ORDER BY 1"
    return {table: rows(plain.format(table)) for table in tables}


def changed(file: str, old: str, new: str) -> dict[str, str]:
    """The one file with one text in it replaced."""
    assert old in ROSTER[file]
    return {file: ROSTER[file].replace(old, new)}


def touched() -> dict[str, date]:
    """Who waits to be measured and since when, by name or with a whole school; from then on nobody does."""
    with transaction():
        waiting.place_students(school_year_start(TODAY))
        found = rows("""
            SELECT p.key, min(w.since) FROM student p JOIN (
                SELECT student_id, since FROM touched_student
                UNION ALL SELECT t.student_id, m.since FROM touched_block m JOIN block_student b USING (block)
                          JOIN stint t ON t.student_id = b.student_id AND t.school_id = m.school_id
            ) w ON w.student_id = p.id GROUP BY 1
        """)
        waiting.forget_all()
    return {key: since for key, since in found}
