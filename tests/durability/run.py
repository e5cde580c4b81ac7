"""Break loads at random, many times: `python -m tests.durability.run [--full] [--seed N]`.

Prints for each kind of fault how many were made, how many loads they hit, and how many of these left anything
behind that an undisturbed load does not. The same seed makes the same choices; moments differ by the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.durability import district
from tests.durability.district import District, Left, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import Machine, Worker, wait_until
from tests.durability.waits import finish, until_done, work_on

KILLS_A_LOAD = 2  # the third attempt is the last
FULL = {"kills": 200, "broker": 20, "restarts": 10}
SHORT = {"kills": 6, "broker": 3, "restarts": 2}


@dataclass
class Told:
    """What came of one kind of fault."""

    name: str
    faults: int = 0
    loads: int = 0
    seconds: list[float] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def line(self) -> str:
        longest = max(self.seconds, default=0)
        typical = sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else 0
        return (
            f"{self.name}: {self.faults} faults in {self.loads} loads, {len(self.losses)} losses; "
            f"from the last fault to the end {typical:.1f} s typically, {longest:.1f} s at most"
        )


Fault = Callable[["Round", Worker], Worker]


class Round:
    """One load after the other, each on a fresh copy, each broken at random moments."""

    def __init__(self, machine: Machine, built: District, chance: random.Random) -> None:
        self.machine, self.district, self.chance = machine, built, chance
        self.settings = built.base
        self.expected, self.usual = self._undisturbed()

    def run(self, name: str, fault: Fault, faults: int, a_load: int = 1) -> Told:
        """Make so many faults that hit a load under way."""
        told = Told(name)
        while told.faults < faults:
            hits, seconds, wrong = self._load(fault, min(a_load, faults - told.faults))
            if hits:
                told.loads += 1
                told.faults += hits
                told.seconds.append(seconds)
                told.losses += [f"load {told.loads}: {wrong}"] if wrong else []
        return told

    def at_each_place(self) -> Told:
        """Kill the whole worker once at each named place, each in a load of its own."""
        told = Told("killed at named places")
        for place in At:
            seconds, wrong = self._killed_at(place)
            told.faults, told.loads = told.faults + 1, told.loads + 1
            told.seconds.append(seconds)
            told.losses += [f"{place}: {wrong}"] if wrong else []
        return told

    def _killed_at(self, place: At) -> tuple[float, str]:
        with self._copy():
            batch = self.district.receive(self.settings)
            with held(self.settings, place, batch) as hold, self.machine.working(self.settings) as worker:
                hold.wait()
                worker.kill()
            began = time.monotonic()
            with self.machine.working(self.settings):
                finish(self.settings, batch)
            return time.monotonic() - began, self._wrong()

    def _load(self, fault: Fault, faults: int) -> tuple[int, float, str]:
        """(faults that hit, seconds from the last to the end, what differs)."""
        hits = 0
        with self._copy():
            batch = self.district.receive(self.settings)
            worker = self.machine.start_worker(self.settings)
            try:
                for _ in range(faults):
                    time.sleep(self.chance.uniform(0, self.usual))
                    if not work_on(self.settings, batch)["done"]:
                        hits += 1
                        worker = fault(self, worker)
                began = time.monotonic()
                finish(self.settings, batch)
            finally:
                worker.kill()
            return hits, time.monotonic() - began, self._wrong()

    def _wrong(self) -> str:
        found = differences(left(self.settings), self.expected)
        return "; ".join(f"{kind} {is_now} rows, expected {was}" for kind, (is_now, was) in found.items())

    def _undisturbed(self) -> tuple[Left, float]:
        """What is left behind, and the seconds from the start of a worker to the end of the load."""
        with self._copy():
            batch = self.district.receive(self.settings)
            began = time.monotonic()
            with self.machine.working(self.settings):
                until_done(self.settings, batch)
            return left(self.settings), time.monotonic() - began

    @contextmanager
    def _copy(self) -> Iterator[None]:
        self.settings = self.machine.copy(self.district.base)
        try:
            yield
        finally:
            self.machine.drop(self.settings)


# -- the faults: each gets the worker and returns the one that works from then on -----------------------------


def kill(round_: Round, worker: Worker) -> Worker:
    """The whole worker, or one child that the worker then replaces; a worker that ends is started again.

    Celery gives up when a child dies before it has said that it is up. `ew up` and `ew load` start it again.
    """
    first = worker.children()
    if round_.chance.random() < 0.5 and first:
        worker.kill_child()
        wait_until(lambda: not worker.lives() or worker.children() not in ([], first), what="a new child or the end")
        if worker.lives():
            return worker
    worker.kill()
    return round_.machine.start_worker(round_.settings)


def break_broker(round_: Round, worker: Worker) -> Worker:
    """Everything forgotten, a restart, or seconds of absence."""
    how = round_.chance.choice(["forgets", "restarts", "is away"])
    if how == "forgets":
        with round_.machine.broker() as broker:
            broker.flushall()
        return worker
    round_.machine.stop_broker()
    time.sleep(5 if how == "is away" else 0)
    round_.machine.start_broker()
    return worker


def restart_database(round_: Round, worker: Worker) -> Worker:
    round_.machine.restart_database(round_.chance.choice([signal.SIGINT, signal.SIGQUIT]))
    return worker


def run(counts: dict[str, int], seed: int, *, students: int = 1000, schools: int = 12) -> list[Told]:
    """All kinds of faults on one machine; one line each is printed as it ends."""
    with tempfile.TemporaryDirectory(prefix="ew-break-") as folder:
        Path(folder).chmod(0o711)
        with Machine(Path(folder, "var")) as machine:
            built = district.build(machine, Path(folder, "files"), students=students, schools=schools, days=60)
            round_ = Round(machine, built, random.Random(seed))
            print(f"seed {seed}, {os.cpu_count()} cores, {students} students; a load takes {round_.usual:.1f} s")
            kinds: list[tuple[str, Fault, int, int]] = [
                ("killed workers", kill, counts["kills"], KILLS_A_LOAD),
                ("broken broker", break_broker, counts["broker"], 1),
                ("restarted database", restart_database, counts["restarts"], 1),
            ]
            return [
                _told(round_.at_each_place()),
                *(_told(round_.run(name, fault, count, a_load)) for name, fault, count, a_load in kinds),
            ]


def _told(told: Told) -> Told:
    print(told.line(), *told.losses, sep="\n  ", flush=True)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="200 kills, 20 faults of the broker, 10 restarts")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--schools", type=int, default=12)
    for kind in SHORT:
        parser.add_argument(f"--{kind}", type=int)
    given = parser.parse_args()
    counts = {kind: getattr(given, kind) for kind in SHORT if getattr(given, kind) is not None}
    told = run((FULL if given.full else SHORT) | counts, given.seed, students=given.students, schools=given.schools)
    return 1 if any(kind.losses for kind in told) else 0


if __name__ == "__main__":
    sys.exit(main())
