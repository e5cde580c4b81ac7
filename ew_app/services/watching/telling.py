"""The month's tables of parts, told at night before anybody asks: of schools, then their network, then the district.

A network is one piece of work, which goes on as another one when it takes long; the district follows when none of
them waits. Whoever asks for what is still to be told of many schools reads that it is being counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ew_app import outbox
from ew_app.alone import all_told, alone
from ew_app.kernel import clock, operation, today
from ew_app.outbox import Job, enqueue
from ew_app.services.watching import groups, kept
from ew_app.services.watching.pages import RESTRICTED
from models.org import School
from models.queries import boards
from models.queries import groups as rows
from rules.access import Area
from rules.counting import many
from rules.stints import school_year_start

SLICE: Final = timedelta(seconds=45)
AGAIN: Final = timedelta(seconds=30)
AT_ONCE: Final = 20  # tables of so many schools are told while somebody waits
LAST: Final = "cause"  # what is told last of a place, and of every one
WHOLE: Final = "district"
NOT_YET: Final = "The tables of this month are being counted: {told} of {schools} so far. Ask again in a few minutes."


@operation
def ask_for_all(day: date | None = None) -> int:
    """Ask for what is not told yet of the month up to a day; asked twice is once. Returns in how many pieces."""
    on = day or today()
    every = boards.schools_in(Area(district=True))
    networks: dict[str, list[int]] = {}
    for one in every:
        networks.setdefault(one.network.key, []).append(one.id)
    places = {(network, one): [one] for network, inside in networks.items() for one in inside}
    places |= {(network, 0): inside for network, inside in networks.items()} | {("", 0): [one.id for one in every]}
    open_, waiting = set(_untold(list(places.values()), on)), outbox.waiting(Job.TELL_PARTS)
    pieces = dict.fromkeys(network for (network, _), inside in places.items() if frozenset(inside) in open_)
    for network in pieces:
        if _key(network) not in waiting:
            enqueue(Job.TELL_PARTS, network, on.isoformat(), key=_key(network))
    return len(pieces)


def _key(network: str) -> str:
    return f"network {network}" if network else WHOLE


def tell(network: str, until: str, after: int = 0) -> None:
    """Tell every table of a network's schools, from the one after a number on, and then its own; of the district where
    `network` is empty. What is told stays as it is; a slice of it, what is left is asked again."""
    day = date.fromisoformat(until)
    if not network:
        _whole(day)
        return
    inside = boards.schools_in(Area(networks=frozenset({network})))
    end = clock() + SLICE
    with all_told():
        for one in sorted((one for one in inside if one.id > after), key=lambda one: one.id):
            with alone(f"tables of school {one.key}"):
                _all_of([one], day)
            if clock() >= end:
                _go_on(network, until, one.id)
                return
        with alone(f"tables of network {network}"):
            _all_of(inside, day)


def _whole(day: date) -> None:
    """The district's own, when those of no network wait."""
    if outbox.waiting(Job.TELL_PARTS) - {WHOLE}:
        _later(day)
    else:
        _all_of(boards.schools_in(Area(district=True)), day)


def _all_of(schools: Sequence[School], day: date) -> None:
    """Every table of a place; a school's grades as its board tells them."""
    last = boards.newest_counted([one.id for one in schools], day)
    if last is None or last < school_year_start(day):
        return
    if len(schools) == 1:
        groups.by_grade(schools[0].id, last)
    groups.groups(schools, day, compartments=[one.value for one in RESTRICTED])


@operation
def _go_on(network: str, until: str, after: int) -> None:
    enqueue(Job.TELL_PARTS, network, until, after, key=_key(network))


@operation
def _later(day: date) -> None:
    enqueue(Job.TELL_PARTS, "", day.isoformat(), key=WHOLE, later=AGAIN)


def _untold(places: Sequence[Sequence[int]], day: date) -> list[frozenset[int]]:
    """Of these places those that were counted in this school year and not told since their last counted month began."""
    every = sorted({one for place in places for one in place})
    start = school_year_start(day)
    last = {school: on for school, on in boards.last_counted(every, day).items() if on >= start}
    ends = {frozenset(place): max((last[one] for one in place if one in last), default=None) for place in places}
    marks = {place: kept.fingerprint(place) for place, end in ends.items() if end}
    told = rows.told_last(list(marks.values()), LAST, start, day)
    return [
        place for place, mark in marks.items() if (end := ends[place]) and told.get(mark, date.min) < end.replace(day=1)
    ]


def too_long(places: Sequence[Sequence[int]], until: date | None = None) -> str:
    """What is said to somebody who would wait for tables of so many schools: then they are asked for; else nothing."""
    day, every = until or today(), {one for place in places for one in place}
    if len(every) <= AT_ONCE or sum(map(len, _untold(places, day))) <= AT_ONCE:
        return ""
    ask_for_all(day)
    missing = _untold([[one] for one in every], day)
    return NOT_YET.format(told=len(every) - len(missing), schools=many(len(every), "school"))
