"""A district on which a risk model passes, so that people can see one at work. It is evidence of nothing.

The districts in `tried` were chosen before anything was trained on them, and on each of them the model is refused. This
one was made afterwards, and made so that it is not: its seed and its ties were tried until the gates, which nobody
touched, let a model pass. In its world a family's ways last for years, few troubles come over anybody, and who stays
at home readily comes late as well; real places are seldom so regular. It is for looking at pages, and for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ew_app.demo.ties import Ties
from ew_app.demo.tried import DAYS, TRIED, YEARS
from ew_app.demo.writer import Summary, write_district

REGULAR: Final = Ties(
    home=1.0, child=0.9, year=0.3, weeks=0.15, stays=0.98, wanders=0.15, changes=0.02, mornings=1.4, habit=0.85,
    trouble=0.2, sickness=0.9,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeDistrict:
    """What `write_district` is told."""

    name: str = "meadow"
    seed: int = 14
    networks: int = 2
    schools: int = 10
    students: int = 4_800
    chronic: int = 36
    ties: Ties = REGULAR

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
            ties=self.ties,
        )


MADE: Final = MadeDistrict()
NAMED: Final = {one.name: one for one in (*TRIED, MADE)}
