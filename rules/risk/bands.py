"""A chance in words: of similar students in earlier years, how many of ten. Never one precise number.

What is said is not what the model expects but what came, for students it had not seen, among those of whom it expected
as much; and as a range that is as wide as their number makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rules.risk.cohort import Bools
from rules.risk.features import Floats

EDGES = tuple(tenth / 10 for tenth in range(1, 10))
LEAST_SIMILAR = 50  # fewer similar students tell nothing


@dataclass(frozen=True, slots=True)
class Band:
    """Students of similar chance in years the model had not seen: how many, and how many were chronically absent."""

    students: int
    chronic: int

    @property
    def low(self) -> int:
        """Of ten, at least so many: the lower end of the range, rounded to the nearest."""
        return round(10 * self._ends()[0])

    @property
    def high(self) -> int:
        """Of ten, at most so many."""
        return round(10 * self._ends()[1])

    @property
    def words(self) -> str:
        """`about 6 of 10 similar students`; a range where it is not sure, and nothing much where too few are known."""
        if self.students < LEAST_SIMILAR:
            return "too few similar students to say"
        low, high = self.low, self.high
        if high == 0:
            return "fewer than 1 of 10 similar students"
        if low == 10:
            return "more than 9 of 10 similar students"
        low, high = max(low, 0), min(high, 10)
        if low == high:
            return f"about {low} of 10 similar students"
        return f"{low} to {high} of 10 similar students" if low else f"up to {high} of 10 similar students"

    def _ends(self) -> tuple[float, float]:
        """Wilson's range of a share, nineteen of twenty times."""
        if not self.students:
            return 0.0, 1.0
        z2 = 1.96**2
        share = self.chronic / self.students
        middle = (share + z2 / (2 * self.students)) / (1 + z2 / self.students)
        wide = 1.96 / (1 + z2 / self.students)
        wide *= (share * (1 - share) / self.students + z2 / (4 * self.students**2)) ** 0.5
        return max(middle - wide, 0.0), min(middle + wide, 1.0)


def bands(chances: Floats, chronic: Bools) -> tuple[Band, ...]:
    """Ten bands by tenths of the expected chance, of students in years the model had not seen."""
    place = place_of(chances)
    students = np.bincount(place, minlength=len(EDGES) + 1).tolist()
    came = np.bincount(place, chronic, minlength=len(EDGES) + 1).astype(int).tolist()
    return tuple(Band(many, hits) for many, hits in zip(students, came, strict=True))


def place_of(chances: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """[S] the band of each chance, 0 to 9."""
    return np.searchsorted(EDGES, chances, side="right")


def sentence(band: Band, years: Sequence[str]) -> str:
    """For whoever reads a student's page."""
    if band.students < LEAST_SIMILAR:
        return "There were too few similar students in earlier years to say how often this went on."
    *some, last = years or ["earlier years"]
    when, so_many = f"{', '.join(some)} and {last}" if some else last, band.words.removesuffix(" similar students")
    return (
        f"Of students who looked like this at this time of the year in {when}, {so_many}"
        " had missed a tenth of the year or more when it was over. This one may well not: support changes it."
    )
