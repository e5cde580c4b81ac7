"""The product's application, open for a test: to look into, to prepare something in, to count what it asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from ew_app.config import Settings
from ew_app.factory import create_app
from models.base import db


@contextmanager
def on(settings: Settings) -> Iterator[Flask]:
    """The application without screens, its context open; its connections are closed at the end."""
    app = create_app(settings, screens=False)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
            app.extensions["celery"].close()


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement that is sent to the database inside."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)
