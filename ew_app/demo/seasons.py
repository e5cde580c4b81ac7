"""How the years, schools, months and days of an invented district differ, whoever the children are.

The week and the year are those of many districts: Mondays, Fridays, days before holidays and the last days of June are
missed most, December to February is the time of illness (the months are the ones the one-year demo has). Easton and
Engelhard (Chicago, 1981) found absence highest in kindergarten, falling to grade 4, level to grade 7 and rising in
grade 8; Whitney and Liu (2016) a jump at the change to high school. After 2021 each year was a little better than the
one before it (Chicago: 45 in 100 chronically absent in 2022, 40 in 2023; 24 in 2019, by the state's report).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ew_app.demo.district import Flags, Floats, Ints, School
from ew_app.demo.school_year import SchoolYear

BY_GRADE = np.array([1.45, 1.15, 1.0, 0.92, 0.88, 0.9, 0.95, 1.02, 1.15, 1.6, 1.55, 1.55, 1.85])
ILL_BY_GRADE = np.array([1.6, 1.35, 1.15, 1.0, 0.95, 0.9, 0.85, 0.85, 0.85, 0.8, 0.8, 0.8, 0.8])
ILL_IN = {8: 0.5, 9: 0.8, 10: 1.0, 11: 1.2, 12: 1.4, 1: 1.4, 2: 1.4, 3: 1.1, 4: 0.9, 5: 0.8, 6: 0.6}
BETTER_EACH_YEAR = 0.97
ROUTES = 5
NEVER_SENT = 0.006  # of the days of a school; more in many districts
RECENT = 10  # days whose gaps somebody still fills


@dataclass(frozen=True, slots=True)
class Season:
    """What one school year is like."""

    days: list[date]
    ordinals: Ints
    weekday: Ints
    usual: Floats  # a day: times the chance of staying away for no great reason
    illness: Floats  # a day: times the chance of falling ill
    climate: Floats  # a school: times the chance of staying away
    outbreak: Floats  # schools x weeks of the year: times the chance of falling ill
    week: Ints  # of each day
    bus_away: Floats  # schools x routes x days: the chance that the way to school fails
    bus_late: Floats
    snow: Flags  # days on which the way was hard for everybody
    unsent: Flags  # schools x days: nobody ever sent that day's attendance


def seasons(
    rng: np.random.Generator, schools: Sequence[School], years: Sequence[SchoolYear], running: Sequence[date]
) -> list[Season]:
    """One a school year; running: the days of the last one so far. One winter is hard, one other year is strong."""
    hard = int(rng.integers(len(years)))
    strong = (hard + 1 + int(rng.integers(max(1, len(years) - 1)))) % len(years)
    lasting = 0.16 * rng.normal(size=len(schools)) + 0.45 * np.log(np.array([s.strain for s in schools]) / 0.75)
    passing = np.zeros(len(schools))
    found = []
    for at, year in enumerate(years):
        passing = 0.6 * passing + 0.08 * rng.normal(size=len(schools))
        new_principal = rng.random(len(schools)) < 0.13
        passing += np.where(new_principal, rng.normal(0.06, 0.2, len(schools)), 0)
        days = list(running) if at == len(years) - 1 else year.school_days
        times = BETTER_EACH_YEAR ** (at - len(years) + 1) * np.exp(0.04 * rng.normal()) * (0.92 if at == strong else 1)
        flu = rng.uniform(0.4, 0.8) + (2.0 if at == hard else 0.0)
        found.append(_season(rng, year, days, np.exp(lasting + passing), float(times), float(flu)))
    return found


def _season(
    rng: np.random.Generator, year: SchoolYear, days: list[date], climate: Floats, times: float, flu: float
) -> Season:
    count, schools = len(days), len(climate)
    ordinals = np.array([day.toordinal() for day in days])
    weekday = np.array([day.weekday() for day in days])
    snow = rng.random(count) < np.array([0.04 if day.month in (12, 1, 2) else 0.0 for day in days])
    edge = np.array([1.2, 0.92, 0.88, 0.95, 1.25])[weekday]
    gap = np.diff(ordinals, append=ordinals[-1] + 1)
    usual = times * edge * np.where((gap > 3) & (gap < 40), 1.5, 1.0) * np.where(snow, 2.6, 1.0)
    since_start = ordinals - year.first.toordinal()
    start = np.where(since_start < 3, 1.3, 1.0)
    to_the_end = year.last.toordinal() - ordinals
    usual = usual * start * np.where(to_the_end < 12, 1.7, 1.0) * np.exp(0.08 * rng.normal(size=count))
    peak = year.first.toordinal() + rng.integers(120, 185)
    wave = flu * 1.3 * np.exp(-0.5 * ((ordinals - peak) / 16.0) ** 2)
    week = since_start // 7
    bad = rng.random((schools, ROUTES)) < 0.17
    since, length = rng.integers(0, 280, (schools, ROUTES)), rng.integers(15, 130, (schools, ROUTES))
    day = since_start[None, None, :]
    on = bad[..., None] & (day >= since[..., None]) & (day < (since + length)[..., None])
    once = rng.random((schools, ROUTES, count)) < 0.011
    walks = np.zeros((1, ROUTES, 1)) + (np.arange(ROUTES) > 0)[None, :, None]
    away = np.where(once, 0.3, on * rng.uniform(0.02, 0.12, (schools, ROUTES, 1))) * walks
    late = np.where(once, 0.45, on * rng.uniform(0.08, 0.3, (schools, ROUTES, 1))) * walks
    return Season(
        days=days,
        ordinals=ordinals,
        weekday=weekday,
        usual=usual,
        illness=np.array([ILL_IN[d.month] for d in days]) * (1 + wave),
        climate=climate,
        outbreak=rng.gamma(2.5, 1 / 2.5, (schools, int(week.max()) + 1)),
        week=week,
        bus_away=away,
        bus_late=late,
        snow=snow,
        unsent=(rng.random((schools, count)) < NEVER_SENT) & (np.arange(count) < count - RECENT),
    )
