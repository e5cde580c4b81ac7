"""Files that districts hand over: what was delivered, and its rows, one by one or rejected with a reason.

Pure: bytes in, values out. Knows no tables, no clock and no settings.
"""

from __future__ import annotations

from ew_app.feeds.delivery import delivery_from_bytes, open_deliveries, open_delivery
from ew_app.feeds.exports import Export, exports_without_lateness, formats_with, load_export
from ew_app.feeds.formats import OURS, Column, ColumnType, Format, TableFormat, known_formats, layout, load_format
from ew_app.feeds.header import suggest_mapping
from ew_app.feeds.parts import ATTENDANCE, TABLES, Delivery, Part
from ew_app.feeds.reader import Chunk, Reading, Unread, read
from ew_app.feeds.refused import Problem, RefusedFile, Why
from ew_app.feeds.saying import DAY, ROWS, Said, unfit_periods

__all__ = [
    "ATTENDANCE",
    "DAY",
    "OURS",
    "ROWS",
    "TABLES",
    "Export",
    "Said",
    "exports_without_lateness",
    "formats_with",
    "layout",
    "load_export",
    "Chunk",
    "Column",
    "ColumnType",
    "Delivery",
    "Format",
    "Part",
    "Problem",
    "Reading",
    "RefusedFile",
    "TableFormat",
    "Unread",
    "Why",
    "delivery_from_bytes",
    "known_formats",
    "load_format",
    "open_deliveries",
    "open_delivery",
    "read",
    "suggest_mapping",
    "unfit_periods",
]
