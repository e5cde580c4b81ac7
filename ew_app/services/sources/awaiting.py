"""Wait for a look, for commands that answer when it is done; meanwhile lost work is sent again."""

from __future__ import annotations

import time
from itertools import count

from ew_app import outbox
from ew_app.services.sources import starting
from models.base import db
from models.pulls import Pull

LOOK_EVERY = 0.2


def for_look(pull_id: int) -> Pull:
    """The look when it has come to its end."""
    for turn in count(1):
        db.session.rollback()  # ends the read, so that the next one sees what was written since
        look = db.session.get_one(Pull, pull_id, populate_existing=True)
        if look.ended_at is not None:
            return look
        if turn % 50 == 0:
            outbox.sweep()
            starting.end_given_up()
        time.sleep(LOOK_EVERY)
    raise AssertionError("counting has no end")
