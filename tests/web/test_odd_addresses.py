"""Numbers that no row has and text that no table holds: found nowhere, and never an answer of 500."""

from __future__ import annotations

from itertools import cycle, islice, product

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.web.conftest import Browser, let_in
from tests.web.test_access import ASSETS, House

NUMBERS = ("0", "2147483647", "2147483648", "99999999999999999999", "1" * 400)
TEXTS = ("%00", "a%00b", "\u00e9" * 50, "%F0%9F%92%A9", "x" * 3000, "..%2f..", "'--")
ASKED = ("page", "schools", "undo", "q", "school", "sort", "student", "code")
# Every day each address is tried with every second of them, and its neighbour with the others.
SHARE = pytest.mark.parametrize(
    "share", [pytest.param(2, id="half"), pytest.param(1, marks=pytest.mark.deep, id="all")]
)
ROLES = ("data_steward", *(pytest.param(role, marks=pytest.mark.deep) for role in ("principal", "system_admin")))


def addresses(rule: Rule) -> list[str]:
    """The rule's address with each of the odd values in every place that takes one."""
    named = rule._converters  # not what the view is told besides the address
    odd = [NUMBERS if kind.__class__.__name__ == "RowNumber" else TEXTS for kind in named.values()]
    found = []
    for values in islice(zip(*map(cycle, odd), strict=True), max(map(len, odd))):
        path = rule.rule
        for name, value in zip(named, values, strict=True):
            path = next(path.replace(part, value) for part in _parts(path) if part.rstrip(">").endswith(name))
        found.append(path)
    return found


def _parts(path: str) -> list[str]:
    return [f"<{part.partition('>')[0]}>" for part in path.split("<")[1:]]


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in ASSETS]


@SHARE
@pytest.mark.parametrize("role", ROLES)
def test_an_odd_number_or_text_in_an_address_leads_nowhere(shared_app: House, role: str, share: int) -> None:
    app, _ = shared_app
    browser = let_in(app, role)
    form = {"csrf_token": browser.token()}
    for at, rule in enumerate(rule for rule in rules(app) if rule._converters):
        for path in addresses(rule)[at % share :: share]:
            for method in {"GET", "POST"} & rule.methods:
                answer = browser.open(path, method=method, data=form if method == "POST" else None)
                assert answer.status_code < 500, f"{rule.endpoint} {path[:80]}"


AT_ONCE = pytest.param([ASKED], id="all at once")
ONE_BY_ONE = pytest.param([(name,) for name in ASKED], marks=pytest.mark.deep, id="one by one")


@SHARE
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("together", [AT_ONCE, ONE_BY_ONE])
def test_an_odd_question_behind_an_address_breaks_nothing(
    shared_app: House, role: str, together: list[tuple[str, ...]], share: int
) -> None:
    app, _ = shared_app
    browser: Browser = let_in(app, role)
    for at, rule in enumerate(rules(app)):
        if rule._converters or "GET" not in rule.methods or rule.endpoint == "health.readyz":
            continue
        for names, value in product(together, (*NUMBERS, "-1", *TEXTS)[at % share :: share]):
            asked = f"{rule.rule}?{'&'.join(f'{name}={value}' for name in names)}"
            assert browser.get(asked).status_code < 500, asked[:200]


def test_a_form_with_a_nul_character_is_broken(shared_app: House) -> None:
    answer = let_in(shared_app[0], "principal").send("/people/new", {"name": "A\0na", "login": "ana"})
    assert answer.status_code == 400
