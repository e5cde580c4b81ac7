"""The few bulk writes and reads: columns in by COPY, integer columns out as arrays.

A column is a list or array; all columns of a call have the same length; no rows is a no-op.
Everything runs on the session's own connection, so it belongs to the open transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from psycopg import Cursor, sql

from models.base import db
from models.prepared import prepare

_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_ESCAPED = re.compile(r"[\\\t\n\r]")
_PLAIN = {int, float, date, datetime, type(None)}
_REPEATED = {str, bool, date, type(None)}  # no value of one of them equals one of another
_SOME = 1000  # values by which a column is judged
_ARRAY_HEADER = 20
_BLOCK = 65_536
LISTS_AT_ONCE = 1000


def cursor() -> Cursor[Any]:
    """A psycopg cursor on the session's connection."""
    connection = db.session.connection().connection.driver_connection
    assert connection is not None
    at: Cursor[Any] = connection.cursor()
    return at


def copy_in(table: str, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> int:
    """Append rows given as columns; None is NULL. Returns how many rows went in."""
    names = list(columns)
    texts = [_as_text(columns[name]) for name in names]
    rows = len(texts[0]) if texts else 0
    if not rows:
        return 0
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with cursor() as at, at.copy(command) as copy:
        for start in range(0, rows, _BLOCK):
            block = zip(*(text[start : start + _BLOCK] for text in texts), strict=True)
            copy.write("\n".join(map("\t".join, block)) + "\n")
    return rows


def copy_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """The same for rows that all name the same columns."""
    return copy_in(table, {name: [row[name] for row in rows] for name in rows[0]} if rows else {})


def read_ints(query: str, names: Iterable[str], parameters: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
    """Run a query whose every column is a non-null int4 and return it as int32 arrays by name.

    One row with an array for each column: five times faster than reading row by row.
    Dates are asked for as days since 1970 (`day - DATE '1970-01-01'`).
    """
    names = list(names)
    places = [f"c{place}" for place in range(len(names))]
    arrays = ", ".join(f"array_send(array_agg({place}::int))" for place in places)
    packed = f"SELECT {arrays} FROM ({query}) AS asked ({', '.join(places)})"
    with cursor() as at:
        row = at.execute(sql.SQL(packed), parameters, binary=True, prepare=prepare(parameters)).fetchone()
    return {name: _unpacked(column) for name, column in zip(names, row or (), strict=True)}


def read_lists(
    query: str, names: Sequence[str], wanted: np.ndarray, parameters: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Like `read_ints`, of a query whose last column is an int4[]: a row for each `wanted` number in the lists.

    The lists come whole: looking into them here is several times faster than having them unnested there. They are
    looked into some at a time, because all those of a school year are many times what is wanted of them.
    """
    *numbers, listed = names
    nothing = np.zeros((0, len(names)), dtype=np.int32)
    with cursor() as at:
        at.execute(sql.SQL(query), parameters, binary=True, prepare=prepare(parameters))
        batches = iter(lambda: at.fetchmany(LISTS_AT_ONCE), [])
        kept = np.concatenate([nothing, *(_with_listed(rows, wanted) for rows in batches)])
    return dict(zip((*numbers, listed), np.ascontiguousarray(kept.T), strict=True))


def _with_listed(rows: Sequence[Sequence[Any]], wanted: np.ndarray) -> np.ndarray:
    """[K, columns] of rows that end in a list: a row for each wanted number, which stands in the list's place."""
    lists = [_unpacked(row[-1]) for row in rows]
    every = np.concatenate(lists)
    kept = np.flatnonzero(np.isin(every, wanted))
    of_row = np.repeat(np.arange(len(rows)), [len(one) for one in lists])[kept]
    numbers = np.array([row[:-1] for row in rows], dtype=np.int32).reshape(len(rows), -1)
    return np.column_stack((numbers[of_row], every[kept]))


def read_columns(
    query: str, numbers: Iterable[str], texts: Iterable[str], parameters: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Like `read_ints`, with text columns behind the integer columns: lists of str. The query keeps its order."""
    numbers, texts = list(numbers), list(texts)
    names = [f"c{place}" for place in range(len(numbers) + len(texts))]
    arrays = [f"array_send(array_agg({name}::int))" for name in names[: len(numbers)]]
    joined = [f"string_agg({name}, E'\\x1f')" for name in names[len(numbers) :]]
    packed = f"SELECT {', '.join((*arrays, *joined))}, count(*) FROM ({query}) AS asked ({', '.join(names)})"
    with cursor() as at:
        *columns, rows = at.execute(
            sql.SQL(packed), parameters, binary=True, prepare=prepare(parameters)
        ).fetchone() or (0,)
    found: dict[str, Any] = {name: _unpacked(column) for name, column in zip(numbers, columns, strict=False)}
    for name, column in zip(texts, columns[len(numbers) :], strict=True):
        found[name] = column.split("\x1f") if rows else []
    return found


def ints(values: Iterable[int] | np.ndarray) -> np.ndarray:
    """Ids as a parameter that goes out in binary form."""
    return values if isinstance(values, np.ndarray) else np.fromiter(values, dtype=np.int64)


def _unpacked(column: bytes | None) -> np.ndarray:
    """The numbers of an int4 array in PostgreSQL's binary form: a header, then a length before each value."""
    if column is None or len(column) < _ARRAY_HEADER:
        return np.zeros(0, dtype=np.int32)
    return np.frombuffer(column, dtype=">i4", offset=_ARRAY_HEADER)[1::2].astype(np.int32)


def _as_text(column: Sequence[Any] | np.ndarray) -> Sequence[str]:
    """A column in COPY's text form; most texts hold nothing to escape, and most other values come again and again."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind in "iu":
            return list(map(str, column.tolist()))
        column = column.tolist()
    kinds = set(map(type, column))
    if kinds == {str} and not _ESCAPED.search("".join(column)):
        return list(column)
    if kinds <= _REPEATED and 4 * len(set(column[:_SOME])) < len(column[:_SOME]):
        texts = {value: _NULL if value is None else _one(value) for value in set(column)}
        return [texts[value] for value in column]
    if kinds <= _PLAIN:
        return [_NULL if value is None else str(value) for value in column]
    return [_NULL if value is None else _one(value) for value in column]


def _one(value: Any) -> str:
    """A value in COPY's text form."""
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, dict):
        value = json.dumps(value)
    elif isinstance(value, list):
        value = "{" + ",".join(map(_element, value)) + "}"
    return str(value).translate(_ESCAPES)


def _element(value: Any) -> str:
    """A value inside an array literal."""
    if isinstance(value, str):
        return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
    return "NULL" if value is None else str(value)
