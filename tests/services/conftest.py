"""The named district, for tests that live in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.factory import create_app
from models.base import db
from tests.opened import on
from tests.services import world as district
from tests.services.world import TODAY, World


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The product's own application on a fresh database, its context open; nobody looks at a screen."""
    made = create_app(settings, screens=False)
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(settings: Settings, built_once: Callable[..., World]) -> Iterator[World]:
    """The district on Monday 16 November 2026."""
    settings = replace(settings, today=TODAY)
    made = built_once(settings, district.build)
    with on(settings):
        yield made
