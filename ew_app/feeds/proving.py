"""Whether the dates of an export are month first or day first: declared, or proven by a day above twelve."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ew_app.feeds.formats import DateOrder
from ew_app.feeds.refused import RefusedFile, Why

_SLASHED: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{2,4}(?:[T ].*)?", re.ASCII)


def is_slashed(text: str) -> bool:
    """Whether a text is a date with its month or its day first."""
    return _SLASHED.fullmatch(text.strip()) is not None


class Proof:
    """Dates seen so far, and what they prove."""

    def __init__(self) -> None:
        self._month_first = self._day_first = self._open = ""

    def look_at(self, texts: Iterable[str]) -> None:
        """More dates of the same delivery."""
        for text in texts:
            if found := _SLASHED.fullmatch(text):
                first, second = int(found[1]), int(found[2])
                if second > 12 >= first:
                    self._month_first = text
                elif first > 12 >= second:
                    self._day_first = text
                elif first != second:
                    self._open = text

    def order(self) -> DateOrder:
        """How all of them are read. RefusedFile: they can be read two ways, or contradict each other."""
        if self._month_first and self._day_first:
            raise RefusedFile(
                Why.TWO_WAY_DATES,
                f'"{self._month_first}" is month first and "{self._day_first}" is day first, in one delivery. '
                "Export all dates as 2026-09-14 (year, month, day).",
            )
        if self._open and not (self._month_first or self._day_first):
            raise RefusedFile(
                Why.TWO_WAY_DATES,
                f'The dates can be read two ways: "{self._open}" may be month first or day first. We do not guess. '
                "Say which with --dates mdy or --dates dmy, or export dates as 2026-09-14 (year, month, day).",
            )
        if self._day_first:
            return DateOrder.DAY_FIRST
        return DateOrder.MONTH_FIRST if self._month_first else DateOrder.ISO
