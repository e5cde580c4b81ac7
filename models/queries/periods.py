"""Class periods: the timetables, what people said of sources, and the days that neither of them explains."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from models.base import db
from models.queries.coded import meaning
from models.queries.measuring import told_first


def _says(row: str, what: str, brought: str = "") -> str:
    """SQL: whether `what` holds of the meaning `c` of the code of `row` at its school on its day; false without one.

    brought: what codes mean of which nobody has said anything yet, as JSON [{code, kind, absent_fraction}].
    """
    said = meaning(row)
    if brought:
        said = f"""(
            SELECT kind, absent_fraction, 1 AS place FROM {said} stored
            UNION ALL
            SELECT kind, absent_fraction, 2 FROM jsonb_to_recordset({brought})
                AS b (code text, kind text, absent_fraction int) WHERE b.code = {row}.code
            ORDER BY place LIMIT 1)"""
    return f"EXISTS (SELECT FROM {said} c WHERE {what})"


# Away in spite of what the code usually means: nobody joined from home.
_AWAY = "c.kind = 'remote' AND c.absent_fraction > 0"


def _missed(row: str, brought: str = "") -> str:
    """SQL: whether a row says that anything was missed, by its own number or by its code."""
    number = f"coalesce({row}.fraction, {row}.minutes, c.absent_fraction)"
    kinds = "c.kind IN ('absence', 'suspension_out', 'tardy', 'early_leave')"
    return _says(row, f"({kinds} OR {_AWAY}) AND {number} > 0", brought)


_SAME_DAY = "{row}.student_id = m.student_id AND {row}.school_id = m.school_id AND {row}.day = m.day"

# The days between two changes of a timetable, `ends` excluded.
_STAGES = """
    SELECT school_id, grade, starts, lead(starts) OVER (PARTITION BY school_id, grade ORDER BY starts) AS ends FROM (
        SELECT school_id, grade, valid_from AS starts FROM class_period
        UNION SELECT school_id, grade, valid_to + 1 FROM class_period WHERE valid_to IS NOT NULL
    ) changes
"""
# Every period on a timetable from `starts` until before `ends`, with its minutes (0 for one that does not count) and
# the minutes due of a day by it. The periods that were set last go first, and those that have no room in the school's
# day beside them are no part of it: renamed, or given up. Nothing is due, as nobody knows which periods meet, where not
# even these fit, or where they are no full day by themselves.
TIMETABLES = f"""
    SELECT school_id, grade, period, starts, ends, minutes,
           CASE WHEN due = listed OR due >= a_day THEN due END AS due,
           so_far > due AND due >= a_day AS left_out, listed, day_minutes
    FROM (
        SELECT *, max(so_far) FILTER (WHERE so_far <= day_minutes) OVER stage AS due, max(so_far) OVER stage AS listed
        FROM (
            SELECT t.school_id, t.grade, t.period, t.starts, t.ends, t.minutes, s.day_minutes,
                   least(s.min_full_minutes, s.day_minutes) AS a_day,
                   sum(t.minutes) OVER (PARTITION BY t.school_id, t.grade, t.starts
                                        ORDER BY t.valid_from DESC, coalesce(t.batch_id, 0) DESC) AS so_far
            FROM (
                SELECT DISTINCT ON (p.school_id, p.grade, g.starts, p.period) p.school_id, p.grade, p.period,
                       g.starts, g.ends, p.valid_from, p.batch_id,
                       CASE WHEN p.counts THEN p.minutes ELSE 0 END AS minutes
                FROM ({_STAGES}) g JOIN class_period p
                  ON p.school_id = g.school_id AND p.grade = g.grade AND p.valid_from <= g.starts
                 AND coalesce(p.valid_to >= g.starts, true)
                ORDER BY p.school_id, p.grade, g.starts, p.period, p.valid_from DESC
            ) t JOIN school s ON s.id = t.school_id
        ) added WINDOW stage AS (PARTITION BY school_id, grade, starts)
    ) fitted
"""
# The grade of a student that day, by the enrolment; and whose timetable is followed: the grade's, or any grade's.
_GRADE = """coalesce((
    SELECT coalesce(nullif(t.grade, ''), p.grade) FROM student w
    JOIN stint t ON t.student_id = coalesce(w.same_as, w.id) JOIN student p ON p.id = t.student_id
    WHERE w.id = m.student_id AND t.school_id = m.school_id
      AND m.day BETWEEN t.entry_date AND coalesce(t.exit_date, m.day) ORDER BY t.id LIMIT 1), '')"""
_FOLLOWED = f"""coalesce((
    SELECT g.grade FROM class_period g WHERE g.school_id = m.school_id AND g.grade = {_GRADE}
      AND m.day BETWEEN g.valid_from AND coalesce(g.valid_to, m.day) LIMIT 1), '')"""
_ON_TIMETABLE = f"""EXISTS (
    SELECT FROM ({TIMETABLES}) t WHERE t.school_id = m.school_id AND t.grade = {_FOLLOWED}
      AND m.day >= t.starts AND coalesce(m.day < t.ends, true)
      AND t.period = {{row}}.period AND {{which}})"""
_SIZED = _ON_TIMETABLE.format(row="m", which="(t.minutes = 0 OR t.due IS NOT NULL)")
_NO_CLASS = _ON_TIMETABLE.format(row="{row}", which="t.minutes = 0")


def _unclear(table: str, *, also: str, shows: str, brought: str = "") -> str:
    """SQL: rows `m` of a table that miss a period of unknown length, where neither the other periods nor the whole day
    are told: what `rules.day` leaves unknown, as a property test holds.

    The other rows of the day are looked for in the table too; `also` holds for all of them, `shows` for an attended
    period `o` that shows what the others are. brought: as for `_says`.
    """
    present = _says("o", "c.kind = 'present'", brought)
    tells_part = _says("w", f"c.kind IN ('present', 'tardy', 'early_leave') OR {_AWAY}", brought)
    return f"""
        m.period <> '' AND coalesce(m.minutes, 999) = 999 AND {_missed("m", brought)} AND NOT {_SIZED}
        AND NOT EXISTS (
            SELECT FROM {table} o
            WHERE {_SAME_DAY.format(row="o")} AND o.period <> '' AND {also} AND {present}
              AND NOT {_NO_CLASS.format(row="o")} AND {shows})
        AND NOT EXISTS (
            SELECT FROM {table} w WHERE {_SAME_DAY.format(row="w")} AND w.period = '' AND w.code <> '' AND {also}
              AND (w.fraction IS NOT NULL OR w.minutes IS NOT NULL OR NOT {tells_part}))
    """


_TOLD_TOGETHER = f"""{told_first("o", "student_id")} IN (
    SELECT abs({told_first("x", "student_id")}) FROM mark x
    WHERE {_SAME_DAY.format(row="x")} AND x.period <> '' AND {_missed("x")} AND NOT {_NO_CLASS.format(row="x")})"""
_NO_CORRECTION = """NOT EXISTS (
    SELECT FROM mark c JOIN batch b ON b.id = o.batch_id AND b.source_id = c.source_id
    WHERE c.student_id = o.student_id AND c.school_id = o.school_id AND c.day = o.day AND c.period = o.period
      AND c.code <> o.code)"""
# :said: the sources of which somebody has told.
STORED = f"""
    {_unclear("mark", also="true", shows=_TOLD_TOGETHER)}
    AND m.source_id <> ALL(:said)
    AND NOT EXISTS (
        SELECT FROM school_day d WHERE d.school_id = m.school_id AND d.day = m.day AND d.feed = 'full')
"""


def unclear_days(batch: int, brought: Sequence[Mapping[str, str | int]]) -> int:
    """How many days of students in a staged delivery are told by missed periods alone, which nobody can add up.

    brought: what its format says of codes of which nobody has said anything yet, each {code, kind, absent_fraction}.
    """
    staged = _unclear("staged_mark", also="batch_id = :batch", shows=_NO_CORRECTION, brought="CAST(:brought AS jsonb)")
    found = db.session.scalar(
        text(f"""
            SELECT count(DISTINCT (m.student_id, m.school_id, m.day)) FROM staged_mark m
            WHERE m.batch_id = :batch AND {staged}
        """),
        {"batch": batch, "brought": json.dumps(list(brought))},
    )
    return int(found or 0)


def staged(batch: int) -> tuple[int, int]:
    """How many rows of a staged delivery are about a class period, and the most periods of one student and day."""
    found = db.session.execute(
        text("""
            SELECT coalesce(sum(d.periods), 0), coalesce(max(d.periods), 0) FROM (
                SELECT count(*) AS periods FROM staged_mark WHERE batch_id = :batch AND period <> ''
                GROUP BY student_id, school_id, day
            ) d
        """),
        {"batch": batch},
    ).one()
    return int(found[0]), int(found[1])


def longer_than_a_day() -> list[tuple[str, str, int, int, list[str]]]:
    """(school, grade, minutes listed, minutes of its day, the periods left out) of each timetable of the open roster
    file on which more is listed than fits the day; nothing is left out where nobody knows what to leave out."""
    found = db.session.execute(
        text(f"""
            SELECT s.name, t.grade, max(t.listed), max(t.day_minutes),
                   coalesce(array_agg(DISTINCT t.period ORDER BY t.period)
                            FILTER (WHERE t.left_out AND t.minutes > 0), '{{}}')
            FROM ({TIMETABLES}) t JOIN school s ON s.id = t.school_id
            WHERE t.school_id IN (SELECT school_pk FROM incoming) AND t.listed > t.day_minutes
            GROUP BY s.name, t.grade ORDER BY s.name, t.grade
        """)
    )
    return [tuple(row) for row in found]


def first_periods(source: int) -> dict[int, date]:
    """School -> the first day on which a row of this source is about a class period."""
    found = db.session.execute(
        text("SELECT school_id, min(day) FROM mark WHERE source_id = :source AND period <> '' GROUP BY 1 ORDER BY 1"),
        {"source": source},
    )
    return {school: day for school, day in found}


def timetable(schools: Sequence[int]) -> list[tuple[int, str, int, str, int, int | None]]:
    """(school, grade, first day since 1970, period, minutes, minutes due) of every period, see TIMETABLES.

    What is said of a grade from one day holds until something else is said of it; `period` is None where nothing is.
    """
    found = db.session.execute(
        text(f"""
            SELECT g.school_id, g.grade, g.starts - DATE '1970-01-01', t.period, t.minutes, t.due
            FROM ({_STAGES}) g LEFT JOIN ({TIMETABLES}) t USING (school_id, grade, starts)
            WHERE g.school_id = ANY(:schools) ORDER BY 1, 2, 3, 4
        """),
        {"schools": list(schools)},
    )
    return [tuple(row) for row in found]


@dataclass(frozen=True, slots=True)
class Answer:
    """How the class periods of a source add up: minutes of one, `rows` or `day`; by a delivery, or by its settings."""

    said: str
    batch: int | None


def answers(besides: int = 0) -> dict[int, Answer]:
    """Source -> the answer that holds for all its rows: that of its settings, else of its last delivery that gave one.

    A delivery that was taken back, or of which nothing went in, gives none; the delivery `besides` is left aside.
    """
    found = db.session.execute(
        text("""
            SELECT id AS source, said->>'periods' AS said, NULL::int AS batch FROM source WHERE said ? 'periods'
            UNION ALL
            (SELECT DISTINCT ON (b.source_id) b.source_id, b.options->>'periods', b.id FROM batch b
             WHERE b.kind = 'attendance' AND b.options ? 'periods' AND b.id <> :besides
               AND EXISTS (SELECT FROM submission c WHERE c.batch_id = b.id AND c.ended_at IS NULL)
             ORDER BY b.source_id, b.id DESC)
            ORDER BY 1, 3 NULLS LAST
        """),
        {"besides": besides},
    )
    return {source: Answer(said, batch) for source, said, batch in found}


def heard() -> list[int]:
    """The deliveries whose answers hold."""
    return [answer.batch for answer in answers().values() if answer.batch is not None]


def went_in(batch: int) -> bool:
    """Whether anything of a delivery went in, so that what it says of its source is heard."""
    found = text("SELECT EXISTS (SELECT FROM submission WHERE batch_id = :batch AND ended_at IS NULL)")
    return bool(db.session.scalar(found, {"batch": batch}))


def said_of_periods() -> dict[int, str]:
    """Source -> how its class periods add up."""
    return {source: answer.said for source, answer in answers().items()}
