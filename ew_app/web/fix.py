"""S05: Which records do not fit together, why does it matter, and how is each put right?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, render_template

from ew_app.kernel import NotFound
from ew_app.services.rosters import fixing
from ew_app.services.rosters.fixing import Check
from ew_app.web import asked, beginning
from ew_app.web.guard import actor, requires, scope
from ew_app.web.page import moment
from rules import access
from rules.access import Area, Permission
from rules.vocabulary import vocabulary

screen = Blueprint("fix", __name__)

PAGE = 50
WHO = (("student", "Student"), ("student_id", "Id"), ("school", "School"))
WHERE = (("day", "Day"), ("code", "Code"), ("line", "Line"))
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "unknown_codes": (
        ("code", "Code"),
        ("school", "School"),
        ("rows", "Rows"),
        ("students", "Students"),
        ("first_day", "First day"),
        ("last_day", "Last day"),
    ),
    "unsaid_codes": (
        ("code", "Code"),
        ("title", "Name"),
        ("school", "School"),
        ("unsaid", "Not said"),
        ("rows", "Rows"),
        ("students", "Students"),
    ),
    "unread_rows": (*WHO, ("day", "Day"), ("last_seen", "Came"), ("line", "Line")),
    "unmatched": (
        ("value", "As it came"),
        ("what", "Looked for as"),
        ("rows", "Rows"),
        ("last_seen", "Last seen"),
        ("file", "File"),
        ("line", "Line"),
    ),
    "late_schools": (
        ("school", "School"),
        ("data_through", "Last day that came"),
        ("school_days_late", "Days late"),
        ("days_between", "Days missing before it"),
    ),
    "no_calendar": (("school", "School"), ("calendar_id", "Calendar"), ("students", "Students")),
    "class_periods": (
        ("school", "School"),
        ("days", "Days of students"),
        ("students", "Students"),
        ("first_day", "First day"),
        ("last_day", "Last day"),
    ),
    "off_calendar": WHO + WHERE,
    "not_enrolled": WHO + WHERE,
    "did_not_arrive": (*WHO, ("entry_date", "Expected"), ("exit_date", "Taken off"), ("exit_code", "Exit code")),
    "contact_failures": (
        *WHO,
        ("day", "Tried on"),
        ("outcome", "What came of it"),
        ("method", "How"),
        ("author", "By"),
    ),
    "wrong_letters": (*WHO, ("sent_at", "Sent"), ("author", "By"), ("corrected_at", "Corrected")),
    "odd_stints": (*WHO, ("entry_date", "From"), ("exit_date", "To"), ("why", "What is odd")),
    "two_sources": (
        *WHO,
        ("day", "Day"),
        ("code", "Says"),
        ("source", "System"),
        ("other_code", "Other says"),
        ("other_source", "Other system"),
    ),
    "same_child": (("student", "Name"), ("birth_date", "Born"), ("student_ids", "Ids")),
    "nowhere": (("student", "Student"), ("student_id", "Id"), ("grade", "Grade")),
}
NUMBERS = {"rows", "days", "students", "school_days_late", "line"}
LOOKED_FOR = {"student_id": "student id", "school_id": "school id"}


@screen.get("/fix")
@requires(Permission.FIX_DATA)
def show() -> str:
    found = fixing.overview(_area(), actor())
    return render_template(
        "fix.html",
        begin=beginning.step(),
        wrong=[one for one in found if one.rows],
        well=[one.check for one in found if not one.rows],
    )


@screen.get("/fix/<key>")
@requires(Permission.FIX_DATA)
def one(key: str) -> str:
    check = _check(key)
    page = asked.page()
    rows = fixing.rows(key, _area(), actor(), limit=PAGE + 1, offset=PAGE * (page - 1))
    return render_template(
        "fix_list.html",
        check=check,
        columns=COLUMNS[key],
        numbers=NUMBERS,
        rows=[_shown(dict(row)) for row in rows[:PAGE]],
        page=page,
        pages=page + (len(rows) > PAGE),
        may_open=access.can(actor().grants, Permission.SEE_STUDENT),
        may_map=access.can(actor().grants, Permission.MAP_CODES),
        may_import=access.can(actor().grants, Permission.IMPORT_ATTENDANCE),
    )


def _area() -> Area:
    return scope(Permission.FIX_DATA).whole


def _check(key: str) -> Check:
    for check in fixing.CHECKS:
        if check.key == key:
            return check
    raise NotFound("There is no such list under Fix data.")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """The values as people read them."""
    if "what" in row:
        row["what"] = LOOKED_FOR.get(row["what"], row["what"])
    for kind in ("method", "outcome"):
        if kind in row:
            row[kind] = vocabulary().label(kind, row[kind])
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return f"{value:%a} {value.day} {value:%b} {value.year}"
    return "" if value is None else value
