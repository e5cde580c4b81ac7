"""What other rosters have said since of rows that one of them had set: read again from their bytes, in their order.

So a roster that only repeats what is stored writes nothing when it comes, and counts all the same once the one it
repeated is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import select

from ew_app.services.rosters.roster_rows import Incoming
from ew_app.services.rosters.roster_storing import leave_out_rejected, reading_of, store
from ew_app.services.rosters.roster_tables import ORDER, ROSTER_TABLES
from ew_app.services.rosters.student_changes import load_changes
from models.attendance import Batch, BatchFile, BatchSlice
from models.base import db
from models.upsert import TAKEN_BACK

CHANGES = "student_changes"


def lay_what_followed(batch_id: int, tables: Collection[str], parted: Collection[str]) -> None:
    """Lay later rosters over the rows of these tables that were set back, and over the former ids that were parted."""
    fill = {table.name for table in ROSTER_TABLES.values() if table.fills & set(tables)}
    for batch, file in _files_since(batch_id, fill | ({CHANGES} if parted else set())):
        if file.table_name == CHANGES:
            with reading_of(batch, file) as reading:
                load_changes(reading, batch.id, only=parted)
        else:
            _lay(batch, file, batch_id)
        db.session.flush()


def _lay(batch: Batch, file: BatchFile, undoing: int) -> None:
    """One file once more, for the rows that were set back; what was kept out of it then is not looked at again."""
    table = ROSTER_TABLES[file.table_name]
    with reading_of(batch, file) as reading:
        rows = Incoming(table, reading)
    leave_out_rejected(batch.id, file.name)
    rows.sort_out()
    store(batch, table, rows, undoing=undoing)


def _files_since(batch_id: int, tables: Collection[str]) -> Iterator[tuple[Batch, BatchFile]]:
    """The files of later rosters that went in and still stand, in the order in which they went in."""
    taken_back = select(BatchSlice.batch_id).where(BatchSlice.key == TAKEN_BACK)
    asked = (
        select(BatchFile.id, BatchFile.batch_id, BatchFile.table_name, BatchFile.name)
        .join(BatchSlice, (BatchSlice.batch_id == BatchFile.batch_id) & (BatchSlice.key == BatchFile.name))
        .where(
            BatchFile.batch_id > batch_id,
            BatchFile.part == 0,
            BatchFile.table_name.in_(tables),
            BatchFile.batch_id.not_in(taken_back),
        )
    )
    found = sorted(db.session.execute(asked).all(), key=lambda row: (row[1], ORDER.index(row[2]), row[3]))
    for file, batch, _, _ in found:
        yield db.session.get_one(Batch, batch), db.session.get_one(BatchFile, file)
