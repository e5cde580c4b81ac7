"""Coming in: with the keyboard alone, with a wrong password, and out again."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Open
from tests.browser.window import assert_fine


def test_somebody_signs_in_with_the_keyboard_alone_and_skips_to_the_page(open_window: Open) -> None:
    page = open_window()
    page.goto("/sign-in")
    assert_fine(page)
    page.get_by_label("Login").focus()
    page.keyboard.type("social_worker")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/today")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), "the next stop is inside the page"


def test_a_wrong_password_says_so_beside_the_form_and_loses_no_login(open_window: Open) -> None:
    page = open_window()
    page.goto("/sign-in")
    page.get_by_label("Login").fill("social_worker")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="We could not sign you in")).to_be_visible()
    expect(page.get_by_label("Login")).to_have_value("social_worker")
    assert_fine(page)


def test_whoever_signs_out_is_out(open_window: Open) -> None:
    page = open_window()
    page.goto("/sign-in")
    page.get_by_label("Login").fill("nurse")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/today")
    page.locator(".rail").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.goto("/today")
    page.wait_for_url("**/sign-in?next=/today")
