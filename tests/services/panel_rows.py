"""An invented panel (tests/rules/away.py) as rows of the database: schools, students, enrolments, days and marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from sqlalchemy import text

from ew_app.kernel import now, transaction
from models.attendance import Batch
from models.base import db
from models.bulk import copy_rows
from models.org import AbsenceCode, Network, School, Source
from rules.cluster_sums import Panel


class Written:
    """The rows of a panel. `school(n)`, `student(n)`: ids by place."""

    def __init__(self, panel: Panel, *, networks: int = 2, source: str = "sis") -> None:
        self.panel = panel
        with transaction():
            feed = Source(name=source)
            nets = [Network(key=f"P{n}", name=f"Network {n}") for n in range(networks)]
            made = [
                School(key=f"P{n:02}", name=f"School {n}", network=nets[n % networks], source_id=None)
                for n in range(int(panel.school.max()) + 1)
            ]
            db.session.add_all([feed, *nets, *made])
            db.session.add(AbsenceCode(code="A", kind="absence", absent_fraction=1000, excused="unexcused"))
            db.session.add(AbsenceCode(code="E", kind="absence", absent_fraction=1000, excused="excused"))
            db.session.flush()
            self.source, self.schools = feed.id, [school.id for school in made]
            self._students()
            self.send(range(len(panel.days)))

    def _students(self) -> None:
        panel = self.panel
        names = {
            kind: [f"{kind[0]}{code}" if code >= 0 else "" for code in panel.groups[kind].tolist()]
            for kind in ("route", "class", "grade")
        }
        people = [
            {"key": f"P{row}", "first_name": "Some", "last_name": f"Body{row}", "grade": names["grade"][row],
             "homeroom": names["class"][row], "bus_route": names["route"][row], "household_key": "",
             "home_language": "", "interpreter": False, "race_ethnicity": "", "system_id": ""}
            for row in range(len(panel.school))
        ]  # fmt: skip
        copy_rows("student", people)
        ids = db.session.execute(text("SELECT id FROM student WHERE key LIKE 'P%' ORDER BY substr(key, 2)::int"))
        self.students = [number for (number,) in ids]
        began = panel.days[0]
        copy_rows("stint", [
            {"student_id": student, "school_id": self.schools[school], "entry_date": began, "exit_code": "",
             "grade": "", "calendar_key": "", "former_id": 0}
            for student, school in zip(self.students, panel.school.tolist(), strict=True)
        ])  # fmt: skip
        copy_rows("calendar_day", [
            {"school_id": school, "calendar_key": "", "day": day, "day_type": "instructional", "weight": 1000}
            for school in self.schools for day in panel.days
        ])  # fmt: skip

    def send(self, days: Sequence[int] | range) -> None:
        """Marks, ledger and submissions of some days by place."""
        panel = self.panel
        for at in days:
            rows = np.flatnonzero(panel.away[:, at] & panel.here[:, at])
            self.mark(rows.tolist(), panel.days[at])
        sent = [(school, panel.days[at]) for at in days for school in self.schools]
        copy_rows("school_day", [
            {"school_id": school, "day": day, "status": "submitted", "feed": "exception", "rows": 1, "expected": 1,
             "absences": 0} for school, day in sent
        ])  # fmt: skip
        batch = Batch(
            kind="attendance", source_id=self.source, status="applied", name="a.csv", sha256=str(days),
            received_at=now(), received_by="worker", applied_at=now(), counts={"rows_in": 0},
        )  # fmt: skip
        db.session.add(batch)
        db.session.flush()
        copy_rows("submission", [
            {"school_id": school, "day": day, "batch_id": batch.id, "feed": "exception", "rows": 1, "whole": True,
             "recorded_at": now()} for school, day in sent
        ])  # fmt: skip

    def mark(self, rows: Sequence[int], day: date, code: str = "A") -> None:
        """These students, by place, are away on a day."""
        copy_rows("mark", [
            {"school_id": self.schools[int(self.panel.school[row])], "student_id": self.students[row], "day": day,
             "period": "", "source_id": self.source, "code": code, "batch_id": 1, "file": 0, "line": 2}
            for row in rows
        ])  # fmt: skip

    def members(self, kind: str, group: int) -> list[int]:
        """The students of a group, by place."""
        return np.flatnonzero(self.panel.codes(kind) == group).tolist()

    def again(self, day: date) -> None:
        """Something came about a day once more."""
        said = text("UPDATE submission SET recorded_at = :at WHERE day = :day")
        db.session.execute(said, {"at": now(), "day": day})
