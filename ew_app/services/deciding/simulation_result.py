"""A trial of a policy as people read it: in force and candidate side by side, small numbers kept back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import cached_property, partial
from typing import Any

from ew_app.kernel import Actor, today
from ew_app.services.deciding.simulated import ALL, OUTCOMES, Figures, in_school_order
from ew_app.services.deciding.simulation_lines import (
    Cut,
    Pair,
    RoleLoad,
    RuleLine,
    SchoolLine,
    Week,
    plus,
    total,
)
from ew_app.services.deciding.simulation_rules import rule_lines
from ew_app.services.deciding.simulation_telling import tellings
from models.queries import boards
from models.queries import simulating as rows
from models.simulations import Simulation
from rules.access import Area
from rules.places import Place
from rules.roles import role
from rules.suppression import Table, count_words, share_of_tens, share_words, suppress_together, tens_words

TIERS = ("1", "watch", "2", "3", "none")
DIMENSIONS = {
    "grade": "Grades",
    "race_ethnicity": "Race and ethnicity",
    "english_learner": "English learner",
    "iep": "Has an IEP",
    "low_income": "Low income",
}


class Result:
    """Everything that a trial says."""

    def __init__(self, trial: Simulation, figures: Figures, by: Actor) -> None:
        self.trial = trial
        told = tellings(trial)
        self.telling, self.telling_of_schools = told.whole, told.schools
        self._by = by
        self._in_force: Figures = figures.get("in_force", {})
        self._candidate: Figures = figures.get("candidate", {})

    def _pair(self, *path: str) -> Pair:
        return Pair(_number(self._in_force, path), _number(self._candidate, path))

    def _both(self, *path: str) -> list[str]:
        """The keys that either side has there, in order."""
        return sorted({*_part(self._in_force, path), *_part(self._candidate, path)})

    @property
    def students(self) -> int:
        return self._pair("students").in_force

    @cached_property
    def _whole(self) -> list[Pair]:
        """Students in each tier at the end, at all schools."""
        schools = self._both("schools")
        return [total(self._pair("schools", school, "tiers", tier) for school in schools) for tier in TIERS]

    @cached_property
    def tiers(self) -> dict[str, Pair]:
        """Tier -> students at the end, at all schools."""
        return dict(zip(TIERS, self.telling.row(self._whole), strict=True))

    @property
    def needing(self) -> Pair:
        """Students in Tier 2 and 3 at the end."""
        whole = dict(zip(TIERS, self._whole, strict=True))
        return self.telling.count(plus(whole["2"], whole["3"]))

    @cached_property
    def weeks(self) -> list[Week]:
        return [self._week(monday) for monday in self._both("tiers")]

    def _week(self, monday: str) -> Week:
        two, three = self._pair("tiers", monday, "2"), self._pair("tiers", monday, "3")
        shown = map(self.telling.count, (two, three, self._opened_in(monday), plus(two, three)))
        return Week(date.fromisoformat(monday), *shown)

    def _opened_in(self, monday: str) -> Pair:
        return Pair.of(sum(week.get(monday, 0) for week in side.values()) for side in self._by_role)

    @cached_property
    def _by_role(self) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
        """Role -> week -> cases, of both sides."""
        return _by_role(self._in_force), _by_role(self._candidate)

    @property
    def opened(self) -> Pair:
        """Cases that would have been opened over the year."""
        return self.telling.count(Pair.of(sum(week.total() for week in side.values()) for side in self._by_role))

    @property
    def standing(self) -> Pair:
        """Cases that something still speaks for at the end."""
        return self._all_schools("standing")

    @property
    def unowned(self) -> Pair:
        """Cases for which nobody holds any of the roles that could own them."""
        return self._all_schools("unowned")

    def _all_schools(self, name: str) -> Pair:
        return self.telling.count(total(self._pair("schools", school, name) for school in self._both("schools")))

    @cached_property
    def roles(self) -> list[RoleLoad]:
        """The roles that would own cases, those with the most first."""
        held = rows.holders(_places(self.trial), today())
        keys = sorted({*self._by_role[0], *self._by_role[1]})
        opened = [Pair.of(side.get(key, Counter()).total() for side in self._by_role) for key in keys]
        shown = zip(keys, self.telling.row(opened) if opened else [], strict=True)
        loads = [self._load(key, pair, held.get(key)) for key, pair in shown]
        return sorted(loads, key=lambda one: (-(one.opened.candidate or 0), one.label))

    def _load(self, key: str, opened: Pair, held: rows.RoleHolders | None) -> RoleLoad:
        before, now = (list(side.get(key, Counter()).values()) for side in self._by_role)
        busiest = self.telling.count(Pair(max(before, default=0), max(now, default=0)))
        load = partial(RoleLoad, role(key).label, opened, busiest, stated=held.stated if held else ())
        most = load(over=Pair(0, 0)).room
        return load(over=Pair(sum(cases > most for cases in before), self.telling.weeks_over(now, most)))

    @cached_property
    def schools(self) -> list[SchoolLine]:
        """Every school, the one with the most new cases by the candidate first."""
        names = {str(school.id): school.name for school in boards.schools_in(Area(district=True))}
        keys = self._both("schools")
        tiers = self.telling_of_schools.table([self._two_three_and_below(key) for key in keys])
        weeks = [[_weeks_of(side, key) for side in self._sides] for key in keys]
        opened = self.telling_of_schools.table([[Pair.of(week.total() for week in both)] for both in weeks])
        lines = [
            SchoolLine(
                names.get(key, "A former school"),
                two,
                three,
                cases,
                self.telling_of_schools.count(Pair.of(max(week.values(), default=0) for week in both)),
            )
            for key, (two, three, _), (cases,), both in zip(keys, tiers, opened, weeks, strict=True)
        ]
        return sorted(lines, key=lambda one: (-(one.opened.candidate or 0), one.name))

    def _two_three_and_below(self, school: str) -> list[Pair]:
        """What is told of a school, and all else as one: more columns than that keep back more than there is need."""
        found = {tier: self._pair("schools", school, "tiers", tier) for tier in TIERS}
        return [found["2"], found["3"], total(found[tier] for tier in TIERS if tier not in ("2", "3"))]

    @cached_property
    def rules(self) -> list[RuleLine]:
        """What each rule did, in the order of their keys; one that is monitored is only counted."""
        return rule_lines(self.trial, self._sides, self.telling, self._by)

    @property
    def came_back(self) -> Cut:
        """Everybody: the flagged, and the share that came back without help."""
        flagged, more = (_group(side, ALL, ALL) for side in self._sides)
        return Cut(
            "Everybody",
            (count_words(sum(flagged)), self.telling.words(sum(more))),
            (share_words(flagged[0], sum(flagged[:2])), self.telling.share(*more[:2])),
        )

    @property
    def too_soon(self) -> tuple[str, str]:
        """Flagged students of whom too few days are known since."""
        found = [_group(side, ALL, ALL)[-1] for side in self._sides]
        return count_words(found[0]), self.telling.words(found[1])

    @property
    def _sides(self) -> tuple[Figures, Figures]:
        return self._in_force, self._candidate

    @cached_property
    def by_group(self) -> list[tuple[str, list[Cut]]]:
        """(what the groups are, a line each), of what the roster tells about more than one group."""
        told = {label: in_school_order(self._both("groups", key)) for key, label in DIMENSIONS.items()}
        keys = {label: key for key, label in DIMENSIONS.items()}
        return [(label, self._cuts(keys[label], groups)) for label, groups in told.items() if len(groups) > 1]

    def _cuts(self, dimension: str, groups: Sequence[str]) -> list[Cut]:
        counts = [[_group(side, dimension, group) for group in groups] for side in self._sides]
        shown = suppress_together(counts)
        return [_shown_cut(group[:1].upper() + group[1:], nth, counts, shown) for nth, group in enumerate(groups)]

    def told(self) -> dict[str, Any]:
        """The same as data, for scripts."""
        trial = self.trial
        return {
            "simulation": trial.id, "candidate": {"version": trial.version, "label": trial.label},
            "in_force": {"version": trial.in_force, "label": trial.in_force_label}, "place": trial.place,
            "school_year": trial.school_year, "data_through": trial.through, "asked_by": trial.asked_by,
            "students": trial.students, "seconds": round(trial.seconds, 1), "exact": self.telling.exact,
            "schools_exact": self.telling_of_schools.exact,
            "tiers": {tier: asdict(pair) for tier, pair in self.tiers.items()},
            "weeks": [asdict(week) for week in self.weeks],
            "cases": {name: asdict(getattr(self, name)) for name in ("opened", "standing", "unowned")},
            "roles": [one.told() for one in self.roles],
            "schools": [asdict(one) for one in self.schools],
            "rules": [asdict(one) for one in self.rules],
            "came_back": asdict(self.came_back),
            "by_group": {label: [asdict(one) for one in cuts] for label, cuts in self.by_group},
        }  # fmt: skip


def result(trial: Simulation, by: Actor) -> Result | None:
    """What a trial says to this person; None until it is through."""
    figures = rows.figures(trial.id) if trial.status == "done" else None
    return None if figures is None else Result(trial, figures, by)


def _shown_cut(group: str, nth: int, counts: Sequence[Sequence[Sequence[int]]], shown: Sequence[Table]) -> Cut:
    """One line, of what the one suppression leaves: flagged in tens, and the share that the tens make."""
    both = zip(counts, shown, strict=True)
    alone = [share_of_tens(side[nth][0], side[nth][1], table.rows[nth][:2]) for side, table in both]
    flagged = [tens_words(table.totals[nth]) for table in shown]
    return Cut(group, (flagged[0], flagged[1]), (alone[0], alone[1]))


def _group(side: Figures, dimension: str, group: str) -> list[int]:
    """How many came back alone, did not or had help, and were flagged too lately to tell."""
    alone, helped, not_yet, too_soon = (_number(side, ("groups", dimension, group, outcome)) for outcome in OUTCOMES)
    return [alone, helped + not_yet, too_soon]


def _by_role(side: Figures) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for school in side.get("schools", {}).values():
        for monday, by_role in school.get("cases", {}).items():
            for key, cases in by_role.items():
                found.setdefault(key, Counter())[monday] += cases
    return found


def _weeks_of(side: Figures, school: str) -> Counter[str]:
    cases = _part(side, ("schools", school, "cases"))
    return Counter({monday: sum(by_role.values()) for monday, by_role in cases.items()})


def _places(trial: Simulation) -> list[str]:
    """The places whose people could own cases there."""
    place = Place.parse(trial.place)
    schools = boards.schools_in(Area().with_place(place))
    networks = {str(Place.of_network(school.network.key)) for school in schools}
    district = [str(Place.district())]
    return [*(str(Place.of_school(school.key)) for school in schools), *sorted(networks), *district]


def _part(side: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    for key in path:
        side = side.get(key, {})
    return side


def _number(side: Figures, path: Sequence[str]) -> int:
    found = _part(side, path[:-1]).get(path[-1], 0)
    assert isinstance(found, int)
    return found
