"""Packed school years: content by block, and which block a student is packed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_ints


def contents(blocks: Iterable[int], school_year: date) -> list[tuple[int, bytes]]:
    """(block, what is packed of it) for the school year that starts on this day."""
    found = text("SELECT block, content FROM year_block WHERE block = ANY(:blocks) AND school_year = :year")
    rows = db.session.execute(found, {"blocks": list(blocks), "year": school_year})
    return [(block, content) for block, content in rows]


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
