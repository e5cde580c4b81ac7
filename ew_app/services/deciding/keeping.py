"""What is kept of judged students, for the next evaluation to go on from."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.deciding.showing import Shown
from ew_app.services.measuring.blocks import Known
from ew_app.services.measuring.judging import Judged
from rules.cells import UNMAPPED, status
from rules.matrix import Days

NEVER = date.max  # no touch is later: such students are always judged anew


def known_from(shown: Shown, block: NDArray[np.integer]) -> Known:
    """What the next evaluation goes on from.

    Days after a school's last submitted one are read again, because a later day can make them missing; who had
    anything happen on such days (left, or a policy began) is judged anew.
    """
    judged = shown.judged
    matrix, at = judged.matrix, judged.year.frame
    schools = judged.year.school.tolist()
    through = np.array([at.data_through(school) or NEVER for school in schools], dtype="datetime64[D]")
    behind = np.flatnonzero(through < np.datetime64(at.day))
    until = through.copy()
    until[behind[~_quiet_after(judged, behind, through[behind])]] = NEVER
    return Known(
        matrix.students,
        block.astype(np.int64),
        judged.background,
        until,
        judged.facts.carried(),
        judged.replay.state,
        shown.tier_since,
        np.asarray(np.isin(status(matrix.cells), UNMAPPED).any(axis=1)),
        shown.concerned,
        shown.loud,
    )


def _quiet_after(judged: Judged, rows: NDArray[np.intp], day: Days) -> NDArray[np.bool_]:
    """For whom nothing counted, began or ended after their day."""
    later = judged.matrix.days > day[:, None]
    happened = judged.matrix.cells[rows].astype(bool)
    told: list[NDArray[Any]] = [judged.year.stint_at, judged.replay.tier, *judged.replay.active.values()]
    for part in (whole[rows] for whole in told):
        happened[:, 1:] |= part[:, 1:] != part[:, :-1]
    quiet: NDArray[np.bool_] = ~np.any(happened & later, axis=1)
    return quiet
