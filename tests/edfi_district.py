"""A district of one school in an Ed-Fi API: three students, ten days of school, and what was noted of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ew_app.services.sources.edfi_api import Access, EdfiApi
from ew_app.services.sources.edfi_host import Host, Patience
from ew_app.services.sources.edfi_pull import Pulled, Wanted, pull
from tests.edfi_server import EdfiServer, Row

EVENTS = "studentSchoolAttendanceEvents"
STINTS = "studentSchoolAssociations"
SCHOOL = 770042
ANA, BEN, CLEO = "000123", "000124", "000125"
DAYS = [date(2026, 8, 24) + timedelta(days) for days in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
HERE = ("127.0.0.1",)  # where the server of the tests is
IMPATIENT = Patience(tries=4, first_pause=0.01, longest_pause=0.5, to_connect=2, silence=0.5, answer=5)


def descriptor(kind: str, text: str) -> str:
    """As a state writes it, in its own namespace."""
    return f"uri://state.example/{kind}Descriptor#{text}"


def student(number: str = ANA, first: str = "Ana", last: str = "Rivera") -> Row:
    return {"studentUniqueId": number, "firstName": first, "lastSurname": last, "birthCity": "Faro"}


def stint(
    number: str = ANA, entry: str = "2026-08-24", grade: str = "Ninth grade", school: int = SCHOOL, **more: Any
) -> Row:
    return {
        "studentReference": {"studentUniqueId": number},
        "schoolReference": {"schoolId": school},
        "entryDate": entry,
        "entryGradeLevelDescriptor": descriptor("GradeLevel", grade),
        **more,
    }


def day(on: date, code: str = "MAIN", event: str = "Instructional day", school: int = SCHOOL) -> Row:
    return {
        "date": on.isoformat(),
        "calendarReference": {"calendarCode": code, "schoolId": school, "schoolYear": 2027},
        "calendarEvents": [{"calendarEventDescriptor": descriptor("CalendarEvent", event)}],
    }


def calendar(code: str = "MAIN", kind: str = "School") -> Row:
    return {
        "calendarCode": code,
        "schoolReference": {"schoolId": SCHOOL},
        "schoolYearTypeReference": {"schoolYear": 2027},
        "calendarTypeDescriptor": descriptor("CalendarType", kind),
    }


def event(
    on: date | str, category: str = "Unexcused Absence", number: str = ANA, school: int = SCHOOL, **more: Any
) -> Row:
    return {
        "studentReference": {"studentUniqueId": number},
        "schoolReference": {"schoolId": school},
        "sessionReference": {"schoolId": school, "schoolYear": 2027, "sessionName": "Fall"},
        "eventDate": str(on),
        "attendanceEventCategoryDescriptor": descriptor("AttendanceEventCategory", category),
        **more,
    }


def settled(server: EdfiServer) -> EdfiServer:
    """The server with the district in it: Ana missed two days, Ben was late once."""
    server.put("localEducationAgencies", {"localEducationAgencyId": 77, "nameOfInstitution": "Bayside"})
    school = {"schoolId": SCHOOL, "nameOfInstitution": "Harbor School"}
    server.put("schools", school | {"localEducationAgencyReference": {"localEducationAgencyId": 77}})
    server.put("calendars", calendar(), calendar("IEP7", "Student Specific"))
    server.put("calendarDates", *map(day, DAYS), day(DAYS[9], "IEP7", "Holiday"))
    server.put("students", student(), student(BEN, "Ben", "Osei"), student(CLEO, "Cleo", "Hart"))
    server.put(STINTS, stint(), stint(BEN), stint(CLEO))
    server.put(EVENTS, event(DAYS[0]), event(DAYS[1], "Excused Absence"), event(DAYS[1], "Tardy", BEN))
    server.put(EVENTS, event(DAYS[9], "Excused Absence", CLEO))
    return server


def api_of(server: EdfiServer, pauses: list[float] | None = None, **said: Any) -> EdfiApi:
    """A client that knows the key, waits for nobody long, and notes in `pauses` how long it would have waited."""
    host = Host(server.address, private=HERE, patience=IMPATIENT, pause=(pauses if pauses is not None else []).append)
    return EdfiApi(Access(server.address, server.key, server.secret, **said), host)


def pulled(server: EdfiServer, since: Any, into: Path, **wanted: Any) -> Pulled:
    """One pull into a folder of its own."""
    folder = into / f"pull-{len(list(into.iterdir()))}"
    folder.mkdir()
    return pull(api_of(server), since, folder, Wanted(**wanted))


def lines(found: Pulled, resource: str) -> list[str]:
    """The lines of one file of a pull; none if it is not there."""
    return [line for path in found.files if path.stem == resource for line in path.read_text().splitlines()]
