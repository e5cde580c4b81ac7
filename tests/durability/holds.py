"""Places to stop a load exactly, from outside: a lock that the work needs, held by the test.

The product has no hook for this. While a hold lasts, the worker waits in the database at that place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import psycopg

from ew_app.config import Settings
from ew_app.services.deciding.flagging import LOCK as EVALUATION_LOCK
from ew_app.services.deliveries.attendance import SCHOOL_LOCK
from ew_app.services.deliveries.going_in import DELIVERY_LOCK
from tests.durability.machine import wait_until


class At(StrEnum):
    """Moments in the life of a load."""

    STAGED = "after staging"
    BETWEEN_SLICES = "in the merge, between two slices"
    IN_A_SLICE = "in the merge, a slice written and not committed"
    DECIDING = "all merged, nothing decided"
    DECIDED = "everything decided and not committed"
    APPLIED = "applied and committed, the job not marked done"


_DECIDING = f"SELECT pg_advisory_lock({EVALUATION_LOCK})"
# The locks to take one after the other. A row that is needed earlier too is locked only once the work stands
# at the lock before.
_LOCKS = {
    At.STAGED: [f"SELECT pg_advisory_lock({DELIVERY_LOCK}, hashtext(sha256)) FROM batch WHERE id = %(batch)s"],
    At.BETWEEN_SLICES: [f"SELECT pg_advisory_lock({SCHOOL_LOCK}, max(id)) FROM school"],
    At.IN_A_SLICE: [
        "INSERT INTO touched_block SELECT block, school_id, DATE '2026-08-01' FROM stint"
        " JOIN block_student USING (student_id) ORDER BY school_id DESC, block DESC LIMIT 1"
    ],
    At.DECIDING: [_DECIDING],
    At.DECIDED: [_DECIDING, "SELECT FROM batch WHERE id = %(batch)s FOR UPDATE"],
    At.APPLIED: [_DECIDING, "SELECT FROM outbox WHERE job = 'load_batch' AND args = '[%(batch)s]' FOR UPDATE"],
}


class Hold:
    """The locks of one place."""

    def __init__(self, settings: Settings, at: At, batch: int) -> None:
        self._url, self._batch = str(settings.database_url), batch
        self._first, *self._later = _LOCKS[at]
        self._holder = self._take(self._first)

    def wait(self) -> None:
        """Return when the work stands at this place."""
        self._wait()
        for statement in self._later:
            earlier, self._holder = self._holder, self._take(statement)
            earlier.close()
            self._wait()

    def let_go(self) -> None:
        self._holder.close()

    def _take(self, statement: str) -> psycopg.Connection:
        line = psycopg.ClientCursor(psycopg.connect(self._url))
        line.execute(statement, {"batch": self._batch})
        return line.connection

    def _wait(self) -> None:
        holder = self._holder.info.backend_pid
        waiting = "SELECT FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        with psycopg.connect(self._url, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(waiting, [holder]).fetchone() is not None, what="the work to come here")


@contextmanager
def held(settings: Settings, at: At, batch: int) -> Iterator[Hold]:
    """Hold a place while the block runs."""
    hold = Hold(settings, at, batch)
    try:
        yield hold
    finally:
        hold.let_go()
