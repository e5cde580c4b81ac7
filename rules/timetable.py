"""When to look at a source, on the district's own clock: times of the day, or every so many minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from rules.counting import many

SHORTEST: Final = 5  # minutes: the schedule itself looks no more often
MADE_UP: Final = timedelta(days=7)  # how old a missed time may be and still be made up
AHEAD: Final = timedelta(days=120)  # how far the next time is looked for: past a summer


class Days(StrEnum):
    """On which days to look."""

    SCHOOL = "school"
    WEEKDAYS = "weekdays"
    ALL = "all"


DAY_WORDS: Final = {Days.SCHOOL: "on school days", Days.WEEKDAYS: "Monday to Friday", Days.ALL: "every day"}
Looks = Callable[[date], bool]


class UnfitTimetable(ValueError):
    """A timetable that cannot be kept; str() says what to write instead."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """`times` of the day, or every `every` minutes from `start` until `until`; neither: only when somebody asks."""

    times: tuple[time, ...] = ()
    every: int = 0
    start: time = time(6)
    until: time = time(20)
    days: Days = Days.SCHOOL

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Timetable:
        """As kept with the source. Raises UnfitTimetable."""
        days = stored.get("days", Days.SCHOOL)
        if days not in list(Days):
            raise UnfitTimetable(f"Days are {', '.join(Days)}, not {days}.")
        made = cls(
            tuple(sorted({clock_time(text) for text in stored.get("times", ())})),
            _minutes(stored.get("every") or 0),
            clock_time(stored.get("start") or "06:00"),
            clock_time(stored.get("until") or "20:00"),
            Days(days),
        )
        if made.times and made.every:
            raise UnfitTimetable("Say either times of the day or every how many minutes, not both.")
        if made.every and made.start >= made.until:
            raise UnfitTimetable("The first time of the day has to be before the last.")
        return made

    def stored(self) -> dict[str, Any]:
        """What is kept with the source."""
        if self.times:
            return {"times": [text(at) for at in self.times], "days": self.days.value}
        if self.every:
            window = {"start": text(self.start), "until": text(self.until)}
            return {"every": self.every, **window, "days": self.days.value}
        return {}

    def slots(self) -> list[time]:
        """The times of one day, ascending."""
        if not self.every:
            return list(self.times)
        first, last = (60 * at.hour + at.minute for at in (self.start, self.until))
        return [time(*divmod(minute, 60)) for minute in range(first, last + 1, self.every)]

    def due(self, moment: datetime, since: datetime, looks: Looks) -> tuple[date, time] | None:
        """The newest time up to a local `moment` and after `since`; None when there is none. An hour that is told
        twice has its times once, and one that is left out has them when it is over."""
        for day in _back(moment.date(), max(since.date(), (moment - MADE_UP).date())):
            passed = [at for at in self.slots() if since < datetime.combine(day, at) <= moment]
            if passed and looks(day):
                return day, passed[-1]
        return None

    def next(self, moment: datetime, looks: Looks) -> datetime | None:
        """The first time after a local `moment`; None when there is none in sight."""
        slots = self.slots()
        for ahead in range(AHEAD.days if slots else 0):
            day = moment.date() + timedelta(days=ahead)
            coming = [at for at in slots if datetime.combine(day, at) > moment]
            if coming and looks(day):
                return datetime.combine(day, coming[0])
        return None

    def words(self) -> str:
        """`at 18:15 on school days`, `every 15 minutes from 06:00 to 20:00 every day`, or that somebody has to ask."""
        if self.times:
            return f"at {' and '.join(map(text, self.times))} {DAY_WORDS[self.days]}"
        if self.every:
            window = f"from {text(self.start)} to {text(self.until)}"
            return f"every {many(self.every, 'minute')} {window} {DAY_WORDS[self.days]}"
        return "only when somebody asks"


def clock_time(given: str) -> time:
    """`6:05` or `18:05` as a time. Raises UnfitTimetable."""
    hours, colon, minutes = given.strip().partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:
        return time(int(hours), int(minutes))
    raise UnfitTimetable(f"{given or 'Nothing'} is not a time of the day. Write it as 18:15.")


def text(at: time) -> str:
    """A time of the day as it is written everywhere: 18:15."""
    return f"{at:%H:%M}"


def _minutes(given: Any) -> int:
    try:
        minutes = int(given)
    except (TypeError, ValueError):
        raise UnfitTimetable(f"{given} is not a number of minutes.") from None
    if minutes and not SHORTEST <= minutes <= 24 * 60:
        raise UnfitTimetable(f"Every how many minutes: between {SHORTEST} and 1440.")
    return minutes


def _back(last: date, first: date) -> Iterator[date]:
    """From `last` back to `first`."""
    return (last - timedelta(days=back) for back in range((last - first).days + 1))
