"""A cell keeps its four parts, whatever they are."""

from __future__ import annotations

import numpy as np

from rules import cells
from rules.cells import Excuse, Status


def test_every_combination_survives_packing() -> None:
    fraction, status, excuse, tardy = (part.ravel() for part in np.meshgrid(range(1001), Status, Excuse, (0, 1)))
    packed = cells.pack(fraction, status, excuse, tardy)
    assert packed.dtype == np.uint16
    assert (cells.fraction(packed) == fraction).all()
    assert (cells.status(packed) == status).all()
    assert (cells.excuse(packed) == excuse).all()
    assert (cells.tardy(packed) == tardy).all()


def test_zero_is_a_day_without_school() -> None:
    assert cells.pack(0, Status.OUT) == 0
