"""What the outbox row of a batch says, and waiting for it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import redis

from ew_app import outbox
from ew_app.config import Settings
from tests.durability.machine import PATIENCE, ask, wait_until
from tests.opened import on

SWEEP_EVERY = 20


def work_on(settings: Settings, batch: int) -> dict[str, Any]:
    """The job that loads a batch: whether it is done, its attempts, why it was set aside."""
    names = ("done", "set_aside", "attempts", "error")
    query = "SELECT done_at IS NOT NULL, quarantined_at IS NOT NULL, attempts, error FROM outbox"
    ((*row,),) = ask(settings, f"{query} WHERE job = 'load_batch' AND args->>0 = %s", str(batch))
    return dict(zip(names, row, strict=True))


def deliver(settings: Settings, batch: int, times: int = 1) -> None:
    """Hand the message of a batch to the broker again, whatever became of it."""
    ((number,),) = ask(settings, "SELECT id FROM outbox WHERE job = 'load_batch' AND args->>0 = %s", str(batch))
    with on(settings):
        for _ in range(times):
            outbox.send(outbox.Job.LOAD_BATCH, number)


def messages(settings: Settings) -> tuple[int, int]:
    """How many messages wait in the broker, and how many were taken and not acknowledged."""
    with redis.Redis.from_url(str(settings.redis_url)) as broker:
        return broker.llen("ew"), broker.hlen("unacked")


def sweep(settings: Settings) -> int:
    """Send again what is not done, as after half a minute; how many pieces of work."""
    ask(settings, "UPDATE outbox SET sent_at = sent_at - interval '1 minute'")
    with on(settings):
        return outbox.sweep()


def finish(settings: Settings, batch: int) -> float:
    """Send the work again, as the sweep goes on to do, until it is over; seconds.

    Once may not be enough: the database may take a killed worker's claim for held a moment longer.
    """
    began = time.monotonic()
    while not work_on(settings, batch)["done"]:
        sweep(settings)
        with suppress(TimeoutError):
            until_done(settings, batch, seconds=SWEEP_EVERY)
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"batch {batch} is not done: {work_on(settings, batch)}, {messages(settings)} messages")
    return time.monotonic() - began


def until_done(settings: Settings, batch: int, seconds: float = PATIENCE) -> float:
    """Wait until the work is over; seconds. TimeoutError; fails with its reason if it was set aside."""

    def over() -> bool:
        work = work_on(settings, batch)
        assert not work["set_aside"], work["error"]
        return bool(work["done"])

    return wait_until(over, what=f"the end of batch {batch}", seconds=seconds)
