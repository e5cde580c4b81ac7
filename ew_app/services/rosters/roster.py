"""A roster delivery, from its files to schools, students, enrolments, calendars, codes and contacts.

Rows are upserted by key and nothing is removed because it is missing. Each file is one transaction that also
holds its counts, so a delivery that was interrupted goes on where it stopped, to the same counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select, text

from ew_app.feeds import Reading, RefusedFile
from ew_app.feeds.names import tells_changes
from ew_app.kernel import operation, today
from ew_app.services.casework import origin, repairing
from ew_app.services.measuring.touched import touch_changed
from ew_app.services.rosters import said_by_hand
from ew_app.services.rosters.roster_people import load_people
from ew_app.services.rosters.roster_rows import Incoming, store_problems
from ew_app.services.rosters.roster_storing import EXIT_KNOWN, known_exit, reading_of, store
from ew_app.services.rosters.roster_tables import ORDER, ROSTER_TABLES
from ew_app.services.rosters.roster_targets import ABSENCE_CODE, ROSTER_LOCK, RosterTable
from ew_app.services.rosters.roster_undo import take_back
from ew_app.services.rosters.student_changes import load_changes
from models.attendance import Batch, BatchFile, BatchSlice
from models.base import db
from models.queries.periods import longer_than_a_day
from models.queries.roster import enrolled_on, twice_at_a_school
from models.recounting import recount_absences_since
from rules.counting import are, many
from rules.stints import school_year_start

__all__ = ["apply", "take_back"]

SHRUNKEN: Final = 95  # percent of the enrolled below which a file deserves a remark
_ROOM: Final = (
    "So those that this file does not set are no part of the day any more ({}); days that name them still count by "
    "their minutes."
)
_NO_ROOM: Final = (
    "If they meet on different days, nobody can know here which were due: a day of which only the missed ones are told "
    "stays unknown, until it is sent with a row for each period (full feed, or --periods rows). If the day is longer, "
    "send day_minutes with schools.csv."
)
NAMED: Final = 3  # ids in a remark about several students
SUMMED: Final = ("rows_in", "applied", "superseded", "unchanged", "rejected", "duplicate")


@dataclass(frozen=True, slots=True)
class FileCounts:
    """What became of the rows of one file: rows_in = created + changed + unchanged + rejected + duplicate."""

    rows_in: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    duplicate: int = 0
    unused: int = 0  # rows of a file we read and do not use yet; outside the sum
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For the slice and the batch."""
        return {name: getattr(self, name) for name in self.__slots__}


def apply(batch: Batch) -> dict[str, Any]:
    """Load every file of a roster batch; a file that is done already keeps its counts.

    Returns totals in attendance's words (applied = created, superseded = changed), `files`: counts by file
    name, `notes`: sentences for people. RefusedFile: one file cannot be read, nothing of any is stored.
    """
    number = batch.id
    files = _files(number)
    for file, _ in files:
        _read_through(number, file)
    _settle_exit_dates(number)
    counts = {name: _load_once(number, file, index, len(files)) for index, (file, name) in enumerate(files)}
    repairing.settle()  # what was asked of the clerk may have come with it
    return _summary(counts)


def _files(batch_id: int) -> list[tuple[int, str]]:
    """(id, name) of the files: whoever is named in a row is loaded before it, and what is gone before what is new."""
    found = db.session.execute(
        select(BatchFile.id, BatchFile.name, BatchFile.table_name).where(
            BatchFile.batch_id == batch_id, BatchFile.part == 0
        )
    ).all()
    known = [row for row in found if row.table_name in ORDER]
    known.sort(key=lambda row: (ORDER.index(row.table_name), not tells_changes(row.name), row.name))
    return [(row.id, row.name) for row in known]


def _read_through(batch_id: int, file_id: int) -> None:
    """Read a file to its end before any is stored: a refusal half-way would leave half a roster."""
    file = db.session.get_one(BatchFile, file_id)
    if db.session.get(BatchSlice, (batch_id, file.name)):
        return
    try:
        with reading_of(db.session.get_one(Batch, batch_id), file) as reading:
            for _ in reading:
                pass
    except RefusedFile as refused:
        raise refused.of(file.name) from refused


@operation
def _settle_exit_dates(batch_id: int) -> None:
    """`exit` inclusive or exclusive, once said, holds for the source from then on; this delivery keeps its reading."""
    batch = db.session.get_one(Batch, batch_id)
    if said := batch.options.get("exit"):
        batch.source.exit_inclusive = said == "inclusive"
    batch.options = {EXIT_KNOWN: known_exit(batch)} | batch.options


@operation
def _load_once(batch_id: int, file_id: int, index: int, of: int) -> dict[str, Any]:
    """Load one file, or tell what it counted when it was loaded."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})
    batch, file = db.session.get_one(Batch, batch_id), db.session.get_one(BatchFile, file_id)
    done = db.session.get(BatchSlice, (batch_id, file.name))
    if done:
        return done.counts
    counts = _load(batch, file).as_dict()
    db.session.add(BatchSlice(batch_id=batch_id, key=file.name, counts=counts))
    batch.step, batch.percent = file.name, 100 * (index + 1) // of
    return counts


def _load(batch: Batch, file: BatchFile) -> FileCounts:
    with reading_of(batch, file) as reading:
        if file.table_name == "people":
            return _load_people(batch, file, reading)
        if file.table_name == "student_changes":
            return _load_changes(batch, file, reading)
        table = ROSTER_TABLES.get(file.table_name)
        return _load_table(batch, file, reading, table) if table else _count_only(batch, file, reading)


def _load_people(batch: Batch, file: BatchFile, reading: Reading) -> FileCounts:
    people = load_people(reading, batch.received_by)
    store_problems(batch.id, file.name, people.problems)
    return FileCounts(people.rows_in, people.created, people.changed, people.unchanged, people.rejected)


def _load_changes(batch: Batch, file: BatchFile, reading: Reading) -> FileCounts:
    changes = load_changes(reading, batch.id)
    store_problems(batch.id, file.name, changes.problems)
    return FileCounts(changes.rows_in, changes.created, 0, changes.unchanged, changes.rejected, changes.duplicate)


def _load_table(batch: Batch, file: BatchFile, reading: Reading, table: RosterTable) -> FileCounts:
    """One file into its tables: staged, sorted out, stored with history, students marked for measuring."""
    moment = {"today": today()}
    rows = Incoming(table, reading)
    rows.sort_out(moment)
    notes = _shrunken() if table.name == "enrollments" and not _of_changes(batch) else []
    created, changed = store(batch, table, rows)
    if table.name == "enrollments":
        notes += _two_at_once()
        origin.ask_first(batch.id)
    notes += _longer_than_a_day() if table.name == "schedule" else []
    if ABSENCE_CODE.table in table.fills:
        notes += [] if rows.of_an_export else said_by_hand.told(table.writes[0], rows.present)
        recount_absences_since(batch.id)
    touch_changed(batch.id, table.fills, school_year_start(today()))
    store_problems(batch.id, file.name, rows.problems)
    kept = rows.good - created - changed
    return FileCounts(rows.rows_in, created, changed, kept, rows.rejected, rows.duplicate, notes=notes)


def _of_changes(batch: Batch) -> bool:
    """Whether a roster tells what changed alone, and not everybody."""
    names = db.session.scalars(select(BatchFile.name).where(BatchFile.batch_id == batch.id))
    return bool(batch.options.get("changes")) or any(map(tells_changes, names))


def _shrunken() -> list[str]:
    """A remark when the file names far fewer enrolled students than are stored for its schools."""
    found = db.session.execute(
        text("""
            SELECT count(DISTINCT student_pk) FILTER (
                       WHERE entry_date <= :day AND (exit_date IS NULL OR exit_date >= :day)),
                   array_agg(DISTINCT school_pk) FROM incoming
        """),
        {"day": today()},
    ).one()
    named, schools = found
    stored = enrolled_on(today(), schools or [])
    if 100 * named >= SHRUNKEN * stored:
        return []
    return [
        f"The file names {many(named, 'student')} enrolled today, and {stored:,} {are(stored)} stored for its schools. "
        "Nobody was taken out: whoever has left needs a row with an exit date."
    ]


def _two_at_once() -> list[str]:
    """A remark when students of the file have a second enrolment at the same school at the same time."""
    students = twice_at_a_school()
    if not students:
        return []
    ids = f"{', '.join(students[:NAMED])}{' and others' if len(students) > NAMED else ''}"
    return [
        f"{many(len(students), 'student')} of the file {are(len(students), 'has', 'have')} two enrolments at one "
        f"school that overlap ({ids}). Where an entry date was corrected, the row with the former date still stands: "
        "send it once more with an exit date before its entry date, so that no day counts for it. "
        "Fix data lists them under odd enrolments."
    ]


def _longer_than_a_day() -> list[str]:
    """A remark on each timetable with more periods than a day has room for."""
    return [
        f"The class periods of {school}{f', grade {grade},' if grade else ''} add up to {listed:,} minutes, and its "
        f"day has {minutes:,}. {_ROOM.format(', '.join(left_out)) if left_out else _NO_ROOM}"
        for school, grade, listed, minutes, left_out in longer_than_a_day()
    ]


def _count_only(batch: Batch, file: BatchFile, reading: Reading) -> FileCounts:
    """A file we know and cannot use yet: read, counted, and said so."""
    problems = [(problem, True) for chunk in reading for problem in chunk.problems]
    store_problems(batch.id, file.name, problems)
    note = f"{file.name} was read ({reading.rows_in:,} rows) and is not used yet."
    return FileCounts(unused=reading.rows_in, notes=[note])


def _summary(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Totals of all files in the words of an attendance load."""
    words = {"applied": "created", "superseded": "changed"}
    totals: dict[str, Any] = {
        total: sum(counts[words.get(total, total)] for counts in files.values()) for total in SUMMED
    }
    totals["files"] = {
        name: {key: value for key, value in counts.items() if key != "notes"} for name, counts in files.items()
    }
    totals["notes"] = [note for counts in files.values() for note in counts["notes"]]
    return totals
