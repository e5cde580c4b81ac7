"""Lincoln on its Friday, and those who hand files in there: its clerk, and a data steward of the district."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from ew_app.config import Settings
from tests.web.conftest import SignInAs, let_in
from tests.web.importing import TODAY, Clerk, open_schools


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Limits low enough to be reached."""
    return replace(settings, today=TODAY, upload_mb=1, upload_rows=500)


@pytest.fixture
def clerk(app: Flask, sign_in: SignInAs) -> Clerk:
    """The clerk of Lincoln."""
    open_schools(app)
    return Clerk(app, sign_in("attendance_clerk"))


@pytest.fixture
def steward(app: Flask, clerk: Clerk) -> Clerk:
    """The data steward of the whole district."""
    return Clerk(app, let_in(app, "steward"))
