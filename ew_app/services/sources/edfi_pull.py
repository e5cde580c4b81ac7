"""One pull from an Ed-Fi API: everything the first time, later what has changed, as files that `edfi-json` reads.

A pull reads the newest change version first, asks up to it, and only when every file is whole does it hand out the
cursor from which the next one goes on; whatever breaks before that leaves the cursor where it was.

Descriptors are not read: what stands behind the # of their address is all that counts, and every row has it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ew_app.services.sources.edfi_api import EdfiApi, NotGiven, Versions
from ew_app.services.sources.edfi_attendance import read_attendance
from ew_app.services.sources.edfi_cursor import Cursor, Window
from ew_app.services.sources.edfi_files import Folder
from ew_app.services.sources.edfi_host import ApiFault
from ew_app.services.sources.edfi_reading import DATES, EVENTS, NEEDED, ROSTER, SECTION_EVENTS, TAKEN, Reading
from ew_app.services.sources.edfi_roster import read_roster


@dataclass(frozen=True, slots=True)
class Pulled:
    """The files of one delivery, where the next pull goes on, and sentences for people.

    unfinished: schools are left whose attendance is still to be read.
    """

    files: tuple[Path, ...]
    cursor: Mapping[str, Any]
    told: tuple[str, ...] = ()
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a source is there for. sections: also the attendance of class sections, which a district has to want.

    seconds: of reading attendance in one pull; then the schools that are left wait for the next.
    """

    roster: bool = True
    attendance: bool = True
    sections: bool = False
    seconds: float = float("inf")

    @property
    def events(self) -> tuple[str, ...]:
        """The resources with attendance events."""
        return ((EVENTS, SECTION_EVENTS) if self.sections else (EVENTS,)) if self.attendance else ()

    @property
    def resources(self) -> tuple[str, ...]:
        """All resources, whoever is named in a row before it."""
        return (ROSTER if self.roster else ()) + ((*self.events, TAKEN) if self.attendance else ())


def pull(api: EdfiApi, since: Mapping[str, Any] | None, into: Path, wanted: Wanted | None = None) -> Pulled:
    """What the API has that was not read `since` a cursor; all there is without one. ApiFault: nothing was taken."""
    wanted, last = wanted or Wanted(), Cursor.of(since)
    versions = api.versions()
    lost = _why_lost(last, versions)
    if lost:
        last = Cursor(read=last.read)
    window = _window(last, versions)
    if window.is_empty:
        return Pulled((), last.kept())
    reading = Reading(api, last, window, Folder(into), told=[lost] if lost else [])
    try:
        _ask_what_is_given(reading, wanted)
        left = _read(reading, wanted)
    finally:
        files = reading.folder.close()
    cursor = Cursor(window.until, frozenset(reading.given), tuple(left), window.after)
    return Pulled(files, cursor.kept(), (*reading.told, *reading.folder.left_out()), bool(left))


def _read(reading: Reading, wanted: Wanted) -> list[str]:
    """Both halves; returns the schools whose attendance is left for the next pull."""
    until = time.monotonic() + wanted.seconds
    if wanted.roster and not reading.since.left:
        read_roster(reading)
    return read_attendance(reading, wanted.events, until) if wanted.attendance else []


def _why_lost(last: Cursor, versions: Versions | None) -> str:
    """Why a cursor is of no use: it is of another database, or from before the API's memory."""
    if versions is None:
        return "" if last.left else "The API keeps no change versions, so everything is read each time."
    if last.version is None:
        return ""
    if versions.newest < last.version:
        return "The API was set up anew since the last pull, so everything was read again."
    if versions.oldest > (last.version if last.after is None else last.after) + 1:
        return "The API has forgotten some changes since the last pull, so everything was read again."
    return ""


def _window(last: Cursor, versions: Versions | None) -> Window:
    """From where to where: after the last pull up to now, or the same as then where schools were left."""
    if last.left:
        return Window(last.after, last.version)
    return Window(last.version, versions.newest if versions else None)


def _ask_what_is_given(reading: Reading, wanted: Wanted) -> None:
    """Find out what this key may read. ApiFault: something is missing without which nobody is measured."""
    for resource in wanted.resources:
        try:
            reading.api.try_out(resource)
            reading.given.add(resource)
        except NotGiven as refused:
            if resource in NEEDED or resource in reading.since.read:
                before = " It was given before." if resource in reading.since.read else ""
                raise ApiFault(f"{refused}{before} Ask for the right to read it; nothing was taken.") from None
            reading.tell(f"{refused} {_WITHOUT[resource]}")
    if wanted.attendance and not reading.given.intersection(wanted.events):
        raise ApiFault("The API gives no attendance events to this key. Ask for the right to read them.")


_WITHOUT: Final = {
    "localEducationAgencies": "Schools stand under the number of their agency instead of its name.",
    "calendars": "Every calendar counts as its school's.",
    "sessions": "What a term says of its days is not compared with the calendar.",
    DATES: "Send calendar.csv once for the year; without a calendar nobody is measured.",
    EVENTS: "Only the attendance of class sections was read.",
    SECTION_EVENTS: "Only the attendance of whole days was read.",
    TAKEN: "Days on which nobody was absent are not known to be taken; send submitted.csv or covers.csv for them.",
}
