"""What is due for one person, in numbers that may stand in an e-mail: case numbers, and how many tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from models.base import db
from models.cases import Case, Task


@dataclass(frozen=True, slots=True)
class Due:
    """A person's own work that is due by a day: numbers of cases, the longest wait first, and a count of tasks."""

    cases: tuple[int, ...]
    late_cases: int
    tasks: int
    late_tasks: int

    @property
    def things(self) -> int:
        return len(self.cases) + self.tasks


def due(person_id: int, on: date) -> Due:
    """Open cases that the person owns, and open tasks given to them, that are due by the day."""
    mine = Case.owner_id == person_id, Case.closed_on.is_(None), Case.status != "paused", Case.due <= on
    cases = db.session.execute(select(Case.number, Case.due).where(*mine).order_by(Case.due, Case.number)).all()
    open_tasks = Task.owner_id == person_id, Task.status == "open", Task.due <= on
    counted = select(func.count(), func.count().filter(Task.due < on)).where(*open_tasks)
    tasks, late_tasks = db.session.execute(counted).one()
    return Due(
        cases=tuple(row.number for row in cases),
        late_cases=sum(row.due is not None and row.due < on for row in cases),
        tasks=tasks,
        late_tasks=late_tasks,
    )
