"""What a review looks at, as it stands when it begins: counts, what moved, follow-through, causes, groups; no name.

Groups are those that the page of groups shows, told as there: a table of its own could be set against that one, and
the difference would be one child.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import today
from ew_app.services.watching import boards, following_through, groups
from ew_app.services.watching.boards import Board, Line
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import boards as counts
from models.queries.boards import Counts
from rules.access import Place, PlaceKind
from rules.follow_through import LABELS, State, Step
from rules.grades import grade_order
from rules.stints import school_year_start
from rules.tiers import Tier

TWO_WEEKS = timedelta(days=14)
Numbers = dict[str, Any]
Lines = list[tuple[str, str, str]]  # (value, students, those of them in Tier 2 or 3), both in tens
NEEDING = groups.COLUMN[Tier.TWO]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to walk past: a network, a school or a grade, and how it stands."""

    subject: str
    name: str
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Material:
    """What a review of a place begins with."""

    numbers: Numbers
    entries: tuple[Entry, ...]


def of(place: Place, schools: Sequence[School], last: date | None) -> Material:
    """How a place stands now, and what moved since its last review or for two weeks; who needs help first is first."""
    on = today()
    since, ids = last or on - TWO_WEEKS, [one.id for one in schools]
    board = boards.board(schools, on)
    told = groups.groups(schools, on)
    lines = _grades(ids[0], board.latest) if place.kind is PlaceKind.SCHOOL and board.latest else []
    tables = [(one.by, _lines(one)) for one in told.tables] if told else []
    numbers = {
        "since": since.isoformat(),
        "through": board.latest.isoformat() if board.latest else None,
        "silent": [line.name for line in board.late],
        "now": asdict(board.total.counts) if board.total.counts else None,
        "then": _then(ids, since, board),
        "work": asdict(board.total.work),
        "steps": _steps(schools),
        "causes": [[bar.code, bar.students] for bar in told.causes] if told else [],
        "groups": tables,
        "groups_day": told.asked.isoformat() if told else None,
    }
    return Material(numbers, tuple(lines or _places(place, board, schools, since)))


def _then(ids: Sequence[int], since: date, board: Board) -> Numbers | None:
    found = counts.counts_on(ids, [since], school_year_start(board.latest or since))
    total = sum(found.values(), start=Counts())
    return asdict(total) if found else None


def _steps(schools: Sequence[School]) -> Numbers:
    """Follow-through of the usual weeks."""
    told = following_through.of(schools, following_through.since_of(following_through.USUAL))
    funnel, waited = told.total.funnel, told.total.waited
    return {
        "since": told.since.isoformat(),
        "reached": [[LABELS[step], funnel.reached(step)] for step in Step],
        "in_time": funnel.in_time,
        "asked": funnel.asked,
        "late": funnel.in_state(State.LATE),
        "unowned": funnel.unowned,
        "over": told.total.over,
        "median": waited.median if waited else None,
    }


# -- lines to walk past --------------------------------------------------------------------------------------


def _places(place: Place, board: Board, schools: Sequence[School], since: date) -> list[Entry]:
    """The school itself, schools of a network, or networks of the district, in the order of the board."""
    found = counts.counts_on([one.id for one in schools], [since], school_year_start(board.latest or since))
    before = {one.key: found[one.id, since] for one in schools if (one.id, since) in found}
    if place.kind is not PlaceKind.DISTRICT:
        return [_entry(f"school:{line.key}", line, before.get(line.key)) for line in board.lines]
    of_network: dict[str, Counts] = defaultdict(Counts)
    for one in schools:
        of_network[one.network.key] += before.get(one.key, Counts())
    return [
        _entry(f"network:{line.key}", line, of_network[line.key] if before else None)
        for line in boards.by_network(board, schools)
    ]


def _entry(subject: str, line: Line, then: Counts | None) -> Entry:
    kept = {
        "now": asdict(line.counts) if line.counts else None,
        "then": asdict(then) if then else None,
        "work": asdict(line.work),
        "needs": boards.needs(line) if line.schools == 1 else [],
        "in_need": line.in_need,
        "schools": line.schools,
        "through": line.day.isoformat() if line.day else None,
    }
    return Entry(subject, line.name, kept)


def _grades(school: int, day: date) -> list[Entry]:
    """A school's grades: counted, for whoever may open its students, and as they are told to readers of counts."""
    found = sorted(counts.by_grade(school, day), key=lambda one: grade_order(one.grade))
    told = groups.by_grade(school, day)
    lines = {name: (students, needing) for name, students, needing in _lines(told)} if told else {}
    if len(found) < 2:
        return []
    return [
        Entry(
            f"grade:{name}", f"Grade {name}",
            {"exact": [one.counts.students, one.counts.needing], "told": lines.get(name)},
        )
        for one in found for name in [one.grade or "Not given"]
    ]  # fmt: skip


def _lines(told: Told) -> Lines:
    """A table of groups without the tiers in which nobody needs more than everybody is given."""
    at = told.columns.index(NEEDING) if NEEDING in told.columns else None
    return [
        (name, told.words(total), "none" if at is None else told.words(row[at]))
        for name, row, total in zip(told.names, told.rows, told.totals, strict=True)
    ]
