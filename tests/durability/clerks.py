"""Clerks who hand in at the same moment, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ew_app.config import Settings
from tests.durability.district import District, read_rows, write_rows
from tests.durability.machine import Machine, ask, wait_until
from tests.opened import on

BUCKETS = ("applied", "unchanged", "superseded", "rejected", "duplicate")
ADDS_UP = "coalesce((counts->>'rows_in')::int, 0) = " + " + ".join(
    f"coalesce((counts->>'{bucket}')::int, 0)" for bucket in BUCKETS
)


def hand_in(machine: Machine, settings: Settings, deliveries: Sequence[Callable[[], int]]) -> list[int]:
    """Two clerks share these deliveries and two workers load them; the batches, when all is over."""
    with on(settings) as app, machine.working(settings, concurrency=2), ThreadPoolExecutor(2) as clerks:

        def one(receive: Callable[[], int]) -> int:
            with app.app_context():
                return receive()

        batches = list(clerks.map(one, deliveries))
        wait_until(lambda: all_over(settings), what="the end of all batches")
    return batches


def one_by_one(machine: Machine, settings: Settings, district: District, deliveries: Sequence[list[Path]]) -> None:
    """The same by one clerk, who waits for the end of each."""
    with on(settings), machine.working(settings):
        for files in deliveries:
            district.receive_here("a.csv", files)
            wait_until(lambda: all_over(settings), what="the end of the batch")


def all_over(settings: Settings) -> bool:
    """No work waits; what was tried more than once is not hidden by its second success."""
    return ask(settings, "SELECT count(*) FROM outbox WHERE done_at IS NULL AND quarantined_at IS NULL") == [(0,)]


def conflicts(settings: Settings) -> int:
    """Deadlocks that the database had to break, and attempts that were not the first."""
    ((deadlocks,),) = ask(settings, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    ((again,),) = ask(settings, "SELECT coalesce(sum(attempts - 1), 0) FROM outbox WHERE attempts > 0")
    return int(deadlocks + again)


def waits_for_a_lock(settings: Settings) -> int:
    """How many connections wait for somebody else's."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pg_blocking_pids(pid) <> '{}'"
    ((number,),) = ask(settings, query)
    return int(number)


def corrected(whole: Path, path: Path) -> Path:
    """The same rows, every fortieth with another code."""
    rows = read_rows(whole)
    for row in rows[::40]:
        row["code"] = "T" if row["code"] != "T" else "A"
    return write_rows(path, rows)


def one_school_each(whole: Path, folder: Path) -> list[Path]:
    """The rows of each school as a file of its own."""
    rows = read_rows(whole)
    schools = sorted({row["school_id"] for row in rows})
    return [
        write_rows(folder / f"{whole.stem}-{school}.csv", [row for row in rows if row["school_id"] == school])
        for school in schools
    ]


def by_school(settings: Settings) -> dict[int, str]:
    """School -> a sum over the marks and rolls that stand there."""
    found = ask(
        settings,
        """
        SELECT school_id, md5(string_agg(said, chr(10) ORDER BY said)) FROM (
            SELECT school_id, concat_ws(' ', 'mark', student_id, day, period, code, fraction, minutes) AS said FROM mark
            UNION ALL
            SELECT school_id, concat_ws(' ', 'roll', student, day) FROM roll, unnest(students) student
            WHERE replaced_by IS NULL) t GROUP BY school_id
        """,
    )
    return dict(found)
