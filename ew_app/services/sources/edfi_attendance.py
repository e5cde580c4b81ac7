"""The attendance half of a pull: events of days and of sections, and which days were taken.

A deletion does not say what is left of a day, and an event that stayed does not come with the changes. So a school-day
of which something was deleted or moved is read whole, and claimed whole: what does not stand there any more is taken
away here, and what stands there is right. Where nothing stands there, nothing shows that attendance was taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ew_app.services.sources.edfi_api import NotGiven, Row
from ew_app.services.sources.edfi_files import SchoolDay
from ew_app.services.sources.edfi_reading import MOST_LOOKED_UP, SCHOOLS, TAKEN, Reading, keys_of


def read_attendance(pull: Reading, events: tuple[str, ...], until: float) -> list[str]:
    """What changed, or everything; returns the schools that are left when the time, `until` on the monotonic clock,
    does not do for everything."""
    gone = _gone(pull, events)
    days = {day for row in gone for key in keys_of(row) if (day := SchoolDay.of_key(key))}
    if _asks_for_everything(pull, events, gone, days):
        return _read_schools(pull, events, days, until)
    pull.keep(TAKEN, pull.window.query)
    entered = {day for resource in events for day in _read_changes(pull, resource, days)}
    if days:
        pull.folder.claim(days, entered, events[0])
    return []


def _gone(pull: Reading, events: tuple[str, ...]) -> list[Row]:
    if pull.window.after is None:
        return []
    return [row for resource in events for row in pull.gone(resource)]


def _asks_for_everything(pull: Reading, events: tuple[str, ...], gone: list[Row], days: set[SchoolDay]) -> bool:
    """On the first pull, when something may be read that could not before, and where deletions are too many, or
    without keys as an older API tells them."""
    if pull.window.after is None or pull.since.left or pull.given.intersection((*events, TAKEN)) - pull.since.read:
        return True
    if len(days) <= MOST_LOOKED_UP and all(map(keys_of, gone)):
        return False
    pull.tell("So much was deleted, or so little is told of it, that all attendance was read again.")
    return True


# -- what changed --------------------------------------------------------------------------------------------


def _read_changes(pull: Reading, resource: str, days: set[SchoolDay]) -> set[SchoolDay]:
    """What changed on days that are not claimed, and all rows of those that are; which of these have any."""
    for row in pull.rows(resource, pull.window.query):
        if SchoolDay.of_event(row) not in days:
            pull.folder.write(resource, row)
    asked = ({"schoolId": day.school, "eventDate": day.date} for day in sorted(days))
    return {day for query in asked for day in _kept_days(pull, resource, query)}


# -- everything ----------------------------------------------------------------------------------------------


def _read_schools(pull: Reading, events: tuple[str, ...], gone: set[SchoolDay], until: float) -> list[str]:
    """Read school by school and claim the days of each, so that a school is whole wherever the time ends."""
    schools = list(pull.since.left) or _schools(pull)
    days: set[SchoolDay] = set()
    emptied: set[SchoolDay] = set()
    while schools:
        school = schools.pop(0)
        for query in _all_of(pull, school):
            pull.keep(TAKEN, query)
            days |= {day for resource in events for day in _kept_days(pull, resource, query)}
        emptied |= {day for day in gone if school in ("", day.school)}
        if time.monotonic() > until:
            break
    if days | emptied:
        pull.folder.claim(days | emptied, days, events[0])
    return schools


def _schools(pull: Reading) -> list[str]:
    """The schools there are; one without a name, which stands for all, where the key may not read them."""
    try:
        return sorted({str(row["schoolId"]) for page in pull.api.pages(SCHOOLS, {}) for row in page}) or [""]
    except NotGiven:
        return [""]


def _all_of(pull: Reading, school: str) -> list[dict[str, Any]]:
    return [({"schoolId": school} if school else {}) | query for query in pull.window.whole]


def _kept_days(pull: Reading, resource: str, query: dict[str, Any]) -> Iterator[SchoolDay]:
    for row in pull.rows(resource, query):
        pull.folder.write(resource, row)
        if day := SchoolDay.of_event(row):
            yield day
