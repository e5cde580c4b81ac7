"""The system that is measured: the real command, real workers, and the database's own record of when what ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg

from ew_app.config import Settings
from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from models.queries import boards
from tests.bench.files import Day
from tests.opened import on

EW = [sys.executable, "-m", "ew_app"]
KEPT = ("mark", "mark_history", "roll", "submission", "school_day", "year_block", "student_status", "standing",
        "tier_count", "finding", "tier_change")  # fmt: skip
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


class System:
    """A migrated database and workers as `ew up` runs them."""

    def __init__(self, ready: Settings, given: dict[str, str], workers: int) -> None:
        self.settings, self._environment, self._workers = ready, {**ready.environment(), **given}, workers
        self._worker: subprocess.Popen[bytes] | None = None
        self._peak = 0.0

    def __enter__(self) -> Self:
        self.ew("db", "upgrade")
        self.work_with(self._workers)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def work_with(self, processes: int) -> None:
        """Have this many worker processes from now on."""
        self._stop()
        words = [*EW, "worker", "--concurrency", str(processes)]
        self._worker = subprocess.Popen(words, env=self._environment)

    def _stop(self) -> None:
        if self._worker is not None:
            self._peak = self.peak_memory()
            self._worker.terminate()
            self._worker.wait(timeout=60)

    def ew(self, *words: str) -> str:
        """What a command prints; a refusal ends everything."""
        done = subprocess.run([*EW, *words], env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            told = done.stderr.strip() or done.stdout.strip()
            sys.exit(f"ew {' '.join(words[:3])} ended with {done.returncode}: {told}")
        return done.stdout

    def load(self, days: Sequence[Day]) -> dict[str, Any]:
        """Load some days in one command; what it said, of the last one where they are several."""
        paths = [str(path) for day in days for path in (day.attendance, day.covers) if path.exists()]
        said: dict[str, Any] = json.loads(self.ew("load", "attendance", *paths, "--accept-held", "--json"))
        return said["batches"][-1] if "batches" in said else said

    def load_undo(self, batch: int) -> None:
        """Take a delivery back."""
        self.ew("load", "undo", str(batch))

    def inside(self, batch: int) -> float:
        """Seconds from the received delivery to the applied one."""
        asked = "SELECT extract(epoch FROM applied_at - received_at)::float8 FROM batch WHERE id = %s"
        return float(self._one(asked, batch)[0])

    def copy(self, path: Path) -> float:
        """Seconds to COPY a day's file into an empty logged table with its key, committed."""
        with path.open(encoding="utf-8") as lines:
            header, body = lines.readline().strip().split(","), lines.read()
        columns = ", ".join(f"{name} {'date' if name == 'date' else 'text'}" for name in header)
        with psycopg.connect(str(self.settings.database_url)) as line:
            line.execute("DROP TABLE IF EXISTS bench_copy")
            line.execute(f"CREATE TABLE bench_copy ({columns}, PRIMARY KEY (student_id, school_id, date))".encode())
            line.commit()
            start = time.perf_counter()
            with line.cursor().copy("COPY bench_copy FROM STDIN (FORMAT csv)") as copy:
                copy.write(body)
            line.commit()
            seconds = time.perf_counter() - start
            line.execute("DROP TABLE bench_copy")
        return seconds

    def size_of(self, table: str) -> tuple[int, int]:
        """Rows and bytes of a table."""
        rows, size = self._one(f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}")
        return int(rows), int(size)

    def attendance_size(self) -> int:
        """Bytes of everything kept about attendance and what was decided, indexes included; files apart."""
        sizes = " + ".join(f"pg_total_relation_size('{table}')" for table in KEPT)
        return int(self._one(f"SELECT {sizes}")[0])

    def board(self) -> float:
        """Seconds to read every school's tiers of the last day."""
        last, ids = self._one("SELECT max(day), (SELECT array_agg(id) FROM school) FROM tier_count")
        with on(self.settings):
            return min(timed(lambda: boards.counts_on(ids, [last], last))[0] for _ in range(5))

    def morning(self, deliveries: Sequence[Day], feed: str) -> float:
        """Seconds from the first of many deliveries handed in at once to the last one applied."""
        with on(self.settings):
            start = time.perf_counter()
            batches = [
                ingest.receive(
                    kind="attendance",
                    name=day.attendance.parent.name,
                    files=[day.attendance, day.covers],
                    by=OPERATOR,
                    feed=feed,
                    accept_held=True,
                )
                for day in deliveries
            ]
            wait = "SELECT count(*) FROM batch WHERE id = ANY(%s) AND status <> 'applied'"
            while int(self._one(wait, batches)[0]):
                time.sleep(0.05)
            return time.perf_counter() - start

    def decide_anew(self) -> float:
        """Seconds to decide for everybody from the rows of the whole year, with the workers' help."""
        with on(self.settings):
            return timed(flagging.evaluate_all)[0]

    def peak_memory(self) -> float:
        """The most memory that any worker process ever had, in MB."""
        assert self._worker is not None
        pids, peak = [self._worker.pid], self._peak
        for pid in pids:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            pids += map(int, children.read_text().split())
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    peak = max(peak, int(line.split()[1]) / 1024)
        return peak

    def _one(self, query: str, *values: object) -> tuple[Any, ...]:
        with psycopg.connect(str(self.settings.database_url)) as line:
            found = line.execute(query.encode(), values or None).fetchone()
        assert found is not None
        return found
