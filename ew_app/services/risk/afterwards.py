"""A year with a model at work, looked back on when it is over: what it told on some evenings, and what came.

Who was helped is told apart from who was not, as far as it was logged here after the evening. It tells nothing about
the work of one person and is never counted by staff.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from ew_app.kernel import Actor, NotFound, Refused, today
from ew_app.services.risk import calendar, purpose, year_ends
from ew_app.services.risk.calendar import SchoolYear
from models.queries import risk as rows
from models.queries import risk_told, risk_years, same_child
from models.risk import RiskModel
from rules import access
from rules.access import Permission
from rules.risk import afterwards
from rules.risk.cohort import has_label, is_chronic
from rules.risk.gates import TARGETS
from rules.stints import school_year_start

HOW_TO_READ = (
    "What it told is what it expected on that evening; what came is how the year ended. Where staff were in touch with"
    " families fewer students may have become chronically absent, and who was reached had often missed more: neither"
    " column tells what a contact does. Never a measure of anybody's work."
)


def year(number: int, *, by: Actor) -> dict[str, Any]:
    """What came of what models told in the school year that began in `number`; groups for those who audit models.

    Raises NotAllowed, NotFound, Refused.
    """
    access.check(by.grants, Permission.SEE_RISK_MODEL)
    start = date(number, 7, 1)
    if start >= school_year_start(today()):
        raise Refused(f"The school year {_name(start)} is not over, so nobody knows yet what comes. Ask after 30 June.")
    models = risk_told.models_that_told(start)
    if not models:
        raise NotFound(f"No model told anything of students in {_name(start)}, or it was deleted a year later.")
    if not risk_years.is_read(start):
        raise NotFound(f"How {_name(start)} ended has not been read yet. The next training reads it: `ew risk train`.")
    whole, audits = calendar.year_of(start), access.can(by.grants, Permission.AUDIT_RISK)
    return {
        "school_year": _name(start), "stamp": purpose.stamp(by), "how_to_read": HOW_TO_READ,
        "models": [_model(model, whole, audits) for model in models],
    }  # fmt: skip


def _name(start: date) -> str:
    return SchoolYear(start, ()).name


def _model(model: RiskModel, whole: SchoolYear, audits: bool) -> dict[str, Any]:
    evenings = [(nth, whole.days[nth - 1]) for nth in TARGETS if nth <= len(whole.days)]
    found = [_evening(model, whole, nth, day, audits) for nth, day in evenings]
    return {"model": model.id, "answers": rows.answers_to(model.id), "evenings": [one for one in found if one]}


def _evening(model: RiskModel, whole: SchoolYear, nth: int, day: date, audits: bool) -> dict[str, Any]:
    """One evening; empty where nothing was told on it."""
    told = risk_told.on(model.id, day)
    absent, enrolled = year_ends.labels(told["student"], whole.start)
    known = np.flatnonzero(has_label(enrolled))
    if not len(known):
        return {}
    students, ranges = told["student"][known].astype(np.int64), told["range"][known]
    chronic, listed = is_chronic(absent[known], enrolled[known]), told["listed"][known].astype(bool)
    reached = np.isin(students, same_child.known().own(risk_years.in_touch(day, whole.until)))
    groups = risk_years.groups_of(students) if audits else {}
    return {
        "school_day": nth, "day": day,
        "ranges": afterwards.by_range(ranges, chronic, reached),
        "groups": afterwards.by_group(groups, ranges, listed, chronic),
    }  # fmt: skip
