"""Which school-days were sent, and up to which day a school's numbers reach."""

from __future__ import annotations

from datetime import date

from tests.oracle.deliveries import Standing
from tests.oracle.membership import Membership


class Ledger:
    """The state of every school-day up to `today`; a day after it has not been sent, whatever a file says."""

    def __init__(self, standing: Standing, membership: Membership, today: date) -> None:
        self.standing, self.membership, self.today = standing, membership, today
        self.known: dict[tuple[str, date], str] = {}
        self.seen: dict[tuple[str, date], set[str]] = {}
        for _, student, school, day, _ in standing.marks:
            self.seen.setdefault((school, day), set()).add(membership.roster.child(student))

    def status(self, school: str, day: date) -> str:
        """closed, not_submitted, partial or submitted."""
        key = (school, day)
        if key not in self.known:
            self.known[key] = self._status(school, day)
        return self.known[key]

    def _status(self, school: str, day: date) -> str:
        if self.membership.has_calendar(school) and not self.membership.is_open(school, day):
            return "closed"
        feeds = self.standing.sent.get((school, day), set())
        if not feeds or day > self.today:
            return "not_submitted"
        due = self.membership.all_due(school, day)
        seen = self.seen.get((school, day), set()) & due
        if "full" in feeds and 5 * len(seen) < 4 * len(due):
            return "partial"
        return "submitted"

    def full(self, school: str, day: date) -> bool:
        """Whether a student without a row is unknown on the day, and not present."""
        return "full" in self.standing.sent.get((school, day), set())

    def data_through(self, school: str) -> date | None:
        """The last day the school has sent, even in part; None before the first."""
        sent = [
            day
            for (at, day) in self.standing.sent
            if at == school and self.status(school, day) in ("submitted", "partial")
        ]
        return max(sent, default=None)
