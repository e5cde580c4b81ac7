"""The one place where all parts meet: settings, database, queue, screens."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from ew_app import config, outbox
from ew_app.config import Settings
from models import arrays, prepared  # noqa: F401  teach psycopg before an engine is made
from models.base import db

# Compiling a plan takes longer than running it. What is read through an index lies in memory, and several workers
# already share the processors: one statement that took them all would make the others wait. The statements of workers
# compare thousands of rows handed over as arrays: a plan made once for any array would read them one by one. A page
# asks the same few things again and again, and planning them anew took as long as answering (models/prepared.py).
_SESSION = "-c timezone=UTC -c jit=off -c work_mem=32MB -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
_PLANS = {True: "-c plan_cache_mode=auto", False: "-c plan_cache_mode=force_custom_plan"}  # of screens, and of others
# The district's day, for what the database notes by itself.
_DAY = "-c ew.timezone={timezone} -c ew.today={today}"


def create_app(settings: Settings | None = None, *, screens: bool = True) -> Flask:
    """A ready application on the given settings (default: the environment's). Raises ConfigError.

    Workers and commands do without `screens`: they start in a fraction of the time.
    """
    settings = settings or config.load_settings()
    app = Flask("ew_app", template_folder="../templates")
    app.extensions["ew"] = settings
    app.config.update(
        SECRET_KEY=config.secret_key(settings),
        SQLALCHEMY_DATABASE_URI=_sqlalchemy_url(settings),
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_pre_ping": True,
            "hide_parameters": True,  # an error in a log must not tell about students
            "connect_args": {
                "application_name": "early-warning",
                "options": f"{_SESSION} {_PLANS[screens]} {_day(settings)}",
            },
        },
        MAX_CONTENT_LENGTH=settings.upload_mb * 1024 * 1024,
    )
    db.init_app(app)
    app.extensions["celery"] = outbox.make_celery(settings)
    if screens:
        _add_screens(app, settings)
    return app


def _day(settings: Settings) -> str:
    return _DAY.format(timezone=settings.timezone, today=settings.today or "")


def _add_screens(app: Flask, settings: Settings) -> None:
    from ew_app import web

    web.init_app(app)
    if settings.public_url:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]


def _sqlalchemy_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise config.ConfigError("No database yet: start the servers first, or set EW_DATABASE_URL.")
    return settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
