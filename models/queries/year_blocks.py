"""Packed school years: content by block, now and as it was on earlier days, and which block a student is packed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_ints


def contents(blocks: Iterable[int], school_year: date) -> list[tuple[int, bytes]]:
    """(block, what is packed of it) for the school year that starts on this day."""
    found = text("SELECT block, content FROM year_block WHERE block = ANY(:blocks) AND school_year = :year")
    rows = db.session.execute(found, {"blocks": list(blocks), "year": school_year})
    return [(block, content) for block, content in rows]


def numbers(school_year: date) -> list[int]:
    """Every block of which something is packed."""
    found = text("SELECT block FROM year_block WHERE school_year = :year ORDER BY block")
    return list(db.session.scalars(found, {"year": school_year}))


def blocks_of(students: np.ndarray) -> np.ndarray:
    """The block of each of these students."""
    found = read_ints(
        """
        SELECT b.block FROM unnest(%(students)s) WITH ORDINALITY AS a (student_id, nth)
        JOIN block_student b USING (student_id) ORDER BY a.nth
        """,
        ["block"],
        {"students": students},
    )
    return found["block"]


def empty(blocks: Collection[int], school_year: date) -> None:
    """Nobody is packed in these blocks any more."""
    if not blocks:
        return
    db.session.execute(
        text("DELETE FROM year_block WHERE block = ANY(:blocks) AND school_year = :year"),
        {"blocks": list(blocks), "year": school_year},
    )


def replace(contents: Mapping[int, bytes], school_year: date) -> None:
    """Store what is packed of these blocks."""
    if contents:
        db.session.execute(
            text("""
                INSERT INTO year_block (block, school_year, content)
                SELECT b.block, :year, b.content FROM unnest(CAST(:blocks AS int[]), CAST(:contents AS bytea[]))
                  AS b (block, content)
                ON CONFLICT (block, school_year) DO UPDATE SET content = excluded.content
            """),
            {"blocks": list(contents), "contents": list(contents.values()), "year": school_year},
        )


def keep_earlier(days: Mapping[int, date], school_year: date, apart: timedelta, kept: int) -> None:
    """Put the blocks, each known up to its day, aside as they are now; only where none was put aside shortly before
    that still tells of most of its students.

    Of each block the latest `kept` stay.
    """
    told = {"blocks": list(days), "days": list(days.values()), "year": school_year}
    fresh = db.session.scalars(
        text("""
            INSERT INTO past_block (block, school_year, day, content)
            SELECT y.block, y.school_year, d.day, y.content
            FROM unnest(CAST(:blocks AS int[]), CAST(:days AS date[])) AS d (block, day) JOIN year_block y USING (block)
            WHERE y.school_year = :year AND NOT EXISTS (
                SELECT FROM past_block p WHERE p.block = y.block AND p.school_year = :year AND p.day > d.day - :apart
                   AND cardinality(p.outdated) * 2 <= (SELECT count(*) FROM block_student b WHERE b.block = y.block))
            ON CONFLICT (block, school_year, day) DO UPDATE SET content = excluded.content, outdated = '{}'
            RETURNING block
        """),
        {**told, "apart": apart},
    ).all()
    db.session.execute(
        text("""
            DELETE FROM past_block p WHERE p.block = ANY(:fresh) AND p.school_year = :year AND :kept <= (
                SELECT count(*) FROM past_block later
                WHERE later.block = p.block AND later.school_year = :year AND later.day > p.day)
        """),
        {"fresh": list(fresh), "year": school_year, "kept": kept},
    )


# Students and the first day of theirs that changed, each with the blocks put aside of them.
_ASIDE = """
    FROM unnest(CAST(:students AS int[]), CAST(:since AS date[])) AS a (student_id, since)
    JOIN block_student b USING (student_id) JOIN past_block p ON p.block = b.block AND p.school_year = :year
"""


def outdate(students: np.ndarray, since: np.ndarray, school_year: date) -> None:
    """What was put aside no longer holds of these students where it tells of the first changed day or later ones."""
    db.session.execute(
        text(f"""
            UPDATE past_block q SET outdated = q.outdated || t.students FROM (
                SELECT p.block, p.day, array_agg(a.student_id) AS students {_ASIDE}
                WHERE p.day >= a.since AND a.student_id <> ALL(p.outdated) GROUP BY p.block, p.day) t
            WHERE q.block = t.block AND q.day = t.day AND q.school_year = :year
        """),
        {"students": students, "since": since, "year": school_year},
    )


def earlier(students: np.ndarray, since: np.ndarray, school_year: date) -> list[tuple[int, bytes, list[int]]]:
    """(block, what was packed of it, students) of the latest day put aside before each student's first changed day."""
    found = db.session.execute(
        text(f"""
            SELECT p.block, p.content, t.students FROM past_block p JOIN (
                SELECT block, day, array_agg(student_id) AS students FROM (
                    SELECT DISTINCT ON (a.student_id) a.student_id, p.block, p.day {_ASIDE}
                    WHERE p.day < a.since AND a.student_id <> ALL(p.outdated) ORDER BY a.student_id, p.day DESC
                ) latest GROUP BY block, day) t USING (block, day)
            WHERE p.school_year = :year
        """),
        {"students": students, "since": since, "year": school_year},
    )
    return [(block, content, ids) for block, content, ids in found]
