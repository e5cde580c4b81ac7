"""Which student ids are read as one child, and what files said under any of them.

A mark, a roll and a row of last year's totals stay under the id they were sent under; here they are read as those of
the kept student. Where nobody was merged this is one look into an empty index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from models.base import db
from models.bulk import read_ints
from models.queries.measuring import SPEAKS_OF_ALL, told_first

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SameChild:
    """Former ids, ascending, and the student each is read as."""

    former: Ints
    kept: Ints

    def own(self, ids: NDArray[np.integer]) -> Ints:
        """The student behind each of these ids."""
        own: Ints = ids.astype(np.int64)
        if not len(self.former):
            return own
        at = np.minimum(np.searchsorted(self.former, own), len(self.former) - 1)
        own = np.where(self.former[at] == own, self.kept[at], own)
        return own

    def ids_of(self, students: NDArray[np.integer]) -> Ints:
        """These students' ids with their former ones, ascending."""
        return np.sort(np.concatenate([students.astype(np.int64), self.former[self._kept_among(students)]]))

    def several(self, students: NDArray[np.integer]) -> Ints:
        """Of these students those who have a former id."""
        return np.unique(self.kept[self._kept_among(students)])

    def _kept_among(self, students: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which former ids lead to one of these students; nearly always there are none, and nobody is looked up."""
        return np.isin(self.kept, students) if len(self.kept) else np.zeros(0, dtype=bool)


def known() -> SameChild:
    """Every id that is read as another."""
    found = read_ints("SELECT id, same_as FROM student WHERE same_as IS NOT NULL ORDER BY id", ["former", "kept"])
    return SameChild(found["former"].astype(np.int64), found["kept"].astype(np.int64))


def ids_of(student: int) -> list[int]:
    """The student's own id, then the former ones."""
    former = db.session.scalars(
        text("SELECT id FROM student WHERE same_as = :student ORDER BY id"), {"student": student}
    )
    return [student, *former]


# What stands of one child for a day and a period, whichever id it was sent under: the row changed last where both say
# when, else the later delivery, and of one file the later line; presence on a full feed's roll gives way to a mark.
_AS_ONE = f"""
    WITH who AS (
        SELECT id, coalesce(same_as, id) AS student_id FROM student WHERE id = ANY(%(students)s)
    ), marked AS (
        SELECT m.*, w.student_id AS child FROM mark m JOIN who w ON w.id = m.student_id
        WHERE m.day BETWEEN %(start)s AND %(until)s
    ), said AS (
        SELECT child, student_id AS id, school_id, day, period, source_id, code, fraction, minutes, batch_id,
               line, last_modified, false AS plain FROM marked
        UNION ALL
        SELECT w.student_id, w.id, r.school_id, r.day, '', r.source_id, r.code, NULL, NULL, r.batch_id, 0,
               to_timestamp(nullif(r.modified[array_position(r.students, w.id)], 0) / 1e6), true
        FROM who w JOIN roll r ON w.id = ANY(r.students)
        WHERE r.day BETWEEN %(start)s AND %(until)s AND r.replaced_by IS NULL AND r.school_id IN (
                SELECT school_id FROM stint t WHERE t.student_id = w.student_id)
          AND NOT EXISTS (SELECT FROM marked m WHERE m.student_id = w.id AND m.school_id = r.school_id
                            AND m.day = r.day AND m.source_id = r.source_id AND m.period = '')
    ), stands AS (
        SELECT s.* FROM said s WHERE NOT EXISTS (
            SELECT FROM said o WHERE o.child = s.child AND o.id <> s.id AND o.school_id = s.school_id
               AND o.day = s.day AND o.period = s.period AND o.source_id = s.source_id
               AND CASE WHEN o.last_modified <> s.last_modified THEN o.last_modified > s.last_modified
                        ELSE (o.batch_id, o.line, o.id) > (s.batch_id, s.line, s.id) END)
    )
    SELECT m.child, m.school_id, m.day - DATE '1970-01-01',
           CASE WHEN m.period = '' THEN -1 ELSE coalesce(array_position(%(periods)s::text[], m.period), 0) END,
           coalesce(array_position(%(words)s::text[], m.code) - 1, -1),
           coalesce(m.fraction, -1), coalesce(m.minutes, -1), m.source_id, {told_first("m", "id")}
    FROM stands m JOIN school s ON s.id = m.school_id
    WHERE NOT m.plain
      AND (m.source_id = s.source_id OR NOT EXISTS (
          SELECT FROM stands own WHERE own.child = m.child AND own.school_id = m.school_id AND own.day = m.day
             AND own.source_id = s.source_id) AND NOT {SPEAKS_OF_ALL})
      AND (m.code <> '' OR m.period <> '' OR NOT EXISTS (
          SELECT FROM stands p WHERE p.child = m.child AND p.school_id = m.school_id AND p.day = m.day
             AND p.source_id = m.source_id AND p.period <> ''))
"""


def marks(ids: Ints, start: date, until: date, words: Sequence[str], periods: Sequence[str]) -> dict[str, np.ndarray]:
    """What `models.queries.measuring.marks` returns, for students with former ids: `ids` are all of theirs."""
    return read_ints(
        _AS_ONE,
        ["student", "school", "day", "period", "code", "fraction", "minutes", "source", "told"],
        {
            **{"students": ids, "start": start, "until": until},
            **{"words": list(words), "periods": list(periods)},
        },
    )
