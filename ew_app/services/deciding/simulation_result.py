"""A trial of a policy as people read it: in force and candidate side by side, small numbers kept back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import cached_property
from typing import Any

from ew_app.kernel import today
from ew_app.services.deciding.simulated import ALL, OUTCOMES, Figures
from ew_app.services.deciding.simulation_lines import (
    Cut,
    Pair,
    RoleLoad,
    RuleLine,
    SchoolLine,
    Week,
    plus,
    room_of,
    total,
)
from ew_app.services.measuring import policies, policy_texts
from models.queries import boards
from models.queries import simulating as rows
from models.simulations import Simulation
from rules.access import Area
from rules.places import Place
from rules.policy import BAND, Mode, Rule
from rules.roles import role
from rules.suppression import HIDDEN, LEAST, Table, count_words, share_words, suppress_together, tens_words

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

    def __init__(self, trial: Simulation, figures: Figures) -> None:
        self.trial = trial
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
    def tiers(self) -> dict[str, Pair]:
        """Tier -> students at the end, at all schools."""
        schools = self._both("schools")
        return {tier: total(self._pair("schools", school, "tiers", tier) for school in schools) for tier in TIERS}

    @property
    def needing(self) -> Pair:
        """Students in Tier 2 and 3 at the end."""
        return plus(self.tiers["2"], self.tiers["3"])

    @cached_property
    def weeks(self) -> list[Week]:
        return [
            Week(
                date.fromisoformat(monday),
                self._pair("tiers", monday, "2"),
                self._pair("tiers", monday, "3"),
                self._opened_in(monday),
            )
            for monday in self._both("tiers")
        ]

    def _opened_in(self, monday: str) -> Pair:
        return Pair(*(sum(week.get(monday, 0) for week in side.values()) for side in self._by_role))

    @cached_property
    def _by_role(self) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
        """Role -> week -> cases, of both sides."""
        return _by_role(self._in_force), _by_role(self._candidate)

    @property
    def opened(self) -> Pair:
        """Cases that would have been opened over the year."""
        return Pair(*(sum(week.total() for week in side.values()) for side in self._by_role))

    @property
    def standing(self) -> Pair:
        """Cases that something still speaks for at the end."""
        return total(self._pair("schools", school, "standing") for school in self._both("schools"))

    @property
    def unowned(self) -> Pair:
        """Cases for which nobody holds any of the roles that could own them."""
        return total(self._pair("schools", school, "unowned") for school in self._both("schools"))

    @cached_property
    def roles(self) -> list[RoleLoad]:
        """The roles that would own cases, those with the most first."""
        held = rows.holders(_places(self.trial), today())
        loads = [self._load(key, held.get(key)) for key in {*self._by_role[0], *self._by_role[1]}]
        return sorted(loads, key=lambda one: (-one.opened.candidate, one.label))

    def _load(self, key: str, held: rows.RoleHolders | None) -> RoleLoad:
        weeks = [side.get(key, Counter()) for side in self._by_role]
        most = room_of(held.people if held else 0)
        return RoleLoad(
            role(key).label,
            Pair(*(week.total() for week in weeks)),
            Pair(*(max(week.values(), default=0) for week in weeks)),
            Pair(*(sum(cases > most for cases in week.values()) for week in weeks)),
            *((held.people, held.hours, held.without_hours) if held else (0, 0, 0)),
        )

    @cached_property
    def schools(self) -> list[SchoolLine]:
        """Every school, the one with the most new cases by the candidate first."""
        names = {str(school.id): school.name for school in boards.schools_in(Area(district=True))}
        lines = [self._school(key, names.get(key, "A former school")) for key in self._both("schools")]
        return sorted(lines, key=lambda one: (-one.opened.candidate, one.name))

    def _school(self, key: str, name: str) -> SchoolLine:
        weeks = [_weeks_of(side, key) for side in (self._in_force, self._candidate)]
        return SchoolLine(
            name,
            self._pair("schools", key, "tiers", "2"),
            self._pair("schools", key, "tiers", "3"),
            Pair(*(week.total() for week in weeks)),
            Pair(*(max(week.values(), default=0) for week in weeks)),
        )

    @cached_property
    def rules(self) -> list[RuleLine]:
        """What each rule did, in the order of their keys; one that is monitored is only counted."""
        candidate = policy_texts.stored(self.trial.version).on(self.trial.through)
        sides = policies.timeline().on(self.trial.through), candidate
        rules = [{rule.key: rule for rule in policy.of_students if rule.key != BAND} for policy in sides]
        return [self._rule(key, rules[0].get(key), rules[1].get(key)) for key in sorted({*rules[0], *rules[1]})]

    def _rule(self, key: str, before: Rule | None, now: Rule | None) -> RuleLine:
        told = now or before
        assert told is not None
        renamed = before.label if before and before.label != told.label else ""
        counted = [rule is not None and rule.mode is Mode.MONITOR for rule in (before, now)]
        words = {(True, True): "only counted", (True, False): "only counted in force"}
        mode = words.get((counted[0], counted[1]), "only counted by the candidate" if counted[1] else "")
        met, opened = self._pair("rules", key, "met"), self._pair("rules", key, "opened")
        return RuleLine(key, told.label, renamed, mode, _words(met, before, now), _words(opened, before, now))

    @property
    def came_back(self) -> Cut:
        """Everybody: the flagged, and the share that came back without help."""
        (flagged, alone), (more_flagged, more_alone) = (_cut(_group(side, ALL, ALL)) for side in self._sides)
        return Cut("Everybody", (flagged, more_flagged), (alone, more_alone))

    @property
    def too_soon(self) -> tuple[str, str]:
        """Flagged students of whom too few days are known since."""
        found = [_group(side, ALL, ALL)[-1] for side in self._sides]
        return count_words(found[0]), count_words(found[1])

    @property
    def _sides(self) -> tuple[Figures, Figures]:
        return self._in_force, self._candidate

    @cached_property
    def by_group(self) -> list[tuple[str, list[Cut]]]:
        """(what the groups are, a line each), of what the roster tells about more than one group."""
        told = {label: self._both("groups", key) for key, label in DIMENSIONS.items()}
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
            "students": trial.students, "seconds": round(trial.seconds, 1),
            "tiers": {tier: asdict(pair) for tier, pair in self.tiers.items()},
            "weeks": [asdict(week) for week in self.weeks],
            "cases": {name: asdict(getattr(self, name)) for name in ("opened", "standing", "unowned")},
            "roles": [asdict(one) | {"room": one.room} for one in self.roles],
            "schools": [asdict(one) for one in self.schools],
            "rules": [asdict(one) for one in self.rules],
            "came_back": asdict(self.came_back),
            "by_group": {label: [asdict(one) for one in cuts] for label, cuts in self.by_group},
        }  # fmt: skip


def result(trial: Simulation) -> Result | None:
    """What a trial says; None until it is through."""
    figures = rows.figures(trial.id) if trial.status == "done" else None
    return None if figures is None else Result(trial, figures)


def met_in_force(trial: Simulation, rule: str) -> str:
    """For how many students a rule of the policy in force was met in the year; in words, small ones kept back."""
    return _few(_number((rows.figures(trial.id) or {}).get("in_force", {}), ("rules", rule, "met")))


def _shown_cut(group: str, nth: int, counts: Sequence[Sequence[Sequence[int]]], shown: Sequence[Table]) -> Cut:
    """One line. A small count shows as a band; what is hidden to keep another one safe is kept back altogether."""
    alone = [_share(side[nth], table.rows[nth]) for side, table in zip(counts, shown, strict=True)]
    flagged = [tens_words(table.totals[nth]) for table in shown]
    return Cut(group, (flagged[0], flagged[1]), (alone[0], alone[1]))


def _share(counts: Sequence[int], shown: Sequence[int | None]) -> str:
    """The share of those who came back alone among those of whom enough days are known."""
    alone, rest, _ = counts
    small = alone < LEAST or rest < LEAST
    return share_words(alone, alone + rest) if small or None not in shown[:2] else HIDDEN


def _cut(counts: Sequence[int]) -> tuple[str, str]:
    alone, rest, _ = counts
    return count_words(sum(counts)), share_words(alone, alone + rest)


def _group(side: Figures, dimension: str, group: str) -> list[int]:
    """How many came back alone, did not or had help, and were flagged too lately to tell."""
    alone, helped, not_yet, too_soon = (_number(side, ("groups", dimension, group, outcome)) for outcome in OUTCOMES)
    return [alone, helped + not_yet, too_soon]


def _words(pair: Pair, before: Rule | None, now: Rule | None) -> tuple[str, str]:
    return _told(pair.in_force, before), _told(pair.candidate, now)


def _told(count: int, rule: Rule | None) -> str:
    """A count of a rule: that there is none is told of what everybody may see."""
    if rule is None:
        return "not in it"
    return "none" if not count and rule.restricted is None else _few(count)


def _few(count: int) -> str:
    return f"{count:,}" if count >= LEAST else f"under {LEAST}"


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
