"""The public summary: which share of a school's students is chronically absent, with nothing in it about one child.

Counts are in tens, shares near an end are bands, and what is small, or would give away something small beside it, is
kept back. The same day and moment give the same files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from ew_app.kernel import Actor, Refused, audit, now, operation, today
from ew_app.services.measuring import hindsight
from ew_app.services.measuring import measures as numbers
from models.org import School
from models.queries import boards as rows
from rules.access import Area
from rules.suppression import HIDDEN, Table, share_of_tens, suppress, tens_words
from rules.tiers import Band

CHRONIC = (Band.MODERATE, Band.SEVERE)
COLUMNS = ("level", "network", "school", "students", "chronically_absent", "as_of", "known_at")
MEASURE = "Chronically absent"
DEFINITION = (
    "A student is chronically absent who was absent on at least 10 percent of the school days for which attendance is"
    " known, from the first day of enrolment in the school year to the day named above. Excused and unexcused days"
    " both count, and so do days of suspension out of school; part of a day counts as that part. Days on which a"
    " school's attendance has not come in count on neither side. Each student counts at the school that is their main"
    " one on that day; students without a school day yet are left out."
)
HOW_TOLD = (
    "Numbers of students are rounded to the nearest ten. A share is a whole percent of the rounded numbers; close to"
    ' none or to all it is a band, such as "under 5%", the wider the fewer students there are. Kept back: what stands'
    " for fewer than 10 students, and what would let such a number be worked out."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the district, a network or a school; '' where a name does not apply."""

    level: str
    network: str
    school: str
    students: str
    chronically_absent: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What is published."""

    as_of: date
    known_at: str
    defined_on: date
    lines: tuple[Line, ...]

    @property
    def hides(self) -> int:
        """How many lines keep something back."""
        return sum(HIDDEN in (line.students, line.chronically_absent) for line in self.lines)

    def rows(self) -> list[dict[str, Any]]:
        """The lines with their stamp, by COLUMNS."""
        return [asdict(line) | {"as_of": str(self.as_of), "known_at": self.known_at} for line in self.lines]


DEFINED_ON = date(2026, 11, 22)  # since when the definition above is worded as it is


@operation
def summary(*, by: Actor, as_of: date | None = None, known_at: datetime | None = None) -> Summary:
    """The summary of the district; written down as taken. Raises Refused."""
    if known_at and known_at > now():
        raise Refused("That moment has not come yet. Give one of the past, or none for what is known now.")
    schools = rows.schools_in(Area(district=True))
    day = as_of or max(rows.last_counted([one.id for one in schools], today()).values(), default=None)
    if day is None:
        raise Refused("No school day has been counted yet, so there is nothing to publish.")
    moment = known_at or now()
    audit("summary_published", by=by, subject="figures:public", reason=f"as of {day}, known at {moment.isoformat()}")
    return worked_out(schools, day, moment, known_at)


def worked_out(schools: Sequence[School], day: date, moment: datetime, known_at: datetime | None) -> Summary:
    """The summary of a day: everything that counts is counted anew."""
    with hindsight.known_at(known_at):
        found = numbers.bands(day)
    return Summary(day, written(moment), DEFINED_ON, tuple(_lines(schools, found)))


def written(moment: datetime) -> str:
    """A moment in UTC, as it stands in the files and can be asked for again."""
    return moment.astimezone(UTC).isoformat()


Pair = tuple[int, int]  # chronically absent, the others


def _lines(schools: Sequence[School], found: dict[str, Counter[str]]) -> list[Line]:
    """The district, then each network with its schools. A network's sum protects its schools, the district's them."""
    by_network: dict[tuple[str, str], list[School]] = {}
    for school in sorted(schools, key=lambda one: (one.network.name, one.network.key, one.name, one.key)):
        if school.key in found:
            by_network.setdefault((school.network.key, school.network.name), []).append(school)
    pairs = {key: [_pair(found[one.key]) for one in inside] for key, inside in by_network.items()}
    sums = [_sum(inside) for inside in pairs.values()]
    district = _sum(sums)
    lines = [_line("district", "", "", district, _told([district]), 0)]
    networks = _told(sums)
    for place, (key, inside) in enumerate(by_network.items()):
        lines.append(_line("network", key[1], "", sums[place], networks, place))
        own = _told(pairs[key])
        lines += [_line("school", key[1], one.name, pairs[key][at], own, at) for at, one in enumerate(inside)]
    return lines


def _pair(bands: Counter[str]) -> Pair:
    chronic = sum(bands[band.value] for band in CHRONIC)
    return chronic, sum(bands.values()) - chronic - bands[Band.NONE.value]


def _sum(pairs: Sequence[Pair]) -> Pair:
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _told(pairs: Sequence[Pair]) -> Table:
    return suppress(pairs)


def _line(level: str, network: str, school: str, pair: Pair, table: Table, at: int) -> Line:
    whole = table.totals[at]
    share = HIDDEN if whole is None else share_of_tens(*pair, table.rows[at])
    return Line(level, network, school, tens_words(whole), share)
