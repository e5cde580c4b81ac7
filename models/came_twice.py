"""Deliveries that came once more with the very same bytes, and what the second is given when the first goes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from models.base import db

SAME_AS: Final = "same_as"  # in the counts of a duplicate: the batch that said it before

# Whoever sent it may speak for fewer schools than the first did.
_THEIRS = "(NOT o.options ? 'schools' OR o.options->'schools' ? s.key)"
_STEPS = (
    "DELETE FROM batch_file WHERE batch_id = :other",
    """
    INSERT INTO batch_file (batch_id, name, part, table_name, size, sha256, content)
    SELECT :other, name, part, table_name, size, sha256, content FROM batch_file WHERE batch_id = :batch ORDER BY id
    """,
    """
    INSERT INTO problem (batch_id, file, line, reason, "column", value, rejected, cause, settled_at)
    SELECT :other, file, line, reason, "column", value, rejected, cause, settled_at FROM problem
    WHERE batch_id = :batch ORDER BY id
    """,
    # It said so when it came, and behind what it repeated.
    f"""
    INSERT INTO submission (school_id, day, batch_id, feed, rows, whole, taken, recorded_at)
    SELECT m.school_id, m.day, o.id, m.feed, m.rows, m.whole, m.taken,
           greatest(o.received_at, m.recorded_at + interval '1 microsecond')
    FROM submission m JOIN school s ON s.id = m.school_id JOIN batch o ON o.id = :other
    WHERE m.batch_id = :batch AND m.ended_at IS NULL AND {_THEIRS} ON CONFLICT DO NOTHING
    """,
    """
    UPDATE batch SET counts = counts || jsonb_build_object('same_as', CAST(:other AS int))
    WHERE status = 'duplicate' AND CAST(counts->>'same_as' AS int) = :batch AND id <> :other
    """,
)


def first_repeat(batch_id: int) -> int | None:
    """The first delivery that was known as the same as this one. What comes by the browser is looked at first, and is
    meant all the same; a preview by command is not."""
    found: int | None = db.session.scalar(
        text("""
            SELECT id FROM batch WHERE status = 'duplicate' AND (NOT preview OR options ? 'once')
              AND CAST(counts->>'same_as' AS int) = :batch ORDER BY id LIMIT 1
        """),
        {"batch": batch_id},
    )
    return found


def hand_over(batch_id: int, other: int) -> None:
    """Give the files, the rows that wait and the claims of a batch to another that said the same; later repeats are
    the other's from now on."""
    for step in _STEPS:
        wanted = {"batch": batch_id, "other": other}
        db.session.execute(text(step), {name: wanted[name] for name in wanted if f":{name}" in step})
