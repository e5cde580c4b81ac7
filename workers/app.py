"""The Celery app that `celery -A workers.app worker` runs: the product's own app, its tasks, its schedule."""

from __future__ import annotations

from typing import Any

from celery import Task
from celery.signals import worker_process_init

from ew_app.factory import create_app
from ew_app.outbox import Job
from models.base import db

flask_app = create_app(screens=False)


class InApp(Task):
    """A task that runs inside the application's context."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with flask_app.app_context():
            return self.run(*args, **kwargs)


celery = flask_app.extensions["celery"]
celery.Task = InApp
celery.conf.imports = ("workers.tasks",)
celery.conf.beat_schedule = {
    "sweep": {"task": Job.SWEEP.value, "schedule": 10.0, "options": {"expires": 10}},
    "tick": {"task": Job.TICK.value, "schedule": 60.0, "options": {"expires": 60}},
}


@worker_process_init.connect
def forget_the_parents_connections(**_: Any) -> None:
    """A forked child must not share its parent's sockets."""
    with flask_app.app_context():
        db.engine.dispose(close=False)
