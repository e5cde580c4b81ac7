"""How the class periods of a source add up: what the last of its deliveries said holds for all its rows."""

from __future__ import annotations

from typing import Final

from ew_app.feeds import OURS
from ew_app.services.measuring.touched import touch_each_school
from ew_app.services.rosters.codes import unexplained
from models.attendance import Batch
from models.queries import periods

UNCLEAR: Final = (
    "{} told by missed class periods alone, and nobody has said what part of the day they are. Until somebody does, "
    "such a day counts neither as absent nor as present: send the timetable (schedule.csv) with the roster, or say how "
    "long a period is (in the browser on the check page, on the command line --periods 50, or --periods rows where "
    "every period of the day has a row)."
)

UNHEARD: Final = (
    "Nothing of this file went in, so what was said with it of class periods is not kept. Say it with the next one."
)


def found_in(batch: Batch) -> tuple[dict[str, int], list[str]]:
    """What a staged delivery has of class periods, as counts, and sentences for people.

    class_rows; most_classes of one student and day; unclear_days: how many are told by missed periods alone that nobody
    can add up.
    """
    rows, most = periods.staged(batch.id)
    counts = {"class_rows": rows, "most_classes": most, "unclear_days": 0}
    if not rows or batch.feed == "full" or batch.options.get("periods"):
        return counts, []
    if batch.source_id in periods.said_of_periods():
        return counts, []
    days = counts["unclear_days"] = periods.unclear_days(batch.id, _brought(batch.options.get("format", OURS)))
    return counts, [unclear(days)] if days else []


def _brought(format_name: str) -> list[dict[str, str | int]]:
    """What a format says of codes of which nobody has said anything yet."""
    return [{"code": one.code, "kind": one.kind, "absent_fraction": one.fraction} for one in unexplained(format_name)]


def unclear(days: int) -> str:
    """The sentence on so many days that nobody can add up."""
    whose = "One student's day is" if days == 1 else f"{days:,} students' days are"
    return UNCLEAR.format(whose)


def answered(batch: Batch) -> None:
    """What was not clear of a delivery is, now that somebody has said how its periods add up."""
    counts = dict(batch.counts)
    asked = unclear(counts.get("unclear_days", 0))
    batch.counts = counts | {"unclear_days": 0, "notes": [note for note in counts.get("notes", []) if note != asked]}


def hear(batch: Batch) -> None:
    """The answer that a delivery gives which has just come in, in the open transaction; or that it is not heard."""
    touch_who_is_told_otherwise(batch)
    if batch.options.get("periods") and not periods.went_in(batch.id):
        batch.counts = batch.counts | {"notes": [*batch.counts.get("notes", []), UNHEARD]}


def touch_who_is_told_otherwise(batch: Batch) -> None:
    """Mark everyone with periods from the source, where the delivery says other than the last one before it said.

    Asked when it has come in and when it was taken back, in the open transaction.
    """
    said, other = batch.options.get("periods"), periods.answers(besides=batch.id).get(batch.source_id)
    if said and (other is None or said != other.said):
        touch_each_school(periods.first_periods(batch.source_id))
