"""The tables as they stood at a moment of the past, laid over the real ones for the rest of a transaction.

Temporary tables with the real names come first wherever a name is looked up, so whatever reads the rows reads them
as they were known then, by the same statements as ever. Roster rows take back the forms that row_history kept; marks,
rolls and claims have the moments from which and until which they stood; the day ledger is derived again.

Rows of these tables that were put in by hand and left no history are taken to have stood always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from models.base import db
from models.marks import MARK

# Tables whose earlier forms row_history keeps, and their primary keys.
KEPT = {
    "student": ("id",),
    "stint": ("id",),
    "network": ("id",),
    "school": ("id",),
    "calendar_day": ("school_id", "calendar_key", "day"),
    "absence_code": ("id",),
    "class_period": ("school_id", "grade", "period", "valid_from"),
    "support_flag": ("student_id", "key"),
    "prior_year": ("student_id", "school_year"),
}
# Of whom a row of the table speaks, where only some students are asked for.
_OF_STUDENT = {"student": "id", "stint": "student_id", "prior_year": "student_id"}

# A school's source is its own for as long as a claim of it stands, else that of the first claim that stands; nothing
# keeps that but the claims.
OWN_SOURCES = """
    SELECT DISTINCT ON (s.id) s.id, b.source_id FROM school s
    JOIN submission c ON c.school_id = s.id AND c.recorded_at <= :moment AND coalesce(c.ended_at > :moment, true)
    JOIN batch b ON b.id = c.batch_id
    ORDER BY s.id, b.source_id IS DISTINCT FROM s.source_id, c.recorded_at, c.batch_id
"""
SET_OWN_SOURCES = "UPDATE school SET source_id = (SELECT o.source_id FROM own_source o WHERE o.id = school.id)"
MARKS = f"""
    SELECT id, {MARK} FROM mark WHERE recorded_at <= :moment AND {{these}}
    UNION ALL
    SELECT id, {MARK} FROM mark_history WHERE recorded_at <= :moment AND ended_at > :moment AND {{these}}
"""
ENDED_MARKS = "SELECT * FROM mark_history WHERE ended_at <= :moment AND {these}"
ROLLS = """
    SELECT id, batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at,
           CASE WHEN ended_at <= :moment THEN replaced_by END AS replaced_by,
           CASE WHEN ended_at <= :moment THEN ended_at END AS ended_at
    FROM roll WHERE recorded_at <= :moment AND {rolls}
"""
CLAIMS = """
    SELECT school_id, day, batch_id, feed, rows, whole, taken, recorded_at,
           CASE WHEN ended_at <= :moment THEN ended_at END AS ended_at
    FROM submission WHERE recorded_at <= :moment
"""
# Measures ask whether a day counts and by which feed. They take partial for submitted, so how many rows came and how
# many were due is left at nothing here.
LEDGER = """
    SELECT c.school_id, c.day,
           CASE WHEN t.day IS NOT NULL OR NOT EXISTS (SELECT FROM calendar_day d WHERE d.school_id = c.school_id)
                THEN 'submitted' ELSE 'closed' END AS status,
           CASE WHEN c.is_full THEN 'full' ELSE 'exception' END AS feed, 0 AS rows, 0 AS expected, 0 AS absences
    FROM (SELECT school_id, day, bool_or(feed = 'full') AS is_full FROM submission
          WHERE ended_at IS NULL AND taken GROUP BY school_id, day) c
    LEFT JOIN (SELECT DISTINCT school_id, day FROM calendar_day WHERE day_type IN ('instructional', 'make_up')) t
      ON t.school_id = c.school_id AND t.day = c.day
"""
# There is no day without a policy: the first one holds for all that came before it.
_POLICIES = """
    SELECT id, version, name, content, starts, activated_by, activated_at, reason, approved_by,
           CASE WHEN withdrawn_at <= :moment THEN withdrawn_by END AS withdrawn_by,
           CASE WHEN withdrawn_at <= :moment THEN withdrawn_at END AS withdrawn_at
    FROM policy_version WHERE activated_at <= :moment OR id = (SELECT min(id) FROM policy_version)
"""
_STEPS = """
    SELECT id, student_id, day, before, after, rules, sentence, policy_version, recorded_at,
           CASE WHEN withdrawn_at <= :moment THEN withdrawn_at END AS withdrawn_at
    FROM tier_change WHERE recorded_at <= :moment AND {these}
"""
# What was decided about one student; where everybody is asked for, it is told by nobody.
_FINDINGS = """
    SELECT id, student_id, rule, since, CASE WHEN until_at <= :moment THEN until END AS until,
           CASE WHEN until_at <= :moment THEN until_at END AS until_at, compartment, numbers, sentence, policy_version,
           recorded_at, CASE WHEN withdrawn_at <= :moment THEN withdrawn_at END AS withdrawn_at
    FROM finding WHERE recorded_at <= :moment AND {only}
"""
_EVENTS = "SELECT * FROM event WHERE at <= :moment AND {only}"
_OWNERS = """
    SELECT id, case_id, person_id, since, since_at, CASE WHEN until_at <= :moment THEN until END AS until,
           CASE WHEN until_at <= :moment THEN until_at END AS until_at
    FROM case_owner WHERE since_at <= :moment
"""
_REASONS = """
    SELECT stood.* FROM case_reason r JOIN support_case c ON c.id = r.case_id
    LEFT JOIN LATERAL (
        SELECT h.before FROM row_history h WHERE h.table_name = 'case_reason' AND h.at > :moment
          AND h.row_key = jsonb_build_object('id', r.id) ORDER BY h.at, h.id LIMIT 1) later ON true
    CROSS JOIN LATERAL jsonb_populate_record(r, coalesce(later.before, '{{}}')) AS stood
    WHERE r.added_at <= :moment AND {only}
"""
_EPISODES = """
    SELECT case_id, episode, opened, CASE WHEN closed_at <= :moment THEN closed_on END AS closed_on,
           CASE WHEN closed_at <= :moment THEN close_reason END AS close_reason,
           opened_at, CASE WHEN closed_at <= :moment THEN closed_at END AS closed_at
    FROM case_episode WHERE opened_at <= :moment
"""
# Where everybody stood is stored for screens and told by nobody here: it is worked out from the rows.
_DECIDED = "SELECT * FROM standing WHERE false"
_WRITTEN = "SELECT * FROM {table} WHERE written_at <= :moment AND {{these}}"

# A contact as it read then: each version stood from its own writing until it was changed or struck.
_CONTACTS = """
    SELECT * FROM (
        SELECT * FROM outreach UNION ALL
        SELECT o.* FROM outreach_before b, jsonb_populate_record(CAST(NULL AS outreach), b.entry) o
        WHERE b.ended_at > :moment
    ) made WHERE written_at <= :moment AND {these}
"""

_DISTRICT_DAYS = """
    SELECT id, student_id, day, why, compartment, author_id, author, position, written_at,
           CASE WHEN taken_back_at <= :moment THEN taken_back_at END AS taken_back_at
    FROM district_day WHERE written_at <= :moment AND {these}
"""
# What is read of promises: for how long something was waited for, by the steps that had been written then.
_PROMISES = """
    SELECT id, student_id, compartment, kind, asked_on, CASE WHEN NOT EXISTS (
        SELECT FROM promise_step s WHERE s.promise_id = promise.id AND s.written_at > :moment) THEN settled_on END
        AS settled_on
    FROM promise WHERE written_at <= :moment AND {these}
"""

_PROMISE_STEPS = "SELECT * FROM promise_step WHERE written_at <= :moment AND promise_id IN (SELECT id FROM promise)"

# Work that moved when two ids were said to be one child, or went back: whose it was then.
_ANYBODY_MERGED = "SELECT EXISTS (SELECT FROM student_merge WHERE merged_at > :moment OR undone_at > :moment)"
_WHOSE_THEN = """
    UPDATE pg_temp.{table} t SET student_id = w.student_id FROM (
        SELECT DISTINCT ON (v.row_id) v.row_id, CASE WHEN g.held THEN g.kept_id ELSE g.gone_id END AS student_id
        FROM moved_row v JOIN (
            SELECT *, merged_at <= :moment AND coalesce(undone_at > :moment, true) AS held FROM student_merge
        ) g ON g.id = v.merge_id
        WHERE v.table_name = '{table}'
        ORDER BY v.row_id, g.held DESC, CASE WHEN g.held THEN -g.id ELSE g.id END
    ) w WHERE w.row_id = t.id
"""
_MOVES = ("support_case", "outreach", "cause")  # of what moves, what is read here

# In this order: each reads the real rows of its own table, and the laid-over rows of those before it.
_TIMED = {
    "mark": MARKS,
    "mark_history": ENDED_MARKS,
    "roll": ROLLS,
    "submission": CLAIMS,
    "school_day": LEDGER,
    "policy_version": _POLICIES,
    "tier_change": _STEPS,
    "standing": _DECIDED,
    "case_episode": _EPISODES,
    "case_owner": _OWNERS,
    "finding": _FINDINGS,
    "event": _EVENTS,
    "case_reason": _REASONS,
    "outreach": _CONTACTS,
    "cause": _WRITTEN.format(table="cause"),
    "district_day": _DISTRICT_DAYS,
    "promise": _PROMISES,
    "promise_step": _PROMISE_STEPS,
}
INDEXES = {
    "student": "id",
    "stint": "student_id",
    "school": "id",
    "calendar_day": "school_id, day",
    "mark": "student_id, day",
    "mark_history": "student_id, day",
    "roll": "school_id, day",
    "submission": "school_id, day",
    "school_day": "school_id, day",
    "tier_change": "student_id",
}


def rewind(moment: datetime, students: Sequence[int] | None = None) -> None:
    """Lay the rows of `moment` over the real ones until the open transaction ends; nothing can be written after.

    With `students` only theirs are there (of what every student shares, everything is), which is quick.
    """
    asked = {"moment": moment, "students": list(students or ())}
    run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # one state of the tables for all that follows
    lay("own_source", OWN_SOURCES, asked)
    for table in KEPT:
        lay(table, as_it_was(table, some=students is not None), asked)
    run(SET_OWN_SOURCES)
    these = "true" if students is None else "student_id = ANY(:students)"
    only = "false" if students is None else "student_id = ANY(:students)"
    rolls = "true" if students is None else "students && CAST(:students AS int[])"
    for table, query in _TIMED.items():
        lay(table, query.format(these=these, only=only, rolls=rolls), asked)
    if db.session.scalar(text(_ANYBODY_MERGED), {"moment": moment}):
        lay("support_case", "SELECT * FROM support_case", {})
        for table in _MOVES:
            db.session.execute(text(_WHOSE_THEN.format(table=table)), {"moment": moment})
    for table, columns in INDEXES.items():
        run(f"CREATE INDEX ON {table} ({columns})")
    for table in ("own_source", *KEPT, *_TIMED):
        run(f"ANALYZE pg_temp.{table}")
    run("DISCARD PLANS")  # a statement prepared earlier on this connection still means the real tables
    run("SET TRANSACTION READ ONLY")


def students_known_as(key: str) -> list[int]:
    """The numbers under which a student with the district's key may have been known: also of one whose delivery was
    taken back, and of every id that was ever said to be the same child."""
    found = db.session.scalars(
        text("""
            WITH RECURSIVE named AS (
                SELECT id FROM student WHERE key = :key UNION
                SELECT (row_key->>'id')::int FROM row_history WHERE table_name = 'student' AND before->>'key' = :key
            ), child AS (
                SELECT id FROM named UNION
                SELECT CASE WHEN m.kept_id = c.id THEN m.gone_id ELSE m.kept_id END
                FROM child c JOIN student_merge m ON c.id IN (m.kept_id, m.gone_id)
            )
            SELECT id FROM child
        """),
        {"key": key},
    )
    return list(found)


def lay(table: str, query: str, asked: Mapping[str, object]) -> None:
    """Lay rows over the table of that name until the open transaction ends; `asked` may hold more than it needs."""
    given = {name: value for name, value in asked.items() if f":{name}" in query}
    db.session.execute(text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {query}"), given)


def run(statement: str) -> None:
    """One statement without parameters."""
    db.session.execute(text(statement))


def as_it_was(table: str, *, some: bool, only: str = "true") -> str:
    """The rows of a table with history: what the first change after the moment found, else what stands.

    A change that found nothing made the row, so it was not there yet. `only`: a condition on each form of a row, `r`.
    """
    key = ", ".join(f"'{column}', r.{column}" for column in KEPT[table])
    column = _OF_STUDENT.get(table) if some else None
    return f"""
        WITH later AS (
            SELECT DISTINCT ON (row_key) row_key, before FROM row_history h
            WHERE table_name = '{table}' AND at > :moment {_changes_of(table, column)} ORDER BY row_key, at, id
        )
        SELECT r.* FROM {table} r
        WHERE {f"r.{column} = ANY(:students)" if column else "true"} AND {only}
          AND NOT EXISTS (SELECT FROM later WHERE later.row_key = jsonb_build_object({key}))
        UNION ALL
        SELECT r.* FROM later, jsonb_populate_record(NULL::{table}, later.before) r
        WHERE jsonb_typeof(later.before) = 'object' AND {only}
    """


def _changes_of(table: str, column: str | None) -> str:
    """Of history, what speaks of the students asked for; a row is theirs in all its forms or in none."""
    if column is None:
        return ""
    if column in KEPT[table]:
        return f"AND (row_key->>'{column}')::int = ANY(:students)"
    return f"""
        AND row_key IN (
            SELECT jsonb_build_object('id', id) FROM {table} WHERE {column} = ANY(:students) UNION ALL
            SELECT row_key FROM row_history
            WHERE table_name = '{table}' AND at > :moment AND (before->>'{column}')::int = ANY(:students))
    """
