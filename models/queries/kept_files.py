"""The bytes of delivered files, put together from the parts they are kept in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from sqlalchemy import select

from models.attendance import BatchFile
from models.base import db

IN_MEMORY: Final = 64 << 20


@contextmanager
def open_file(batch_id: int, name: str) -> Iterator[BinaryIO]:
    """The bytes of a file as they came, put together from their parts; on disk past 64 MB."""
    parts = db.session.scalars(
        select(BatchFile.content)
        .where(BatchFile.batch_id == batch_id, BatchFile.name == name)
        .order_by(BatchFile.part)
        .execution_options(yield_per=1)
    )
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
        for part in parts:
            whole.write(part)
        whole.seek(0)
        yield cast(BinaryIO, whole)
