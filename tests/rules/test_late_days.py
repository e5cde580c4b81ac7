"""Runs tests/spec/late_days.yaml: when a school is asked for a day, and when the question goes up."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.holders import Holder
from rules.late_days import Asks, DayIs, Move, TaskIs, next_move
from rules.places import Place
from rules.routing import Via, tasks_for
from rules.routing_table import routing_table
from tests.rules.test_routing import CLERK, LINCOLN, STAFF, TODAY, without

SPEC = Path(__file__).parents[1] / "spec" / "late_days.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
RAISE_AFTER = routing_table().rules["R26"].after
STEWARD, ADMIN = Holder(21, "data_steward", Place.district()), Holder(22, "system_admin", Place.district())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_missing_day_asks_for_what_the_case_says(case: dict[str, Any]) -> None:
    asks = Asks(case.get("asks", "school"))
    move = next_move(DayIs(case["day"]), TaskIs(case["task"]), case.get("passed", 0), RAISE_AFTER, asks)
    assert move is Move(case["then"])


def test_whatever_is_open_or_over_is_never_asked_for_as_new() -> None:
    for day, task, passed in product(DayIs, TaskIs, range(5)):
        move = next_move(day, task, passed, RAISE_AFTER)
        assert (move is Move.ASK) == (day is DayIs.MISSING and task is TaskIs.NONE)
        assert move is not Move.RAISE or task is TaskIs.OPEN


def test_the_clerk_of_the_school_is_asked_first_then_whoever_else_brings_in_attendance() -> None:
    def asked(staff: list[Holder]) -> tuple[str, int | None, Via]:
        (task,) = tasks_for("missing_day", LINCOLN, staff, on=TODAY)
        return task.role, task.person_id, task.via

    assert asked([*STAFF, STEWARD]) == ("attendance_clerk", CLERK, Via.HOLDER)
    assert asked([*without(CLERK), STEWARD]) == ("data_steward", STEWARD.person_id, Via.NETWORK_FALLBACK)
    assert asked(without(CLERK)) == ("attendance_clerk", None, Via.UNOWNED)


def test_it_goes_up_to_whoever_keeps_the_feeds_and_to_accountability_without_them() -> None:
    def raised(*staff: Holder) -> tuple[str, str, int | None]:
        (task,) = tasks_for("R26", LINCOLN, [*STAFF, *staff], on=TODAY)
        return task.department, task.role, task.person_id

    assert raised(ADMIN, STEWARD) == ("its", "system_admin", ADMIN.person_id)
    assert raised(STEWARD) == ("its", "data_steward", STEWARD.person_id)
