"""numpy arrays as parameters: integers as int[], days as date[], in binary form and many times faster than lists.

Importing this teaches psycopg; engines made before do not know it. Nothing in an array may be missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from psycopg import adapters
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_DATE, _DATES, _INT, _INTS = 1082, 1182, 23, 1007  # object ids of PostgreSQL's types
_EPOCH = np.datetime64("2000-01-01")  # where PostgreSQL's dates start


class _Days(Dumper):
    """datetime64[D] as date[]."""

    format = Format.BINARY
    oid = _DATES

    def dump(self, obj: np.ndarray) -> Buffer:
        return _packed((obj - _EPOCH).astype(np.int64), _DATE)


class _Ints(Dumper):
    """Integers as int[], days as date[]."""

    format = Format.BINARY
    oid = _INTS

    def get_key(self, obj: np.ndarray, format: Any) -> Any:
        return (self.cls, _Days) if obj.dtype.kind == "M" else self.cls

    def upgrade(self, obj: np.ndarray, format: Any) -> Dumper:
        return _Days(self.cls) if obj.dtype.kind == "M" else self

    def dump(self, obj: np.ndarray) -> Buffer:
        return _packed(obj, _INT)


def _packed(values: np.ndarray, kind: int) -> bytes:
    """A one-dimensional array in PostgreSQL's binary form: a header, then a length before each value."""
    cells = np.empty((len(values), 2), dtype=">i4")
    cells[:, 0], cells[:, 1] = 4, values
    shape = (1, 0, kind, len(values), 1) if len(values) else (0, 0, kind)
    return np.array(shape, dtype=">i4").tobytes() + cells.tobytes()


adapters.register_dumper(np.ndarray, _Ints)
