"""An invented district as a panel: students who come in their own way, brothers and sisters, illness that lasts, days
of all kinds. Nothing in it happens to a route, class or grade, so whatever stands out there is a false alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from rules.cluster_sums import Ints, Panel

MONDAY = date(2026, 8, 31)


def panel(schools: int = 12, students: int = 400, days: int = 60, seed: int = 1) -> Panel:
    """Schools of equal size: 8 grades of classes of 25, half of the students on routes of about 40."""
    draw = np.random.default_rng(seed)
    number = schools * students
    school = np.repeat(np.arange(schools), students)
    grade = np.tile(np.arange(students) * 8 // students, schools)
    room = np.tile(np.arange(students) * 16 // students, schools)
    routes = max(students // 80, 1)
    route = np.where(draw.random(number) < 0.5, draw.integers(0, routes, number), -1)
    when = weekdays(days)
    chance = draw.beta(0.7, 11, number)[:, None] * draw.lognormal(0, 0.2, (schools, days))[school]
    chance *= np.where([day.weekday() in (0, 4) for day in when], 1.25, 0.9)
    chance[:, days // 3] *= 4  # a day of snow
    began = draw.random((number, days)) < chance * 0.6
    lasts = draw.geometric(0.6, (number, days))
    away = np.zeros((number, days), dtype=bool)
    for more in range(5):
        away[:, more:] |= (began & (lasts > more))[:, : days - more]
    home = school * students + draw.integers(0, students * 2 // 3, number)  # households of one and a half
    together = draw.random((number, days)) < 0.3
    first = np.full(number * 2, -1)
    first[home[::-1]] = np.arange(number)[::-1]
    away |= away[first[home]] & together
    groups = {
        "route": np.where(route >= 0, school * routes + route, -1),
        "class": school * 16 + room,
        "grade": school * 8 + grade,
    }
    return Panel(when, school, groups, away, np.ones((number, days), dtype=bool))


def weekdays(count: int) -> tuple[date, ...]:
    days = (MONDAY + timedelta(days=step) for step in range(count * 2))
    return tuple([day for day in days if day.weekday() < 5][:count])


def shuffled(district: Panel, seed: int) -> Panel:
    """The same days of the same students, who change places in the groups of their school."""
    draw = np.random.default_rng(seed)
    order = np.lexsort((draw.random(len(district.school)), district.school))
    groups: dict[str, Ints] = {kind: codes[order] for kind, codes in district.groups.items()}
    return replace(district, groups=groups)


def up_to(district: Panel, day: int) -> Panel:
    """What was known at the end of one of its days."""
    return replace(
        district, days=district.days[: day + 1], away=district.away[:, : day + 1], here=district.here[:, : day + 1]
    )


def kept_home(district: Panel, kind: str, group: int, days: slice, share: float = 0.8, seed: int = 5) -> Panel:
    """The same where so many of a group were away on some days as well."""
    away = district.away.copy()
    members = np.flatnonzero(district.codes(kind) == group)
    stay = np.random.default_rng(seed).random(len(members)) < share
    away[members[stay], days] = True
    return replace(district, away=away)
