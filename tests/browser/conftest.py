"""The running system and windows onto it. Without Chromium these tests say so and are skipped, or fail where
EW_REQUIRE_BROWSER is set, as it is on the build server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from ew_app.config import load_settings
from tests.browser import system as running_system
from tests.browser.system import System
from tests.browser.window import PHONE, WIDE, NoBrowser, Watch, chromium

PATIENCE = 30_000  # milliseconds: a busy machine is no fault of the page
PASSWORD = "demo"
BROKER = 31  # no other test works in this part of the broker, so no job of theirs comes to our worker

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        try:
            chosen = stack.enter_context(chromium(stack.enter_context(sync_playwright())))
        except (NoBrowser, PlaywrightError) as error:
            if os.environ.get("EW_REQUIRE_BROWSER") == "1":
                raise
            pytest.skip(f"These tests look at the screens in Chromium, which does not start here. {error}")
        expect.set_options(timeout=PATIENCE)
        yield chosen


@pytest.fixture(scope="package")
def system(
    browser: Browser, new_database: Callable[[], str], redis_url: str, worker: str, tmp_path_factory: Any
) -> Iterator[System]:
    number = BROKER - int(worker.removeprefix("gw")) if worker.startswith("gw") else BROKER
    ready = load_settings(
        {
            "EW_DATABASE_URL": new_database(),
            "EW_REDIS_URL": f"{redis_url.rpartition('/')[0]}/{number}",
            "EW_DATA_DIR": str(tmp_path_factory.mktemp("browser")),
            "EW_SECRET_KEY": "a key for tests only",
        }
    )
    with running_system.running(ready) as system:
        yield system


@pytest.fixture(scope="package")
def cookies() -> dict[str, Any]:
    """What the browser keeps for each person who has signed in once."""
    return {}


@pytest.fixture
def open_window(browser: Browser, system: System, cookies: dict[str, Any]) -> Iterator[Open]:
    """A function: login (none: nobody), phone, javascript, signed_in -> a page of a window of that person's own.

    At the end of the test no window may have asked another host, opened a dialog or logged an error.
    """
    watches: list[Watch] = []
    contexts = []

    def open_window(login: str = "", *, phone: bool = False, javascript: bool = True) -> Page:
        size: Any = PHONE if phone else WIDE
        context = browser.new_context(
            base_url=system.address,
            viewport=size,
            has_touch=phone,
            java_script_enabled=javascript,
            storage_state=_known(browser, system, cookies, login) if login else None,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watches.append(Watch(context, system.address))
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
    assert [wrong for watch in watches for wrong in watch.wrong] == []


def _known(browser: Browser, system: System, cookies: dict[str, Any], login: str) -> Any:
    """The cookies of somebody who has signed in through the page."""
    if login not in cookies:
        context = browser.new_context(base_url=system.address)
        sign_in(context.new_page(), login)
        cookies[login] = context.storage_state()
        context.close()
    return cookies[login]


def sign_in(page: Page, login: str) -> None:
    """As a person does: name, password, Enter."""
    page.goto("/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
