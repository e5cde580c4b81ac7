"""Rows that were made from an export, as text in our columns: in memory while small, on disk past 16 MB."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ew_app.feeds.formats import DateOrder
from ew_app.feeds.handed import Opener
from ew_app.feeds.refused import RefusedFile, Why

LINE: Final = "@line"  # stands before the order of dates in the first column's name
PROBLEM: Final = "@problem"
OF_ANOTHER_KIND: Final = " are not read here, so what was missed that day is not known."  # ends why a row stays out
IN_MEMORY: Final = 16 << 20
_FLUSH: Final = 1 << 20


def is_numbered(names: Sequence[str]) -> bool:
    """Whether a header is that of rows made from an export."""
    return len(names) > 1 and names[0].startswith(f"{LINE} ") and names[1] == PROBLEM


def order_of(names: Sequence[str]) -> DateOrder:
    """The order of dates that such a header tells."""
    return DateOrder(names[0].removeprefix(f"{LINE} "))


class Written:
    """A file of ours in the making. Each row begins with the line it came from and why it stays out, if it does."""

    def __init__(self, columns: Sequence[str], order: DateOrder) -> None:
        self.columns = tuple(columns)
        self.rows = 0
        self._text = io.StringIO(newline="")
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._held = io.BytesIO()
        self._kept: _Kept | None = None
        self._rows.writerow([f"{LINE} {order.value}", PROBLEM, *columns])

    def add(self, line: int, cells: Sequence[str], reason: str = "") -> None:
        """A row, its cells in the order of the columns; reason: why it stays out, though it tells whose it is."""
        self._rows.writerow([line, reason, *cells])
        self._count()

    def reject(self, line: int, reason: str) -> None:
        """A row that stays out, with a sentence."""
        self._rows.writerow([line, reason, *[""] * len(self.columns)])
        self._count()

    def finished(self) -> tuple[int, Opener]:
        """Its size, and a way to read it as often as needed; no row may follow."""
        self._flush()
        if self._kept is not None:
            return self._kept.path.stat().st_size, self._kept.open
        data = self._held.getvalue()
        return len(data), lambda: io.BytesIO(data)

    def _count(self) -> None:
        self.rows += 1
        if self._text.tell() > _FLUSH:
            self._flush()

    def _flush(self) -> None:
        block = self._text.getvalue().encode("utf-8", "replace")
        self._text.seek(0)
        self._text.truncate()
        if self._kept is None and self._held.tell() + len(block) <= IN_MEMORY:
            self._held.write(block)
            return
        try:
            self._kept = self._kept or _Kept(self._held.getvalue())
            with self._kept.path.open("ab") as file:
                file.write(block)
        except OSError as error:
            raise RefusedFile(
                Why.TOO_LARGE,
                f"There is no room on this machine to take the export apart ({error.strerror}). Nothing was kept; "
                "make room in its temporary folder and send it again.",
            ) from error


class _Kept:
    """A temporary file that goes when nobody can read it any more."""

    def __init__(self, begins: bytes) -> None:
        number, name = tempfile.mkstemp(prefix="ew-rows-")
        with os.fdopen(number, "wb") as file:
            file.write(begins)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)

    def open(self) -> io.BufferedReader:
        return self.path.open("rb")
