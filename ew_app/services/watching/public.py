"""The public summary: which share of a school's students is chronically absent, with nothing in it about one child.

Counts are in tens, shares near an end are bands, and what is small, or would give away something small beside it, is
kept back. Of which day it is told, and that it is told once, is for `publishing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from ew_app.services.measuring import measures as numbers
from models.org import School
from models.queries import boards as rows
from rules.suppression import HIDDEN, Table, share_of_tens, suppress, tens_words
from rules.tiers import Band

CHRONIC = (Band.MODERATE, Band.SEVERE)
COLUMNS = ("level", "network", "school", "students", "chronically_absent", "data_through", "as_of", "known_at")
MEASURE = "Chronically absent"
DEFINITION = (
    "A student is chronically absent who was absent on at least 10 percent of the school days for which attendance is"
    " known, from the first day of enrolment in the school year to the day named above. Excused and unexcused days"
    " both count, and so do days of suspension out of school; part of a day counts as that part. Days on which a"
    " school's attendance has not come in count on neither side. Each student counts at the school that is their main"
    " one on that day; students without a school day yet are left out. A school of which later days had not come in is"
    " told as of the last day that had."
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
    data_through: str = ""  # the last day counted there, of several schools the earliest; '' where one has none


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

    @property
    def behind(self) -> list[str]:
        """Schools that are told as of an earlier day than the summary, because later days had not come."""
        return [
            f"{line.school} (through {line.data_through})" if line.data_through else f"{line.school} (nothing yet)"
            for line in self.lines
            if line.level == "school" and line.data_through != str(self.as_of)
        ]

    def rows(self) -> list[dict[str, Any]]:
        """The lines with their stamp, by COLUMNS."""
        return [asdict(line) | {"as_of": str(self.as_of), "known_at": self.known_at} for line in self.lines]


DEFINED_ON = date(2026, 11, 23)  # since when the definition above is worded as it is


def worked_out(schools: Sequence[School], day: date, moment: datetime) -> Summary:
    """The summary of a day: everything that counts is counted anew."""
    through = rows.last_counted([one.id for one in schools], day)
    days = {one.key: through.get(one.id) for one in schools}
    return Summary(day, written(moment), DEFINED_ON, tuple(_lines(schools, numbers.bands(day), days)))


def written(moment: datetime) -> str:
    """A moment in UTC, as it stands in the files and can be asked for again."""
    return moment.astimezone(UTC).isoformat()


Pair = tuple[int, int]  # chronically absent, the others


def _lines(
    schools: Sequence[School], found: dict[str, Counter[str]], through: Mapping[str, date | None] | None = None
) -> list[Line]:
    """The district, then each network with its schools. A network's sum protects its schools, the district's them."""
    days = through or {}
    by_network: dict[tuple[str, str], list[School]] = {}
    for school in sorted(schools, key=lambda one: (one.network.name, one.network.key, one.name, one.key)):
        if school.key in found:
            by_network.setdefault((school.network.key, school.network.name), []).append(school)
    pairs = {key: [_pair(found[one.key]) for one in inside] for key, inside in by_network.items()}
    sums = [_sum(inside) for inside in pairs.values()]
    district = _sum(sums)
    every = [one for inside in by_network.values() for one in inside]
    lines = [_line("district", "", "", district, _told([district]), 0, _earliest(every, days))]
    networks = _told(sums)
    for place, (key, inside) in enumerate(by_network.items()):
        lines.append(_line("network", key[1], "", sums[place], networks, place, _earliest(inside, days)))
        own = _told(pairs[key])
        lines += [
            _line("school", key[1], one.name, pairs[key][at], own, at, _earliest([one], days))
            for at, one in enumerate(inside)
        ]
    return lines


def _pair(bands: Counter[str]) -> Pair:
    chronic = sum(bands[band.value] for band in CHRONIC)
    return chronic, sum(bands.values()) - chronic - bands[Band.NONE.value]


def _sum(pairs: Sequence[Pair]) -> Pair:
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _told(pairs: Sequence[Pair]) -> Table:
    return suppress(pairs)


def _earliest(schools: Sequence[School], through: Mapping[str, date | None]) -> str:
    found = [through.get(one.key) for one in schools]
    known = [day for day in found if day]
    return str(min(known)) if known and len(known) == len(found) else ""


def _line(level: str, network: str, school: str, pair: Pair, table: Table, at: int, through: str) -> Line:
    whole = table.totals[at]
    share = HIDDEN if whole is None else share_of_tens(*pair, table.rows[at])
    return Line(level, network, school, tens_words(whole), share, through)
