"""The way around: the places in the rail, each shown to whoever may open it, as far as its screen exists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import Flask

from rules import access
from rules.access import Grants, Permission, Place
from rules.roles import OPENS


@dataclass(frozen=True, slots=True)
class Item:
    """One place in the rail: opened by any of its permissions, held anywhere, or for the district as a whole."""

    label: str
    path: str
    needs: tuple[Permission, ...]
    whole: bool = False

    @property
    def key(self) -> str:
        return self.path.strip("/")


P = Permission
CONSIDER = "/consider"  # there only while a model is at work
FEW = 8  # as many places need no headings
GROUPS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item("Today", "/today", (P.SEE_TODAY,)),
            Item("News", "/news", (P.SEE_TODAY,)),
        ),
    ),
    (
        "Students",
        (
            Item("Absent today", "/absent", (P.CALL_ABSENT,)),
            Item("Caseload", "/caseload", (P.SEE_CASELOAD,)),
            Item("Visits", "/visits", (P.LOG_OUTREACH,)),
            Item("Flagged", "/flagged", (P.SEE_FLAGGED,)),
            Item("Consider", CONSIDER, (P.SEE_RISK,)),
            Item("Supports", "/supports", tuple(OPENS.values())),
            Item("Opened in a crisis", "/crisis", (P.ANSWER_OPENINGS,)),
            Item("Letters", "/letters", (P.PREPARE_LETTERS, P.APPROVE_LETTERS)),
        ),
    ),
    (
        "Follow-up",
        (
            Item("Waiting", "/waiting", (P.SEE_WAITING,)),
            Item("Meeting", "/meeting", (P.RUN_MEETING,)),
            Item("Week", "/week", (P.MANAGE_PEOPLE, P.SEE_NETWORK_BOARD)),
            Item("Reviews", "/reviews", (P.RUN_REVIEW,)),
            Item("Goals", "/goals", (P.SET_GOALS, P.SEE_NETWORK_BOARD)),
        ),
    ),
    (
        "Numbers",
        (
            Item("School", "/schools", (P.SEE_SCHOOL_BOARD,)),
            Item("Network", "/networks", (P.SEE_NETWORK_BOARD,)),
            Item("District", "/district", (P.SEE_DISTRICT_BOARD,)),
            Item("What works", "/what-works", (P.SEE_WHAT_WORKS,)),
            Item("Risk model", "/risk-model", (P.SEE_RISK_MODEL,)),
            Item("Departments", "/departments", (P.SEE_DEPARTMENTS,)),
            Item("Integrity", "/integrity", (P.SEE_INTEGRITY,)),
            Item("Public summary", "/public", (P.PUBLISH,)),
        ),
    ),
    (
        "Data and rules",
        (
            Item("Import", "/imports", (P.IMPORT_ATTENDANCE, P.IMPORT_ROSTER)),
            Item("Sources", "/sources", (P.KEEP_SOURCES,), whole=True),
            Item("Fix data", "/fix", (P.FIX_DATA,)),
            Item("Data quality", "/quality", (P.SEE_QUALITY,)),
            Item("Policy", "/policy", (P.SEE_POLICY,)),
            Item("People", "/people", (P.SEE_PEOPLE,)),
            Item("Scripts", "/scripts", (P.USE_API,)),
            Item("Audit", "/audit", (P.SEE_AUDIT,)),
            Item("Health", "/health", (P.SEE_HEALTH,)),
        ),
    ),
)
# Pages that stand under a place of the rail without sharing its address.
UNDER = {
    "asked": "today",
    "nudges": "today",
    "cases": "caseload",
    "students": "caseload",
    "batches": "imports",
    "late": "quality",
    "clusters": "departments",
}


def places(app: Flask, grants: Grants, *, without: Collection[str] = ()) -> list[tuple[str, str, str, str]]:
    """(label, address, key, heading) of what this person may open; no headings where there are few places.

    without: addresses that are left out because nothing is there now.
    """
    found = [
        (item.label, item.path, item.key, heading)
        for heading, items in GROUPS
        for item in items
        if item.path in _routed(app) and item.path not in without and _opens(grants, item)
    ]
    return found if len(found) > FEW else [(*item[:3], "") for item in found]


def _opens(grants: Grants, item: Item) -> bool:
    place = Place.district() if item.whole else None
    return any(access.can(grants, need, place) for need in item.needs)


def start(app: Flask, grants: Grants) -> str | None:
    """Where someone begins: the first place they may open."""
    return next((path for _, path, _, _ in places(app, grants)), None)


def current(path: str) -> str:
    """The key of the place a page stands under."""
    first = path.strip("/").partition("/")[0]
    return UNDER.get(first, first)


def _routed(app: Flask) -> frozenset[str]:
    """Addresses that a screen answers; the map is fixed once the application is made."""
    if "ew.routed" not in app.extensions:
        rules = app.url_map.iter_rules()
        app.extensions["ew.routed"] = frozenset(rule.rule for rule in rules if "GET" in (rule.methods or ()))
    routed: frozenset[str] = app.extensions["ew.routed"]
    return routed
