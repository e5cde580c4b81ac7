"""The caseload as a table to take along: what a view of it holds, for a reason, with the day it speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, local, now, today
from ew_app.services.casework import taking_along
from ew_app.services.casework.taking_along import LONGEST, MOST
from ew_app.web import caseload, limits, spreadsheets
from ew_app.web.case_lines import last_words
from ew_app.web.case_words import status_words
from ew_app.web.guard import actor, requires
from ew_app.web.page import days
from models.queries import caseload as rows
from models.queries import today as heads
from models.queries.worklists import CaseLine, Page
from rules.access import Permission
from rules.counting import many
from rules.tiers import Tier
from rules.words import UnfitWords

screen = Blueprint("caseload_file", __name__)

HEADER = (
    "case", "student_id", "last_name", "first_name", "grade", "school", "tier", "status", "owner", "next_step", "due",
    "school_days_late", "opened", "last_try", "last_reached", "days_absent", "days_enrolled", "attendance_through",
    "as_of", "taken_by",
)  # fmt: skip


@screen.route("/caseload/file", methods=["GET", "POST"])
@requires(Permission.TAKE_CASELOAD)
@limits.export
def take() -> ResponseReturnValue:
    """What will be in the file and what it is for; then the file."""
    found = _found()
    if request.method == "GET":
        return _form(found)
    try:
        taking_along.take_along(found.rows, found.total, by=actor(), reason=request.form.get("reason", ""))
    except (Refused, UnfitWords) as refusal:
        return _form(found, str(refusal)), 422
    return spreadsheets.download(f"caseload-{today():%Y-%m-%d}", HEADER, _cells(found.rows))


def _found() -> Page:
    """The cases of the view whose address this is, up to one more than a file holds."""
    filters = caseload.filters_of(caseload.schools_within())
    view = request.args.get("view", "mine")
    return caseload.found_by(filters.values, view, request.args.get("sort", "due"), page=1, size=MOST + 1)


def _form(found: Page, error: str = "") -> str:
    return render_template(
        "caseload_file.html",
        answer=f"{many(found.total, 'case')} to take along",
        too_many=found.total > MOST,
        most=MOST,
        total=found.total,
        error=error,
        reason=request.form.get("reason", ""),
        longest=LONGEST,
        here=f"{url_for('caseload_file.take')}?{urlencode(list(request.args.items(multi=True)))}",
        back=f"{url_for('caseload.show')}?{urlencode(list(request.args.items(multi=True)))}",
    )


def _cells(found: list[CaseLine]) -> Iterator[tuple[object, ...]]:
    """A row for each case. Nothing of a compartment is in what a list of cases reads."""
    students = {line.student_id for line in found}
    tries, through = heads.last_tries(students), rows.counted_through(students)
    made, by = f"{local(now()):%Y-%m-%d %H:%M}", actor()
    for line in found:
        counted = days(line.absent) if line.absent is not None else "", days(line.enrolled) if line.enrolled else ""
        yield (
            line.number, line.student_key, line.last_name, line.first_name, line.grade, line.school,
            Tier(line.tier).words, status_words(line.status)[0], line.owner, line.next_step, line.due, line.late,
            line.opened, last_words(tries.get(line.student_id)), line.last_contact, *counted,
            through.get(line.student_id), made, f"{by.name}, {by.position}",
        )  # fmt: skip
