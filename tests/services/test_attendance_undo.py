"""A delivery of attendance taken back: what it replaced stands again, what came later stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, Refused, local, now
from ew_app.services.deliveries import ingest
from models.attendance import Batch
from models.base import db
from rules.access import Permission
from tests.services.lincoln_and_carver import (
    CARVER,
    LINCOLN,
    build,
    counts,
    covers,
    csv,
    everyone,
    load,
    load_files,
    query,
    standing,
)

WITH_TIME = "student_id,school_id,date,code,last_modified"
WITH_PERIOD = "student_id,school_id,date,code,period"


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


# -- taken back ----------------------------------------------------------------------------------------------


def undone(told: dict[str, Any]) -> None:
    ingest.take_back(told["batch"], by=OPERATOR)
    ingest.undo(told["batch"])
    assert ingest.describe(told["batch"])["status"] == "undone"


def test_undo_brings_back_what_was_replaced() -> None:
    load("ana lincoln 08-17 A", "fay carver 08-17 A")
    second = load_files(
        {"attendance.csv": csv("ana lincoln 08-17 E", "ben lincoln 08-18 A"), "covers.csv": covers("carver 08-17")}
    )
    undone(second)
    assert standing() == {"ana 08-17": "A", "fay 08-17": "A"}
    assert query("SELECT code, ended FROM mark_history WHERE ended = 'undone' ORDER BY code") == [
        ("A", "undone"),
        ("E", "undone"),
    ]
    assert query("SELECT count(*) FROM school_day") == [(2,)]


def test_undo_leaves_what_a_later_file_said_again() -> None:
    first = load("ana lincoln 08-17 A", "ben lincoln 08-17 A")
    later = load("ana lincoln 08-17 A")
    undone(first)
    assert standing() == {"ana 08-17": "A"}
    assert query("SELECT batch_id FROM mark") == [(later["batch"],)]


def test_undo_of_a_full_day_restores_its_roll() -> None:
    load(*everyone("08-17", ana="A"), feed="full")
    second = load(*[row for row in everyone("08-17") if not row.startswith("ben")], feed="full", accept_held=True)
    assert "ben 08-17" not in standing()
    undone(second)
    assert standing() == {f"{name} 08-17": "A" if name == "ana" else "P" for name in LINCOLN + CARVER}


def test_undone_files_may_be_loaded_again() -> None:
    undone(load("ana lincoln 08-17 A"))
    assert standing() == {}
    assert counts(load("ana lincoln 08-17 A"), "status", "applied") == ("applied", 1)


def test_only_an_applied_batch_can_be_taken_back() -> None:
    told = load("zoe lincoln 08-17 A")
    with pytest.raises(Refused, match=r"is held; only an applied batch can be taken back"):
        ingest.take_back(told["batch"], by=OPERATOR)


def test_undo_is_the_clerks_on_the_same_day_and_the_data_stewards_later() -> None:
    told = load("ana lincoln 08-17 A")
    batch = db.session.get_one(Batch, told["batch"])
    day = local(now()).date()
    assert ingest.undo_needs(batch, day) is Permission.UNDO_SAME_DAY
    assert ingest.undo_needs(batch, day + timedelta(days=1)) is Permission.UNDO_ANY
