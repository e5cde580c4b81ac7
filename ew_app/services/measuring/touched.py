"""Remember whose rows changed, so that exactly those students are measured and decided again.

A change that concerns a whole school is one row for each block its students are packed in, not one a student.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import numpy as np
from sqlalchemy import text

from ew_app.outbox import NOW, Job, enqueue
from models import touched
from models.base import db
from models.queries.roster import schools_to_measure, students_to_measure

# The earliest changed day wins; a student who left long ago is measured again like any other. What happens under a
# former id is the kept student's.
_EACH = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT coalesce(s.same_as, a.student_id), min(a.since)
    FROM unnest(CAST(:students AS int[]), CAST(:since AS date[])) AS a (student_id, since)
    LEFT JOIN student s ON s.id = a.student_id AND s.same_as IS NOT NULL GROUP BY 1 ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")
# Rows are marked in the order in which `models.touched.take` locks them: whoever marks and whoever decides wait for
# each other in one direction alone.
_SCHOOLS = text("""
    INSERT INTO touched_block (block, school_id, since)
    SELECT block, school_id, a.since FROM block_school
    JOIN unnest(CAST(:schools AS int[]), CAST(:since AS date[])) AS a (school_id, since) USING (school_id) ORDER BY 1, 2
    ON CONFLICT (block, school_id) DO UPDATE SET since = least(touched_block.since, excluded.since)
""")
# Nobody finds by a school who was judged once and is enrolled nowhere any more.
_NOWHERE = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT student_id, CAST(:since AS date) FROM block_student b
    WHERE NOT EXISTS (SELECT FROM stint t WHERE t.student_id = b.student_id) ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")
_EVERYWHERE = text("""
    INSERT INTO touched_block (block, school_id, since)
    SELECT block, school_id, CAST(:since AS date) FROM block_school ORDER BY 1, 2
    ON CONFLICT (block, school_id) DO UPDATE SET since = least(touched_block.since, excluded.since)
""")


def touch(students: Iterable[int], since: date) -> None:
    """Mark students for evaluation from `since` on, in the open transaction."""
    touch_each(dict.fromkeys(students, since))


def touch_each(since: Mapping[int, date]) -> None:
    """Mark each student for evaluation from that student's own first changed day on."""
    if since:
        students = np.array(list(since))
        db.session.execute(
            _EACH, {"students": students, "since": np.array(list(since.values()), dtype="datetime64[D]")}
        )
        touched.note_schools(students)


def touch_schools(schools: Iterable[int], since: date) -> None:
    """Mark everyone ever enrolled at these schools: a day was submitted, or a calendar changed."""
    touch_each_school(dict.fromkeys(schools, since))


def touch_each_school(since: Mapping[int, date]) -> None:
    """The same for each school from that school's own day on."""
    if since:
        db.session.execute(_SCHOOLS, {"schools": list(since), "since": list(since.values())})


def touch_changed(batch_id: int, tables: Collection[str], year: date) -> None:
    """Mark everyone whom the batch's changes to these tables of the roster may concern. `year`: July 1."""
    touch_each_school(schools_to_measure(batch_id, tables, year))
    touch_each(students_to_measure(batch_id, tables, year))


def touch_everyone(since: date) -> None:
    """Mark the whole district, as when the policy changes."""
    touched.note_schools()
    for statement in (_EVERYWHERE, _NOWHERE):
        db.session.execute(statement, {"since": since})


def ask_for_evaluation(batch_id: int | None = None, later: timedelta = NOW) -> None:
    """Queue the evaluation of whoever is marked; asking again while it waits adds nothing.

    Its effect is told of a batch. For `later`: at once as soon as anybody asks without.
    """
    enqueue(Job.EVALUATE, batch_id, key="touched", later=later)
