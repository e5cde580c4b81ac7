"""Sources set up, changed, paused: where files are fetched from, when, and by when they are expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ew_app.feeds import OURS, ROWS, known_formats, unfit_periods
from ew_app.kernel import Actor, NotFound, Refused, now, operation, record
from ew_app.services.measuring.touched import ask_for_evaluation, touch_each_school
from ew_app.services.sources.fetching import Kind, fetcher, kinds
from models.base import db
from models.org import BRINGS, EXPECTED_DAYS, FEEDS, Source
from models.queries import pulls as rows
from models.queries.periods import first_periods
from rules import access
from rules.access import Permission, Place
from rules.timetable import Timetable, UnfitTimetable, clock_time

LONGEST_NAME: Final = 60
SAID: Final = {"dates": ("mdy", "dmy"), "exit": ("inclusive", "exclusive")}
SAID_FREELY: Final = ("ids", "periods")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source as somebody wants it: texts as they were typed. `location` by the names of its fetcher's fields.

    said: format, dates, ids, periods, exit; what is empty is found out from the files. expected_by: empty for none.
    """

    kind: str
    brings: str = "attendance"
    feed: str = "exception"
    location: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    timetable: Mapping[str, Any] = field(default_factory=dict)
    expected_by: str = ""
    expected_day: str = "same"


@operation
def add(name: str, wanted: Wanted, *, by: Actor) -> int:
    """Set up a source, or say how an existing one whose files came by hand is fetched. Raises Refused, NotAllowed."""
    _check(by)
    name = _named(name)
    source = rows.source(name)
    if source is not None and source.kind != Kind.BY_HAND:
        raise Refused(f"There is a source {name} already. Choose another name, or change that one.")
    source = source or Source(name=name)
    db.session.add(source)
    _apply(source, wanted)
    db.session.flush()
    record("source_added", by=by, subject=f"source:{name}", fetched=wanted.kind)
    return source.id


@operation
def change(name: str, wanted: Wanted, *, by: Actor) -> None:
    """Change a source. Files that were refused are looked at again. Raises Refused, NotFound, NotAllowed."""
    source = _found(name, by)
    _apply(source, wanted)
    record("source_changed", by=by, subject=f"source:{name}", fetched=wanted.kind)


@operation
def pause(name: str, *, by: Actor) -> None:
    """Look no more by the timetable, and expect nothing. Raises NotFound, NotAllowed."""
    source = _found(name, by)
    if not source.paused:
        source.paused = True
        record("source_paused", by=by, subject=f"source:{name}")


@operation
def resume(name: str, *, by: Actor) -> None:
    """Go on with the timetable; times that passed in between are not made up. Raises NotFound, NotAllowed."""
    source = _found(name, by)
    if source.paused:
        source.paused, source.changed_at = False, now()
        record("source_resumed", by=by, subject=f"source:{name}")


def wanted_of(source: Source) -> Wanted:
    """The source as it stands, in the words of a form."""
    return Wanted(
        source.kind,
        source.brings,
        source.feed,
        source.location,
        source.said,
        source.timetable,
        f"{source.expected_by:%H:%M}" if source.expected_by else "",
        source.expected_day,
    )


def _apply(source: Source, wanted: Wanted) -> None:
    if wanted.kind not in kinds():
        raise Refused(f"There is no way of fetching called {wanted.kind}. There are: {', '.join(kinds())}.")
    if wanted.brings not in BRINGS or wanted.feed not in FEEDS or wanted.expected_day not in EXPECTED_DAYS:
        raise Refused("Choose one of the ways that are offered. Nothing was kept.")
    source.kind, source.brings, source.feed = wanted.kind, wanted.brings, wanted.feed
    source.location = fetcher(wanted.kind).checked(wanted.location)
    before, source.said = source.said or {}, _said(wanted.said)
    if source.id and before.get("periods") != source.said.get("periods"):
        touch_each_school(first_periods(source.id))
        ask_for_evaluation()
    if source.said.get("exit"):
        source.exit_inclusive = source.said["exit"] == "inclusive"
    try:
        source.timetable = Timetable.of(wanted.timetable).stored()
        source.expected_by = clock_time(wanted.expected_by) if wanted.expected_by.strip() else None
    except UnfitTimetable as unfit:
        raise Refused(f"{unfit} Nothing was kept.") from unfit
    source.expected_day, source.changed_at = wanted.expected_day, now()
    source.not_cleared, source.not_cleared_since = "", None  # found out anew after the next look


def _said(given: Mapping[str, str]) -> dict[str, str]:
    """What was said of the files, without what was left open. Raises Refused."""
    said = {name: text for name, given_text in given.items() if (text := str(given_text or "").strip())}
    if unknown := set(said) - {"format", *SAID, *SAID_FREELY}:
        raise Refused(f"Nobody knows what {', '.join(sorted(unknown))} means. Nothing was kept.")
    if said.get("format", OURS) not in known_formats():
        raise Refused(f"There is no format {said['format']}. There are: {', '.join(known_formats())}.")
    if unfit := unfit_periods(said.get("periods", ROWS)):
        raise Refused(f"{unfit} Nothing was kept.")
    for name, may_be in SAID.items():
        if said.get(name, may_be[0]) not in may_be:
            raise Refused(f"{name} is {' or '.join(may_be)}, not {said[name]}.")
    return said


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        raise Refused(f"Give the source a name of at most {LONGEST_NAME} characters, without a slash.")
    return name


def _found(name: str, by: Actor) -> Source:
    _check(by)
    source = rows.source(name)
    if source is None:
        raise NotFound(f"There is no source {name}.")
    db.session.refresh(source, with_for_update={"key_share": True})
    return source


def _check(by: Actor) -> None:
    access.check(by.grants, Permission.KEEP_SOURCES, Place.district())
