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


@pytest.fixture(scope="package")
def new_window(browser: Browser, system: System, cookies: dict[str, Any]) -> Callable[..., tuple[Page, Watch]]:
    """A function: login (none: nobody), phone, javascript -> a page in a window of that person's own, and its watch."""

    def new_window(login: str = "", *, phone: bool = False, javascript: bool = True) -> tuple[Page, Watch]:
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
        watch = Watch(context, system.address)
        return context.new_page(), watch

    return new_window


@pytest.fixture
def open_window(new_window: Callable[..., tuple[Page, Watch]]) -> Iterator[Open]:
    """A function: login (none: nobody), phone, javascript -> a page of a new window of that person's own.

    At the end of the test no window may have asked another host, opened a dialog or logged an error.
    """
    opened: list[tuple[Page, Watch]] = []

    def open_window(*words: Any, **options: Any) -> Page:
        opened.append(new_window(*words, **options))
        return opened[-1][0]

    yield open_window
    for page, _ in opened:
        page.context.close()
    assert [wrong for _, watch in opened for wrong in watch.wrong] == []


@pytest.fixture(scope="module")
def kept(new_window: Callable[..., tuple[Page, Watch]]) -> Iterator[dict[str, tuple[Page, Watch]]]:
    """The window of each person who has looked at something in this module."""
    windows: dict[str, tuple[Page, Watch]] = {}
    yield windows
    for page, _ in windows.values():
        page.context.close()


@pytest.fixture
def look(kept: dict[str, tuple[Page, Watch]], new_window: Callable[..., tuple[Page, Watch]]) -> Iterator[Open]:
    """A function: login (none: nobody) -> that person's window, for tests that look and change nothing.

    It stays open for the next tests of the module: a new window has to fetch and read everything anew. At the end of
    each test no window may have asked another host, opened a dialog or logged an error.
    """

    def look(login: str = "") -> Page:
        if login not in kept:
            kept[login] = new_window(login)
        return kept[login][0]

    yield look
    wrong = [one for _, watch in kept.values() for one in watch.wrong]
    for _, watch in kept.values():
        watch.wrong.clear()
    assert wrong == []


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
