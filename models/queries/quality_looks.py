"""The looks of the night that are no list of Fix data: what came, calendars, students. The contract is in `quality`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from models.base import db
from models.org import TEACHES
from models.queries.quality import Parameters, Seen, seen

LEAST_SHIFTED = 5  # marks
_CAME = "status IN ('submitted', 'partial')"


# -- what came -----------------------------------------------------------------------------------------------------


def unlike_usual(of: Parameters) -> list[Seen]:
    """Schools whose last day has far fewer or more absences than their last ten, or a full feed with too few rows.

    The limits are those at which a new file is held.
    """
    return seen(
        f"""
        WITH came AS (
            SELECT school_id, day, feed, rows, absences, expected,
                   row_number() OVER (PARTITION BY school_id ORDER BY day DESC) AS back
            FROM school_day WHERE day BETWEEN :start AND :today AND {_CAME}
        ), usual AS (
            SELECT l.school_id, l.day, l.feed, l.rows, l.absences, l.expected,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY d.absences) AS absences_usual,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY d.rows) AS rows_usual
            FROM came l JOIN came d ON d.school_id = l.school_id AND d.back BETWEEN 2 AND 11
            WHERE l.back = 1 GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) = 10
        )
        SELECT school_id, NULL AS student, day, CASE WHEN thin
                   THEN format('%s rows, usually %s', rows, rows_usual::int)
                   ELSE format('%s absences, usually %s', absences, absences_usual::int) END AS words,
               1 AS rows, NULL::int AS batch, NULL::int AS line
        FROM (SELECT *, feed = 'full' AND rows * 5 < rows_usual * 4 AS thin FROM usual) u
        WHERE thin OR (absences * 3 < absences_usual OR absences > absences_usual * 3)
              AND abs(absences - absences_usual) * 20 > expected
        """,
        of,
    )


def fewer_schools(of: Parameters) -> list[Seen]:
    """The last school day before today for which fewer than four fifths of the usual share of schools sent anything."""
    return seen(
        f"""
        WITH taught AS (
            SELECT DISTINCT school_id, day FROM calendar_day
            WHERE day >= :start AND day < :today AND weight > 0 AND {TEACHES}
        ), days AS (
            SELECT t.day, count(*) AS due, count(d.day) AS came, row_number() OVER (ORDER BY t.day DESC) AS back
            FROM taught t LEFT JOIN school_day d ON d.school_id = t.school_id AND d.day = t.day AND d.{_CAME}
            GROUP BY t.day
        )
        SELECT NULL::int AS school_id, NULL AS student, l.day, format('%s of %s schools', l.came, l.due) AS words,
               l.due - l.came AS rows, NULL::int AS batch, NULL::int AS line
        FROM days l JOIN LATERAL (
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY came::float / due) AS share, count(*) AS days
            FROM days WHERE back BETWEEN 2 AND 11) u ON u.days = 10
        WHERE l.back = 1 AND l.came::float / l.due < u.share * 0.8
        """,
        of,
    )


# -- calendars -----------------------------------------------------------------------------------------------------


def shifted_calendar(of: Parameters) -> list[Seen]:
    """Schools where more than one in twenty marks of the last month stands on a day without school: on several days
    and several marks, because one wrong Saturday is a wrong date and no shifted calendar."""
    return seen(
        f"""
        SELECT m.school_id, NULL AS student, max(m.day) FILTER (WHERE c.day IS NULL) AS day,
               format('%s of %s marks', count(*) FILTER (WHERE c.day IS NULL), count(*)) AS words,
               count(*) FILTER (WHERE c.day IS NULL) AS rows, NULL::int AS batch, NULL::int AS line
        FROM mark m LEFT JOIN (
            SELECT DISTINCT school_id, day FROM calendar_day WHERE {TEACHES} AND day > CAST(:today AS date) - 31
        ) c ON c.school_id = m.school_id AND c.day = m.day
        WHERE m.school_id = ANY(:schools) AND m.day BETWEEN CAST(:today AS date) - 30 AND :today
          AND EXISTS (SELECT FROM calendar_day k WHERE k.school_id = m.school_id AND k.day >= :start)
        GROUP BY m.school_id HAVING count(*) FILTER (WHERE c.day IS NULL) * 20 > count(*)
          AND count(*) FILTER (WHERE c.day IS NULL) >= {LEAST_SHIFTED}
          AND count(DISTINCT m.day) FILTER (WHERE c.day IS NULL) > 1
        """,
        of,
    )


def too_many_days(of: Parameters) -> list[Seen]:
    """Calendars with more school days than a year has, and students who were counted on more than any calendar has
    (of those whose numbers are kept: see StudentStatus)."""
    return seen(
        f"""
        WITH year AS (
            SELECT school_id, calendar_key, count(*) AS days, sum(weight) FILTER (WHERE day <= :today) AS so_far
            FROM calendar_day WHERE {TEACHES} AND day >= :start AND day < CAST(:start AS date) + 366 GROUP BY 1, 2
        )
        SELECT school_id, NULL AS student, NULL::date AS day, format('%s school days in %s', days,
                   CASE calendar_key WHEN '' THEN 'the calendar' ELSE 'calendar ' || calendar_key END) AS words,
               1 AS rows, NULL::int AS batch, NULL::int AS line
        FROM year WHERE days > :most_days
        UNION ALL
        SELECT n.school_id, p.key, n.data_through, format('%s days counted', n.enrolled / 1000), 1, NULL, NULL
        FROM student_status n JOIN student p ON p.id = n.student_id
        WHERE n.enrolled > (SELECT max(so_far) FROM year)
        """,
        of,
    )


# -- students ------------------------------------------------------------------------------------------------------


def no_rate(of: Parameters) -> list[Seen]:
    """Students enrolled for ten school days or more of whom none could be counted: no perfect record, but no record."""
    return seen(
        """
        SELECT n.school_id, p.key AS student, t.entry_date AS day, 'enrolled since, no day counted' AS words,
               1 AS rows, NULL::int AS batch, NULL::int AS line
        FROM student_status n JOIN student p ON p.id = n.student_id JOIN LATERAL (
            SELECT min(entry_date) AS entry_date FROM stint WHERE student_id = n.student_id
              AND school_id = n.school_id AND entry_date <= :today AND coalesce(exit_date, :today) >= :today) t ON true
        WHERE n.enrolled_now AND n.tier = -1 AND (
            SELECT count(*) FROM school_day d WHERE d.school_id = n.school_id AND d.status <> 'closed'
              AND d.day >= greatest(t.entry_date, :start) AND d.day < :today) >= 10
        """,
        of,
    )


def counted_twice(of: Parameters) -> list[Seen]:
    """Students who stand on two lists on one day; this must never be."""
    return seen(
        """
        SELECT s.school_id, p.key AS student, s.since AS day, 'counted twice from this day on' AS words, 1 AS rows,
               NULL::int AS batch, NULL::int AS line
        FROM (SELECT *, lag(coalesce(until, 'infinity')) OVER (PARTITION BY student_id ORDER BY since) AS before
              FROM standing WHERE since >= :start) s
        JOIN student p ON p.id = s.student_id WHERE s.before >= s.since
        """,
        of,
    )


def lost_zeros(of: Parameters) -> list[Seen]:
    """Ids that differ by zeros at the front alone, and ids that a spreadsheet has turned into a number: those of
    students, and those of rejected rows until all days of their delivery have come again."""
    return seen(
        r"""
        WITH bare AS MATERIALIZED (SELECT id, key, ltrim(key, '0') AS bare FROM student WHERE same_as IS NULL)
        SELECT at.school_id, b.key AS student, NULL::date AS day, 'also ' || o.keys AS words, 1 AS rows,
               NULL::int AS batch, NULL::int AS line
        FROM (SELECT bare, max(length(key)) AS longest, string_agg(key, ', ' ORDER BY key) AS keys
              FROM bare GROUP BY bare HAVING count(*) > 1) o
        JOIN bare b ON b.bare = o.bare AND length(b.key) < o.longest
        LEFT JOIN LATERAL (SELECT school_id FROM stint WHERE student_id = b.id
                           ORDER BY entry_date DESC LIMIT 1) at ON true
        UNION ALL
        SELECT at.school_id, b.key, NULL, 'came as ' || r.value, 1, r.batch_id, r.line
        FROM problem r JOIN batch x ON x.id = r.batch_id AND x.status = 'applied'
        JOIN bare b ON b.bare = ltrim(r.value, '0') AND b.key <> r.value
        LEFT JOIN LATERAL (SELECT school_id FROM stint WHERE student_id = b.id
                           ORDER BY entry_date DESC LIMIT 1) at ON true
        WHERE r.settled_at IS NULL AND r.cause = 'unknown_student'
        UNION ALL
        SELECT NULL, key, NULL, 'turned into a number by a spreadsheet', 1, NULL, NULL
        FROM student WHERE key ~ '^\d+(\.\d+)?[eE]\+\d+$'
        UNION ALL
        SELECT NULL, NULL, NULL, r.value || ' was a number', 1, r.batch_id, r.line
        FROM problem r JOIN batch x ON x.id = r.batch_id AND x.status = 'applied' AND x.kind = 'attendance'
        WHERE r.rejected AND r.settled_at IS NULL AND x.received_at >= :start
          AND r.value ~ '^\d+([.,]\d+)?[eE]\+\d+$' AND (
            NOT EXISTS (SELECT FROM submission s WHERE s.batch_id = x.id)
            OR EXISTS (SELECT FROM submission s WHERE s.batch_id = x.id AND NOT EXISTS (
                SELECT FROM submission l JOIN batch y ON y.id = l.batch_id AND y.source_id = x.source_id
                WHERE l.school_id = s.school_id AND l.day = s.day AND l.batch_id > x.id)))
        """,
        of,
    )


def id_of_two(of: Parameters) -> list[Seen]:
    """Ids under which another child came this year: last name and birth date both changed at once."""
    return seen(
        """
        SELECT DISTINCT at.school_id, p.key AS student, CAST(h.at AS date) AS day,
               'name and birth date both changed' AS words, 1 AS rows, h.batch_id AS batch, p.line
        FROM row_history h JOIN student p ON p.id = (h.before->>'id')::int
        LEFT JOIN LATERAL (SELECT school_id FROM stint WHERE student_id = p.id
                           ORDER BY entry_date DESC LIMIT 1) at ON true
        WHERE h.table_name = 'student' AND h.at >= :start AND h.before IS NOT NULL
          AND lower(h.before->>'last_name') <> lower(p.last_name)
          AND (h.before->>'birth_date')::date <> p.birth_date
        """,
        of,
    )


def odd_entries(of: Parameters) -> list[Seen]:
    """Enrolments of now that began before the child could go to school: mostly a mistyped year."""
    return seen(
        """
        SELECT t.school_id, p.key AS student, t.entry_date AS day,
               CASE WHEN t.entry_date < p.birth_date THEN 'before the child was born'
                    WHEN t.entry_date < p.birth_date + 730 THEN 'before the child was two'
                    ELSE 'many years ago' END AS words, 1 AS rows, t.batch_id AS batch, t.line
        FROM stint t JOIN student p ON p.id = t.student_id
        WHERE coalesce(t.exit_date, :today) >= :start
          AND (t.entry_date < p.birth_date + 730 OR t.entry_date < CAST(:today AS date) - CAST(:old AS int))
        """,
        of,
    )


def future_marks(of: Parameters) -> list[Seen]:
    """Marks of days to come; they wait until their day."""
    return seen(
        """
        SELECT m.school_id, p.key AS student, m.day, m.code AS words, 1 AS rows, m.batch_id AS batch, m.line
        FROM mark m JOIN student p ON p.id = m.student_id WHERE m.school_id = ANY(:schools) AND m.day > :today
        """,
        of,
    )


def student_counts(of: Parameters) -> dict[str, int]:
    """School id -> how many are enrolled today."""
    found = db.session.execute(
        text("""
            SELECT school_id, count(DISTINCT student_id) FROM stint
            WHERE entry_date <= :today AND coalesce(exit_date, :today) >= :today GROUP BY 1
        """),
        {"today": of["today"]},
    )
    return {str(school): number for school, number in found}


def jumped(before: Mapping[str, int], now: Mapping[str, int], least: int) -> list[Seen]:
    """Schools whose number of students moved by more than a twentieth, and by `least` or more, between two nights."""
    found = []
    for school, was in before.items():
        moved = abs(now.get(school, 0) - was)
        if moved >= least and moved * 20 > was:
            words = f"{was} students the night before, {now.get(school, 0)} now"
            found.append(Seen(int(school), moved, [{"words": words}]))
    return found
