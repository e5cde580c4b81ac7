"""What a slice of a training found, packed as plain arrays, and put together again as the cohorts of a grid day."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ew_app.services.risk import looking, year_ends
from ew_app.services.risk.calendar import SchoolYear
from ew_app.services.risk.looking import Looked
from models.base import db
from models.queries import risk_years, same_child
from models.risk import RiskPart
from rules.risk import card
from rules.risk import cohort as cohorts
from rules.risk.backtest import Scores
from rules.risk.cohort import Cohort
from rules.risk.features import Seen, features
from rules.risk.plain import shape
from rules.risk.trial import Trial

_COLUMNS = tuple(field.name for field in fields(Seen))
SUMS = "sums"
FORMAT = 3  # of the bytes of a part; what stands in them tells itself


def stamp() -> str:
    """Of the form in which this release keeps what slices find: parts of another one are not put together with it."""
    told = f"{FORMAT}\n{shape(Seen)}\n{shape(Trial)}\n{card.definition()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def packed(looked: Mapping[int, Looked]) -> bytes:
    """Students by grid day, as bytes."""
    arrays: dict[str, Any] = {}
    for day, found in looked.items():
        for name in _COLUMNS:
            column = getattr(found.known, name)
            arrays[f"{day}/{name}"] = column.astype(np.int64 if name.startswith("school_") else np.int32)
        arrays[f"{day}/{SUMS}"] = np.frombuffer(json.dumps(dict(found.sums)).encode(), dtype=np.uint8)
    kept = io.BytesIO()
    np.savez_compressed(kept, **arrays)
    return kept.getvalue()


def unpacked(content: bytes, day: int) -> Looked | None:
    """The students of one grid day; None where the slice has none of it."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if f"{day}/{SUMS}" not in arrays:
            return None
        known = Seen(**{name: arrays[f"{day}/{name}"] for name in _COLUMNS})
        return Looked(known, json.loads(arrays[f"{day}/{SUMS}"].tobytes()))


def packed_scores(year: int, said: Scores, students: np.ndarray | None = None) -> bytes:
    """What models said of these students of a test year, as bytes."""
    kept = io.BytesIO()
    arrays: dict[str, Any] = {f"of {name}": logits for name, logits in said.items()}
    np.savez(
        kept, year=np.array([year]), students=np.zeros(0, dtype=np.int64) if students is None else students, **arrays
    )
    return kept.getvalue()


def are_of(content: bytes, students: np.ndarray) -> bool:
    """Whether scores are of these very students: some may have been left out since."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return np.array_equal(arrays["students"], students)


def unpacked_scores(content: bytes) -> tuple[int, Scores]:
    """(test year, what models said of it)."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        said = {name.removeprefix("of "): arrays[name] for name in arrays.files if name.startswith("of ")}
        return int(arrays["year"][0]), said


@dataclass(frozen=True, slots=True)
class Gathered:
    """A cohort with what was left out of it, for the card of the model."""

    cohort: Cohort
    counts: Mapping[str, int]


def gathered(model: int, slices: list[int], year: SchoolYear, day: int) -> Gathered | None:
    """The cohort of one completed year and grid day from the slices that read that year; None where there is nobody."""
    found = looking.whole([part for nth in slices if (part := _part(model, nth, day)) is not None])
    if found is None:
        return None
    found = found.but(looking.excluded())  # also who asked for it after the slice was read
    known = found.known
    if not len(known.students):
        return None
    within = cohorts.belongs(known, day, year.ahead(day))
    absent, enrolled = year_ends.labels(known.students, year.start)
    labelled = cohorts.has_label(enrolled)
    kept = np.flatnonzero(within & labelled)
    counts = Counter(
        enrolled=len(known.students), few_days=int((~within).sum()), no_end=int((within & ~labelled).sum()),
        kept=len(kept), unknown_days=found.sums["unknown"] // 1000, days=found.sums["days"] // 1000,
    )  # fmt: skip
    return Gathered(_cohort(found, kept, year, day, absent[kept], enrolled[kept]), counts) if len(kept) else None


def _cohort(
    found: Looked, kept: np.ndarray, year: SchoolYear, day: int, absent: np.ndarray, enrolled: np.ndarray
) -> Cohort:
    x, known = features(found.known)[kept], found.known.of(kept)
    return Cohort(
        year=year.start.year,
        day=day,
        students=known.students.astype(np.int64),
        x=x,
        chronic=cohorts.is_chronic(absent, enrolled),
        later_chronic=cohorts.later_chronic(known.absent, known.enrolled, absent, enrolled),
        listed=cohorts.is_chronic(known.absent, known.enrolled),
        school=known.school,
        grade=known.grade,
        groups=risk_years.groups_of(known.students),
        marked=found.shares,
        parts=_in_touch(known.students, year),
    )


def _in_touch(students: np.ndarray, year: SchoolYear) -> dict[str, np.ndarray]:
    """Whom staff reached or supported in that year, and whom not; nothing where nobody logged any of it here."""
    logged = risk_years.in_touch(year.start, year.until)
    if not len(logged):
        return {}
    reached = np.isin(students, same_child.known().own(logged))
    return {"in touch": reached, "not in touch": ~reached}


def _part(model: int, nth: int, day: int) -> Looked | None:
    part = db.session.get(RiskPart, (model, nth))
    if part is None:
        return None
    found = unpacked(part.content, day)
    db.session.expunge(part)  # its bytes are large, and are not asked for twice
    return found
