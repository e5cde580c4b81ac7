"""A source that is pulled again and again in tests, and what stands after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ew_app.feeds import ATTENDANCE, Delivery, open_delivery
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import measures
from ew_app.services.sources.edfi_pull import Pulled
from tests.edfi_district import ANA, DAYS, EVENTS, pulled
from tests.edfi_server import EdfiServer
from tests.services.lincoln_and_carver import assert_identity
from tests.services.rosters import rows

LAST = DAYS[9]


@dataclass
class Feed:
    """The source of these tests: each pull goes on from where the last one ended, and everything it brings goes in."""

    server: EdfiServer
    into: Path
    cursor: Any = None
    last: Pulled = field(default_factory=lambda: Pulled((), {}))

    def pull(self, **wanted: Any) -> list[dict[str, Any]]:
        """What became of the deliveries of one pull: roster, then attendance."""
        self.last = pulled(self.server, self.cursor, self.into, **wanted)
        told = self._take_in() if self.last.files else []
        self.cursor = self.last.cursor
        return told

    def _take_in(self) -> list[dict[str, Any]]:
        delivery = open_delivery([self.last.files[0].parent])
        found = []
        for kind in ("roster", "attendance"):
            if any((part.table in ATTENDANCE) == (kind == "attendance") for part in delivery.parts):
                found.append(_load(kind, delivery))
        return found


def _load(kind: str, delivery: Delivery) -> dict[str, Any]:
    batch = ingest.receive(kind=kind, name="pull", files=delivery, by=OPERATOR, source="api")
    ingest.load(batch)
    told = ingest.describe(batch)
    assert_identity(told)
    assert told["status"] in ("applied", "duplicate"), told["sentence"]
    return told


def measured(number: str = ANA, on: date = LAST) -> tuple[str, str, str]:
    """Days enrolled, absent, and absent without an excuse."""
    (found,) = measures.measures(on, student=number)
    return found["enrolled_days"], found["absent_days"], found["unexcused_days"]


def marks() -> list[tuple[Any, ...]]:
    """What stands: student, day, code."""
    return rows("SELECT s.key, m.day, m.code FROM mark m JOIN student s ON s.id = m.student_id ORDER BY 1, 2, 3")


def only_id(server: EdfiServer, resource: str, **wanted: Any) -> str:
    """The id of the one row with these values, in it or in a reference of it."""
    (found,) = [
        row_id
        for row_id, stored in server.rows[resource].items()
        if wanted.items() <= {**stored.row, **stored.row.get("studentReference", {})}.items()
    ]
    return found


def first_event(server: EdfiServer, on: date) -> str:
    """The id of the event of a day that was there first."""
    return min(
        (stored.place, row_id) for row_id, stored in server.rows[EVENTS].items() if stored.row["eventDate"] == str(on)
    )[1]
