"""Cells that a spreadsheet shows and never runs."""

from __future__ import annotations

ACTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "|", "%")  # a spreadsheet would run a cell that begins like this


def safe(cell: object) -> str:
    """A cell as text; one that a spreadsheet would run, even after spaces, begins with an apostrophe."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(ACTS) or text.lstrip().startswith(ACTS) else text
