"""Who waits to be evaluated: marked students and marked schools, handed out block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_ints

_WAITING_BLOCKS = """
    SELECT block FROM touched_block
    UNION SELECT b.block FROM touched_student JOIN block_student b USING (student_id)
"""
_MARKED = """
    SELECT s.student_id, m.since - DATE '1970-01-01' FROM unnest(%(blocks)s, %(schools)s, %(since)s)
      AS m (block, school_id, since)
    JOIN stint s ON s.school_id = m.school_id JOIN block_student b ON b.student_id = s.student_id AND b.block = m.block
"""


def place_students(schools: Sequence[int] | None = None) -> None:
    """Give everyone newly enrolled, anywhere or at these schools, a block: the school of the first enrolment loaded."""
    db.session.execute(
        text("""
            INSERT INTO block_student (student_id, block)
            SELECT DISTINCT ON (student_id) student_id, school_id FROM stint WHERE student_id IN (
                SELECT student_id FROM stint t WHERE (t.school_id = ANY(:schools) OR :everywhere)
                   AND NOT EXISTS (SELECT FROM block_student b WHERE b.student_id = t.student_id))
            ORDER BY student_id, id
            ON CONFLICT DO NOTHING
        """),
        {"schools": list(schools or ()), "everywhere": schools is None},
    )


def next_blocks(students: int) -> list[int]:
    """The first blocks that wait, together about so many students; none when nobody waits."""
    rows = db.session.execute(
        text(f"""
            SELECT w.block, (SELECT count(*) FROM block_student b WHERE b.block = w.block) AS students
            FROM ({_WAITING_BLOCKS} ORDER BY 1 LIMIT 64) w ORDER BY 1
        """)
    )
    chosen: list[int] = []
    together = 0
    for block, number in rows:
        together += number
        if chosen and together > students:
            break
        chosen.append(block)
    return chosen


@dataclass(frozen=True, slots=True)
class Taken:
    """Marked students, ascending, each with the first changed day; who by name, and which schools as a whole."""

    students: np.ndarray  # int64[S]
    since: np.ndarray  # datetime64[D][S]
    named: np.ndarray  # int64
    schools: frozenset[int]


def take(blocks: Sequence[int]) -> Taken:
    """Remove what is marked in these blocks; a rollback puts it back."""
    schools = db.session.execute(
        text("DELETE FROM touched_block WHERE block = ANY(:blocks) RETURNING block, school_id, since"),
        {"blocks": list(blocks)},
    ).all()
    single = db.session.execute(
        text("""
            DELETE FROM touched_student t USING block_student b
            WHERE b.student_id = t.student_id AND b.block = ANY(:blocks) RETURNING t.student_id, t.since
        """),
        {"blocks": list(blocks)},
    ).all()
    marked = read_ints(_MARKED, ["student", "since"], _columns(schools))
    named = np.array([number for number, _ in single], dtype=np.int64)
    student = np.concatenate([marked["student"], named])
    days = np.array([day for _, day in single], dtype="datetime64[D]")
    since = np.concatenate([marked["since"].astype("datetime64[D]"), days])
    order = np.lexsort((since, student))
    students, first = np.unique(student[order], return_index=True)
    return Taken(students.astype(np.int64), since[order][first], named, frozenset(school for _, school, _ in schools))


def _columns(schools: Sequence[Sequence[object]]) -> dict[str, np.ndarray]:
    block, school, since = zip(*schools, strict=True) if schools else ((), (), ())
    return {
        "blocks": np.array(block, dtype=np.int64),
        "schools": np.array(school, dtype=np.int64),
        "since": np.array(since, dtype="datetime64[D]"),
    }


def forget_unplaced() -> None:
    """A marked student who was never enrolled anywhere has nothing to evaluate."""
    db.session.execute(
        text("""
            DELETE FROM touched_student t
            WHERE NOT EXISTS (SELECT FROM block_student b WHERE b.student_id = t.student_id)
        """)
    )


def forget_all() -> None:
    """Nobody is marked any more."""
    db.session.execute(text("DELETE FROM touched_student"))
    db.session.execute(text("DELETE FROM touched_block"))


def waiting() -> int:
    """How many students are marked."""
    found = db.session.scalar(
        text("""
            SELECT count(*) FROM (
                SELECT student_id FROM touched_student
                UNION SELECT b.student_id FROM touched_block m JOIN block_student b USING (block)
                      JOIN stint t ON t.student_id = b.student_id AND t.school_id = m.school_id) marked
        """)
    )
    return int(found or 0)
