"""How the class periods of a delivery or a source add up: the answer that holds, whose it is, who may change it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from ew_app.feeds import DAY, ROWS
from ew_app.services.sources.fetching import Kind
from models.attendance import Batch
from models.org import Source
from models.queries.periods import answers

CHOICES = (
    ("minutes", "One period has so many minutes"),
    (ROWS, "Every period of the day has a row, also those attended"),
    (DAY, "A row is about the whole day: attendance is taken once, in that class"),
)
WORDS = {ROWS: "Every period of the day has a row", DAY: "A row is about the whole day"}


@dataclass(frozen=True, slots=True)
class ClassPeriods:
    """What is known of the class periods of a delivery. `said` is empty where nobody has said anything.

    whose: who said it, in words, with where that is changed (`link`, empty for here); days: that nobody can add up.
    """

    days: int
    said: str
    words: str
    whose: str
    link: str
    may_say: bool

    @property
    def how(self) -> str:
        """Which of the CHOICES it is."""
        return self.said if self.said in WORDS else "minutes"

    @property
    def minutes(self) -> str:
        """The minutes of one period, where that was said."""
        return "" if self.said in WORDS else self.said


def of_batch(batch: Batch, mine: bool) -> ClassPeriods | None:
    """For the pages of a delivery; None where it has no class periods."""
    if batch.kind != "attendance" or not batch.counts.get("class_rows"):
        return None
    days, own, holds = batch.counts.get("unclear_days", 0), batch.options.get("periods"), answers().get(batch.source_id)
    waits = batch.status in ("previewed", "held")
    may = mine and (waits or batch.status == "applied")
    if holds and holds.batch is None:
        return ClassPeriods(days, holds.said, words(holds.said), *_by_source(batch.source), False)
    if own and (waits or (holds and holds.batch == batch.id)):
        return ClassPeriods(days, own, words(own), "said of this file", "", may)
    if holds:
        link, may = url_for("batches.one", batch_id=holds.batch), mine and waits
        return ClassPeriods(
            days, holds.said, words(holds.said), f"said of delivery {holds.batch}", link, mine and waits
        )
    return ClassPeriods(days, "", "", "", "", may)


def of_source(source: Source) -> tuple[str, str] | None:
    """Term and words for the page of a source; None where nobody has said anything."""
    holds = answers().get(source.id)
    if holds is None:
        return None
    whose = "set here" if holds.batch is None else f"said of delivery {holds.batch}; what is set here goes before"
    return "Class periods", f"{words(holds.said)} ({whose})"


def words(said: str) -> str:
    """An answer as people read it."""
    return WORDS.get(said) or f"One period has {said} minutes"


def _by_source(source: Source) -> tuple[str, str]:
    link = "" if source.kind == Kind.BY_HAND else url_for("sources.one", source_id=source.id)
    return f"set for the source {source.name}", link
