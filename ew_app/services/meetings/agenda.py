"""The agenda of a school's team, built from the data of the day: numbers, students to decide about, what many share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import today
from models.meetings import Meeting
from models.org import School
from models.queries import boards as counts
from models.queries import meetings as rows
from models.queries.meetings import Candidate
from models.tiers import StudentStatus
from rules.meetings import EVERY_DAYS, LONG, SMALLEST_COUNT, TRIES, Why, rank
from rules.stints import school_year_start

Numbers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A student on the agenda, by the case: why, and how they stand today."""

    case_id: int
    why: tuple[Why, ...]
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a meeting of today looks at. since: the day of the last one, or two weeks ago."""

    since: date
    entries: tuple[Entry, ...]
    numbers: Numbers


def of_today(school: School) -> Agenda:
    """The agenda as it would be now; it is kept when the meeting begins."""
    on, last = today(), rows.last_before(school.id, today())
    since = last.day if last else on - timedelta(days=EVERY_DAYS)
    found = rows.candidates(school.id, since, on, tries=TRIES, last=last.id if last else None)
    entries = sorted((_entry(one) for one in found), key=lambda one: (rank(one.why), -one.numbers["tier"], one.case_id))
    return Agenda(since, tuple(entries[:LONG]), _numbers(school, since, on, last, len(entries)))


def _entry(one: Candidate) -> Entry:
    said = {
        Why.UNTRIED: one.untried, Why.NEW_TIER_3: one.new_tier_3, Why.NO_ANSWER: one.no_answer,
        Why.RETURNED: one.returned, Why.CARRIED: one.carried, Why.REVIEW: one.review,
    }  # fmt: skip
    return Entry(one.case_id, tuple(why for why, holds in said.items() if holds), standing_numbers(one))


def standing_numbers(one: Candidate | StudentStatus, *, tier: int | None = None) -> Numbers:
    """How a student stands, as it is kept with the minutes. Days in mils."""
    names = ("absent", "enrolled", "absent_last_20", "enrolled_last_20", "tries")
    kept: Numbers = {name: getattr(one, name, None) for name in names}
    reached = getattr(one, "last_contact", None)
    return kept | {"tier": tier if tier is not None else one.tier, "reached": reached.isoformat() if reached else None}


def _numbers(school: School, since: date, on: date, last: Meeting | None, students: int) -> Numbers:
    """How the school stands and what moved since; counts, and cases by their ids alone."""
    through = counts.last_counted([school.id], on).get(school.id)
    start = school_year_start(through or on)
    asked = [since, through] if through and through > since else [through] if through else []
    found = counts.counts_on([school.id], asked, start)
    now, then = (found.get((school.id, day)) if day else None for day in (through, since))
    agreed = rows.actions(school.id, on, since)
    return {
        "since": since.isoformat(),
        "through": through.isoformat() if through else None,
        "now": asdict(now) if now else None,
        "then": asdict(then) if then else None,
        "actions": _actions(agreed, on),
        "causes": rows.shared_causes(school.id, SMALLEST_COUNT),
        "improved": rows.improved(school.id, since),
        "last_held": last.day.isoformat() if last else None,
        "students": students,
    }


def _actions(agreed: Sequence[Any], on: date) -> Numbers:
    """How many of the agreed actions are done, on time, or late."""
    open_ones = [task for task, *_ in agreed if task.status == "open"]
    late = sum(task.due is not None and task.due < on for task in open_ones)
    return {"done": len(agreed) - len(open_ones), "open": len(open_ones) - late, "late": late}
