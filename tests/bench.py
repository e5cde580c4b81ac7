"""`dev.py bench`: one day's import, measured by the real command beside COPY and beside a pandas script.

Everything runs on servers of its own, on the same files, in the same run; outputs are compared equal before
anything is timed. Figures are ratios: seconds drift from machine to machine.

    python -m tests.bench [--students 20000] [--days 60] [--schools 40] [--timed 5]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from ew_app.config import Settings, load_settings
from ew_app.demo import write_district
from ew_app.local import Servers
from tests.bench_pandas import measures_by_pandas

EW = [sys.executable, "-m", "ew_app"]


def main() -> None:
    """Prepare, compare, time, print."""
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="ew-bench-"))
    folder.chmod(0o711)
    try:
        _run(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--students", type=int, default=20_000)
    parser.add_argument("--schools", type=int, default=40)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--timed", type=int, default=5, help="how many of the last days are timed one by one")
    parser.add_argument("--feed", choices=("full", "exception"), default="full")
    return parser.parse_args()


def _run(folder: Path, asked: argparse.Namespace) -> None:
    summary = write_district(
        folder / "files",
        networks=max(asked.schools // 20, 2),
        schools=asked.schools,
        students=asked.students,
        days=asked.days,
        feed=asked.feed,
        by_day=True,
    )
    days = sorted((folder / "files" / "days").glob("attendance-*.csv"))
    given = {"EW_DATA_DIR": str(folder / "data"), "EW_POLICY": "rates", "EW_TODAY": str(summary.last_day)}
    print(f"{asked.students:,} students, {asked.schools} schools, {len(days)} days, {asked.feed} feed; policy: rates")
    with Servers(load_settings(given)) as ready, _worker(ready, given) as environment:
        _ew(environment, "load", "roster", str(folder / "files"))
        backfill, _ = _timed(lambda: _ew(environment, "load", "attendance", *map(str, days[: -asked.timed])))
        ours, inside = [], []
        for day in days[-asked.timed :]:
            seconds, said = _timed(lambda day=day: _ew(environment, "load", "attendance", str(day), "--json"))
            batch = json.loads(said)["batch"]
            ours.append(seconds)
            inside.append(_inside(ready, batch))
        again, _ = _timed(lambda: _ew(environment, "load", "attendance", str(days[-1]), "--json"))
        mine = _measures(_ew(environment, "measures", "--format", "csv"))
        pandas_seconds, theirs = _timed(lambda: measures_by_pandas(folder / "files", days, asked.feed))
        _compare(mine, theirs)
        copies = [_copy(ready, day) for day in days[-asked.timed :]]
        _print(asked, backfill, ours, inside, again, pandas_seconds, copies, len(days))


@contextmanager
def _worker(ready: Settings, given: dict[str, str]) -> Iterator[dict[str, str]]:
    """A worker of two processes on these servers, as `ew up` runs it; yields the environment for commands."""
    environment = {**ready.environment(), **given}
    _ew(environment, "db", "upgrade")
    process = subprocess.Popen([*EW, "worker", "--concurrency", "2"], env=environment)
    try:
        yield environment
    finally:
        process.terminate()
        process.wait(timeout=60)


def _ew(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run([*EW, *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"ew {' '.join(words[:3])} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _inside(ready: Settings, batch: int) -> float:
    """Seconds from the received delivery to the applied batch, by the database's own record."""
    with psycopg.connect(str(ready.database_url)) as line:
        found = line.execute(
            "SELECT extract(epoch FROM applied_at - received_at)::float8 FROM batch WHERE id = %s", (batch,)
        ).fetchone()
    assert found is not None
    return float(found[0])


def _measures(text: str) -> dict[str, tuple[str, str, str]]:
    """Student -> (enrolled days, absent days, tier)."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["student_id"]: (row["enrolled_days"], row["absent_days"], row["tier"]) for row in rows}


def _compare(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    different = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
    if different:
        shown = "\n".join(f"  {key}: ours {mine.get(key)}, pandas {theirs.get(key)}" for key in different[:10])
        sys.exit(f"The two sides differ for {len(different)} students; nothing is timed.\n{shown}")
    print(f"equal: enrolled days, absent days and tier of {len(mine):,} students, ours and pandas")


def _copy(ready: Settings, day: Path) -> float:
    """Seconds to COPY one day's file into an empty logged table with its primary key, committed."""
    with day.open(encoding="utf-8") as lines:
        header = next(csv.reader([lines.readline()]))
        body = lines.read()
    columns = ", ".join(f"{name} {'date' if name == 'date' else 'text'}" for name in header)
    with psycopg.connect(str(ready.database_url)) as line:
        line.execute("DROP TABLE IF EXISTS bench_copy")
        line.execute(f"CREATE TABLE bench_copy ({columns}, PRIMARY KEY (student_id, school_id, date))".encode())
        line.commit()
        start = time.perf_counter()
        with line.cursor().copy("COPY bench_copy FROM STDIN (FORMAT csv)") as copy:
            copy.write(body)
        line.commit()
        seconds = time.perf_counter() - start
        line.execute("DROP TABLE bench_copy")
        line.commit()
    return seconds


def _print(
    asked: argparse.Namespace,
    backfill: float,
    ours: list[float],
    inside: list[float],
    again: float,
    pandas_seconds: float,
    copies: list[float],
    days: int,
) -> None:
    command, server, copy = statistics.median(ours), statistics.median(inside), statistics.median(copies)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    lines = [
        ("COPY of one day's file", copy, ""),
        ("one day, received to applied", server, f"{server / copy:.1f} x COPY"),
        ("one day, the whole command", command, f"{command / copy:.1f} x COPY"),
        ("worst timed day / median", max(inside) / server, "ratio"),
        ("the same file again, whole command", again, f"{again / command:.2f} x one day"),
        (
            f"first {days - asked.timed} days in one command",
            backfill,
            f"{backfill / copy / (days - asked.timed):.1f} x COPY a day",
        ),
        (
            f"pandas script over {days} days, all measures",
            pandas_seconds,
            f"{pandas_seconds / server:.1f} x received to applied",
        ),
    ]
    for name, value, note in lines:
        print(f"{name:<46} {value:8.3f}  {note}")
    print(f"largest child process: {peak:.0f} MB; {os.cpu_count()} cores; median of {asked.timed} days")


if __name__ == "__main__":
    main()
