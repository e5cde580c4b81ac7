"""`dev.py bench`: a district's mornings, measured by the real command beside what a data team would use instead.

Everything runs on servers of its own, on the same files, in the same run; outputs are compared equal before
anything is timed. Figures are ratios: seconds drift from machine to machine.

    dev.py bench [--students 20000] [--schools 40] [--days 60] [--at 5,60] [--feed full|exception] [--alone]

`--at` names the school days around which three mornings are timed one by one; the days between are loaded in one
command. The size of a large city: --students 325000 --schools 640 --days 180 --at 5,90,180; what it is compared with
takes most of that hour, and --alone leaves it out. `--rules --students 325000` times the rules alone, in memory, and
`--risk --students 325000` scores and reasons of the risk model.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ew_app.config import load_settings
from ew_app.demo import write_district
from ew_app.local import Servers
from tests.bench import pandas_script, risk, rules
from tests.bench.files import Day, corrections, read
from tests.bench.sql_view import View
from tests.bench.system import System, timed

TIMED = 3


def main() -> None:
    """Prepare, compare, time, print."""
    asked = _arguments()
    in_memory = [rules.rows_of] * asked.rules + [risk.rows_of] * asked.risk
    for rows_of in in_memory:
        for name, told in rows_of(asked.students):
            print(f"{name:<28} {told}", flush=True)
    if in_memory:
        return
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
    parser.add_argument("--at", default="", help="school days, like 5,90,180; the last one otherwise")
    parser.add_argument("--feed", choices=("full", "exception"), default="full")
    parser.add_argument("--policy", default="rates", help="pandas and the view know the tiers of `rates` alone")
    parser.add_argument("--alone", action="store_true", help="nothing beside it: no pandas, no view, no board")
    parser.add_argument("--rules", action="store_true", help="only: all rules, in memory, no servers")
    parser.add_argument("--risk", action="store_true", help="only: scores and reasons of the risk model, in memory")
    return parser.parse_args()


def _run(folder: Path, asked: argparse.Namespace) -> None:
    summary = write_district(
        folder / "files", networks=max(asked.schools // 40, 2), schools=asked.schools, students=asked.students,
        days=asked.days + 2, feed=asked.feed, by_day=True,
    )  # fmt: skip
    days = [Day.of(path) for path in sorted((folder / "files" / "days").glob("attendance-*.csv"))]
    *days, one_morning, another = days
    stops = sorted({min(int(at), len(days)) for at in asked.at.split(",") if at} | {len(days)})
    given = {"EW_DATA_DIR": str(folder / "data"), "EW_POLICY": asked.policy, "EW_TODAY": str(summary.last_day)}
    print(
        f"{asked.students:,} students, {asked.schools} schools, {len(days)} days, {asked.feed} feed, "
        f"policy {asked.policy}, {os.cpu_count()} cores",
        flush=True,
    )
    with Servers(load_settings(given)) as ready, System(ready, given, workers=2) as system:
        seconds, _ = timed(lambda: system.ew("load", "roster", str(folder / "files")))
        row("roster", seconds)
        sent, late = _without_a_school(days, stops, folder)
        day = _mornings(system, sent, stops)
        _other_files(system, days, late, folder, day)
        if not asked.alone:
            _whole_district(system, days, folder / "files", asked, day)
        alone = 0.0
        for processes, morning in ((1, one_morning), (2, another)):
            system.work_with(processes)
            files = morning.by_school(folder / morning.date)
            seconds = system.morning(files, asked.feed)
            note = f"{seconds / alone:.2f} of one working" if alone else ""
            row(f"{len(files)} files of schools at once, {processes} working", seconds, note)
            alone = seconds
        row("largest worker process, MB", system.peak_memory())


def row(name: str, value: float, note: str = "") -> None:
    """A line of the table."""
    print(f"{name:<64} {value:10.3f}  {note}", flush=True)


def _mornings(system: System, days: Sequence[Day], stops: Sequence[int]) -> float:
    """The days in order, around each stop three of them by themselves; seconds of a whole day at the last stop."""
    done, by_stop = 0, []
    for stop in stops:
        first = max(stop - TIMED, done)
        if days[done:first]:
            seconds, _ = timed(partial(system.load, days[done:first]))
            each, copy = seconds / (first - done), system.copy(days[first - 1].attendance)
            row(f"days {done + 1} to {first} in one command, a day", each, f"{each / copy:.1f} x COPY")
        inside, commands = [], []
        for day in days[first:stop]:
            seconds, said = timed(partial(system.load, [day]))
            commands.append(seconds)
            inside.append(system.inside(said["batch"]))
        copies = [system.copy(day.attendance) for day in days[first:stop]]
        middle, copy = statistics.median(inside), statistics.median(copies)
        by_stop.append(middle)
        row(f"day {stop}: COPY of its file into a table with its key", copy)
        row(f"day {stop}: received to applied", middle, f"{middle / copy:.1f} x COPY")
        row(f"day {stop}: the whole command", statistics.median(commands))
        row(f"day {stop}: worst of {len(inside)} / median", max(inside) / middle)
        done = stop
    row(f"day {stops[-1]} / day {stops[0]}", by_stop[-1] / by_stop[0])
    seconds, said = timed(lambda: system.load([days[-1]]))
    row("the last file once more", seconds, said["status"])
    return by_stop[-1]


def _without_a_school(days: Sequence[Day], stops: Sequence[int], folder: Path) -> tuple[list[Day], Day]:
    """The days with one school missing on a day before the last stop, and the school's own files of that day."""
    at = max(stops[-1] - TIMED - 5, 0)
    whole, school = days[at], next(iter(read(days[at].covers)))["school_id"]
    without = whole.only(lambda key: key != school, folder / "without")
    return [*days[:at], without, *days[at + 1 :]], whole.only(lambda key: key == school, folder / "late")


def _other_files(system: System, days: Sequence[Day], late: Day, folder: Path, day: float) -> None:
    """Corrections and late files, each by the seconds from received to applied, beside those of a whole `day`."""
    said = system.load([late])
    seconds = system.inside(said["batch"])
    row("a school's late file for an old day: received to applied", seconds, f"{seconds / day:.2f} of a day")
    changed = corrections(days[:-1], 1_000, folder / "attendance.csv")
    said = system.load([Day(changed, changed.with_name("none"))])
    seconds = system.inside(said["batch"])
    found = f"{said['superseded']} superseded, {seconds / day:.2f} of a day"
    row("1,000 old rows corrected: received to applied", seconds, found)
    seconds, _ = timed(lambda: system.load_undo(said["batch"]))
    row("... and taken back: the whole command", seconds, f"{seconds / day:.2f} of a day")


def _whole_district(system: System, days: Sequence[Day], files: Path, asked: argparse.Namespace, day: float) -> None:
    """Everything counted anew: by us, by pandas and by one SQL statement; and what a board reads."""
    seconds, text = timed(lambda: system.ew("measures", "--format", "csv"))
    row("measures of everybody as a file", seconds)
    mine = _measures(text)
    seconds, theirs = timed(lambda: pandas_script.apart(files, [day.attendance for day in days], asked.feed))
    if theirs is None:
        print(f"pandas script: the memory of this machine was not enough ({seconds:.0f} s until then)", flush=True)
    else:
        _compare("pandas", mine, theirs, asked.policy)
        row("pandas script, all measures", seconds, f"{seconds / day:.1f} x our day")
    view = View(str(system.settings.database_url), files, asked.feed)
    view.add(days)
    seconds, found = view.students()
    _compare("one SQL statement", mine, _as_told(found), asked.policy)
    row("one SQL statement over all rows, all measures", seconds, f"{seconds / day:.1f} x our day")
    by_school, board = view.by_school(), system.board()
    row("the same by school", by_school)
    rows, size = system.size_of("bench_view.raw")
    view.drop()
    row("our board by school", board, f"the statement takes {by_school / board:,.0f} x as long")
    each = size / rows * sum(float(enrolled) for enrolled, *_ in mine.values())  # days, though few differ from present
    row("bytes on disk / a row for each student and day", system.attendance_size() / each, f"{rows:,} rows sent")
    row("everything decided anew", system.decide_anew())


def _measures(text: str) -> dict[str, tuple[str, str, str]]:
    """Student -> (enrolled days, absent days, tier by the rate: the other one waits while a code is not explained)."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["student_id"]: (row["enrolled_days"], row["absent_days"], row["rate_tier"]) for row in rows}


def _as_told(found: dict[str, tuple[int, int, str]]) -> dict[str, tuple[str, str, str]]:
    """Days as text."""

    def days(mils: int) -> str:
        return f"{mils / 1000:.3f}".rstrip("0").rstrip(".")

    return {key: (days(enrolled), days(absent), tier) for key, (enrolled, absent, tier) in found.items()}


def _compare(name: str, mine: dict[str, Any], theirs: dict[str, Any], policy: str) -> None:
    """End everything unless both sides say the same; who has no day is nowhere in a view."""
    told = 3 if policy == "rates" else 2
    nothing = ("0", "0", "none")
    different = [
        key for key in mine.keys() | theirs.keys() if mine.get(key, nothing)[:told] != theirs.get(key, nothing)[:told]
    ]
    if different:
        shown = "\n".join(f"  {key}: ours {mine.get(key)}, {name} {theirs.get(key)}" for key in different[:10])
        sys.exit(f"Ours and {name} differ for {len(different)} students; nothing more is timed.\n{shown}")
    print(f"equal for {len(mine):,} students: ours and {name}", flush=True)


if __name__ == "__main__":
    main()
