"""Queued work: one effect however often it is delivered, nothing lost without the broker, an end to what fails."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ew_app import outbox
from ew_app.config import Settings
from ew_app.kernel import transaction
from ew_app.outbox import Job
from ew_app.services.system import health
from models.queries import health as health_rows
from tests.durability.district import District, Left, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import Machine, ask, wait_until
from tests.durability.waits import deliver, finish, messages, sweep, until_done, work_on
from tests.opened import on

DELIVERIES = 200


def test_delivered_200_times_to_two_workers_it_has_one_effect(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    batch = small.receive(settings)
    deliver(settings, batch, times=DELIVERIES)
    with machine.working(settings), machine.working(settings):
        wait_until(lambda: messages(settings) == (0, 0), what="all deliveries to be worked off")
        assert work_on(settings, batch)["done"]
    assert differences(left(settings), undisturbed) == {}
    assert work_on(settings, batch)["attempts"] == 1


@pytest.mark.parametrize("known_before", [False, True], ids=["never seen", "seen before"])
def test_without_a_broker_the_request_succeeds_and_the_work_is_done_later(
    machine: Machine, small: District, settings: Settings, undisturbed: Left, known_before: bool
) -> None:
    with on(settings) as app:
        if known_before:  # a connection that worked and is broken now
            app.extensions["celery"].send_task(Job.SWEEP.value, expires=1)
        machine.stop_broker()
        began = time.monotonic()
        batch = small.receive_here("attendance.csv")
        seconds = time.monotonic() - began
        assert outbox.sweep() == 0  # it was sent a moment ago, as far as anybody knows
        machine.start_broker()
    assert seconds < 2
    with machine.working(settings):
        finish(settings, batch)
    assert differences(left(settings), undisturbed) == {}


def test_a_broker_that_hangs_holds_a_request_up_for_seconds_only(
    machine: Machine, small: District, settings: Settings
) -> None:
    with on(settings), machine.broker_hangs():
        began = time.monotonic()
        small.receive_here("attendance.csv")
        assert time.monotonic() - began < 12
        assert outbox.sweep() == 0


def test_a_broker_that_forgets_everything_in_mid_load_loses_nothing(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    first = small.receive(settings)
    with machine.working(settings), machine.broker() as broker:
        with held(settings, At.BETWEEN_SLICES, first) as hold:
            hold.wait()
            broker.flushall()
        until_done(settings, first)
    assert differences(left(settings), undisturbed) == {}


def test_a_broker_that_forgets_what_waits_loses_nothing(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    batch = small.receive(settings)
    with machine.broker() as broker:
        broker.flushall()
    with machine.working(settings):
        finish(settings, batch)
    assert differences(left(settings), undisturbed) == {}


def test_a_broker_that_restarts_in_mid_load_loses_nothing(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    """The worker finds its way back to the broker and takes further work."""
    batch = small.receive(settings)
    with machine.working(settings):
        with held(settings, At.BETWEEN_SLICES, batch) as hold:
            hold.wait()
            machine.stop_broker()
            machine.start_broker()
        until_done(settings, batch)
        with on(settings):
            again = small.receive_here("again.csv")
    assert differences(left(settings), undisturbed).keys() == {"batch", "event", "audit"}
    assert ask(settings, "SELECT status FROM batch WHERE id = %s", again) == [("duplicate",)]


def test_work_that_kills_its_worker_is_set_aside_after_three_attempts(
    machine: Machine, small: District, settings: Settings
) -> None:
    batch = small.receive(settings)
    with machine.working(settings) as worker:
        for attempt in (1, 2, 3):
            with held(settings, At.STAGED, batch) as hold:
                hold.wait()
                assert work_on(settings, batch)["attempts"] == attempt
                worker.kill_child()
        wait_until(lambda: work_on(settings, batch)["set_aside"], what="the work to be set aside")
        assert sweep(settings) == 0
    assert work_on(settings, batch)["attempts"] == 3
    _is_told(settings, "The worker was lost three times while doing this.")


def test_work_that_fails_is_set_aside_after_three_attempts_with_its_reason(
    machine: Machine, small: District, settings: Settings
) -> None:
    batch = small.receive(settings)
    ask(settings, "ALTER TABLE staged_day ADD CONSTRAINT nothing_fits CHECK (school_id < 0) NOT VALID")
    with machine.working(settings):
        _fail_three_times(settings, batch)
    reason = 'new row for relation "staged_day" violates check constraint "nothing_fits"'
    _is_told(settings, f"CheckViolation: {reason}")


def test_a_file_whose_work_was_set_aside_half_way_goes_in_when_it_is_sent_again(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    """What the health page advises. Some schools were stored already; they are not stored twice."""
    batch = small.receive(settings)
    ((last,),) = ask(settings, "SELECT max(id) FROM school")
    ask(settings, f"ALTER TABLE submission ADD CONSTRAINT not_the_last CHECK (school_id <> {last}) NOT VALID")
    with machine.working(settings):
        _fail_three_times(settings, batch)
        ask(settings, "ALTER TABLE submission DROP CONSTRAINT not_the_last")
        again = small.receive(settings)
        until_done(settings, again)
    assert ask(settings, "SELECT status FROM batch WHERE id = %s", again) == [("applied",)]
    same = {"mark", "school_day", "student_status", "standing", "finding", "tier_change", "tier_count", "case", "task"}
    assert not differences(left(settings), undisturbed).keys() & same


def _fail_three_times(settings: Settings, batch: int) -> None:
    for attempt in (1, 2, 3):
        wait_until(lambda: work_on(settings, batch)["error"], what="the attempt to fail")
        assert work_on(settings, batch)["attempts"] == attempt
        ask(settings, "UPDATE outbox SET error = '' WHERE quarantined_at IS NULL")
        sweep(settings)


def _is_told(settings: Settings, reason: str) -> None:
    """The health page says that something was set aside, and why."""
    with on(settings):
        (check,) = (check for check in health.checks() if check.name == "Set aside")
        assert (check.state, check.sentence) == (health.State.LATE, "1 set aside for a person to look at.")
        assert [(row.job, row.attempts, row.error) for row in health_rows.set_aside()] == [("load_batch", 3, reason)]


def test_two_processes_that_perform_one_row_do_it_once(settings: Settings) -> None:
    """The claim alone, without Celery: 40 threads, one does it."""
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.2)
        done.append(number)

    ((row,),) = ask(
        settings,
        "INSERT INTO outbox (job, key, args, created_at, sent_at, attempts, error)"
        " VALUES ('evaluate', 'once', '[7]', now(), now(), 0, '') RETURNING id",
    )
    with on(settings) as app, ThreadPoolExecutor(8) as pool:

        def perform(_: int) -> bool:
            with app.app_context():
                return outbox.perform(Job.EVALUATE, row, work)

        told = list(pool.map(perform, range(40)))
    assert (done, told.count(True)) == ([7], 1)


def test_a_message_left_from_another_database_does_nothing_to_a_row_of_the_same_number(settings: Settings) -> None:
    with on(settings):
        with transaction():
            outbox.enqueue(Job.EVALUATE, key="touched")
        ((number,),) = ask(settings, "SELECT id FROM outbox WHERE job = 'evaluate' AND done_at IS NULL")
        assert not outbox.perform(Job.LOAD_BATCH, number, lambda: None)
        assert ask(settings, f"SELECT attempts FROM outbox WHERE id = {number} AND done_at IS NULL") == [(0,)]
        assert outbox.perform(Job.EVALUATE, number, lambda: None)


def test_work_asked_for_again_while_it_waits_begins_after_the_second_asker_has_committed(settings: Settings) -> None:
    """Else it would not see what the second one wrote, and nobody would ask again."""
    order: list[str] = []
    with on(settings) as app, ThreadPoolExecutor(1) as pool:

        def perform(number: int) -> bool:
            with app.app_context():
                return outbox.perform(Job.EVALUATE, number, lambda: order.append("the work"))

        with transaction():
            outbox.enqueue(Job.EVALUATE, key="touched")
        ((number,),) = ask(settings, "SELECT id FROM outbox WHERE job = 'evaluate' AND done_at IS NULL")
        with transaction():
            outbox.enqueue(Job.EVALUATE, key="touched")
            begun = pool.submit(perform, number)
            time.sleep(0.3)
            order.append("the second asker")
        assert begun.result()
    assert order == ["the second asker", "the work"]
    assert ask(settings, "SELECT count(*) FROM outbox WHERE job = 'evaluate' AND done_at IS NULL") == [(0,)]
