"""Two people hand things in at the same moment: nothing is taken twice, nothing waits for each other forever."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ew_app.config import Settings
from tests.durability import clerks
from tests.durability.district import District, Left, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import Machine, ask, wait_until
from tests.opened import on

TIMES = 20
SCHOOLS = 6


def test_one_file_handed_in_20_times_under_other_names_is_taken_once(
    machine: Machine, small: District, settings: Settings, undisturbed: Left
) -> None:
    names = [f"attendance ({number}).csv" for number in range(TIMES)]
    batches = clerks.hand_in(machine, settings, [partial(small.receive_here, name) for name in names])
    query = "SELECT status, (counts->>'rows_in')::int, (counts->>'unchanged')::int FROM batch WHERE id = ANY(%s)"
    rows = ask(settings, query, batches)
    assert sorted(status for status, _, _ in rows) == ["applied"] + ["duplicate"] * (TIMES - 1)
    assert all(rows_in == unchanged for status, rows_in, unchanged in rows if status == "duplicate")
    assert differences(left(settings), undisturbed).keys() <= {"batch", "event", "audit"}


def test_files_for_single_schools_at_once_do_not_lock_each_other_out(
    machine: Machine, small: District, settings: Settings, tmp_path: Path
) -> None:
    """Students who moved are at two of the schools, so their rows are touched by both loads."""
    again = clerks.corrected(small.delivery[0], tmp_path / "corrected.csv")
    first, second = (clerks.one_school_each(whole, tmp_path)[:SCHOOLS] for whole in (small.delivery[0], again))
    files = [file for pair in zip(first, second, strict=True) for file in pair]
    batches = clerks.hand_in(machine, settings, [partial(small.receive_here, file.name, [file]) for file in files])
    assert clerks.conflicts(settings) == 0
    assert ask(settings, "SELECT DISTINCT status FROM batch WHERE id = ANY(%s)", batches) == [("applied",)]


def test_two_files_for_the_same_schools_at_once_end_as_one_after_the_other(
    machine: Machine, small: District, fresh: Callable[[], Settings], tmp_path: Path
) -> None:
    one, two = small.delivery[:1], [clerks.corrected(small.delivery[0], tmp_path / "corrected.csv")]
    one_two, two_one, together = fresh(), fresh(), fresh()
    clerks.one_by_one(machine, one_two, small, [one, two])
    clerks.one_by_one(machine, two_one, small, [two, one])
    clerks.hand_in(machine, together, [partial(small.receive_here, "a.csv", files) for files in (one, two)])
    assert clerks.conflicts(together) == 0
    found, orders = clerks.by_school(together), (clerks.by_school(one_two), clerks.by_school(two_one))
    assert orders[0] != orders[1]
    assert all(said in (order[school] for order in orders) for school, said in found.items())


def test_a_file_is_checked_while_another_of_the_same_school_is_decided_about(
    machine: Machine, small: District, settings: Settings, tmp_path: Path
) -> None:
    """Both mark the same students; the check stores and decides in one transaction, so it must wait its turn first."""
    again = clerks.corrected(small.delivery[0], tmp_path / "corrected.csv")
    with machine.working(settings, concurrency=2), on(settings):
        first = small.receive_here("first.csv")
        with held(settings, At.DECIDING, first) as hold:
            hold.wait()
            second = small.receive_here("second.csv", [again], preview=True)
            wait_until(lambda: clerks.waits_for_a_lock(settings) == 2, what="both to wait")
        wait_until(lambda: clerks.all_over(settings), what="the end of both")
    assert clerks.conflicts(settings) == 0
    states = ask(settings, "SELECT status FROM batch WHERE id IN (%s, %s) ORDER BY id", first, second)
    assert states == [("applied",), ("previewed",)]
