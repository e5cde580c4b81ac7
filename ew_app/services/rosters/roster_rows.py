"""The rows of one roster file on their way in: staged, resolved, and what is wrong with them explained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from ew_app.feeds import Chunk, Column, ColumnType, Problem, Reading
from ew_app.services.rosters.roster_targets import Fault, RosterTable
from models.base import db
from models.bulk import copy_in
from models.queries.roster import alike_but_for_zeros

_SQL_TYPES: Final = {
    ColumnType.ID: "text",
    ColumnType.TEXT: "text",
    ColumnType.CHOICE: "text",
    ColumnType.DATE: "date",
    ColumnType.TIMESTAMP: "timestamptz",
    ColumnType.FRACTION: "int",
    ColumnType.DAYS: "int",
    ColumnType.WHOLE: "int",
    ColumnType.DECIMAL: "numeric",
    ColumnType.YES_NO: "boolean",
}
_OTHER_ZEROS = (
    'No {table} has the id "{value}", but there is "{near}". Zeros at the front were lost or added: '
    "export the id column as text."
)
_UNKNOWN = {
    "student": 'No student has the id "{value}". Send the student in students.csv, or correct the id.',
    "school": 'No school has the id "{value}". Send the school in schools.csv, or correct the id.',
}


class Incoming:
    """One file's rows in the temporary table `incoming`, for as long as the transaction; and their problems."""

    def __init__(self, table: RosterTable, reading: Reading) -> None:
        self._table = table
        self._key = reading.table.key
        self.present = reading.present
        self.of_an_export = reading.numbered
        self.problems: list[tuple[Problem, bool]] = []
        self.rows_in = self.rejected = self.duplicate = 0
        self._create(reading.table.columns)
        for chunk in reading:
            self._take(chunk)
        self._resolve()

    @property
    def good(self) -> int:
        """Rows that go in."""
        return self.rows_in - self.rejected - self.duplicate

    def sort_out(self, today: Mapping[str, Any] | None = None) -> None:
        """Keep out rows that name nobody, rows that cannot be, and rows that repeat; explain each.

        Without `today` nothing is said of rows that go in with a doubt.
        """
        if self._table.names_student:
            self._reject_unknown("student")
        if self._table.names_school:
            self._reject_unknown("school")
        for fault in self._table.faults:
            if fault.rejected:
                self._reject(fault, today or {})
        self._leave_one_of_each_key()
        for fault in self._table.faults:
            if today is not None and not fault.rejected:
                self._note(fault, today)

    def resolve_students(self) -> None:
        """Find the ids of students again, once the students of this file are stored."""
        db.session.execute(text("UPDATE incoming i SET student_pk = s.id FROM student s WHERE s.key = i.student_id"))

    def _create(self, columns: Sequence[Column]) -> None:
        typed = ", ".join(f'"{column.name}" {_SQL_TYPES[column.type]}' for column in columns)
        db.session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming"))
        db.session.execute(
            text(
                "CREATE TEMP TABLE incoming (line int, unread text[], student_pk int, school_pk int, "
                f"{typed}) ON COMMIT DROP"
            )
        )

    def _take(self, chunk: Chunk) -> None:
        unread: dict[int, list[str]] = defaultdict(list)
        for warning in chunk.warnings:
            unread[warning.line].append(warning.column or "")
        lines = chunk.lines.tolist()
        copy_in("incoming", {"line": lines, "unread": [unread.get(line) for line in lines], **chunk.columns})
        self.rows_in += chunk.rows_in
        self.rejected += len(chunk.problems)
        self.problems += [(problem, True) for problem in chunk.problems]
        self.problems += [(warning, False) for warning in chunk.warnings]

    def _resolve(self) -> None:
        """Find the ids behind the keys, and let the planner know of them; to look at the texts would cost more."""
        if self._table.names_student:
            self.resolve_students()
        if self._table.names_school:
            db.session.execute(text("UPDATE incoming i SET school_pk = s.id FROM school s WHERE s.key = i.school_id"))
        db.session.execute(text("ANALYZE incoming (line, student_pk, school_pk)"))

    def _reject_unknown(self, whom: str) -> None:
        """Rows whose student or school nobody knows; says so when only the zeros at the front differ."""
        condition = f"i.{whom}_pk IS NULL"
        if whom == "school" and self._table.school_may_be_blank:
            condition += " AND i.school_id IS NOT NULL"
        rows = self._remove(f"{whom}_id", condition, {})
        near = alike_but_for_zeros(whom, {value for _, value in rows}) if rows else {}
        for line, value in rows:
            other = near.get(value.lstrip("0"))
            sentence = _OTHER_ZEROS if other else _UNKNOWN[whom]
            reason = sentence.format(table=whom, value=value, near=other)
            self.problems.append((Problem(line, reason, f"{whom}_id", value), True))
        self.rejected += len(rows)

    def _reject(self, fault: Fault, today: Mapping[str, Any]) -> None:
        rows = self._remove(fault.column, fault.condition, _wanted(fault.condition, today))
        self.problems += ((problem, True) for problem in _explained(fault, rows))
        self.rejected += len(rows)

    def _remove(self, column: str, condition: str, parameters: Mapping[str, Any]) -> list[tuple[int, str]]:
        found = db.session.execute(
            text(f"DELETE FROM incoming i WHERE {condition} RETURNING i.line, i.{column}::text"), parameters
        )
        return [(line, value or "") for line, value in found]

    def _note(self, fault: Fault, today: Mapping[str, Any]) -> None:
        found = db.session.execute(
            text(f"SELECT i.line, {fault.shows or f'i.{fault.column}::text'} FROM incoming i WHERE {fault.condition}"),
            _wanted(fault.condition, today),
        )
        rows = [(line, value or "") for line, value in found]
        self.problems += ((problem, False) for problem in _explained(fault, rows))

    def _leave_one_of_each_key(self) -> None:
        """Of rows with one key the lowest rank stays, then the later line; the others are duplicates."""
        rows = db.session.execute(
            text(f"""
                WITH ranked AS (
                    SELECT ctid AS spot, row_number() OVER same AS place, first_value(line) OVER same AS kept
                    FROM incoming i
                    WINDOW same AS (PARTITION BY {", ".join(f"i.{column}" for column in self._key)}
                                    ORDER BY {self._table.rank}, line DESC)
                )
                DELETE FROM incoming i USING ranked r WHERE r.spot = i.ctid AND r.place > 1
                RETURNING i.line, r.kept
            """)
        ).all()
        self.duplicate = len(rows)
        for line, kept in rows:
            reason = f"Line {kept} is about the same {self._table.about}; that line counts."
            self.problems.append((Problem(line, reason), False))


def store_problems(batch_id: int, file: str, problems: Iterable[tuple[Problem, bool]]) -> None:
    """Keep what was found in one file, in the order of its lines."""
    rows = sorted(problems, key=lambda found: found[0].line)
    copy_in(
        "problem",
        {
            "batch_id": [batch_id] * len(rows),
            "file": [file] * len(rows),
            "line": [problem.line for problem, _ in rows],
            "reason": [problem.reason for problem, _ in rows],
            "column": [problem.column or "" for problem, _ in rows],
            "value": [problem.value or "" for problem, _ in rows],
            "rejected": [rejected for _, rejected in rows],
            "cause": [""] * len(rows),
        },
    )


def _explained(fault: Fault, rows: Iterable[tuple[int, str]]) -> list[Problem]:
    return [Problem(line, fault.sentence.format(value=value), fault.column, value) for line, value in rows]


def _wanted(condition: str, today: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in today.items() if f":{name}" in condition}
