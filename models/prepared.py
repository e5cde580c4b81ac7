"""Statements that are asked again are prepared once for each connection, those with long arrays never.

The driver prepares what it has sent five times, and the server then keeps a plan where it suits every value. A plan
that suits any array would read a long one row by row, so such a statement is planned for its own array each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from psycopg import Connection, Cursor, ServerCursor
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

KEPT = 400  # statements for each connection: what the pages of one role ask many times over
LONG = 100  # values


def prepare(parameters: object) -> bool | None:
    """What to tell psycopg of a statement: None, to prepare it once it was sent often enough, or False, never."""
    values = parameters.values() if isinstance(parameters, Mapping) else ()
    return False if any(isinstance(one, list | np.ndarray) and len(one) > LONG for one in values) else None


@event.listens_for(Pool, "connect")
def _keep_more(connection: Connection[Any], _: object) -> None:
    connection.prepared_max = KEPT


@event.listens_for(Engine, "do_execute")
def _execute(cursor: Cursor[Any], statement: str, parameters: Any, _: object) -> bool:
    """Whether it was sent here: what has no long array goes the driver's way, and so does what is read as a stream."""
    if prepare(parameters) is None or isinstance(cursor, ServerCursor):
        return False
    cursor.execute(statement, parameters, prepare=False)
    return True
