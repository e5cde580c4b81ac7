"""A delivery out of the tables again, a slice of schools at a time; what was stored after it stays."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from ew_app.kernel import now, operation
from ew_app.services.deliveries import ledger
from ew_app.services.deliveries.attendance import Span, at_schools
from ew_app.services.deliveries.staging import Part, stage
from ew_app.services.measuring.touched import touch_each, touch_each_school
from models import marks, marks_undone
from models.attendance import Batch
from models.base import db
from models.marks import SCHOOL_LOCK
from models.queries import deliveries
from rules.feed_checks import Limits


@operation
def set_back(batch_id: int, span: Span, limits: Limits) -> None:
    """Take a batch back at one slice of schools, and mark for evaluation about whom something else stands then.

    What later deliveries set stays, also where they only repeated what this one had said.
    """
    here = at_schools(db.session.get_one(Batch, batch_id), span)
    marks_undone.lock_claimed(SCHOOL_LOCK, here)
    here["at"] = now()
    days = marks_undone.take_out(here)
    marks_undone.settle(here, _lay_what_followed(here, span, limits))
    touch_each_school(marks_undone.pass_on_source(here))
    kept = set(days) - marks_undone.days_left_without()
    differing = ledger.derive(days, limits, kept=kept)
    touch_each_school(differing)
    touch_each(marks_undone.changed_students(differing))


def _lay_what_followed(here: dict[str, Any], span: Span, limits: Limits) -> list[int]:
    """Lay other deliveries over what was set back, by what they claimed when they were accepted; returns which."""
    to_follow = marks_undone.to_follow(here)
    reached = marks_undone.reached() if to_follow else {}
    concerned = (row for row in to_follow if row.everyone or (row.school_id, row.day) in reached)
    others = []
    for other_id, claims in groupby(concerned, key=lambda row: row.batch_id):
        other = db.session.get_one(Batch, other_id)
        days = {(row.school_id, row.day): row.whole for row in claims}
        about = {at: reached[at] for at in days if at in reached}
        without = frozenset((row.file, row.line) for row in deliveries.waiting_rows(other_id))
        stage(other, limits, Part(days=days, about=about, without=without))
        marks.merge(at_schools(other, span, here["at"]))
        marks.drop_staged(other_id)
        others.append(other_id)
    return others
