"""Whether a table of text ends in the middle of a row: the last line has no end, and fewer cells than the first.

It is a sign, no proof: a sender may write a last line of its own. So such a file waits for a while, and is then taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from ew_app.kernel import now
from ew_app.services.sources import arrivals
from ew_app.services.sources.fetching import Ask, Found

WAITS: Final = timedelta(minutes=10)
TEXT: Final = (".csv", ".txt", ".tsv")
SEEN: Final = 1 << 16  # bytes looked at from each end
_LINE_END: Final = re.compile(rb"[\r\n]+")


def unfinished(ask: Ask, found: Sequence[Found]) -> str:
    """What to say while a new file ends in the middle of a row; nothing once a look has waited for it long enough."""
    for file in (file for one in found for path in one.files for file in _files(path)):
        words = f"{file.name} ends in the middle of a row after {file.stat().st_size:,} bytes."
        if ends_in_a_row(file) and not arrivals.waited_for(ask, words, now() - WAITS):
            return f"{words} Nothing was taken yet."
    return ""


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def ends_in_a_row(path: Path) -> bool:
    """Never said of UTF-16, or of what is no text."""
    if not path.name.lower().endswith(TEXT):
        return False
    with path.open("rb") as file:
        head = file.read(SEEN)
        file.seek(max(path.stat().st_size - SEEN, 0))
        tail = file.read()
    if b"\0" in head or not _LINE_END.search(tail) or tail.endswith((b"\n", b"\r")):
        return False
    first, last = _LINE_END.split(head.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0], _LINE_END.split(tail)[-1]
    cells = max(first.count(mark) for mark in (b",", b";", b"\t", b"|"))
    return max(last.count(mark) for mark in (b",", b";", b"\t", b"|")) < cells
