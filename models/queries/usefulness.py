"""What people answered at closing: whether the flag of a rule was useful."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import func, select

from models.base import db
from models.cases import CaseEpisode, CaseReason


def answers(since: date) -> dict[str, dict[str, int]]:
    """Rule -> answer (yes, no, cannot_tell) -> how often, of episodes closed on this day or later."""
    asked = (
        select(CaseReason.rule, CaseReason.useful, func.count())
        .join(
            CaseEpisode,
            (CaseEpisode.case_id == CaseReason.case_id) & (CaseEpisode.episode == CaseReason.episode),
        )
        .where(CaseReason.useful.is_not(None), CaseEpisode.closed_on >= since)
        .group_by(CaseReason.rule, CaseReason.useful)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for rule, answer, number in db.session.execute(asked):
        found[rule][str(answer)] = number
    return dict(found)
