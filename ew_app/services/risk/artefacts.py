"""The sealed card of a model: signed with this installation's key, opened only if that holds and in its own year.

No pickle anywhere: a card is JSON whose every number is read as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from flask import current_app

from ew_app.kernel import today
from ew_app.services.risk.calendar import last_day
from models.base import db
from models.risk import RiskModel
from rules.risk import card as cards
from rules.risk import estimator
from rules.risk.card import Card, Refused, Sealed
from rules.risk.gates import Outcome
from rules.risk.trial import Trial
from rules.stints import school_year_start

Unusable = Refused


def seal(model: RiskModel, trials: Sequence[Trial], outcome: Outcome) -> None:
    """Keep the card of a model that has shown what was asked, signed. Only training can: it knows the libraries."""
    made = cards.card(
        outcome, trials, school_year=model.school_year.year, valid_until=last_day(model.school_year), seed=model.id,
        versions=estimator.versions(), shown=_hash_of(model),
    )  # fmt: skip
    keep(model, made)


def _hash_of(model: RiskModel) -> str:
    """As the database gives the figures back: it writes some numbers in another way."""
    db.session.flush()
    db.session.refresh(model, ["report"])
    return cards.hash_of(model.report)


def check_shown(model: RiskModel) -> None:
    """That the figures on the pages of a sealed model are those it was sealed with. Raises Unusable."""
    card = opened(model)
    if card.shown and card.shown != cards.hash_of(model.report):
        raise Unusable("shown", f"The figures of model {model.id} were changed after it was made. Have a new one made.")


def keep(model: RiskModel, made: Card) -> None:
    """Write and sign a card."""
    sealed = cards.seal(made, _keys()[0])
    model.artefact, model.sha256, model.signature = sealed.text, sealed.sha256, sealed.signature


def opened(model: RiskModel) -> Card:
    """The card of a model that kept its promises, sealed for this row and year. Raises Unusable with the reason."""
    if model.status == "refused":
        raise Unusable("refused", f"Model {model.id} was tried and refused. Train a new one.")
    if model.status != "trained" or model.artefact is None:
        raise Unusable("none", f"Model {model.id} was not made to the end. Train a new one.")
    sealed = Sealed(model.artefact, model.sha256 or "", model.signature or "")
    card = _opened(sealed, tuple(_keys()), school_year_start(today()).year, today())
    if (card.seed, card.school_year) != (model.id, model.school_year.year):
        raise Unusable("row", "The stored model was sealed for another training. Have a new one made.")
    return card


@lru_cache(maxsize=4)
def _opened(sealed: Sealed, keys: tuple[bytes, ...], school_year: int, day: date) -> Card:
    """Checked and read once by each process; whatever is changed of it, of the keys or the day is looked at anew."""
    return cards.opened(sealed, keys=keys, school_year=school_year, today=day)


def _keys() -> list[bytes]:
    """The key that signs, then those it replaced."""
    found = [current_app.secret_key, *(current_app.config.get("SECRET_KEY_FALLBACKS") or ())]
    return [key if isinstance(key, bytes) else str(key).encode() for key in found]
