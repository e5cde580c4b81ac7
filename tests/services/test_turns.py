"""A preview marks and decides in one transaction; it has its turn for the schools concerned, and others have theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import going_in, ingest
from ew_app.services.measuring.touched import touch
from models import touched
from models.base import db
from tests.services.lincoln_and_carver import build, csv, enrol, query, school_named

DAY = date(2026, 8, 17)


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()
    flagging.evaluate_all()


def received(*rows: str, preview: bool = False) -> int:
    files = {"attendance.csv": csv(*rows)}
    batch: int = ingest.receive(
        kind="attendance", name="x", files=files, by=OPERATOR, preview=preview, accept_held=True
    )
    return batch


@contextmanager
def deciding_at(settings: Settings, school: str) -> Iterator[None]:
    """Somebody else decides for that school's students while the block runs."""
    with transaction():
        block = school_named(school).id
        db.session.execute(text("SET lock_timeout = '2s'"))  # whoever waits is told so
    with psycopg.connect(str(settings.database_url)) as line:
        line.execute("SELECT pg_advisory_xact_lock_shared(%s)", [touched.TURN_LOCK])
        line.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [touched.BLOCK_LOCK, block])
        yield


def test_a_preview_waits_for_nobody_who_decides_at_another_school(settings: Settings) -> None:
    batch = received("ana lincoln 08-17 A", preview=True)
    with deciding_at(settings, "carver"):
        ingest.load(batch)
    assert query("SELECT status FROM batch") == [("previewed",)]


def test_a_preview_waits_for_whoever_decides_at_its_own_school(settings: Settings) -> None:
    batch = received("ana lincoln 08-17 A", preview=True)
    with deciding_at(settings, "lincoln"), pytest.raises(Exception, match="lock timeout"):
        ingest.load(batch)


def test_a_turn_for_some_blocks_leaves_the_others_waiting(app: Flask) -> None:
    lincoln, carver = (school_named(key).id for key in ("lincoln", "carver"))
    batch = received("ana lincoln 08-17 A")
    going_in.read(batch)
    with transaction():
        touch([number for (number,) in query("SELECT id FROM student WHERE key IN ('ben', 'fay')")], DAY)
        assert touched.take_turn_for(batch, 5)
        assert touched.claim(100) == [lincoln]
        touched.take([lincoln])
        assert touched.claim(100) == []
    with transaction():
        assert touched.claim(100) == [carver]


def test_a_row_about_a_student_of_another_school_concerns_that_students_block(app: Flask) -> None:
    batch = received("fay lincoln 08-17 A")
    going_in.read(batch)
    with transaction():
        assert not touched.take_turn_for(batch, 7)  # five at Lincoln, three at Carver
        assert touched.take_turn_for(batch, 8)


def test_where_somebody_has_no_block_yet_there_is_one_turn_for_all(app: Flask) -> None:
    with transaction():
        enrol("ida", school_named("lincoln"))
    batch = received("ana lincoln 08-17 A")
    going_in.read(batch)
    with transaction():
        assert not touched.take_turn_for(batch, 100)
