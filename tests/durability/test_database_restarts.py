"""PostgreSQL ends in mid-load, in order or at once: nothing is half there, and the load completes by itself."""

from __future__ import annotations

import signal
import time

import pytest

from ew_app.config import Settings
from tests.durability.district import District, Left, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import Machine, ask
from tests.durability.waits import finish, work_on


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
@pytest.mark.parametrize("place", [At.BETWEEN_SLICES, At.DECIDED])
def test_restarted_in_mid_load(
    machine: Machine, small: District, settings: Settings, undisturbed: Left, how: signal.Signals, place: At
) -> None:
    batch = small.receive(settings)
    with machine.working(settings):
        with held(settings, place, batch) as hold:
            hold.wait()
            machine.restart_database(how)
        _nothing_is_half_there(settings, batch)
        began = time.monotonic()
        finish(settings, batch)
        assert time.monotonic() - began < 15
    assert differences(left(settings), undisturbed) == {}
    assert work_on(settings, batch)["attempts"] == 2


def _nothing_is_half_there(settings: Settings, batch: int) -> None:
    """A school has all of a delivery, with its counts, or nothing."""
    stored = {
        school for (school,) in ask(settings, "SELECT DISTINCT school_id FROM submission WHERE batch_id = %s", batch)
    }
    counted = ask(settings, "SELECT key FROM batch_slice WHERE batch_id = %s", batch)
    spans = [tuple(map(int, key.removeprefix("schools ").split("-"))) for (key,) in counted]
    schools = {school for (school,) in ask(settings, "SELECT id FROM school")}
    assert stored == {school for school in schools if any(low <= school <= high for low, high in spans)}
