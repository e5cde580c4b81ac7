"""One student on one school day in 16 bits: how much was missed, what kind of day, excused or not, tardy.

bits 0-9 fraction absent (thousandths of that day) | 10-12 status | 13-14 excuse | 15 tardy
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Cells = NDArray[np.uint16]

WHOLE_DAY = 1000

_STATUS_AT, _EXCUSE_AT, _TARDY_AT = 10, 13, 15
_FRACTION_BITS, _STATUS_BITS, _EXCUSE_BITS = 0x3FF, 0x7, 0x3


class Status(IntEnum):
    """What kind of day it was for this student; only MEMBER days enter any measure."""

    OUT = 0  # not enrolled, no school, or after the school's last submitted day
    MISSING = 1  # enrolled on an instructional day that the school never submitted
    UNKNOWN_ROW = 2  # a full feed came without a row for this student
    UNKNOWN_CODE = 3  # a code nobody has mapped yet
    HELD_OUT = 4  # homebound, hospital or non-membership
    MEMBER = 5
    RECODED = 6  # a code nobody has mapped replaced what was known; share, excuse and tardy are what was known
    UNKNOWN_PERIODS = 7  # class periods were missed, and nobody has said what part of the day they are


UNMAPPED = (Status.UNKNOWN_CODE, Status.RECODED)


class Excuse(IntEnum):
    """Whether the code itself says the absence was excused."""

    OTHER = 0  # exempt, suspension, or no absence at all
    EXCUSED = 1
    UNEXCUSED = 2
    UNKNOWN = 3  # nobody has said why; neither excused nor unexcused


def pack(fraction: ArrayLike, status: ArrayLike, excuse: ArrayLike = 0, tardy: ArrayLike = 0) -> Cells:
    """Cells from thousandths 0..1000, Status, Excuse and tardy yes/no; all broadcast together."""
    parts = np.asarray(fraction, dtype=np.uint16) | np.asarray(status, dtype=np.uint16) << np.uint16(_STATUS_AT)
    parts = parts | np.asarray(excuse, dtype=np.uint16) << np.uint16(_EXCUSE_AT)
    return np.asarray(parts | np.asarray(tardy, dtype=np.uint16) << np.uint16(_TARDY_AT), dtype=np.uint16)


def fraction(cells: Cells) -> NDArray[np.uint16]:
    """Thousandths of the day that were missed."""
    return cells & np.uint16(_FRACTION_BITS)


def status(cells: Cells) -> NDArray[np.uint8]:
    """The Status of each cell."""
    return ((cells >> np.uint16(_STATUS_AT)) & np.uint16(_STATUS_BITS)).astype(np.uint8)


def excuse(cells: Cells) -> NDArray[np.uint8]:
    """The Excuse of each cell."""
    return ((cells >> np.uint16(_EXCUSE_AT)) & np.uint16(_EXCUSE_BITS)).astype(np.uint8)


def tardy(cells: Cells) -> NDArray[np.bool_]:
    """True where the student came late."""
    return (cells >> np.uint16(_TARDY_AT)).astype(bool)


def recoded(known: Cells) -> Cells:
    """What was known of these days, now that a code nobody has mapped stands in its place."""
    return pack(fraction(known), Status.RECODED, excuse(known), tardy(known))


def as_last_known(cells: Cells) -> Cells:
    """The same cells with recoded days as they were known before the code came."""
    known = pack(fraction(cells), Status.MEMBER, excuse(cells), tardy(cells))
    return np.where(status(cells) == Status.RECODED, known, cells)
