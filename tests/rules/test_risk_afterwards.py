"""What is told of a running year and of one that is over, in shares that tell about nobody."""

from __future__ import annotations

import numpy as np

from rules.risk import afterwards
from rules.suppression import HIDDEN

EVERY = np.arange(200)


def test_a_running_year_tells_whom_it_names_and_no_hit() -> None:
    chances = EVERY / 200
    listed, groups = EVERY >= 150, {"iep: yes": EVERY % 2 == 0, "stls: yes": EVERY < 9}
    first = afterwards.first_of(chances, EVERY.astype(np.uint64), int(listed.sum()))
    assert np.array_equal(first, listed)
    iep, few = afterwards.running(groups, listed, first, chances)
    assert iep == {
        "name": "students with an IEP", "students": "about 100", "flagged": "25%", "flagged_by_rule": "25%",
        "expected": "49%",
    }  # fmt: skip
    assert few.pop("name") == "students in temporary living situations" and set(few.values()) == {HIDDEN}


def test_a_list_as_long_does_not_depend_on_the_order_of_rows() -> None:
    order, ties = np.array([1.0, 2.0, 2.0, 2.0]), np.array([4, 3, 2, 1], dtype=np.uint64)
    assert afterwards.first_of(order, ties, 2).tolist() == [False, False, True, True]
    assert afterwards.first_of(order[::-1], ties[::-1], 2).tolist() == [True, True, False, False]


def test_ranges_are_held_against_what_came_with_and_without_a_contact() -> None:
    ranges, chronic, reached = np.where(EVERY < 100, 2, 7), EVERY % 4 == 0, EVERY < 50
    told = {one["range"]: one for one in afterwards.by_range(ranges, chronic, reached)}
    assert told["20% to 30%"] == {
        "range": "20% to 30%", "students": "about 100", "came": "25%", "came_in_touch": "26%", "came_others": "24%",
    }  # fmt: skip
    assert told["70% to 80%"]["came_in_touch"] == HIDDEN and told["0% to 10%"]["came"] == HIDDEN


def test_a_finished_year_tells_what_rule_and_model_found_of_each_group() -> None:
    chronic, listed = EVERY >= 100, (EVERY >= 80) & (EVERY < 160)
    ranges = np.where(EVERY >= 120, 9, 1)
    groups = {"iep: yes": EVERY % 2 == 0, "stls: yes": EVERY < 9, "low_income: no": EVERY >= 9}
    whole, iep, others, few = afterwards.by_group(groups, ranges, listed, chronic)
    assert (whole["name"], whole["found"], whole["found_by_rule"], whole["right_by_rule"]) == (
        "all students", "80%", "60%", "75%",
    )  # fmt: skip
    assert (iep["found"], iep["right"]) == ("80%", "over 75%")
    assert set(list(few.values())[1:]) == set(list(others.values())[1:]) == {HIDDEN}, "nor by subtracting"
