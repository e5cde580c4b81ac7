"""From files, in the order they came, to the marks that stand and the days that were sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from tests.oracle.codes import meaning, rank
from tests.oracle.membership import Membership
from tests.oracle.rows import Delivery, Row, SchoolDay

StudentDay = tuple[str, str, date]


@dataclass(slots=True)
class Standing:
    """What stands after all deliveries: marks by source and key, and which days were sent and how.

    came: the number of the delivery that a mark stands by. same: former ids of children; a mark stays under the id
    it was sent under and is read as the child's.
    """

    marks: dict[tuple[str, str, str, date, str], Row] = field(default_factory=dict)
    came: dict[tuple[str, str, str, date, str], int] = field(default_factory=dict)
    codes: dict[tuple[str, str, str, date, str], dict[str, int]] = field(default_factory=dict)  # code -> first came
    same: dict[str, str] = field(default_factory=dict)
    sent: dict[SchoolDay, set[str]] = field(default_factory=dict)
    whole: dict[SchoolDay, set[str]] = field(default_factory=dict)  # sources that spoke for a day entirely
    counts: list[Counter[str]] = field(default_factory=list)

    def of_day(self, student: str, school: str, day: date, source: str) -> dict[str, Row]:
        """The marks of one student and day by period, blank for the whole day; the primary source first.

        Where that one sent its exceptions of the whole day, it says present of whoever it does not name.
        """
        by_source = self._days().get((student, school, day), {})
        by_exception = "full" not in self.sent.get((school, day), ())
        if source in by_source or not by_source or (by_exception and source in self.whole.get((school, day), ())):
            return by_source.get(source, {})
        return by_source[sorted(by_source)[0]]

    _by_day: dict[StudentDay, dict[str, dict[str, Row]]] | None = None

    def _days(self) -> dict[StudentDay, dict[str, dict[str, Row]]]:
        if self._by_day is None:
            self._by_day = {}
            by: dict[tuple[str, str, str, date, str], int] = {}
            for key, stands in self.marks.items():
                source, student, school, day, period = key
                said = self.codes[key]
                row = replace(stands, first=min(said.values()), else_=len(said) > 1)
                child = self.same.get(student, student)
                here = self._by_day.setdefault((child, school, day), {}).setdefault(source, {})
                place = (source, child, school, day, period)
                if period not in here or self._later(row, self.came[key], here[period], by[place]):
                    here[period], by[place] = row, self.came[key]
        return self._by_day

    @staticmethod
    def _later(row: Row, came: int, other: Row, other_came: int) -> bool:
        """Of two ids of one child: what was changed last where both say when, else what came last."""
        if row.last_modified and other.last_modified and row.last_modified != other.last_modified:
            return row.last_modified > other.last_modified
        return came > other_came


def wins_inside_a_file(one: Row, other: Row, membership: Membership) -> Row:
    """The newer of two rows of a file when both say when; else by what they mean; else the later line (`other`)."""
    if one.last_modified and other.last_modified and one.last_modified != other.last_modified:
        return max(one, other, key=lambda row: row.last_modified)  # type: ignore[return-value, arg-type]
    ranks = [rank(membership.roster, row) for row in (one, other)]
    return one if ranks[0] < ranks[1] else other


def stands_against(stored: Row, incoming: Row) -> bool:
    """Whether a stored mark is newer than a row of a later file."""
    return bool(stored.last_modified and incoming.last_modified and stored.last_modified > incoming.last_modified)


def is_said_later(stored: Row, incoming: Row) -> bool:
    """Whether a row that says the same says it with a later time of change: then it is the one that stands."""
    if incoming.last_modified is None:
        return False
    return stored.last_modified is None or incoming.last_modified > stored.last_modified


def claimed_whole(delivery: Delivery, rows: list[Row], membership: Membership) -> set[SchoolDay]:
    """School-days the file speaks for entirely: it says so, or it is a full feed of at least four in five."""
    claimed = set(delivery.covers)
    if delivery.feed == "full":
        for school, day in {(row.school, row.date) for row in rows}:
            due = membership.all_due(school, day)
            here = [row for row in rows if (row.school, row.date) == (school, day)]
            seen = {membership.roster.child(row.student) for row in here} & due
            if due and 5 * len(seen) >= 4 * len(due):
                claimed.add((school, day))
    return claimed


def hear(
    standing: Standing, delivery: Delivery, membership: Membership, claims: set[SchoolDay] | None = None
) -> set[SchoolDay]:
    """Let one delivery in. Its counts are appended: rows_in is the sum of all but `removed`.

    Returns the school-days it speaks for entirely. That is settled on the day it comes, by who was enrolled then:
    `claims` are those of a delivery that came before a roster told otherwise.
    """
    standing._by_day = None
    count: Counter[str] = Counter()
    best: dict[tuple[str, str, date, str], Row] = {}
    rows = [_as_read(row, membership) for row in delivery.rows if _resolves(row, membership)]
    count["rejected"] = len(delivery.rows) - len(rows)
    for row in rows:
        if row.key in best:
            count["duplicate"] += 1
            best[row.key] = wins_inside_a_file(best[row.key], row, membership)
        else:
            best[row.key] = row
    for key, row in best.items():
        count[_store(standing, (delivery.source, *key), row)] += 1
    claimed = claimed_whole(delivery, rows, membership) if claims is None else claims
    for stored in list(standing.marks):
        source, _, school, day, _ = stored
        if source == delivery.source and (school, day) in claimed and stored[1:] not in best:
            del standing.marks[stored]
            count["removed"] += 1
    for school_day in claimed:
        standing.whole.setdefault(school_day, set()).add(delivery.source)
    for school_day in {(row.school, row.date) for row in rows} | delivery.covers | delivery.submitted:
        standing.sent.setdefault(school_day, set()).add(delivery.feed)
    standing.counts.append(count)
    return claimed


def _as_read(row: Row, membership: Membership) -> Row:
    """Presence is presence, whether nothing or a zero stands beside it."""
    code = meaning(membership.roster, row)
    nothing = row.fraction in (None, 0) and row.minutes in (None, 0) and not row.period
    if nothing and code is not None and code.kind == "present":
        return replace(row, fraction=None, minutes=None)
    return row


def _resolves(row: Row, membership: Membership) -> bool:
    roster = membership.roster
    readable = 1950 <= row.date.year <= 2200
    return readable and row.student in roster.students and row.school in roster.schools


def _store(standing: Standing, key: tuple[str, str, str, date, str], row: Row) -> str:
    """Put the row in its place; returns the bucket it is counted in."""
    stored = standing.marks.get(key)
    if stored is not None and stands_against(stored, row):
        return "unchanged"
    same = stored is not None and stored.says == row.says
    if stored is None or not same or is_said_later(stored, row):
        standing.marks[key] = row
        standing.came[key] = len(standing.counts)
    if same:
        return "unchanged"
    standing.codes.setdefault(key, {}).setdefault(row.code, len(standing.counts))
    return "applied" if stored is None else "superseded"


def replay(deliveries: list[Delivery], claims: list[set[SchoolDay]], membership: Membership) -> Standing:
    """All deliveries in order, each with its claims, as if those taken back had never come."""
    standing = Standing(same=membership.roster.same)
    for delivery, claimed in zip(deliveries, claims, strict=True):
        if not delivery.undone:
            hear(standing, delivery, membership, claimed)
    return standing
