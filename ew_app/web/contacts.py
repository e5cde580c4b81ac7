"""Contact repair: Which number of this family fails, and what holds until the roster brings another?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, today
from ew_app.services.casework import reaching, repairing, staffing, tasks
from ew_app.services.casework.repairing import MEND
from ew_app.web import asked, case_page, guard, ways
from ew_app.web.guard import actor, requires
from models.people import Student
from models.queries import student_page
from models.queries import ways as rows
from rules.access import Place
from rules.counting import many

screen = Blueprint("contacts", __name__)


@screen.get("/contacts/<int:student_id>")
@requires(MEND)
def show(student_id: int) -> str:
    return _page(reaching.student_at_hand(student_id, actor(), MEND))


@screen.post("/contacts/<int:student_id>/numbers")
@requires(MEND)
def note(student_id: int) -> ResponseReturnValue:
    """A number that the roster does not have yet."""
    form = request.form
    return _done(
        student_id,
        lambda: repairing.note_number(
            student_id, name=form.get("name", ""), phone=form.get("phone", ""), by=actor(), once=guard.once()
        ),
        "The number is noted. Enter it in your student system too.",
    )


@screen.post("/contacts/<int:student_id>/works")
@requires(MEND)
def works(student_id: int) -> ResponseReturnValue:
    """A number that failed is right after all."""
    phone = request.form.get("phone", "")
    return _done(
        student_id,
        lambda: repairing.it_works(student_id, phone=phone, by=actor(), once=guard.once()),
        "Noted: the number works.",
    )


@screen.post("/contacts/<int:student_id>/forget")
@requires(MEND)
def forget(student_id: int) -> ResponseReturnValue:
    """A noted number is of no use any more."""
    noted = request.form.get("noted", type=asked.number) or 0
    return _done(student_id, lambda: repairing.forget_number(noted, by=actor()), "The number is not shown any more.")


@screen.post("/contacts/<int:student_id>/mended")
@requires(MEND)
def mended(student_id: int) -> ResponseReturnValue:
    """The student system has the right details now: the tasks that asked for it are done."""

    def end() -> None:
        for task in rows.open_repairs(student_id):
            tasks.finish(task, by=actor())

    return _done(student_id, end, "Done. The next roster brings the new details here.")


def _done(student_id: int, act: Callable[[], Any], sentence: str) -> ResponseReturnValue:
    student = reaching.student_at_hand(student_id, actor(), MEND)
    try:
        guard.once()
        act()
    except SENTENCES as refusal:
        return _page(student, {"": str(refusal)}), 422
    flash(sentence, "good")
    return redirect(url_for("contacts.show", student_id=student_id))


def _page(student: Student, errors: dict[str, str] | None = None) -> str:
    school = next(iter(student_page.schools_of(student.id, today())), None)
    place = staffing.place_of(school) if school else Place.district()
    people = ways.people([ways.Whose(student.id, place)])[student.id] or []
    failing = sum(1 for one in people if one["bad"])
    says = f"{many(failing, 'number')} of this family {'fails' if failing == 1 else 'fail'}"
    return render_template(
        "contacts.html",
        about=case_page.subject(student, school.name if school else ""),
        answer=says if failing else "Nothing is known against the numbers of this family",
        people=people,
        asked=bool(rows.open_repairs(student.id)),
        student_id=student.id,
        errors=errors or {},
        values=request.form,
    )
