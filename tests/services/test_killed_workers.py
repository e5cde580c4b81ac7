"""kill -9 at any moment of a load: nothing is lost, nothing is stored twice, and the counts are the same."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import timedelta

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from models.base import db
from tests.services.lincoln_and_carver import CARVER, FIRST_DAY, LINCOLN, build, counts, csv, query

CODES = "PPPAET"


def test_a_few_kills(app: Flask) -> None:
    build()
    _load_under_fire(random.Random(1), kills=12)


@pytest.mark.deep
def test_two_hundred_kills(app: Flask) -> None:
    build()
    _load_under_fire(random.Random(2), kills=200)


def _load_under_fire(chance: random.Random, kills: int) -> None:
    """Load day after day; workers are killed at a random moment until `kills` are used up."""
    day, loaded = FIRST_DAY, 0
    while kills > 0:
        batch = _receive(chance, f"{day:%m-%d}")
        while kills > 0 and _load_and_kill(batch, chance.uniform(0, 0.25)):
            kills -= 1
        ingest.load(batch)
        told = ingest.describe(batch)
        assert counts(told, "status", "rows_in", "applied", "rejected") == ("applied", 9, 8, 1)
        day, loaded = day + timedelta(days=3 if day.weekday() == 4 else 1), loaded + 1
    stored = query("SELECT (SELECT count(*) FROM mark) + (SELECT sum(cardinality(students)) FROM roll)")
    assert stored == [(8 * loaded,)]
    assert query("SELECT count(*), min(rows), max(rows) FROM school_day") == [(2 * loaded, 3, 5)]


def _receive(chance: random.Random, day: str) -> int:
    """Both schools' full day, and a student nobody knows."""
    rows = [f"{name} lincoln {day} {chance.choice(CODES)}" for name in LINCOLN]
    rows += [f"{name} carver {day} {chance.choice(CODES)}" for name in CARVER]
    files = {"attendance.csv": csv(*rows, f"zoe lincoln {day} A")}
    return ingest.receive(kind="attendance", name=day, files=files, by=OPERATOR, feed="full", accept_held=True)


def _load_and_kill(batch: int, after: float) -> bool:
    """Load in a process of its own and kill it after some seconds; False if it was done before."""
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            ingest.load(batch)
        finally:
            os._exit(0)
    time.sleep(after)
    done, _ = os.waitpid(child, os.WNOHANG)
    if done:
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True
