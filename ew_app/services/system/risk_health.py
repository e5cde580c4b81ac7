"""How it stands with the optional risk model, for whoever keeps the system running."""

from __future__ import annotations

from ew_app.kernel import day_text
from ew_app.services.risk import lives, standing
from ew_app.services.risk.lives import Kind
from models.queries import risk as rows
from rules.counting import are, many


def told() -> tuple[str, bool]:
    """(sentence, whether it needs a look): off is in order; what was held back, or not asked for days, is not."""
    stands = lives.state()
    if stands.model is None or stands.model.stage == "off":
        return stands.sentence, False
    night = rows.last_night(stands.model.id)
    if stands.kind is Kind.HELD:
        broken = stands.card is None or night is not None and (night.outcome == "refused" or standing.long_ago(night))
        return stands.sentence, broken
    if night is not None and standing.long_ago(night):
        return f"{stands.sentence} It was asked last for {day_text(night.day)}.", True
    if lost := rows.damaged(stands.model.id):
        told = (
            f"{many(lost, 'score')} can't be read any more and {are(lost)} not told; `ew risk score` makes them anew."
        )
        return f"{stands.sentence} {told}", True
    return stands.sentence, False
