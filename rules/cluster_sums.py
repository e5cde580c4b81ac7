"""Students away by group and day, beside what their own past and the day tell to expect. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

GROUPS: Final = ("route", "class", "grade")  # kinds inside a school, of students
BUILDING: Final = "building"
_OWN_DAYS: Final = 10.0  # school days by which a student's own past is drawn to that of the school
_OWN_SPREAD: Final = 20.0  # windows by which a group's own spread is drawn to that of all groups of its kind
_MOST_SPREAD: Final = 25.0  # one window counts at most so much, so that a cluster of the past hides no other
FEWEST_SCHOOLS: Final = 5  # fewer say nothing about what kind of day it was in the district

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Panel:
    """Who was away on which of some school days, oldest first.

    school, groups[kind]: [students] places, -1 for none. away, here: [students, days]; here: enrolled on a day of which
    attendance came in. A group's place belongs to one school.
    """

    days: tuple[date, ...]
    school: Ints
    groups: Mapping[str, Ints]
    away: Bools
    here: Bools

    def of(self, rows: NDArray[Any]) -> Panel:
        """The same of some students."""
        groups = {kind: codes[rows] for kind, codes in self.groups.items()}
        return replace(self, school=self.school[rows], groups=groups, away=self.away[rows], here=self.here[rows])

    def codes(self, kind: str) -> Ints:
        """[students] the group of each; the school for kinds of whole schools."""
        return self.groups.get(kind, self.school)


@dataclass(frozen=True, slots=True)
class Sums:
    """[groups, days] of one kind: away, expected by their own past, enrolled; `total`: away and expected of the whole
    they are a part of; `school`: of each group."""

    away: Floats
    expected: Floats
    here: Floats
    total_away: Floats
    total_expected: Floats
    school: Ints


def likelihood(panel: Panel, before: int) -> Floats:
    """[students] how likely each is to be away on a day, by the first `before` days; who has few days is as others."""
    here, away = panel.here[:, :before].sum(axis=1), (panel.away & panel.here)[:, :before].sum(axis=1)
    schools = int(panel.school.max(initial=-1)) + 1
    days = np.bincount(panel.school, weights=here, minlength=schools)
    rate = np.bincount(panel.school, weights=away, minlength=schools) / np.maximum(days, 1)
    own: Floats = (away + _OWN_DAYS * rate[panel.school]) / (here + _OWN_DAYS)
    return own


def sums(panel: Panel, own: Floats, kind: str, schools: Sums | None = None) -> Sums:
    """Every group of a kind beside the whole it is a part of: its school, or for a building the district.

    schools: the sums of the buildings, where they are known already.
    """
    codes = panel.codes(kind)
    number, days = int(codes.max(initial=-1)) + 1, len(panel.days)
    if kind != BUILDING:
        whole = schools or sums(panel, own, BUILDING)
        school = np.zeros(number, dtype=np.int64)
        school[codes[codes >= 0]] = panel.school[codes >= 0]
        return Sums(*_by_day(panel, own, codes, number), whole.away[school], whole.expected[school], school)
    away, expected, here = _by_day(panel, own, codes, number)
    few = (here > 0).sum(axis=0) < FEWEST_SCHOOLS  # then only its own past is there to be compared with
    whole_away = np.where(few, here, np.broadcast_to(away.sum(axis=0), (number, days)))
    whole_expected = np.where(few, here, np.broadcast_to(expected.sum(axis=0), (number, days)))
    return Sums(away, expected, here, whole_away, whole_expected, np.arange(number))


def _by_day(panel: Panel, own: Floats, codes: Ints, number: int) -> tuple[Floats, Floats, Floats]:
    """[groups, days] of three sums; the rows of a group are laid side by side and added up at once."""
    away, expected, here = (np.zeros((number, len(panel.days))) for _ in range(3))
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]
    if len(order):
        groups, first = np.unique(codes[order], return_index=True)
        there = panel.here[order]
        here[groups] = np.add.reduceat(there, first, axis=0, dtype=np.int32)
        away[groups] = np.add.reduceat(panel.away[order] & there, first, axis=0, dtype=np.int32)
        likely = there * own[order, None].astype(np.float32)
        expected[groups] = np.add.reduceat(likely, first, axis=0, dtype=np.float64)
    return away, expected, here


def window_of(held: Sums, first: int, end: int) -> tuple[Floats, Floats, Floats, Floats]:
    """[groups] of the days first..end: away, away of the whole, expected part of the whole, and what the others of the
    whole tell to expect."""
    part = _part(held, slice(first, end))
    away, whole = held.away[:, first:end], held.total_away[:, first:end]
    others = np.maximum(held.total_expected[:, first:end] - held.expected[:, first:end], 1e-9)
    told = held.expected[:, first:end] * np.maximum(whole - away, 0) / others
    told = np.where(part >= 1 - 1e-9, held.expected[:, first:end], told)
    return away.sum(axis=1), whole.sum(axis=1), (part * whole).sum(axis=1), told.sum(axis=1)


def _part(held: Sums, days: slice) -> Floats:
    """[groups, days] the part of the whole that is expected to be of the group."""
    expected, whole = held.expected[:, days], held.total_expected[:, days]
    part: Floats = np.divide(expected, whole, out=np.zeros_like(expected), where=whole > 0)
    return part


def spread_of(held: Sums, before: int, window: int) -> Floats:
    """[groups] how much wider than pure chance the windows of the past scattered: its own, drawn to its kind's."""
    first, groups = before % window, len(held.school)
    past = slice(first, max(before, first))
    away, whole, mean = (
        column.reshape(groups, -1, window).sum(axis=2)
        for column in (held.away[:, past], held.total_away[:, past], _part(held, past) * held.total_away[:, past])
    )
    variance = mean * (1 - np.divide(mean, whole, out=np.ones_like(mean), where=whole > 0))
    usable = (mean >= 0.5) & (variance > 0)
    off = np.minimum((away - mean) ** 2 / np.where(usable, variance, 1), _MOST_SPREAD)
    squares, counted = np.where(usable, off, 0).sum(axis=1), usable.sum(axis=1)
    pooled = squares.sum() / counted.sum() if counted.sum() else 1.0
    spread: Floats = np.maximum((squares + _OWN_SPREAD * pooled) / (counted + _OWN_SPREAD), 1.0)
    return spread
