"""The routing table: departments, and who is asked for each tier, rule, cause and condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.roles import FieldClass

ROUTING_FILE = Path(__file__).parent / "policies" / "routing.yaml"
CASE_OWNER = "case_owner"


class Opens(StrEnum):
    """What a rule opens when it is met."""

    CASE = "case"
    WATCH = "watch"
    TASK = "task"
    COMPARTMENT = "compartment"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Department:
    key: str
    label: str
    answers_for: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A role to be filled; a department contact is looked for in one department."""

    role: str
    department: str | None = None

    @classmethod
    def parse(cls, text: str, home: str) -> Seat:
        """role or role@department; a plain department contact is one of the entry's own department."""
        role, _, department = text.partition("@")
        return cls(role, department or (home if role == "department_contact" else None))


@dataclass(frozen=True, slots=True)
class Due:
    """School days from the day it starts; None where nothing of the kind is due."""

    contact: int | None = None
    plan: int | None = None
    visit: int | None = None

    def sooner(self, other: Due) -> Due:
        """The earlier of each."""
        return Due(*(_least(getattr(self, name), getattr(other, name)) for name in ("contact", "plan", "visit")))


def _least(one: int | None, other: int | None) -> int | None:
    known = [days for days in (one, other) if days is not None]
    return min(known, default=None)


@dataclass(frozen=True, slots=True)
class TaskText:
    """A kind of task, the title its owner reads, and when it is due; `seat`, `fallback` where not the entry's."""

    kind: str
    title: str
    due: int
    seat: Seat | None = None
    fallback: tuple[Seat, ...] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the table. `restricted`: everything it asks for stays inside that compartment.

    helpers: whom to ask as well, the owner stays. told: departments that learn how many, never who. rules: those that
    speak of the same as the causes of the entry, so that one task answers both.
    """

    key: str
    when: str
    department: str
    seat: Seat
    fallback: tuple[Seat, ...] = ()
    network: tuple[Seat, ...] = ()
    due: Due = field(default_factory=Due)
    tasks: tuple[TaskText, ...] = ()
    opens: Opens = Opens.TASK
    # School days that a finding stands before it speaks for a case (until then its tasks are asked), or that a day of a
    # school stays missing before it is raised.
    after: int = 0
    firm: bool = False
    leads_case: bool = False
    restricted: FieldClass | None = None
    about_school: bool = False
    row: int | None = None
    helpers: tuple[Seat, ...] = ()
    told: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    first_step: str = ""

    @property
    def seats(self) -> tuple[Seat, ...]:
        return (self.seat, *self.fallback, *self.network)


@dataclass(frozen=True, slots=True)
class Rises:
    """After how many school days of waiting work is shown to the principal, and to the network."""

    principal: int
    network: int


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Everything of routing.yaml. `triggers` finds an entry by rule key, cause code or condition."""

    departments: Mapping[str, Department]
    tiers: Mapping[str, Route]
    rules: Mapping[str, Route]
    rows: Mapping[str, Route]
    triggers: Mapping[str, Route]
    outside: Mapping[str, str]
    strongest: tuple[str, ...]
    alarm_after: int
    alarm_tells: tuple[str, ...]
    rising: Mapping[str, Rises]
    full_week: int
    new_cases: int

    def trigger(self, key: str) -> Route:
        """The entry for a rule, cause or condition; KeyError with a sentence when there is none."""
        if key in self.triggers:
            return self.triggers[key]
        if key in self.outside:
            raise KeyError(f"{key!r} is not routed here. {self.outside[key]}")
        raise KeyError(f"{key!r} is no rule, root cause or condition of the routing table.")

    def same(self, key: str, rule: str) -> bool:
        """Whether a cause or condition speaks of the same as a rule."""
        return key in self.triggers and rule in self.triggers[key].rules

    def compartment(self, key: str) -> FieldClass | None:
        """The class a rule, cause or condition is kept in; None for what may be seen on the case."""
        return self.triggers[key].restricted if key in self.triggers else None


@cache
def routing_table() -> RoutingTable:
    """The shipped table, read once; a trigger named twice is refused."""
    document: dict[str, Any] = yaml.safe_load(ROUTING_FILE.read_text(encoding="utf-8"))
    tiers = {key: _route(key, entry) for key, entry in document["tiers"].items()}
    rules = {key: _route(key, entry) for key, entry in document["rules"].items() if "role" in entry}
    inside = {key: entry for key, entry in document["rows"].items() if "outside" not in entry}
    rows = {key: _route(key, entry) for key, entry in inside.items()}
    return RoutingTable(
        departments={key: Department(key, **entry) for key, entry in document["departments"].items()},
        tiers=tiers,
        rules=rules,
        rows=rows,
        triggers=_unique(
            *rules.items(),
            *((trigger, tiers[key]) for key, entry in document["tiers"].items() for trigger in _named(entry)),
            *((trigger, rows[key]) for key, entry in inside.items() for trigger in _named(entry)),
        ),
        outside={
            trigger: entry["outside"]
            for entry in document["rows"].values()
            if "outside" in entry
            for trigger in _named(entry)
        },
        strongest=tuple(document["strongest"]),
        alarm_after=document["unowned"]["alarm_after"],
        alarm_tells=tuple(document["unowned"]["tell"]),
        rising={why: Rises(**days) for why, days in document["rising"].items()},
        full_week=document["room"]["full_week"],
        new_cases=document["room"]["new_cases"],
    )


def _named(entry: dict[str, Any]) -> Iterator[str]:
    yield from entry.get("causes", ())
    yield from entry.get("conditions", ())


def _unique(*pairs: tuple[str, Route]) -> dict[str, Route]:
    found: dict[str, Route] = {}
    for trigger, route in pairs:
        if trigger in found:
            raise ValueError(f"routing.yaml: {trigger} stands in {found[trigger].key} and in {route.key}; keep one.")
        found[trigger] = route
    return found


def _route(key: str, entry: dict[str, Any]) -> Route:
    department = entry["department"]
    due = entry["due"] if isinstance(entry["due"], dict) else {"contact": entry["due"]}
    return Route(
        key=key,
        when=entry.get("when", f"Rule {key}"),
        department=department,
        seat=Seat.parse(entry["role"], department),
        fallback=_seats(entry.get("fallback", []), department),
        network=_seats(entry.get("network", []), department),
        due=Due(**due),
        tasks=_tasks(entry, department, due["contact"]),
        opens=Opens(entry.get("opens", "task")),
        after=entry.get("after", 0),
        firm=entry.get("firm", False),
        leads_case=entry.get("leads") == "case",
        restricted=FieldClass(entry["restricted"]) if "restricted" in entry else None,
        about_school=entry.get("about") == "school",
        row=entry.get("row"),
        helpers=_seats(entry.get("helpers", []), department),
        told=tuple(entry.get("told", ())),
        rules=tuple(entry.get("rules", ())),
        first_step=entry.get("first_step", ""),
    )


def _seats(names: list[str], home: str) -> tuple[Seat, ...]:
    return tuple(Seat.parse(name, home) for name in names)


def _tasks(entry: dict[str, Any], department: str, due: int) -> tuple[TaskText, ...]:
    listed = entry.get("tasks") or ([{**entry["task"], "due": due}] if "task" in entry else [])
    return tuple(
        TaskText(
            task["kind"],
            task["title"],
            task["due"],
            Seat.parse(task["role"], department) if "role" in task else None,
            _seats(task["fallback"], department) if "fallback" in task else None,
        )
        for task in listed
    )
