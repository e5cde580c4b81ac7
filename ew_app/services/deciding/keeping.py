"""What is kept of judged students, for the next evaluation to go on from."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.deciding.showing import Shown
from ew_app.services.measuring.blocks import Known
from ew_app.services.measuring.frames import Frame
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
    until = _told_through(judged)
    behind = np.flatnonzero(until < np.datetime64(at.day))
    seen = until[behind] >= matrix.days[0]
    until[behind[~(seen & _quiet_after(judged, behind, until[behind]))]] = NEVER
    return Known(
        matrix.students,
        block.astype(np.int64),
        judged.background,
        until,
        judged.facts.carried(),
        judged.replay.state,
        shown.tier_since,
        np.asarray(np.isin(status(matrix.cells), UNMAPPED).any(axis=1)) | judged.decided_otherwise,
        shown.concerned,
        shown.loud,
    )


def _told_through(judged: Judged) -> Days:
    """[S] the day up to which every school has told what it has to tell of a student, also the one they left."""
    year, start = judged.year, np.datetime64(judged.year.frame.start)
    through = _through(year.school, year.frame)
    of_stint, last = _through(year.stint_school, year.frame), year.stint_last
    waits = np.isnat(last) | ((last > of_stint) & (last >= start))
    np.minimum.at(through, np.searchsorted(judged.students, year.stint_student[waits]), of_stint[waits])
    return through


def _through(schools: NDArray[np.integer], at: Frame) -> Days:
    """The last submitted day of each of these schools; the first of all days where there is none."""
    known, back = np.unique(schools, return_inverse=True)
    days = [at.data_through(school) or date.min for school in known.tolist()]
    return np.array(days, dtype="datetime64[D]")[back]


def _quiet_after(judged: Judged, rows: NDArray[np.intp], day: Days) -> NDArray[np.bool_]:
    """For whom nothing counted, began or ended after their day."""
    later = judged.matrix.days > day[:, None]
    happened = judged.matrix.cells[rows].astype(bool)
    told: list[NDArray[Any]] = [judged.year.stint_at, judged.replay.tier, *judged.replay.active.values()]
    for part in (whole[rows] for whole in told):
        happened[:, 1:] |= part[:, 1:] != part[:, :-1]
    quiet: NDArray[np.bool_] = ~np.any(happened & later, axis=1)
    return quiet
