"""The students, groups and absences of the last school days as the matrices that `rules.clusters` judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.queries import away_panel
from models.queries.away_panel import Read
from rules.cluster_sums import BUILDING, GROUPS, Ints, Panel
from rules.clusters import WEEKDAY

_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Seen:
    """A panel with what its places stand for: school ids, and (school, name) of groups; `excused` as `panel.away`."""

    panel: Panel
    schools: Sequence[int]
    names: Mapping[str, Sequence[tuple[int, str]]]
    places: Mapping[str, Mapping[tuple[int, str], int]]
    excused: NDArray[np.bool_]

    def group_key(self, kind: str, group: int) -> str:
        """What the roster calls a group; '' for a building, a number for a weekday."""
        if kind == WEEKDAY:
            return str(self.panel.days[-1].weekday())
        return "" if kind == BUILDING else self.names[kind][group][1]

    def group(self, kind: str, school_id: int, key: str) -> int | None:
        """The place of a group among those of its kind; None when nobody is in it any more."""
        if kind in GROUPS:
            return self.places[kind].get((school_id, key))
        return self.schools.index(school_id) if school_id in self.schools else None

    def excused_on(self, kind: str, group: int, day: date) -> int:
        """How many of a group who were away on a day had an excuse."""
        column = self.panel.days.index(day)
        inside = self.panel.codes(kind) == group
        return int((self.excused[inside, column] & self.panel.here[inside, column]).sum())

    def up_to(self, day: date) -> Seen:
        """What stands of the days up to one."""
        end = self.panel.days.index(day) + 1
        cut, days = self.panel, self.panel.days[:end]
        panel = replace(cut, days=days, away=cut.away[:, :end], here=cut.here[:, :end])
        return replace(self, panel=panel, excused=self.excused[:, :end])


def read(days: Sequence[date]) -> Seen:
    """Everything about these school days, oldest first, as it stands now."""
    return laid(away_panel.read(days))


def laid(found: Read) -> Seen:
    """Columns as matrices. A group is one of a school: two schools that both have a class 4A have two."""
    student, school = found.enrolled["student"].astype(np.int64), found.enrolled["school"].astype(np.int64)
    schools, place = np.unique(school, return_inverse=True)
    days = np.array([day.toordinal() - _EPOCH for day in found.days])
    here = _sent(found, schools, days)[place] if len(place) else np.zeros((0, len(days)), dtype=np.bool_)
    here &= (found.enrolled["entry"][:, None] <= days) & (found.enrolled["exit"][:, None] >= days)
    away, excused = _away(found, student << 32 | school, days)
    groups, names = {}, {}
    for kind in GROUPS:
        groups[kind], names[kind] = _groups(school, found.enrolled[kind])
    panel = Panel(found.days, place.astype(np.int64), groups, away, here)
    places = {kind: {pair: at for at, pair in enumerate(pairs)} for kind, pairs in names.items()}
    return Seen(panel, schools.tolist(), names, places, excused)


def _sent(found: Read, schools: Ints, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    sent = np.zeros((len(schools), len(days)), dtype=np.bool_)
    known = np.isin(found.sent["school"], schools)
    rows = np.searchsorted(schools, found.sent["school"][known])
    sent[rows, np.searchsorted(days, found.sent["day"][known])] = True
    return sent


def _away(found: Read, who: Ints, days: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[students, days] away, and away with an excuse; marks of whoever is not enrolled any more are passed over."""
    away, excused = (np.zeros((len(who), len(days)), dtype=np.bool_) for _ in range(2))
    if not len(who):
        return away, excused
    marked = found.away["student"].astype(np.int64) << 32 | found.away["school"].astype(np.int64)
    order = np.argsort(who, kind="stable")
    at = np.minimum(np.searchsorted(who[order], marked), len(who) - 1)
    known = who[order][at] == marked
    rows, columns = order[at[known]], np.searchsorted(days, found.away["day"][known])
    away[rows, columns] = True
    excused[rows, columns] = found.away["excused"][known] == 1
    return away, excused


def _groups(school: Ints, named: Sequence[str]) -> tuple[Ints, list[tuple[int, str]]]:
    """[students] the place of each one's group, -1 for none; and (school, name) of each place, in their order."""
    texts = sorted({*named} - {""})
    number = {name: at for at, name in enumerate(texts)} | {"": -1}
    code = np.fromiter(map(number.__getitem__, named), dtype=np.int64, count=len(named))
    inside = code >= 0
    pairs, place = np.unique(school[inside] * len(texts) + code[inside], return_inverse=True)
    codes = np.full(len(code), -1, dtype=np.int64)
    codes[inside] = place
    return codes, [(pair // len(texts), texts[pair % len(texts)]) for pair in pairs.tolist()]
