"""What do you make of it? An answer to what the model says of one student, and whether it is to leave them out."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, today
from ew_app.services.casework import reaching
from ew_app.services.risk import answers, one_student, taking_up
from ew_app.services.risk.taking_up import LONGEST, WRONG, Wanted
from ew_app.web import asked, consider_parts, guard
from ew_app.web.case_words import grade_words, lower_first
from ew_app.web.guard import actor, requires
from models.people import Student
from models.queries import case_page, student_page
from rules import access, roles
from rules.access import NotAllowed, Permission

screen = Blueprint("consider_answer", __name__)

SEE, OUT = Permission.SEE_RISK, Permission.EXCLUDE_FROM_RISK
CHOICES = (
    ("accepted", "Somebody has a look"),
    ("dismissed", "No look is needed"),
    ("wrong_data", "The data are wrong"),
)
SAID = {
    "accepted": "Written down. Whoever has a look finds the student under Consider.",
    "dismissed": "Written down. The student is not brought forward again for a month.",
    "wrong_data": "Written down. The school's clerk is asked to check the record.",
}


@screen.route("/students/<int:student_id>/risk", methods=["GET", "POST"])
@requires(SEE)
def respond(student_id: int) -> ResponseReturnValue:
    """Taken up by somebody who has a look, set aside, or resting on wrong data."""
    student = reaching.student_at_hand(student_id, actor(), SEE)
    if request.method == "GET":
        return _page(student)
    form = request.form
    wanted = Wanted(
        answer=form.get("answer", ""), reason=form.get("reason", ""), wrong=form.get("wrong", ""),
        looker=form.get("looker", type=asked.number),
    )  # fmt: skip
    try:
        told = taking_up.respond(student.id, wanted, by=actor())
    except SENTENCES as refusal:
        return _page(student, str(refusal)), 422
    flash(SAID[told.answer], "good")
    back = guard.local_path(form.get("back"))
    return redirect(f"{back}{'&' if '?' in back else '?'}undo={told.id}" if back.startswith("/consider") else back)


def _page(student: Student, error: str = "") -> str:
    found, me = one_student.told(student.id, actor()), actor().person_id
    able = taking_up.lookers(student.id)
    names = case_page.names(list(able))
    people = sorted(able, key=lambda person: (person != me, names.get(person, "")))
    return render_template(
        "consider_answer.html",
        student=student,
        facts=_facts(student),
        part=consider_parts.part(found, student) if found else None,
        choices=CHOICES,
        wrong=list(WRONG.items()),
        has_case=student_page.has_open_case(student.id),
        people=[
            (person, "I do" if person == me else f"{names[person]}, {lower_first(roles.role(able[person]).label)}")
            for person in people
        ],
        longest=LONGEST,
        values={"looker": me} | request.form.to_dict(),
        error=error,
        back=guard.local_path(request.values.get("back") or url_for("student.show", key=student.key)),
    )


def _facts(student: Student) -> list[str]:
    school = next(iter(student_page.schools_of(student.id, today())), None)
    return [grade_words(student.grade), school.name if school else ""]


@screen.post("/students/<int:student_id>/risk/answers/<int:answer_id>/take-back")
@requires(SEE)
def take_back(student_id: int, answer_id: int) -> ResponseReturnValue:
    """As if it had not been answered."""
    try:
        taking_up.take_back(answer_id, student_id=student_id, by=actor())
        flash("Taken back. The student stands on the list again, and nobody is asked for anything.", "good")
    except (NotFound, NotAllowed):
        raise
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(url_for("consider.show"))


# -- leaving a student out -------------------------------------------------------------------------------------------


@screen.route("/students/<int:student_id>/risk/leave-out", methods=["GET", "POST"])
@requires(OUT)
def leave_out(student_id: int) -> ResponseReturnValue:
    """From now on the model says nothing of the student, and learns nothing from them."""
    student, error = reaching.student_at_hand(student_id, actor(), OUT), ""
    if request.method == "POST":
        try:
            answers.leave_out(student.id, reason=request.form.get("reason", ""), by=actor())
            flash(f"{student.name} is left out of the model. The rules apply as before.", "good")
            return redirect(url_for("student.show", key=student.key))
        except SENTENCES as refusal:
            error = str(refusal)
    page = render_template(
        "consider_out.html",
        student=student,
        facts=_facts(student),
        out=answers.standing_exclusion(student.id) is not None,
        error=error,
        reason=request.form.get("reason", ""),
        longest=LONGEST,
        back=url_for("student.show", key=student.key),
        reads=access.can(actor().grants, SEE),
    )
    return (page, 422) if error else page


@screen.post("/students/<int:student_id>/risk/take-in")
@requires(OUT)
def take_in(student_id: int) -> ResponseReturnValue:
    """Let the model see the student again, from the next evening on."""
    student = reaching.student_at_hand(student_id, actor(), OUT)
    try:
        answers.take_in(student.id, by=actor())
        flash(f"The model sees {student.name} again, from the next evening on.", "good")
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(url_for("student.show", key=student.key))
