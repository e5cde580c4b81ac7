"""A window of Chromium that watches itself: no other host is asked, no text comes to life, no error is logged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright, Request, WebError

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BY_STATUS = "Failed to load resource: the server responded with a status of"  # a refusal, said aloud by Chromium


class NoBrowser(Exception):
    """There is no Chromium to look through; the text says what to do."""


def program() -> str:
    """The path of Chromium: EW_CHROMIUM, or the first one on the PATH. Raises NoBrowser."""
    found = os.environ.get("EW_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        raise NoBrowser(
            "No Chromium on this machine: install the package chromium, or name the program in EW_CHROMIUM."
        )
    return found


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
    try:
        yield browser
    finally:
        browser.close()


class Watch:
    """Notes in `wrong` whatever a window must never do. (No other host can be reached: see ARGUMENTS.)

    Nothing stands between the window and the server: pages that are intercepted are fetched without the browser's
    cache, each with all its styles and scripts.
    """

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.wrong: list[str] = []
        context.on("request", self._asked)
        context.on("dialog", self._dialog)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:")):
            self.wrong.append(f"asked {request.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(BY_STATUS):
            self.wrong.append(f"the console says: {message.text}")

    def _error(self, error: WebError) -> None:
        self.wrong.append(f"a script stopped: {error.error}")


# -- what a page must be like ----------------------------------------------------------------------------------

_axe = Axe()
AXE: dict[str, Any] = {"resultTypes": ["violations"]}


def troubles(page: Page) -> list[str]:
    """What keeps somebody from using this page, at both widths: axe's violations, and scrolling sideways."""
    found = []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found += [f"{size['width']} px: {one}" for one in [*_violations(page), *_too_wide(page)]]
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return found


def contrast_troubles(page: Page) -> list[str]:
    """Text that does not stand out from what is behind it, in the colours of now."""
    return _violations(page, AXE | {"runOnly": ["color-contrast"]})


def _violations(page: Page, options: dict[str, Any] = AXE) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe.axe_script)
    told: dict[str, Any] = page.evaluate("options => axe.run(options)", options)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for one in told["violations"]
        for node in one["nodes"][:3]
    ]


def _too_wide(page: Page) -> list[str]:
    width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [f"the page is {width} px wide and scrolls sideways"] if width > inner else []


def assert_fine(page: Page) -> None:
    found = troubles(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
