"""The ladder: which way comes next, what is enough to say that nobody can be reached, and what may go by itself."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from rules.ladder import climb, district_ladder, manners, next_step, parse

MONDAY = date(2026, 11, 16)
DAYS = [MONDAY + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
TIER_2 = district_ladder().of(2)


def after(*tries, tier=2, stopped=()):
    """(method, due, hint) of the next rung after these tries, each (days after Monday, method)."""
    made = [(MONDAY + timedelta(days=day), method) for day, method in tries]
    step = next_step(climb(district_ladder().of(tier), made, opened=MONDAY, days=DAYS, stopped=stopped))
    return (step.rung.method, step.due, step.rung.hint) if step else None


@pytest.mark.parametrize(
    ("tries", "method", "day"),
    [
        ([], "call", 0),
        ([(0, "call")], "text", 1),
        ([(0, "text")], "call", 0),  # a text sent first stands for its own rung
        ([(0, "call"), (1, "text")], "call", 2),
        ([(0, "call"), (0, "call")], "text", 1),  # two calls stand for both calls
        ([(0, "call"), (1, "email"), (2, "virtual")], "letter_mail", 3),  # ways that stand for one another
        ([(0, "call"), (1, "text"), (2, "call"), (3, "letter_home")], "visit", 5),
    ],
)
def test_the_first_rung_not_tried_is_next(tries, method, day):
    assert after(*tries)[:2] == (method, DAYS[day])


def test_days_of_the_ladder_are_school_days():
    friday = date(2026, 11, 20)
    steps = climb(TIER_2, [], opened=friday, days=[friday, date(2026, 11, 30), date(2026, 12, 1)])
    assert [step.due for step in steps[:3]] == [friday, date(2026, 11, 30), date(2026, 12, 1)]


def test_tier_3_is_visited_sooner():
    tries = [(0, "call"), (0, "text"), (1, "call")]
    assert after(*tries, tier=3) == ("visit", DAYS[2], "two people")


def test_a_way_that_the_family_does_not_want_is_left_out():
    assert after((0, "call"), stopped=["text"])[0] == "call"
    assert after((0, "call"), (0, "text"), stopped=["text"])[0] == "call"  # what was tried before stays tried


def test_when_every_way_was_tried_nothing_is_next():
    assert after(*[(0, rung.method) for rung in TIER_2]) is None


@pytest.mark.parametrize(
    ("tries", "ways", "enough"), [(3, 2, True), (2, 2, False), (3, 1, False), (9, 1, False), (4, 3, True)]
)
def test_three_tries_by_two_ways_are_enough_to_say_so(tries, ways, enough):
    assert manners().enough(tries, ways) is enough


@pytest.mark.parametrize(
    ("at", "quiet"), [(time(7, 59), True), (time(8), False), (time(19, 59), False), (time(20), True)]
)
def test_families_are_left_alone_from_eight_to_eight(at, quiet):
    assert manners().quiet(at) is quiet


def test_nothing_goes_by_itself_at_night_too_often_or_against_a_wish():
    bar = manners().bar
    assert bar(time(9), 1, stopped=False) == ""
    assert "08:00" in bar(time(21), 0, stopped=False)
    assert "that is enough" in bar(time(9), 2, stopped=False)
    assert "asked" in bar(time(9), 0, stopped=True)


def two(*steps):
    return [{"day": day, "method": method} for day, method in steps]


GOOD = two((0, "call"), (1, "text"), (2, "visit"))


def test_a_school_may_have_its_own():
    own = parse({"2": GOOD, "3": two((0, "visit"), (0, "call"), (1, "letter_mail"))})
    assert own.of(3)[0].method == "visit"
    assert parse(own.plain()) == own


@pytest.mark.parametrize(
    ("rungs", "says"),
    [
        ([], "from 1 to 10"),
        (two((0, "call"), (1, "call"), (2, "call")), "2 different ways"),
        (two((0, "call"), (1, "text")), "at least 3 steps"),
        (two((2, "call"), (1, "text"), (3, "visit")), "not in the order"),
        (two((0, "robocall"), (1, "text"), (2, "call")), "automatic message is no step"),
        (two((0, "pigeon"), (1, "text"), (2, "call")), "from the list"),
        (two((-1, "call"), (1, "text"), (2, "visit")), "from 0 to 60"),
        ([{"day": 0, "method": "call", "hint": "x" * 61}, *GOOD], "under 60"),
    ],
)
def test_a_ladder_that_gives_no_fair_chance_is_refused(rungs, says):
    with pytest.raises(ValueError, match=says):
        parse({"2": rungs, "3": GOOD})
