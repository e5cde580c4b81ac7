"""Trying a policy on the screen: asked for within reach, stopped, and told beside the policy in force."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from ew_app.kernel import OPERATOR, clock, transaction
from ew_app.outbox import Job, enqueue
from ew_app.services.measuring import policy_texts
from models.base import db
from models.jobs import Outbox
from models.simulations import Simulation, SimulationPart
from rules.policy import PRESETS
from tests.web.conftest import SignInAs
from tests.web.importing import once_of, words

SIDE = {
    "students": 400,
    "tiers": {"2026-09-07": {"1": 380, "2": 20}, "2026-09-14": {"1": 370, "2": 24, "3": 6}},
    "schools": {
        "1": {"tiers": {"1": 370, "2": 24, "3": 6}, "cases": {"2026-09-14": {"counselor": 25}}, "standing": 20}
    },
    "rules": {"R07": {"met": 30, "opened": 25}, "R22": {"met": 3}},
    "groups": {
        "everybody": {"everybody": {"alone": 12, "helped": 10, "not_yet": 18, "too_soon": 1}},
        "iep": {
            "yes": {"alone": 2, "helped": 0, "not_yet": 4, "too_soon": 0},
            "no": {"alone": 10, "helped": 10, "not_yet": 14, "too_soon": 1},
        },
    },
}
MORE = SIDE | {"schools": {"1": {"tiers": {"1": 300, "2": 80, "3": 20}, "cases": {"2026-09-14": {"counselor": 90}}}}}


@pytest.fixture
def trial(app: Flask, world: dict[str, int]) -> int:
    """A trial that is through, at network N."""
    with app.app_context(), transaction():
        version = policy_texts.keep(policy_texts.frozen_file(PRESETS / "five-ten.yaml"), by=OPERATOR).version
        row = db.session.get_one(Simulation, world["north_trial"])
        row.version, row.status, row.label = version, "done", "Support from five percent"
        db.session.add(SimulationPart(simulation_id=row.id, nth=0, figures={"in_force": SIDE, "candidate": MORE}))
        return row.id


def test_a_trial_is_told_beside_the_policy_in_force(sign_in: SignInAs, trial: int) -> None:
    page = sign_in("policy_editor").get(f"/policy/simulate/{trial}").text
    assert '<div id="trial">' in page  # what a page that waited for it takes the place of
    told = words(page)
    assert "65 more cases than under the policy in force" in told
    assert "100 students stand in Tier 2 or 3: 70 more than under the policy in force" in told
    assert "School counselor 25 in force, → 90 candidate" in told
    assert "30% came back without help" in told


def test_a_small_group_is_told_nowhere(sign_in: SignInAs, trial: int) -> None:
    """Six of those with an IEP were flagged: neither they nor, by subtraction from everybody, the others are told."""
    told = words(sign_in("district_analyst").get(f"/policy/simulate/{trial}").text)
    for group in ("Yes", "No"):
        assert f"Has an IEP: {group} kept back in force, → kept back candidate kept back in force" in told
    assert "R22 not told in force, → not told candidate not told in force" in told  # it stays in its compartment


def test_a_candidate_that_speaks_of_some_grades_is_told_in_tens(sign_in: SignInAs, app: Flask, trial: int) -> None:
    """Two such candidates that differ in one school's kindergarten would tell its children by subtraction."""
    with app.app_context(), transaction():
        text = "extends: default\nname: k\nlabel: Kindergarten\nrules: {R03: {scope: {not_grades: [K]}}}\n"
        row = db.session.get_one(Simulation, trial)
        row.version = policy_texts.keep(policy_texts.frozen_text(text), by=OPERATOR).version
    told = words(sign_in("policy_editor").get(f"/policy/simulate/{trial}").text)
    assert "About 60 more cases than under the policy in force" in told
    assert "about 100 students stand in Tier 2 or 3: about 70 more than under the policy in force" in told
    assert "Its counts are therefore told in tens" in told


def test_a_trial_that_was_given_up_says_so(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    number = world["north_trial"]
    with app.app_context(), transaction():
        enqueue(Job.SIMULATE, number, 1)
        db.session.execute(update(Outbox).where(Outbox.job == "simulate").values(quarantined_at=clock()))
    browser = sign_in("network_lead")
    page = words(browser.get(f"/policy/simulate/{number}").text)
    assert "This trial could not be counted" in page and "Counting" not in page
    assert "could not be counted" in words(browser.get("/policy/simulate").text)


def test_a_trial_under_way_is_stopped_by_whoever_may_try(sign_in: SignInAs, world: dict[str, int]) -> None:
    browser = sign_in("network_lead")
    path = f"/policy/simulate/{world['north_trial']}"
    page = browser.get(path)
    assert f'<div id="trial" data-poll="{path}">' in page.text
    assert "Counting: 0% of the students are through" in words(page.text)
    assert browser.send(f"{path}/stop", {"once": once_of(page.text)}).location == "/policy/simulate"
    assert "This trial was stopped" in words(browser.get(path).text)
    assert browser.get(f"/policy/simulate/{world['oak_trial']}").status_code == 404


def test_a_policy_comes_chosen_from_elsewhere_and_says_why_it_cannot_be_tried(sign_in: SignInAs) -> None:
    browser = sign_in("policy_editor")
    page = browser.get("/policy/simulate?version=rates")
    assert 'value="rates" selected' in page.text
    form = {"once": once_of(page.text), "version": "rates", "year": "this", "place": "district"}
    refused = browser.send("/policy/simulate", form)
    assert refused.status_code == 422
    assert "No attendance of that school year is known there" in words(refused.text)
    out_of_reach = sign_in("network_lead")
    form["once"] = once_of(out_of_reach.get("/policy/simulate").text)
    assert "does not reach the whole district" in words(out_of_reach.send("/policy/simulate", form).text)
