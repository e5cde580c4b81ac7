"""A threshold changed by one person and approved by another, from the form to a plan that is taken back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deciding import counting, flagging
from ew_app.services.measuring import policies
from rules.policy import PRESETS
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine
from tests.services.test_simulating import stored_at_the_end

DAY = "2199-02-01"


def test_a_threshold_from_the_form_to_the_plan_and_back(open_window: Open) -> None:
    editor, lead = open_window("policy_editor"), open_window("network_lead", phone=True)
    editor.goto("/policy")
    editor.get_by_role("link", name="Change a threshold").focus()
    editor.keyboard.press("Enter")
    editor.get_by_label("New numbers hold from").fill(DAY)
    line = editor.get_by_role("group", name="Tier 2", exact=True).get_by_label("Starts at … (percent)")
    line.fill("30")
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("alert")).to_contain_text("the bands do not rise")
    assert_fine(editor)
    line.fill("8")
    editor.get_by_label("Why").fill("Agreed on in November")
    editor.get_by_role("button", name="Save the draft").click()
    expect(editor.get_by_role("heading", level=1)).to_have_text("Tier 2 starts at 10% → 8% from 1 Feb 2199")
    assert_fine(editor)
    address = editor.url

    editor.get_by_role("button", name="Ask a second person first").click()
    lead.goto("/policy")
    lead.get_by_role("link", name=re.compile("Look at change")).click()
    lead.get_by_label("Your word to the authors").fill("Fits the staff we have")
    assert_fine(lead)
    lead.get_by_role("button", name=re.compile("Approve from")).click()
    expect(lead.get_by_text("Fits the staff we have")).to_be_visible()

    editor.goto(address)
    editor.get_by_role("link", name="Choose the day").click()
    expect(editor.get_by_text("Earlier days keep what they were decided by.")).to_be_visible()
    assert_fine(editor)
    editor.get_by_role("button", name="Put it in force").click()
    expect(editor.get_by_role("heading", level=1)).to_have_text("1 version planned")
    assert_fine(editor)
    lead.goto("/policy")
    expect(lead.get_by_text("Tier 2 starts at 10% → 8% from 1 Feb 2199.")).to_be_visible()
    editor.get_by_role("button", name=re.compile("Take this plan back")).click()
    expect(editor.get_by_role("heading", level=1)).to_have_text("Nothing is planned: today's policy goes on")


class Undone(Exception):
    """What was put in force is not kept: others look at the same district."""


@pytest.mark.deep
def test_a_trial_says_what_putting_it_in_force_does(open_window: Open, system: System) -> None:
    editor = open_window("policy_editor")
    editor.goto("/policy/simulate")
    editor.get_by_label("Which policy").select_option("five-ten")
    editor.get_by_label("At which schools").select_option("district")
    editor.get_by_role("button", name="Try it").click()
    expect(editor.get_by_role("heading", level=2, name="In short")).to_be_visible()
    assert_fine(editor)
    words = {"1": "Tier 1", "2": "Tier 2", "3": "Tier 3"}
    rows = {tier: editor.locator("#tiers tr").filter(has_text=name) for tier, name in words.items()}
    told = {tier: row.locator("td[data-label=Candidate]").inner_text() for tier, row in rows.items()}
    with system.inside(), pytest.raises(Undone), transaction():
        policies.activate(PRESETS / "five-ten.yaml", starts=policies.FIRST_DAY, by=OPERATOR)
        flagging.evaluate_touched()
        counting.count_everything()
        stands = stored_at_the_end().values()
        held = {tier: f"{sum(school.get(tier, 0) for school in stands):,}" for tier in words}
        raise Undone
    assert told == held and told["2"] != "0"
