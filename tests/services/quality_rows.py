"""Rows of `tests/spec/quality.yaml` in the database: what is left out of one is as usual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from ew_app.kernel import now, transaction
from models.attendance import Batch, Mark, Problem, RowHistory, SchoolDay, Submission
from models.base import db
from models.org import AbsenceCode, CalendarDay, Source
from models.people import Stint, Student
from models.quality import QualityRun
from models.tiers import Standing, StudentStatus
from tests.services.world import TODAY, YEAR_BEGAN, World

SCHOOLS = ("LIN", "DOU")
Said = Mapping[str, Any]


def weekdays(first: date, count: int) -> list[date]:
    """So many weekdays from a day on."""
    days = (first + timedelta(days=step) for step in range(count * 2 + 7))
    return [day for day in days if day.weekday() < 5][:count]


class Rows:
    """Writes rows by the names of the named district."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.schools = {name: world.schools[name] for name in SCHOOLS}

    def begin(self) -> None:
        """Weekdays since the year began, and two codes that were explained."""
        with transaction():
            db.session.execute(delete(CalendarDay))
            for school in self.schools.values():
                days = [day for day in weekdays(YEAR_BEGAN, 66) if day <= TODAY]
                db.session.add_all(CalendarDay(school_id=school, day=day, day_type="instructional") for day in days)
            db.session.add(AbsenceCode(code="A", kind="absence", absent_fraction=1000, excused="unexcused"))
            db.session.add(AbsenceCode(code="L", kind="tardy", absent_fraction=0))

    def write(self, kind: str, said: Said) -> None:
        with transaction():
            writers: Mapping[str, Callable[[dict[str, Any]], None]] = {
                name: getattr(self, f"_{name}")
                for name in (
                    "mark", "problem", "stint", "student", "batch", "came", "status", "standing", "calendar", "was",
                    "without_calendar", "last_night", "sent",
                )
            }  # fmt: skip
            writers[kind](dict(said))

    def _mark(self, said: dict[str, Any]) -> None:
        usual = {"batch_id": 1, "line": 2, "period": "", "source_id": self._source(said.pop("source", "sis"))}
        db.session.add(Mark(**self._whose(said), **usual, **said))

    def _problem(self, said: dict[str, Any]) -> None:
        db.session.add(Problem(batch_id=self._new_batch({}), file="a.csv", line=7, reason="There is none.", **said))

    def _stint(self, said: dict[str, Any]) -> None:
        db.session.add(Stint(**self._whose(said), **said))

    def _student(self, said: dict[str, Any]) -> None:
        name = said.pop("name")
        row = Student(**{"key": f"S-{name}", "first_name": name.title(), "last_name": "Rivera", **said})
        db.session.add(row)
        db.session.flush()
        self.world.students[name] = row.id

    def _batch(self, said: dict[str, Any]) -> None:
        self._new_batch(said)

    def _sent(self, said: dict[str, Any]) -> None:
        batch = db.session.scalar(select(func.max(Batch.id)))
        school = self.schools[said["school"]]
        db.session.add(
            Submission(school_id=school, day=said["day"], batch_id=batch, feed="exception", rows=1, whole=False)
        )

    def _came(self, said: dict[str, Any]) -> None:
        taught = [day for day in weekdays(YEAR_BEGAN, 66) if day <= said["until"]][-said["days"] :]
        told = {"status": "submitted", "feed": "exception", "rows": 12, "expected": 100}
        school, absences = self.schools[said["school"]], said.get("absences", 6)
        db.session.add_all(SchoolDay(school_id=school, day=day, absences=absences, **told) for day in taught)

    def _status(self, said: dict[str, Any]) -> None:
        row = db.session.get_one(StudentStatus, self.world.students[said["student"]])
        row.enrolled, row.tier = said.get("enrolled", row.enrolled), said.get("tier", row.tier)

    def _standing(self, said: dict[str, Any]) -> None:
        db.session.add(Standing(**self._whose(said), grade="7", tier=0, too_early=False, **said))

    def _calendar(self, said: dict[str, Any]) -> None:
        school, days = self.schools[said["school"]], weekdays(said["from"], said["days"])
        rows = ({"school_id": school, "calendar_key": said["key"], "day": day} for day in days)
        db.session.add_all(CalendarDay(**row, day_type="instructional") for row in rows)

    def _was(self, said: dict[str, Any]) -> None:
        number = self.world.students[said.pop("student")]
        before = {"id": number} | {name: str(value) for name, value in said.items()}
        told = {"batch_id": 1, "table_name": "student", "row_key": {"id": number}, "at": now()}
        db.session.add(RowHistory(before=before, **told))

    def _without_calendar(self, said: dict[str, Any]) -> None:
        db.session.execute(delete(CalendarDay).where(CalendarDay.school_id == self.schools[said["school"]]))

    def _last_night(self, said: dict[str, Any]) -> None:
        students = {str(self.schools[school]): count for school, count in said.items()}
        yesterday = {"local_date": TODAY - timedelta(days=3), "asked_at": now(), "finished_at": now()}
        db.session.add(QualityRun(asked_by="worker", students=students, **yesterday))

    def _whose(self, said: dict[str, Any]) -> dict[str, int]:
        """The student, made if need be, and the school, by default Lincoln."""
        name = said.pop("student")
        if name not in self.world.students:
            self._student({"name": name})
        return {"student_id": self.world.students[name], "school_id": self.schools[said.pop("school", "LIN")]}

    def _source(self, name: str) -> int:
        row = db.session.scalar(select(Source).where(Source.name == name)) or Source(name=name)
        db.session.add(row)
        db.session.flush()
        return row.id

    def _new_batch(self, said: dict[str, Any]) -> int:
        told = {"kind": "attendance", "name": "a.csv", "sha256": "", "status": "applied", "received_by": "clara"}
        batch = Batch(**{**told, "source_id": self._source("sis"), "received_at": now(), **said})
        db.session.add(batch)
        db.session.flush()
        return batch.id
