"""people.csv within a roster: given out with the rights of whoever handed the delivery over, no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ew_app.feeds import Problem, Reading
from ew_app.kernel import OPERATOR, WORKER, Actor, NotFound, Refused
from ew_app.services.people import accounts, staff_rows


@dataclass(slots=True)
class People:
    """What became of the rows of people.csv; problems come with whether they rejected their row."""

    rows_in: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[tuple[Problem, bool]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Rows that stayed out."""
        return sum(rejected for _, rejected in self.problems)


def load_people(reading: Reading, received_by: str) -> People:
    """Add and correct people and their roles; a row beyond the sender's own rights stays out and says so."""
    people = People()
    rows = list(_rows(reading, people))
    people.rows_in = reading.rows_in
    try:
        sender = _sender(received_by)
    except (NotFound, Refused) as refusal:
        people.problems += [(Problem(row["line"], str(refusal), "login", row["login"]), True) for row in rows]
        return people
    loaded = staff_rows.apply_people(rows, sender)
    people.created, people.changed, people.unchanged = loaded.created, loaded.changed, loaded.unchanged
    people.problems += [(Problem(p.line, p.reason, p.column, p.value), True) for p in loaded.problems]
    people.problems += [(Problem(p.line, p.reason, p.column, p.value), False) for p in loaded.warnings]
    return people


def _rows(reading: Reading, people: People) -> Iterator[Mapping[str, Any]]:
    """Readable rows as the staff service takes them; the others go to the problems."""
    for chunk in reading:
        people.problems += [(problem, True) for problem in chunk.problems]
        people.problems += [(warning, False) for warning in chunk.warnings]
        names = list(chunk.columns)
        values = zip(*(chunk.columns[name] for name in names), strict=True)
        for line, row in zip(chunk.lines.tolist(), values, strict=True):
            yield {"line": line, **dict(zip(names, row, strict=True))}


def _sender(login: str) -> Actor:
    """Who handed the delivery over, with today's rights. Raises NotFound, Refused."""
    ours = {actor.login: actor for actor in (OPERATOR, WORKER)}
    return ours.get(login) or accounts.acting_as(login)
