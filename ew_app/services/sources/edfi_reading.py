"""What the two halves of a pull share: which resources there are, which of them the key may read, their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ew_app.services.sources.edfi_api import EdfiApi, NotGiven, Row
from ew_app.services.sources.edfi_cursor import Cursor, Window
from ew_app.services.sources.edfi_files import Folder

SCHOOLS: Final = "schools"
SMALL: Final = ("localEducationAgencies", SCHOOLS, "calendars", "sessions")  # read whole when the roster changed
DATES: Final = "calendarDates"
STUDENTS: Final = "students"
STINTS: Final = "studentSchoolAssociations"
ROSTER: Final = (*SMALL, DATES, STUDENTS, STINTS)
EVENTS: Final = "studentSchoolAttendanceEvents"
SECTION_EVENTS: Final = "studentSectionAttendanceEvents"
TAKEN: Final = "sectionAttendanceTakenEvents"
NEEDED: Final = (SCHOOLS, STUDENTS, STINTS)

MOST_LOOKED_UP: Final = 500  # students, and school-days, asked for one by one; of more all is read


@dataclass(slots=True)
class Reading:
    """One pull on its way: from whom, from where on, into which folder, and what people are told of it."""

    api: EdfiApi
    since: Cursor
    window: Window
    folder: Folder
    given: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def rows(self, resource: str, query: dict[str, Any]) -> Iterator[Row]:
        """The rows of a resource; none of one that is not given."""
        if resource in self.given:
            for page in self.api.pages(resource, query):
                yield from page

    def keep(self, resource: str, query: dict[str, Any]) -> None:
        """Write the rows of a resource."""
        for row in self.rows(resource, query):
            self.folder.write(resource, row)

    def gone(self, resource: str) -> list[Row]:
        """The deletions and changed keys of the window; each has `keyValues`, or `oldKeyValues` and `newKeyValues`."""
        found: list[Row] = []
        if resource not in self.given:
            return found
        for kind in ("deletes", "keyChanges"):
            try:
                for page in self.api.pages(f"{resource}/{kind}", self.window.query):
                    found += page
            except NotGiven:
                if kind == "deletes":
                    self.tell(f"The API does not tell which {resource} were deleted; those stay here.")
        return found

    def tell(self, sentence: str) -> None:
        """Say something to people, once."""
        if sentence not in self.told:
            self.told.append(sentence)


def keys_of(row: Row) -> list[dict[str, Any]]:
    """The key values that a deletion or a changed key names; of older APIs none."""
    found = (row.get(name) for name in ("keyValues", "oldKeyValues", "newKeyValues"))
    return [values for values in found if isinstance(values, dict) and values]
