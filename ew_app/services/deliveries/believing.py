"""The figures by which a staged delivery is believed or held: its own, and what is usual for its source."""

from __future__ import annotations

from statistics import median
from typing import Any

from ew_app.kernel import Refused
from ew_app.services.deliveries.arriving import tells_events
from models.attendance import Batch
from models.queries import deliveries
from rules.feed_checks import Figures, Limits, NewDay


def limits_of(batch: Batch) -> Limits:
    """The limits for this delivery: the usual ones, changed by its options."""
    try:
        return Limits().changed_by(batch.options.get("limits", {}))
    except ValueError as error:
        raise Refused(str(error)) from error


def figures_of(batch: Batch, limits: Limits) -> tuple[int, Figures]:
    """(how many school-days are new, the figures) of a staged batch."""
    new = deliveries.new_school_days(batch.id)
    full = batch.feed == "full"
    made_full, thin = deliveries.thin_schools(batch.id, limits.least_rows) if full else (0, 0)
    stored, removed = deliveries.claimed_rows(batch.id, batch.source_id)
    figures = Figures(
        rows=batch.counts["rows_in"],
        rejected=batch.counts.get("rejected", 0),
        off_calendar=batch.counts.get("off_calendar", 0),
        repeated=0 if tells_events(batch) else batch.counts.get("duplicate", 0),
        first=not deliveries.accepted_before(batch.id, batch.source_id),
        schools=batch.counts.get("schools", 0),
        usual_schools=_usual_schools(batch, limits),
        new_schools=new.schools,
        claims_days=deliveries.claims_days(batch.id),
        made_full=made_full,
        thin_schools=thin,
        new_days=[] if full else _new_days(batch, limits),
        stored=stored,
        removed=removed,
    )
    return new.days, figures


def _usual_schools(batch: Batch, limits: Limits) -> list[int]:
    """Of somebody who may send some schools alone, no more than these are expected."""
    usual = deliveries.usual_schools(batch.id, batch.source_id, limits.looks_back)
    theirs = batch.options.get("schools")
    return usual if theirs is None else [min(number, len(theirs)) for number in usual]


def _new_days(batch: Batch, limits: Limits) -> list[NewDay]:
    """Each new day with the last submitted days of the same schools."""
    usual: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    found = []
    for row in deliveries.new_days(batch.id):
        schools = tuple(sorted(row.schools))
        if schools not in usual:
            known = deliveries.usual_absences(schools, limits.looks_back)
            usual[schools] = [(absences, due) for _, absences, due in known]
        found.append(NewDay(row.day, int(row.absences), int(row.expected), usual[schools]))
    return found


def compared(figures: Figures) -> dict[str, Any]:
    """Beside what is usual, for people: {schools: [here, usual], days: [[day, absences, due, usual absences]]}.

    The usual is a median, as a share of those due; None where nothing is known yet.
    """
    schools = round(median(figures.usual_schools)) if figures.usual_schools else None
    return {
        "schools": [figures.schools, schools],
        "days": [[day.day.isoformat(), day.absences, day.due, _usual_absences(day)] for day in figures.new_days],
    }


def _usual_absences(day: NewDay) -> int | None:
    shares = [absences / due for absences, due in day.usual if due]
    return round(median(shares) * day.due) if shares else None
