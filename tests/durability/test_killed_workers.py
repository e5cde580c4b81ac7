"""A worker may die at any place of a load: the next one goes on, and comes to the same counts."""

from __future__ import annotations

import pytest

from ew_app.config import Settings
from tests.durability.district import District, Left, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import Machine, wait_until
from tests.durability.waits import deliver, finish, messages, sweep, until_done, work_on


@pytest.mark.parametrize(
    "first, second", [(At.STAGED, At.BETWEEN_SLICES), (At.IN_A_SLICE, At.DECIDING), (At.DECIDED, At.APPLIED)]
)
def test_killed_at_two_places_of_one_load(
    machine: Machine, small: District, settings: Settings, undisturbed: Left, first: At, second: At
) -> None:
    batch = small.receive(settings)
    for place in (first, second):
        with held(settings, place, batch) as hold, machine.working(settings) as worker:
            sweep(settings)
            hold.wait()
            worker.kill()
    with machine.working(settings):
        finish(settings, batch)
    assert differences(left(settings), undisturbed) == {}
    assert work_on(settings, batch)["attempts"] == 3


def test_killed_after_the_commit_and_before_the_acknowledgement(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    batch = small.receive(settings)
    with machine.working(settings) as worker, machine.broker() as broker:
        with held(settings, At.APPLIED, batch) as hold:
            hold.wait()
            broker.execute_command("CLIENT PAUSE", 60_000, "WRITE")  # the acknowledgement cannot leave
        try:
            until_done(settings, batch)
            worker.kill()
        finally:
            broker.execute_command("CLIENT UNPAUSE")
    assert messages(settings) == (0, 1)
    with machine.working(settings):
        deliver(settings, batch)
        wait_until(lambda: messages(settings) == (0, 1), what="the second delivery to be taken and acknowledged")
    assert differences(left(settings), undisturbed) == {}
    assert work_on(settings, batch)["attempts"] == 1


def test_a_killed_child_is_replaced_and_its_message_delivered_again_at_once(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    """Late acknowledgement and rejection on loss: nobody has to sweep, and the worker itself lives on."""
    batch = small.receive(settings)
    with machine.working(settings) as worker:
        with held(settings, At.BETWEEN_SLICES, batch) as hold:
            hold.wait()
            (child,) = worker.children()
            worker.kill_child()
            wait_until(lambda: worker.children() not in ([], [child]), what="a new child")
        until_done(settings, batch)
    assert differences(left(settings), undisturbed) == {}
    assert work_on(settings, batch)["attempts"] == 2
