"""What states count as absence of a kind that asks a school for something: dated data, off unless a district names it.

A measure counts and says since when its line is reached. It opens nothing and moves no tier: what a school owes a
family then is people's work, and the policy's rules decide about support.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rules import windows
from rules.matrix import Matrix
from rules.policy_file import (
    Dated,
    Entry,
    PolicyError,
    count,
    dated,
    list_of,
    mils,
    needed,
    one_of,
    rate,
    read,
    read_keys,
    text,
)  # fmt: skip
from rules.scopes import Scope, read_scope
from rules.windows import COUNTED, STATES, Bools, Counted, Ints, Span, Unit, Window

SHIPPED = Path(__file__).parent / "policies" / "statutes"
Reader = Callable[[Entry], Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of one state's law. A bound is in the unit's own measure, exact; None asks nothing."""

    key: str
    state: str
    label: str
    unit: Unit
    window: Window
    counts: tuple[str, ...]
    effective_from: dt.date
    source: str
    verified_on: dt.date
    verified_against: str
    effective_to: dt.date | None = None
    at_least: Dated[Fraction] | None = None
    more_than: Dated[Fraction] | None = None
    below: Dated[Fraction] | None = None
    least_days: int = 0  # thousandths of attendance days in the window before it is judged
    least_attended: int = 0  # thousandths of days attended among them; only where every reason counts
    longer_than: int = 0  # minutes that make an occasion
    scope: Scope | None = None
    url: str = ""  # where the text can be read
    unverified: str = ""  # what of this nobody has confirmed yet
    note: str = ""  # what this count does not know of

    def in_force(self, day: dt.date) -> bool:
        """Whether the law stood on the day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def bounds(self, day: dt.date) -> dict[str, Fraction]:
        """The bounds of the day, by name."""
        given = {name: getattr(self, name) for name in ("at_least", "more_than", "below")}
        return {name: bound.on(day) for name, bound in given.items() if bound is not None}


def states() -> tuple[str, ...]:
    """The states that are shipped."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


@cache
def of_state(state: str) -> tuple[Measure, ...]:
    """The measures of a shipped state; LookupError for any other."""
    if state not in states():
        raise LookupError(f"There are no measures of {state}. Shipped: {', '.join(states())}.")
    return load(SHIPPED / f"{state}.yaml")


def load(path: Path) -> tuple[Measure, ...]:
    """The measures in a file; PolicyError names file, line, key and what is allowed."""
    root = read(path)
    top = read_keys(root, {"state": text, "label": text, "measures": Entry.mapping}, ("state", "label", "measures"))
    return tuple(_measure(key, entry, top["state"]) for key, entry in top["measures"].items())


def _measure(key: str, entry: Entry, state: str) -> Measure:
    unit = Unit(one_of(Unit)(needed(entry, "unit")))
    bound = dated(rate if unit is Unit.SHARE else _amount)
    readers: dict[str, Reader] = {
        "label": text, "unit": one_of(Unit), "window": _window, "counts": list_of(one_of(STATES)), "at_least": bound,
        "more_than": bound, "below": bound, "least_days": mils, "least_attended_days": mils,
        "longer_than_minutes": count, "scope": read_scope, "effective_from": _day, "effective_to": _day,
        "source": text, "verified_on": _day, "verified_against": text, "url": text, "unverified": text, "note": text,
    }  # fmt: skip
    always = ("label", "unit", "window", "counts", "effective_from", "source", "verified_on", "verified_against")
    said = read_keys(entry, readers, always)
    if not {"at_least", "more_than"} & said.keys():
        raise entry.wrong("a bound is needed: at_least (inclusive) or more_than")
    if said.get("effective_to") and said["effective_to"] < said["effective_from"]:
        raise entry.wrong("effective_to comes before effective_from")
    if "least_attended_days" in said and (unit is not Unit.SHARE or set(said["counts"]) != set(STATES)):
        raise entry.wrong("least_attended_days stands only beside unit: share where every reason counts")
    named = {_FIELDS.get(name, name): value for name, value in said.items()}
    return Measure(key=key, state=state, **named | {"unit": unit})


_FIELDS = {"least_attended_days": "least_attended", "longer_than_minutes": "longer_than"}


def found(
    measure: Measure, matrix: Matrix, minutes: Ints | None, inside: Bools | None, taught: Bools | None = None
) -> tuple[Counted, Bools]:
    """What was counted, and [S, D] whether the line is reached, on days on which the law stands and by whom it asks.

    `inside` [S, D]: whom the scope of the measure takes in; None: everybody. `taught` [S, D]: as `windows.count` has.
    """
    counted = windows.count(matrix, measure.unit, measure.window, measure.counts, minutes, measure.longer_than, taught)
    met = np.zeros(matrix.cells.shape, dtype=bool)
    days: list[dt.date] = matrix.days.tolist()
    for first, end in _stages(measure, days):
        part = Counted(counted.amount[:, first:end], counted.days[:, first:end])
        bounds = measure.bounds(days[first])
        met[:, first:end] = windows.met(part, measure.unit, least_days=measure.least_days, **bounds)
    met &= np.array([measure.in_force(day) for day in days], dtype=bool)[None, :]
    if measure.least_attended:
        met &= counted.days - counted.amount >= measure.least_attended
    met[:, : matrix.first] = False
    return counted, met if inside is None else met & inside


def _stages(measure: Measure, days: Sequence[dt.date]) -> Iterator[tuple[int, int]]:
    """Runs of columns with the same bounds."""
    starts = {0}
    for bound in (measure.at_least, measure.more_than, measure.below):
        given = [start for start, _ in bound.values[1:]] if bound else []
        starts |= {int(np.searchsorted(np.array(days, dtype="datetime64[D]"), np.datetime64(day))) for day in given}
    edges = [*sorted(start for start in starts if start < len(days)), len(days)]
    yield from zip(edges, edges[1:], strict=False)


def _window(entry: Entry) -> Window:
    """`school_year`, or {calendar_days: 90}; {attendance_days: 180, reaches_back: true} looks into last year."""
    alone = [span.value for span in Span if span not in COUNTED]
    if not isinstance(entry.value, dict):
        return Window(Span(one_of(alone)(entry)))
    said = dict(entry.value)
    back = said.pop("reaches_back", None)
    if back is not None and not isinstance(back.value, bool):
        raise back.wrong("expected true or false")
    if len(said) != 1 or next(iter(said)) not in list(COUNTED):
        raise entry.wrong(f"expected one of {', '.join(COUNTED)} with a number, or {', '.join(alone)} alone")
    (name, length), *_ = said.items()
    if count(length) == 0:
        raise length.wrong("a window is at least one long")
    return Window(Span(name), length.value, back is not None and back.value)


def _amount(entry: Entry) -> Fraction:
    """A number of days or hours, with at most three places."""
    return Fraction(mils(entry), 1000)


def _day(entry: Entry) -> dt.date:
    if type(entry.value) is not dt.date:
        raise entry.wrong("expected a date such as 2025-09-30")
    day: dt.date = entry.value
    return day


__all__ = ["SHIPPED", "Measure", "PolicyError", "found", "load", "of_state", "states"]
