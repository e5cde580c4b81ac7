"""What is due for one person, in numbers that may stand in an e-mail: case numbers, and how many tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from models.base import db
from models.cases import Case, Task
from models.queries import worklists
from models.queries.compartments import Opening
from models.queries.worklists import StandInUntil


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


def due(person_id: int, on: date, stand_ins: Sequence[StandInUntil] = (), openings: Sequence[Opening] = ()) -> Due:
    """Open cases that the person owns, and open tasks given to them, that are due by the day.

    stand_ins: with those of people who are away; openings: of tasks in compartments only what is open to this person.
    """
    mine = (
        worklists.cases_on_list_of(person_id, stand_ins),
        Case.closed_on.is_(None),
        Case.status != "paused",
        Case.due <= on,
    )
    cases = db.session.execute(select(Case.number, Case.due).where(*mine).order_by(Case.due, Case.number)).all()
    open_tasks = worklists.on_list_of(person_id, stand_ins, openings), Task.status == "open", Task.due <= on
    counted = select(func.count(), func.count().filter(Task.due < on)).where(*open_tasks)
    tasks, late_tasks = db.session.execute(counted).one()
    return Due(
        cases=tuple(row.number for row in cases),
        late_cases=sum(row.due is not None and row.due < on for row in cases),
        tasks=tasks,
        late_tasks=late_tasks,
    )
