"""Events that were deleted where they come from, and what stands there still of the same student and day.

In some systems the category is part of an event's key: a correction makes a second event beside the first, which goes
when somebody deletes it. One of them is the mark. The others are kept in mark_history as rows that stood for no time,
and so is a deletion of one of them; what was superseded stands there anyway. So a deletion of the mark lets stand what
is left, and nobody becomes present by it while another event of the day is there.

Parameters as in `models.marks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from models.attendance import DELETED, OTHER_KIND, UNREAD
from models.base import db

_AWAY = "('Homebound', 'Hospital class', 'In-school suspension')"  # said by where it was; the reason tells the category
_OTHERS = "batch_id = :batch AND school_id BETWEEN :low AND :high"


def _same(one: str, other: str) -> str:
    """SQL: two rows are about the same student, school, day and period."""
    keys = ("student_id", "day", "school_id", "period")
    return " AND ".join(f"{one}.{key} = {other}.{key}" for key in keys)


def _named(mark: str, category: str) -> str:
    """SQL: whether a mark is the event of a category; without one it is whatever stands."""
    away = f"{mark}.reason IS NULL OR {mark}.reason = {category} OR starts_with({mark}.reason, {category} || ': ')"
    return f"""(coalesce({category}, '') = '' OR {mark}.code = {category}
                OR {mark}.code IN {_AWAY} AND ({away}))"""


# What this delivery says was deleted; `standing` is in its place among the rows that came, or beside another event.
_GONE = f"""
    gone AS (
        SELECT school_id, day, student_id, period, reason FROM incoming WHERE code = '{DELETED}'
        UNION SELECT school_id, day, student_id, period, reason FROM staged_other WHERE {_OTHERS} AND code = '{DELETED}'
    )
"""
_IS_GONE = f"EXISTS (SELECT FROM gone g WHERE {_same('g', '{row}')} AND {_named('{row}', 'g.reason')})"


def _still_said(row: str) -> str:
    """SQL: events of the student and day of a row that earlier deliveries told, and that nothing has taken away since:
    no deletion, and no delivery that spoke for the whole day."""
    return f"""
        SELECT h.* FROM mark_history h JOIN batch b ON b.id = h.batch_id
        WHERE {_same("h", row)} AND h.source_id = :source AND h.ended = 'superseded'
          AND h.code NOT IN ('{DELETED}', '{UNREAD}')
          AND h.batch_id < :batch AND b.status NOT IN ('undoing', 'undone')
          AND NOT EXISTS (
              SELECT FROM mark_history d JOIN batch e ON e.id = d.batch_id
              WHERE {_same("d", "h")} AND d.source_id = :source AND d.code = '{DELETED}'
                AND d.batch_id > h.batch_id AND d.batch_id <= :batch AND e.status NOT IN ('undoing', 'undone')
                AND CASE WHEN coalesce(d.reason, '') = '' THEN d.batch_id = h.ended_by
                         ELSE {_named("h", "d.reason")} END)
          AND NOT EXISTS (
              SELECT FROM submission s JOIN batch w ON w.id = s.batch_id
              WHERE s.school_id = h.school_id AND s.day = h.day AND s.whole AND s.ended_at IS NULL
                AND w.source_id = :source AND s.batch_id BETWEEN h.ended_by AND :batch AND s.batch_id <> h.batch_id)
    """


# A deletion is remembered where an event that it names may come back, or where another takes its place.
_REMEMBER = text(f"""
    INSERT INTO mark_history (school_id, student_id, day, period, source_id, code, fraction, minutes, section_key,
                              reason, last_modified, modified_by, file, line, batch_id, recorded_at,
                              ended, ended_by, ended_at)
    SELECT i.school_id, i.student_id, i.day, i.period, :source, i.code, NULL, NULL, NULL, i.reason, NULL, NULL,
           i.file, i.line, :batch, :at, 'superseded', :batch, :at
    FROM incoming i JOIN stands m ON {_same("m", "i")}
    WHERE i.code = '{DELETED}' AND i.reason <> '' AND m.code <> '{DELETED}'
      AND EXISTS (SELECT FROM ({_still_said("i")}) h WHERE {_named("m", "i.reason")} OR {_named("h", "i.reason")})
""")
# A row that takes back another event than the one that stands says what stands.
_LEAVE_STANDING = text(f"""
    WITH {_GONE}
    UPDATE incoming i SET (code, fraction, minutes, section_key, reason, last_modified)
        = (m.code, m.fraction, m.minutes, m.section_key, m.reason, m.last_modified)
    FROM stands m
    WHERE {_same("m", "i")} AND i.code = '{DELETED}' AND m.code <> '{DELETED}'
      AND NOT {_IS_GONE.format(row="m")}
""")
# A row that takes back the one that stands says what is left: of several that which was said last.
_LET_STAND = text(f"""
    WITH {_GONE}, left_over AS (
        SELECT DISTINCT ON (i.school_id, i.day, i.student_id, i.period)
               i.school_id, i.day, i.student_id, i.period,
               h.code, h.fraction, h.minutes, h.section_key, h.reason AS said
        FROM incoming i JOIN stands m ON {_same("m", "i")} AND m.code NOT IN ('{DELETED}', '{UNREAD}')
        JOIN staged_day t ON t.batch_id = :batch AND t.school_id = i.school_id AND t.day = i.day AND NOT t.whole
        CROSS JOIN LATERAL ({_still_said("i")}) h
        WHERE i.code = '{DELETED}' AND NOT {_named("h", "m.code")}
          AND NOT EXISTS (SELECT FROM gone g WHERE {_same("g", "h")} AND g.reason <> ''
                          AND {_named("h", "g.reason")})
        ORDER BY i.school_id, i.day, i.student_id, i.period, h.batch_id DESC, h.id
    )
    UPDATE incoming i SET (code, fraction, minutes, section_key, reason, last_modified, plain)
        = (c.code, c.fraction, c.minutes, c.section_key, c.said, NULL, false)
    FROM left_over c WHERE {_same("c", "i")}
""")
# Such a row stands beside those that are read and corrects none. Where the day is claimed whole, nothing else is left.
_LEAVE_KNOWN = text(f"""
    DELETE FROM incoming i USING stands m JOIN staged_day d USING (school_id, day)
    WHERE {_same("m", "i")} AND d.batch_id = :batch AND NOT d.whole
      AND i.code = '{UNREAD}' AND i.section_key = '{OTHER_KIND}' AND m.code <> '{UNREAD}'
""")
_ANY = text(f"SELECT EXISTS (SELECT FROM incoming WHERE code = '{DELETED}')")

# What is beside the mark, once; a delivery that speaks for the whole day ends what others said, so it says it anew.
_KEEP_OTHERS = text(f"""
    INSERT INTO mark_history (school_id, student_id, day, period, source_id, code, fraction, minutes, section_key,
                              reason, last_modified, modified_by, file, line, batch_id, recorded_at,
                              ended, ended_by, ended_at)
    SELECT o.school_id, o.student_id, o.day, o.period, :source, o.code, o.fraction, o.minutes, o.section_key,
           o.reason, o.last_modified, o.modified_by, o.file, o.line, :batch, :at, 'superseded', :batch, :at
    FROM staged_other o JOIN staged_day t USING (batch_id, school_id, day)
    WHERE o.batch_id = :batch AND o.school_id BETWEEN :low AND :high
      AND (t.whole OR o.code = '{DELETED}' OR NOT EXISTS (SELECT FROM ({_still_said("o")}) h WHERE h.code = o.code))
""")


def let_stand_what_is_left(here: Mapping[str, Any]) -> None:
    """Among the rows that came, put in the place of each deletion what stands after it, where anything does."""
    if db.session.scalar(_ANY):
        for step in (_REMEMBER, _LEAVE_STANDING, _LET_STAND):
            _do(step, here)


def leave_what_is_known(here: Mapping[str, Any]) -> None:
    """Drop those of the rows that came that are of a kind that is not read, where something is known of the day."""
    if here["unread"]:
        _do(_LEAVE_KNOWN, here)


def keep_others(here: Mapping[str, Any]) -> None:
    """Keep what the delivery tells beside the marks that stand."""
    _do(_KEEP_OTHERS, here)


def _do(statement: TextClause, here: Mapping[str, Any]) -> None:
    db.session.execute(statement, {name: here[name] for name in statement._bindparams})
