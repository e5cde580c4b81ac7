"""Somebody at a screen whose clicks, keys and seconds are counted."""

from __future__ import annotations

import time

from playwright.sync_api import Locator, Page


class Hand:
    """One person doing one task. A choice from a list is two clicks; every letter is a key."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = 0
        self._began = time.monotonic()

    def click(self, one: Locator) -> None:
        """A click, or a tap on a phone; what is pressed is in sight without being looked for."""
        if self.page.viewport_size and self.page.viewport_size["width"] < 600:
            one.tap()
        else:
            one.click()
        self.clicks += 1

    def write(self, one: Locator, words: str) -> None:
        self.click(one)
        one.press_sequentially(words)
        self.keys += len(words)

    def choose(self, one: Locator, value: str) -> None:
        one.select_option(value)
        self.clicks += 2

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def told(self, task: str) -> str:
        """A line of the table."""
        size = self.page.viewport_size
        seconds = time.monotonic() - self._began
        return (
            f"{task:<52}{size['width'] if size else 0:>6} px{self.clicks:>4} clicks{self.keys:>4} keys{seconds:>7.1f} s"
        )
