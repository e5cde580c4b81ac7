"""Where a student stands within a tier of whom a model says nothing: where their absence rate stands there.

Nobody goes to the foot of a tier because the family asked to be left out, because they are new, or because their
school's days have not come. A student whose rate is higher than those of seven in ten scored students of the tier
stands where seven in ten scores are passed. The steps are measured once an evening and kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, case, cast, func, literal, null, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from models.base import db
from models.cases import Case
from models.queries import risk as rows
from models.tiers import StudentStatus

STEPS = 100  # as many scores at most tell how a tier's go
IN_ALL = 10_000  # a rate of one
Places = Mapping[str, Sequence[Sequence[int]]]


def measured(model: int) -> dict[str, list[list[int]]]:
    """Tier -> [rates in ten-thousandths, thousandths of a logit], each of the scored students, the lowest first."""
    found = db.session.execute(
        text("""
            WITH one AS (
                SELECT s.tier, r.logit, s.absent::bigint * :all / s.enrolled AS rate
                FROM risk_score r JOIN student_status s ON s.student_id = r.student_id
                WHERE r.model_id = :model AND r.logit IS NOT NULL AND s.enrolled_now AND s.tier >= 1 AND s.enrolled > 0
            )
            SELECT tier, percentile_disc(CAST(:steps AS float[])) WITHIN GROUP (ORDER BY rate),
                   percentile_disc(CAST(:steps AS float[])) WITHIN GROUP (ORDER BY logit)
            FROM one GROUP BY tier
        """),
        {"model": model, "all": IN_ALL, "steps": [(step + 1) / STEPS for step in range(STEPS)]},
    )
    return {str(tier): [list(rates), list(logits)] for tier, rates, logits in found}


def of_student(model: int, reach: ColumnElement[bool], places: Places) -> ColumnElement[int | None]:
    """What the row's Student, with their StudentStatus beside, is ordered by: their score, else by their rate.

    NULL only in a tier of which nobody was scored. `reach`: a condition on Student; beyond it the rate alone counts.
    """
    return func.coalesce(rows.place_of_student(model, reach), _by_rate(StudentStatus.tier, places))


def of_case(model: int, reach: ColumnElement[bool], places: Places) -> ColumnElement[int | None]:
    """The same of the row's Case."""
    here = StudentStatus.student_id == Case.student_id
    by_rate = select(_by_rate(Case.tier, places)).where(here).correlate(Case).scalar_subquery()
    return func.coalesce(rows.place_of_case(model, reach), by_rate)


def _by_rate(tier: Any, places: Places) -> ColumnElement[int | None]:
    """The score that stands in its tier where a rate does; below the lowest rate, one under the lowest score."""
    if not places:
        return cast(null(), Integer)
    rate = cast(StudentStatus.absent, BigInteger) * IN_ALL // func.nullif(StudentStatus.enrolled, 0)
    found = {}
    for key, (rates, logits) in places.items():
        passed = func.width_bucket(rate, literal(list(rates), ARRAY(BigInteger)))
        scores = literal(list(logits), ARRAY(Integer))
        found[int(key)] = func.array_prepend(logits[0] - 1, scores, type_=ARRAY(Integer))[passed + 1]
    return case(found, value=tier)
