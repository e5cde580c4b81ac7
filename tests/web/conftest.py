"""What screen tests may use: an application on its own database, the named world, and clients signed in as a role."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from ew_app.config import Settings, load_settings
from ew_app.factory import create_app
from ew_app.kernel import now, transaction
from ew_app.services.people import accounts
from ew_app.web.limits import limiter
from models.base import db
from models.staff import SignIn
from tests.compiled import Templates
from tests.web import world as named_world

SignInAs = Callable[[str], "Browser"]


class Browser(FlaskClient):
    """A client that sends the hidden token of its session with every form, as a page would."""

    def token(self) -> str:
        """The hidden token of this session, signed as for a page, without asking for one."""
        with self.session_transaction() as session:
            kept = session.setdefault("csrf_token", secrets.token_hex(20))
        signer = URLSafeTimedSerializer(self.application.config["SECRET_KEY"], salt="wtf-csrf-token")
        return str(signer.dumps(kept))

    def send(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> Any:
        token = self.get("/session/extend").get_json(silent=True) or {}
        return self.post(path, data={"csrf_token": token.get("token", ""), **(form or {})}, **options)


def ready(settings: Settings) -> Flask:
    """An application whose counters start at nothing."""
    app = create_app(settings)
    app.jinja_env.bytecode_cache = Templates()
    app.test_client_class = Browser
    limiter.reset()
    return app


def let_in(app: Flask, login: str) -> Browser:
    """A browser that holds a proved session of that person."""
    token = secrets.token_urlsafe(32)
    with app.app_context(), transaction():
        person = accounts.find(login)
        at = now()
        hashed = hashlib.sha256(token.encode()).hexdigest()
        db.session.add(
            SignIn(token_hash=hashed, person_id=person.id, created_at=at, last_seen=at, proved_at=at, ip="127.0.0.1")
        )
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
    assert isinstance(browser, Browser)
    return browser


def is_in(browser: Browser) -> bool:
    """Whether the session this browser holds still opens pages."""
    return browser.get("/session/extend").status_code == 200


def age(app: Flask, **back: timedelta) -> None:
    """Move the times of every session back."""
    with app.app_context(), transaction():
        for row in db.session.query(SignIn):
            for column, by in back.items():
                setattr(row, column, getattr(row, column) - by)


def held_token(browser: Browser) -> str:
    with browser.session_transaction() as session:
        return str(session["_user_id"])


def hold(browser: Browser, token: str) -> None:
    with browser.session_transaction() as session:
        session["_user_id"] = token


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """An application with empty tables."""
    app = ready(settings)
    yield app
    close(app)


def close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(app: Flask, settings: Settings, built_once: Callable[..., dict[str, int]]) -> dict[str, int]:
    """The named world; returns the numbers of its students, people and cases."""
    return built_once(settings, named_world.build)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Somebody who is not signed in."""
    client = app.test_client()
    assert isinstance(client, Browser)
    return client


@pytest.fixture
def sign_in(app: Flask, world: dict[str, int]) -> SignInAs:
    """A function: login (the role's key) -> a browser signed in as that person of the named world."""
    return lambda login: let_in(app, login)


@pytest.fixture(scope="module")
def shared_app(
    new_database: Callable[[], str],
    drop_database: Callable[[str], None],
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Flask, dict[str, int]]]:
    """One application and named world for all tests of a module that only look."""
    url = new_database()
    app = ready(_settings(url, redis_url, tmp_path_factory.mktemp("data")))
    with app.app_context():
        numbers = named_world.build()
    yield app, numbers
    close(app)
    drop_database(url)


def _settings(url: str, redis_url: str, folder: Path) -> Settings:
    return load_settings(
        {
            "EW_DATABASE_URL": url,
            "EW_REDIS_URL": redis_url,
            "EW_DATA_DIR": str(folder),
            "EW_SECRET_KEY": "a key for tests only",
        }
    )
