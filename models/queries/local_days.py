"""The district's day of a moment, for statements: the database keeps moments, people count days on their own clock."""

from __future__ import annotations

_HERE = "coalesce(nullif(current_setting('ew.timezone', true), ''), 'UTC')"
_FIXED = "coalesce(nullif(current_setting('ew.today', true), '')::date, 'infinity')"  # the day of a pilot, if any


def local_day(moment: str) -> str:
    """The district's day of a moment, as an expression; never later than a day that is fixed for a pilot.

    Without a moment there is no day: `least` alone would give the fixed one.
    """
    return f"CASE WHEN {moment} IS NOT NULL THEN least(({moment} AT TIME ZONE {_HERE})::date, {_FIXED}) END"


def local_time(moment: str) -> str:
    """What the clock on the wall of the district showed at a moment, as an expression."""
    return f"({moment} AT TIME ZONE {_HERE})::time"
