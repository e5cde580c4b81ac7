"""student_changes.csv and what an API tells of changed ids: from then on both ids are read as one child."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select

from ew_app.feeds import Problem, Reading
from ew_app.kernel import WORKER, NotFound, Refused
from ew_app.services.rosters import same_child
from models.base import db
from models.people import Student

USUAL_REASON = "The student system says that the id has changed."
NOBODY = (
    'No student has the id "{id}". Send the student in students.csv under the id that holds now; the former one need '
    "not be sent."
)


@dataclass(slots=True)
class Changes:
    """What became of the rows: rows_in = created + unchanged + rejected + duplicate."""

    rows_in: int = 0
    created: int = 0
    unchanged: int = 0
    duplicate: int = 0
    problems: list[tuple[Problem, bool]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return sum(rejected for _, rejected in self.problems)


def load_changes(reading: Reading, batch_id: int, *, only: Collection[str] | None = None) -> Changes:
    """Say of each row that the former id is the student's; a row that cannot be stays out and tells why.

    only: look at no other former ids than these.
    """
    found = Changes()
    told: dict[str, int] = {}
    for chunk in reading:
        found.problems += [(problem, True) for problem in chunk.problems]
        columns = chunk.columns
        reasons = columns.get("reason") or [None] * len(chunk.lines)
        rows = zip(chunk.lines.tolist(), columns["student_id"], columns["former_student_id"], reasons, strict=True)
        for line, student, former, reason in rows:
            if only is not None and former not in only:
                continue
            if former in told:
                found.duplicate += 1
                same = f"Line {told[former]} is about the same former id; that line counts."
                found.problems.append((Problem(line, same, "former_student_id", former), False))
                continue
            told[former] = line
            _take(found, line, student, former, reason or USUAL_REASON, batch_id)
    found.rows_in = reading.rows_in
    return found


def _take(found: Changes, line: int, student: str, former: str, reason: str, batch_id: int) -> None:
    """One row: merged, known already, or kept out with a sentence."""
    kept, gone = _behind(student), _named(former)
    if kept is None:
        found.problems.append((Problem(line, NOBODY.format(id=student), "student_id", student), True))
        return
    if gone is not None and (gone.same_as == kept.id or gone.id == kept.id):
        found.unchanged += 1
        return
    if gone is None:
        _stand_in(former, kept, batch_id, line)
    try:
        same_child.merge(kept.key, former, reason=reason, by=WORKER, batch_id=batch_id)
        found.created += 1
    except (NotFound, Refused) as refusal:
        found.problems.append((Problem(line, str(refusal), "former_student_id", former), True))


def _named(key: str) -> Student | None:
    found: Student | None = db.session.scalar(select(Student).where(Student.key == key))
    return found


def _behind(key: str) -> Student | None:
    """The student with this id, or the one whose former id it is."""
    found = _named(key)
    return db.session.get(Student, found.same_as) if found and found.same_as else found


def _stand_in(former: str, kept: Student, batch_id: int, line: int) -> None:
    """A row for an id that nobody has sent, so that files that still use it are understood."""
    db.session.add(
        Student(
            key=former, first_name=kept.first_name, last_name=kept.last_name, birth_date=kept.birth_date,
            batch_id=batch_id, line=line,
        )
    )  # fmt: skip
    db.session.flush()
