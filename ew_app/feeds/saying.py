"""What the person who hands a delivery over says about it, because the files do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ew_app.feeds.exports import Export, field_key
from ew_app.feeds.refused import RefusedFile, Why

ROWS: Final = "rows"
DAY: Final = "day"
SHORTEST_PERIOD: Final = 15
LONGEST_PERIOD: Final = 240


@dataclass(frozen=True, slots=True)
class Said:
    """format: which one it is. dates: mdy or dmy. ids: which of a system's ids is the student's and the school's.

    periods: how class periods add up to a day: `rows`, each its share of the rows of the day, or the minutes of one;
    `day`: attendance is taken once a day, in the class the row names, and the row is about the whole day.
    """

    format: str | None = None
    dates: str | None = None
    ids: str | None = None
    periods: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Said:
        """What the options of a batch say."""
        return cls(*(options.get(name) for name in cls.__slots__))

    def options(self) -> dict[str, str]:
        """The same as options of a batch."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def or_else(self, remembered: Mapping[str, str]) -> Said:
        """What was said, and for the rest what is remembered."""
        return Said.of(dict(remembered) | self.options())

    def words(self, export: Export) -> dict[str, str]:
        """What stands for $ids and $periods in the columns of an export. RefusedFile: it has no such id."""
        ids = field_key(self.ids) if self.ids else export.ids[0] if export.ids else ""
        if self.ids and ids not in export.ids:
            known = ", ".join(export.ids) or "none to choose from"
            raise RefusedFile(Why.NOT_RECOGNISED, f"{export.label} has no id {self.ids!r}; there is {known}.")
        minutes = self.periods if self.periods and self.periods.isdigit() else ""
        return {"$ids": ids, "$periods": minutes}


def unfit_periods(said: str) -> str:
    """Why this cannot be how class periods add up, as a sentence; '' where it can."""
    if said in (ROWS, DAY):
        return ""
    if not (said.isascii() and said.isdecimal()):
        return "Say the minutes of one class period as a number, such as 50."
    if not SHORTEST_PERIOD <= int(said) <= LONGEST_PERIOD:
        return (
            f"A class period of {int(said):,} minutes is hard to believe. Say how long one is, such as 50: "
            f"from {SHORTEST_PERIOD} to {LONGEST_PERIOD} minutes."
        )
    return ""
