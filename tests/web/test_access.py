"""Who may open which address: every route, every role, against a table written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from ew_app.web.guard import PUBLIC
from rules.roles import assignable_roles
from tests.web.conftest import Browser, let_in

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "routes.yaml").read_text(encoding="utf-8")
)["routes"]
ROLES = [role.key for role in assignable_roles()]
# One of each kind of reach; the others, who see less of the same, are tried in the deep run.
DAILY = {
    *("attendance_clerk", "counselor", "nurse", "stls_liaison", "principal"),
    *("network_lead", "system_admin", "partner", "records_custodian"),
}
TRIED = [role if role in DAILY else pytest.param(role, marks=pytest.mark.deep) for role in ROLES]
ASSETS = {"static", "bootstrap.static"}
House = tuple[Flask, dict[str, int]]


def methods(app: Flask, endpoint: str) -> list[str]:
    found = {method for rule in app.url_map.iter_rules(endpoint) for method in rule.methods or ()}
    return sorted(found - {"HEAD", "OPTIONS"})


def allowed(probe: dict[str, Any]) -> set[str]:
    named = probe["may"]
    return set(ROLES) if named in ("everyone", "anyone") else set(named)


def ask(browser: Browser, method: str, path: str) -> str:
    """What became of one request, in a word."""
    answer = browser.get(path) if method == "GET" else browser.post(path, data={"csrf_token": browser.token()})
    assert answer.status_code < 500 or path == "/readyz", f"{method} {path} answered {answer.status_code}"
    if answer.status_code == 401 or (answer.location or "").startswith("/sign-in?"):
        return "sign in"
    return "refused" if answer.status_code in (403, 404) else "in"


def test_every_route_stands_in_the_table(shared_app: House) -> None:
    routed = {rule.endpoint for rule in shared_app[0].url_map.iter_rules()} - ASSETS
    assert routed - set(TABLE) == set(), "routes without an entry in routes.yaml"
    assert set(TABLE) - routed == set(), "entries without a route"


def test_every_view_is_guarded_or_on_the_public_list(shared_app: House) -> None:
    views = shared_app[0].view_functions
    bare = {name for name, view in views.items() if not hasattr(view, "requires")}
    assert bare == set(PUBLIC)


def test_a_route_about_one_thing_is_tried_inside_and_outside_of_reach(shared_app: House) -> None:
    about_one = {rule.endpoint for rule in shared_app[0].url_map.iter_rules() if rule.arguments} - ASSETS - set(PUBLIC)
    assert {endpoint for endpoint in about_one if len(TABLE.get(endpoint, [])) < 2} == set()


@pytest.mark.parametrize("role", TRIED)
def test_a_role_opens_exactly_what_the_table_says(shared_app: House, role: str) -> None:
    app, numbers = shared_app
    browser, wrong, tried = fresh(app, role), [], 0
    for endpoint, probes in TABLE.items():
        for probe in probes:
            if role not in probe.get("only", ROLES):
                continue
            for method in methods(app, endpoint):
                path = probe["path"].format(**numbers)
                expected = "in" if role in allowed(probe) else "refused"
                got = ask(browser, method, path)
                if method != "GET" and got != "refused":
                    browser = fresh(app, role)
                got = "in" if probe["may"] == "anyone" else got
                tried += 1
                if got != expected:
                    wrong.append(f"{method} {path}: {got}, expected {expected}")
    assert wrong == []
    assert tried >= len(TABLE)


def fresh(app: Flask, role: str) -> Browser:
    """A new session after whatever was let in: some routes end it. Someone shut out is let in again first."""
    with app.app_context():
        reopen(role)
    return let_in(app, role)


def reopen(login: str) -> None:
    from ew_app.kernel import transaction
    from ew_app.services.people import accounts

    with transaction():
        person = accounts.find(login)
        person.disabled_at = None
        for grant in person.grants:
            grant.ends = None


def test_whoever_is_not_signed_in_is_asked_to(shared_app: House) -> None:
    app, numbers = shared_app
    wrong = []
    for endpoint, probes in TABLE.items():
        for probe in probes:
            for method in methods(app, endpoint):
                path = probe["path"].format(**numbers)
                got = ask_plainly(app, method, path)
                expected = "in" if probe["may"] == "anyone" else "sign in"
                if got != expected:
                    wrong.append(f"{method} {path}: {got}, expected {expected}")
    assert wrong == []


def ask_plainly(app: Flask, method: str, path: str) -> str:
    """Without a session and with a good token, so that the guard answers and not the token check."""
    browser = app.test_client()
    if method == "GET":
        answer = browser.get(path)
    else:
        page = browser.get("/sign-in").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        answer = browser.post(path, data={"csrf_token": token})
    signed_out = answer.status_code == 401 and path != "/sign-in"
    return "sign in" if signed_out or (answer.location or "").startswith("/sign-in?") else "in"


@pytest.mark.parametrize("header", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_other_site_can_post_for_anybody(shared_app: House, header: dict[str, str]) -> None:
    app, numbers = shared_app
    for endpoint, probes in TABLE.items():
        if "POST" in methods(app, endpoint):
            path = probes[0]["path"].format(**numbers)
            admin = let_in(app, "system_admin")
            assert admin.post(path, data={"csrf_token": admin.token()}, headers=header).status_code == 403, path


def test_no_form_counts_without_its_token(shared_app: House) -> None:
    app, numbers = shared_app
    for endpoint, probes in TABLE.items():
        if "POST" in methods(app, endpoint):
            path = probes[0]["path"].format(**numbers)
            assert let_in(app, "system_admin").post(path).status_code == 400, path
            assert let_in(app, "system_admin").post(path, data={"csrf_token": "forged"}).status_code == 400, path


def test_a_view_that_says_nothing_opens_for_nobody(shared_app: House) -> None:
    app, _ = shared_app
    browser = let_in(app, "system_admin")
    view = app.view_functions["health.show"]
    app.view_functions["health.show"] = lambda: "bare"
    try:
        assert browser.get("/health").status_code == 404
    finally:
        app.view_functions["health.show"] = view
