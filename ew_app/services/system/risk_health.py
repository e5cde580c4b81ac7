"""How it stands with the optional risk model, for whoever keeps the system running."""

from __future__ import annotations

from datetime import timedelta

from ew_app.kernel import day_text, today
from ew_app.services.risk import lives
from ew_app.services.risk.lives import Kind
from models.queries import risk as rows

SILENT = timedelta(days=4)  # a long weekend


def told() -> tuple[str, bool]:
    """(sentence, whether it needs a look): off is in order; what was held back, or not asked for days, is not."""
    stands = lives.state()
    if stands.model is None or stands.model.stage == "off":
        return stands.sentence, False
    night = rows.last_night(stands.model.id)
    if night is not None and today() - night.day > SILENT and night.outcome == "scored":
        return f"{stands.sentence} It was asked last on {day_text(night.day)}.", True
    return stands.sentence, stands.kind is Kind.HELD and night is not None and night.outcome == "refused"
