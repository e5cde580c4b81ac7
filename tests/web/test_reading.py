"""How a request ends that has only read: what the driver has prepared is kept, and nothing is written by it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DataError

from ew_app.kernel import end_reading
from models import rewound
from models.base import db
from models.prepared import LONG, prepare
from models.staff import Person
from tests.web.conftest import SignInAs


def name_of(login: str) -> str:
    return db.session.scalars(select(Person.name).where(Person.login == login)).one()


def test_a_page_that_is_asked_for_again_is_prepared(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("social_worker")
    for _ in range(8):
        assert browser.get("/today").status_code == 200
    with app.app_context():
        kept = db.session.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%sign_in%'"))
        assert kept


def test_what_was_written_outside_a_verb_is_taken_back(app: Flask, world: dict[str, int]) -> None:
    with app.app_context():
        before = name_of("social_worker")
        db.session.execute(update(Person).where(Person.login == "social_worker").values(name="Somebody Else"))
        assert name_of("social_worker") == "Somebody Else"
        end_reading()
        db.session.remove()
        assert name_of("social_worker") == before


def test_what_was_not_written_yet_is_not_written(app: Flask, world: dict[str, int]) -> None:
    with app.app_context():
        person = db.session.scalars(select(Person).where(Person.login == "social_worker")).one()
        before, person.name = person.name, "Somebody Else"
        end_reading()
        db.session.remove()
        assert name_of("social_worker") == before


def test_after_an_error_of_the_database_and_without_a_read_nothing_is_done(app: Flask) -> None:
    with app.app_context():
        end_reading()
        with pytest.raises(DataError):
            db.session.execute(text("SELECT 1 / 0"))
        end_reading()
        db.session.rollback()
        assert db.session.scalar(text("SELECT 1")) == 1


def test_a_long_array_is_planned_for_itself() -> None:
    assert prepare({"schools": np.arange(LONG), "on": "2026-11-20"}) is None
    assert prepare({"schools": np.arange(LONG + 1)}) is False
    assert prepare({"schools": list(range(LONG + 1))}) is False


def test_what_is_prepared_reads_the_rows_of_then_inside_a_look_back(app: Flask, world: dict[str, int]) -> None:
    """On a connection that had temporary tables before: there only the look back itself tells the server anew."""

    def laid_over() -> bool:
        here = "SELECT bool_and(tableoid = to_regclass('pg_temp.student')) FROM student"
        return bool(db.session.scalar(text(here)))

    with app.app_context():
        db.session.execute(text("CREATE TEMP TABLE room ()"))
        db.session.commit()
        assert [laid_over() for _ in range(8)] == [False] * 8
        end_reading()
        db.session.remove()
        rewound.rewind(datetime(2026, 11, 1, tzinfo=UTC))
        assert laid_over()
