"""A delivery out of the tables again: what it changed is set back to what stood before it, for others to follow.

Every row carries the moments from which and until which it stood, so what stood just before a delivery is in the
tables and need not be read from files again. Only where what came before it has itself changed since is a day laid
anew, from its first delivery on. A delivery that changed single students is taken out for those alone; one that spoke
for a whole school-day, or that a later one spoke over, for everyone there.

Parameters as in `models.marks`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db
from models.marks import MARK, MINE, Here, do, first_changed_days, hashed, one_by_one, only

SchoolDay = tuple[int, date]

# Tables of this transaction alone: the school-days for which the batch counts (`undone_day`), whom it changed where
# that is not everyone (`reach`), the marks of both as they stood (`stood`), and about whom something else stands in
# the end (`differs`).
_TEMPORARY = (
    """
    CREATE TEMP TABLE IF NOT EXISTS undone_day (
        school_id int, day date, since timestamptz, anew boolean, everyone boolean
    ) ON COMMIT DELETE ROWS
    """,
    "CREATE TEMP TABLE IF NOT EXISTS reach (school_id int, day date, student_id int) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE IF NOT EXISTS stood (LIKE mark) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE IF NOT EXISTS differs (school_id int, day date, student_id int) ON COMMIT DELETE ROWS",
    "TRUNCATE undone_day, reach, stood, differs",
)
# What came before the batch has changed since if an earlier delivery was taken back after it, or had rows that waited
# for a student and went in after it. Two deliveries of the same moment do not tell which one came before.
_FIND_DAYS = text("""
    WITH other AS (
        SELECT m.school_id, m.day, m.whole, m.recorded_at AS since, o.batch_id, o.whole AS claimed, o.recorded_at,
               o.ended_at, o.recorded_at > m.recorded_at AND o.ended_at IS NULL AS follows
        FROM submission m LEFT JOIN submission o ON o.school_id = m.school_id AND o.day = m.day
          AND o.batch_id <> :batch AND (SELECT b.source_id FROM batch b WHERE b.id = o.batch_id) = :source
        WHERE m.batch_id = :batch AND m.school_id BETWEEN :low AND :high AND m.ended_at IS NULL
    ), filled AS (
        SELECT batch_id, max(settled_at) AS at FROM problem WHERE batch_id IN (SELECT batch_id FROM other) GROUP BY 1
    ), met AS (
        SELECT school_id, day, since, whole,
               bool_or((o.recorded_at <= since AND (o.ended_at >= since OR f.at >= since))
                       OR (o.recorded_at = since AND o.ended_at IS NULL)) AS anew,
               bool_or(follows AND (claimed OR EXISTS (
                   SELECT FROM roll r WHERE r.school_id = o.school_id AND r.day = o.day AND r.batch_id = o.batch_id
                     AND r.replaced_by IS NULL))) AS spoken_over
        FROM other o LEFT JOIN filled f USING (batch_id) GROUP BY 1, 2, 3, 4
    )
    INSERT INTO undone_day
    SELECT school_id, day, since, coalesce(anew, false), whole OR coalesce(anew OR spoken_over, false) FROM met
""")
_FIND_REACH = text(f"""
    INSERT INTO reach
    SELECT DISTINCT school_id, day, student_id FROM (
        SELECT school_id, day, student_id FROM mark WHERE {MINE}
        UNION ALL SELECT school_id, day, student_id FROM mark_history WHERE {MINE}
        UNION ALL SELECT school_id, day, unnest(students) FROM roll WHERE {MINE}
    ) changed JOIN undone_day d USING (school_id, day) WHERE NOT d.everyone
""")
_OF_EVERYONE = "undone_day k WHERE k.everyone AND m.school_id = k.school_id AND m.day = k.day"
_OF_THE_REACHED = "reach k WHERE m.school_id = k.school_id AND m.day = k.day AND m.student_id = k.student_id"
_TAKE_OUT = tuple(
    text(f"""
        WITH out AS (DELETE FROM mark m USING {keys} AND m.source_id = :source RETURNING m.*)
        INSERT INTO stood SELECT * FROM out
    """)
    for keys in (_OF_EVERYONE, _OF_THE_REACHED)
)
_END_ROLLS = text("""
    UPDATE roll r SET replaced_by = :batch, ended_at = :at FROM undone_day d
    WHERE r.school_id = d.school_id AND r.day = d.day AND r.source_id = :source AND r.replaced_by IS NULL
      AND (d.everyone OR r.batch_id = :batch)
""")
# What stood then and does not any more was ended by the batch itself or by one that was stored after it.
_ENDED_SINCE = f"""
    SELECT {MARK}, ended_at FROM mark_history WHERE source_id = :source AND ended_by = ANY(ARRAY(
        SELECT DISTINCT batch_id FROM undone_day d JOIN submission o USING (school_id, day)
        WHERE o.recorded_at >= d.since))
"""
_PUT_BACK = text(f"""
    WITH ended AS ({_ENDED_SINCE})
    INSERT INTO mark ({MARK})
    SELECT {MARK.replace("recorded_at", "CAST(:at AS timestamptz)")} FROM (
        SELECT {MARK}, NULL AS ended_at FROM stood
        UNION ALL SELECT ended.* FROM ended JOIN undone_day d USING (school_id, day) WHERE d.everyone
        UNION ALL SELECT ended.* FROM ended JOIN reach USING (school_id, day, student_id)
    ) m JOIN undone_day d USING (school_id, day)
    WHERE NOT d.anew AND m.recorded_at < d.since AND coalesce(m.ended_at >= d.since, true)
    ORDER BY school_id, day, student_id
""")
_PUT_BACK_ROLLS = text("""
    INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
    SELECT batch_id, source_id, school_id, day, code, file, students, lines, modified, :at
    FROM undone_day d JOIN roll r USING (school_id, day)
    WHERE d.everyone AND NOT d.anew AND r.source_id = :source AND r.recorded_at < d.since AND r.ended_at >= d.since
""")
_TO_FOLLOW = text("""
    SELECT o.batch_id, school_id, day, o.whole, d.everyone
    FROM undone_day d JOIN submission o USING (school_id, day) JOIN batch b ON b.id = o.batch_id
    WHERE o.batch_id <> :batch AND b.source_id = :source AND o.ended_at IS NULL AND (d.anew OR o.recorded_at > d.since)
    ORDER BY o.recorded_at, o.batch_id, school_id, day
""")
_FORGET_REPLAY = text("""
    DELETE FROM mark_history h WHERE h.ended_at = :at AND h.ended_by = ANY(:others)
      AND h.school_id BETWEEN :low AND :high
""")
_FORGET_PASSING_ROLLS = text("""
    DELETE FROM roll r USING undone_day d
    WHERE r.school_id = d.school_id AND r.day = d.day AND r.recorded_at = :at AND r.ended_at = :at
""")
_SAME_AS_STOOD = """
    m.school_id = s.school_id AND m.day = s.day AND m.student_id = s.student_id AND m.period = s.period
    AND m.source_id = s.source_id AND (m.batch_id, m.file, m.line) = (s.batch_id, s.file, s.line)
"""
_STAYED = text(f"UPDATE mark m SET recorded_at = s.recorded_at FROM stood s WHERE {_SAME_AS_STOOD}")
_ENDED_BY_UNDO = text(f"""
    INSERT INTO mark_history ({MARK}, ended, ended_by, ended_at)
    SELECT {MARK}, 'undone', :batch, :at FROM stood s
    WHERE NOT EXISTS (SELECT FROM mark m WHERE {_SAME_AS_STOOD})
""")
_END_CLAIMS = text("""
    UPDATE submission SET ended_at = :at
    WHERE batch_id = :batch AND school_id BETWEEN :low AND :high AND ended_at IS NULL
""")
# A school's own source is that of the first claim that stands, and stays it for as long as any claim of it stands.
_PASS_ON_SOURCE = text(f"""
    WITH standing AS (
        SELECT c.school_id, c.day, c.recorded_at, c.batch_id, b.source_id FROM submission c
        JOIN batch b ON b.id = c.batch_id
        WHERE c.ended_at IS NULL AND c.school_id IN (SELECT school_id FROM submission WHERE {MINE})
    )
    UPDATE school s SET source_id = (
        SELECT c.source_id FROM standing c WHERE c.school_id = s.id ORDER BY c.recorded_at, c.batch_id LIMIT 1)
    WHERE s.source_id = :source AND s.id IN (SELECT school_id FROM submission WHERE {MINE})
      AND NOT EXISTS (SELECT FROM standing c WHERE c.school_id = s.id AND c.source_id = :source)
    RETURNING s.id, (SELECT min(c.day) FROM standing c WHERE c.school_id = s.id)
""")
_SAID = "m.school_id, m.day, m.student_id, m.period, m.code, m.fraction, m.minutes, m.section_key, m.reason"
_CALLED = "SELECT school_id, day, unnest(students) AS student_id, code FROM undone_day JOIN roll USING (school_id, day)"
_ON_A_ROLL = """
    SELECT FROM roll r WHERE r.school_id = c.school_id AND r.day = c.day AND r.replaced_by IS NULL
      AND c.student_id = ANY(r.students)
"""
_STANDS = f"""
    SELECT {_SAID} FROM mark m, {_OF_EVERYONE} AND m.source_id = :source
    UNION ALL SELECT {_SAID} FROM mark m, {_OF_THE_REACHED} AND m.source_id = :source
"""
_FIND_DIFFERENT = (
    text(f"""
        INSERT INTO differs SELECT DISTINCT school_id, day, student_id FROM (
            (SELECT {_SAID} FROM stood m EXCEPT ({_STANDS})) UNION ALL (({_STANDS}) EXCEPT SELECT {_SAID} FROM stood m)
        ) said
    """),
    text(f"""
        WITH before AS ({_CALLED} WHERE source_id = :source AND replaced_by = :batch AND ended_at = :at),
             after AS ({_CALLED} WHERE source_id = :source AND replaced_by IS NULL AND recorded_at = :at)
        INSERT INTO differs SELECT DISTINCT school_id, day, student_id FROM (
            SELECT * FROM (TABLE before EXCEPT TABLE after) c WHERE NOT EXISTS ({_ON_A_ROLL} AND r.code = c.code)
            UNION ALL (TABLE after EXCEPT TABLE before)
        ) called
    """),
)
_LEFT_WITHOUT = text(f"""
    SELECT school_id, day FROM undone_day WHERE everyone
    UNION
    SELECT c.school_id, c.day FROM differs c
    WHERE NOT EXISTS (SELECT FROM mark m WHERE m.school_id = c.school_id AND m.day = c.day
                      AND m.student_id = c.student_id)
      AND NOT EXISTS ({_ON_A_ROLL})
""")


def lock_claimed(space: int, here: Here) -> None:
    """Like `lock_schools`, for the schools of a batch that was accepted."""
    do(
        text(f"""
            SELECT count(pg_advisory_xact_lock({int(space)}, school_id)) FROM (
                SELECT DISTINCT school_id FROM submission
                WHERE batch_id = :batch AND school_id BETWEEN :low AND :high ORDER BY school_id) s
        """),
        here,
    )


def take_out(here: Here) -> list[SchoolDay]:
    """Set the batch's school-days, which are returned, back to before it; what stood is remembered."""
    for statement in _TEMPORARY:
        db.session.execute(text(statement))
    for how, steps in (
        (one_by_one, (_FIND_DAYS,)),
        (hashed, (_FIND_REACH,)),
        (one_by_one, (*_TAKE_OUT, _END_ROLLS)),
        (hashed, (_PUT_BACK,)),
        (one_by_one, (_PUT_BACK_ROLLS,)),
    ):
        with how():
            for step in steps:
                do(step, here)
    return [(school, day) for school, day in db.session.execute(text("SELECT school_id, day FROM undone_day"))]


def to_follow(here: Here) -> Sequence[Any]:
    """Rows of (batch_id, school_id, day, whole, everyone): what may have to be laid over these days, in the order in
    which it was stored; `everyone`: not only over those who were `reached`."""
    return db.session.execute(_TO_FOLLOW, only(_TO_FOLLOW, here)).all()


def reached() -> Mapping[SchoolDay, list[int]]:
    """School-day -> the students set back there, where that is not everyone."""
    found: dict[SchoolDay, list[int]] = defaultdict(list)
    for school, day, student in db.session.execute(text("TABLE reach")):
        found[school, day].append(student)
    return found


def settle(here: Here, others: list[int]) -> None:
    """After the other batches were laid again: history tells only what is different from what stood."""
    with one_by_one():
        do(_FORGET_REPLAY, {**here, "others": others})
        for step in (_FORGET_PASSING_ROLLS, _STAYED, _ENDED_BY_UNDO, _END_CLAIMS, *_FIND_DIFFERENT):
            do(step, here)


def pass_on_source(here: Here) -> dict[int, date]:
    """After `settle`: schools of which nothing of their own source stands any more have the next one as their own, or
    none; school -> first day on which another is believed now."""
    found = db.session.execute(_PASS_ON_SOURCE, only(_PASS_ON_SOURCE, here))
    return {school: since for school, since in found if since is not None}


def days_left_without() -> set[SchoolDay]:
    """After `settle`: the days on which somebody may have no row left."""
    with one_by_one():
        return {(school, day) for school, day in db.session.execute(_LEFT_WITHOUT)}


def changed_students(schools: Mapping[int, date]) -> dict[int, date]:
    """After `settle`, like that of `models.marks`: student -> first day on which something else stands now."""
    return first_changed_days("SELECT * FROM differs", schools)
