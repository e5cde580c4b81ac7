"""Rows of a roster file into the tables they fill, each with its earlier form kept.

`undoing`: the delivery that is being taken back while what followed is laid over again; then only rows it had set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text

from ew_app.feeds import OURS, Reading, layout, load_export, read
from ew_app.kernel import now
from ew_app.services.rosters import said_by_hand
from ew_app.services.rosters.roster_rows import Incoming
from ew_app.services.rosters.roster_targets import ABSENCE_CODE, SAID_BY_AN_EXPORT, SUPPORT_FLAG, RosterTable, Write
from models.attendance import Batch, BatchFile
from models.base import db
from models.queries.kept_files import open_file
from models.upsert import STANDS, again_of, end_rows, only_again, upsert

# An export's own list of codes says less than a person does, or a file of ours, so it corrects neither, only what an
# export had said; what was said for the whole district holds also where the export has the code for each school.
UNEXPLAINED: Final = f"""
    WHERE NOT EXISTS (
        SELECT FROM absence_code c LEFT JOIN batch b ON b.id = c.batch_id
        WHERE c.code = i.code AND (c.school_id IS NULL OR c.school_id = i.school_pk)
          AND (c.school_id IS NULL OR coalesce(b.options ->> 'format', '{OURS}') = '{OURS}')
          AND {STANDS.format(row="c")})
"""
# Rows `t` of which our own file says something without a first day.
_OF_THE_FILE: Final = """
    EXISTS (SELECT FROM incoming i WHERE i.code = t.code AND i.school_pk IS NOT DISTINCT FROM t.school_id
              AND i.valid_from IS NULL)
"""
EXIT_KNOWN: Final = "exit_known"  # among a batch's options: how exit dates of its source were known to be meant
_FLAGS: Final = {"stls": "stls", "iep": "iep_504", "section_504": "iep_504"}


@contextmanager
def reading_of(batch: Batch, file: BatchFile) -> Iterator[Reading]:
    """The file as its batch says it is to be read, whole in whatever parts it is kept; `file` is the first."""
    mapping = batch.options.get("mapping", {}).get(file.table_name)
    with open_file(batch.id, file.name) as stream:
        yield read(stream, layout(batch.options, file.table_name), mapping=mapping)


def store(batch: Batch, table: RosterTable, rows: Incoming, *, undoing: int = 0) -> tuple[int, int]:
    """(created, changed) rows of the file's own table."""
    counts = (0, 0)
    for write in table.writes:
        source = _source(write, rows, undoing)
        if write.target is ABSENCE_CODE and not (rows.of_an_export or undoing):
            end_rows(ABSENCE_CODE, f"{SAID_BY_AN_EXPORT} AND {_OF_THE_FILE}", batch_id=batch.id, at=now())
        days_off = {"days_off": int(_exit_rule(batch, rows) == "exclusive")} if ":days_off" in source else {}
        counts = upsert(
            write.target,
            source,
            batch_id=batch.id,
            at=now(),
            absent=write.absent(rows.present),
            parameters=days_off,
            undoing=undoing,
        )
    if table.restricted:
        _store_flags(batch, rows, undoing)
    return counts


def _source(write: Write, rows: Incoming, undoing: int) -> str:
    """Which rows of the file go in."""
    if write.target is ABSENCE_CODE and rows.of_an_export:
        again = f"AND i.code IN (SELECT code FROM {again_of(ABSENCE_CODE)})" if undoing else ""
        return f"{write.source()} {UNEXPLAINED} {again}"
    source = said_by_hand.of_a_file(write, rows.present) if write.target is ABSENCE_CODE else write.source()
    return only_again(write.target, source) if undoing else source


def known_exit(batch: Batch) -> str:
    """How the source is known to mean its exit dates; once loaded, how it was known then."""
    return batch.options.get(EXIT_KNOWN) or ("inclusive" if batch.source.exit_inclusive else "exclusive")


def _exit_rule(batch: Batch, rows: Incoming) -> str:
    """Whether an exit date is the last day or the day after: as said for this delivery, as the export it came from
    writes it, or as the source is known to mean it."""
    exported = load_export(batch.options["format"]).exit if rows.of_an_export else ""
    return batch.options.get("exit") or exported or known_exit(batch)


def _store_flags(batch: Batch, rows: Incoming, undoing: int) -> None:
    """Restricted columns go to their compartments. No, or nothing in a column that is there, ends a flag
    that a roster had set; an unreadable cell leaves it, and so does a missing column."""
    rows.resolve_students()
    named = [name for name in _FLAGS if name in rows.present]
    if not named:
        return
    values = ", ".join(f"('{name}', '{_FLAGS[name]}', i.{name})" for name in named)
    source = f"""
        SELECT i.line, i.unread, i.student_pk AS student_id, f.key, f.compartment
        FROM incoming i CROSS JOIN LATERAL (VALUES {values}) f(key, compartment, said) WHERE f.said
    """
    if undoing:
        source = only_again(SUPPORT_FLAG, source)
    upsert(SUPPORT_FLAG, source, batch_id=batch.id, at=now(), undoing=undoing)
    ended = f"""
        t.batch_id IS NOT NULL AND EXISTS (
            SELECT FROM incoming i CROSS JOIN LATERAL (VALUES {values}) f(key, compartment, said)
            WHERE i.student_pk = t.student_id AND f.key = t.key AND f.said IS NOT TRUE
              AND NOT f.key = ANY(coalesce(i.unread, CAST('{{}}' AS text[]))))
    """
    if undoing:
        ended += f"""
            AND t.batch_id <> {int(undoing)} AND EXISTS (
                SELECT FROM {again_of(SUPPORT_FLAG)} g WHERE g.student_id = t.student_id AND g.key = t.key)
        """
    end_rows(SUPPORT_FLAG, ended, batch_id=batch.id, at=now())


def leave_out_rejected(batch_id: int, file: str) -> None:
    """Of the incoming rows those that were kept out when the file was loaded: they never were in."""
    db.session.execute(
        text("""
            DELETE FROM incoming i USING problem p
            WHERE p.batch_id = :batch AND p.file = :file AND p.rejected AND p.line = i.line
        """),
        {"batch": batch_id, "file": file},
    )
