"""How strongly an invented child's attendance hangs together: over the years, over the weeks, with its mornings.

The usual numbers are those of the demo and of the districts on which models are tried. Others make another kind of
place; they are causes of days away, and none of them is a fact that a model looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ties:
    """Weights of traits (normal, variance 1) in the logarithm of a chance, spreads of what passes, and times."""

    home: float = 0.66  # how readily a family lets a child stay at home
    child: float = 0.50  # how readily the child does
    grown: float = 0.46  # how little school means to it once it is older
    year: float = 0.15  # spread of a year that differs from the others
    weeks: float = 0.25  # spread of better and worse stretches of some weeks
    stays: float = 0.93  # of a family's ease that is left a year later
    wanders: float = 0.32  # spread of what comes to it in a year
    changes: float = 0.05  # homes a year in which all of it becomes another
    mornings: float = 0.0  # how much who stays at home readily is late as well
    habit: float = 1.0  # times the chance of staying at home
    trouble: float = 1.0  # times the spells that come over homes and children
    sickness: float = 1.0  # times the chance of falling ill


USUAL: Final = Ties()
