"""What a review looks at, as it stands when it begins: counts, what moved, follow-through, causes, groups; no name.

Groups are told in tens and bands, and once a month for each place: two tables a fortnight apart, beside totals that are
exact every day, could be set against each other, and the difference would be one child.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import today
from ew_app.services.watching import boards, following_through
from ew_app.services.watching.boards import Board, Line
from models.org import School
from models.queries import boards as counts
from models.queries import reviews as rows
from models.queries.boards import Counts
from rules.access import Place, PlaceKind
from rules.follow_through import LABELS, State, Step
from rules.grades import GRADES
from rules.reviews import SMALLEST_COUNT
from rules.stints import school_year_start
from rules.suppression import share_of_tens, suppress, tens, tens_words

TWO_WEEKS = timedelta(days=14)
Numbers = dict[str, Any]
Groups = Sequence[Any]  # [(label, [(value, students in tens, share in Tier 2 or 3)])]
GROUPS = {
    "grade": "Grade",
    "english_learner": "English learner",
    "home_language": "Home language",
    "race_ethnicity": "Race and ethnicity",
    "low_income": "Low income",
}


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


def of(place: Place, schools: Sequence[School], last: date | None, told: Numbers | None = None) -> Material:
    """How a place stands now, and what moved since its last review or for two weeks; who needs help first is first.

    told: the numbers of a review of this month, whose groups are told again.
    """
    on = today()
    since, ids = last or on - TWO_WEEKS, [one.id for one in schools]
    board = boards.board(schools, on)
    groups = told["groups"] if told else _groups(rows.by_group(ids, board.latest)) if board.latest else []
    groups_day = told["groups_day"] if told else board.latest.isoformat() if board.latest else None
    entries = _grades(groups) if place.kind is PlaceKind.SCHOOL else _places(place, board, schools, since)
    numbers = {
        "since": since.isoformat(),
        "through": board.latest.isoformat() if board.latest else None,
        "silent": [line.name for line in board.late],
        "now": asdict(board.total.counts) if board.total.counts else None,
        "then": _then(ids, since, board),
        "work": asdict(board.total.work),
        "steps": _steps(schools),
        "causes": [[code, tens(count)] for code, count in rows.shared_causes(ids, SMALLEST_COUNT)],
        "groups": groups,
        "groups_day": groups_day,
    }
    return Material(numbers, tuple(entries))


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
    """Schools of a network, or networks of the district, in the order of the board."""
    found = counts.counts_on([one.id for one in schools], [since], school_year_start(board.latest or since))
    before = {one.key: found[one.id, since] for one in schools if (one.id, since) in found}
    if place.kind is PlaceKind.NETWORK:
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


def _grades(groups: Groups) -> list[Entry]:
    told: Sequence[Any] = next((lines for label, lines in groups if label == GROUPS["grade"]), [])
    return [
        Entry(f"grade:{value}", f"Grade {value}" if value else "No grade given", {"students": students, "share": share})
        for value, students, share in told
    ]


def _groups(found: Sequence[tuple[str, str, int, int]]) -> Groups:
    """[(label, [(value, students in tens, share in Tier 2 or 3)])]; what is small is kept back with what tells of it.

    A group of which the roster says nothing of anybody is left out.
    """
    told: list[tuple[str, list[tuple[str, str, str]]]] = []
    for kind, label in GROUPS.items():
        here = sorted((one for one in found if one[0] == kind), key=_in_order)
        if all(value == "" for _, value, _, _ in here):
            continue
        shown = suppress([(rest, needing) for _, _, rest, needing in here])
        lines = [
            (value, tens_words(total), share_of_tens(needing, rest, (counted[1], counted[0])))
            for (_, value, rest, needing), counted, total in zip(here, shown.rows, shown.totals, strict=True)
        ]
        told.append((label, lines))
    return told


def _in_order(group: tuple[str, str, int, int]) -> tuple[int, str]:
    """Grades as they follow each other; anything else by its name."""
    value = group[1]
    return (GRADES.index(value) if value in GRADES else len(GRADES), value)
