"""The districts on which the optional model is tried.

Chosen and committed before anything was trained on them, and never changed afterwards: neither these numbers nor what
`write_district` makes of them, to make a model look better. Whoever wants another district adds one and says when and
why; a change of the invented world that alters their bytes is a new set of districts under new names.
The world was tuned on other seeds (5 to 23) before these were drawn, and only on shares, flows and the relation of
consecutive years, as tests/test_demo_years.py holds them; no model was run on it while it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ew_app.demo.writer import Summary, write_district

YEARS: Final = 5  # four whole ones and a running one
DAYS: Final = 60  # of the running one: up to 20 November 2026


@dataclass(frozen=True, slots=True)
class TriedDistrict:
    """What `write_district` is told; chronic: children in 100 that are chronically absent in an ordinary year."""

    name: str
    seed: int
    networks: int
    schools: int
    students: int
    chronic: int

    def write(self, folder: Path, *, by_day: bool = False) -> Summary:
        """Its files, the same ones each time."""
        return write_district(
            folder,
            networks=self.networks,
            schools=self.schools,
            students=self.students,
            days=DAYS,
            years=YEARS,
            seed=self.seed,
            by_day=by_day,
            chronic=self.chronic,
        )


TRIED: Final = (
    TriedDistrict(name="harbor", seed=40917, networks=3, schools=18, students=10_500, chronic=36),
    TriedDistrict(name="prairie", seed=52361, networks=2, schools=16, students=9_200, chronic=14),
    TriedDistrict(name="summit", seed=68843, networks=4, schools=22, students=11_800, chronic=31),
)
