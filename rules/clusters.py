"""A jump in one group: which routes, classes, grades, buildings and weekdays have more away than chance explains.

A student's own past says how likely they are to be away. On each day the students away at a school are shared out over
its groups by these likelihoods; how many of one group there would be is a binomial number, so a day on which the whole
school stays home (snow) makes no group stand out. Groups differ in how evenly their students come (brothers and
sisters, illness that lasts): each group's own past spread widens its number (beta-binomial). The tail of that
number is the chance; of many chances looked at together those are kept of which at most a set share is false
(Benjamini and Hochberg). Pure numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from rules.chances import kept_up_to, tail
from rules.cluster_sums import (
    BUILDING,
    FEWEST_SCHOOLS,
    GROUPS,
    Bools,
    Floats,
    Panel,
    Sums,
    likelihood,
    spread_of,
    sums,
    window_of,
)

CLUSTERS_FILE = Path(__file__).parent / "policies" / "clusters.yaml"
WEEKDAY: Final = "weekday"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of group, with what is asked about it and what is too small to be one."""

    key: str
    label: str
    condition: str
    least_group: int
    least_excess: float
    least_times: float
    says: str
    asks: str
    ill: str = ""

    def named(self, group: str) -> str:
        """What happened, in words, without the school."""
        return self.says.format(group=WEEKDAYS[int(group)] if self.key == WEEKDAY else group)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Everything of clusters.yaml."""

    days: int
    least_before: int
    windows: tuple[int, ...]
    false_share: float
    stays_gone: float
    weekday: Mapping[str, int]
    kinds: Mapping[str, Kind]


@cache
def tuning() -> Tuning:
    """The shipped limits, read once."""
    said: dict[str, Any] = yaml.safe_load(CLUSTERS_FILE.read_text(encoding="utf-8"))
    kinds = {key: Kind(key, **entry) for key, entry in said.pop("kinds").items()}
    return Tuning(**{**said, "windows": tuple(said["windows"])}, kinds=kinds)


@dataclass(frozen=True, slots=True)
class Jump:
    """A group that stands out on the newest day or over some days up to it. `group`: its place among those of its kind.

    expected: how many would be away if the group had come like the others of that day. chance: of so many or more.
    """

    kind: str
    school: int
    group: int
    window: int
    observed: int
    expected: float
    members: int
    chance: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found, among how many numbers that it judged, and the chance up to which they were kept."""

    jumps: tuple[Jump, ...]
    judged: int
    limit: float


def look(panel: Panel, limits: Tuning | None = None) -> Looked:
    """What stands out at the end of the panel's last day; nothing while too few days lie before."""
    limits = limits or tuning()
    before = len(panel.days) - max(limits.windows)
    if before < limits.least_before or not len(panel.school):
        return Looked((), 0, 0.0)
    own = likelihood(panel, before)
    schools = sums(panel, own, BUILDING)
    held = {kind: sums(panel, own, kind, schools) for kind in GROUPS} | {BUILDING: schools}
    judged = [one for kind, one_kind in held.items() for one in _judged(kind, one_kind, before, limits)]
    judged += list(_weekdays(panel, schools, limits))
    tests = sum(int((one.here[:, -1] > 0).sum()) for one in held.values()) * len(limits.windows)
    limit = kept_up_to([one.chance for one in judged], max(tests, len(judged)), limits.false_share)
    found = [one for one in judged if one.chance <= limit]
    return Looked(tuple(_told_apart(panel, own, found, limit, before, limits)), tests, limit)


def _judged(kind: str, held: Sums, before: int, limits: Tuning) -> Iterator[Jump]:
    """The groups of a kind that are large and far enough out to be judged, each with its smallest chance's window."""
    days = held.away.shape[1]
    for window in limits.windows:
        away, whole, mean, told = window_of(held, days - window, days)
        candidates = np.flatnonzero(_far(limits.kinds[kind], away, told, held.here[:, -1], window))
        if not len(candidates):
            continue
        spread = spread_of(held, before, window)
        for group in candidates:
            chance = tail(int(away[group]), int(whole[group]), mean[group] / whole[group], spread[group])
            members = int(held.here[group, -1])
            seen = int(away[group]), float(told[group])
            yield Jump(kind, int(held.school[group]), int(group), window, *seen, members, chance)


def _far(kind: Kind, away: Floats, told: Floats, members: Floats, window: int) -> Bools:
    enough: Bools = (
        (members >= kind.least_group)
        & (away - told >= kind.least_excess * window**0.5)
        & (away >= kind.least_times ** (1 / window**0.25) * told)
    )
    return enough


def _weekdays(panel: Panel, held: Sums, limits: Tuning) -> Iterator[Jump]:
    """Schools at which the weekday of the last day is missed more than the district's same days tell to expect."""
    kind, today = limits.kinds[WEEKDAY], panel.days[-1].weekday()
    first = max(0, len(panel.days) - 5 * limits.weekday["weeks"])
    same = np.array([place >= first and day.weekday() == today for place, day in enumerate(panel.days)])
    recent = np.arange(len(panel.days)) >= first
    if same.sum() < limits.weekday["least_weeks"]:
        return
    enough = (held.here > 0).sum(axis=0) >= FEWEST_SCHOOLS
    usual = np.where(enough, held.away.sum(axis=0) / np.maximum(held.expected.sum(axis=0), 1e-9), 1.0)
    expected = held.expected * usual
    whole = held.away[:, recent].sum(axis=1)
    part = expected / np.maximum(expected[:, recent].sum(axis=1, keepdims=True), 1e-9)
    mean = part * whole[:, None]
    spread = np.maximum((np.minimum((held.away - mean) ** 2 / np.maximum(mean, 0.5), 25))[:, recent].mean(axis=1), 1)
    away, told, weeks = held.away[:, same].sum(axis=1), mean[:, same].sum(axis=1), int(same.sum())
    rest = np.maximum(whole - told, 1e-9)
    told_by_others = told * (whole - away) / rest
    for school in np.flatnonzero(
        (held.here[:, -1] >= kind.least_group)
        & (away - told_by_others >= kind.least_excess * weeks)
        & (away >= kind.least_times * told_by_others)
    ):
        chance = tail(int(away[school]), int(whole[school]), told[school] / whole[school], spread[school])
        seen = int(away[school]), float(told_by_others[school]), int(held.here[school, -1])
        yield Jump(WEEKDAY, int(school), int(school), weeks, *seen, chance)


# -- one jump, one case --------------------------------------------------------------------------------------------


def _told_apart(
    panel: Panel, own: Floats, found: Sequence[Jump], limit: float, before: int, limits: Tuning
) -> Iterator[Jump]:
    """Of groups that share their students the one that explains most; another only if it stands out without those."""
    strongest: dict[tuple[str, int], Jump] = {}
    for jump in sorted(found, key=lambda one: (one.chance, one.window)):
        strongest.setdefault((jump.kind, jump.group), jump)
    for school in sorted({jump.school for jump in strongest.values()}):
        here = [jump for jump in strongest.values() if jump.school == school]
        yield from _of_school(panel, own, here, limit, before, limits)


def _of_school(
    panel: Panel, own: Floats, here: Sequence[Jump], limit: float, before: int, limits: Tuning
) -> Iterator[Jump]:
    """Groups by their chance, then the building without them; a weekday only where the building does not stand out."""
    school = here[0].school
    rows = np.flatnonzero(panel.school == school)
    inside, mine = panel.of(rows), own[rows]
    left = np.ones(len(rows), dtype=np.bool_)
    for jump in (one for one in here if one.kind in GROUPS):
        if left.all() or _stands(inside, mine, left, jump, limit, before, limits):
            yield jump
            left &= inside.codes(jump.kind) != jump.group
    explained = int((inside.away & inside.here)[~left, -1].sum()) - float((mine[~left]).sum())
    whole = [one for one in here if one.kind == BUILDING]
    stands = [one for one in whole if _without(one, explained, limits) or left.all()]
    yield from stands
    if not stands:
        yield from (one for one in here if one.kind == WEEKDAY)


def _without(jump: Jump, explained: float, limits: Tuning) -> bool:
    """Whether a building still stands out without what its groups explain."""
    kind = limits.kinds[BUILDING]
    explained = max(explained, 0) * jump.window
    rest = jump.observed - explained
    if rest - jump.expected <= explained:
        return False
    return rest - jump.expected >= kind.least_excess * jump.window**0.5 and rest >= kind.least_times * jump.expected


def _stands(panel: Panel, own: Floats, left: Bools, jump: Jump, limit: float, before: int, limits: Tuning) -> bool:
    part = panel.of(left)
    codes = np.where(part.codes(jump.kind) == jump.group, 0, 1)
    there = replace(part, school=np.zeros(len(codes), np.int64), groups={jump.kind: codes.astype(np.int64)})
    if not (codes == 0).any():
        return False
    held = sums(there, own[left], jump.kind)
    return any(one.group == 0 and one.chance <= limit for one in _judged(jump.kind, held, before, limits))
