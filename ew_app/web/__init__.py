"""Screens: thin views that read through models.queries and write through services. One module, one template."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from ew_app.config import Settings


def init_app(app: Flask) -> None:
    """Put doors, headers, limits, pages and every screen on the application."""
    from ew_app.web import asked, drafts, errors, guard, headers, limits, page

    settings: Settings = app.extensions["ew"]
    app.config.update(_config(settings))
    headers.init_app(app, settings)
    asked.init_app(app)
    Bootstrap5(app)
    CSRFProtect(app)
    guard.logins.init_app(app, add_context_processor=False)
    app.before_request(asked.refuse_nul)
    app.before_request(guard.admit)
    app.after_request(drafts.settle)
    limits.init_app(app, settings)
    page.init_app(app)
    errors.init_app(app)
    for screen in _screens():
        app.register_blueprint(screen)


def _config(settings: Settings) -> dict[str, object]:
    return {
        "BOOTSTRAP_SERVE_LOCAL": True,
        "SEND_FILE_MAX_AGE_DEFAULT": 3600,
        "SESSION_COOKIE_NAME": "__Host-ew" if settings.secure else "ew",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "WTF_CSRF_TIME_LIMIT": None,  # the token lives as long as the session
        "WTF_CSRF_SSL_STRICT": False,  # we send no referrer; headers.same_origin looks at Origin instead
    }


def _screens() -> list[Blueprint]:
    """The `screen` blueprint of every module in this package."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return [module.screen for module in modules if hasattr(module, "screen")]
