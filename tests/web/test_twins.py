"""Nothing kept in a compartment can be felt from outside: two districts that differ only in it look the same.

Every address that a role may open (routes.yaml, and lists by every filter and sort) is asked before and after a
compartment is filled. To whoever has no right to it each answer stays the same to the byte, made of the same number
of statements; to whoever may learn that "another support is in place" it never says which, nor how many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.kernel import SENTENCES
from ew_app.services.casework import viewing
from ew_app.services.notices import calendars
from ew_app.services.people import accounts
from models.base import db
from rules import access
from rules.access import FieldClass, Right
from rules.places import Place
from rules.roles import assignable_roles, role
from tests.web import twins
from tests.web import world as named_world
from tests.web.casebook import counting
from tests.web.conftest import _settings, close, let_in, ready
from tests.web.test_access import TABLE, allowed, methods
from tests.web.twins import FRIDAY, KEPT, a_few_kinds

ORDER = tuple(KEPT)
ROLES = [one.key for one in assignable_roles()]
LISTS = {
    "caseload.show": [
        *(f"/caseload?view=all&sort={sort}" for sort in ("due", "name", "tier", "-absent", "contact", "status")),
        *("/caseload?view=all&overdue=1", "/caseload?view=all&first=1", "/caseload?q=Ana", "/caseload?q=Lantern"),
        "/caseload?status=closed",
    ],
    "flagged.show": [
        "/flagged?since=year&tier=2",
        "/flagged?since=year&sort=name",
        "/flagged?since=year&owner=without",
    ],
    "outreach.choose": ["/outreach?q=Ben", "/outreach?q=Lantern"],
    "fix.show": ["/fix/unmatched", "/fix/did_not_arrive", "/fix/late_schools"],
    "case.timeline": ["/cases/1/timeline?kind=note", "/cases/1/timeline?kind=step"],
    "student.show": ["/students/002"],
}
# Screens about rules, people, feeds and the machine: they read nothing of any student.
ABOUT_NOBODY = ("signin.", "policy", "simulate.", "people.", "sources", "gallery.", "drafts.", "health.")
LOGGED = ("supports.reads",)  # tells of this very looking
# What differs from one look to the next of the same page: keys of forms, the clock, and who has looked before.
CHANGING = re.compile(
    r'Made in \d+ ms|name="(csrf_token|once)" value="[^"]*"|\b4\d\d, [0-9a-f]{16}|\d\d:\d\d'
    r"|<summary>Who read this lately.*?</details>",
    re.DOTALL,
)
Answers = dict[str, tuple[int, int, str]]


@pytest.fixture
def house(new_database: Any, drop_database: Any, redis_url: str, tmp_path_factory: Any) -> Iterator[tuple[Flask, Any]]:
    url = new_database()
    app = ready(replace(_settings(url, redis_url, tmp_path_factory.mktemp("data")), today=FRIDAY))
    with app.app_context():
        numbers = named_world.build()
        twins.attend()
    yield app, numbers
    close(app)
    drop_database(url)


def without(key: str) -> set[FieldClass]:
    """The compartments that a role has no right to at all."""
    return {one for one in ORDER if not any(role(key).right(one, own=own) is not Right.NONE for own in (False, True))}


def flagged(key: str) -> set[FieldClass]:
    """Those of which it learns that something is there."""
    return {one for one in ORDER if {role(key).right(one, own=own) for own in (False, True)} == {Right.FLAG}}


def spans(key: str) -> set[tuple[int, int]]:
    """(before, after): how many compartments are filled, in their order, when this role must feel no difference."""
    found = {_widest(n, without(key)) for n, one in enumerate(ORDER) if one in without(key)}
    told = {_widest(n, without(key) | flagged(key)) for n, one in enumerate(ORDER) if one in flagged(key)}
    first = min((n for n, one in enumerate(ORDER) if one in flagged(key)), default=0)
    return found | {(max(before, first + 1), after) for before, after in told if after > first + 1}


def _widest(at: int, among: set[FieldClass]) -> tuple[int, int]:
    before, after = at, at + 1
    while before and ORDER[before - 1] in among:
        before -= 1
    while after < len(ORDER) and ORDER[after] in among:
        after += 1
    return before, after


def addresses(app: Flask, numbers: Any, key: str) -> list[str]:
    """What the table lets the role open, and the lists in every order."""
    found = [
        (endpoint, probe["path"].format(**numbers))
        for endpoint, probes in TABLE.items()
        for probe in probes
        if "GET" in methods(app, endpoint) and key in allowed(probe) and not endpoint.startswith(ABOUT_NOBODY + LOGGED)
    ]
    more = [path for endpoint in dict(found) for path in LISTS.get(endpoint, [])]
    return list(dict.fromkeys([*(path for _, path in found), *more]))


def look(app: Flask, numbers: Any, key: str) -> Answers:
    """Address -> status, statements, text; and what a script reads about Ana as this person."""
    browser, answers = let_in(app, key), {}
    with app.app_context():
        answers["calendar"] = calendar(key)
    for path in ("/today", *(f"/supports/{one}" for one in ORDER)):
        browser.get(path)  # what stands in a list is written down at the first look of a day
    for path in addresses(app, numbers, key):
        with app.app_context(), counting() as sent:
            answer = browser.get(path)
        answers[path] = answer.status_code, len(sent), CHANGING.sub("", answer.text)
    with app.app_context():
        answers["ew why"], answers["ew cases"] = script(key, "why"), script(key, "cases")
        answers["views for reading"] = views()
    return answers


def calendar(key: str) -> tuple[int, int, str]:
    """The feed of this person, but for when it was made."""
    token = calendars.new_address(accounts.acting_as(key)).rpartition("/")[2].removesuffix(".ics")
    return 0, 0, re.sub(r"DTSTAMP:\w+", "", calendars.feed(token).decode())


def views() -> tuple[int, int, str]:
    """What tools that read the database find there, which is the same for all of them."""
    names = db.session.scalars(text("SELECT table_name FROM information_schema.views WHERE table_schema = 'bi'"))
    told = {name: [*map(str, db.session.execute(text(f"SELECT * FROM bi.{name}")))] for name in sorted(names)}
    return 0, 0, json.dumps(told)


def script(key: str, what: str) -> tuple[int, int, str]:
    by = accounts.acting_as(key)
    try:
        told: Any = (
            viewing.explain("001", by=by).as_json() if what == "why" else list(viewing.cases(by=by, only_open=True))
        )
    except SENTENCES as refusal:
        told = str(refusal)
    return 0, 0, json.dumps(told, default=str, sort_keys=True)


@pytest.mark.parametrize("roles", [a_few_kinds(), pytest.param(ROLES, marks=pytest.mark.deep)], ids=len)
def test_the_secret_changes_nothing_for_whoever_may_not_read_it(
    house: tuple[Flask, dict[str, int]], roles: list[str]
) -> None:
    app, numbers = house
    edges = {key: {edge for span in spans(key) for edge in span} for key in roles}
    seen: dict[tuple[str, int], Answers] = {}
    for filled in range(len(ORDER) + 1):
        if filled:
            with app.app_context():
                twins.keep(ORDER[filled - 1])
        seen |= {(key, filled): look(app, numbers, key) for key in roles if filled in edges[key]}
    told = [
        f"{key} {path}, filled {before} to {after}: {difference(seen[key, before][path], seen[key, after][path])}"
        for key in roles
        for before, after in sorted(spans(key))
        for path in seen[key, before]
        if seen[key, before][path] != seen[key, after][path]
    ]
    assert not told, "\n".join([f"{len(told)} of {sum(map(len, seen.values()))} answers", *told])


def difference(before: tuple[int, int, str], after: tuple[int, int, str]) -> str:
    """The first place where two answers part."""
    if before[:2] != after[:2]:
        return f"{before[:2]} {after[:2]}"
    at = next((n for n, (one, other) in enumerate(zip(before[2], after[2], strict=False)) if one != other), -1)
    return f"{before[2][at - 80 : at + 80]!r} / {after[2][at - 80 : at + 80]!r}"


def test_each_role_without_a_right_is_asked_about_every_compartment_it_may_not_read() -> None:
    for key in ROLES:
        covered = {ORDER[n] for before, after in spans(key) for n in range(before, after)}
        assert without(key) <= covered, key
    assert access.right(access.Grants(), FieldClass.STLS, Place.district()) is Right.NONE
