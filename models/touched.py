"""Who waits to be evaluated: marked students and marked schools, handed out block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_ints

TURN_LOCK = 7303
BLOCK_LOCK = 7307
# Where the transaction has its turn for some blocks alone, nobody else waits for it.
_MINE = "coalesce(w.block = ANY(CAST(nullif(current_setting('ew.turn_of', true), '') AS int[])), true)"
_WAITING = f"""
    SELECT w.block FROM (
        SELECT block FROM touched_block
        UNION SELECT b.block FROM touched_student JOIN block_student b USING (student_id)
    ) w WHERE {_MINE} ORDER BY 1
"""
# Whom a staged delivery may mark: everybody of its schools, and of whom it speaks.
_CONCERNED = text("""
    SELECT b.block, count(*) AS students FROM block_student b WHERE b.block IN (
        SELECT block FROM block_school JOIN staged_day USING (school_id) WHERE batch_id = :batch
        UNION SELECT p.block FROM (
            SELECT student_id FROM staged_mark WHERE batch_id = :batch
            UNION SELECT unnest(students) FROM staged_roll WHERE batch_id = :batch) named
        LEFT JOIN student s ON s.id = named.student_id
        JOIN block_student p ON p.student_id = coalesce(s.same_as, named.student_id)
    ) GROUP BY 1 ORDER BY 1
""")
_UNPLACED = text("""
    SELECT EXISTS (
        SELECT FROM stint t JOIN staged_day d USING (school_id) WHERE d.batch_id = :batch
          AND NOT EXISTS (SELECT FROM block_student b WHERE b.student_id = t.student_id))
""")
# How many students a block holds; null where another process has it.
_TRY = text("""
    SELECT CASE WHEN pg_try_advisory_xact_lock(:space, :block) THEN
        (SELECT count(*) FROM block_student b WHERE b.block = :block) END
""")
_WAIT = text("SELECT pg_advisory_xact_lock(:space, :block)")
# Locked in order first, as whoever marks writes them.
_TAKE_SCHOOLS = text("""
    WITH these AS (
        SELECT block, school_id FROM touched_block WHERE block = ANY(:blocks) ORDER BY 1, 2 FOR UPDATE
    )
    DELETE FROM touched_block t USING these
    WHERE t.block = these.block AND t.school_id = these.school_id RETURNING t.block, t.school_id, t.since
""")
_TAKE_SINGLE = text("""
    WITH these AS (
        SELECT t.student_id FROM touched_student t JOIN block_student b USING (student_id)
        WHERE b.block = ANY(:blocks) ORDER BY 1 FOR UPDATE OF t
    )
    DELETE FROM touched_student t USING these WHERE t.student_id = these.student_id RETURNING t.student_id, t.since
""")
_MARKED = """
    SELECT s.student_id, m.since - DATE '1970-01-01' FROM unnest(%(students)s) AS a (student_id)
    JOIN block_student b USING (student_id) JOIN stint s USING (student_id)
    JOIN unnest(%(blocks)s, %(schools)s, %(since)s) AS m (block, school_id, since)
      ON m.block = b.block AND m.school_id = s.school_id
"""


_MARK_NEW = text("""
    INSERT INTO touched_student (student_id, since) SELECT unnest(CAST(:students AS int[])), :since ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")


def place_students(since: date) -> None:
    """Give everyone who is new a block, the school of the first enrolment loaded, and mark them from `since` on."""
    placed = list(
        db.session.scalars(
            text("""
                INSERT INTO block_student (student_id, block)
                SELECT DISTINCT ON (student_id) student_id, school_id FROM stint t
                WHERE NOT EXISTS (SELECT FROM block_student b WHERE b.student_id = t.student_id)
                ORDER BY student_id, id ON CONFLICT DO NOTHING RETURNING student_id
            """)
        )
    )
    if placed:
        students = np.array(placed, dtype=np.int64)
        db.session.execute(_MARK_NEW, {"students": students, "since": since})
        note_schools(students)


def note_schools(students: np.ndarray | None = None) -> None:
    """Remember at which schools the students of each block are enrolled; of some students, or of all."""
    db.session.execute(
        text("""
            INSERT INTO block_school (block, school_id)
            SELECT DISTINCT b.block, t.school_id FROM stint t JOIN block_student b USING (student_id)
            WHERE t.student_id = ANY(:students) OR :everybody ON CONFLICT DO NOTHING
        """),
        {"students": np.zeros(0, dtype=np.int64) if students is None else students, "everybody": students is None},
    )


def take_turn_for(batch_id: int, students: int) -> bool:
    """Wait until nobody else decides for the blocks that a staged batch may mark, and decide for no others until the
    open transaction ends; False, with nothing done, where they hold more than so many students or somebody has no
    block yet.

    The blocks are taken before anybody is marked and in the order of their numbers, so whoever waits for rows of
    theirs holds nothing that this transaction still needs.
    """
    found = db.session.execute(_CONCERNED, {"batch": batch_id}).all()
    if sum(row.students for row in found) > students or db.session.scalar(_UNPLACED, {"batch": batch_id}):
        return False
    db.session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": TURN_LOCK})
    for row in found:
        db.session.execute(_WAIT, {"space": BLOCK_LOCK, "block": row.block})
    blocks = "{" + ",".join(str(row.block) for row in found) + "}"
    db.session.execute(text("SELECT set_config('ew.turn_of', :blocks, true)"), {"blocks": blocks})
    return True


def claim(students: int) -> list[int]:
    """Some blocks that wait, together about so many students, held until the transaction ends; none: nobody waits.

    What others hold is passed over. Where others hold everything, the first of it once they are done with it: it
    need not wait any more.
    """
    waiting = db.session.scalars(text(_WAITING)).all()
    claimed: list[int] = []
    together = 0
    for block in waiting:
        held = db.session.scalar(_TRY, {"space": BLOCK_LOCK, "block": block})
        if held is None:
            continue
        claimed.append(block)
        together += held
        if together >= students:
            break
    if waiting and not claimed:
        claimed = [waiting[0]]
        db.session.execute(_WAIT, {"space": BLOCK_LOCK, "block": claimed[0]})
    return claimed


def waiting_students() -> int:
    """How many students the blocks have in which somebody is marked."""
    asked = f"SELECT count(*) FROM block_student WHERE block IN ({_WAITING})"
    return int(db.session.scalar(text(asked)) or 0)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was marked in some blocks: students by name, and schools as a whole for the students of one block."""

    named: np.ndarray  # int64[N]
    named_since: np.ndarray  # datetime64[D][N]
    block: np.ndarray  # int64[M]
    school: np.ndarray  # int64[M]
    since: np.ndarray  # datetime64[D][M]


def take(blocks: Sequence[int]) -> Taken:
    """Remove what is marked in these blocks; a rollback puts it back."""
    schools = db.session.execute(_TAKE_SCHOOLS, {"blocks": list(blocks)}).all()
    single = db.session.execute(_TAKE_SINGLE, {"blocks": list(blocks)}).all()
    return Taken(*_columns(single, 1), *_columns(schools, 2))


def enrolled_among(students: np.ndarray, taken: Taken) -> tuple[np.ndarray, np.ndarray]:
    """(student, since) of those of these students who are enrolled at a school that is marked for their block."""
    marked = {"students": students, "blocks": taken.block, "schools": taken.school, "since": taken.since}
    found = read_ints(_MARKED, ["student", "since"], marked)
    return found["student"].astype(np.int64), found["since"].astype("datetime64[D]")


def members(blocks: np.ndarray) -> np.ndarray:
    """Everyone who is packed, or will be, in these blocks."""
    asked = "SELECT student_id FROM block_student WHERE block = ANY(%(blocks)s)"
    found = read_ints(asked, ["student"], {"blocks": blocks})
    return found["student"].astype(np.int64)


def _columns(rows: Sequence[Sequence[object]], numbers: int) -> Iterator[np.ndarray]:
    """Rows of so many numbers and a day, as columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * (numbers + 1)
    yield from (np.array(column, dtype=np.int64) for column in columns[:numbers])
    yield np.array(columns[numbers], dtype="datetime64[D]")


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
