"""What the tables hold that leave the product: the columns of commands, of the JSON API and of files, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ew_app.services.measuring import measures

Row = Mapping[str, Any]

LEDGER = ("school_id", "date", "status", "rows", "expected")
CASES = (
    "case_number",
    "student_id",
    "school_id",
    "tier",
    "owner_role",
    "owner",
    "department",
    "status",
    "opened",
    "due",
    "rules",
)
BY = {"district": (), "network": ("network_id",), "school": ("network_id", "school_id"), "grade": ("grade",)}
COUNTS = ("students", *measures.TIERS, "too_early", "data_through")
KEYS = {"student": ("student_id",), "school": ("student_id", "school_id")}  # of measures, by their scope

_NUMBERS = frozenset(
    {
        "enrolled_days", "absent_days", "excused_days", "unexcused_days", "federal_absent_days", "absence_rate",
        "tardies", "missing_days", "unknown_days", "streak_now",
    }
)  # fmt: skip
_MAY_BE_EMPTY = _NUMBERS | {"data_through", "opened", "due"}


def typed(row: Row) -> dict[str, Any]:
    """A row with numbers and truths in JSON's own form, and null where there is none."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if value == "" and name in _MAY_BE_EMPTY:
        return None
    if name in _NUMBERS and isinstance(value, str):
        return float(value) if "." in value else int(value)
    return {"true": True, "false": False}.get(value, value) if name == "too_early" else value
