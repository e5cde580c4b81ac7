"""The product's application on given settings, open for a test to look into or to prepare something in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

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
