"""Which range a risk model at work told of whom on which evenings, written down when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, select, text

from models.base import db
from models.bulk import read_ints
from models.queries.measuring import Columns
from models.risk import RiskModel, RiskTold


def remember(model: int, day: date) -> None:
    """Write down which range tonight's scores tell, where it is another than before; done twice it is the same."""
    here = {"model": model, "day": day}
    db.session.execute(text("DELETE FROM risk_told WHERE model_id = :model AND since = :day"), here)
    db.session.execute(text("UPDATE risk_told SET until = NULL WHERE model_id = :model AND until = :day"), here)
    tonight = """
        SELECT s.student_id, s.range_key, coalesce(c.absent > 0 AND c.absent * 10 >= c.enrolled, false) AS listed
        FROM risk_score s JOIN student_status c ON c.student_id = s.student_id
        WHERE s.model_id = :model AND s.logit IS NOT NULL
    """
    db.session.execute(
        text(f"""
            UPDATE risk_told t SET until = :day WHERE t.model_id = :model AND t.until IS NULL AND NOT EXISTS (
                SELECT 1 FROM ({tonight}) s
                WHERE s.student_id = t.student_id AND s.range_key = t.range_key AND s.listed = t.listed)
        """),
        here,
    )
    db.session.execute(
        text(f"""
            INSERT INTO risk_told (model_id, student_id, since, range_key, listed)
            SELECT :model, s.student_id, :day, s.range_key, s.listed FROM ({tonight}) s
            WHERE NOT EXISTS (SELECT 1 FROM risk_told t WHERE t.model_id = :model AND t.student_id = s.student_id
                                                          AND t.until IS NULL)
        """),
        here,
    )


def close(model: int, day: date) -> None:
    """From this evening on a model tells nothing."""
    here = {"model": model, "day": day}
    db.session.execute(text("DELETE FROM risk_told WHERE model_id = :model AND since >= :day"), here)
    db.session.execute(
        text("UPDATE risk_told SET until = :day WHERE model_id = :model AND (until IS NULL OR until > :day)"), here
    )


def forget(before: date) -> None:
    """Delete what models of school years that began before this day told."""
    db.session.execute(
        text("DELETE FROM risk_told WHERE model_id IN (SELECT id FROM risk_model WHERE school_year < :before)"),
        {"before": before},
    )


def on(model: int, day: date) -> Columns:
    """Columns student (ascending), range and listed: what a model at work told on the evening of a day."""
    return read_ints(
        """
        SELECT student_id, range_key::int, listed::int FROM risk_told
        WHERE model_id = %(model)s AND since <= %(day)s AND coalesce(until, 'infinity'::date) > %(day)s
        ORDER BY student_id
        """,
        ["student", "range", "listed"],
        {"model": model, "day": day},
    )


def models_that_told(school_year: date) -> Sequence[RiskModel]:
    """The models of a school year of which it is kept what they told."""
    told = exists().where(RiskTold.model_id == RiskModel.id)
    return db.session.scalars(
        select(RiskModel).where(RiskModel.school_year == school_year, told).order_by(RiskModel.id)
    ).all()
