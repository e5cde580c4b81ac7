"""The weekly page of whoever answers for schools: where does work wait? By school and role, in counts."""

from __future__ import annotations

from flask import Blueprint, render_template

from ew_app.kernel import day_text
from ew_app.services.notices import week
from ew_app.web import asked
from ew_app.web.guard import actor, requires
from ew_app.web.lists import PAGE, pages_of
from rules.access import Permission
from rules.counting import many

screen = Blueprint("week", __name__)


@screen.get("/week")
@requires(Permission.MANAGE_PEOPLE, Permission.SEE_NETWORK_BOARD)
def show() -> str:
    found = week.of(actor())
    waiting = [one for one in found.schools if one.total.unowned + one.total.late + one.total.late_tasks or not one.met]
    answer = (
        f"At {many(len(waiting), 'school')} work waits for somebody" if waiting else "Nothing waits at your schools"
    )
    page = min(asked.page(), pages_of(len(waiting)))
    return render_template(
        "week.html", answer=answer, since=day_text(found.since), schools=waiting[(page - 1) * PAGE : page * PAGE],
        quiet=len(found.schools) - len(waiting), page=page, pages=pages_of(len(waiting)), total=len(waiting),
    )  # fmt: skip
