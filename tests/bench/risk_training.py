"""How long a risk model's training takes for a large city, and how much memory: `python -m tests.bench.risk_training`.

Students are made up, 20,000 of them several times over with facts that differ a little, in four completed years. Each
piece of the work that a worker does in one go (ew_app/services/risk/training.py) runs in a process of its own, as it
does there, so that its seconds stand beside the limit of a piece of work and its memory is its own. The seconds of a
processor say more where others work on the machine.

`--read` instead trains a model in the database that is there (EW_DATA_DIR; take a copy) and times what reads it: the
pieces are of 5,000 students each, so a larger district has more of them and no longer ones.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ew_app.__main__ import make_app
from ew_app.cli.runtime import Runtime
from ew_app.kernel import OPERATOR
from ew_app.services.risk import parts, training
from rules.risk import backtest, trial
from rules.risk.cohort import Cohort
from rules.risk.features import COLUMN
from tests.rules.risk_years import district

CHUNK = 20_000
YEARS = (1, 2, 3, 4)  # the year 0 is only a past
GROUPS, SEED = 12, 7
Cost = tuple[float, float, float]  # seconds, seconds of a processor, MB
_KEPT = ("students", "x", "chronic", "later_chronic", "listed", "school", "grade")


def main() -> None:
    """Make, then time each piece."""
    asked = _arguments()
    if asked.read:
        _read()
        return
    with tempfile.TemporaryDirectory(prefix="ew-risk-") as folder:
        here = Path(folder)
        for day in asked.days:
            make(here, asked.students, day)
        for day in asked.days:
            for name, (seconds, worked, megabytes) in pieces(here, day):
                told = f"{seconds:8.1f} s, {worked:8.1f} s of a processor, {megabytes:8,.0f} MB"
                print(f"day {day:>3}  {name:<34}{told}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=325_000)
    parser.add_argument("--days", type=lambda told: [int(day) for day in told.split(",")], default=[20])
    parser.add_argument("--read", action="store_true", help="only: a training in the database that is there")
    return parser.parse_args()


def _read() -> None:
    """Each piece of a whole training, told by what it does."""
    with Runtime(make_app).app():
        model = training.one(training.ask(by=OPERATOR, queued=False))
        kinds = [str(piece[0]) for piece in model.plan["slices"]]
        told: list[tuple[float, float]] = [(time.perf_counter(), time.process_time())]
        training.go_on(model.id, lambda percent, step: told.append((time.perf_counter(), time.process_time())))
    cost = [(two[0] - one[0], two[1] - one[1]) for one, two in itertools.pairwise(told)]
    for kind in dict.fromkeys(kinds):
        mine = [each for each, of in zip(cost, kinds, strict=False) if of == kind]
        longest, worked = (max(each[at] for each in mine) for at in (0, 1))
        print(f"{kind:<8}{len(mine):4} pieces, the longest {longest:6.1f} s, {worked:6.1f} s of this processor")
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def make(folder: Path, students: int, day: int) -> None:
    """Cohorts of one grid day, a file a year: a town several times over, no two students quite alike."""
    town, rng = district(students=CHUNK, years=5), np.random.default_rng(day)
    for year in YEARS:
        cohort = town.cohort(year, day)
        times = np.arange(-(-students // CHUNK))
        rows = np.tile(np.arange(len(cohort.students)), len(times))[:students]
        shift = np.repeat(times, len(cohort.students))[:students]
        columns = {name: getattr(cohort, name)[rows] for name in _KEPT}
        columns["students"] = columns["students"] + 10_000_000 * shift
        columns["school"] = 5 * (columns["school"] + 10 * shift) + rows % 5  # some 640 schools
        columns["x"] = columns["x"] * rng.uniform(0.98, 1.02, columns["x"].shape).astype(np.float32)
        for whole in ("has_last_year", "grade"):
            columns["x"][:, COLUMN[whole]] = cohort.column(whole)[rows]
        np.savez(folder / f"{day}-{year}.npz", **columns, marked=np.array([cohort.marked["tardy"]]))


def cohorts(folder: Path, day: int) -> list[Cohort]:
    """What was made."""
    found = []
    for year in YEARS:
        with np.load(folder / f"{day}-{year}.npz") as kept:
            columns = {name: kept[name] for name in _KEPT}
            groups = {f"group {at}": columns["students"] % (at + 2) == 0 for at in range(GROUPS)}
            found.append(Cohort(2021 + year, day, **columns, groups=groups, marked={"tardy": float(kept["marked"][0])}))
    return found


def pieces(folder: Path, day: int) -> Iterator[tuple[str, Cost]]:
    """(name, cost) of each piece of work of a grid day."""
    for nth in range(backtest.FOLDS):
        yield f"tried on test year {nth + 1}", _alone(_score, folder, day, nth)
    yield "judged, and made of all years", _alone(_judge, folder, day)


def _score(folder: Path, day: int, nth: int) -> None:
    told = trial.score(cohorts(folder, day), nth, SEED)
    assert told is not None
    (folder / f"{day}-score-{nth}").write_bytes(parts.packed_scores(*told))


def _judge(folder: Path, day: int) -> None:
    kept = [(folder / f"{day}-score-{nth}").read_bytes() for nth in range(backtest.FOLDS)]
    trial.packed(trial.run(cohorts(folder, day), SEED, scored=dict(map(parts.unpacked_scores, kept))))


def _alone(work: Callable[..., None], *arguments: Any) -> Cost:
    """A piece of work in a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        found: Cost = mine.recv()
    finally:
        process.join()
    return found


def _measured(told: Any, work: Callable[..., None], arguments: Sequence[Any]) -> None:
    begun, worked = time.perf_counter(), time.process_time()
    work(*arguments)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.send((time.perf_counter() - begun, time.process_time() - worked, most))


if __name__ == "__main__":
    main()
