"""Groups that stand out: what is found, what is not, and how often chance alone raises an alarm (--deep prints it)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rules.chances import kept_up_to, tail
from rules.cluster_days import all_buildings, told, weekday_days
from rules.clusters import look, tuning
from rules.routing_table import routing_table
from tests.rules import away

DISTRICT = away.panel()


# -- chances ---------------------------------------------------------------------------------------------------------


def test_the_tail_is_that_of_the_binomial_number():
    exact = sum(math.comb(20, n) * 0.1**n * 0.9 ** (20 - n) for n in range(6, 21))
    assert tail(6, 20, 0.1, 1.0) == pytest.approx(exact)
    assert tail(0, 20, 0.1, 1.0) == 1.0 and tail(20, 20, 0.1, 1.0) == pytest.approx(0.1**20)
    assert tail(5, 20, 1.0, 1.0) == 1.0, "a group that is the whole school is no part of it"


def test_what_scatters_more_is_less_surprising():
    chances = [tail(12, 60, 0.08, spread) for spread in (1.0, 1.5, 3.0)]
    assert chances == sorted(chances) and chances[0] < 0.01 < chances[2]


def test_of_many_chances_those_are_kept_of_which_few_are_false():
    assert kept_up_to([0.001, 0.9], tests=1, share=0.05) == 0.001
    assert kept_up_to([0.001], tests=100, share=0.05) == 0.0, "one in a thousand is nothing among a hundred"
    assert kept_up_to([0.0001, 0.0009, 0.5], tests=100, share=0.05) == 0.0009, "two together stand where one would not"


# -- what is found ---------------------------------------------------------------------------------------------------


def jumps(panel):
    return {(one.kind, one.group): one for one in look(panel).jumps}


def test_a_bus_that_did_not_come_is_found_the_same_day_and_is_one_case():
    today = away.up_to(DISTRICT, 45)
    found = jumps(away.kept_home(today, "route", 7, slice(45, 46)))
    assert list(found) == [("route", 7)]
    one = found["route", 7]
    assert (one.window, one.school) == (1, 1) and one.observed > 20 and one.expected < 6


def test_a_class_and_a_grade_are_told_apart():
    today = away.up_to(DISTRICT, 45)
    assert list(jumps(away.kept_home(today, "class", 21, slice(45, 46)))) == [("class", 21)]
    assert list(jumps(away.kept_home(today, "grade", 10, slice(45, 46)))) == [("grade", 10)]


def test_a_jump_spread_over_a_week_is_found_though_no_day_stands_out():
    today = away.up_to(DISTRICT, 45)
    slow = today
    for step in range(5):
        slow = away.kept_home(slow, "class", 21, slice(41 + step, 42 + step), share=0.4, seed=step)
    assert ("class", 21) in jumps(slow)


def test_a_school_that_stays_home_is_one_building_and_no_group():
    today = away.up_to(DISTRICT, 45)
    ill = replace(today, away=today.away.copy())
    ill.away[:, 45] |= (ill.school == 3) & (np.random.default_rng(1).random(len(ill.school)) < 0.25)
    assert list(jumps(ill)) == [("building", 3)]


def test_a_day_of_snow_in_the_whole_district_is_no_cluster():
    today = away.up_to(DISTRICT, 45)
    snow = replace(today, away=today.away.copy())
    snow.away[:, 45] |= np.random.default_rng(2).random(len(snow.school)) < 0.4
    assert jumps(snow) == {}


def test_a_weekday_missed_week_after_week_is_found_at_that_school_alone():
    friday = next(day for day in range(59, 0, -1) if DISTRICT.days[day].weekday() == 4)
    today = away.up_to(DISTRICT, friday)
    off = replace(today, away=today.away.copy())
    fridays = [at for at, day in enumerate(today.days) if day.weekday() == 4]
    draw = np.random.default_rng(3).random((len(off.school), len(fridays))) < 0.08
    off.away[:, fridays] |= draw & (off.school == 5)[:, None]
    assert [key for key in jumps(off) if key[0] == "weekday"] == [("weekday", 5)]
    days = weekday_days(off, all_buildings(off), 5, 4, today.days[20])
    assert all(day.day.weekday() == 4 for day in days) and sum(day.observed - day.expected for day in days) > 100


def test_nothing_is_looked_for_before_there_is_a_past_to_compare_with():
    early = away.up_to(DISTRICT, 15)
    assert look(away.kept_home(early, "route", 7, slice(15, 16))).judged == 0


def test_a_school_that_has_sent_nothing_is_not_judged():
    today = away.kept_home(away.up_to(DISTRICT, 45), "route", 7, slice(45, 46))
    here = today.here.copy()
    here[today.school == 1, 45] = False
    assert jumps(replace(today, here=here)) == {}


def test_the_days_of_a_cluster_say_what_was_expected():
    today = away.kept_home(away.up_to(DISTRICT, 45), "route", 7, slice(44, 45))
    first, second = told(today, "route", 7, today.days[44])
    assert first.observed > 20 > first.expected and first.chance < 1e-6
    assert second.chance > tuning().stays_gone
    assert told(today, "route", 7, today.days[5]) == (), "too little lies before"


def test_every_kind_asks_a_department_of_the_routing_table():
    conditions = [name for kind in tuning().kinds.values() for name in (kind.condition, kind.ill) if name]
    assert {routing_table().trigger(name).about_school for name in conditions} == {True}


# -- how often chance alone is taken for a cluster -------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [1, pytest.param(12, marks=pytest.mark.deep)])
def test_students_shuffled_over_the_groups_of_their_school_hardly_ever_stand_out(seeds, capsys):
    """Nothing happens to a group in these districts: every alarm is false. Beside it, half of a route kept home."""
    judged = alarms = loud = days = tried = hit = 0
    kinds: Counter[str] = Counter()
    for seed in range(1, seeds + 1):
        district = away.panel(seed=seed)
        chance = away.shuffled(district, seed)
        for day in range(20, 60, 1 if seeds > 1 else 2):
            found = look(away.up_to(chance, day))
            judged, alarms, days = judged + found.judged, alarms + len(found.jumps), days + 1
            loud += bool(found.jumps)
            kinds.update(one.kind for one in found.jumps)
        for day in range(25, 60, 5):
            route = (seed * 7 + day) % 60
            today = away.kept_home(away.up_to(district, day), "route", route, slice(day, day + 1), share=0.5)
            hit += ("route", route) in jumps(today)
            tried += 1
    groups = judged // len(tuning().windows)
    assert alarms / groups < 0.001 and loud / days <= 0.15
    assert hit / tried >= 0.95
    with capsys.disabled():
        print(
            f"\nclusters: {groups:,} group-days of {days} shuffled days, {alarms} false alarms "
            f"({100_000 * alarms / groups:.0f} in 100,000; {loud} days with any; {dict(kinds)}), "
            f"{hit} of {tried} routes with half away found the same day"
        )
