"""How many students of each school stood in each tier at the end of each day, kept in step with where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import text

from ew_app.kernel import operation
from ew_app.services.measuring.frames import Frame, frame
from models import tier_counts
from models.base import db
from models.bulk import ints
from models.queries import lookups

COUNT_LOCK = 7308
SCHOOLS_AT_ONCE = 100


def count(marked: Mapping[int, date], moved: Mapping[int, date], at: Frame) -> None:
    """Count the tiers of the schools that were marked or moved, in the open transaction; school -> first day.

    Who comes later sees what the earlier one stored, and counts again where that school moved once more.
    """
    through = _locked(marked.keys() | moved.keys(), at)
    tier_counts.drop_counts(moved)
    tier_counts.fill_counts(_earliest(marked, moved), through, at.start)


def count_everything() -> int:
    """Hold the counts of every day of the year against where everybody stands, and mend those that differ; returns of
    how many schools they did."""
    schools = lookups.all_schools()
    parts = range(0, len(schools), SCHOOLS_AT_ONCE)
    return sum(_mend(schools[first : first + SCHOOLS_AT_ONCE]) for first in parts)


@operation
def _mend(schools: list[int]) -> int:
    at = frame()
    through = _locked(schools, at)
    wrong = tier_counts.miscounted(through, at.start)
    tier_counts.drop_counts(wrong)
    tier_counts.fill_counts(wrong, through, at.start)
    return len(wrong)


def _locked(schools: Iterable[int], at: Frame) -> dict[int, date | None]:
    """Nobody else counts these schools until the transaction ends; each with its data-through day."""
    lock = text("SELECT count(pg_advisory_xact_lock(:space, s)) FROM (SELECT unnest(:schools) AS s ORDER BY 1) o")
    ordered = sorted(schools)
    db.session.execute(lock, {"space": COUNT_LOCK, "schools": ints(ordered)})
    return {school: at.data_through(school) for school in ordered}


def _earliest(one: Mapping[int, date], other: Mapping[int, date]) -> dict[int, date]:
    """The earlier of two days of each school, or the one there is."""
    return {key: min(days[key] for days in (one, other) if key in days) for key in one.keys() | other.keys()}
