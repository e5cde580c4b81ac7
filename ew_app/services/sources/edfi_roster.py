"""The roster half of a pull: schools, calendars, students, enrolments."""

from __future__ import annotations

from collections.abc import Iterable

from ew_app.services.sources.edfi_api import Row
from ew_app.services.sources.edfi_host import ApiFault
from ew_app.services.sources.edfi_reading import (
    DATES,
    MOST_LOOKED_UP,
    ROSTER,
    SMALL,
    STINTS,
    STUDENTS,
    Reading,
    keys_of,
)


def read_roster(pull: Reading) -> None:
    """All of it the first time, and when something may be read that could not before; later what has changed."""
    if pull.window.after is None or pull.given.intersection(ROSTER) - pull.since.read:
        for resource in ROSTER:
            _read_whole(pull, resource)
    else:
        _read_changes(pull)


def _read_whole(pull: Reading, resource: str) -> None:
    for query in pull.window.whole:
        pull.keep(resource, query)


def _read_changes(pull: Reading) -> None:
    """What changed, and what one cannot be read without: of a student all enrolments, all schools and calendars."""
    gone = {resource: pull.gone(resource) for resource in (DATES, STINTS, STUDENTS)}
    if not any(gone.values()) and not any(_has_changed(pull, resource) for resource in ROSTER):
        return
    for resource in SMALL:
        _read_whole(pull, resource)
    pull.keep(DATES, pull.window.query)
    for resource, rows in gone.items():
        for row in rows:
            pull.folder.write(f"{resource}_{'keyChanges' if 'newKeyValues' in row else 'deletes'}", row)
    if (about := _whom(pull, [*gone[STINTS], *gone[STUDENTS]])) is None:
        _read_whole(pull, STUDENTS)
        _read_whole(pull, STINTS)
        return
    for student in sorted(about):
        for resource in (STUDENTS, STINTS):
            pull.keep(resource, {"studentUniqueId": student})


def _has_changed(pull: Reading, resource: str) -> bool:
    return resource in pull.given and pull.api.count(resource, pull.window.query) != 0


def _whom(pull: Reading, gone: Iterable[Row]) -> set[str] | None:
    """The students something of whom changed; None: so many that all are read."""
    about = {str(key["studentUniqueId"]) for row in gone for key in keys_of(row) if key.get("studentUniqueId")}
    for resource in (STUDENTS, STINTS):
        for row in pull.rows(resource, pull.window.query):
            about.add(_student(row))
            if len(about) > MOST_LOOKED_UP:
                return None
    return about


def _student(row: Row) -> str:
    """Whom a student or an enrolment is about. ApiFault: it does not say."""
    found = row.get("studentUniqueId") or (row.get("studentReference") or {}).get("studentUniqueId")
    if not found:
        raise ApiFault("A row of the API is about a student and names none.")
    return str(found)
