"""No page leads somebody to a door that stays shut: every link of Today and of the rail opens, for every role."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from rules.roles import assignable_roles
from tests.web.conftest import Browser, let_in

ROLES = [role.key for role in assignable_roles()]
FEW = (
    "attendance_clerk",
    "counselor",
    "homeroom_teacher",
    "network_lead",
    "nurse",
    "principal",
    "social_worker",
    "policy_editor",
)


def links_of(page: str) -> set[str]:
    """Addresses on this server that the page leads to."""
    found = (unescape(link) for link in re.findall(r'<a [^>]*href="([^"#]+)', page))
    return {link for link in found if link.startswith("/") and not link.startswith("/static")}


def shut(browser: Browser, links: set[str]) -> dict[str, int]:
    """Links that do not open, with their answer."""
    answers = {link: browser.get(link).status_code for link in sorted(links)}
    return {link: code for link, code in answers.items() if code not in (200, 302)}


@pytest.mark.parametrize(
    "role", [role if role in FEW else pytest.param(role, marks=pytest.mark.deep) for role in ROLES]
)
def test_no_link_of_a_role_is_dead(shared_app: tuple[Flask, dict[str, int]], role: str) -> None:
    browser = let_in(shared_app[0], role)
    today = browser.get("/today").text
    places = links_of(today)
    assert shut(browser, places) == {}
    for place in sorted(places):
        further = links_of(browser.get(place, follow_redirects=True).text) - places
        assert shut(browser, further) == {}, f"from {place}"
