"""What one policy makes of a slice of students in a school year, as counts that can be added up over slices.

Figures are dictionaries of dictionaries down to whole numbers, so that they lie in the database as JSON. Nothing is
stored here, and nobody is named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.casework.staffing import Staff
from ew_app.services.deciding.decisions import Decisions
from ew_app.services.deciding.simulated_cases import Opened, would_open
from ew_app.services.measuring.judging import Judged
from models.queries import simulating as rows
from rules.tiers import Tier

Figures = dict[str, Any]

WINDOW = 30  # school days after the flag within which a student is looked at, as the way out of Tier 2 does
WELL = 20  # one day in so many absent is still well: under 5%
ALL = "everybody"
OUTCOMES = ("alone", "helped", "not_yet", "too_soon")
UNTOLD = "not given"
GRADES = ((2, "PK to 2"), (5, "3 to 5"), (8, "6 to 8"), (99, "9 to 12"))  # up to which grade, what they are called
FRIDAY, WEEK = timedelta(days=4), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Groups:
    """What the roster says of the students of a slice: group by dimension, and homeroom; a row a student."""

    homeroom: list[str]
    of: Mapping[str, list[str]]  # dimension -> group of each


def groups_of(judged: Judged) -> Groups:
    """The groups that the counts are cut by. Living situations are not among them: they are nobody else's matter."""
    found = {row.id: row for row in rows.groups(judged.students)}
    told = [found[number] for number in judged.students.tolist()]
    return Groups(
        [one.homeroom for one in told],
        {
            ALL: [ALL] * len(told),
            "grade": [grade_group(grade) for grade in judged.year.grade],
            "race_ethnicity": [one.race_ethnicity or UNTOLD for one in told],
            "english_learner": [_yes_no(one.english_learner) for one in told],
            "iep": [_yes_no(one.iep) for one in told],
            "low_income": [_yes_no(one.low_income) for one in told],
        },
    )


def grade_group(grade: str) -> str:
    """The grades as people speak of them together."""
    if not grade.isdigit():
        return {"PK": "PK to 2", "K": "PK to 2", "KG": "PK to 2"}.get(grade.upper(), UNTOLD)
    number = int(grade)
    return next(name for top, name in GRADES if number <= top)


def in_school_order(groups: Collection[str]) -> list[str]:
    """Groups as people list them: grades from the youngest on, all else by letters."""
    grades = [name for _, name in GRADES]
    return sorted(groups, key=lambda group: (grades.index(group) if group in grades else len(grades), group))


def _yes_no(said: bool | None) -> str:
    return UNTOLD if said is None else "yes" if said else "no"


def weeks(start: date, until: date) -> list[date]:
    """The Mondays of the weeks that begin in start..until."""
    monday = start - timedelta(days=start.weekday())
    return [monday + nth * WEEK for nth in range((until - monday).days // 7 + 1)]


def figures(judged: Judged, schools: Collection[int], groups: Groups, staff: Staff) -> Figures:
    """Tiers by week, the end and the cases of each school, what each rule did, and who came back, of some schools."""
    decisions = Decisions(judged, np.full(len(judged.students), judged.year.frame.start, dtype="datetime64[D]"))
    opened = [one for one in would_open(decisions, groups.homeroom, staff) if one.school in schools]
    standing, here = _Standings(decisions, schools), _at(judged, schools)
    return added(
        {"students": len(standing.people)},
        {"tiers": {monday.isoformat(): standing.tiers(monday + FRIDAY) for monday in standing.weeks}},
        {"schools": standing.at_the_end()},
        {"schools": _cases(opened)},
        {"rules": _rules(judged, opened, here)},
        {"groups": _came_back(judged, groups, here)},
    )


def added(*parts: Figures) -> Figures:
    """The sum of figures; what is nothing anywhere is left out."""
    whole: Figures = {}
    for part in parts:
        _add(whole, part)
    return whole


def _add(whole: Figures, part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping):
            _add(whole.setdefault(key, {}), value)
        elif value:
            whole[key] = whole.get(key, 0) + int(value)


class _Standings:
    """The runs of days on which students stood in a tier at some schools, as arrays; ordinals of days."""

    def __init__(self, decisions: Decisions, schools: Collection[int]) -> None:
        at = decisions.judged.year.frame
        self.through = {school: at.data_through(school) for school in schools}
        found = [
            (student, since.toordinal(), (until or self._last(school)).toordinal(), school, tier, early)
            for (student, since), (until, school, _, tier, early) in decisions.standings()
            if self.through.get(school)
        ]
        table = np.array(found, dtype=np.int64).reshape(-1, 6)
        student, self.since, self.until, self.school, self.tier, self.early = table.T
        self.people = frozenset(student.tolist())
        self._known = np.array([self._last(school).toordinal() for school in self.school.tolist()], dtype=np.int64)
        first = date.fromordinal(int(self.since.min())) if len(found) else at.day
        self.weeks = weeks(first, at.day) if len(found) else []

    def _last(self, school: int) -> date:
        return self.through[school] or date.min

    def _on(self, day: date) -> NDArray[np.bool_]:
        """Which runs hold on a day; at a school that has not sent it, on the last day that it has."""
        asked = np.minimum(day.toordinal(), self._known)
        return np.asarray((self.since <= asked) & (asked <= self.until))

    def tiers(self, day: date) -> Figures:
        """Tier -> students."""
        here = self.tier[self._on(day)]
        return {tier.text: int((here == tier).sum()) for tier in Tier}

    def at_the_end(self) -> Figures:
        """School -> tiers and too early, on its last known day."""
        here = self._on(date.max)
        found: Figures = {}
        for school in np.unique(self.school[here]).tolist():
            mine = here & (self.school == school)
            counts = {tier.text: int((self.tier[mine] == tier).sum()) for tier in Tier}
            found[str(school)] = {"tiers": counts, "too_early": int(self.early[mine].sum())}
        return found


def _cases(opened: list[Opened]) -> Figures:
    """School -> cases by week and role, and how many of them nobody could be found for."""
    return added(*({str(one.school): _case(one)} for one in opened))


def _case(one: Opened) -> Figures:
    monday = one.day - timedelta(days=one.day.weekday())
    return {"cases": {monday.isoformat(): {one.role: 1}}, "unowned": int(one.unowned), "standing": int(one.standing)}


def _at(judged: Judged, schools: Collection[int]) -> NDArray[np.bool_]:
    """[S, D] whether each was enrolled at one of the schools."""
    year = judged.year
    at = np.append(np.isin(year.stint_school, list(schools)), False)  # -1: nowhere
    return np.asarray(at[year.stint_at])


def _rules(judged: Judged, opened: list[Opened], here: NDArray[np.bool_]) -> Figures:
    """Rule -> students for whom it was met this school year while they were here, and cases that it opened."""
    by_rule = (*judged.replay.active.items(), *judged.replay.counted.items())
    met = [{rule: {"met": np.count_nonzero((found & here).any(axis=1))}} for rule, found in by_rule]
    return added(*met, *({rule: {"opened": 1}} for one in opened for rule in one.rules))


def _came_back(judged: Judged, groups: Groups, here: NDArray[np.bool_]) -> Figures:
    """Dimension -> group -> outcome -> students who were ever flagged here: in Tier 2 or 3."""
    found: Figures = {}
    for row, outcome in _outcomes(judged, here):
        for dimension, named in groups.of.items():
            group = found.setdefault(dimension, {}).setdefault(named[row], dict.fromkeys(OUTCOMES, 0))
            group[outcome] += 1
    return found


def _outcomes(judged: Judged, here: NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    """(row, what became of them) of everybody who reached Tier 2 or 3 while they were here."""
    facts = judged.deciding
    flagged = (judged.replay.tier >= Tier.TWO) & here
    for row in np.flatnonzero(flagged.any(axis=1)).tolist():
        first = int(flagged[row].argmax())
        days = facts.member_days[row]
        full = days >= days[first] + WINDOW
        absent = facts.in_last("absent", WINDOW)[row].astype(np.int64)
        enrolled = facts.in_last("enrolled", WINDOW)[row].astype(np.int64)
        well = full & (absent * WELL < enrolled)
        if not full.any():
            yield row, "too_soon"
        elif not well.any():
            yield row, "not_yet"
        else:
            yield row, "helped" if _was_helped(judged, row, first, int(well.argmax())) else "alone"


def _was_helped(judged: Judged, row: int, first: int, back: int) -> bool:
    """Whether somebody reached the family, or took on what is in the way, between the flag and the coming back."""
    inputs = judged.inputs
    flagged_on = judged.matrix.days[first].astype(np.int64)
    reached = inputs.last_contact is not None and inputs.last_contact[row, back] >= flagged_on
    owned = inputs.barrier_owned is not None and inputs.barrier_owned[row, first : back + 1].any()
    return bool(reached or owned)
