"""Due dates counted in school days, because nobody can be late on a holiday."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from rules.counting import many
from rules.stints import school_year_start

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SUMMER = (6, 7, 8)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def add_school_days(start: date, n: int, days: Sequence[date]) -> date:
    """The n-th school day after `start` (0: `start` itself). `days` ascending; past the last, weekdays."""
    if n < 0:
        raise ValueError("A due date lies ahead: the number of school days cannot be negative.")
    return start if n == 0 else next(islice(_days_after(start, days), n - 1, None))


def school_days_late(due: date, today: date, days: Sequence[date]) -> int:
    """School days after `due` up to and including `today`; 0 when not late."""
    if today <= due:
        return 0
    known = bisect_right(days, today) - bisect_right(days, due)
    return known + _weekdays_past_the_end(due, today, days)


def day_text(day: date, today: date | None = None) -> str:
    """Tue 24 Nov; with its year where `today` lies in another school year."""
    text = f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    same = today is None or school_year_start(day) == school_year_start(today)
    return text if same else f"{text} {day.year}"


def due_text(due: date | None, today: date, days: Sequence[date]) -> str:
    """Tue 24 Nov · 2 school days late; only the day when it lies ahead."""
    if due is None:
        return "no due date"
    if due == today:
        return f"{day_text(due)} · today"
    late = school_days_late(due, today, days)
    if not late:
        return day_text(due)
    return f"{day_text(due)} · {many(late, 'school day')} late"


def _days_after(start: date, days: Sequence[date]) -> Iterator[date]:
    """School days after `start`, then weekdays past the calendar's end, without end."""
    yield from days[bisect_right(days, start) :]
    day = max(start, days[-1]) if days else start
    while True:
        day += timedelta(days=1)
        if day.weekday() < 5:
            yield day


def _weekdays_past_the_end(after: date, until: date, days: Sequence[date]) -> int:
    """Weekdays later than both `after` and the calendar's last day, up to `until`; of a calendar that has ended none
    in the summer, when there is no school and nobody can be late."""
    first = (max(after, days[-1]) if days else after) + timedelta(days=1)
    beyond = (first + timedelta(days=n) for n in range((until - first).days + 1))
    return sum(day.weekday() < 5 and not (days and day.month in SUMMER) for day in beyond)
